/**
 * A message into what its transaction writes. Everything that can be refused without asking the
 * server is refused here: addresses, what the server does not offer, and the size.
 */

import { fault, type Phase } from '../errors.ts';
import { mail, rcpt, unusable } from '../wire/command.ts';
import type { Capabilities } from '../wire/extension.ts';
import { type MailParameters, type RcptParameters, xtext } from '../wire/mail-parameter.ts';
import { parsePath } from '../wire/path.ts';
import { createTransparency } from '../wire/transparency.ts';
import type { Content } from './content.ts';
import type { Command } from './procedure.ts';

/** One recipient. */
export interface Recipient extends RcptParameters {
  /** `local@domain`. */
  readonly address: string;
}

/** A message for one transaction. What `compose()` of `@posthorn/mime` returns is one. */
export interface OutgoingMessage extends MailParameters {
  /** The reverse-path: `local@domain`, or '' for the null path. */
  readonly from: string;
  /** The forward-paths. */
  readonly to: string | readonly (string | Recipient)[];
  /** The content, or what makes it once the server's capabilities are known. */
  readonly content: Content | ((capabilities: Capabilities) => Content);
  /** Its exact size in octets with CR LF line ends, where it is known. Content in memory is measured instead. */
  readonly size?: number | undefined;
}

/** What `send()` may be told beside the message. */
export interface SendOptions {
  /** Gives the message up. Before its last octet has left, the connection is closed. */
  readonly signal?: AbortSignal;
  /**
   * What to do when some recipients are refused: 'send' (default) sends to the others; 'abort' sends to
   * nobody, and the message fails with the refusals in `rejected`.
   */
  readonly partial?: 'send' | 'abort';
  /**
   * What to do where the server lacks what the message asks for: 'error' (default) refuses the message before
   * MAIL; 'drop' leaves out 8BITMIME, the parameters of DSN, DELIVERBY and MT-PRIORITY. What changes who reads
   * the message, or when, is never dropped: SMTPUTF8, BINARYMIME, REQUIRETLS, FUTURERELEASE.
   */
  readonly onUnsupported?: 'error' | 'drop';
  /** Called as content is handed to the connection, with the octets so far and the size where it is known. */
  readonly onProgress?: (octetsSent: number, size: number | undefined) => void;
}

/** A command of a transaction: RCPT with the address as it was given. */
export type EnvelopeCommand = Command & {
  readonly line: string;
  readonly phase: Phase;
  readonly address?: string;
};

/** What a transaction writes. */
export interface Envelope {
  /** MAIL and RCPT… */
  readonly commands: readonly EnvelopeCommand[];
  /** Content in memory, or what to read it from. */
  readonly source: Uint8Array | AsyncIterable<Uint8Array>;
  /** The octets of content that will be sent, where they are known. */
  readonly size: number | undefined;
  /** How the content is sent: by DATA, by BDAT in lines, or by BDAT as it is. */
  readonly by: 'DATA' | 'BDAT' | 'BINARYMIME';
}

const NOTIFY = /^(NEVER|(,?\b(SUCCESS|FAILURE|DELAY))+)$/;

/**
 * @throws TypeError for what no server could be asked
 * @throws SmtpError ERR_SMTP_UNSUPPORTED, ERR_SMTP_TOO_LARGE, ERR_SMTP_CONTENT for what this one cannot be asked
 */
export function envelope(
  message: OutgoingMessage,
  capabilities: Capabilities,
  { onUnsupported }: SendOptions,
): Envelope {
  const { requireTls, ret, envid, deliverBy, priority, holdFor, holdUntil } = message;
  let { smtpUtf8, size, body, content } = message;
  const path = (address: string, where: string): string => {
    const text = parsePath(address, where);
    // RFC 6531 §3.4: a local part outside ASCII can only be sent with SMTPUTF8.
    smtpUtf8 ||= /[^ -~]/.test(text);
    return text;
  };
  /** A parameter with its value, or nothing where there is none, or where it may be left out. */
  const parameter = (
    name: string,
    value: unknown,
    grammar: RegExp,
    keyword: string,
    vital?: boolean,
  ): string => {
    if (value === undefined || value === false) return '';
    if (!grammar.test(`${value}`)) throw unusable(value, name);
    if (capabilities.has(keyword)) return ` ${name}${value === true ? '' : `=${value}`}`;
    if (onUnsupported !== 'drop' || vital)
      throw fault(
        'ERR_SMTP_UNSUPPORTED',
        `send the message: the server offers no ${keyword}`,
        'mail',
      );
    return '';
  };
  const from = message.from === '' ? '' : path(message.from, 'from');
  const recipients = [message.to].flat().map((recipient, at) => {
    const { address = recipient as string, notify, orcpt }: Partial<Recipient> = Object(recipient);
    const parameters =
      parameter('NOTIFY', notify && [notify].flat().join(), NOTIFY, 'DSN') +
      parameter(
        'ORCPT',
        orcpt && xtext(/^[\w-]+;/.test(orcpt) ? orcpt : `rfc822;${orcpt}`),
        /^[!-~]{1,494}$/,
        'DSN',
      );
    return { address, line: rcpt(path(address, `to[${at}]`), parameters), phase: 'rcpt' as const };
  });
  if (!recipients[0]) throw unusable(message.to, 'to');
  if (typeof content === 'function') content = content(capabilities);
  const source = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const by = body === 'BINARYMIME' ? body : capabilities.has('CHUNKING') ? 'BDAT' : 'DATA';
  if (source instanceof Uint8Array) {
    // Measured as it will be sent, and refused here where it cannot be sent at all.
    const data = createTransparency(by, () => {});
    data.push(source);
    data.end();
    size = data.octets;
    if (source.some((octet) => octet > 127)) body ??= '8BITMIME';
  } else if (!source?.[Symbol.asyncIterator]) throw unusable(source, 'content');
  else if (/\D/.test(`${size ?? ''}`)) throw unusable(size, 'size');
  if ((size as number) > (capabilities.size as number))
    throw fault(
      'ERR_SMTP_TOO_LARGE',
      `send the message: its size is ${size}, the server accepts ${capabilities.size}`,
      'mail',
    );
  const parameters =
    // RFC 1870 §5: the size is declared where the server has announced SIZE.
    (size !== undefined && capabilities.has('SIZE') ? ` SIZE=${size}` : '') +
    parameter('SMTPUTF8', smtpUtf8, /^true$/, 'SMTPUTF8', true) +
    parameter(
      'BODY',
      body === '7BIT' ? undefined : body,
      /^(8BIT|BINARY)MIME$/,
      body as string,
      by === body,
    ) +
    parameter('REQUIRETLS', requireTls, /^true$/, 'REQUIRETLS', true) +
    parameter('RET', ret, /^(FULL|HDRS)$/, 'DSN') +
    parameter('ENVID', envid && xtext(envid), /^[!-~]{1,100}$/, 'DSN') +
    parameter(
      'BY',
      deliverBy && `${deliverBy.seconds};${deliverBy.mode}${deliverBy.trace ? 'T' : ''}`,
      /^(-?\d{1,9};N|[1-9]\d{0,8};R)T?$/,
      'DELIVERBY',
    ) +
    parameter('MT-PRIORITY', priority, /^-?\d$/, 'MT-PRIORITY') +
    parameter('HOLDFOR', holdFor, holdUntil ? /^$/ : /^\d{1,9}$/, 'FUTURERELEASE', true) +
    // Whole seconds: not every server reads more.
    parameter(
      'HOLDUNTIL',
      holdUntil?.toISOString().replace(/\.\d+/, ''),
      /./,
      'FUTURERELEASE',
      true,
    ) +
    // Exim's: a final reply for each of several recipients.
    (recipients[1] && capabilities.has('PRDR') ? ' PRDR' : '');
  return {
    commands: [{ line: mail(from, parameters), phase: 'mail' }, ...recipients],
    source,
    size,
    by,
  };
}
