/** Public names, nothing else. */
export {
  type Certificate,
  type CertificateAuthority,
  type CertificateKind,
  createCertificateAuthority,
} from './sandbox/certificates.ts';
export type { Fault } from './sandbox/faults.ts';
export type { CapturedMessage, Inbox } from './sandbox/inbox.ts';
export type { SandboxOptions } from './sandbox/options.ts';
export {
  type Grade,
  PROFILES,
  REFUSALS,
  type RefusalReason,
  type SandboxProfile,
  type Stage,
} from './sandbox/profile.ts';
export { CAUSES, QUOTATIONS, type Words } from './sandbox/quotations.ts';
export type { Verdict } from './sandbox/rules.ts';
export { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
