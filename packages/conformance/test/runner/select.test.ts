import { describe, expect, test } from 'vitest';
import type { Case } from '../../src/case.ts';
import { select, UsageError } from '../../src/runner/select.ts';
import { NO_SERVER } from '../../src/server/plan.ts';

const make = (id: string, level: Case['level'], ...tags: string[]): Case => ({
  id,
  level,
  title: id,
  requirement: 'any',
  clause: `RFC 5321 §${id.length}`,
  tags,
  plays: [{ server: NO_SERVER, expect: { client: { outcome: 'settle' } } }],
});
const ALL = [
  make('TLS-01', 'MUST', 'tls', 'security'),
  make('TLS-10', 'SHOULD', 'tls'),
  make('AUT-01', 'MUST', 'auth', 'security'),
  make('AUT-011', 'INFO', 'auth'),
];

const ids = (selection: string): string[] => select(ALL, selection).map(({ id }) => id);

describe('select()', () => {
  test.each([
    ['', ['TLS-01', 'TLS-10', 'AUT-01', 'AUT-011']],
    ['TLS-*', ['TLS-01', 'TLS-10']],
    ['tls-01', ['TLS-01']],
    // An id is no beginning of another.
    ['AUT-01', ['AUT-01']],
    ['AUT-01*', ['AUT-01', 'AUT-011']],
    ['tag:security', ['TLS-01', 'AUT-01']],
    ['level:must', ['TLS-01', 'AUT-01']],
    ['group:aut', ['AUT-01', 'AUT-011']],
    ['clause:§7', ['AUT-011']],
    ['!AUT-*', ['TLS-01', 'TLS-10']],
    ['tag:security, !TLS-01', ['AUT-01']],
    // The order is the catalogue's, not the selection's.
    ['AUT-01,TLS-01', ['TLS-01', 'AUT-01']],
  ])('%j', (selection, expected) => {
    expect(ids(selection)).toEqual(expected);
  });

  test.each(['XYZ-01', 'tag:none', 'level:PERHAPS', '!XYZ-*', 'TLS', 'AUT.01', '*-99'])(
    '%j names no case, and that is said',
    (term) => {
      expect(() => ids(`TLS-01,${term}`)).toThrow(
        new UsageError(`${JSON.stringify(term)} names no case`),
      );
    },
  );
});
