/** The provider's rules as functions: each looks at one fact and gives a named verdict. Pure. */
import { domainToASCII } from 'node:url';
import { magicRefusal } from './platform/magic.ts';
import type { Grade, RefusalReason, SandboxProfile, Stage } from './profile.ts';
import { QUOTATIONS } from './quotations.ts';

/** The rules, in the order in which they are asked. */
export type RuleName =
  | 'ip-allow'
  | 'tls'
  | 'auth'
  | 'sender'
  | 'recipient'
  | 'fault'
  | 'size'
  | 'mime'
  | 'first-recipient'
  | 'attachments'
  | 'charset'
  | 'tags'
  | 'filter';

/**
 * What one rule said.
 *
 * @example
 * ```ts
 * import type { Verdict } from '@posthorn/conformance';
 *
 * const line = ({ rule, outcome, detail }: Verdict): string => `${rule}: ${outcome}, ${detail}`;
 * const said: Verdict = { rule: 'size', stage: 'data', outcome: 'pass', grade: 'documented', detail: '9 octets' };
 * console.log(line(said)); // size: pass, 9 octets
 * ```
 */
export interface Verdict {
  readonly rule: RuleName;
  /** Where the rule is asked. */
  readonly stage: Stage;
  readonly outcome: 'pass' | 'warn' | 'refuse';
  /** How the rule is known. */
  readonly grade: Grade;
  /** What it found, in a sentence. */
  readonly detail: string;
  /** The provider's own words for the rule, where there are any. */
  readonly quotation?: string;
  /** Why it refuses, where that is one of the provider's six reasons; `value` goes behind its text. */
  readonly refusal?: { readonly reason: RefusalReason; readonly value?: string };
  /** What was answered, where it refused: code and text. */
  readonly reply?: string;
}

/** The rules' settings. Everything that the provider does not document can be switched. */
export interface RuleSettings {
  readonly profile: SandboxProfile;
  readonly requireAuth: boolean;
  /** Whether a sender is confirmed. */
  readonly isConfirmed: (address: string) => boolean;
  readonly invalidRecipient: (address: string) => boolean;
  readonly furtherRecipients: 'ignore' | 'refuse';
  readonly charset: 'off' | 'warn' | 'reject';
  readonly tags: 'off' | 'warn' | 'reject';
  readonly magic: boolean;
  /** Rules whose limits are an option's and not the provider's. */
  readonly overridden: readonly RuleName[];
}

/** The names of a rule's facts among the quotations. */
const FACTS: Partial<Record<RuleName, readonly string[]>> = {
  'ip-allow': ['allowList'],
  tls: ['ports'],
  auth: ['credentials'],
  sender: ['sender'],
  recipient: ['recipient'],
  'first-recipient': ['recipients'],
  size: ['maxSize'],
  attachments: ['bannedFiles'],
  charset: ['charset'],
  tags: ['links', 'unsubscribeTag'],
  filter: ['filtered'],
};

/** What a rule found, before the provider's words are put beside it. */
export type Found = Omit<Verdict, 'quotation'>;

/**
 * With the provider's words, as its version has them. Without any, and where an option says otherwise than they do, what
 * is called documented is a guess.
 */
export function quoted(found: Found, { profile, overridden }: RuleSettings): Verdict {
  const words = QUOTATIONS[profile.version];
  const quotation = (FACTS[found.rule] ?? [])
    .map((fact) => words[fact]?.quotation)
    .find((one) => one !== undefined);
  if (quotation === undefined || overridden.includes(found.rule))
    return found.grade === 'documented' ? { ...found, grade: 'guess' } : found;
  return { ...found, quotation };
}

/** Before the greeting: the client's address has to be known. */
export function judgeAddress(address: string, known: boolean, settings: RuleSettings): Verdict {
  return quoted(
    {
      rule: 'ip-allow',
      stage: 'connect',
      grade: 'documented',
      outcome: known ? 'pass' : 'refuse',
      detail: known ? `${address} may connect` : `${address} is not on the list`,
    },
    settings,
  );
}

/** MAIL: the connection has to be under TLS. Without it no login is offered, so it refuses nothing of its own. */
export function judgeTls(secure: boolean, settings: RuleSettings): Verdict {
  return quoted(
    {
      rule: 'tls',
      stage: 'mail',
      grade: 'documented',
      outcome: secure ? 'pass' : 'warn',
      detail: secure ? 'under TLS' : 'not under TLS: whoever is between can read it',
    },
    settings,
  );
}

/** MAIL: the client has to be logged in. */
export function judgeAuthentication(user: string | undefined, settings: RuleSettings): Verdict {
  const passes = user !== undefined || !settings.requireAuth;
  return quoted(
    {
      rule: 'auth',
      stage: 'mail',
      grade: 'documented',
      outcome: passes ? 'pass' : 'refuse',
      detail: user === undefined ? 'not logged in' : `logged in as ${user}`,
      ...(!passes && { refusal: { reason: 'not-authenticated' } }),
    },
    settings,
  );
}

/** MAIL: the sender has to be confirmed. */
export function judgeSender(address: string, settings: RuleSettings): Verdict {
  const confirmed = settings.isConfirmed(address);
  return quoted(
    {
      rule: 'sender',
      stage: 'mail',
      grade: 'documented',
      outcome: confirmed ? 'pass' : 'refuse',
      detail: confirmed
        ? `${address || 'the null sender'} is confirmed`
        : `${address || 'the null sender'} is not a confirmed sender`,
      ...(!confirmed && { refusal: { reason: 'sender-not-confirmed', value: address } }),
    },
    settings,
  );
}

/** RCPT: the recipient has to be valid; `further` of those before. Any at `.invalid` is not (RFC 2606 §2). */
export function judgeRecipient(address: string, further: number, settings: RuleSettings): Verdict {
  const bad =
    /[@.]invalid$/i.test(address) ||
    (settings.magic && magicRefusal(address) === 'invalid-recipient') ||
    settings.invalidRecipient(address);
  const surplus = further > 0 && settings.furtherRecipients === 'refuse';
  return quoted(
    {
      rule: 'recipient',
      stage: 'rcpt',
      grade: surplus && !bad ? 'guess' : 'documented',
      outcome: bad || surplus ? 'refuse' : 'pass',
      detail:
        surplus && !bad
          ? `${address} is a further recipient`
          : `${address} is ${bad ? 'not ' : ''}a valid recipient`,
      ...((bad || surplus) && { refusal: { reason: 'invalid-recipient', value: address } }),
    },
    settings,
  );
}

/** RCPT: some recipients ask for a refusal by their name. */
export function judgeFault(
  address: string,
  from: string,
  settings: RuleSettings,
): Verdict | undefined {
  const reason = settings.magic ? magicRefusal(address) : undefined;
  if (reason === undefined || reason === 'invalid-recipient') return undefined;
  return {
    rule: 'fault',
    stage: 'rcpt',
    outcome: 'refuse',
    grade: 'guess',
    detail: `asked for by the recipient ${address}`,
    refusal: {
      reason,
      ...(reason === 'attachment-type' && { value: 'exe' }),
      ...(reason === 'sender-not-confirmed' && { value: from }),
    },
  };
}

/** Behind the content: its size. */
export function judgeSize(size: number, settings: RuleSettings): Verdict {
  const { profile } = settings;
  const large = size > profile.maxSize;
  return quoted(
    {
      rule: 'size',
      stage: 'data',
      grade: profile.grades.maxSize,
      outcome: large ? 'refuse' : 'pass',
      detail: `${size} of ${profile.maxSize} octets`,
      ...(large && { refusal: { reason: 'too-large' } }),
    },
    settings,
  );
}

/** AUTH: login and password have to be right. */
export function judgePassword(settings: RuleSettings): Verdict {
  return quoted(
    {
      rule: 'auth',
      stage: 'auth',
      grade: 'documented',
      outcome: 'refuse',
      detail: 'wrong login or password',
      refusal: { reason: 'not-authenticated' },
    },
    settings,
  );
}

/** Behind the content: it has to be readable. `fault` is why it is not. */
export function judgeMime(fault: string | undefined): Verdict {
  return {
    rule: 'mime',
    stage: 'data',
    grade: 'guess',
    outcome: fault === undefined ? 'pass' : 'refuse',
    detail: fault === undefined ? 'it can be read' : `it cannot be read: ${fault}`,
    ...(fault !== undefined && { refusal: { reason: 'server-error', value: `(${fault})` } }),
  };
}

/** MAIL or RCPT: what stands between < and > is no address. */
export function judgeMalformed(
  stage: 'mail' | 'rcpt',
  address: string,
  settings: RuleSettings,
): Verdict {
  return quoted(
    {
      rule: stage === 'mail' ? 'sender' : 'recipient',
      stage,
      grade: 'documented',
      outcome: 'refuse',
      detail: `${address} is no address`,
      refusal: {
        reason: stage === 'mail' ? 'sender-not-confirmed' : 'invalid-recipient',
        value: address,
      },
    },
    settings,
  );
}

/** The provider filters those who unsubscribed and those who bounced hard. */
export function judgeFilter(
  recipient: string,
  why: 'unsubscribed' | 'hard-bounced' | undefined,
  refuse: boolean,
  settings: RuleSettings,
): Verdict {
  return quoted(
    {
      rule: 'filter',
      stage: 'data',
      // That it is filtered is documented, that it is refused is not.
      grade: refuse ? 'guess' : 'documented',
      outcome: why === undefined ? 'pass' : refuse ? 'refuse' : 'warn',
      detail: why === undefined ? 'nothing filtered' : `${recipient} is filtered: ${why}`,
      ...(why !== undefined &&
        refuse && { refusal: { reason: 'invalid-recipient', value: recipient } }),
    },
    settings,
  );
}

/**
 * Whether an address is confirmed by an entry: itself, or `@domain` for all of a domain. Domains compare without case
 * (RFC 5321 §2.4) and as A-labels (RFC 5890 §2.3.2.1), local parts with it.
 */
export function confirms(entry: string, address: string, wholeDomain = false): boolean {
  const [at, other] = [entry.lastIndexOf('@'), address.lastIndexOf('@')];
  const local = entry.slice(0, at);
  return (
    other >= 0 &&
    (at === 0 || wholeDomain || local === address.slice(0, other)) &&
    comparable(entry.slice(at + 1)) === comparable(address.slice(other + 1))
  );
}

function comparable(domain: string): string {
  return domainToASCII(domain) || domain.toLowerCase();
}
