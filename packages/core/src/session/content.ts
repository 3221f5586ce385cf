/** Content as the caller gives it, and what can be known of it before MAIL. */
import { fault, SmtpError } from '../errors.ts';
import { unusable } from '../wire/command.ts';
import { createTransparency } from '../wire/transparency.ts';

/**
 * A message's content: its header and body with CR LF line ends. A bare CR or LF becomes CR LF; a
 * string is encoded in UTF-8.
 */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** Content in memory, measured; or a source to read. */
export interface ContentSource {
  readonly source: Uint8Array | AsyncIterable<Uint8Array>;
  /** The octets that will be sent, where they are known. */
  readonly size: number | undefined;
  readonly eightBit: boolean;
}

/**
 * Looks at content before MAIL: in memory it is measured as it will be sent, and refused here where
 * it cannot be sent at all.
 *
 * @param size - the size that the caller declares, for a source that is not in memory
 */
export function inspect(content: Content, size: number | undefined): ContentSource {
  const source = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  if (source instanceof Uint8Array) {
    const data = createTransparency();
    try {
      data.push(source);
    } catch (error) {
      throw contentFault(error);
    }
    data.end();
    return { source, size: data.octets, eightBit: source.some((octet) => octet > 127) };
  }
  if (!source?.[Symbol.asyncIterator]) throw unusable(source, 'content');
  if (!/^\d*$/.test(`${size ?? ''}`)) throw unusable(size, 'size');
  return { source, size, eightBit: false };
}

/** What went wrong while content was read or made into mail data, as an SmtpError. */
export function contentFault(cause: unknown): SmtpError {
  return cause instanceof SmtpError
    ? cause
    : fault('ERR_SMTP_CONTENT', `send the content: ${(cause as Error)?.message}`, 'content', {
        cause,
      });
}
