/** report(): a report on a message, for machines and people (RFC 6522). In no bundle that does not import it. */
import { asIs } from './as-is.ts';
import { checkText } from './header/field.ts';
import { part } from './own-part.ts';
import type { BodyPart } from './part.ts';
import type { Content } from './source.ts';

/**
 * A report (RFC 6522 §3): what happened in words and in fields, and what it happened to.
 *
 * @example
 * ```ts
 * import { type ReportSpec, report } from '@posthorn/mime';
 *
 * const spec: ReportSpec = {
 *   type: 'disposition-notification',
 *   text: 'Your message was displayed.',
 *   status:
 *     'Final-Recipient: rfc822; b@example.net\n' +
 *     'Disposition: manual-action/MDN-sent-manually; displayed\n',
 * };
 * console.log(report(spec).contentType); // multipart/report; report-type=disposition-notification
 * ```
 */
export interface ReportSpec {
  /** Default `delivery-status` (RFC 3464); `disposition-notification` (RFC 8098); `feedback-report` (RFC 5965). */
  readonly type?: 'delivery-status' | 'disposition-notification' | 'feedback-report';
  /** For people. */
  readonly text: string;
  /**
   * For machines: groups of fields with an empty line between them, as lines of ASCII. Of `delivery-status` the first group is
   * on the message, and each other on a recipient (RFC 3464 §2.1).
   */
  readonly status: string;
  /** The message that is reported on, as `message/rfc822`. It has to be 7bit, or what `asIs(capabilities)` of `compose()` allows. */
  readonly original?: Content;
  /** Or its header fields alone, as `text/rfc822-headers`. Default: neither. */
  readonly originalHeaders?: string;
}

/**
 * A report as `body` of a message: `multipart/report` (RFC 6522). None of its parts is base64. The status is 7-bit lines: '"7bit"
 * encoding is sufficient and MUST be used' (RFC 3464 §2.1, RFC 8098 §3.1).
 *
 * @throws MimeError `ERR_MIME_CONTENT` where what is given is nothing of the kind; `compose()` throws it for a status that is
 * not 7bit
 *
 * @example
 * ```ts
 * import { compose, report } from '@posthorn/mime';
 *
 * const body = report({
 *   text: 'Your message to b@example.net was not delivered.',
 *   status:
 *     'Reporting-MTA: dns; mx.example.net\n\n' +
 *     'Final-Recipient: rfc822; b@example.net\nAction: failed\nStatus: 5.1.1\n',
 *   originalHeaders: 'From: a@example.com\nSubject: Hi\n',
 * });
 * const message = compose({ from: 'postmaster@example.net', to: 'a@example.com', body });
 * console.log((await message.text()).includes('Status: 5.1.1')); // true
 * ```
 */
export function report(spec: ReportSpec): BodyPart {
  const { type = 'delivery-status', text, status, original, originalHeaders } = spec;
  const transferEncoding = 'quoted-printable';
  const parts = [
    part('text/plain', text, { transferEncoding }),
    // The last line ends too.
    part(
      `message/${type}`,
      checkText(status, 'status', /^(?!)/, 'CONTENT').replace(/\r\n?|\n|(?<![\r\n])$/g, '\r\n'),
      { transferEncoding: asIs() },
    ),
  ];
  if (original !== undefined) parts.push(part('message/rfc822', original));
  if (originalHeaders !== undefined)
    parts.push(part('text/rfc822-headers', originalHeaders, { transferEncoding }));
  return part(`multipart/report; report-type=${type}`, parts);
}
