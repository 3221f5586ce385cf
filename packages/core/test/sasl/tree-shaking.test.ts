import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import * as sasl from '../../src/sasl/index.ts';

const resolveDir = fileURLToPath(new URL('../../src/sasl', import.meta.url));

/** What stands in each mechanism's bundle, and in no other's. */
const MARKS: readonly (readonly [mark: string, mechanisms: readonly (keyof typeof sasl)[]])[] = [
  ['"PLAIN"', ['plain']],
  ['"LOGIN"', ['login']],
  ['CRAM-MD5', ['cramMd5']],
  ['Math.sin', ['cramMd5']],
  ['PBKDF2', ['scramSha1', 'scramSha256', 'scramSha512']],
  ['NFKC', ['scramSha1', 'scramSha256', 'scramSha512']],
  ['"SHA-512"', ['scramSha512']],
  ['auth=Bearer', ['xoauth2', 'oauthBearer']],
  ['"XOAUTH2"', ['xoauth2']],
  ['"OAUTHBEARER"', ['oauthBearer']],
  ['=3D', ['oauthBearer', 'scramSha1', 'scramSha256', 'scramSha512']],
  ['EXTERNAL', ['external']],
];

test.each(Object.keys(sasl))(
  '%s() brings no other mechanism with it when it is bundled alone',
  async (name) => {
    const { outputFiles } = await build({
      stdin: { contents: `export { ${name} } from './index.ts'`, resolveDir },
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
    });
    const text = outputFiles[0]?.text ?? '';
    const found = MARKS.filter(([mark]) => text.includes(mark)).map(([mark]) => mark);
    const wanted = MARKS.filter(([, names]) => (names as readonly string[]).includes(name));
    expect(found).toEqual(wanted.map(([mark]) => mark));
  },
);

test('@posthorn/core/sasl exports its mechanisms and nothing else when it is imported', () => {
  expect(Object.keys(sasl).sort()).toEqual([
    'cramMd5',
    'external',
    'login',
    'oauthBearer',
    'plain',
    'scramSha1',
    'scramSha256',
    'scramSha512',
    'xoauth2',
  ]);
});
