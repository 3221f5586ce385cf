/** Faults as an ordered plan: each is used up as it strikes. No probabilities, so a run can be repeated. */
import { inspect } from 'node:util';
import { isOneLine } from './options.ts';
import { STAGES, type Stage } from './profile.ts';

/**
 * What goes wrong, where.
 *
 * @example
 * ```ts
 * import { type Fault, startSandbox } from '@posthorn/conformance';
 *
 * const greylisted: Fault = { at: 'rcpt', action: { code: 451, text: 'Try again later' }, times: 2 };
 * const sandbox = await startSandbox({ faults: [greylisted, { at: 'data', action: 'close' }] });
 * sandbox.plan({ at: 'auth', action: { stall: 1_000 } });
 * await sandbox.close();
 * ```
 */
export interface Fault {
  /** 'connect' is in place of the greeting, 'data' behind the content. */
  readonly at: Stage;
  /**
   * A reply of one line in place of the usual one, with a code from 200 to 599; or the connection is closed
   * without one; or the usual one comes `stall` ms late.
   */
  readonly action:
    | { readonly code: number; readonly text: string }
    | 'close'
    | { readonly stall: number };
  /** How often it strikes. Default 1. */
  readonly times?: number;
}

/** What a fault does where it strikes. */
export interface Strike {
  /** What happens without a fault. */
  goOn(): void;
  reply(code: number, text: string): void;
  /** Ends the connection. */
  drop(): void;
}

/** A plan under way. */
export class FaultPlan {
  #rest: { fault: Fault; times: number }[] = [];
  readonly #stalled = new Set<NodeJS.Timeout>();

  constructor(faults: readonly Fault[]) {
    this.add(...faults);
  }

  /** Puts faults behind those that are still due. @throws TypeError for a fault that cannot strike */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) check(fault);
    for (const fault of faults) this.#rest.push({ fault, times: fault.times ?? 1 });
  }

  /** Lets the fault that is due at a stage strike, or goes on. */
  strike(at: Stage, { goOn, reply, drop }: Strike): void {
    const action = this.#take(at);
    if (action === undefined) goOn();
    else if (action === 'close') drop();
    else if ('stall' in action) {
      const timer = setTimeout(() => {
        this.#stalled.delete(timer);
        goOn();
      }, action.stall);
      this.#stalled.add(timer);
    } else reply(action.code, action.text);
  }

  /** Gives up what is stalled. */
  end(): void {
    for (const timer of this.#stalled) clearTimeout(timer);
    this.#stalled.clear();
  }

  #take(at: Stage): Fault['action'] | undefined {
    const due = this.#rest.find(({ fault }) => fault.at === at);
    if (!due) return undefined;
    due.times -= 1;
    if (due.times <= 0) this.#rest = this.#rest.filter((one) => one !== due);
    return due.fault.action;
  }
}

/** setTimeout() takes no longer one: it would fire at once. */
const LONGEST_STALL = 2_147_483_647;

function check(fault: Fault): void {
  const refuse = (why: string): never => {
    throw new TypeError(
      `Cannot plan the fault ${inspect(fault, { breakLength: Infinity })}: ${why}`,
    );
  };
  if (typeof fault !== 'object' || fault === null) refuse('it is no object');
  const { at, action, times = 1 } = fault;
  if (!STAGES.includes(at)) refuse(`at is ${STAGES.map((stage) => `'${stage}'`).join(', ')}`);
  if (!Number.isInteger(times) || times < 1) refuse('times is a whole number from 1');
  if (action === 'close') return;
  if (typeof action !== 'object' || action === null)
    refuse("action is a reply, 'close' or a stall");
  if ('stall' in action) {
    if (!(action.stall >= 0 && action.stall <= LONGEST_STALL))
      refuse(`stall is a number of ms from 0 to ${LONGEST_STALL}`);
    return;
  }
  if (!Number.isInteger(action.code) || action.code < 200 || action.code > 599)
    refuse('code is a whole number from 200 to 599');
  if (!isOneLine(action.text)) refuse('text is one line');
}
