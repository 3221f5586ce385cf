/** What a server limits (RFC 9422), read where more than one transaction or connection can keep within it. */
import type { Capabilities } from '../wire/extension.ts';

/** One of the limits: a whole number over 0, or Infinity where none is declared. */
export function limitOf({ limits }: Pick<Capabilities, 'limits'>, name: string): number {
  const value = RegExp(`^.* ${name}=([1-9]\\d*) `).exec(` ${limits.join(' ')} `)?.[1];
  return Number(value ?? Infinity);
}
