/** The parts of `npm run fuzz` around the fuzzer, without it: how input is read, what is read of a run, and what is refused. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, same, thrown } from '../fuzz/claim.ts';
import { OctetReader } from '../fuzz/octet-reader.ts';
import { root } from './temporary-tree.ts';

const load = (name: string) =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'fuzz', name)).href);

describe('OctetReader', () => {
  const reader = (...octets: number[]): OctetReader => new OctetReader(Uint8Array.from(octets));

  it('has the least answer to each question at the end', () => {
    const at = reader();
    expect([at.left, at.octet(), at.below(9), at.below(999), at.flag()]).toEqual([
      0,
      0,
      0,
      0,
      false,
    ]);
    expect([at.pick(['a', 'b']), at.text(['x']), at.list(4, () => 1)]).toEqual(['a', '', []]);
    expect(at.octets(['x'])).toEqual(new Uint8Array());
  });

  it('reads ASCII as it is, tokens, runs and units, up to a NUL', () => {
    const tokens = ['token ', '!'];
    expect(reader(0x61, 0x80, 0x81, 0x83, 0, 0x62).text(tokens)).toBe('atoken !!');
    expect(reader(0x61, 0xff, 2, 0x62).text(tokens)).toBe(`${'a'.repeat(9)}b`);
    expect(reader(0xfe, 0xd8, 0x00, 0x61).text(tokens)).toBe('\ud800a');
    expect(reader(0xfe, 0xd8, 0x00, 0x61).wire(tokens)).toBe('\xd8');
    expect(reader(0xfe, 0xff, 0x0a).octets(tokens)).toEqual(Uint8Array.of(255, 10));
  });

  it('has an answer to every question, and never one that is too long, whatever the octets are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(300), (octets, most) => {
        const at = new OctetReader(octets);
        expect(at.text(['a token', 'x'.repeat(100)], most).length).toBeLessThanOrEqual(most);
        expect(at.wire(['\r\n'], most)).toMatch(/^[\0-\xff]*$/);
        expect(at.below(most + 1)).toBeLessThanOrEqual(most);
        expect(at.list(5, () => at.octet()).length).toBeLessThanOrEqual(5);
      }),
    );
  });
});

describe('a claim', () => {
  it('throws where it does not hold, with what was seen', () => {
    expect(() => claim(true, 'fine')).not.toThrow();
    expect(() => claim(0, 'a number', [1, new Map([['a', 1n]])])).toThrow(
      'a number: [1,[["a","1"]]]',
    );
    expect(() => same(new Set([1]), new Set([1]), 'sets')).not.toThrow();
    expect(() => same({ a: 1 }, { a: 2 }, 'values')).toThrow('values: {"a":1} in place of {"a":2}');
  });

  it('thrown() gives what is thrown, and takes nothing but errors', () => {
    const error = new TypeError('no');
    const raise = (what: unknown) => (): never => {
      throw what;
    };
    expect(thrown(raise(error))).toBe(error);
    expect(thrown(() => 1)).toBeUndefined();
    expect(() => thrown(raise('text'))).toThrow('what is thrown is an Error');
    // A claim about what came out is no refusal.
    expect(() => thrown(() => 1, raise(new Error('broken')))).toThrow('broken');
  });
});

describe('what a run says', async () => {
  const { figuresIn } = await load('fuzzer.mjs');

  it('is read from its lines', () => {
    const output = `INFO: Using generated seed: 712818519
#2      INITED cov: 53 ft: 60 corp: 1/1b exec/s: 0 rss: 239Mb
#97     NEW    cov: 55 ft: 64 corp: 2/5b lim: 4 exec/s: 0 rss: 239Mb L: 4/4 MS: 1 CrossOver-
#18937  DONE   cov: 304 ft: 801 corp: 249/1959b lim: 14 exec/s: 901 rss: 469Mb
`;
    expect(figuresIn(output)).toEqual({
      seed: '712818519',
      begin: { executions: 2, event: 'INITED', cov: 53, ft: 60 },
      end: { executions: 18_937, event: 'DONE', cov: 304, ft: 801 },
    });
    expect(figuresIn('nothing')).toEqual({ seed: undefined, begin: undefined, end: undefined });
  });
});

describe('a library that asks for newer names', async () => {
  const { askForOlderNames } = await load('older-libc.mjs');
  /** An ELF file with the names, each of GLIBC_2.38 or of another version. */
  function library(names: readonly (readonly [name: string, version: string])[]): Buffer {
    const versions = ['GLIBC_2.38', 'GLIBC_2.2.5'];
    const strings = ['', ...versions, ...names.map(([name]) => name)];
    const text = Buffer.from(`${strings.join('\0')}\0`);
    const place = (string: string): number =>
      string === '' ? 0 : text.indexOf(Buffer.from(`\0${string}\0`)) + 1;
    const symbols = Buffer.alloc(24 * names.length);
    const numbers = Buffer.alloc(2 * names.length);
    names.forEach(([name, version], at) => {
      symbols.writeUInt32LE(place(name), 24 * at);
      symbols[24 * at + 4] = 0x12;
      numbers.writeUInt16LE(2 + versions.indexOf(version), 2 * at);
    });
    const needed = Buffer.alloc(16 + 16 * versions.length);
    needed.writeUInt16LE(versions.length, 2);
    needed.writeUInt32LE(16, 8);
    versions.forEach((version, at) => {
      const one = 16 + 16 * at;
      needed.writeUInt16LE(2 + at, one + 6);
      needed.writeUInt32LE(place(version), one + 8);
      needed.writeUInt32LE(at + 1 < versions.length ? 16 : 0, one + 12);
    });
    const bodies: [type: number, body: Buffer, link: number, info: number][] = [
      [0, Buffer.alloc(0), 0, 0],
      [11, symbols, 2, 0],
      [3, text, 0, 0],
      [0x6fffffff, numbers, 1, 0],
      [0x6ffffffe, needed, 2, 1],
    ];
    const head = Buffer.alloc(64);
    head.write('\x7fELF\x02\x01', 'latin1');
    head.writeUInt16LE(64, 0x3a);
    head.writeUInt16LE(bodies.length, 0x3c);
    head.writeBigUInt64LE(64n, 0x28);
    let offset = 64 + 64 * bodies.length;
    const sections = bodies.map(([type, body, link, info]) => {
      const section = Buffer.alloc(64);
      section.writeUInt32LE(type, 4);
      section.writeBigUInt64LE(BigInt(offset), 0x18);
      section.writeBigUInt64LE(BigInt(body.length), 0x20);
      section.writeUInt32LE(link, 0x28);
      section.writeUInt32LE(info, 0x2c);
      offset += body.length;
      return section;
    });
    return Buffer.concat([head, ...sections, ...bodies.map(([, body]) => body)]);
  }

  /** Of each symbol: its name, the number of its version, and whether it may be absent. */
  function symbolsOf(octets: Buffer): unknown[] {
    const section = (at: number): [from: number, size: number] => {
      const head = 64 + 64 * at;
      return [
        Number(octets.readBigUInt64LE(head + 0x18)),
        Number(octets.readBigUInt64LE(head + 0x20)),
      ];
    };
    const [from, size] = section(1);
    const [text] = section(2);
    const [numbers] = section(3);
    return Array.from({ length: size / 24 }, (_, at) => {
      const name = text + octets.readUInt32LE(from + 24 * at);
      return [
        octets.toString('latin1', name, octets.indexOf(0, name)),
        octets.readUInt16LE(numbers + 2 * at),
        (octets[from + 24 * at + 4] ?? 0) >> 4 === 2,
      ];
    });
  }

  const before = library([
    ['__isoc23_strtol', 'GLIBC_2.38'],
    ['malloc', 'GLIBC_2.2.5'],
    ['_ZSt21ios_base_library_initv', 'GLIBC_2.38'],
  ]);

  it('asks for older ones, and for all others as before', () => {
    const { octets, names } = askForOlderNames(before, ['GLIBC_2.38']);
    expect(names).toEqual(['__isoc23_strtol', '_ZSt21ios_base_library_initv']);
    expect(symbolsOf(before)[0]).toEqual(['__isoc23_strtol', 2, false]);
    expect(symbolsOf(octets)).toEqual([
      ['strtol', 1, false],
      ['malloc', 3, false],
      ['_ZSt21ios_base_library_initv', 1, true],
    ]);
    // The version that is absent may be absent; the other may not.
    const needed = Number(octets.readBigUInt64LE(64 + 64 * 4 + 0x18));
    expect([needed + 20, needed + 36].map((at) => octets.readUInt16LE(at))).toEqual([2, 0]);
    expect(octets.length).toBe(before.length);
  });

  it('is as it was where nothing is absent', () => {
    expect(askForOlderNames(before, ['GLIBC_2.99'])).toEqual({ octets: before, names: [] });
  });

  it('is refused where there is no older name, and where it is no library', () => {
    const other = library([['arc4random', 'GLIBC_2.38']]);
    expect(() => askForOlderNames(other, ['GLIBC_2.38'])).toThrow('no older name for arc4random');
    expect(() => askForOlderNames(Buffer.alloc(64), ['GLIBC_2.38'])).toThrow('no library');
  });
});

describe('the command', () => {
  it.each([
    [['--target', 'teapot'], 'There is no target teapot: there are address-list, '],
    [['--seconds', '0'], '--seconds is a number from 1 to 86400.'],
    [['--seed', '0'], '--seed is a whole number over 0.'],
    [['--input', '00'], '--input needs one --target'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused', (args, said) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'fuzz/run.mjs'), ...args], {
      encoding: 'utf8',
    });
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });
});
