/** calendar(): an invitation, or another message between calendars (RFC 6047). In no bundle that does not import it. */
import { refuse } from './errors.ts';
import { part } from './own-part.ts';
import type { BodyPart } from './part.ts';

/**
 * What is said of an iCalendar object beside its content (RFC 6047 §2.4).
 *
 * @example
 * ```ts
 * import { type CalendarOptions, calendar } from '@posthorn/mime';
 *
 * const options: CalendarOptions = { method: 'REQUEST', filename: 'invite.ics' };
 * const { filename } = calendar('BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n', options);
 * console.log(filename); // invite.ics
 * ```
 */
export interface CalendarOptions {
  /** What METHOD of the content has to be. Default: what it is. */
  readonly method?: string;
  /** Default: none. With one, the part is `inline`. */
  readonly filename?: string;
}

/**
 * An invitation as `calendar` of a message, its last alternative: `text/calendar` with the `method` that its METHOD property
 * has, as readers ask for (RFC 6047 §2.4). All METHOD properties of the content have to be the same, in upper or lower case.
 *
 * @param content - iCalendar (RFC 5545); a line break becomes CRLF
 * @throws MimeError `ERR_MIME_CONTENT` where METHOD is missing, is no name, or differs
 *
 * @example
 * ```ts
 * import { calendar, compose } from '@posthorn/mime';
 *
 * const message = compose({
 *   from: 'a@example.com',
 *   text: 'Lunch?',
 *   calendar: calendar('BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n'),
 * });
 * console.log((await message.text()).includes('method=REQUEST')); // true
 * ```
 */
export function calendar(content: string, options: CalendarOptions = {}): BodyPart {
  const { filename, method = [] } = options;
  // RFC 5545 §3.1: a long line is folded by a line break and white space.
  const unfolded = String(content).replace(/(\r\n?|\n)[\t ]/g, '');
  const found = [...unfolded.matchAll(/^METHOD(;[^:\r\n]*)?:(.*)/gim)].map(([, , value]) => value);
  const methods = [found as unknown].concat(method).join();
  const [, first] =
    /^([\w-]{1,60})(,\1)*$/i.exec(methods) ?? refuse('CONTENT', 'calendar', 'one METHOD');
  return part(`text/calendar; charset=utf-8; method=${first}`, content, {
    filename,
    disposition: filename ? 'inline' : undefined,
  });
}
