/** Text that becomes part of a message is looked at. */

/** Visible ASCII, as tokens (RFC 6750 §2.1) and hosts are. */
export const VISIBLE: RegExp = /^[!-~]+$/;

/**
 * Text that is as it has to be.
 *
 * @throws TypeError where it is not; what it is stays unsaid
 */
export function fitting(text: string, pattern: RegExp, as: string): string {
  if (typeof text !== 'string' || !pattern.test(text)) throw new TypeError(`Cannot use ${as}`);
  return text;
}
