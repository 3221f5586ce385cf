/** The Date field (RFC 5322 §3.3). */
import { refuse } from '../errors.ts';

/** `Tue, 02 Jan 2024 03:04:05 +0000`: always in UTC, years 1900 to 9999. */
export function formatDate(date: Date): string {
  const year = date instanceof Date ? date.getUTCFullYear() : 0;
  if (!(year > 1899 && year < 1e4)) refuse('ERR_MIME_HEADER', 'date', date, 'give a valid Date');
  return date.toUTCString().replace('GMT', '+0000');
}
