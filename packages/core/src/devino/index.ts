/** The Devino Telecom SMTP submission service: its profile, its refusals, its rules. */
export {
  check,
  type DevinoCheckOptions,
  type DevinoMessage,
  type DevinoProblem,
  type DevinoRule,
} from './check.ts';
export {
  type DevinoContext,
  type DevinoExplanation,
  explain,
} from './explain.ts';
export type { DevinoGrade } from './limits.ts';
export {
  type DevinoFact,
  type DevinoProfile,
  type DevinoVersion,
  devino,
} from './profile.ts';
export type { DevinoReason, DevinoRefusal, DevinoRetry } from './refusals.ts';
