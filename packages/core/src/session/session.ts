/**
 * The session: a FIFO of awaited replies. The only file that starts, ends or fails a procedure, and
 * that pairs a reply with its command. Sans-IO: see action.ts for how it is driven.
 */
import { fault, type Phase, refused, SmtpError, type SmtpErrorCode } from '../errors.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { concatenate } from '../wire/octets.ts';
import { describeReply, type Reply, wireText } from '../wire/reply.ts';
import { createReplyParser } from '../wire/reply-parser.ts';
import type { Action, Question } from './action.ts';
import { WRITE_OCTETS } from './limits.ts';
import { PHASES, type ProcedureName, type SessionPhase } from './phase.ts';
import type { Line, Procedure } from './procedure.ts';

/** What happened on the wire, with secrets left out. `text` has one line for each line of a reply. */
export type WireListener = (direction: 'client' | 'server', text: string, phase: Phase) => void;

/** One running or waiting procedure. */
export interface Task {
  readonly name: ProcedureName | 'open';
}

interface RunningTask extends Task {
  readonly procedure: Procedure<unknown>;
  readonly settle: (error: unknown, value: unknown, roundTrips: number) => void;
  roundTrips: number;
  /** Its message's last octet was given to the transport. */
  left?: boolean;
  settled?: boolean;
}

/** Something that the session waits for. */
export interface Wait {
  readonly phase: Phase;
}

/** What was written, and the reply that it owes, if it has a phase. */
interface Entry {
  readonly task: RunningTask;
  readonly octets: string | Uint8Array;
  readonly phase: Phase | undefined;
  /** What is blotted out of the reply. */
  readonly secrets: readonly string[];
  /** The round trip in which it was given to the transport; undefined before that. */
  sent?: number;
}

/** The state machine of one connection. */
export interface Session extends Line {
  /** Where the session stands. */
  readonly phase: SessionPhase;
  /** What the session waits for; undefined while it waits for nothing. A deadline runs as long as this stays the same. */
  readonly waiting: Wait | undefined;
  /**
   * Runs a procedure as soon as it may write.
   *
   * @param settle - called once, with the error, or with the value that the procedure returned and
   * how often it had to wait for the server
   */
  start<T>(
    name: ProcedureName | 'open',
    procedure: Procedure<T>,
    settle: (error: unknown, value: T, roundTrips: number) => void,
  ): Task;
  /** Octets came from the transport. */
  receive(octets: Uint8Array): void;
  /** What was asked is done. A late answer, to what is no longer asked, is ignored. */
  answer(question: Question, value: unknown): void;
  /** What was asked failed. */
  refuse(question: Question, error: unknown): void;
  /** The transport ended, by an error or in order: the server closed the connection. */
  end(cause?: Error): void;
  /**
   * Ends the session: every procedure fails, each with what is certain of it.
   *
   * @param abrupt - false to let leave what was written
   */
  fail(error: SmtpError, abrupt?: boolean): void;
  /**
   * Gives one procedure up. Before its message's last octet has left, the connection closes behind the
   * replies that others still await; after it, only its reply is ignored.
   */
  abort(task: Task, reason: SmtpError): void;
  /** What to do next; undefined when there is nothing until the next event. */
  poll(): Action | undefined;
}

const GONE: SmtpError = fault('ERR_SMTP_CLOSED', 'the connection was closed', { phase: 'idle' });

/** A session at its begin. */
export function createSession(listener?: WireListener): Session {
  const parser = createReplyParser();
  let phase: SessionPhase = 'connected';
  /** Procedures that have not begun. */
  const queue: RunningTask[] = [];
  /** The procedure that may write. */
  let writer: RunningTask | undefined;
  /** What it asked of the driver. */
  let question: Question | undefined;
  /** It owes the server content: nothing else may be written. */
  let midContent = false;
  /** What owes a reply, in order. */
  let awaited: Entry[] = [];
  /** What was not given to the transport yet. */
  let output: Entry[] = [];
  /** What poll() gives when nothing is left to write. */
  let next: Action | undefined;
  /** Why nothing may be written any more. It closes once nobody awaits a reply. */
  let reason: SmtpError | undefined;

  /** Queues octets, and awaits the reply that they owe in a phase, if any. */
  const put = (
    octets: string | Uint8Array,
    owed: Phase | undefined,
    secrets: readonly string[] = [],
  ): void => {
    const entry: Entry = { task: writer as RunningTask, octets, phase: owed, secrets };
    output.push(entry);
    if (owed) awaited.push(entry);
  };

  const settle = (task: RunningTask, error: unknown, value?: unknown): void => {
    if (writer === task) {
      writer = question = undefined;
      midContent = false;
    }
    if (task.settled) return;
    task.settled = true;
    try {
      // An unfinished procedure runs its `finally`: its content source is released.
      task.procedure.return(undefined);
    } catch {
      // It is running right now, and is not resumed again.
    }
    task.settle(error, value, task.roundTrips);
  };

  /** Fails a procedure with the error of the connection, as it concerns this one. */
  const drop = (task: RunningTask, { code, message, reply, cause, phase: at }: SmtpError): void =>
    settle(
      task,
      new SmtpError(code, message, {
        phase:
          (awaited.find((entry) => entry.task === task) ?? (writer === task ? question : undefined))
            ?.phase ?? at,
        reply,
        cause,
        delivery: task.left ? 'unknown' : 'not-sent',
      }),
    );

  /** Ends what a procedure was writing: nothing may follow on this connection. What others have written behind it is lost. */
  const stop = (task: RunningTask): void => {
    reason ??= GONE;
    const from = output.findIndex((entry) => entry.task === task);
    for (const lost of from < 0 ? [] : output.splice(from))
      if (lost.task !== task) drop(lost.task, GONE);
  };

  /** Runs a procedure until it waits for something. */
  const run = (task: RunningTask, how: 'next' | 'throw', input?: unknown): void => {
    try {
      const { done, value } = task.procedure[how](input);
      if (done) {
        settle(task, undefined, value);
        if (task.name === 'quit') session.fail(GONE, false);
      } else if (value) {
        midContent ||= value.phase === 'content';
        question = next = value;
      }
    } catch (error) {
      // Only a refusal leaves the connection in a known state.
      if (midContent || !(error instanceof SmtpError) || error.code === 'ERR_SMTP_PROTOCOL')
        stop(task);
      settle(task, error);
    }
  };

  const lose = (code: SmtpErrorCode, why: string, reply?: Reply, cause?: unknown): void =>
    session.fail(fault(code, why, { phase: session.waiting?.phase ?? 'idle', reply, cause }));

  /** Begins the next procedure where the line is free, or ends the session where it is due. */
  const turn = (): void => {
    // Between the 220 to STARTTLS and the handshake there are no octets: who put them there meant them to be read as secured.
    if (question?.phase === 'tls' && parser.pending)
      lose('ERR_SMTP_TLS', 'octets behind the 220 to STARTTLS');
    // Only a transaction may begin behind content whose reply is still awaited (RFC 2920 §3.1).
    while (
      !reason &&
      !writer &&
      queue[0] &&
      (!awaited[0] || (queue[0].name === 'transaction' && session.pipelining === 'overlap'))
    ) {
      writer = queue.shift() as RunningTask;
      run(writer, 'next');
    }
    if (reason && awaited.every(({ task }) => task.settled)) session.fail(reason);
  };

  /** Goes on with the procedure that asked. */
  const proceed = (asked: Question, how: 'next' | 'throw', value: unknown): void => {
    if (question !== asked) return;
    question = undefined;
    run(writer as RunningTask, how, value);
    turn();
  };

  /** Pairs a reply with what it answers. */
  const take = (received: Reply): void => {
    // What has not been written cannot have been answered.
    const entry = awaited[0]?.sent === undefined ? undefined : awaited.shift();
    const { task = writer, phase: at = 'idle', secrets = [] } = entry ?? {};
    const blot = (text: string): string =>
      secrets.reduce((blotted, secret) => blotted.replaceAll(secret || '\0', '***'), text);
    const reply = { ...received, lines: received.lines.map(blot), text: blot(received.text) };
    const { code } = reply;
    listener?.('server', secrets[0] && code === 334 ? '334 ***' : wireText(reply), at);
    if (entry?.sent === session.roundTrips) {
      session.roundTrips += 1;
      entry.task.roundTrips += 1;
    }
    // RFC 5321 §3.3: with 354 the server takes everything up to the final dot for content.
    midContent ||= code === 354;
    // RFC 5321 §3.8: with 421 it shuts down, whatever it was asked.
    const gone = code === 421;
    if (gone) reason = GONE;
    if (entry) {
      if (!entry.task.settled) run(entry.task, 'next', reply);
    } else if (task && midContent && code >= 400)
      // The server has judged the message before its end. Whatever is written now would be read as
      // content or as commands, and nobody can tell which: the connection is of no use any more.
      settle(task, refused('send the content', reply, { phase: 'content', delivery: 'rejected' }));
    if (gone || !entry)
      lose(
        gone ? 'ERR_SMTP_CLOSED' : 'ERR_SMTP_PROTOCOL',
        `the server replied ${describeReply(reply)}`,
        reply,
      );
  };

  const session: Session = {
    capabilities: parseCapabilities(),
    secure: false,
    greeting: undefined,
    pipelining: 'off',
    transactionOpen: false,
    roundTrips: 0,
    get phase() {
      return phase;
    },
    get waiting() {
      return (awaited[0] as Wait | undefined) ?? question;
    },
    start(name, procedure, settled) {
      const task: RunningTask = {
        name,
        procedure: name === 'open' ? procedure : session.within(name, procedure),
        settle: settled as RunningTask['settle'],
        roundTrips: 0,
      };
      queue.push(task);
      turn();
      return task;
    },
    receive(octets) {
      if (phase === 'closed') return;
      parser.push(octets);
      try {
        for (;;) {
          turn();
          const reply =
            session.phase === 'closed'
              ? undefined
              : parser.next(session.capabilities.has('ENHANCEDSTATUSCODES'));
          if (!reply) return;
          take(reply);
        }
      } catch (error) {
        lose('ERR_SMTP_PROTOCOL', (error as Error).message);
      }
    },
    answer: (asked, value) => proceed(asked, 'next', value),
    refuse: (asked, error) => proceed(asked, 'throw', error),
    end: (cause) =>
      lose(
        'ERR_SMTP_CLOSED',
        cause?.message ?? 'the server closed the connection',
        undefined,
        cause,
      ),
    fail(error, abrupt = true) {
      if (phase !== 'closed') {
        phase = 'closed';
        reason = error;
        output = [];
        next = { type: 'close', abrupt };
      }
      for (const task of [...awaited.map((entry) => entry.task), writer, ...queue.splice(0)])
        if (task) drop(task, error);
      awaited = [];
    },
    abort(aborted, why) {
      const task = aborted as RunningTask;
      if (task.settled) return;
      const begun = !task.left && !queue.includes(task);
      drop(task, why);
      if (begun) stop(task);
      turn();
    },
    poll() {
      const pieces: Uint8Array[] = [];
      let length = 0;
      // One write for each burst.
      while (output[0] && length < WRITE_OCTETS) {
        const entry = output.shift() as Entry;
        const { octets, task } = entry;
        pieces.push(typeof octets === 'string' ? new TextEncoder().encode(octets) : octets);
        length += octets.length;
        entry.sent = session.roundTrips;
        task.left ||= entry.phase === 'final';
      }
      if (length) return { type: 'write', octets: concatenate(pieces) };
      const action = next;
      next = undefined;
      return action;
    },
    *within(name, procedure) {
      const to = PHASES[phase][name];
      if (!to) throw new TypeError(`Cannot run ${name}: the session is ${phase}`);
      const value = yield* procedure;
      if (to !== 'closed') phase = to;
      return value;
    },
    write({ line, phase: owed, shown, secrets }) {
      put(line, owed, secrets);
      if (!reason) listener?.('client', shown ?? line.trimEnd(), owed);
    },
    content(octets, owed, size) {
      put(octets, owed);
      midContent = !owed;
      if (size !== undefined) listener?.('client', `(${size} octets)`, 'content');
    },
    release() {
      if (session.pipelining === 'overlap') writer = undefined;
    },
  };
  return session;
}
