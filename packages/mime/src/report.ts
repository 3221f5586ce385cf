/** report(): a report on a message, for machines and people (RFC 6522). In no bundle that does not import it. */
import { checkText } from './header/field.ts';
import { fold } from './header/fold.ts';
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
 *   status: [
 *     [
 *       ['Final-Recipient', 'rfc822; b@example.net'],
 *       ['Disposition', 'manual-action/MDN-sent-manually; displayed'],
 *     ],
 *   ],
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
   * For machines: groups of fields with an empty line between them, as lines of ASCII or as fields. Of `delivery-status` the
   * first group is on the message, and each other on a recipient (RFC 3464 §2.1).
   */
  readonly status: string | readonly (readonly (readonly [name: string, value: string])[])[];
  /** The message that is reported on, as `message/rfc822`. It has to be 7bit, or what `asIs(capabilities)` of `compose()` allows. */
  readonly original?: Content;
  /** Or its header fields alone, as `text/rfc822-headers`. Default: neither. */
  readonly originalHeaders?: string;
}

/** Printable ASCII and HT in lines of 998 at most. */
const NOT_LINES = /[^\t\r\n -~]|[^\r\n]{999}/;

/** A name, and a value that can be folded. */
const NO_FIELD = /^(?![!-9;-~]{1,76}: )|[^ -~]|[^ ]{900}/;

/** Text that is never base64, as lines with `=_` in them could be. */
function text(contentType: string, content: string): BodyPart {
  const transferEncoding =
    /=_/.test(content) || NOT_LINES.test(content) ? 'quoted-printable' : '7bit';
  return part(contentType, content, { transferEncoding });
}

/**
 * A report as `body` of a message: `multipart/report` (RFC 6522). None of its parts is base64. The status is 7-bit lines: '"7bit"
 * encoding is sufficient and MUST be used' (RFC 3464 §2.1, RFC 8098 §3.1).
 *
 * @throws MimeError `ERR_MIME_CONTENT` or `ERR_MIME_HEADER` where the status is not lines of printable ASCII, or what is
 * given is nothing of the kind
 *
 * @example
 * ```ts
 * import { compose, report } from '@posthorn/mime';
 *
 * const body = report({
 *   text: 'Your message to b@example.net was not delivered.',
 *   status: [
 *     [['Reporting-MTA', 'dns; mx.example.net']],
 *     [
 *       ['Final-Recipient', 'rfc822; b@example.net'],
 *       ['Action', 'failed'],
 *       ['Status', '5.1.1'],
 *     ],
 *   ],
 *   originalHeaders: 'From: a@example.com\nSubject: Hi\n',
 * });
 * const message = compose({ from: 'postmaster@example.net', to: 'a@example.com', body });
 * console.log((await message.text()).includes('Status: 5.1.1')); // true
 * ```
 */
export function report(spec: ReportSpec): BodyPart {
  const { type = 'delivery-status', status, original, originalHeaders } = spec;
  const lines =
    typeof status === 'string'
      ? status
      : status
          .map((fields, group) =>
            fields
              .map(([name, value], at) => {
                checkText(`${name}: ${value}`, `status[${group}][${at}]`, undefined, NO_FIELD);
                return fold(name, value);
              })
              .join(''),
          )
          .join('\n');
  const canonical = lines.replace(/\r\n?|\n/g, '\r\n').replace(/(\r\n)?$/, '\r\n');
  return part(`multipart/report; report-type=${type}`, [
    text('text/plain', spec.text),
    part(`message/${type}`, checkText(canonical, 'status', 'ERR_MIME_CONTENT', NOT_LINES)),
    ...(original === undefined ? [] : [part('message/rfc822', original)]),
    ...(originalHeaders === undefined ? [] : [text('text/rfc822-headers', originalHeaders)]),
  ]);
}
