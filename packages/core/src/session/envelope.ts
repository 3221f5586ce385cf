/**
 * A message into what its transaction writes. Everything that can be refused without asking the
 * server is refused here: addresses, what the server does not offer, and the size.
 */

import { fault } from '../errors.ts';
import { mail, rcpt, unusable } from '../wire/command.ts';
import type { Capabilities } from '../wire/extension.ts';
import type { MailParameters } from '../wire/mail-parameter.ts';
import { parsePath } from '../wire/path.ts';
import { createTransparency } from '../wire/transparency.ts';
import { type Content, contentFault } from './content.ts';
import { WRITE_OCTETS } from './limits.ts';
import type { Command } from './procedure.ts';

/** One recipient. */
export interface Recipient {
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
  /** Its exact size in octets, where it is known. Content in memory is measured instead. */
  readonly size?: number | undefined;
}

/** What `send()` may be told beside the message. */
export interface SendOptions {
  /** Gives the message up. Before its last octet has left, the connection is closed. */
  readonly signal?: AbortSignal;
  /**
   * What to do where the server lacks 8BITMIME and the content needs it: 'error' (default) refuses the
   * message before MAIL; 'drop' sends it without saying so. SMTPUTF8 is never dropped.
   */
  readonly onUnsupported?: 'error' | 'drop';
  /** Called as content is handed to the connection, with the octets so far and the size where it is known. */
  readonly onProgress?: (octetsSent: number, size: number | undefined) => void;
}

/** A command of a transaction: RCPT with the address as it was given. */
export type EnvelopeCommand = Command & { readonly address?: string };

/** What a transaction writes. */
export interface Envelope {
  /** MAIL, RCPT… and DATA. */
  readonly commands: readonly EnvelopeCommand[];
  /** Content in memory, or what to read it from. */
  readonly source: Uint8Array | AsyncIterable<Uint8Array>;
  /** The octets of content that will be sent, where they are known. */
  readonly size: number | undefined;
}

/**
 * @throws TypeError for what no server could be asked
 * @throws SmtpError ERR_SMTP_UNSUPPORTED, ERR_SMTP_TOO_LARGE, ERR_SMTP_CONTENT for what this one cannot be asked
 */
export function envelope(
  message: OutgoingMessage,
  capabilities: Capabilities,
  { onUnsupported }: SendOptions,
): Envelope {
  let { smtpUtf8, size, body, content } = message;
  const path = (address: string, where: string): string => {
    const text = parsePath(address, where);
    // RFC 6531 §3.4: a local part outside ASCII can only be sent with SMTPUTF8.
    smtpUtf8 ||= /[^ -~]/.test(text);
    return text;
  };
  const from = message.from === '' ? '' : path(message.from, 'from');
  const recipients = [message.to].flat().map((recipient, at) => {
    const address = (recipient as Recipient)?.address ?? recipient;
    return { address, line: rcpt(path(address, `to[${at}]`)), phase: 'rcpt' as const };
  });
  if (!recipients[0]) throw unusable(message.to, 'to');
  if (typeof content === 'function') content = content(capabilities);
  const source = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  if (source instanceof Uint8Array) {
    // In memory it is measured as it will be sent, block by block, and refused here where it cannot be sent at all.
    const data = createTransparency();
    try {
      for (let rest = source; rest.length; rest = rest.subarray(WRITE_OCTETS))
        data.push(rest.subarray(0, WRITE_OCTETS));
    } catch (error) {
      throw contentFault(error);
    }
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
  // RFC 1870 §5: the size is declared where the server has announced SIZE.
  let parameters = size !== undefined && capabilities.has('SIZE') ? ` SIZE=${size}` : '';
  const ask = (keyword: string, prefix = '') => {
    if (capabilities.has(keyword)) parameters += ` ${prefix}${keyword}`;
    else if (onUnsupported !== 'drop' || smtpUtf8)
      throw fault(
        'ERR_SMTP_UNSUPPORTED',
        `send the message: the server offers no ${keyword}`,
        'mail',
      );
  };
  if (smtpUtf8) ask('SMTPUTF8');
  if (body === '8BITMIME') ask(body, 'BODY=');
  const commands: readonly EnvelopeCommand[] = [
    { line: mail(from, parameters), phase: 'mail' },
    ...recipients,
    { line: 'DATA\r\n', phase: 'data' },
  ];
  return { commands, source, size };
}
