/** The sandbox's options: their defaults and what cannot be used. Knows nothing of servers. */
import { isIP, isIPv4 } from 'node:net';
import { inspect } from 'node:util';
import type { Fault } from './faults.ts';
import { EVENT_TYPES, type EventType } from './platform/events.ts';
import {
  POSSIBLE_STAGES,
  PROFILES,
  type ProfileVersion,
  type RefusalReason,
  type Stage,
} from './profile.ts';

/** A keyword of EHLO that can be left out. */
export type HiddenKeyword = 'PIPELINING' | '8BITMIME' | 'SMTPUTF8' | 'STARTTLS';

/** Who is told of events; `SandboxOptions` has it. */
export interface CallbackOptions {
  /** An http or https address. */
  readonly url: string;
  /** Default 'json'. */
  readonly format?: 'json' | 'xml';
  /** Default: all. */
  readonly events?: readonly EventType[];
}

/**
 * How a sandbox is set up. Everything has a default. Sizes are octets.
 *
 * @example
 * ```ts
 * import type { SandboxOptions } from '@posthorn/conformance';
 *
 * const strict: SandboxOptions = {
 *   credentials: { shop: 'secret' },
 *   confirmedSenders: ['news@example.com'],
 *   tags: 'reject',
 *   stages: { 'sender-not-confirmed': 'data' },
 * };
 * ```
 */
export interface SandboxOptions {
  /** Port of the STARTTLS server, as 587 of the provider. Default 0: a free one. */
  readonly smtp?: number;
  /** Port of the server with TLS from the first octet, as 465. Default 0: a free one. */
  readonly smtps?: number;
  /** Port of its pages and its REST interface; false: none, and the tags lead nowhere. Default 0: a free one. */
  readonly http?: number | false;
  /** Where its pages are for those who get the messages. Default: `http://localhost:<port>`. */
  readonly publicUrl?: string;
  /** Address to bind to. Anything but loopback needs `unsafeBind`. Default '127.0.0.1'. */
  readonly bind?: string;
  /** Allows another address than loopback: everybody who reaches it can use the sandbox. Default false. */
  readonly unsafeBind?: boolean;
  /** Version of the provider's rules. Default '2017-10'. */
  readonly profile?: ProfileVersion;
  /** Logins and their passwords. Default `{ '1website': 'test' }`, the page's own. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Whether a client has to log in before it sends. Default true. */
  readonly requireAuth?: boolean;
  /** Of AUTH. Default `['LOGIN', 'PLAIN']`. */
  readonly authMethods?: readonly ('PLAIN' | 'LOGIN' | 'XOAUTH2' | 'CRAM-MD5')[];
  /** Addresses, `@domain` for all of a domain, or 'any'. Default `['noreplay@devinotele.com']`, the page's own. */
  readonly confirmedSenders?: readonly string[] | 'any';
  /** IP addresses of clients that may connect; others are greeted with a 554. Default: any. */
  readonly allowedAddresses?: readonly string[];
  /** Recipients to refuse, beside those that are refused by name. Where it throws, the recipient is told of a server error. */
  readonly invalidRecipient?: (address: string) => boolean;
  /** In octets, CR LF counted. 500 KB can also be read as 500,000. Default: of the profile, 512,000. */
  readonly maxSize?: number;
  /** Which files are allowed: none, any, or all but those with these extensions. Default: of the profile. */
  readonly attachments?: 'none' | 'any' | readonly string[];
  /** A recipient behind the first: accepted and not sent to, or refused. Default 'ignore'. */
  readonly furtherRecipients?: 'ignore' | 'refuse';
  /** What a text in another charset than UTF-8 costs. Default 'warn'. */
  readonly charset?: 'off' | 'warn' | 'reject';
  /** What a message to a filtered recipient is answered: 250, and it shows in the statistics only, or a refusal. Default 'accept'. */
  readonly filtered?: 'accept' | 'refuse';
  /** What a missing tag costs. Default: of the profile, 'warn' in 2017-10. */
  readonly tags?: 'off' | 'warn' | 'reject';
  /**
   * Where refusals are given, if not where the profile guesses. 'not-authenticated' at 'auth' refuses a wrong
   * password with 554 in place of 535. 'too-large' at 'mail' refuses what MAIL declares with `SIZE=` there, and
   * the rest behind the content.
   */
  readonly stages?: Partial<Record<RefusalReason, Stage>>;
  /** Put before each refusal's text, for instance 'Transaction failed: '. Default ''. */
  readonly prefix?: string;
  /** Whether refusals carry enhanced status codes (RFC 2034). Default false. */
  readonly enhancedStatusCodes?: boolean;
  /**
   * Whether EHLO announces SIZE (RFC 1870): a client that heeds it never sees the documented 554, and one that
   * declares too much gets 552 for MAIL. Default false.
   */
  readonly announceSize?: boolean;
  /** Keywords that EHLO does not offer. Default: none; it offers these four, and AUTH. */
  readonly hide?: readonly HiddenKeyword[];
  /** The text of the last 250; `{id}` stands for the message's. Default 'Ok: queued as {id}'. */
  readonly acceptedText?: string;
  /** Admits TLS 1.0 and what goes with it, as the .NET of Mono speaks it. Default false. */
  readonly legacyTls?: boolean;
  /** What goes wrong, in order. Default: nothing. */
  readonly faults?: readonly Fault[];
  /** Whether recipients such as `bounce+bad-mailbox@`, `open@` and `554+internal@` do what they say. Default true. */
  readonly magic?: boolean;
  /** 'manual': accepted messages stay NotSent until an event is recorded. Default 'auto'. */
  readonly deliver?: 'auto' | 'manual';
  /** Whether what is refused behind its content counts as Rejected in the statistics. Default true. */
  readonly countRefused?: boolean;
  /** Who is told of events. Default: nobody. */
  readonly callback?: CallbackOptions;
  /** Makes ids, and the names of links, the same in each run. Default: random. */
  readonly seed?: string;
  /** A folder that keeps messages, lists and counts across restarts. Default: memory alone. */
  readonly data?: string;
  /** How many messages are kept. Default 1,000. */
  readonly retention?: number;
  /** How many octets of messages are kept. Default 268,435,456. */
  readonly retentionOctets?: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** Whether a reply can hold it: smtp-server puts a blank in place of each control character. */
export function isOneLine(text: unknown): text is string {
  return typeof text === 'string' && !CONTROL.test(text);
}

/** Why a value cannot be used; nothing where it can. */
type Check = (value: unknown) => string | undefined;

const whole =
  (from: number, to: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= from && Number(value) <= to
      ? undefined
      : `it has to be a whole number from ${from} to ${to}`;

const oneOf =
  (...all: readonly string[]): Check =>
  (value) =>
    all.includes(value as string) ? undefined : `there are ${all.map(quoted).join(', ')}`;

const flag: Check = (value) =>
  typeof value === 'boolean' ? undefined : 'it has to be true or false';

const listOf =
  (what: string, fits: (one: unknown) => boolean): Check =>
  (value) =>
    Array.isArray(value) && value.every(fits) ? undefined : `it has to be a list of ${what}`;

const text: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'it has to be a text';

/** RFC 5321 §4.5.3.1.5: a reply line is 512 octets at the most; an address or an id goes behind it. */
const LONGEST_TEXT = 200;

function replyText(value: unknown): string | undefined {
  if (!isOneLine(value)) return 'a reply here is one line of text';
  return value.length <= LONGEST_TEXT ? undefined : `it has ${LONGEST_TEXT} characters at the most`;
}

function httpUrl(value: unknown): string | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? undefined
    : 'it has to be an http or https address, without a login in it';
}

/** Why a callback cannot be used; nothing where it can. */
export function checkCallback(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it has to be an object with a url';
  const { url, format = 'json', events = [], ...other } = value;
  const [surplus] = Object.keys(other);
  return (
    httpUrl(url) ??
    oneOf('json', 'xml')(format) ??
    listOf(EVENT_TYPES.join(', '), (one) => EVENT_TYPES.includes(one as EventType))(events) ??
    (surplus === undefined ? undefined : `there is no ${quoted(surplus)} in it`)
  );
}

/** Each option that there is. */
const CHECKS: { readonly [Name in keyof SandboxOptions]-?: Check } = {
  smtp: whole(0, 65_535),
  smtps: whole(0, 65_535),
  http: (value) => (value === false ? undefined : whole(0, 65_535)(value)),
  publicUrl: (value) =>
    httpUrl(value) ??
    (/[?#]/.test(value as string) ? 'links are put behind it: it can have no query' : undefined),
  bind: (value) => (typeof value === 'string' ? undefined : 'it has to be an address'),
  unsafeBind: flag,
  profile: oneOf(...Object.keys(PROFILES)),
  credentials: (value) =>
    isRecord(value) &&
    Object.entries(value).every(
      ([user, pass]) => user !== '' && typeof pass === 'string' && pass !== '',
    )
      ? undefined
      : 'they have to be logins with their passwords',
  requireAuth: flag,
  authMethods: listOf('PLAIN, LOGIN, XOAUTH2, CRAM-MD5', (one) =>
    ['PLAIN', 'LOGIN', 'XOAUTH2', 'CRAM-MD5'].includes(one as string),
  ),
  confirmedSenders: (value) =>
    value === 'any'
      ? undefined
      : listOf('addresses', (one) => typeof one === 'string' && one.includes('@'))(value),
  allowedAddresses: listOf('IP addresses', (one) => typeof one === 'string' && isIP(one) !== 0),
  invalidRecipient: (value) =>
    typeof value === 'function' ? undefined : 'it has to be a function of an address',
  maxSize: whole(1, Number.MAX_SAFE_INTEGER),
  attachments: (value) =>
    value === 'none' || value === 'any'
      ? undefined
      : listOf('extensions', (one) => typeof one === 'string')(value),
  furtherRecipients: oneOf('ignore', 'refuse'),
  charset: oneOf('off', 'warn', 'reject'),
  filtered: oneOf('accept', 'refuse'),
  tags: oneOf('off', 'warn', 'reject'),
  stages: checkStages,
  prefix: replyText,
  enhancedStatusCodes: flag,
  announceSize: flag,
  hide: listOf('PIPELINING, 8BITMIME, SMTPUTF8, STARTTLS', (one) =>
    ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'STARTTLS'].includes(one as string),
  ),
  acceptedText: replyText,
  legacyTls: flag,
  faults: listOf('faults', isRecord),
  magic: flag,
  deliver: oneOf('auto', 'manual'),
  countRefused: flag,
  callback: checkCallback,
  seed: text,
  data: text,
  retention: whole(1, Number.MAX_SAFE_INTEGER),
  retentionOctets: whole(1, Number.MAX_SAFE_INTEGER),
};

/** @throws TypeError for what would be ignored, or lead to something else than it says */
export function checkOptions(options: SandboxOptions): void {
  const given: unknown = options;
  if (!isRecord(given)) throw new TypeError(`Cannot use ${inspect(given)} as options`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(CHECKS, name))
      throw new TypeError(
        `There is no option ${quoted(name)}: there are ${Object.keys(CHECKS).join(', ')}`,
      );
    const why = value === undefined ? undefined : CHECKS[name as keyof SandboxOptions](value);
    if (why === undefined) continue;
    // Passwords do not belong into a message.
    const shown = ['credentials', 'callback', 'publicUrl'].includes(name)
      ? 'this'
      : inspect(value, { breakLength: Infinity });
    throw new TypeError(`Cannot use ${shown} as ${name}: ${why}`);
  }
  const { bind = '127.0.0.1', smtp, smtps } = options;
  if (!isLoopback(bind) && !options.unsafeBind)
    throw new TypeError(
      `Cannot bind to ${quoted(bind)}: it is not loopback; set unsafeBind to let others in`,
    );
  if (smtp && smtp === smtps)
    throw new TypeError(`Cannot use ${smtps} as smtps: it is the port of the STARTTLS server`);
  const { http, seed, data } = options;
  if (http && (http === smtp || http === smtps))
    throw new TypeError(`Cannot use ${http} as http: it is the port of an SMTP server`);
  if (seed !== undefined && data !== undefined)
    throw new TypeError('Cannot use seed with data: names would come twice');
}

/** Whether only this machine can reach it there. */
export function isLoopback(bind: string): boolean {
  return (isIPv4(bind) && bind.startsWith('127.')) || /^(::1|localhost)$/.test(bind);
}

function checkStages(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it has to be refusals with their stages';
  for (const [reason, stage] of Object.entries(value)) {
    if (!Object.hasOwn(POSSIBLE_STAGES, reason)) return `there is no refusal ${quoted(reason)}`;
    const possible = POSSIBLE_STAGES[reason as RefusalReason];
    if (stage !== undefined && !possible.includes(stage as Stage))
      return `${quoted(reason)} can be given at ${possible.map(quoted).join(', ')}`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quoted(text: string): string {
  return inspect(text);
}
