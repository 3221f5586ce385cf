/** What a server limits (RFC 9422), read where more than one transaction or connection can keep within it. */
import type { Capabilities } from '../wire/extension.ts';

/** One of the limits: a whole number over 0, or Infinity where none is declared. */
export function limitOf({ limits }: Pick<Capabilities, 'limits'>, name: string): number {
  const values = limits
    .map((limit) => limit.split(`${name}=`))
    .filter(([before, value]) => before === '' && value);
  const value = values.at(-1)?.[1] ?? '';
  return /^[1-9]\d*$/.test(value) ? Number(value) : Infinity;
}
