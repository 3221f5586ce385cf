/** The document against the interface: it names each route, and its examples run. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENT_TYPES, type MessageEvent, type Sandbox } from '../../src/index.ts';
import { callbackBody } from '../../src/sandbox/callback-body.ts';
import { useBench } from '../support.ts';
import { ask, hangUp } from './api-client.ts';

const { start, talk } = useBench();
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

  test('shows what a callback is sent, as it is', () => {
    const section = text.split('### What it is sent\n')[1]?.split('\n### ')[0] ?? '';
    const [, json = ''] = /```json\n(.*?)```/s.exec(section) ?? [];
    const [, xml = ''] = /```\n(<.*?)```/s.exec(section) ?? [];
    const event: MessageEvent = {
      id: '1',
      type: 'BOUNCED',
      at: Date.UTC(2017, 9, 1, 9),
      messageId: '6f1c7a52-93d8-4a60-b1ce-2d9a4c07e315',
      recipient: 'anna@example.com',
      reason: 'bad-mailbox',
      isHardbounce: true,
    };
    const { reason: _reason, isHardbounce: _hard, ...clicked } = event;
    const told = callbackBody(event, 'json');
    expect(JSON.stringify(JSON.parse(json))).toBe(told.body);
    const click = { ...clicked, type: 'CLICKED', url: 'https://shop.example/?a=1&b=2' } as const;
    const toldXml = callbackBody(click, 'xml');
    expect(xml.replaceAll(/>\s+</g, '><').trim()).toBe(toldXml.body.replaceAll(/>\s+</g, '><'));
    for (const { contentType } of [told, toldXml])
      expect(section.replaceAll('\n', ' ')).toContain(`\`Content-Type: ${contentType}\``);
    const rows = [...section.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(
      ([, cell = '']) => cell.match(/\w+/g) ?? [],
    );
    expect(rows.sort()).toEqual([...Object.keys(JSON.parse(told.body)), 'comment'].sort());
    for (const type of EVENT_TYPES) expect(section).toContain(`\`${type}\``);
  });

  test('names all that is shown of a message, of the sandbox and of a trouble', async () => {
    const dialogue = await talk(sandbox);
    await dialogue.send();
    await dialogue.ask('FROB');
    const { id } = sandbox.inbox.messages[0] ?? {};
    const shown = [
      (await ask(sandbox, `GET /api/messages/${id}`)).json,
      (await ask(sandbox, 'GET /api/status')).json,
      sandbox.troubles[0] ?? {},
    ].flatMap(Object.keys);
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
