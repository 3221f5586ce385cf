/** The experiment's judge and its plan: that it sees what is wrong, and that the seed fixes what happens. */
import { describe, expect, it, vi } from 'vitest';
import { load } from './example.ts';

interface Line {
  readonly what: 'accepted' | 'replied' | 'refused' | 'cut';
  readonly id: string;
  readonly worker?: string;
  readonly code?: number;
  readonly phase?: string;
}
interface Books {
  readonly once: string[];
  readonly refused: string[];
  readonly heldAccepted: string[];
  readonly heldNot: string[];
  readonly duplicated: string[];
  readonly lost: string[];
  readonly strange: string[];
}
const { judge, hits } = (await load('experiment/judge.mjs')) as {
  judge(ids: string[], record: Line[], held?: Set<string>): Books;
  hits(record: Line[], killed: Set<string>): Record<string, number>;
};
const { blows, treatment, idOf } = (await load('experiment/plan.mjs')) as {
  blows(seed: number, counts: object): { what: string; at: number; worker: number }[];
  treatment(seed: number, id: string): { fault?: string };
  idOf(number: number): string;
};
const { report } = (await load('experiment/report.mjs')) as {
  report(size: object, ours: object, usual: object): number;
};

const accepted = (id: string): Line => ({ what: 'accepted', id });

describe('the judge', () => {
  it('counts each message once, as what it is', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const record: Line[] = [
      accepted('a'),
      { what: 'refused', id: 'b', code: 550 },
      accepted('c'),
      accepted('c'),
      { what: 'refused', id: 'd', code: 451 },
      accepted('e'),
      { what: 'refused', id: 'g', code: 451 },
      accepted('g'),
      { what: 'replied', id: 'g' },
      accepted('z'),
    ];
    expect(judge(ids, record, new Set(['e', 'f']))).toEqual({
      once: ['a', 'e', 'g'],
      refused: ['b'],
      heldAccepted: ['e'],
      heldNot: ['f'],
      duplicated: ['c'],
      lost: ['d'],
      strange: ['z'],
    });
  });

  it('excuses no duplicate that is held', () => {
    const { duplicated } = judge(['a'], [accepted('a'), accepted('a')], new Set(['a']));
    expect(duplicated).toEqual(['a']);
  });

  it('counts a kill as busy where its worker had a message under way', () => {
    const cut = (worker: string, phase: string): Line => ({ what: 'cut', id: 'a', worker, phase });
    const record = [
      cut('one', 'envelope'),
      cut('one', 'reply'),
      cut('two', 'content'),
      cut('alive', 'reply'),
    ];
    expect(hits(record, new Set(['one', 'two', 'idle']))).toEqual({
      busy: 2,
      envelope: 1,
      content: 1,
      reply: 1,
    });
  });
});

describe('the report', () => {
  const books: Books = {
    once: ['a', 'b'],
    refused: ['c'],
    heldAccepted: ['b'],
    heldNot: [],
    duplicated: [],
    lost: [],
    strange: [],
  };
  const result = {
    name: 'a recipe',
    books,
    states: new Map([
      ['a', 'sent'],
      ['b', 'held'],
      ['c', 'failed'],
    ]),
    hits: { busy: 1, envelope: 1, content: 0, reply: 0 },
    resolved: {
      books: { ...books, heldAccepted: [] },
      states: new Map([
        ['a', 'sent'],
        ['b', 'sent'],
        ['c', 'failed'],
      ]),
    },
    crashes: [],
    seconds: 1,
  };
  const size = { messages: 3, kills: 1 };
  const failures = (ours: object): number => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      return report(size, { ...result, ...ours }, result);
    } finally {
      log.mockRestore();
      error.mockRestore();
    }
  };

  it('finds nothing where all is well', () => {
    expect(failures({})).toBe(0);
  });

  const wrong: readonly [string, object][] = [
    ['a lost message', { books: { ...books, lost: ['x'] } }],
    ['a duplicate', { books: { ...books, duplicated: ['a'] } }],
    ['a message nobody has submitted', { books: { ...books, strange: ['x'] } }],
    ['a message that is open at the end', { states: new Map([...result.states, ['x', 'open']]) }],
    ['one that is sent and was not accepted', { books: { ...books, once: ['b'] } }],
    ['one that has failed and was not refused', { books: { ...books, refused: [] } }],
    [
      'what is not resolved',
      { resolved: { books: { ...books, once: ['a'] }, states: result.states } },
    ],
    ['a worker that ends by itself', { crashes: ['worker-1'] }],
    ['kills that hit nobody', { hits: { ...result.hits, busy: 0 } }],
  ];
  it.each(wrong)('finds %s', (_, ours) => {
    expect(failures(ours)).toBe(1);
  });
});

describe('the plan', () => {
  const counts = { kills: 8, pauses: 2, redisKills: 1, workers: 4 };

  it('follows from the seed', () => {
    expect(blows(1, counts)).toEqual(blows(1, counts));
    expect(blows(1, counts)).not.toEqual(blows(2, counts));
    expect(treatment(1, 'm1')).toEqual(treatment(1, 'm1'));
    expect(treatment(1, 'm1')).not.toEqual(treatment(2, 'm1'));
  });

  it('has as many blows as are asked for, in order, on workers that there are', () => {
    const all = blows(3, counts);
    expect(all.filter(({ what }) => what === 'kill')).toHaveLength(8);
    expect(all.filter(({ what }) => what === 'pause')).toHaveLength(2);
    expect(all.filter(({ what }) => what === 'redis')).toHaveLength(1);
    for (const [at, { worker, at: share }] of all.entries()) {
      expect(worker).toBeLessThan(4);
      expect(share).toBeLessThan(0.86);
      expect(share).toBeGreaterThanOrEqual(all[at - 1]?.at ?? 0);
    }
  });

  it('has each kind of fault among 900 messages', () => {
    const faults = new Set(
      Array.from({ length: 900 }, (_, at) => treatment(1, idOf(at + 1)).fault),
    );
    expect([...faults].sort()).toEqual(
      ['busy', 'greylist', 'later', 'lost-accepted', 'lost-refused', 'refuse', undefined].sort(),
    );
  });
});
