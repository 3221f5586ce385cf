/** Faults as an ordered plan: each is used up as it strikes. No probabilities, so a run can be repeated. */
import { inspect } from 'node:util';
import type { Stage } from './profile.ts';

/** What goes wrong, where. */
export interface Fault {
  /** 'data' is behind the content. */
  readonly at: Stage;
  /** A reply in place of the usual one; or the connection is closed; or no reply comes for `stall` ms. */
  readonly action:
    | { readonly code: number; readonly text: string }
    | 'close'
    | { readonly stall: number };
  /** How often it strikes; default once. */
  readonly times?: number;
}

/** A plan under way. */
export class FaultPlan {
  #rest: { fault: Fault; times: number }[] = [];

  constructor(faults: readonly Fault[]) {
    this.add(...faults);
  }

  /** Puts faults behind those that are still due. @throws TypeError for a fault that cannot strike */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) check(fault);
    for (const fault of faults) this.#rest.push({ fault, times: fault.times ?? 1 });
  }

  /** What strikes now at a stage, if anything. */
  take(at: Stage): Fault['action'] | undefined {
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
  const { at, action, times = 1 } = fault;
  const refuse = (why: string): never => {
    throw new TypeError(
      `Cannot plan the fault ${inspect(fault, { breakLength: Infinity })}: ${why}`,
    );
  };
  if (!/^(connect|auth|mail|rcpt|data)$/.test(at))
    refuse("at is 'connect', 'auth', 'mail', 'rcpt' or 'data'");
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  if (typeof action.text !== 'string' || /[\x00-\x1f\x7f]/.test(action.text))
    refuse('text is one line');
}
