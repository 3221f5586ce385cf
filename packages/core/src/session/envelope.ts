/**
 * A message into what its transaction writes. Everything that can be refused without asking the
 * server is refused here: addresses, what the server does not offer, and the size.
 */
import { fault, type SmtpErrorCode } from '../errors.ts';
import { mail, rcpt, unusable } from '../wire/command.ts';
import type { Capabilities } from '../wire/extension.ts';
import { MAIL_RULES, type MailParameters } from '../wire/mail-parameter.ts';
import { parsePath } from '../wire/path.ts';
import { type Content, type ContentSource, inspect } from './content.ts';
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

/** What a transaction writes. */
export interface Envelope {
  readonly mail: Command;
  readonly recipients: readonly (Command & { readonly address: string })[];
  readonly content: ContentSource;
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
  const from =
    message.from === '' ? { text: '', needsUtf8: false } : parsePath(message.from, 'from');
  let smtpUtf8 = message.smtpUtf8 || from.needsUtf8;
  const recipients = [message.to].flat().map((recipient, at) => {
    const address = (recipient as Recipient)?.address ?? recipient;
    const path = parsePath(address, `to[${at}]`);
    smtpUtf8 ||= path.needsUtf8;
    return { address, line: rcpt(path.text), phase: 'rcpt' as const };
  });
  if (!recipients[0]) throw unusable(message.to, 'to');
  const { content: given } = message;
  const content = inspect(typeof given === 'function' ? given(capabilities) : given, message.size);
  const { size } = content;
  const limit = capabilities.size as number;
  const refuse = (code: SmtpErrorCode, why: string): never => {
    throw fault(code, `send the message: ${why}`, 'mail');
  };
  if (size && size > limit)
    refuse(
      'ERR_SMTP_TOO_LARGE',
      `it has ${size} octets, ${size - limit} more than the ${limit} that the server accepts`,
    );
  // RFC 1870 §5: the size is declared where the server has announced SIZE.
  let parameters = size !== undefined && capabilities.has('SIZE') ? ` SIZE=${size}` : '';
  const asked = { smtpUtf8, body: message.body ?? (content.eightBit ? '8BITMIME' : undefined) };
  for (const [keyword, parameter, asks] of MAIL_RULES) {
    if (!asks(asked)) continue;
    if (capabilities.has(keyword)) parameters += ` ${parameter}`;
    else if (onUnsupported !== 'drop' || smtpUtf8)
      refuse('ERR_SMTP_UNSUPPORTED', `the server offers no ${keyword}`);
  }
  return { mail: { line: mail(from.text, parameters), phase: 'mail' }, recipients, content };
}
