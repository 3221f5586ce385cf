/** The sandbox's options: their defaults and what cannot be used. Knows nothing of servers. */
import { isIP, isIPv4 } from 'node:net';
import { inspect } from 'node:util';
import type { Fault } from './faults.ts';
import { POSSIBLE_STAGES, PROFILES, type RefusalReason, type Stage } from './profile.ts';

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
  /** Address to bind to. Anything but loopback needs `unsafeBind`. Default '127.0.0.1'. */
  readonly bind?: string;
  /** Allows another address than loopback: everybody who reaches it can use the sandbox. Default false. */
  readonly unsafeBind?: boolean;
  /** Version of the provider's rules. Default '2017-10'. */
  readonly profile?: keyof typeof PROFILES;
  /** Logins and their passwords. Default `{ '1website': 'test' }`, the page's own. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Default `['noreplay@devinotele.com']`, the page's own. */
  readonly confirmedSenders?: readonly string[];
  /** IP addresses of clients that may connect. Default: any. */
  readonly allowedAddresses?: readonly string[];
  /** Recipients to refuse, beside those that are refused by name. Where it throws, the recipient is told of a server error. */
  readonly invalidRecipient?: (address: string) => boolean;
  /** In octets, CR LF counted. Default: of the profile, 512,000. */
  readonly maxSize?: number;
  /** What a missing tag costs. Default 'warn'. */
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
  /** What goes wrong, in order. Default: nothing. */
  readonly faults?: readonly Fault[];
  /** How many messages are kept. Default 1,000. */
  readonly retention?: number;
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

/** Each option that there is. */
const CHECKS: { readonly [Name in keyof SandboxOptions]-?: Check } = {
  smtp: whole(0, 65_535),
  smtps: whole(0, 65_535),
  bind: (value) => (typeof value === 'string' ? undefined : 'it has to be an address'),
  unsafeBind: flag,
  profile: oneOf(...Object.keys(PROFILES)),
  credentials: (value) =>
    isRecord(value) &&
    Object.entries(value).every(([user, pass]) => user !== '' && typeof pass === 'string')
      ? undefined
      : 'they have to be logins with their passwords',
  confirmedSenders: listOf('addresses', (one) => typeof one === 'string'),
  allowedAddresses: listOf('IP addresses', (one) => typeof one === 'string' && isIP(one) !== 0),
  invalidRecipient: (value) =>
    typeof value === 'function' ? undefined : 'it has to be a function of an address',
  maxSize: whole(1, Number.MAX_SAFE_INTEGER),
  tags: oneOf('off', 'warn', 'reject'),
  stages: checkStages,
  prefix: (value) => (isOneLine(value) ? undefined : 'a reply here is one line of text'),
  enhancedStatusCodes: flag,
  announceSize: flag,
  faults: listOf('faults', isRecord),
  retention: whole(1, Number.MAX_SAFE_INTEGER),
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
    const shown = name === 'credentials' ? 'this' : inspect(value, { breakLength: Infinity });
    throw new TypeError(`Cannot use ${shown} as ${name}: ${why}`);
  }
  const { bind = '127.0.0.1', smtp, smtps } = options;
  const loopback = (isIPv4(bind) && bind.startsWith('127.')) || /^(::1|localhost)$/.test(bind);
  if (!loopback && !options.unsafeBind)
    throw new TypeError(
      `Cannot bind to ${quoted(bind)}: it is not loopback; set unsafeBind to let others in`,
    );
  if (smtp && smtp === smtps)
    throw new TypeError(`Cannot use ${smtps} as smtps: it is the port of the STARTTLS server`);
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
