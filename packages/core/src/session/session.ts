/**
 * The session: a FIFO of what is waited for, replies and what the driver was asked. The only file that
 * starts, ends or fails a procedure, and that pairs a reply with its command. Sans-IO: see action.ts for
 * how it is driven.
 */
import { type Fault, fault, type Phase, SmtpError, type SmtpErrorDetails } from '../errors.ts';
import { parseCapabilities } from '../wire/extension.ts';
import { concatenate, NOTHING, utf8 } from '../wire/octets.ts';
import { makeReply, type Reply } from '../wire/reply.ts';
import { createReplyParser } from '../wire/reply-parser.ts';
import type { Action, Question } from './action.ts';
import { refusedContent } from './content.ts';
import type { ProcedureName } from './phase.ts';
import type { Line, Procedure, Wait } from './procedure.ts';

/** What happened on the wire, with secrets left out. `text` has one line for each line of a reply. */
export type WireListener = (direction: 'client' | 'server', text: string, phase: Phase) => void;

/** One running or waiting procedure. */
export interface Task {
  readonly name: ProcedureName;
}

interface RunningTask extends Task, Procedure<unknown> {
  readonly settle: (error: unknown, value: unknown) => void;
  /** Times that it had to wait for the server. */
  waited: number;
}

/** What was written. With a phase it owes a reply. */
interface Entry {
  readonly phase: Phase | undefined;
  readonly task: RunningTask;
  readonly line: string;
  readonly content: Uint8Array;
  /** The round trip that its reply ends; undefined until it is given to the transport. */
  trip?: number;
  /** What is certain of its task until the reply comes. */
  readonly known?: Partial<SmtpErrorDetails> | false | undefined;
}

/** The state machine of one connection. */
export interface Session extends Line {
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
const LOST = /connect|^tls/;

/** What runs before it is open, and goes before all else then. */
const OPENING = /open|quit/;

/** A session at its begin. */
export function createSession(listener?: WireListener): Session {
  const parse = createReplyParser();
  /** What has not settled. */
  const live = new Set<RunningTask>();
  /** What waits to write: first of all what opens the session, and what has to be said again; */
  const first: RunningTask[] = [];
  /** then the others, the next of them at the end of `front`, the last at the end of `back`. */
  let front: RunningTask[] = [];
  const back: RunningTask[] = [];
  /** Who may write. */
  let writer: RunningTask | undefined;
  /** Who runs, or ran last. */
  let running: RunningTask;
  /** Messages that have been written whole and have no verdict yet, and the octets of their last writes. */
  let flying = 0;
  let afloat = 0;
  /** What is waited for, in order: replies, or what the writer has asked. It asks only when it has all its replies. */
  const awaited: (Wait & Partial<Entry>)[] = [];
  /** The last reply of each kind: MAIL and RCPT have the same over and over. */
  const heard: Partial<Record<Phase, [said: string, reply: Reply]>> = {};
  /** What was not given to the transport yet. */
  const output: Entry[] = [];
  /** What poll() gives when nothing is left to write. */
  const next: Action[] = [];
  /** Nothing may be written any more. It closes once nobody awaits a reply. */
  let closing = false;
  /** Why it was closed, for whoever comes later. */
  let reason: SmtpError;

  /** What was said, without the secrets. */
  const blot = (text: string): string =>
    session.secrets.reduceRight((blotted, secret) => blotted.replaceAll(secret, '***'), text);

  const settle = (task: RunningTask, error: unknown, value?: unknown): void => {
    if (!live.delete(task)) return;
    if (writer === task) writer = undefined;
    // Nothing may follow what it was writing. What others have written behind it is lost.
    while (error && output.some((entry) => entry.task === task)) {
      output.pop();
      closing = true;
    }
    try {
      // An unfinished procedure runs its `finally`: its content source is released. Who awaits nothing but replies
      // goes on to take them, though nobody cares any more.
      if (closing || (error && !awaited.some((entry) => entry.task === task)))
        task.return(undefined);
    } catch {
      // It is running right now, and is not resumed again.
    }
    task.settle(error, value);
  };

  /** Fails a procedure with the error of the connection, as it concerns this one. */
  const drop = (task: RunningTask, { code, message, reply, cause }: SmtpError): void => {
    const owed = awaited.filter((entry) => (entry.task ?? writer) === task);
    const last = owed.at(-1);
    if (writer === task) closing = true;
    settle(
      task,
      new SmtpError(code, message, {
        phase: owed[0]?.phase ?? 'idle',
        reply,
        cause,
        delivery: last?.phase === 'final' && last.trip ? 'unknown' : 'not-sent',
        ...owed[0]?.known,
      }),
    );
  };

  /** Runs a procedure until it waits for something. */
  const run = (task: RunningTask, how: 'next' | 'throw', input?: unknown): void => {
    running = task;
    try {
      const { done, value } = task[how](input);
      if (done) {
        settle(task, undefined, value);
        if (task.name === 'quit') session.fail(fault('CLOSED', 'go on: closed'), false);
      }
      // A callback has given it up while it ran: now it can release its source.
      else if (closing && !live.has(task)) task.return(undefined);
      else if (value) {
        next.push(value);
        awaited.push(value);
      }
    } catch (error) {
      // Only a refusal leaves the connection in a known state.
      if (!/REPLY|AUTH|TLS/.test((error as SmtpError)?.code)) closing = true;
      settle(task, error);
    }
  };

  /** Fails everything: the connection is lost, or the server has said what makes it of no use. */
  const end = (cause?: Error, code: Fault = 'CLOSED', reply?: Reply): void => {
    const at = awaited[0]?.phase;
    session.fail(
      fault(
        LOST.test(at as Phase) ? (at?.toUpperCase() as Fault) : code,
        `go on: ${cause?.message ?? 'closed'}`,
        at,
        { cause, reply },
      ),
    );
  };

  /** Begins the next procedure where the line is free, or ends the session where it is due. */
  const turn = (): void => {
    for (;;) {
      // Two stacks: to take the first of an array is to move all the others.
      if (!front[0]) front = back.splice(0).reverse();
      const task = first[0] ?? front.at(-1);
      if (
        !task ||
        // What has been given up meanwhile is passed over.
        (live.has(task) &&
          (closing ||
            (writer ?? task) !== task ||
            // Before it is open nothing runs that it would be for.
            (session.phase === 'connected' && !OPENING.test(task.name)) ||
            // Only a transaction may begin behind content whose reply is still awaited (RFC 2920 §3.1), and only so many.
            (awaited[0] &&
              (task.name !== 'transaction' ||
                (session.pipelining === 'flight'
                  ? flying >= session.window.transactions || afloat >= session.window.octets
                  : // RFC 2920 §3.1: content opens a group, and BDAT ends one.
                    session.pipelining !== 'overlap' || session.capabilities.has('CHUNKING'))))))
      )
        break;
      if (!first.shift()) front.pop();
      if (live.has(task)) {
        writer = task;
        run(task, 'next');
      }
    }
    // Replies come in order: as long as anybody awaits one to what has left, it is who stands first.
    if (closing && !live.has(awaited[0]?.task as RunningTask)) end();
  };

  const session: Session = {
    // Its window is set by open(), together with how far commands are grouped: nobody asks for it before.
    ...({} as Pick<Session, 'window'>),
    phase: 'connected',
    capabilities: parseCapabilities(),
    secure: false,
    pipelining: 'off',
    roundTrips: 0,
    secrets: [],
    get waiting() {
      return awaited[0];
    },
    get waited() {
      return running.waited;
    },
    start(name, procedure, settled) {
      const task: RunningTask = Object.assign(procedure, {
        name,
        settle: settled as RunningTask['settle'],
        waited: 0,
      });
      live.add(task);
      (session.phase === 'connected' && OPENING.test(name) ? first : back).push(task);
      turn();
      return task;
    },
    receive(octets) {
      try {
        for (let rest = octets; session.phase !== 'closed'; rest = NOTHING) {
          turn();
          // Between the 220 and the handshake there are no octets: who put them there meant them to be read as secured.
          const said = parse(rest, awaited[0]?.phase === 'tls');
          if (!said) return;
          // What has not been written cannot have been answered.
          const {
            phase: at = 'idle',
            task,
            trip,
            content,
          }: Partial<Entry> = awaited[0]?.trip ? (awaited.shift() as Entry) : {};
          let [before, reply] = heard[at] ?? ([] as unknown as [string, Reply]);
          if (before !== said) {
            reply = makeReply(said);
            heard[at] = [said, reply];
          }
          const code = reply.code;
          // A challenge is data, and is told to nobody. What answers nothing may be an echo of what was said in AUTH.
          const shown =
            code === 334 ? '334 ***' : task && at !== 'auth' ? said : code + blot(said.slice(3));
          if (shown !== said && !(task && code === 334)) reply = makeReply(shown);
          if ((trip as number) > session.roundTrips) {
            session.roundTrips += 1;
            (task as RunningTask).waited += 1;
          }
          // What the listener does makes no difference to a message whose verdict is there.
          if (at === 'final') {
            flying -= 1;
            afloat -= (content as Uint8Array).length;
            run(task as RunningTask, 'next', reply);
          }
          listener?.('server', shown, at);
          // RFC 5321 §3.8: with 421 it shuts down, whatever it was asked.
          if (code === 421) closing = true;
          if (task) {
            if (at !== 'final') run(task, 'next', reply);
            // RFC 5321 §4.2.1: with 3yz the server waits for more, with 354 for content (§3.3). None will come.
            if (!live.has(task) && awaited[0]?.task !== task && code < 400 && code > 299)
              closing = true;
          } else if (awaited[0]?.phase === 'content')
            // The server has judged the message before its end. Whatever is written now would be read as
            // content or as commands, and nobody can tell which: the connection is of no use any more.
            settle(writer as RunningTask, refusedContent('content', reply));
          if (!task || code === 421) end(undefined, code === 421 ? undefined : 'PROTOCOL', reply);
        }
      } catch (error) {
        // In AUTH and behind it what is no reply may be an echo, with the secret cut where nothing would find it.
        end((awaited[0]?.phase ?? 'auth') === 'auth' ? undefined : (error as Error), 'PROTOCOL');
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
        closing = true;
        reason = error;
        next[0] = { type: 'close', abrupt };
      }
      output.length = 0;
      for (const task of live) drop(task, reason);
      awaited.length = 0;
    },
    abort(task, why) {
      drop(task as RunningTask, why);
      turn();
    },
    poll() {
      turn();
      // One write for each burst.
      const pieces: Uint8Array[] = [];
      let lines = '';
      for (const entry of output) {
        entry.trip = session.roundTrips + 1;
        lines += entry.line;
        if (entry.content.length) {
          pieces.push(utf8(lines), entry.content);
          lines = '';
        }
      }
      output.length = 0;
      pieces.push(utf8(lines));
      const octets = concatenate(pieces);
      return octets.length ? { type: 'write', octets } : next.shift();
    },
    write({ line = '', phase, content = NOTHING, text = line.trimEnd() }) {
      if (closing) return;
      const entry: Entry = { task: running, line, content, phase };
      output.push(entry);
      if (phase) awaited.push(entry as Entry & Wait);
      if (phase === 'final') {
        flying += 1;
        afloat += content.length;
        writer = undefined;
      }
      if (text) listener?.('client', phase === 'auth' ? blot(text) : text, phase ?? 'content');
    },
    again() {
      session.pipelining = 'envelope';
      first.push(running);
      if (writer === running) writer = undefined;
      return live.has(running);
    },
    expect(known) {
      flying += 1;
      awaited.unshift({
        task: running,
        phase: 'final',
        content: NOTHING,
        trip: session.roundTrips,
        known,
      });
    },
  };
  return session;
}
