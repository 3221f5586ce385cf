/** Faults as an ordered plan: each is used up as it strikes. No probabilities, so a run can be repeated. */
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

  /** Puts faults behind those that are still due. */
  add(...faults: readonly Fault[]): void {
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
