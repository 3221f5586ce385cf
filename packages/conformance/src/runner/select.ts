/** Which cases are meant: by id, tag and level. Ids match exactly, or by an explicit `*`, never by their beginning. */
import type { Case } from '../case.ts';

/** What is wrong with what a user asked for. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/**
 * The cases that a selection names, in their order.
 *
 * @param selection - terms parted by commas: 'DEV-*', 'TLS-01', 'tag:security', 'level:MUST'; with `!` in front
 * those that are left out. A case is selected where one term names it, or where there are only terms with `!`
 * @throws UsageError for a term that names no case at all
 *
 * @example
 * ```ts
 * import { cases, select } from '@posthorn/conformance';
 *
 * console.log(select(cases, 'GRE-*,!GRE-01,!level:INFO')[0]?.id); // GRE-02
 * ```
 */
export function select(cases: readonly Case[], selection: string): Case[] {
  const terms = selection
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '')
    .map((term) => ({
      without: term.startsWith('!'),
      names: naming(term.replace(/^!/, '')),
      term,
    }));
  for (const { term, names } of terms)
    if (!cases.some(names)) throw new UsageError(`${JSON.stringify(term)} names no case`);
  const wanted = terms.filter(({ without }) => !without);
  return cases.filter(
    (one) =>
      (wanted.length === 0 || wanted.some(({ names }) => names(one))) &&
      !terms.some(({ without, names }) => without && names(one)),
  );
}

function naming(term: string): (one: Case) => boolean {
  const [, kind, value = ''] = /^(tag|level|group|clause):(.*)$/i.exec(term) ?? [];
  switch (kind?.toLowerCase()) {
    case 'tag':
      return ({ tags }) => tags.includes(value.toLowerCase());
    case 'level':
      return ({ level }) => level === value.toUpperCase();
    case 'group':
      return ({ id }) => id.startsWith(`${value.toUpperCase()}-`);
    case 'clause':
      return ({ clause }) => clause.toLowerCase().includes(value.toLowerCase());
    default: {
      const parts = term.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      const pattern = new RegExp(`^${parts.join('.*')}$`, 'i');
      return ({ id }) => pattern.test(id);
    }
  }
}
