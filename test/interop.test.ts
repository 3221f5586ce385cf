/** The interoperability run without its servers: what it reads in files and logs, what it is told, how it is documented. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

const load = (name: string) =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'interop', name)).href);

const { documentedCell, rowsOf } = await load('documented.mjs');
const { createMaildir, deliveredIn, withCrLf } = await load('maildir.mjs');
const { assertSame, pieces } = await load('octets.mjs');
const { scenarios } = await load('scenarios.mjs');
const { exim, postfix } = await load('servers.mjs').then(({ servers }) =>
  Object.fromEntries(servers.map((server: { name: string }) => [server.name, server])),
);

interface Delivered {
  readonly to: string;
  readonly content: Buffer;
}

const byPostfix = (content: string): string =>
  `Return-Path: <sender@example.com>\nX-Original-To: "a b"@example.net\nDelivered-To: "a b"@example.net\nReceived: from [127.0.0.1]\n\t(using TLS)\n\tid 1; Thu\n${content}`;
const byExim = (content: string): string =>
  `Return-path: <>\nEnvelope-to: читатель@example.net\nDelivery-date: Thu\nReceived: from [127.0.0.1]\n\tid 1\n${content}`;

describe('a file of a Maildir', () => {
  it('is the message behind what Postfix puts in front', () => {
    const { from, to, content } = deliveredIn(Buffer.from(byPostfix('A: b\n\n.\n')), postfix.added);
    expect([from, to, content.toString()]).toEqual([
      'sender@example.com',
      '"a b"@example.net',
      'A: b\r\n\r\n.\r\n',
    ]);
  });

  it('is the message behind what Exim puts in front', () => {
    const { from, to, content } = deliveredIn(
      Buffer.from(byExim('Received: of a\n b\n')),
      exim.added,
    );
    expect([from, to, content.toString()]).toEqual([
      '',
      'читатель@example.net',
      // It is the message's own.
      'Received: of a\r\n b\r\n',
    ]);
  });

  it('is refused where it begins otherwise', () => {
    expect(() => deliveredIn(Buffer.from('A: b\n'), postfix.added)).toThrow('in another way');
  });

  it('is refused with a CR, which was not sent alone', () => {
    expect(withCrLf(Buffer.from('a\n\nb')).toString()).toBe('a\r\n\r\nb');
    expect(() => withCrLf(Buffer.from('a\r\n'))).toThrow('there is a CR');
  });
});

describe('octets that are compared', () => {
  it.each([
    ['another octet', 'abc', 'abd', 'octet 2'],
    ['one too many', 'abcd', 'abc', 'octet 3'],
    ['one too few', 'ab', 'abc', 'octet 2'],
  ])('%s', (_what, is, expected, said) => {
    expect(() => assertSame(Buffer.from(is), Buffer.from(expected), 'it')).toThrow(said);
  });

  it('the same', () => {
    expect(() => assertSame(Buffer.from('abc'), Buffer.from('abc'), 'it')).not.toThrow();
  });

  it('in pieces are the same', async () => {
    const found: Uint8Array[] = [];
    for await (const piece of pieces(Buffer.from('abcdefg'), 3)) found.push(piece);
    expect(found.map(String)).toEqual(['abc', 'def', 'g']);
  });
});

describe('a Maildir', () => {
  let tree: TemporaryTree;
  beforeEach(() => {
    tree = temporaryTree();
  });
  afterEach(() => tree.remove());

  it('gives each file once, to whom it is meant for', () => {
    const maildir = createMaildir(tree.path, postfix.added);
    const all = (): boolean => true;
    expect(maildir.count(all)).toBe(0);
    mkdirSync(join(tree.path, 'new'));
    writeFileSync(join(tree.path, 'new/1'), byPostfix('one\n'));
    expect(maildir.take(({ to }: Delivered) => to === 'nobody@example.net')).toEqual([]);
    writeFileSync(join(tree.path, 'new/2'), byPostfix('two\n'));
    const taken = maildir.take(all).map(({ content }: Delivered) => content.toString());
    expect(taken).toEqual(['one\r\n', 'two\r\n']);
    expect(maildir.take(all)).toEqual([]);
  });
});

describe('the log of Postfix', () => {
  const said = (who: string, text: string): string =>
    `Nov 26 12:16:40 localhost postfix/${who}[21]: ${text}\n`;
  const peer = 'unknown[127.0.0.1]';
  const log = [
    said('smtpd', `connect from ${peer}`),
    said('smtpd', `< ${peer}: EHLO [127.0.0.1]`),
    said('smtpd', `< ${peer}: AUTH LOGIN`),
    said('smtpd', `< ${peer}: dGVzdGVyQGV4YW1wbGUuY29t`),
    said('smtpd', `< ${peer}: MAIL FROM:<a@example.com> SIZE=3`),
    said('smtpd', `1A: client=${peer}, sasl_method=LOGIN, sasl_username=tester@example.com`),
    said('smtpd', `< ${peer}: BDAT 3 LAST`),
    said('cleanup', '1A: message-id=<1@example.com>'),
    said('cleanup', '1B: message-id=<2@example.com>'),
    said('smtpd', `> ${peer}: 250 2.0.0 Ok: 3 bytes queued as 1B`),
    said('smtpd', `> ${peer}: 250 2.0.0 Ok: queued as 1A`),
    said('error', '1A: to=<b@example.net>, relay=none, dsn=5.1.1, status=bounced (no)'),
    said('smtpd', `warning: ${peer}: SASL LOGIN authentication failed`),
    said('smtpd', `improper command pipelining after DATA from ${peer}: x`),
  ].join('');

  it('tells what it has read, accepted and complained of', () => {
    expect(postfix.commands(log)).toEqual([
      'EHLO [127.0.0.1]',
      'AUTH LOGIN',
      'MAIL FROM:<a@example.com> SIZE=3',
      'BDAT 3 LAST',
    ]);
    expect(postfix.accepted(log)).toEqual(['<2@example.com>', '<1@example.com>']);
    expect(postfix.authenticated(log)).toEqual(['LOGIN tester@example.com']);
    expect(postfix.chunked(log)).toBe(1);
    expect(postfix.failed(log)).toBe(1);
    expect(postfix.complaints(log)).toHaveLength(2);
  });

  it('tells when its connections are over', () => {
    expect(postfix.isQuiet({ log })).toBe(false);
    expect(postfix.isQuiet({ log: `${log}${said('smtpd', `disconnect from ${peer}`)}` })).toBe(
      true,
    );
  });
});

describe('the log of Exim', () => {
  const log = `
2026-11-26 12:26:31 C: MAIL FROM:<a@example.com> SIZE=3
2026-11-26 12:26:31 1x-1 <= a@example.com H=([127.0.0.1]) [127.0.0.1] P=esmtpsa L. X=TLS1.3:X:256* CV=no A=CRAM_MD5:tester@example.com K S=377 M8S=0 id=8@example.com for b@example.net
2026-11-26 12:26:31 1x-2 <= <> H=([127.0.0.1]) [127.0.0.1] P=utf8esmtpsa X=TLS1.3:X:256 CV=no S=377 for b@example.net
2026-11-26 12:26:31 1x-3 ** gone@example.net R=gone: no
2026-11-26 12:26:31 1x-4 <= <> R=1x-3 U=Debian-exim P=local S=1754 for a@example.com
2026-11-26 12:26:31 SMTP syntax error in "x" H=([127.0.0.1]) [127.0.0.1] unrecognized command
2026-11-26 12:26:31 TLS error on connection from [127.0.0.1] (recv): no
`;

  it('tells what it has read, accepted and complained of', () => {
    expect(exim.commands(log)).toEqual(['MAIL FROM:<a@example.com> SIZE=3']);
    expect(exim.accepted(log)).toEqual(['<8@example.com>', '<>']);
    expect(exim.authenticated(log)).toEqual(['CRAM-MD5 tester@example.com']);
    expect(exim.chunked(log)).toBe(1);
    expect(exim.resumed(log)).toBe(1);
    expect(exim.failed(log)).toBe(1);
    expect(exim.complaints(log)).toHaveLength(2);
    expect(exim.readAsCommands(log)).toBe(true);
  });
});

describe('docs/interop.md', () => {
  const text = '| a | ok | ok * |\n| b | – | ok |\n\nIt does so\nslowly.';
  const cells = (b: string, note?: string) =>
    new Map<string, { verdict: string; note?: string | undefined }>([
      ['a', { verdict: 'ok', note }],
      ['b', { verdict: b }],
    ]);

  it('is held to verdicts and reasons', () => {
    expect(documentedCell('exim', cells('ok', 'so slowly'), text)).toEqual({ verdict: 'ok' });
    expect(documentedCell('postfix', cells('–'), text)).toEqual({ verdict: 'ok' });
    expect(documentedCell('postfix', cells('ok'), text).note).toBe('b: it is ok, and not –');
    expect(documentedCell('exim', cells('ok', 'fast'), text).note).toBe('a: nothing says "fast"');
    expect(documentedCell('exim', cells('ok'), text).note).toBe('a: it is ok, and not ok *');
    expect(documentedCell('exim', cells('ok'), '').note).toMatch(/not there$/);
  });

  it('has a row for each scenario, and a dash where it is left out', () => {
    const rows = rowsOf();
    expect(new Set(scenarios.map((scenario: { name: string }) => scenario.name)).size).toBe(
      scenarios.length,
    );
    for (const { name, except } of scenarios)
      expect(
        rows.get(name)?.map((verdict: string) => verdict === '–'),
        name,
      ).toEqual([postfix, exim].map((server) => except?.[server.name] !== undefined));
  });
});

describe('the command', () => {
  it.each([
    [['--server', 'sendmail'], 'There is no server sendmail: there are postfix, exim.'],
    [['--scenario', 'telepathy'], 'There is no scenario with telepathy in its name.'],
    [['--quietly'], "Unknown option '--quietly'"],
  ])('%j is told so', (args, said) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'interop/run.mjs'), ...args],
      { encoding: 'utf8' },
    );
    expect(stderr).toContain(said);
    expect(status).toBe(2);
  });
});
