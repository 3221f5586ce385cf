/** The Date field (RFC 5322 §3.3). */
import { refuse } from '../errors.ts';

/** `Tue, 02 Jan 2024 03:04:05 +0000`: always in UTC. */
export function formatDate(date: Date): string {
  const text = new Date(date).toUTCString();
  // RFC 5322 §3.3: the year has four digits, and is 1900 or later.
  if (!/ (19|[2-9]\d)\d\d /.test(text))
    refuse('ERR_MIME_HEADER', 'date', date, 'no date since 1900');
  return text.replace('GMT', '+0000');
}
