/**
 * A message into what its transaction writes. Everything that can be refused without asking the
 * server is refused here: addresses, what the server does not offer, and the size.
 */

import { fault, type Phase } from '../errors.ts';
import { commandLine, unusable } from '../wire/command.ts';
import type { Capabilities } from '../wire/extension.ts';
import { type MailParameters, type RcptParameters, xtext } from '../wire/mail-parameter.ts';
import { utf8 } from '../wire/octets.ts';
import { parsePath } from '../wire/path.ts';
import { createTransparency } from '../wire/transparency.ts';
import { type Content, contentFault } from './content.ts';
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
  /** The same, but BINARYMIME where it is known that nothing of the content has to change on its way. */
  readonly as: Envelope['by'];
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
  const { deliverBy, holdUntil } = message;
  let { size, body, content } = message;
  const by = body === 'BINARYMIME' ? body : capabilities.has('CHUNKING') ? 'BDAT' : 'DATA';
  /**
   * A parameter, if it has a value other than undefined and false.
   *
   * @param name - whatever its case
   * @param vital - whether to refuse a message that cannot have it; default: if onUnsupported says so
   * @param keyword - the extension that it belongs to, if that has not its name
   */
  const write = (
    name: string,
    value: unknown,
    grammar: RegExp,
    vital = onUnsupported !== 'drop',
    keyword = name.toUpperCase(),
  ): string => {
    if (value === undefined || value === false) return '';
    if (!grammar.test(`${value}`)) throw unusable(value, name);
    if (capabilities.has(keyword))
      return ` ${name.toUpperCase()}${value === true ? '' : `=${value}`}`;
    if (vital)
      throw fault('UNSUPPORTED', `send the message: the server offers no ${keyword}`, 'mail');
    return '';
  };
  const commands: EnvelopeCommand[] = [];
  const from = message.from === '' ? '' : parsePath(message.from, 'from');
  for (const recipient of [message.to].flat()) {
    const { address = recipient as string, notify, orcpt }: Partial<Recipient> = Object(recipient);
    const to = parsePath(address, `to[${commands.length}]`);
    const parameters =
      write('notify', notify, /^(NEVER|((SUCCESS|FAILURE|DELAY)(,\b|$))+)$/, undefined, 'DSN') +
      // An address alone is one of the Internet.
      write(
        'orcpt',
        orcpt && xtext(orcpt.replace(/^(?![\w-]+;)/, 'rfc822;')),
        /^[!-~]{1,494}$/,
        undefined,
        'DSN',
      );
    commands.push({ address, line: commandLine(`RCPT TO:<${to}>${parameters}`), phase: 'rcpt' });
  }
  if (!commands[0]) throw unusable(message.to, 'to');
  if (typeof content === 'function') content = content(capabilities);
  const source = typeof content === 'string' ? utf8(content) : content;
  let pieces = 0;
  if (source instanceof Uint8Array) {
    // Measured as it will be sent, and refused here where it cannot be sent at all.
    const data = createTransparency(by, () => {
      pieces += 1;
    });
    try {
      data.push(source);
    } catch (error) {
      throw contentFault(error);
    }
    data.end();
    size = data.octets;
    if (data.eightBit) body ??= '8BITMIME';
  } else if (!source?.[Symbol.asyncIterator]) throw unusable(source, 'content');
  const parameters =
    // RFC 1870 §5: the size is declared where the server has announced SIZE.
    write('size', size, /^\d+$/, false) +
    write(
      'smtpUtf8',
      // RFC 6531 §3.4: a local part outside ASCII can only be sent with SMTPUTF8.
      message.smtpUtf8 || /[^\n-~]/.test(from + commands.map(({ line }) => line)),
      /^true$/,
      true,
    ) +
    write(
      'body',
      body === '7BIT' ? undefined : body,
      /^(8BIT|BINARY)MIME$/,
      by === body || undefined,
      body,
    ) +
    write('requireTls', message.requireTls, /^true$/, true) +
    write('ret', message.ret, /^(FULL|HDRS)$/, undefined, 'DSN') +
    write('envid', message.envid && xtext(message.envid), /^[!-~]{1,100}$/, undefined, 'DSN') +
    write(
      'by',
      deliverBy && `${deliverBy.seconds};${deliverBy.mode}${deliverBy.trace ? 'T' : ''}`,
      /^(-?\d{1,9};N|[1-9]\d{0,8};R)T?$/,
      undefined,
      'DELIVERBY',
    ) +
    write('mt-priority', message.priority, /^-?\d$/) +
    write('holdFor', message.holdFor, holdUntil ? /^$/ : /^\d{1,9}$/, true, 'FUTURERELEASE') +
    write(
      'holdUntil',
      // Whole seconds: not every server reads more.
      holdUntil?.toISOString().replace(/\.\d+/, ''),
      /^\d/,
      true,
      'FUTURERELEASE',
    ) +
    // Exim's: a final reply for each of several recipients.
    write('prdr', !!commands[1], /^true$/, false);
  if ((size as number) > (capabilities.size as number))
    throw fault('TOO_LARGE', `send the message: the server accepts ${capabilities.size}`, 'mail');
  commands.unshift({ line: commandLine(`MAIL FROM:<${from}>${parameters}`), phase: 'mail' });
  return {
    commands,
    source,
    size,
    by,
    as: pieces === 1 ? 'BINARYMIME' : by,
  };
}
