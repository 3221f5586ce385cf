/** The query parameters of a request. An empty one is as good as none. */
import type { Context } from 'hono';
import { Problem } from '../problem.ts';
import { pointer } from './json-fault.ts';

export type Query<Name extends string> = { readonly [One in Name]?: string };

/** @throws Problem 400 for a parameter that there is not, and for one that comes twice */
export function queryOf<Name extends string>(
  context: Context,
  names: readonly Name[],
): Query<Name> {
  const found: { [One in Name]?: string } = {};
  for (const [name, values] of Object.entries(context.req.queries())) {
    const known = names.find((one) => one === name);
    if (known === undefined)
      throw new Problem(
        400,
        `Cannot use ${name}: there ${names.length === 0 ? 'is no parameter here' : `are ${names.join(', ')}`}`,
        pointer(name),
      );
    if (values.length > 1)
      throw new Problem(400, `Cannot use ${name}: it comes more than once`, pointer(name));
    if (values[0]) found[known] = values[0];
  }
  return found;
}

/** @throws Problem 400 for what is no whole number in these bounds */
export function wholeOf<Name extends string>(
  query: Query<Name>,
  name: Name,
  from: number,
  to: number,
): number | undefined {
  const text: string | undefined = query[name];
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to))
    throw new Problem(
      400,
      `Cannot use ${name}: it has to be a whole number from ${from} to ${to}`,
      pointer(name),
    );
  return value;
}

/** @throws Problem 400 for another word than these */
export function wordOf<Name extends string, Word extends string>(
  query: Query<Name>,
  name: Name,
  words: readonly Word[],
): Word | undefined {
  const text: string | undefined = query[name];
  if (text === undefined) return undefined;
  const known = words.find((word) => word === text);
  if (known === undefined)
    throw new Problem(400, `Cannot use ${name}: there are ${words.join(', ')}`, pointer(name));
  return known;
}
