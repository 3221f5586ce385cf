/** Sizes as arithmetic. Everything is counted in octets with CRLF line ends, as RFC 1870 §5 counts a message. */
import { refuse } from './errors.ts';

/** Octets of base64 in lines of 76 (RFC 2045 §6.8), with no line break after the last line. */
export function base64Size(octets: number | undefined): number | undefined {
  return octets && 4 * Math.ceil(octets / 3) + 2 * Math.ceil(octets / 57) - 2;
}

/** @throws MimeError `ERR_MIME_TOO_LARGE` where `actual` is over `limit`. */
export function limitSize(actual: number, limit: number = actual): void {
  const excess = actual - limit;
  if (!(excess <= 0))
    refuse('TOO_LARGE', 'maxSize', `${limit}`, {
      limit,
      actual,
      excess,
    });
}
