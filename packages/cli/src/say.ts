/** Writing for people and programs: what nobody reads any more stops nothing. */
import type { Output } from './surroundings.ts';

/** What terminals obey, and what turns the order of letters around: nothing from outside is printed with it. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** One line of text, whoever wrote it. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '\ufffd');

/**
 * Writes, and waits until it is taken.
 *
 * @returns the error where it was not taken. EPIPE is none to speak of: whoever reads has seen enough
 */
export function write(to: Output, text: string | Uint8Array): Promise<Error | undefined> {
  return new Promise((resolve) => {
    to.write(text, (error) => resolve(error ?? undefined));
  });
}

/** A line about what is done all the same. */
export function warn(stderr: Output, why: string): void {
  stderr.write(`posthorn: warning: ${printable(why)}\n`);
}
