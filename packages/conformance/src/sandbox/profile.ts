/**
 * What is known of the provider, as data: its refusals, its limits, and what nobody documents with the
 * value that the sandbox assumes. Knows nothing of SMTP servers.
 */

/**
 * How a fact is known: stated by the provider, seen in practice, or assumed by the sandbox.
 *
 * @example
 * ```ts
 * import { type Grade, PROFILES } from '@posthorn/conformance';
 *
 * const grade: Grade = PROFILES['2017-10'].grades.stages;
 * console.log(grade); // guess
 * ```
 */
export type Grade = 'documented' | 'observed' | 'guess';

/**
 * The reasons of the provider's 554s.
 *
 * @example
 * ```ts
 * import { REFUSALS, type RefusalReason } from '@posthorn/conformance';
 *
 * const reason: RefusalReason = 'too-large';
 * console.log(REFUSALS[reason].text); // Message exceeds fixed size limit
 * ```
 */
export type RefusalReason =
  | 'not-authenticated'
  | 'server-error'
  | 'attachment-type'
  | 'too-large'
  | 'invalid-recipient'
  | 'sender-not-confirmed';

/**
 * Where a refusal can be given: the greeting, AUTH, MAIL, RCPT, or behind the content.
 *
 * @example
 * ```ts
 * import { type Stage, startSandbox } from '@posthorn/conformance';
 *
 * const late: Stage = 'data';
 * const sandbox = await startSandbox({ stages: { 'invalid-recipient': late } });
 * await sandbox.close();
 * ```
 */
export type Stage = 'connect' | 'auth' | 'mail' | 'rcpt' | 'data';

/** The stages, in their order. */
export const STAGES: readonly Stage[] = ['connect', 'auth', 'mail', 'rcpt', 'data'];

/**
 * Each refusal's text, verbatim, and where the sandbox gives it unless told otherwise. Behind the text of
 * 'attachment-type' goes the extension, behind those of the last two the address.
 *
 * @example
 * ```ts
 * import { REFUSALS } from '@posthorn/conformance';
 *
 * console.log(Object.values(REFUSALS).filter(({ stage }) => stage === 'data').length); // 3
 * ```
 */
export const REFUSALS: Readonly<
  Record<RefusalReason, { readonly text: string; readonly stage: Stage }>
> = {
  'not-authenticated': { text: 'Must authenticate before sending mail', stage: 'mail' },
  'server-error': { text: 'Internal server error', stage: 'data' },
  'attachment-type': { text: 'Not allowed attachement type', stage: 'data' },
  'too-large': { text: 'Message exceeds fixed size limit', stage: 'data' },
  'invalid-recipient': { text: 'Invalid recipient address:', stage: 'rcpt' },
  'sender-not-confirmed': { text: 'Disallowed source address:', stage: 'mail' },
};

/** Where each refusal can be given: from the stage on at which its reason is known. */
export const POSSIBLE_STAGES: Readonly<Record<RefusalReason, readonly Stage[]>> = {
  'not-authenticated': ['auth', 'mail', 'rcpt', 'data'],
  'server-error': ['rcpt', 'data'],
  'attachment-type': ['data'],
  // At MAIL where its SIZE parameter declares too much (RFC 1870 §6.1), the rest behind the content.
  'too-large': ['mail', 'data'],
  'invalid-recipient': ['rcpt', 'data'],
  'sender-not-confirmed': ['mail', 'rcpt', 'data'],
};

/** Which page of the provider: by its date, or that of the platform that came after. */
export type ProfileVersion = '2016' | '2017-10' | 'successor';

/**
 * A version of the provider's rules.
 *
 * @example
 * ```ts
 * import { PROFILES, type SandboxProfile } from '@posthorn/conformance';
 *
 * const { maxSize, tags }: SandboxProfile = PROFILES['2017-10'];
 * console.log(maxSize, tags.join(' ')); // 512000 [Unsubscribe] [WebVersion]
 * ```
 */
export interface SandboxProfile {
  readonly version: ProfileVersion;
  /** Octets on the wire, CR LF counted. */
  readonly maxSize: number;
  /** Which files are allowed: none, any, or all but those with these file name extensions. */
  readonly attachments: 'none' | 'any' | readonly string[];
  /** Tags that the text has to hold. */
  readonly tags: readonly string[];
  /** What a missing tag costs, unless told otherwise. Default 'warn'. */
  readonly missingTag?: 'warn' | 'reject';
  /** 'domain': a confirmed sender stands for each address of its domain. Default 'address'. */
  readonly senders?: 'address' | 'domain';
  /** What each of it rests on. */
  readonly grades: Readonly<Record<'maxSize' | 'attachments' | 'tags' | 'stages', Grade>>;
}

const BANNED_2016 =
  'adp bat chm cmd com cpl exe hta ins isp jar js jse lib lnk mde msc msp mst pif scr sct shb sys vb vbe vbs vxd wsc wsf wsh'.split(
    ' ',
  );

/**
 * The versions of the rules, by their date.
 *
 * @example
 * ```ts
 * import { PROFILES } from '@posthorn/conformance';
 *
 * console.log(Object.keys(PROFILES).sort().join(' ')); // 2016 2017-10 successor
 * ```
 */
export const PROFILES: Readonly<Record<ProfileVersion, SandboxProfile>> = {
  '2016': {
    version: '2016',
    maxSize: 10_485_760,
    attachments: BANNED_2016,
    tags: [],
    grades: { maxSize: 'documented', attachments: 'documented', tags: 'guess', stages: 'guess' },
  },
  '2017-10': {
    version: '2017-10',
    // "500 КБ" is read as 500 × 1,024; the other reading is an option away.
    maxSize: 512_000,
    attachments: 'none',
    tags: ['[Unsubscribe]', '[WebVersion]'],
    grades: {
      maxSize: 'documented',
      attachments: 'documented',
      tags: 'documented',
      stages: 'guess',
    },
  },
  successor: {
    version: 'successor',
    maxSize: 512_000,
    attachments: 'none',
    tags: ['[Unsubscribe]', '[WebVersion]'],
    missingTag: 'reject',
    senders: 'domain',
    grades: {
      maxSize: 'documented',
      attachments: 'documented',
      tags: 'documented',
      stages: 'guess',
    },
  },
};
