/**
 * A message into what its transaction writes. Everything that can be refused without asking the
 * server is refused here: addresses, parameters, what the server does not offer, and the size.
 */
import { SmtpError, type SmtpErrorCode } from '../errors.ts';
import { mail, rcpt, unusable } from '../wire/command.ts';
import type { Capabilities } from '../wire/extension.ts';
import { MAIL_RULES, type MailParameters, RCPT_RULES, type Recipient, writeParameters } from '../wire/mail-parameter.ts';
import { parsePath } from '../wire/path.ts';
import { type Content, type ContentSource, inspect } from './content.ts';
import type { Command } from './procedure.ts';

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
  /** 'send' (default) sends to the recipients that were accepted; 'abort' sends only if all were. */
  readonly partial?: 'send' | 'abort';
  /**
   * What to do about a parameter whose extension the server does not offer: 'error' (default) refuses
   * the message before MAIL; 'drop' leaves the parameter out. SMTPUTF8,
   * BINARYMIME and REQUIRETLS are never dropped.
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
export function envelope(message: OutgoingMessage, capabilities: Capabilities, options: SendOptions): Envelope {
  const from = message.from === '' ? undefined : parsePath(message.from, 'from');
  const recipients = ([message.to].flat() as (string | Recipient)[]).map((given, at) => {
    const recipient = typeof given === 'string' ? { address: given } : given;
    return { recipient, path: parsePath(recipient.address, `to[${at}]`) };
  });
  if (!recipients[0]) throw unusable(message.to, 'to: a message needs a recipient');
  const content = inspect(typeof message.content === 'function' ? message.content(capabilities) : message.content, message.size);
  const { size } = content;
  const limit = capabilities.size as number;
  if (size && size > limit) {
    throw refusedHere('ERR_SMTP_TOO_LARGE', `it has ${size} octets, ${size - limit} more than the ${limit} that the server accepts`);
  }
  const unsupported = (keyword: string): void => {
    if (options.onUnsupported !== 'drop' || /UTF8|BIN|REQ/.test(keyword)) {
      throw refusedHere('ERR_SMTP_UNSUPPORTED', `it needs ${keyword}, which the server does not offer`);
    }
  };
  const parameters = {
    ...message,
    smtpUtf8: message.smtpUtf8 || from?.needsUtf8 || recipients.some(({ path }) => path.needsUtf8),
    body: message.body ?? (content.eightBit ? '8BITMIME' : '7BIT'),
  };
  const offers = (keyword: string): boolean => capabilities.has(keyword);
  // RFC 1870 §5: the size is declared where the server has announced SIZE.
  const declared = size !== undefined && offers('SIZE') ? ` SIZE=${size}` : '';
  return {
    mail: {
      line: mail(from?.text ?? '', declared + writeParameters(MAIL_RULES, parameters, offers, unsupported)),
      phase: 'mail',
    },
    recipients: recipients.map(({ recipient, path }) => ({
      address: recipient.address,
      line: rcpt(path.text, writeParameters(RCPT_RULES, recipient, offers, unsupported)),
      phase: 'rcpt',
    })),
    content,
  };
}

function refusedHere(code: SmtpErrorCode, why: string): SmtpError {
  return new SmtpError(code, `Cannot send the message: ${why}`, { phase: 'mail' });
}
