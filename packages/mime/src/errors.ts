/** MimeError: the one error of this package. Everything it reports is the caller's to mend. */

/**
 * What was wrong with a message (RFC 5322, RFC 2045).
 *
 * - `ERR_MIME_ADDRESS`: an address, a display name or a group
 * - `ERR_MIME_HEADER`: any other header field
 * - `ERR_MIME_CONTENT`: text, HTML or the content of an attachment
 * - `ERR_MIME_STREAM`: a streamed content broke its word while it was read: another size, no octets, read twice
 * - `ERR_MIME_DKIM`: a signing option, or a key that cannot sign
 * - `ERR_MIME_TOO_LARGE`: the message is larger than `maxSize`
 *
 * @example
 * ```ts
 * import { compose, MimeError, type MimeErrorCode } from '@posthorn/mime';
 *
 * let code: MimeErrorCode | undefined;
 * try {
 *   compose({ from: 'a@example.com', subject: 'Hi\r\nBcc: c@example.org' });
 * } catch (error) {
 *   if (error instanceof MimeError) code = error.code;
 * }
 * console.log(code); // ERR_MIME_HEADER
 * ```
 */
export type MimeErrorCode =
  | 'ERR_MIME_ADDRESS'
  | 'ERR_MIME_HEADER'
  | 'ERR_MIME_CONTENT'
  | 'ERR_MIME_STREAM'
  | 'ERR_MIME_DKIM'
  | 'ERR_MIME_TOO_LARGE';

/**
 * Thrown when a message cannot be composed (RFC 5322 §2.1, RFC 2045), before an octet of it exists, and by a stream that
 * broke its word. A TypeError. Numbers are octets.
 *
 * @example
 * ```ts
 * import { compose, MimeError } from '@posthorn/mime';
 *
 * try {
 *   compose({ from: 'a@example.com', to: ['b@example.net', 'c d@example.net'] });
 * } catch (error) {
 *   if (error instanceof MimeError) console.log(error.code, error.path); // ERR_MIME_ADDRESS to[1]
 * }
 * ```
 */
export class MimeError extends TypeError {
  declare readonly code: MimeErrorCode;
  /** Which input: `subject`, `to[1]`, `attachments[0].filename`; `content` from `attachment()`, `parts` from `part()`; `addresses`; `dkim.selector`; `maxSize` when the whole is too large. */
  declare readonly path: string;
  /** With `ERR_MIME_TOO_LARGE`: the limit, octets. */
  declare readonly limit?: number;
  /** With `ERR_MIME_TOO_LARGE`: the octets of the message, or what is known of them. */
  declare readonly actual?: number;
  /** With `ERR_MIME_TOO_LARGE`: `actual - limit`. */
  declare readonly excess?: number;

  /** A MimeError is told by its name: so the class is in no bundle that does not ask for it. @internal */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return (error as Error | undefined)?.name === 'MimeError';
  }
}

/** What comes after `ERR_MIME_`. */
export type Cause = MimeErrorCode extends `ERR_MIME_${infer C}` ? C : never;

/** Refuses one input: `to[1]: invalid`. What was given is not shown: it may be a secret, or long. */
export function refuse(code: Cause, path: string, why = 'invalid', fields?: object): never {
  throw Object.assign(
    new TypeError(`${path}: ${why}`),
    { name: 'MimeError', code: `ERR_MIME_${code}`, path },
    fields,
  );
}
