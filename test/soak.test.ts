/** The parts of `npm run soak` that its verdict rests on: the ledger, the gauge, the server's choices, and what it refuses. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from './temporary-tree.ts';

const load = (name: string) =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'soak', name)).href);

describe('the ledger', async () => {
  const { lies } = await load('ledger.mjs');
  const told = (more: object) =>
    new Map([[7, { to: ['a@b', 'c@d'], accepted: [], rejected: [], delivery: 'none', ...more }]]);
  const kept = (recipients: string[], octets = 10) => ({ id: 7, recipients, octets, digest: '' });
  const BOTH = ['a@b', 'c@d'];

  it.each<[string, object, object[]]>([
    ['accepted, once', { delivery: 'accepted', accepted: BOTH, octets: 10 }, [kept(BOTH)]],
    [
      'accepted, in two transactions',
      { delivery: 'accepted', accepted: BOTH, octets: 20 },
      [kept(['a@b']), kept(['c@d'])],
    ],
    [
      'accepted for one of two',
      { delivery: 'accepted', accepted: ['a@b'], rejected: ['c@d'], octets: 10 },
      [kept(['a@b'])],
    ],
    ['not sent', { delivery: 'not-sent' }, []],
    ['unknown, and it is there', { delivery: 'unknown' }, [kept(BOTH)]],
    ['unknown, and it is not', { delivery: 'unknown' }, []],
    ['unknown but for one who has it', { delivery: 'unknown', accepted: ['a@b'] }, [kept(['a@b'])]],
  ])('finds nothing where it is %s', (_, one, accepted) => {
    expect(lies(told(one), accepted)).toEqual([]);
  });

  it.each<[string, object, object[], RegExp]>([
    [
      'is accepted and is not there',
      { delivery: 'accepted', accepted: BOTH },
      [],
      /accepted.*0 times/,
    ],
    [
      'is accepted and is there twice',
      { delivery: 'accepted', accepted: BOTH },
      [kept(BOTH), kept(BOTH)],
      /accepted.*2 times/,
    ],
    ['was not sent and is there', { delivery: 'not-sent' }, [kept(BOTH)], /not-sent.*1 times/],
    ['is rejected and is there', { delivery: 'rejected' }, [kept(BOTH)], /rejected.*1 times/],
    [
      'is unknown and is there twice',
      { delivery: 'unknown' },
      [kept(BOTH), kept(['a@b'])],
      /unknown.*2 times/,
    ],
    [
      'is refused for one who has it',
      { delivery: 'unknown', rejected: ['c@d'] },
      [kept(BOTH)],
      /c@d is told rejected/,
    ],
    ['cannot be sent', { delivery: 'unknown', doomed: true }, [kept(BOTH)], /cannot be sent/],
    ['has come to nothing', {}, [], /nothing is told/],
    [
      'has other octets',
      { delivery: 'accepted', accepted: BOTH, octets: 11 },
      [kept(BOTH)],
      /11 octets, and the server has 10/,
    ],
    ['went to somebody else', { delivery: 'unknown' }, [kept(['e@f'])], /none of its recipients/],
  ])('finds a message that %s', (_, one, accepted, sentence) => {
    expect(lies(told(one), accepted).join()).toMatch(sentence);
  });

  it('finds a message that nobody has sent', () => {
    expect(lies(new Map(), [kept(BOTH)]).join()).toMatch(/nobody has sent/);
  });
});

describe('the gauge', async () => {
  const { growth, slopeOf, surplus } = await load('gauge.mjs');
  const room = { once: 1_000, each: 4 };
  /** Samples of so many octets for each message, on top of what comes and goes. */
  const run = (each: number, noise: readonly number[]) =>
    noise.map((more, at) => [at * 1_000, 5_000_000 + each * at * 1_000 + more]);
  const NOISE = [0, 900, 100, 700, 50, 300, 800, 0, 400, 200, 600, 100];

  it('slopeOf() is the median of all slopes, whatever one sample says', () => {
    expect(slopeOf([])).toBe(0);
    expect(slopeOf([[0, 1]])).toBe(0);
    expect(
      slopeOf([
        [0, 0],
        [1, 5],
        [2, 10],
      ]),
    ).toBe(5);
    expect(
      slopeOf([
        [0, 0],
        [1, 2],
        [2, 1_000],
        [3, 6],
        [4, 8],
      ]),
    ).toBe(2);
    expect(
      slopeOf([
        [0, 0],
        [1, 1],
        [1, 9],
      ]),
    ).toBe(5);
  });

  it('growth() is within its room where what comes also goes', () => {
    const found = growth(run(0, NOISE), room);
    expect(found.growth).toBeLessThan(found.most);
  });

  it('growth() passes it where the smallest thing is kept of each message', () => {
    const found = growth(run(8, NOISE), room);
    expect(found.slope).toBeGreaterThan(7);
    expect(found.growth).toBeGreaterThan(found.most);
  });

  it('growth() does not look at what is made once, at the begin', () => {
    const found = growth(
      run(0, NOISE).map(([x = 0, y = 0], at) => [x, at < 5 ? y - 4_000_000 : y]),
      room,
    );
    expect(found.growth).toBeLessThan(found.most);
  });

  it('surplus() names what there is more of', () => {
    expect(surplus({ a: 1, b: 2 }, { a: 1, b: 1 })).toEqual([]);
    expect(surplus({ a: 1 }, { a: 3, c: 1 })).toEqual(['a +2', 'c +1']);
  });
});

describe('the server', async () => {
  const { ALL, characterOf, faultsAt } = await load('faults.mjs');
  const { seeded } = await load('random.mjs');

  it('makes the same choices for the same seed, and others for another', () => {
    const choices = (seed: number) => {
      const random = seeded(seed);
      return Array.from({ length: 50 }, () => JSON.stringify(characterOf(random, {})));
    };
    expect(choices(1)).toEqual(choices(1));
    expect(choices(1)).not.toEqual(choices(2));
  });

  it('leaves nobody waiting who has no short deadlines', () => {
    const stages = new Set(ALL.map((name: string) => name.split(':')[0]));
    for (const stage of stages) {
      expect(faultsAt(stage, false).join()).not.toMatch(/stall|late/);
      expect(faultsAt(stage, true).join()).toMatch(/stall/);
    }
  });
});

describe('the messages', async () => {
  const { messageOf } = await load('message.mjs');

  it('are made of their number: the same again', async () => {
    for (let id = 0; id < 150; id += 1) {
      const one = messageOf(3, id);
      expect(messageOf(3, id).to).toEqual(one.to);
      const octets = await one.octets?.();
      if (!octets) continue;
      expect(Buffer.from(await messageOf(3, id).octets()).equals(octets)).toBe(true);
      expect(Buffer.from(octets).toString('latin1')).toContain(`X-Soak: ${id}\r\n`);
    }
  });
});

describe('the command', () => {
  it.each([
    [['--minutes', '0'], '--minutes is a number from 0.1 to 1440.'],
    [['--minutes', 'x'], '--minutes is a number from 0.1 to 1440.'],
    [['--seed', '1e9'], '--seed is a whole number'],
    [['--hours', '1'], "Unknown option '--hours'"],
  ])('%j is refused', (args, said) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'soak/run.mjs'), ...args], {
      encoding: 'utf8',
    });
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });
});
