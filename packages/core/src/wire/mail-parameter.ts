/**
 * The parameters of MAIL and RCPT, as a table: which option of the caller makes which parameter, on
 * which verb, and which extension the server must offer for it. Pure values to strings.
 */
import { unusable } from './command.ts';
import { xtext } from './xtext.ts';

/** What a message may ask of the server beside its addresses. Each is refused where its extension is not offered. */
export interface MailParameters {
  /** The content's kind: 8BITMIME (RFC 6152) or BINARYMIME (RFC 3030). Default: found out where it is in memory, else '7BIT'. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Header fields or addresses hold UTF-8 (RFC 6531). Default: whether an address does. */
  readonly smtpUtf8?: boolean;
  /** What a delivery report returns: the whole message or its header (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** The envelope identifier in delivery reports: 1–100 octets as xtext (RFC 3461 §4.4). */
  readonly envid?: string;
  /** Every hop must use verified TLS (RFC 8689). */
  readonly requireTls?: boolean;
  /** Deliver within `seconds`, else return the message ('R') or notify ('N'), with or without trace (RFC 2852 §4). */
  readonly deliverBy?: { readonly seconds: number; readonly mode: 'R' | 'N'; readonly trace?: boolean };
  /** −9 (lowest) to 9 (RFC 6710 §4). */
  readonly priority?: number;
  /** Hold the message for this many seconds (RFC 4865 §4). */
  readonly holdFor?: number;
  /** Hold the message until then (RFC 4865 §4). */
  readonly holdUntil?: Date;
}

/** One recipient and what is asked for it. */
export interface Recipient {
  /** `local@domain`. */
  readonly address: string;
  /** When to send a delivery report: 'NEVER' alone, or any of the others (RFC 3461 §4.1). */
  readonly notify?: 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** The original recipient, `type;address`, 1–500 octets as xtext (RFC 3461 §4.2). */
  readonly orcpt?: string;
}

/** Extension keyword; parameter name, '' where the value is the whole; what makes the value; what it must look like. */
type Rule<Source> = readonly [
  keyword: string,
  name: string,
  value: (source: Source) => string | number | false | undefined,
  allowed: RegExp,
];

/** For MAIL. SIZE is not here: it depends on the content. */
export const MAIL_RULES: readonly Rule<MailParameters>[] = [
  ['SMTPUTF8', '', (m) => m.smtpUtf8 && 'SMTPUTF8', /./],
  ['8BITMIME', 'BODY=', (m) => m.body !== '7BIT' && m.body !== 'BINARYMIME' && m.body, /^8BITMIME$/],
  ['BINARYMIME', 'BODY=', (m) => m.body === 'BINARYMIME' && m.body, /./],
  ['REQUIRETLS', '', (m) => m.requireTls && 'REQUIRETLS', /./],
  ['DSN', 'RET=', (m) => m.ret, /^(FULL|HDRS)$/],
  ['DSN', 'ENVID=', (m) => m.envid !== undefined && xtext(m.envid), /^.{1,100}$/],
  ['DELIVERBY', 'BY=', ({ deliverBy: by }) => by && `${by.seconds};${by.mode}${by.trace ? 'T' : ''}`, /^([1-9]\d{0,8};R|-?\d{1,9};N)T?$/],
  ['MT-PRIORITY', 'MT-PRIORITY=', (m) => m.priority, /^-?\d$/],
  ['FUTURERELEASE', 'HOLDFOR=', (m) => m.holdFor, /^[1-9]\d{0,8}$/],
  ['FUTURERELEASE', 'HOLDUNTIL=', (m) => m.holdUntil && m.holdUntil.toISOString().replace(/\.\d+/, ''), /./],
];

/** For RCPT. */
export const RCPT_RULES: readonly Rule<Recipient>[] = [
  ['DSN', 'NOTIFY=', ({ notify }) => notify && `${notify}`, /^(NEVER|(SUCCESS|FAILURE|DELAY)(,(SUCCESS|FAILURE|DELAY)){0,2})$/],
  ['DSN', 'ORCPT=', ({ orcpt }) => orcpt !== undefined && orcpt.replace(/;.*/s, (rest) => `;${xtext(rest.slice(1))}`), /^[\w-]+;.{1,490}$/],
];

/**
 * The parameters that `source` asks for, each after a blank; `unsupported` is called with the keyword
 * of each that the server does not offer, and may throw.
 *
 * @throws TypeError for a value that its RFC does not allow
 */
export function writeParameters<Source>(
  rules: readonly Rule<Source>[],
  source: Source,
  offers: (keyword: string) => boolean,
  unsupported: (keyword: string) => void,
): string {
  let written = '';
  for (const [keyword, name, make, allowed] of rules) {
    const value = make(source);
    if (value === undefined || value === false) continue;
    if (!allowed.test(`${value}`)) throw unusable(value, `${name || keyword} parameter`);
    if (offers(keyword)) written += ` ${name}${value}`;
    else unsupported(keyword);
  }
  return written;
}
