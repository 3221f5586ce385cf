/**
 * The provider's 554s as plays. Their texts are documented, their stages and forms are not; so each can be given at
 * every stage where it may come, in every form.
 */
import type { OutcomeExpectation, Play, TaskPlan } from '../case.ts';
import { type Claim, never, noContent, only } from '../judge/claims.ts';
import { CREDENTIALS, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { REFUSALS, type RefusalReason } from '../sandbox/profile.ts';
import { good, honest, type ServerPlan, script } from '../server/plan.ts';
import { type Answers, converse, send } from '../server/steps.ts';
import type { ClientTask, TaskMessage } from '../task.ts';
import { literal } from './literal.ts';

/** Where a refusal comes, as an outcome tells it. `dot`: behind the content. */
export type At = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'dot';

export const REASONS = Object.keys(REFUSALS) as readonly RefusalReason[];

/** Where each refusal may come: where it most likely does, then elsewhere. */
export const STAGES: Readonly<Record<RefusalReason, readonly At[]>> = {
  'not-authenticated': ['MAIL', 'AUTH', 'RCPT', 'dot'],
  // "any stage, greeting too"
  'server-error': ['dot', 'greeting', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA'],
  'attachment-type': ['dot'],
  'too-large': ['dot', 'MAIL'],
  'invalid-recipient': ['RCPT', 'dot'],
  'sender-not-confirmed': ['MAIL', 'RCPT', 'dot'],
};

/** What stands behind the text, and what an outcome makes of it. */
const VALUES: Readonly<Partial<Record<RefusalReason, readonly [string, Details]>>> = {
  'attachment-type': ['.exe', { extension: 'exe' }],
  'invalid-recipient': [RECIPIENT, { address: RECIPIENT }],
  'sender-not-confirmed': [SENDER, { address: SENDER }],
};
export type Details = Pick<OutcomeExpectation, 'address' | 'extension' | 'rejected'>;

/** The documented text, with a value behind it where there is one. */
export const documented = (
  reason: RefusalReason,
  value: string = VALUES[reason]?.[0] ?? '',
): string => `${REFUSALS[reason].text} ${value}`.trimEnd();

/** A reply that holds a text: what the form is, and how it is made. Its lines are parted by LF. */
export type Form = readonly [title: string, made: (text: string) => string];

export const ONE_LINE: Form = ['one line', (text) => `554 ${text}`];
const FORMS: readonly Form[] = [
  ['an enhanced status code', (text) => `554 5.6.0 ${text}`],
  [
    'an enhanced status code and Transaction failed:',
    (text) => `554 5.6.0 Transaction failed: ${text}`,
  ],
  ['two lines', (text) => `554-Transaction failed\n554 ${text}`],
  [
    'two lines with enhanced status codes',
    (text) => `554-5.6.0 Transaction failed\n554 5.6.0 ${text}`,
  ],
];
export const NAMED: Form = ['Transaction failed:', (text) => `554 Transaction failed: ${text}`];
export const NAMED_OTHERWISE: readonly Form[] = [
  ['Transaction failed', (text) => `554 Transaction failed ${text}`],
  ['Transaction failed.', (text) => `554 Transaction failed. ${text}`],
  ['Transaction failed,', (text) => `554 Transaction failed, ${text}`],
  ['Transaction failed -', (text) => `554 Transaction failed - ${text}`],
];
/** All that the provider asks of a message, so that no client has a reason to refuse it. */
export const messageOf = (octets?: number): string => {
  const text = [
    `From: <${SENDER}>`,
    `To: <${RECIPIENT}>`,
    'Subject: A test',
    'Date: Thu, 01 Oct 2026 12:00:00 +0000',
    'Message-ID: <1@example.com>',
    'MIME-Version: 1.0',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>Hello. <a href="[WebVersion]">Open</a> <a href="[Unsubscribe]">Unsubscribe</a></p>',
    '',
  ].join('\r\n');
  if (octets === undefined) return text;
  const line = `${'x'.repeat(68)}\r\n`;
  const missing = octets - text.length;
  // The last line takes up what is left; it has two octets at least, for its CR LF.
  const lines = Math.floor((missing - 2) / line.length);
  const rest = missing - lines * line.length;
  return `${text}${line.repeat(lines)}${'x'.repeat(rest - 2)}\r\n`;
};

export const MESSAGE: TaskMessage = {
  from: SENDER,
  to: [RECIPIENT],
  content: { octets: messageOf() },
};
const TASK = { provider: 'devino', messages: [MESSAGE] } satisfies Partial<ClientTask>;
/** Credentials are for TLS only. */
const needsTls = (stage: At): boolean => stage === 'AUTH' || stage === 'STARTTLS';
const LOGIN: Partial<ClientTask> = {
  tls: 'starttls',
  auth: { user: CREDENTIALS.user, pass: CREDENTIALS.pass },
};

/** What that platform is likely to offer, the misspelt SIZE included. */
export const OFFERED: readonly string[] = [
  'AUTH PLAIN LOGIN CRAM-MD5 ANONYMOUS',
  'SIZE=512000',
  '8BITMIME',
];

/** The smtp-server package with one reply in place of its own. */
const honestly = (stage: At, reply: string): ServerPlan => {
  switch (stage) {
    case 'greeting':
      return honest({ answers: { greeting: reply } });
    case 'AUTH':
      return honest({
        tls: 'starttls',
        auth: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
        answers: { auth: [reply] },
      });
    case 'MAIL':
      return honest({ size: 512_000, answers: { mail: [reply] } });
    case 'RCPT':
      return honest({ answers: { rcpt: [reply] } });
    case 'EHLO':
    case 'STARTTLS':
    case 'DATA':
      return scripted(stage, reply);
    case 'dot':
      return honest({ answers: { dot: [reply] } });
  }
};

/** The scripted server with one reply in place of its own. */
const scripted = (stage: At, reply: string): ServerPlan => {
  if (stage === 'greeting') return script(send(...reply.split('\n')), converse());
  // A fault at EHLO is one at HELO too, for clients that then say that.
  const answers: Answers = { [stage]: reply, ...(stage === 'EHLO' ? { HELO: reply } : {}) };
  return good({ offers: OFFERED, answers, ...(needsTls(stage) ? { secure: OFFERED } : {}) });
};

/** What may not follow a refusal at a stage. */
const SPARED: Readonly<Record<At, readonly Claim[]>> = {
  greeting: [only(/^QUIT$/i, 'nothing but QUIT is said')],
  EHLO: [only(/^(EHLO|HELO|QUIT)\b/i, 'nothing but HELO and QUIT is said')],
  STARTTLS: [never(/^(AUTH|MAIL)\b/i, 'neither AUTH nor MAIL without TLS')],
  AUTH: [never(/^MAIL\b/i, 'no MAIL without a login')],
  MAIL: [noContent()],
  RCPT: [noContent()],
  // Content that no 354 has asked for is read as commands, which is seen to in every case.
  DATA: [],
  dot: [],
};

/** What a client has to tell of a refusal. */
export const told = (
  reason: RefusalReason,
  stage: At,
  details: Details = VALUES[reason]?.[1] ?? {},
): OutcomeExpectation => ({
  outcome: 'reject',
  code: 554,
  reason,
  stage,
  text: literal(REFUSALS[reason].text),
  delivery: stage === 'dot' ? 'rejected' : ['rejected', 'not-sent'],
  // A fault of the server is permanent by its code, and worth another try by its reason: both are right.
  ...(reason === 'server-error' ? {} : { temporary: false }),
  ...(stage === 'RCPT' ? { rejected: [{ address: RECIPIENT, code: 554 }] } : {}),
  ...details,
});

export interface Refusal {
  readonly title: string;
  readonly stage: At;
  /** Lines are parted by LF. */
  readonly reply: string;
  readonly expect: OutcomeExpectation;
  readonly task?: TaskPlan;
  /** Whether the smtp-server package says it, that has replies of one line only. Default: where it can. */
  readonly honest?: boolean;
}

export const refusal = ({ title, stage, reply, expect, task, ...more }: Refusal): Play => ({
  title,
  task: { ...TASK, ...(needsTls(stage) ? LOGIN : {}), ...task },
  server: ((more.honest ?? !reply.includes('\n')) ? honestly : scripted)(stage, reply),
  expect: { client: expect, wire: SPARED[stage] },
});

/** A documented refusal in one form. */
export const replay = (
  reason: RefusalReason,
  stage: At,
  [form, made]: Form,
  more: Partial<Refusal> = {},
): Play =>
  refusal({
    title: `${REFUSALS[reason].text} / ${stage} / ${form}`,
    stage,
    reply: made(documented(reason)),
    expect: told(reason, stage),
    ...more,
  });

/** A documented refusal at one stage, in one line and in every form. */
export const replays = (reason: RefusalReason, stage: At): readonly Play[] => [
  replay(reason, stage, ONE_LINE),
  // The smtp-server package greets after 100 ms; what it need not play is left to the scripted server.
  ...FORMS.map((form) => replay(reason, stage, form, { honest: false })),
];
