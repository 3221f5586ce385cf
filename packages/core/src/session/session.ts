/**
 * The session: a FIFO of what is waited for, replies and what the driver was asked. The only file that
 * starts, ends or fails a procedure, and that pairs a reply with its command. Sans-IO: see action.ts for
 * how it is driven.
 */
import {
  fault,
  type Phase,
  SmtpError,
  type SmtpErrorCode,
  type SmtpErrorDetails,
} from '../errors.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { concatenate, NOTHING } from '../wire/octets.ts';
import { makeReply, type Reply, wireText } from '../wire/reply.ts';
import { createReplyParser } from '../wire/reply-parser.ts';
import type { Action, Question } from './action.ts';
import { refusedContent } from './content.ts';
import type { ProcedureName } from './phase.ts';
import type { Line, Procedure } from './procedure.ts';

/** What happened on the wire, with secrets left out. `text` has one line for each line of a reply. */
export type WireListener = (direction: 'client' | 'server', text: string, phase: Phase) => void;

/** One running or waiting procedure. */
export interface Task {
  readonly name: ProcedureName;
}

interface RunningTask extends Task {
  readonly procedure: Procedure<unknown>;
  readonly settle: (error: unknown, value: unknown) => void;
  /** Its place among all. */
  readonly number: number;
  /** Times that it had to wait for the server. */
  waited: number;
  /** It is not resumed any more. */
  over?: boolean;
  /** It has come to its end. */
  ended?: boolean;
  /** What is certain of it although it has not come to its end. */
  known?: Partial<SmtpErrorDetails> | false | undefined;
}

/** Something that the session waits for. */
export interface Wait {
  readonly phase: Phase;
}

/** What was written. With a phase it owes a reply. */
interface Entry {
  readonly phase: Phase | undefined;
  readonly task: RunningTask;
  readonly octets: Uint8Array;
  /** The round trip that its reply ends; undefined until it is given to the transport. */
  trip?: number;
}

/** The state machine of one connection. */
export interface Session extends Line {
  /** What the session waits for; undefined while it waits for nothing. A deadline runs as long as this stays the same. */
  readonly waiting: Wait | undefined;
  /**
   * Runs a procedure as soon as it may write.
   *
   * @param settle - called once, with the error, or with the value that the procedure returned
   */
  start<T>(
    name: ProcedureName,
    procedure: Procedure<T>,
    settle: (error: unknown, value: T) => void,
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

/** Where the driver makes or secures the connection: a loss has a name of its own there. */
const LOST = /^(connect|tls)$/;

const GONE: SmtpError = fault('ERR_SMTP_CLOSED', 'go on: the connection was closed');

/** A session at its begin. */
export function createSession(listener?: WireListener): Session {
  const parser = createReplyParser();
  /** What has not settled. */
  const live = new Set<RunningTask>();
  /** What has not begun. */
  const queue: RunningTask[] = [];
  /** Who may write. */
  let writer: RunningTask | undefined;
  /** Who runs, or ran last. */
  let running: RunningTask;
  let tasks = 0;
  /** Messages that have been written whole and have no verdict yet, and the octets of their last writes. */
  let flying = 0;
  let afloat = 0;
  /** What is waited for, in order: replies, or what the writer has asked. It asks only when it has all its replies. */
  const awaited: (Wait & Partial<Entry>)[] = [];
  /** What was not given to the transport yet. */
  const output: Entry[] = [];
  /** What poll() gives when nothing is left to write. */
  let next: Action | undefined;
  /** Why nothing may be written any more. It closes once nobody awaits a reply. */
  let reason: SmtpError | undefined;

  /** What was said, without the secrets. */
  const blot = (text: string): string =>
    session.secrets.reduce((blotted, secret) => blotted.replaceAll(secret, '***'), text);

  const settle = (task: RunningTask, error: unknown, value?: unknown): void => {
    // Who awaits nothing but replies goes on to take them, though nobody cares any more.
    const over = writer === task || !awaited.some((entry) => entry.task === task);
    if (writer === task) writer = undefined;
    if (!live.delete(task)) return;
    try {
      // An unfinished procedure runs its `finally`: its content source is released.
      if (over) task.procedure.return(undefined);
    } catch {
      // It is running right now, and is not resumed again.
      task.over = true;
    }
    task.settle(error, value);
  };

  /** Ends what a procedure was writing: nothing may follow on this connection. What others have written behind it is lost. */
  const stop = (task: RunningTask): void => {
    reason ??= GONE;
    while (output.some((entry) => entry.task === task)) output.pop();
  };

  /** Fails a procedure with the error of the connection, as it concerns this one. */
  const drop = (task: RunningTask, { code, message, reply, cause }: SmtpError): void => {
    const owed = awaited.filter((entry) => (entry.task ?? writer) === task);
    // Who awaits nothing has nothing on its way out, unless it may still write.
    if (writer === task || (owed[0] && !owed[0].trip)) stop(task);
    settle(
      task,
      new SmtpError(code, message, {
        phase: owed[0]?.phase ?? 'idle',
        reply,
        cause,
        delivery: owed.some((entry) => entry.phase === 'final' && entry.trip)
          ? 'unknown'
          : 'not-sent',
        ...task?.known,
      }),
    );
  };

  /** Runs a procedure until it waits for something. */
  const run = (task: RunningTask, how: 'next' | 'throw', input?: unknown): void => {
    running = task;
    try {
      const { done, value } = task.procedure[how](input);
      if (done) {
        task.ended = true;
        settle(task, undefined, value);
        if (task.name === 'quit') session.fail(GONE, false);
      }
      // A callback has given it up while it ran: now it can release its source.
      else if (task.over) task.procedure.return(undefined);
      else if (value) {
        next = value;
        awaited.push(value);
      }
    } catch (error) {
      task.ended = true;
      // Only a refusal leaves the connection in a known state.
      if (!/REPLY|AUTH|TLS/.test((error as SmtpError)?.code)) stop(task);
      settle(task, error);
    }
  };

  /** Fails everything: the connection is lost, or the server has said what makes it of no use. */
  const end = (cause?: Error, code: SmtpErrorCode = 'ERR_SMTP_CLOSED', reply?: Reply): void => {
    const at = awaited[0]?.phase;
    session.fail(
      fault(
        LOST.test(at as Phase) ? (`ERR_SMTP_${at?.toUpperCase()}` as SmtpErrorCode) : code,
        `go on: ${cause?.message ?? 'the connection was closed'}`,
        at,
        { cause, reply },
      ),
    );
  };

  /** Begins the next procedure where the line is free, or ends the session where it is due. */
  const turn = (): void => {
    // Only a transaction may begin behind content whose reply is still awaited (RFC 2920 §3.1), and only so many.
    while (
      !reason &&
      !writer &&
      queue[0] &&
      (!awaited[0] ||
        (queue[0].name === 'transaction' &&
          (session.pipelining === 'flight'
            ? flying < session.window.transactions && afloat < session.window.octets
            : // RFC 2920 §3.1: content opens a group, and BDAT ends one.
              session.pipelining === 'overlap' && !session.capabilities.has('CHUNKING'))))
    ) {
      writer = queue.shift() as RunningTask;
      if (session.phase === 'ready' || /open|quit/.test(writer.name)) run(writer, 'next');
      else settle(writer, new TypeError(`Cannot run ${writer.name} when ${session.phase}`));
    }
    // Replies come in order: as long as anybody awaits one to what has left, it is who stands first.
    if (reason && !live.has(awaited[0]?.task as RunningTask)) session.fail(reason);
  };

  const session: Session = {
    phase: 'connected',
    capabilities: parseCapabilities(),
    secure: false,
    lmtp: false,
    pipelining: 'off',
    window: { transactions: 1, octets: 1 },
    roundTrips: 0,
    secrets: [],
    get waiting() {
      return awaited[0];
    },
    get waited() {
      return running.waited;
    },
    get overlapping() {
      return awaited.length > 0;
    },
    start(name, procedure, settled) {
      const task: RunningTask = {
        name,
        procedure,
        settle: settled as RunningTask['settle'],
        number: tasks++,
        waited: 0,
      };
      live.add(task);
      queue.push(task);
      turn();
      return task;
    },
    receive(octets) {
      if (session.phase !== 'closed') parser.push(octets);
      try {
        for (;;) {
          turn();
          // Between the 220 and the handshake there are no octets: who put them there meant them to be read as secured.
          if (awaited[0]?.phase === 'tls' && parser.pending)
            throw new Error('octets behind the 220 to STARTTLS');
          const received = parser.next();
          if (!received) return;
          // What has not been written cannot have been answered.
          const {
            phase: at = 'idle',
            task,
            trip,
            octets: written,
          }: Partial<Entry> = awaited[0]?.trip ? (awaited.shift() as Entry) : {};
          const { code, lines } = received;
          // A challenge is data, and is told to nobody. What answers nothing may be an echo of what was said in AUTH.
          const reply =
            task && (code === 334 || at !== 'auth') ? received : makeReply(code, lines.map(blot));
          if ((trip as number) > session.roundTrips) {
            session.roundTrips += 1;
            (task as RunningTask).waited += 1;
          }
          // What the listener does makes no difference to a message whose verdict is there.
          if (at === 'final') {
            flying -= 1;
            afloat -= (written as Uint8Array).length;
            run(task as RunningTask, 'next', reply);
          }
          listener?.('server', code === 334 ? '334 ***' : wireText(reply), at);
          // RFC 5321 §3.8: with 421 it shuts down, whatever it was asked.
          if (code === 421) reason = GONE;
          if (task) {
            if (at !== 'final') run(task, 'next', reply);
            // RFC 5321 §4.2.1: with 3yz the server waits for more, with 354 for content (§3.3). None will come.
            if (task.ended && /^3/.test(`${code}`)) stop(task);
          } else if (awaited[0]?.phase === 'content')
            // The server has judged the message before its end. Whatever is written now would be read as
            // content or as commands, and nobody can tell which: the connection is of no use any more.
            session.refuse(awaited[0] as Question, refusedContent('content', reply));
          if (!task || code === 421)
            end(undefined, code === 421 ? undefined : 'ERR_SMTP_PROTOCOL', reply);
        }
      } catch (error) {
        // In AUTH and behind it what is no reply may be an echo, with the secret cut where nothing would find it.
        end(
          (awaited[0]?.phase ?? 'auth') === 'auth' ? undefined : (error as Error),
          'ERR_SMTP_PROTOCOL',
        );
      }
    },
    answer(asked, value) {
      if (awaited[0] === asked) {
        awaited.shift();
        run(writer as RunningTask, 'next', value);
      }
    },
    refuse(asked, error) {
      if (LOST.test(asked.phase)) end(error as Error);
      else if (awaited[0] === asked) {
        awaited.shift();
        run(writer as RunningTask, 'throw', error);
      }
    },
    end,
    fail(error, abrupt = true) {
      if (session.phase !== 'closed') {
        session.phase = 'closed';
        reason = error;
        next = { type: 'close', abrupt };
      }
      output.length = 0;
      for (const task of live) drop(task, error);
      awaited.length = 0;
    },
    abort(task: RunningTask, why) {
      drop(task, why);
      turn();
    },
    poll() {
      turn();
      // One write for each burst.
      const octets = concatenate(
        output.splice(0).map((entry) => {
          entry.trip = session.roundTrips + 1;
          return entry.octets;
        }),
      );
      if (octets.length) return { type: 'write', octets };
      const action = next;
      next = undefined;
      return action;
    },
    write({ line = '', phase, content, text = line.trimEnd() }) {
      if (reason) return;
      const octets = concatenate([new TextEncoder().encode(line), content ?? NOTHING]);
      const entry: Entry = { task: writer as RunningTask, octets, phase };
      output.push(entry);
      if (phase) awaited.push(entry as Entry & Wait);
      if (phase === 'final') {
        flying += 1;
        afloat += octets.length;
        writer = undefined;
      }
      if (text) listener?.('client', phase === 'auth' ? blot(text) : text, phase ?? 'content');
    },
    again() {
      session.pipelining = 'envelope';
      if (!live.has(running)) return false;
      if (writer === running) writer = undefined;
      queue.push(running);
      queue.sort((a, b) => a.number - b.number);
      return true;
    },
    expect(known) {
      running.known = known;
      flying += 1;
      awaited.unshift({ task: running, phase: 'final', octets: NOTHING, trip: session.roundTrips });
    },
  };
  return session;
}
