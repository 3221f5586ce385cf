/**
 * The session: a FIFO of awaited replies. The only file that starts, ends or fails a procedure, and
 * that pairs a reply with its command. Sans-IO: see action.ts for how it is driven.
 */
import { fault, type Phase, refused, SmtpError, type SmtpErrorCode } from '../errors.ts';
import { type Capabilities, parseCapabilities } from '../wire/extension.ts';
import { concatenate } from '../wire/octets.ts';
import { describeReply, type Reply } from '../wire/reply.ts';
import { ReplyParser } from '../wire/reply-parser.ts';
import type { Action, Question } from './action.ts';
import { WRITE_OCTETS } from './limits.ts';
import { PHASES, type ProcedureName, type SessionPhase } from './phase.ts';
import type { Command, Line, Procedure } from './procedure.ts';

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

interface Awaited extends Wait {
  readonly task: RunningTask;
  /** The round trip in which it was written. */
  readonly sent: number;
  /** What is blotted out of the reply. */
  readonly secrets?: readonly string[] | undefined;
}

interface Piece {
  readonly task: RunningTask;
  readonly octets: string | Uint8Array;
  /** A reply answers it. */
  readonly owes: boolean;
  /** The message is complete with it. */
  readonly last?: boolean;
}

const GONE: SmtpError = fault('ERR_SMTP_CLOSED', 'the connection was closed', { phase: 'idle' });
const encoder: TextEncoder = /*#__PURE__*/ new TextEncoder();

/** The state machine of one connection. */
export class Session implements Line {
  capabilities: Capabilities = parseCapabilities();
  secure = false;
  greeting: Reply | undefined;
  pipelining: Line['pipelining'] = 'off';
  transactionOpen = false;
  /** Where the session stands. */
  phase: SessionPhase = 'connected';
  /** Times the client had to wait for the server so far, a TLS handshake among them. */
  roundTrips = 0;

  readonly #parser = new ReplyParser();
  readonly #listener: WireListener | undefined;
  /** Procedures that have not begun. */
  #queue: RunningTask[] = [];
  /** The procedure that may write. */
  #line: RunningTask | undefined;
  /** What it asked of the driver. */
  #question: Question | undefined;
  /** It owes the server content: nothing else may be written. */
  #midContent = false;
  #awaited: Awaited[] = [];
  #output: Piece[] = [];
  /** Of the awaited replies, those to what still waits to be polled: the last ones. */
  #unsent = 0;
  /** What poll() gives when nothing is left to write. */
  #next: Action | undefined;
  /** Why nothing may be written any more. It closes once nobody awaits a reply. */
  #reason: SmtpError | undefined;

  constructor(listener?: WireListener) {
    this.#listener = listener;
  }

  /** What the session waits for; undefined while it waits for nothing. A deadline runs as long as this stays the same. */
  get waiting(): Wait | undefined {
    return this.#awaited[0] ?? this.#question;
  }

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
  ): Task {
    const task: RunningTask = {
      name,
      procedure: name === 'open' ? procedure : this.within(name, procedure),
      settle: settle as RunningTask['settle'],
      roundTrips: 0,
    };
    if (this.#reason) this.#settle(task, this.#errorFor(task, this.#reason));
    else this.#queue.push(task);
    this.#turn();
    return task;
  }

  /** Octets came from the transport. */
  receive(octets: Uint8Array): void {
    if (this.phase === 'closed') return;
    this.#parser.push(octets);
    this.#refuseInjection();
    try {
      while (!this.#over()) {
        const reply = this.#parser.next(this.capabilities.has('ENHANCEDSTATUSCODES'));
        if (!reply) return;
        this.#take(reply);
      }
    } catch (error) {
      this.#fail('ERR_SMTP_PROTOCOL', (error as Error).message);
    }
  }

  /** What was asked is done. A late answer, to what is no longer asked, is ignored. */
  answer(question: Question, value: unknown): void {
    this.#continue(question, 'next', value);
  }

  /** What was asked failed. */
  refuse(question: Question, error: unknown): void {
    this.#continue(question, 'throw', error);
  }

  /** The transport ended, by an error or in order: the server closed the connection. */
  end(cause?: Error): void {
    this.#fail(
      'ERR_SMTP_CLOSED',
      cause?.message ?? 'the server closed the connection',
      undefined,
      cause,
    );
  }

  /**
   * Ends the session: every procedure fails, each with what is certain of it.
   *
   * @param abrupt - false to let leave what was written
   */
  fail(error: SmtpError, abrupt = true): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.#reason = error;
    this.#output = [];
    this.#next = { type: 'close', abrupt };
    for (const { task } of [
      ...this.#awaited,
      { task: this.#line },
      ...this.#queue.map((task) => ({ task })),
    ]) {
      if (task) this.#settle(task, this.#errorFor(task, error));
    }
    this.#queue = [];
    this.#awaited = [];
  }

  /**
   * Gives one procedure up. Before its message's last octet has left, the connection closes behind the
   * replies that others still await; after it, only its reply is ignored.
   */
  abort(aborted: Task, reason: SmtpError): void {
    const task = aborted as RunningTask;
    if (task.settled) return;
    const error = this.#errorFor(task, reason);
    if (!task.left && !this.#queue.includes(task)) this.#stop(task);
    this.#settle(task, error);
    this.#turn();
  }

  /** What to do next; undefined when there is nothing until the next event. */
  poll(): Action | undefined {
    const pieces: Uint8Array[] = [];
    let length = 0;
    // One write for each burst.
    while (this.#output[0] && length < WRITE_OCTETS) {
      const { task, octets, owes, last } = this.#output.shift() as Piece;
      pieces.push(typeof octets === 'string' ? encoder.encode(octets) : octets);
      length += octets.length;
      if (last) task.left = true;
      if (owes) this.#unsent -= 1;
    }
    if (length > 0) return { type: 'write', octets: concatenate(pieces) };
    const action = this.#next;
    this.#next = undefined;
    return action;
  }

  *within<T>(name: ProcedureName, procedure: Procedure<T>): Procedure<T> {
    const next = PHASES[this.phase][name];
    if (!next) throw new TypeError(`Cannot run ${name}: the session is ${this.phase}`);
    const value = yield* procedure;
    if (next !== 'closed') this.phase = next;
    return value;
  }

  write({ line, phase, shown, secrets }: Command): void {
    this.#put(line, phase, secrets);
    if (!this.#reason) this.#listener?.('client', shown ?? line.trimEnd(), phase);
  }

  content(octets: Uint8Array, last = false, size?: number): void {
    this.#put(octets, last ? 'final' : undefined, undefined, size !== undefined);
    this.#midContent = !last;
    if (size !== undefined) this.#listener?.('client', `(${size} octets)`, 'content');
  }

  release(): void {
    if (this.pipelining === 'overlap') this.#line = undefined;
  }

  /** Queues octets, and awaits the reply that they owe in a phase, if any. */
  #put(
    octets: string | Uint8Array,
    phase?: Phase,
    secrets?: readonly string[],
    last?: boolean,
  ): void {
    this.#output.push({
      task: this.#line as RunningTask,
      octets,
      owes: phase !== undefined,
      last: last === true,
    });
    if (!phase) return;
    this.#unsent += 1;
    this.#await(phase, secrets);
  }

  #await(phase: Phase, secrets?: readonly string[]): void {
    this.#awaited.push({ task: this.#line as RunningTask, phase, secrets, sent: this.roundTrips });
  }

  /** Goes on with the procedure that asked. */
  #continue(question: Question, how: 'next' | 'throw', value: unknown): void {
    if (this.#question !== question) return;
    this.#question = undefined;
    this.#run(this.#line as RunningTask, how, value);
    this.#turn();
  }

  #over(): boolean {
    return this.phase === 'closed';
  }

  /** Begins the next procedure, where the line is free. */
  #turn(): void {
    // Only a transaction may begin behind content whose reply is still awaited (RFC 2920 §3.1).
    while (
      !this.#line &&
      this.#queue[0] &&
      (!this.#awaited[0] ||
        (this.#queue[0].name === 'transaction' && this.pipelining === 'overlap'))
    ) {
      const task = this.#queue.shift() as RunningTask;
      this.#line = task;
      this.#run(task, 'next');
    }
    if (this.#reason && this.#awaited.every(({ task }) => task.settled)) this.fail(this.#reason);
  }

  /** Runs a procedure until it waits for something. */
  #run(task: RunningTask, how: 'next' | 'throw', input?: unknown): void {
    try {
      const { done, value } = task.procedure[how](input);
      if (done) {
        this.#settle(task, undefined, value);
        if (task.name === 'quit') this.fail(GONE, false);
      } else if (value) {
        this.#midContent ||= value.phase === 'content';
        this.#question = this.#next = value;
        this.#refuseInjection();
      } else if (this.phase === 'connected' && task.name === 'open') {
        // The greeting is the one reply that answers nothing.
        this.#await('greeting');
      }
    } catch (error) {
      // Only a refusal leaves the connection in a known state.
      if (this.#midContent || !(error instanceof SmtpError) || error.code === 'ERR_SMTP_PROTOCOL')
        this.#stop(task);
      this.#settle(task, error);
    }
  }

  /** Pairs a reply with what it answers. */
  #take(received: Reply): void {
    // What has not been written cannot have been answered.
    const entry = this.#awaited.length > this.#unsent ? this.#awaited.shift() : undefined;
    const { task = this.#line, phase = 'idle', secrets = [] } = entry ?? {};
    const blot = (text: string): string =>
      secrets.reduce(
        (blotted, secret) => (secret ? blotted.replaceAll(secret, '***') : blotted),
        text,
      );
    const reply = { ...received, lines: received.lines.map(blot), text: blot(received.text) };
    const { code } = reply;
    this.#listener?.(
      'server',
      secrets[0] !== undefined && code === 334 ? '334 ***' : wireText(reply),
      phase,
    );
    if (entry?.sent === this.roundTrips) {
      this.roundTrips += 1;
      entry.task.roundTrips += 1;
    }
    // RFC 5321 §3.3: with 354 the server takes everything up to the final dot for content.
    this.#midContent ||= code === 354;
    // RFC 5321 §3.8: with 421 it shuts down, whatever it was asked.
    if (code === 421) this.#reason = GONE;
    if (entry && task) {
      if (!task.settled) this.#run(task, 'next', reply);
    } else if (task && this.#midContent && code >= 400) {
      // The server has judged the message before its end. Whatever is written now would be read as
      // content or as commands, and nobody can tell which: the connection is of no use any more.
      this.#settle(
        task,
        refused('send the content', reply, { phase: 'content', delivery: 'rejected' }),
      );
    }
    if (code === 421 || !entry)
      this.#fail(
        code === 421 ? 'ERR_SMTP_CLOSED' : 'ERR_SMTP_PROTOCOL',
        `the server replied ${describeReply(reply)}`,
        reply,
      );
    this.#turn();
  }

  /** Between the 220 to STARTTLS and the handshake there are no octets: who put them there meant them to be read as secured. */
  #refuseInjection(): void {
    if (this.#question?.phase === 'tls' && this.#parser.pending) {
      this.#fail('ERR_SMTP_TLS', 'octets behind the 220 to STARTTLS');
    }
  }

  /** Fails a procedure in the middle of what it was writing: nothing may follow on this connection. */
  #stop(task: RunningTask): void {
    const from = this.#output.findIndex((piece) => piece.task === task);
    // What others have written behind it is lost with it.
    const lost = from < 0 ? [] : this.#output.splice(from);
    this.#unsent -= lost.filter(({ owes }) => owes).length;
    this.#reason ??= GONE;
    for (const other of [...lost.map((piece) => piece.task), ...this.#queue.splice(0)]) {
      if (other !== task) this.#settle(other, this.#errorFor(other, GONE));
    }
  }

  #settle(task: RunningTask, error: unknown, value?: unknown): void {
    if (this.#line === task) {
      this.#line = this.#question = undefined;
      this.#midContent = false;
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
  }

  /** The error of the connection as it concerns one procedure. */
  #errorFor(task: RunningTask, { code, message, reply, cause, phase }: SmtpError): SmtpError {
    const at =
      this.#awaited.find((entry) => entry.task === task) ??
      (this.#line === task ? this.#question : undefined);
    return new SmtpError(code, message, {
      phase: at?.phase ?? phase,
      reply,
      cause,
      delivery: task.left ? 'unknown' : 'not-sent',
    });
  }

  #fail(code: SmtpErrorCode, why: string, reply?: Reply, cause?: unknown): void {
    this.fail(fault(code, why, { phase: this.waiting?.phase ?? 'idle', reply, cause }));
  }
}

/** The reply as it stood on the wire. */
function wireText({ code, lines }: Reply): string {
  return lines
    .map((line, at) => `${code}${lines[at + 1] === undefined ? ' ' : '-'}${line}`.trimEnd())
    .join('\n');
}
