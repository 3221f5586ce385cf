/** Faults as an ordered plan: each is used up as it strikes. No probabilities, so a run can be repeated. */
import { inspect } from 'node:util';
import { isOneLine } from './options.ts';

/**
 * Where a fault can strike, in the order of a session: 'connect' before anything is said and 'banner' in place of the
 * greeting, 'data' is the command DATA, 'final-dot' is behind the content and before it is judged, 'after-accept' is
 * when the message is in the inbox and its 250 has not been sent.
 *
 * @example
 * ```ts
 * import { FAULT_POINTS } from '@posthorn/conformance';
 *
 * console.log(FAULT_POINTS.join(' '));
 * // connect banner ehlo starttls auth mail rcpt data final-dot after-accept quit
 * ```
 */
export const FAULT_POINTS: readonly FaultPoint[] = [
  'connect',
  'banner',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'final-dot',
  'after-accept',
  'quit',
];

/** One of `FAULT_POINTS`. */
export type FaultPoint =
  | 'connect'
  | 'banner'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'final-dot'
  | 'after-accept'
  | 'quit';

/**
 * What a fault does.
 *
 * - `{ code, text }`: a reply of one line in place of the usual one, with a code from 400 to 599; 421 ends the connection
 * - 'close': the connection is closed without a reply
 * - `{ stall }`: the usual reply comes so many ms late
 * - `{ slow }`: the usual reply comes octet by octet, so many ms apart
 * - 'accept-then-close-before-reply': at 'final-dot', the message is taken, and the connection closed without a reply
 * - `{ limit, per, code, text }`: a rate bucket. More than `limit` in `per` ms get this reply; it is never used up
 *
 * @example
 * ```ts
 * import type { FaultAction } from '@posthorn/conformance';
 *
 * const throttled: FaultAction = { limit: 10, per: 60_000, code: 451, text: 'Too many messages' };
 * ```
 */
export type FaultAction =
  | { readonly code: number; readonly text: string }
  | 'close'
  | 'accept-then-close-before-reply'
  | { readonly stall: number }
  | { readonly slow: number }
  | { readonly limit: number; readonly per: number; readonly code: number; readonly text: string };

/**
 * What goes wrong, where.
 *
 * @example
 * ```ts
 * import { type Fault, startSandbox } from '@posthorn/conformance';
 *
 * const greylisted: Fault = { at: 'rcpt', action: { code: 451, text: 'Try again later' }, times: 2 };
 * const sandbox = await startSandbox({ faults: [greylisted, { at: 'final-dot', action: 'close' }] });
 * sandbox.plan({ at: 'auth', action: { stall: 1_000 } });
 * await sandbox.close();
 * ```
 */
export interface Fault {
  readonly at: FaultPoint;
  readonly action: FaultAction;
  /** How often it strikes. Default 1. A rate bucket has no such number. */
  readonly times?: number;
}

/** A fault that is still due. */
export interface DueFault extends Fault {
  /** How often it will still strike; undefined of a rate bucket. */
  readonly left: number | undefined;
}

/** What a fault does where it strikes. */
export interface Strike {
  /** What happens without a fault. */
  goOn(): void;
  reply(code: number, text: string): void;
  /** Ends the connection. */
  drop(): void;
  /** Lets what is sent next leave octet by octet. */
  slow(ms: number): void;
  /** Is told that a fault struck, before it does. */
  struck(what: string): void;
  /** Takes the message, and drops. `giveBack` where it was not taken. Default: drop(). */
  takeSilently?(giveBack: () => void): void;
}

interface Entry {
  readonly fault: Fault;
  left: number | undefined;
  /** When a rate bucket let through those that still count. */
  passed: number[];
}

/** A plan under way. */
export class FaultPlan {
  #rest: Entry[] = [];
  readonly #stalled = new Set<NodeJS.Timeout>();
  #ended = false;
  readonly #now: () => number;

  /** @throws TypeError for a fault that cannot strike */
  constructor(faults: readonly Fault[] = [], now: () => number = Date.now) {
    this.#now = now;
    this.add(...faults);
  }

  /** What is still due, in order. */
  get due(): readonly DueFault[] {
    return this.#rest.map(({ fault, left }) => ({ ...fault, left }));
  }

  /** @throws TypeError for a fault that cannot strike; none is planned then */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) check(fault);
    for (const fault of faults) {
      const bucket = typeof fault.action === 'object' && 'limit' in fault.action;
      this.#rest.push({ fault, left: bucket ? undefined : (fault.times ?? 1), passed: [] });
    }
  }

  /** Forgets what is still due. */
  clear(): void {
    this.#rest = [];
  }

  /** Lets the fault that is due at a point strike, or goes on. */
  strike(at: FaultPoint, strike: Strike): void {
    const entry = this.#take(at);
    if (entry === undefined) {
      strike.goOn();
      return;
    }
    const { action } = entry.fault;
    if (action === 'accept-then-close-before-reply' && strike.takeSilently) {
      strike.takeSilently(() => this.#giveBack(entry));
      return;
    }
    strike.struck(`fault at ${at}: ${described(action)}`);
    if (typeof action === 'string') strike.drop();
    else if ('stall' in action) this.#stall(action.stall, strike);
    else if ('slow' in action) {
      strike.slow(action.slow);
      strike.goOn();
    } else strike.reply(action.code, action.text);
  }

  #stall(ms: number, { goOn }: Strike): void {
    // Nobody waits for it any more.
    if (this.#ended) return;
    const timer = setTimeout(() => {
      this.#stalled.delete(timer);
      goOn();
    }, ms);
    this.#stalled.add(timer);
  }

  /** Gives up what is stalled. */
  end(): void {
    this.#ended = true;
    for (const timer of this.#stalled) clearTimeout(timer);
    this.#stalled.clear();
  }

  #take(at: FaultPoint): Entry | undefined {
    for (const entry of this.#rest) {
      if (entry.fault.at !== at) continue;
      const { action } = entry.fault;
      if (typeof action === 'object' && 'limit' in action) {
        const since = this.#now() - action.per;
        entry.passed = entry.passed.filter((one) => one > since);
        if (entry.passed.length >= action.limit) return entry;
        entry.passed.push(this.#now());
        continue;
      }
      this.#use(entry);
      return entry;
    }
    return undefined;
  }

  #use(entry: Entry): void {
    if (entry.left === undefined) return;
    entry.left -= 1;
    if (entry.left <= 0) this.#rest = this.#rest.filter((one) => one !== entry);
  }

  /** It comes before what is due, as it did. */
  #giveBack(entry: Entry): void {
    entry.left = (entry.left ?? 0) + 1;
    if (!this.#rest.includes(entry)) this.#rest.unshift(entry);
  }
}

function described(action: FaultAction): string {
  if (typeof action === 'string') return action;
  if ('stall' in action) return `stalls for ${action.stall} ms`;
  if ('slow' in action) return `an octet each ${action.slow} ms`;
  return `${action.code} ${action.text}`;
}

/** setTimeout() takes no longer one: it would fire at once. */
const LONGEST_STALL = 2_147_483_647;

/** @throws TypeError for a fault that cannot strike */
function check(fault: Fault): void {
  const refuse = (why: string): never => {
    throw new TypeError(
      `Cannot plan the fault ${inspect(fault, { breakLength: Infinity })}: ${why}`,
    );
  };
  if (typeof fault !== 'object' || fault === null) refuse('it is no object');
  const { at, action, times = 1, ...other } = fault;
  for (const name of Object.keys(other)) refuse(`there is no ${inspect(name)} in a fault`);
  if (!FAULT_POINTS.includes(at))
    refuse(`at is ${FAULT_POINTS.map((point) => `'${point}'`).join(', ')}`);
  if (!Number.isInteger(times) || times < 1) refuse('times is a whole number from 1');
  if (action === 'close') return;
  if (action === 'accept-then-close-before-reply') {
    if (at !== 'final-dot' && at !== 'after-accept') refuse("this action is for 'final-dot'");
    return;
  }
  if (typeof action !== 'object' || action === null)
    refuse(
      "action is a reply, 'close', 'accept-then-close-before-reply', a stall, slow or a limit",
    );
  const known = ['stall', 'slow'].find((name) => name in action);
  for (const name of Object.keys(action))
    if (known ? name !== known : !['code', 'text', 'limit', 'per'].includes(name))
      refuse(`${inspect(name)} does not belong to this action`);
  if ('stall' in action) {
    if (!(action.stall >= 0 && action.stall <= LONGEST_STALL))
      refuse(`stall is a number of ms from 0 to ${LONGEST_STALL}`);
    return;
  }
  if ('slow' in action) {
    if (!(action.slow >= 0 && action.slow <= 60_000)) refuse('slow is a number of ms to 60,000');
    return;
  }
  if ('limit' in action) {
    if (!Number.isInteger(action.limit) || action.limit < 0) refuse('limit is a whole number');
    if (!(action.per > 0 && action.per < Infinity)) refuse('per is a number of ms');
    if (fault.times !== undefined) refuse('a limit is not used up: times has no meaning');
  }
  // A positive reply would say that something was done.
  if (!Number.isInteger(action.code) || action.code < 400 || action.code > 599)
    refuse('code is a whole number from 400 to 599');
  if (!isOneLine(action.text)) refuse('text is one line');
}
