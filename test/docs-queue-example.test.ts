/** The program of examples/queue/README.md, with a queue that keeps what it is given: no Redis is needed for that. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { folderInTree } from './document-blocks.ts';
import { root } from './temporary-tree.ts';

const PAGE = 'examples/queue/README.md';
const said: unknown[][] = [];

vi.mock('bullmq', () => ({
  Queue: class {
    constructor(...args: unknown[]) {
      said.push(['new', ...args]);
    }
    async add(...args: unknown[]): Promise<void> {
      said.push(['add', ...args]);
    }
    async close(): Promise<void> {
      said.push(['close']);
    }
  },
}));

const folder = folderInTree('queue-page-');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('submits its message, and lets go of the queue', async () => {
  const blocks = [...readFileSync(join(root, PAGE), 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)];
  expect(blocks).toHaveLength(1);
  const example = pathToFileURL(join(root, 'examples/queue/')).href;
  const code = (blocks[0]?.[1] ?? '').replaceAll("from './", `from '${example}`);
  const file = join(folder, 'program.ts');
  writeFileSync(file, code);
  await import(/* @vite-ignore */ pathToFileURL(file).href);

  expect(said.map(([what]) => what)).toEqual(['new', 'add', 'close']);
  expect(said[0]?.slice(1)).toEqual(['mail', { connection: { url: expect.any(String) } }]);
  const { mailOf } = (await import(/* @vite-ignore */ `${example}mail-job.mjs`)) as {
    mailOf(job: object): { to: string; message(): { size?: number; text(): Promise<string> } };
  };
  const [, , data, options] = said[1] as [string, string, { to: string }, { jobId: string }];
  const mail = mailOf({ id: options.jobId, timestamp: 0, data });
  expect(mail.to).toBe(data.to);
  const text = await mail.message().text();
  expect(text).toContain(`\r\nMessage-ID: <${options.jobId}@`);
  expect(text.length).toBe(mail.message().size);
});
