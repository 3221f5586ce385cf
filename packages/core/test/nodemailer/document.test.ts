/** docs/migrating-from-nodemailer.md: what its tables name is what there is, and what it gives to copy works. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBlock } from '../../../../test/document-blocks.ts';
import type { Any } from './ways.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const text = readFileSync(join(root, 'docs/migrating-from-nodemailer.md'), 'utf8');
const sources = readdirSync(join(root, 'packages/core/src/nodemailer')).map((name) =>
  readFileSync(join(root, 'packages/core/src/nodemailer', name), 'utf8'),
);

/** What stands in backticks between a heading and the next. */
const named = (heading: string): string[] => {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) =>
    name.split(/[^\w.]+/),
  );
};

/** The keys of an interface or a table of the sources. */
const keysOf = (declaration: string): string[] => {
  const source = sources.find((one) => one.includes(declaration)) ?? '';
  const [body = ''] = (source.split(declaration)[1] ?? '').split('\n}');
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, key = '']) => key);
};

test('every option is in the document', () => {
  const options = named('Options');
  const keys = [
    ...keysOf('export interface SmtpTransportOptions'),
    ...keysOf('const REFUSED: Record<string, string> = {\n  proxy'),
    ...keysOf('export interface JsonTransportOptions'),
    ...keysOf('export interface StreamTransportOptions'),
  ];
  expect(keys.length).toBeGreaterThan(40);
  expect(keys.filter((key) => !options.includes(key))).toEqual([]);
});

test('every key of a message is in the document', () => {
  const keys = [
    ...keysOf('export interface SendMailOptions'),
    ...keysOf('export interface MailData'),
    ...keysOf('const REFUSED: Record<string, string> = {\n  auth'),
    ...keysOf('export interface AttachmentInput'),
    ...keysOf('export interface AlternativeInput'),
    ...keysOf('export interface ContentObject'),
  ];
  expect(keys.length).toBeGreaterThan(45);
  const messages = named('Messages');
  expect(keys.filter((key) => !messages.includes(key))).toEqual([]);
});

test('what comes back is in the document', () => {
  const fields = [
    ...keysOf('export interface SentMessageInfo'),
    ...keysOf('export interface NodemailerError'),
  ];
  const back = named('What comes back');
  // `recipient` and `accepted` of errors are told of by their fields of the same name.
  expect(fields.filter((field) => !back.includes(field) && field !== 'recipient')).toEqual([]);
});

test('the codes are those that there are', () => {
  const codes = new Set(
    sources.flatMap((source) => source.match(/(?<=')E[A-Z]{3,}\d?(?=')/g) ?? []),
  );
  // Reasons behind ESTREAM, and what is no code.
  for (const other of ['EHLO', 'EFILEACCESS', 'EURLACCESS']) codes.delete(other);
  const rows = [...text.matchAll(/^\| `(E[A-Z]+)` \|/gm)].map(([, code]) => code);
  expect(new Set(rows)).toEqual(codes);
});

describe('a package by the name of nodemailer', () => {
  const place = mkdtempSync(join(tmpdir(), 'posthorn nodemailer '));
  const core = join(place, 'node_modules/@posthorn/core');

  beforeAll(async () => {
    // As the build makes it: one file for each module system, and mime in it.
    for (const [format, ending] of [
      ['esm', 'js'],
      ['cjs', 'cjs'],
    ] as const)
      await build({
        entryPoints: [join(root, 'packages/core/src/nodemailer/index.ts')],
        outfile: join(core, `dist/nodemailer.${ending}`),
        bundle: true,
        platform: 'node',
        target: 'node20',
        format,
        alias: { '@posthorn/mime': join(root, 'packages/mime/src/index.ts') },
        external: ['cloudflare:sockets'],
        logLevel: 'silent',
      });
    const { type, exports } = JSON.parse(
      readFileSync(join(root, 'packages/core/package.json'), 'utf8'),
    );
    writeFileSync(
      join(core, 'package.json'),
      JSON.stringify({ type, exports: { './nodemailer': exports['./nodemailer'] } }),
    );
    const folder = join(place, 'nodemailer');
    mkdirSync(folder);
    const [, manifest = ''] = /^```json package\.json\n([\s\S]*?)^```/m.exec(text) ?? [];
    const [, module = ''] = /^```js index\.mjs\n([\s\S]*?)^```/m.exec(text) ?? [];
    const [, common = ''] = /^`index\.cjs` is `([^`]+)`/m.exec(text) ?? [];
    writeFileSync(join(folder, 'package.json'), manifest);
    writeFileSync(join(folder, 'index.mjs'), module);
    writeFileSync(join(folder, 'index.cjs'), common);
    // What npm makes of an override that is a folder.
    symlinkSync('../nodemailer', join(place, 'node_modules/nodemailer'), 'dir');
  }, 60_000);

  afterAll(() => rmSync(place, { recursive: true, force: true }));

  const run = (name: string, code: string): string => {
    writeFileSync(join(place, name), code);
    const { stdout, stderr } = spawnSync(process.execPath, [name], {
      cwd: place,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return stdout + stderr;
  };
  const sending = `
    .createTransport({ jsonTransport: true })
    .sendMail({ from: 'a@example.com', to: 'b@example.net', text: 'Hello' })
    .then((info) => console.log(JSON.parse(info.message).to[0].address));`;

  test.each([
    ['a.cjs', `const nodemailer = require('nodemailer'); nodemailer${sending}`],
    ['b.cjs', `const { default: nodemailer } = require('nodemailer'); nodemailer${sending}`],
    ['c.cjs', `const { createTransport } = require('nodemailer'); ({ createTransport })${sending}`],
    ['a.mjs', `import nodemailer from 'nodemailer'; nodemailer${sending}`],
    ['b.mjs', `import * as nodemailer from 'nodemailer'; nodemailer${sending}`],
    ['c.mjs', `import { createTransport } from 'nodemailer'; ({ createTransport })${sending}`],
    ['d.mjs', `const nodemailer = await import('nodemailer'); nodemailer.default${sending}`],
  ])('is ours: %s', (name, code) => {
    expect(run(name, code)).toBe('b@example.net\n');
  });

  test('both module systems see the same names', () => {
    const common = run(
      'names.cjs',
      "console.log(Object.keys(require('@posthorn/core/nodemailer')).sort().join())",
    );
    const module = run(
      'names.mjs',
      "console.log(Object.keys(await import('@posthorn/core/nodemailer')).sort().join())",
    );
    expect(common).toBe(module);
    expect(common).toBe(
      'createTestAccount,createTransport,default,getTestMessageUrl,posthornTransport\n',
    );
  });

  test('a program that has sent, and says no close(), comes to its end', () => {
    const code = `
      import { createServer } from 'node:net';
      import { createTransport } from 'nodemailer';
      const server = createServer((socket) => {
        socket.write('220 hi\\r\\n');
        let data = false;
        socket.on('data', (octets) => {
          for (const line of octets.toString().split('\\r\\n').slice(0, -1)) {
            if (data && line !== '.') continue;
            data = line === 'DATA';
            socket.write(data ? '354 go\\r\\n' : line === 'QUIT' ? '221 bye\\r\\n' : '250 ok\\r\\n');
            if (line === 'QUIT') { socket.end(); server.close(); }
          }
        });
      });
      server.listen(0, '127.0.0.1', async () => {
        const { port } = server.address();
        const info = await createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
          .sendMail({ from: 'a@example.com', to: 'b@example.net', text: 'Hello' });
        console.log(info.response);
      });`;
    expect(run('end.mjs', code)).toBe('250 ok\n');
  });

  test('its block is a module here, too', async () => {
    const block = (await importBlock('docs/migrating-from-nodemailer.md', 'index.mjs')) as Any;
    expect(block.default.createTransport).toBe(block.createTransport);
  });
});
