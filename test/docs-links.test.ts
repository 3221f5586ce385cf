/** `npm run docs`, the links: what is refused, and where it says that it stands. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

let tree: TemporaryTree;

beforeEach(() => {
  tree = temporaryTree();
});
afterEach(() => tree.remove());

const docs = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/docs.mjs'), '--only', 'links', '--root', tree.path, ...args],
    { encoding: 'utf8', timeout: 60_000 },
  );
  return {
    status,
    problems: stderr.split('\n').flatMap((line) => line.trim() || []),
    last: stdout.trimEnd().split('\n').at(-1),
  };
};

it('passes what is right', { timeout: 60_000 }, () => {
  tree.write(
    'README.md',
    `# Начало

[Below](#начало) · [there](docs/page.md#two-words) · [a folder](docs) · ![picture](docs/a.png) · [RFC 5321]

[RFC 5321 §4.5.2](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2), [RFC 5321, "Dots"](https://www.rfc-editor.org/rfc/rfc5321),
[§2 of RFC 1870](https://www.rfc-editor.org/rfc/rfc1870#section-2), \`http://localhost:2580/\`, [all](https://example.com/x?y=1)

\`\`\`sh
curl http://localhost:2580/
\`\`\`

[RFC 5321]: https://www.rfc-editor.org/rfc/rfc5321#appendix-D
`,
  );
  tree.write('docs/page.md', '# Page\n\n## Two words\n\n[Back](../README.md#начало)\n');
  tree.write('docs/a.png', '');
  tree.write('node_modules/x/README.md', '[broken](nothing.md)\n');
  tree.write('packages/x/test/data/a.md', '[broken](nothing.md)\n');
  expect(docs()).toEqual({ status: 0, problems: [], last: '1 passed, 0 failed' });
});

it('names each link that is wrong by its file and line', { timeout: 60_000 }, () => {
  tree.write(
    'README.md',
    `# Title

[a file](docs/nothing.md)
[an anchor](#nothing)
[an anchor elsewhere](.github/page.md#nothing)
[plain](http://example.com/)
also http://example.com/bare
[mine](https://localhost:2580/)
<http://127.0.0.1/>
[a person](mailto:someone@example.com)
[RFC 5321](https://datatracker.ietf.org/doc/html/rfc5321)
[RFC 5321](https://www.rfc-editor.org/rfc/rfc5322)
[the standard](https://www.rfc-editor.org/rfc/rfc5321)
[RFC 5321 §4.1](https://www.rfc-editor.org/rfc/rfc5321#section-4.2)
[RFC 5321](https://www.rfc-editor.org/rfc/rfc5321.html)
[RFC 5322][there]

<a href="http://example.com/">old</a>

[there]: https://www.rfc-editor.org/rfc/rfc5321
`,
  );
  tree.write('.github/page.md', '# Page\n\n[up](../nothing/)\n');
  const { status, problems, last } = docs();
  expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' });
  expect(problems.map((line) => line.replace(/^(.*?:\d+): /, '$1 ')).sort()).toEqual(
    [
      '.github/page.md:3 Cannot find file `../nothing`',
      'README.md:3 Cannot find file `docs/nothing.md`',
      'README.md:4 Cannot find heading for `#nothing`',
      'README.md:5 Cannot find heading for `#nothing` in `.github/page.md`',
      'README.md:6 http://example.com/ is not https:',
      'README.md:7 http://example.com/bare is not https:',
      "README.md:8 https://localhost:2580/ is on the reader's own machine: write it as code",
      "README.md:9 http://127.0.0.1/ is on the reader's own machine: write it as code",
      'README.md:10 mailto:someone@example.com is not https:',
      'README.md:11 https://datatracker.ietf.org/doc/html/rfc5321 is not https://www.rfc-editor.org/rfc/rfcNNNN, with #section-N or without',
      'README.md:12 "RFC 5321" links to RFC 5322, and does not say so',
      'README.md:13 "the standard" links to RFC 5321, and does not say so',
      'README.md:14 "RFC 5321 §4.1" links to section 4.2',
      'README.md:15 https://www.rfc-editor.org/rfc/rfc5321.html is not https://www.rfc-editor.org/rfc/rfcNNNN, with #section-N or without',
      'README.md:16 "RFC 5322" links to RFC 5321, and does not say so',
      'README.md:18 http://example.com/ is not https:',
    ].sort(),
  );
});

it.each([
  [['--only', 'figures'], 'There is no part figures: there are reference and links.'],
  [['--quietly'], "Unknown option '--quietly'"],
])('%j is told so', (args, said) => {
  const { status, problems } = docs(...args);
  expect(problems.join()).toContain(said);
  expect(status).toBe(2);
});
