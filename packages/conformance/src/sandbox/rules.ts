/** The provider's rules as functions: each looks at one fact and gives a named verdict. Pure. */
import { domainToASCII } from 'node:url';
import type { Email } from 'postal-mime';
import type { Grade, RefusalReason, SandboxProfile, Stage } from './profile.ts';

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
  readonly rule:
    | 'auth'
    | 'sender'
    | 'recipient'
    | 'first-recipient'
    | 'size'
    | 'attachments'
    | 'charset'
    | 'tags'
    | 'fault';
  /** Where the rule is asked. */
  readonly stage: Stage;
  readonly outcome: 'pass' | 'warn' | 'refuse';
  /** How the rule is known. */
  readonly grade: Grade;
  /** What it found, in a sentence. */
  readonly detail: string;
  /** Why it refuses, where that is one of the provider's six reasons; `value` goes behind its text. */
  readonly refusal?: { readonly reason: RefusalReason; readonly value?: string };
}

/** The rules' settings. Everything that the provider does not document can be switched. */
export interface RuleSettings {
  readonly profile: SandboxProfile;
  readonly confirmedSenders: readonly string[];
  readonly invalidRecipient: (address: string) => boolean;
  readonly tags: 'off' | 'warn' | 'reject';
}

/** Addresses that are refused or fail without set-up: `554+internal@…`, `554+invalid@…`, and any at `.invalid` (RFC 2606 §2). */
export function isInvalidByName(address: string): boolean {
  return /^554\+invalid@|\.invalid$/i.test(address);
}

/** MAIL: the client has to be logged in. */
export function judgeAuthentication(user: string | undefined): Verdict {
  return {
    rule: 'auth',
    stage: 'mail',
    grade: 'documented',
    outcome: user ? 'pass' : 'refuse',
    detail: user ? `logged in as ${user}` : 'not logged in',
    ...(!user && { refusal: { reason: 'not-authenticated' } }),
  };
}

/** MAIL: the sender has to be confirmed. */
export function judgeSender(address: string, { confirmedSenders }: RuleSettings): Verdict {
  const confirmed = confirmedSenders.some((one) => same(one, address));
  return {
    rule: 'sender',
    stage: 'mail',
    grade: 'documented',
    outcome: confirmed ? 'pass' : 'refuse',
    detail: confirmed
      ? `${address} is confirmed`
      : `${address || 'the null sender'} is not a confirmed sender`,
    ...(!confirmed && { refusal: { reason: 'sender-not-confirmed', value: address } }),
  };
}

/** RCPT: the recipient has to be valid. */
export function judgeRecipient(address: string, { invalidRecipient }: RuleSettings): Verdict {
  const invalid = isInvalidByName(address) || invalidRecipient(address);
  return {
    rule: 'recipient',
    stage: 'rcpt',
    grade: 'documented',
    outcome: invalid ? 'refuse' : 'pass',
    detail: `${address} is ${invalid ? 'not ' : ''}a valid recipient`,
    ...(invalid && { refusal: { reason: 'invalid-recipient', value: address } }),
  };
}

/** RCPT: some recipients ask for a fault of the server. */
export function judgeFault(address: string): Verdict | undefined {
  if (!/^554\+internal@/i.test(address)) return undefined;
  return {
    rule: 'fault',
    stage: 'data',
    outcome: 'refuse',
    grade: 'guess',
    detail: 'asked for by the recipient',
    refusal: { reason: 'server-error' },
  };
}

/** Behind the content: its size. */
export function judgeSize(size: number, { profile }: RuleSettings): Verdict {
  const large = size > profile.maxSize;
  return {
    rule: 'size',
    stage: 'data',
    grade: profile.grades.maxSize,
    outcome: large ? 'refuse' : 'pass',
    detail: `${size} of ${profile.maxSize} octets`,
    ...(large && { refusal: { reason: 'too-large' } }),
  };
}

/** Behind the content: recipients, files, charset and tags. */
export function judgeContent(
  mail: Email,
  raw: Uint8Array,
  recipients: readonly string[],
  settings: RuleSettings,
): Verdict[] {
  return [
    judgeCount(mail, recipients),
    judgeAttachments(mail, settings),
    judgeCharset(raw),
    judgeTags(mail, settings),
  ];
}

function judgeCount(mail: Email, recipients: readonly string[]): Verdict {
  const named = (mail.to ?? []).flatMap((one) => one.group ?? [one]).length;
  const several = recipients.length > 1 || named > 1;
  return {
    rule: 'first-recipient',
    stage: 'data',
    grade: 'documented',
    outcome: several ? 'warn' : 'pass',
    detail: several
      ? `${recipients.length} recipients, ${named} in To: only the first is sent to`
      : 'one recipient',
  };
}

function judgeAttachments(mail: Email, { profile }: RuleSettings): Verdict {
  const base = { rule: 'attachments', stage: 'data', grade: profile.grades.attachments } as const;
  for (const { filename, mimeType } of mail.attachments) {
    const extension = filename?.includes('.')
      ? filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
      : (mimeType.split('/')[1] ?? '');
    if (profile.attachments === 'none' || profile.attachments.includes(extension)) {
      return {
        ...base,
        outcome: 'refuse',
        detail: `a file of type ${extension}`,
        refusal: { reason: 'attachment-type', value: extension },
      };
    }
  }
  return {
    ...base,
    outcome: 'pass',
    detail: mail.attachments.length > 0 ? 'only allowed files' : 'no files',
  };
}

/** postal-mime decodes each part by its charset but does not name it, so Content-Type fields are looked for. */
function judgeCharset(raw: Uint8Array): Verdict {
  const source = new TextDecoder('latin1').decode(raw);
  const fields = source.match(/^Content-Type:(?:[^\r\n]|\r\n[ \t])*/gim) ?? [];
  const charsets = fields.map((field) => /;\s*charset="?([\w-]+)/i.exec(field)?.[1] ?? 'UTF-8');
  const other = charsets.find((charset) => !/^(utf-?8|us-ascii)$/i.test(charset));
  return {
    rule: 'charset',
    stage: 'data',
    grade: 'documented',
    outcome: other ? 'warn' : 'pass',
    detail: other ? `a part is in ${other}, not in UTF-8` : 'UTF-8',
  };
}

function judgeTags(mail: Email, { tags, profile }: RuleSettings): Verdict {
  const source = `${mail.text ?? ''}${mail.html ?? ''}`;
  const missing = profile.tags.filter((tag) => !source.includes(tag));
  return {
    rule: 'tags',
    stage: 'data',
    // The page demands the links; what happens without them, and with which reply, nobody documents.
    grade: 'guess',
    outcome: missing.length === 0 || tags === 'off' ? 'pass' : tags === 'warn' ? 'warn' : 'refuse',
    detail: missing.length > 0 ? `without ${missing.join(' and ')}` : 'all tags',
  };
}

/** Domains compare without case (RFC 5321 §2.4) and as A-labels (RFC 5890 §2.3.2.1), local parts with it. */
function same(a: string, b: string): boolean {
  const [at, other] = [a.lastIndexOf('@'), b.lastIndexOf('@')];
  return (
    a.slice(0, at) === b.slice(0, other) &&
    comparable(a.slice(at + 1)) === comparable(b.slice(other + 1))
  );
}

function comparable(domain: string): string {
  return domainToASCII(domain) || domain.toLowerCase();
}
