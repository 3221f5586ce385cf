/** Public names, nothing else. */
export type {
  Case,
  Expectation,
  Group,
  Level,
  OneOf,
  OutcomeExpectation,
  Play,
  TaskPlan,
} from './case.ts';
export { cases, groups } from './cases/index.ts';
export { type CommandOptions, commandSubject } from './drivers/command.ts';
export { forkSubject } from './drivers/forked.ts';
export type { Claim, ClaimContext, Wire } from './judge/claims.ts';
export type { CommandLine, Dialogue, Offence, Transaction } from './judge/dialogue.ts';
export type { Assertion, VerdictName } from './judge/judge.ts';
export { htmlReport } from './report/html.ts';
export { junitReport } from './report/junit.ts';
export {
  type Report,
  type ReportedCase,
  type ReportedFault,
  type ReportedPlay,
  reportOf,
} from './report/report.ts';
export { tapReport } from './report/tap.ts';
export { type TerminalOptions, terminalReport } from './report/terminal.ts';
export type { ReportedEvent } from './report/transcript.ts';
export { AbsentError } from './runner/absent-error.ts';
export {
  type CaseResult,
  type PlayResult,
  type RunCaseOptions,
  runCase,
} from './runner/run-case.ts';
export { runSuite, type SuiteOptions, type SuiteResult } from './runner/run-suite.ts';
export { select, UsageError } from './runner/select.ts';
export type { CallbackDelivery } from './sandbox/callbacks.ts';
export {
  type Certificate,
  type CertificateAuthority,
  type CertificateKind,
  createCertificateAuthority,
} from './sandbox/certificates.ts';
export {
  type DueFault,
  FAULT_POINTS,
  type Fault,
  type FaultAction,
  type FaultPoint,
} from './sandbox/faults.ts';
export type { CapturedMessage, Inbox, MessagePart, TranscriptLine } from './sandbox/inbox.ts';
export type { CallbackOptions, HiddenKeyword, SandboxOptions } from './sandbox/options.ts';
export type { Clock } from './sandbox/platform/clock.ts';
export {
  BOUNCE_REASONS,
  type BounceReason,
  EVENT_TYPES,
  type EventType,
  type MessageEvent,
  type MessageState,
  STATES,
} from './sandbox/platform/events.ts';
export type {
  ConfirmedSender,
  EventDetails,
  Refused,
  Trouble,
} from './sandbox/platform/platform.ts';
export type { StatisticsFilter, StatisticsRow } from './sandbox/platform/statistics.ts';
export type { Addresses, HardBounced, Unsubscribed } from './sandbox/platform/suppressions.ts';
export {
  type Grade,
  PROFILES,
  type ProfileVersion,
  REFUSALS,
  type RefusalReason,
  type SandboxProfile,
  type Stage,
} from './sandbox/profile.ts';
export { CAUSES, QUOTATIONS, type Words } from './sandbox/quotations.ts';
export type { RuleName, Verdict } from './sandbox/rules.ts';
export { type Sandbox, startSandbox } from './sandbox/sandbox.ts';
export type { ChangeableName, ChangeableOptions } from './sandbox/settings.ts';
export type { ClosedPlan, HonestPlan, ScriptedPlan, ServerPlan } from './server/plan.ts';
export type { Finding } from './server/play-script.ts';
export type { Credentials, SaslPlan } from './server/sasl-server.ts';
export type { Situations } from './server/situations.ts';
export {
  type RunningScript,
  type ScriptedServerOptions,
  startScriptedServer,
} from './server/start-scripted-server.ts';
export type { Answers, Manners, Step, TlsSituation, Turn } from './server/steps.ts';
/** What makes the steps of a script: each is a function that gives a Step. */
export * as steps from './server/steps.ts';
export type { Delivery, WireEvent } from './server/wire-log.ts';
export type {
  ClientTask,
  FailureKind,
  Feature,
  MessageOutcome,
  Report as ReportedField,
  Subject,
  TaskContent,
  TaskFields,
  TaskMessage,
  TaskOutcome,
  TaskRecipient,
  TaskTimeouts,
  TlsMode,
} from './task.ts';
