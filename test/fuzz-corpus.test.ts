/** The inputs that are kept for the fuzz targets, each played against the sources, without the fuzzer. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from './temporary-tree.ts';

interface Target {
  readonly fuzz: (data: Uint8Array) => void | Promise<void>;
  readonly tokens: readonly string[];
  readonly maxLength: number;
}

const folder = join(root, 'fuzz');
const targets = readdirSync(join(folder, 'targets')).map((name) => name.replace(/\.ts$/, ''));
const inputs = (name: string): string[] => readdirSync(join(folder, 'corpus', name));

it('every target has inputs, few and small ones, and nothing else has', () => {
  expect(readdirSync(join(folder, 'corpus')).sort()).toEqual(targets.sort());
  for (const name of targets) {
    const files = inputs(name);
    expect([name, files.length > 0 && files.length <= 100]).toEqual([name, true]);
  }
});

describe.each(targets)('%s', (name) => {
  it('holds for each input that is kept', async () => {
    const url = pathToFileURL(join(folder, 'targets', `${name}.ts`)).href;
    const { fuzz, tokens, maxLength }: Target = await import(/* @vite-ignore */ url);
    // An octet over 127 stands for one of them.
    expect(tokens.length).toBeLessThanOrEqual(126);
    for (const input of inputs(name)) {
      const octets = readFileSync(join(folder, 'corpus', name, input));
      expect(octets.length, input).toBeLessThanOrEqual(maxLength);
      await expect(
        (async () => fuzz(octets))(),
        `${input} ${octets.toString('hex')}`,
      ).resolves.toBe(undefined);
    }
  });
});
