/** What mutants are made with: core, with one rule broken on the wire, in its options, or in what it says. */
import { connect as dial } from 'node:net';
import { type ConnectOptions, socketTransport, type TransportOptions } from '@posthorn/core';
import { type CoreBend, coreSubject } from '../../src/subjects/core.ts';
import type { ClientTask, MessageOutcome, Subject, TaskOutcome } from '../../src/task.ts';

type Transport = Awaited<ReturnType<typeof socketTransport>>;

/** A client that breaks one rule, and the cases that have to see it. */
export interface Mutant {
  /** Kebab-case, unique: 'speaks-before-greeting'. */
  readonly name: string;
  /** The rule that it breaks, in a few words. */
  readonly breaks: string;
  readonly subject: Subject;
  /** Ids of the cases that fail: FAIL for a MUST or INFO, FAIL or WARN for a SHOULD. */
  readonly fails: readonly string[];
  /** Ids of the cases that only warn of it: WARN, or FAIL, for a case of any level. */
  readonly warns?: readonly string[];
}

/** Core with something bent. */
export const mutant = (
  name: string,
  breaks: string,
  bend: CoreBend,
  fails: readonly string[],
  warns: readonly string[] = [],
): Mutant => ({ name, breaks, subject: coreSubject({ name, ...bend }), fails, warns });

/** Any other client. */
export const client = (
  name: string,
  breaks: string,
  run: Subject['run'],
  fails: readonly string[],
  warns: readonly string[] = [],
): Mutant => ({ name, breaks, subject: { ...coreSubject({ name }), run }, fails, warns });

/** Other options for connect(). */
export const withOptions = (
  change: (options: ConnectOptions, task: ClientTask) => Partial<ConnectOptions>,
): CoreBend => ({ options: (options, task) => ({ ...options, ...change(options, task) }) });

/** Another task than the one that was asked. */
export const withTask = (change: (task: ClientTask) => Partial<ClientTask>): CoreBend => ({
  task: (task) => ({ ...task, ...change(task) }),
});

/** Another word on each message than core's. */
export const withOutcome = (
  change: (outcome: MessageOutcome, task: ClientTask) => Partial<MessageOutcome>,
): CoreBend => ({
  run: async (task, signal, core): Promise<TaskOutcome> => {
    const outcome = await core(task, signal);
    return {
      ...outcome,
      messages: outcome.messages.map((message) => ({ ...message, ...change(message, task) })),
    };
  },
});

/** One connection, between core and the network. Octets are characters to U+00FF. */
export interface Line {
  /** Writes to the server. */
  write(text: string): void;
  /** Lets core read. */
  deliver(text: string): void;
  /** Ends the connection from this side. */
  end(): void;
  /** Lets core see that the connection is over. */
  close(): void;
  readonly secure: boolean;
}

/** What is done with what core writes and reads; what is absent passes. Made anew for each connection. */
export interface Wiring {
  outgoing?(text: string): void;
  incoming?(text: string): void;
  /** The connection is there; nothing was read. */
  connected?(): void;
  /** Core asks for TLS: 'skip' says that there is some, and goes on in plain text. */
  startTls?(): 'skip' | undefined;
  /** Core ends the connection: true keeps it open. */
  ended?(): boolean;
  /** Core breaks the connection off: true keeps it open. */
  destroyed?(): boolean;
  /** The connection is over: true hides that from core. */
  closed?(): boolean;
}

/** Core behind a wiring. */
export const rewired = (wiring: (line: Line, task: ClientTask) => Wiring): CoreBend => ({
  options: (options, task) => ({
    ...options,
    transport: async (how: TransportOptions) =>
      wrap(await socketTransport(dial(how.port, how.host), how), (line) => wiring(line, task)),
  }),
});

function wrap(inner: Transport, make: (line: Line) => Wiring): Transport {
  let wiring: Wiring = {};
  let { secure } = inner;
  return {
    get secure() {
      return inner.secure;
    },
    get localAddress() {
      return inner.localAddress;
    },
    attach(events) {
      const deliver = (text: string): void => events.onData(Buffer.from(text, 'latin1'));
      const line: Line = {
        write: (text) => void inner.write(Buffer.from(text, 'latin1')),
        deliver,
        end: () => void inner.end(),
        close: () => events.onClose(),
        get secure() {
          return secure;
        },
      };
      wiring = make(line);
      inner.attach({
        ...events,
        onDrain: () => events.onDrain(),
        onClose: (error) => (wiring.closed?.() ? undefined : events.onClose(error)),
        onData: (octets) => {
          if (wiring.incoming) wiring.incoming(Buffer.from(octets).toString('latin1'));
          else events.onData(octets);
        },
      });
      if (wiring.connected) setImmediate(() => wiring.connected?.());
    },
    write(octets) {
      if (!wiring.outgoing) return inner.write(octets);
      wiring.outgoing(Buffer.from(octets).toString('latin1'));
      return true;
    },
    startTls: async () => {
      if (wiring.startTls?.() === 'skip') return;
      const channel = await inner.startTls();
      secure = true;
      return channel;
    },
    end: () => (wiring.ended?.() ? undefined : inner.end()),
    destroy: () => (wiring.destroyed?.() ? undefined : inner.destroy()),
  };
}

/** Replaces in what core writes, write by write. */
export const writing = (pattern: RegExp, by: string | ((text: string) => string)): CoreBend =>
  rewired((line) => ({
    outgoing: (text) => line.write(text.replace(pattern, by as string)),
  }));

/** Replaces in what core reads, read by read. */
export const reading = (pattern: RegExp, by: string | ((text: string) => string)): CoreBend =>
  rewired((line) => ({
    incoming: (text) => line.deliver(text.replace(pattern, by as string)),
  }));

/** Crashes when it has read this in one piece. */
export function dyingOf(pattern: RegExp): CoreBend {
  const dead = new WeakSet<ClientTask>();
  return {
    ...rewired((line, task) => ({
      incoming: (text) => {
        if (pattern.test(text)) dead.add(task);
        line.deliver(text);
      },
    })),
    run: async (task, signal, core) => {
      const outcome = await core(task, signal);
      if (dead.has(task)) throw new Error(`it died of ${pattern}`);
      return outcome;
    },
  };
}

/** Hears nothing more, and waits for ever, when it has read this in one piece. */
export function deafTo(pattern: RegExp): CoreBend {
  const { options: rewire } = rewired((line) => {
    let deaf = false;
    return {
      incoming: (text) => {
        deaf ||= pattern.test(text);
        if (!deaf) line.deliver(text);
      },
    };
  });
  return {
    options: (options, task) => ({ ...(rewire?.(options, task) ?? options), timeouts: {} }),
  };
}
