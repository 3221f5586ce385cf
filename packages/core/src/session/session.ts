/**
 * The session: a FIFO of awaited replies. The only file that starts, ends or fails a procedure, and
 * that pairs a reply with its command. Sans-IO: see action.ts for how it is driven.
 */
import { fault, type Phase, refused, SmtpError, type SmtpErrorCode, type SmtpErrorDetails } from '../errors.ts';
import { type Capabilities, parseCapabilities } from '../wire/extension.ts';
import { describeReply, type Reply } from '../wire/reply.ts';
import { ProtocolFault, ReplyParser } from '../wire/reply-parser.ts';
import { concatenate } from '../wire/transparency.ts';
import type { Action, AwaitAction, StartTlsAction } from './action.ts';
import { WRITE_OCTETS } from './limits.ts';
import { PHASES, type ProcedureName, type SessionPhase } from './phase.ts';
import type { Command, Procedure, Step } from './procedure.ts';

/** What happened on the wire, with secrets left out. `text` has one line for each line of a reply. */
export type WireListener = (
  direction: 'client' | 'server',
  text: string,
  phase: Phase,
) => void;

/** What procedures know of the session, and may set. */
export interface SessionContext {
  capabilities: Capabilities;
  /** Whether the transport is under TLS. */
  secure: boolean;
  greeting: Reply | undefined;
  /** How far commands are grouped (RFC 2920). */
  pipelining: 'overlap' | 'envelope' | 'off';
  /** A MAIL was written, and neither content nor RSET has ended its transaction. */
  transactionOpen: boolean;
}

const encoder: TextEncoder = /*#__PURE__*/ new TextEncoder();

/** One running or waiting procedure. */
export interface Task {
  /** How often it had to wait for the server so far. */
  readonly roundTrips: number;
}

interface RunningTask extends Task {
  readonly name: ProcedureName | 'open';
  readonly procedure: Procedure<unknown>;
  readonly settle: (error: unknown, value: unknown) => void;
  roundTrips: number;
  /** Its message's last octet was given to the transport. */
  left: boolean;
  /** Content is owed to the server: nothing else may be written. */
  midContent: boolean;
  settled: boolean;
  /** Where it stands while it awaits something else than a reply. */
  phase: Phase;
}

interface Awaited {
  readonly task: RunningTask;
  readonly phase: Phase;
  /** What is answered; undefined for the greeting and for content. */
  readonly command: Command | undefined;
  /** The round trip in which it was written. */
  readonly sent: number;
}

interface Piece {
  readonly task: RunningTask;
  readonly octets: string | Uint8Array;
  readonly last: boolean;
}

/** The state machine of one connection. */
export class Session {
  readonly context: SessionContext = {
    capabilities: parseCapabilities(undefined),
    secure: false,
    greeting: undefined,
    pipelining: 'off',
    transactionOpen: false,
  };
  /** Where the session stands. */
  phase: SessionPhase = 'connected';
  /** Counts replies, blocks of content and beginnings of a wait: while it stands still, a deadline runs. */
  progress = 0;
  /** Times the client had to wait for the server so far, a TLS handshake among them. */
  roundTrips = 0;

  readonly #parser = new ReplyParser();
  readonly #listener: WireListener | undefined;
  /** Procedures that have not begun. */
  #queue: RunningTask[] = [];
  /** The procedure that may write. */
  #line: RunningTask | undefined;
  #awaited: Awaited[] = [];
  #output: Piece[] = [];
  #outputOctets = 0;
  /** What the procedure on the line asked of the driver; 'output' while its octets wait to be polled. */
  #request: AwaitAction | StartTlsAction | 'output' | undefined;
  /** What poll() gives when nothing is left to write. */
  #next: Action | undefined;
  /** Why nothing may be written any more. It closes once nobody awaits a reply. */
  #reason: SmtpError | undefined;

  constructor(listener?: WireListener) {
    this.#listener = listener;
  }

  /** What a deadline should run for; undefined while nothing is awaited. */
  get waiting(): Phase | undefined {
    return this.#awaited[0]?.phase ?? (this.#request && this.#line?.phase);
  }

  /**
   * Runs a procedure as soon as it may write.
   *
   * @param settle - called once, with the error or with the value that the procedure returned
   * @throws TypeError where the phase of the session does not allow it
   */
  start<T>(
    name: ProcedureName | 'open',
    procedure: Procedure<T>,
    settle: (error: unknown, value: T) => void,
  ): Task {
    const task: RunningTask = {
      name,
      procedure: name === 'open' ? procedure : this.within(name, procedure),
      settle: settle as RunningTask['settle'],
      roundTrips: 0,
      left: false,
      midContent: false,
      settled: false,
      phase: 'idle',
    };
    if (this.#reason) this.#settle(task, this.#closedError());
    else {
      this.#queue.push(task);
      this.#turn();
    }
    return task;
  }

  /** Runs a procedure as the table of phases allows it. @throws TypeError where it does not */
  *within<T>(name: ProcedureName, procedure: Procedure<T>): Procedure<T> {
    const next = PHASES[this.phase][name];
    if (!next) throw new TypeError(`Cannot run ${name}: the session is ${this.phase}`);
    const value = yield* procedure;
    this.phase = next;
    return value;
  }

  /** Octets came from the transport. */
  receive(octets: Uint8Array): void {
    if (this.phase === 'closed') return;
    try {
      this.#parser.push(octets);
      this.#refuseInjection();
      for (;;) {
        const reply = this.#parser.next(this.context.capabilities.has('ENHANCEDSTATUSCODES'));
        if (!reply || this.#over()) return;
        this.#take(reply);
      }
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#fail('ERR_SMTP_PROTOCOL', error.message);
    }
  }

  /** TLS is up: the answer to `start-tls`. */
  secured(): void {
    if (this.#line?.phase !== 'tls' || !this.#request) return;
    this.context.secure = true;
    // RFC 3207 §4.2: whatever the server said before the handshake is forgotten.
    this.context.capabilities = parseCapabilities(undefined);
    this.roundTrips += 1;
    this.#continue((task) => task.procedure.next());
  }

  /** The answer to an `await`. A late answer, to one that is no longer asked, is ignored. */
  answer(action: AwaitAction, value: unknown): void {
    if (this.#request === action) this.#continue((task) => task.procedure.next(value));
  }

  /** What was asked by an `await` failed. */
  refuse(action: AwaitAction, error: unknown): void {
    if (this.#request === action) this.#continue((task) => task.procedure.throw(error));
  }

  /** The transport ended: the server closed the connection. */
  end(cause?: Error): void {
    this.#fail('ERR_SMTP_CLOSED', cause ? `the connection was lost (${cause.message})` : 'the server closed the connection', { cause });
  }

  /** The deadline of `waiting` has passed, or the transport failed: every procedure fails, each with what is certain of it. */
  fail(error: SmtpError): void {
    if (this.phase === 'closed') return;
    const tasks = new Set([...this.#awaited.map(({ task }) => task), ...(this.#line ? [this.#line] : []), ...this.#queue]);
    const errors = [...tasks].map((task) => [task, this.#errorFor(task, error)] as const);
    this.phase = 'closed';
    this.#reason = error;
    this.#queue = [];
    this.#awaited = [];
    this.#output = [];
    this.#next = { type: 'close', abrupt: true };
    for (const [task, own] of errors) this.#settle(task, own);
  }

  /**
   * Gives one procedure up. Before its message's last octet has left, the connection closes behind the
   * replies that others still await; after it, only its reply is ignored.
   */
  abort(aborted: Task, reason: SmtpError): void {
    const task = aborted as RunningTask;
    const error = this.#errorFor(task, reason);
    const queued = this.#queue.indexOf(task);
    if (queued >= 0) this.#queue.splice(queued, 1);
    if (queued >= 0 || task.left) this.#settle(task, error);
    else if (!task.settled) this.#stop(task, error);
    this.#turn();
  }

  /** What to do next; undefined when there is nothing until the next event. */
  poll(): Action | undefined {
    for (;;) {
      if (this.#output.length > 0) return { type: 'write', octets: this.#write() };
      if (this.#request !== 'output') break;
      this.#continue((task) => task.procedure.next());
    }
    const action = this.#next;
    this.#next = undefined;
    return action;
  }

  /** Goes on with the procedure that asked something, now that it is answered. */
  #continue(resume: (task: RunningTask) => IteratorResult<Step, unknown>): void {
    const task = this.#line as RunningTask;
    this.#request = undefined;
    this.progress += 1;
    this.#run(task, () => resume(task));
    this.#turn();
  }

  /** Begins the next procedure, where the line is free. */
  #turn(): void {
    while (!this.#line && this.#queue[0]) {
      // Only a transaction may begin behind content whose reply is still awaited (RFC 2920 §3.1).
      const overlaps = this.#queue[0].name === 'transaction' && this.context.pipelining === 'overlap';
      if (this.#awaited.length > 0 && !overlaps) break;
      const task = this.#queue.shift() as RunningTask;
      this.#line = task;
      this.#run(task, () => task.procedure.next());
    }
    if (this.#reason && !this.#awaited.some(({ task }) => !task.settled)) this.fail(this.#reason);
  }

  /** Runs a procedure until it waits for something. */
  #run(task: RunningTask, begin: () => IteratorResult<Step, unknown>): void {
    try {
      let result = begin();
      while (!result.done) {
        // The caller may have given it up from a callback of its own.
        if (task.settled) task.procedure.return(undefined);
        if (task.settled || !this.#perform(task, result.value)) return;
        result = task.procedure.next();
      }
      this.#settle(task, undefined, result.value);
      if (task.name === 'quit') this.#left();
    } catch (error) {
      // Only a refusal leaves the connection in a known state.
      if (task.midContent || !(error instanceof SmtpError)) this.#stop(task, error);
      else this.#settle(task, error);
    }
  }

  /** Performs one step; false where the procedure has to wait. */
  #perform(task: RunningTask, step: Step): boolean {
    switch (step.type) {
      case 'write':
        for (const command of step.commands) {
          this.#put(task, command.line);
          this.#await(task, command.phase, command);
          this.#listener?.('client', command.shown ?? command.line.trimEnd(), command.phase);
        }
        return true;
      case 'octets':
        task.midContent = step.replies === 0;
        this.#put(task, step.octets, step.complete !== undefined);
        if (step.complete !== undefined) this.#listener?.('client', `(${step.complete} octets)`, 'content');
        for (let owed = step.replies; owed > 0; owed -= 1) this.#await(task, 'final');
        if (step.replies > 0 || this.#outputOctets < WRITE_OCTETS) return true;
        task.phase = 'content';
        this.#request = 'output';
        return false;
      case 'release':
        if (this.context.pipelining === 'overlap') this.#line = undefined;
        return true;
      case 'reply':
        // The greeting is the one reply that answers nothing.
        if (this.phase === 'connected' && task.name === 'open') this.#await(task, 'greeting');
        return false;
      default:
        task.phase = step.phase;
        task.midContent ||= step.phase === 'content';
        this.#request = this.#next = step.type === 'await' ? { type: 'await', ask: step.ask } : { type: 'start-tls' };
        this.progress += 1;
        this.#refuseInjection();
        return false;
    }
  }

  #put(task: RunningTask, octets: string | Uint8Array, last = false): void {
    this.#output.push({ task, octets, last });
    this.#outputOctets += octets.length;
  }

  #await(task: RunningTask, phase: Phase, command?: Command): void {
    if (this.#awaited.length === 0) this.progress += 1;
    this.#awaited.push({ task, phase, command, sent: this.roundTrips });
  }

  /** What waits to be written, up to a bound, as one array: one write for each burst. */
  #write(): Uint8Array {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (this.#output[0] && length < WRITE_OCTETS) {
      const { task, octets, last } = this.#output.shift() as Piece;
      pieces.push(typeof octets === 'string' ? encoder.encode(octets) : octets);
      length += octets.length;
      task.left ||= last;
    }
    this.#outputOctets -= length;
    return concatenate(pieces);
  }

  /** Pairs a reply with what it answers. */
  #take(received: Reply): void {
    const entry = this.#awaited.shift();
    const { task = this.#line, phase = 'idle', command, sent } = entry ?? {};
    const reply = blot(received, command?.secrets);
    this.progress += 1;
    this.#listener?.('server', wireText(reply, command?.secrets), phase);
    if (sent === this.roundTrips) {
      this.roundTrips += 1;
      (task as RunningTask).roundTrips += 1;
    }
    if (!entry) this.#unawaited(reply);
    else if (reply.code === 421) {
      // RFC 5321 §3.8: the server shuts down, whatever it was asked.
      const what = command ? `send ${command.shown ?? command.line.trimEnd()}` : phase === 'final' ? 'deliver the message' : 'connect';
      this.#settle(entry.task, refused(what, reply, { phase, delivery: phase === 'final' ? 'rejected' : 'not-sent' }));
      this.#fail('ERR_SMTP_CLOSED', `the server replied ${describeReply(reply)}`, { reply });
    } else if (!entry.task.settled) this.#run(entry.task, () => entry.task.procedure.next(reply));
    this.#turn();
  }

  /** A reply that answers nothing. */
  #unawaited(reply: Reply): void {
    const task = this.#line;
    // The server has judged the message before its end. Whatever is written now would be read as
    // content or as commands, and nobody can tell which: the connection is of no use any more.
    if (task?.midContent && reply.code >= 400) {
      this.#settle(task, refused('send the content', reply, { phase: 'content', delivery: 'rejected' }));
    }
    this.#fail(reply.code === 421 ? 'ERR_SMTP_CLOSED' : 'ERR_SMTP_PROTOCOL', `the server replied ${describeReply(reply)}, unasked`, { reply });
  }

  /** Between the 220 to STARTTLS and the handshake there are no octets: who put them there meant them to be read as secured. */
  #refuseInjection(): void {
    if (this.#request && this.#line?.phase === 'tls' && this.#parser.pending) {
      this.#fail('ERR_SMTP_TLS', 'octets stood behind the 220 to STARTTLS (response injection)');
    }
  }

  #over(): boolean {
    return this.phase === 'closed';
  }

  /** QUIT is done. */
  #left(): void {
    this.phase = 'closed';
    this.#reason = fault('ERR_SMTP_CLOSED', 'the connection was closed', { phase: 'idle' });
    this.#next = { type: 'close', abrupt: false };
    for (const task of this.#queue.splice(0)) this.#settle(task, this.#closedError());
  }

  /** Fails a procedure in the middle of what it was writing: nothing may follow on this connection. */
  #stop(task: RunningTask, error: unknown): void {
    const from = this.#output.findIndex((piece) => piece.task === task);
    if (from >= 0) this.#output.splice(from);
    this.#reason ??= fault('ERR_SMTP_CLOSED', 'the connection was given up', { phase: 'idle', cause: error });
    this.#settle(task, error);
    for (const other of this.#queue.splice(0)) this.#settle(other, this.#closedError());
  }

  #settle(task: RunningTask, error: unknown, value?: unknown): void {
    if (task.settled) return;
    task.settled = true;
    if (this.#line === task) this.#line = this.#request = undefined;
    try {
      // An unfinished procedure runs its `finally`: its content source is released.
      task.procedure.return(undefined);
    } catch {
      // It is running right now, and ends at its next step.
    }
    task.settle(error, value);
  }

  /** The error of the connection as it concerns one procedure. */
  #errorFor(task: RunningTask, error: SmtpError): SmtpError {
    const phase = this.#awaited.find((entry) => entry.task === task)?.phase ?? (this.#line === task && this.#request ? task.phase : error.phase);
    const { code, message, reply, cause } = error;
    return new SmtpError(code, message, { phase, reply, cause, delivery: task.left ? 'unknown' : 'not-sent' });
  }

  #closedError(): SmtpError {
    const { message, reply, cause } = this.#reason as SmtpError;
    return new SmtpError('ERR_SMTP_CLOSED', message, { phase: 'idle', reply, cause });
  }

  #fail(code: SmtpErrorCode, why: string, details: Partial<SmtpErrorDetails> = {}): void {
    this.fail(fault(code, why, { phase: this.waiting ?? 'idle', ...details }));
  }
}

/** The reply with secrets that the server repeats blotted out. */
function blot(reply: Reply, secrets: readonly string[] = []): Reply {
  const clean = (text: string): string =>
    secrets.reduce((result, secret) => (secret ? result.replaceAll(secret, '***') : result), text);
  return secrets.length > 0 ? { ...reply, lines: reply.lines.map(clean), text: clean(reply.text) } : reply;
}

/** The reply as it stood on the wire; of a SASL challenge only that there was one. */
function wireText({ code, lines }: Reply, secrets: readonly string[] | undefined): string {
  if (secrets && code === 334) return '334 ***';
  return lines.map((line, at) => `${code}${at < lines.length - 1 ? '-' : ' '}${line}`.trimEnd()).join('\n');
}
