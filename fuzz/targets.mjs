/** The targets, made ready to run: their names, their bundles, and the inputs that are kept for them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

const folder = dirname(fileURLToPath(import.meta.url));

/** All of them, in alphabetical order: the files of fuzz/targets. */
export const names = readdirSync(join(folder, 'targets'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
  .sort();

/**
 * @param place - the folder for the bundle
 * @returns its name and file, what it says of itself, its corpus, and the function that takes an input
 */
export async function load(name, place) {
  const file = await bundle(name, place);
  const { fuzz, maxLength } = createRequire(import.meta.url)(file);
  return {
    name,
    file,
    fuzz,
    maxLength,
    isAsync: fuzz.constructor.name === 'AsyncFunction',
    corpus: join(folder, 'corpus', name),
  };
}

/** Runs the target on each input that is kept for it; what breaks a claim comes back. */
export async function replay({ fuzz, corpus }) {
  const files = existsSync(corpus) ? readdirSync(corpus).map((name) => join(corpus, name)) : [];
  const broken = [];
  for (const file of files) {
    const error = await problemWith(fuzz, readFileSync(file));
    if (error) broken.push({ file, error });
  }
  return { count: files.length, broken };
}

/** What a target throws for an input, or undefined. */
export async function problemWith(fuzz, octets) {
  try {
    await fuzz(octets);
    return undefined;
  } catch (error) {
    return error;
  }
}
