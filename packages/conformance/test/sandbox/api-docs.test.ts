/** The document against the interface: it names each route, and its examples run. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { useBench } from '../support.ts';
import { ask, hangUp } from './api-client.ts';

const { start } = useBench();
afterAll(hangUp);

const text = readFileSync(new URL('../../../../docs/sandbox-api.md', import.meta.url), 'utf8');
const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line.startsWith('curl '));

const curl = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'curl')));

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await start();
});

/** What a shell makes of it; rejects where it fails. */
function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { timeout: 10_000 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

describe('docs/sandbox-api.md', () => {
  test('names each route that there is', async () => {
    const { routes } = (await ask(sandbox, 'GET /api')).json as {
      routes: { method: string; path: string }[];
    };
    const missing = routes
      .filter(({ path }) => path !== '/api' && path !== '/api/status')
      .map(({ method, path }) => `\`${method} ${path}\``)
      .filter((route) => !text.includes(route));
    expect(missing).toEqual([]);
  });

  test('names no other', async () => {
    const { routes } = (await ask(sandbox, 'GET /api')).json as {
      routes: { method: string; path: string }[];
    };
    const known = routes.map(({ method, path }) => `${method} ${path}`);
    const named = [...text.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/[^`\s]*)`/g)];
    expect(named.length).toBeGreaterThan(30);
    expect(named.map(([, route]) => route).filter((route) => !known.includes(route ?? ''))).toEqual(
      [],
    );
  });

  test.skipIf(!curl)('has examples that run', async () => {
    expect(commands.length).toBeGreaterThan(15);
    const said: string[] = [];
    for (const command of commands)
      said.push(
        await shell(
          command.replaceAll('http://localhost:2580', `http://127.0.0.1:${sandbox.http}`),
        ),
      );
    expect(said.at(-1)).toBe(sandbox.ca);
    expect(said.filter((one) => one.startsWith('{')).length).toBeGreaterThan(12);
  });
});
