/** Each difference is as it is said, and in the table of the document. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useServers } from '../e2e/scripted-server.ts';
import { DIFFERENCES, type Stage } from './differences.ts';
import { PASS, USER, useMailServers } from './mail-server.ts';
import { FACADE, PLUGIN, REAL } from './ways.ts';

const { authority, start } = useMailServers();
const serve = useServers();

const stage: Stage = {
  async mail(options) {
    const server = await start(options);
    const { ca } = authority();
    const transport = {
      host: '127.0.0.1',
      port: server.port,
      tls: { ca },
      auth: { user: USER, pass: PASS },
    };
    return Object.assign(Object.create(server), { transport });
  },
  async script(script) {
    const server = await serve(script);
    return { transport: { host: '127.0.0.1', port: server.port }, peers: server.peers };
  },
  certificate: (kind) => authority().issue(kind),
};

describe.each(DIFFERENCES)('$what', ({ what, show, ...outcomes }) => {
  test.each([REAL, PLUGIN, FACADE])('over $name', async (way) => {
    expect(await show(way, stage)).toBe(outcomes[way.name]);
  });
});

test('the document has them, and no others', () => {
  const text = readFileSync(
    new URL('../../../../docs/migrating-from-nodemailer.md', import.meta.url),
    'utf8',
  );
  const [, section = ''] = text.split('\n## What differs\n');
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (.*) \|$/gm)]
    .map(([, row = '']) => row)
    .slice(1);
  expect(rows).toEqual(
    DIFFERENCES.map(({ what, nodemailer, plugin, facade }) =>
      [what, nodemailer, plugin, facade].join(' | '),
    ),
  );
});
