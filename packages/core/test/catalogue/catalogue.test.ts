/** Whether each case of the catalogue has its test, and whether the judge of all cases sees what he is there for. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CASES } from './cases.ts';
import { offences, type Said } from './support.ts';

/** The ids that the tests of this folder bear, in order. */
const named: readonly string[] = readdirSync(new URL('.', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .flatMap((name) => [
    ...readFileSync(new URL(name, import.meta.url), 'utf8').matchAll(
      /^ *test\(\s*['"`]([A-Z]{3}-\d\d) \S/gm,
    ),
  ])
  .map(([, id]) => id as string);

describe('the catalogue', () => {
  test('has 241 cases, each with an id of its own', () => {
    expect(CASES).toHaveLength(241);
    expect(new Set(CASES.map(([id]) => id)).size).toBe(241);
  });

  test('has a test for each MUST', () => {
    const missing = CASES.filter(([, level]) => level === 'MUST')
      .map(([id]) => id)
      .filter((id) => !named.includes(id));
    expect(missing).toEqual([]);
  });

  test('knows every id that a test bears, and has no two tests for one', () => {
    const ids = CASES.map(([id]) => id);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
    expect(named.filter((id, at) => named.indexOf(id) !== at)).toEqual([]);
  });
});

describe('the judge', () => {
  const server = (said: string): Said => ({ server: said });
  const client = (said: string): Said => ({ client: said });
  const open = (...keywords: readonly string[]): Said[] => [
    server('220 hello\r\n'),
    client('EHLO a\r\n'),
    server(
      ['250-hello', ...keywords.map((keyword) => `250-${keyword}`), '250 OK\r\n'].join('\r\n'),
    ),
  ];
  const data = (said: string): Said[] => [
    ...open(),
    client('DATA\r\n'),
    server('354 go\r\n'),
    client(said),
  ];

  test.each<[string, Said[]]>([
    ['nothing', []],
    ['a good session', [...data('Hi\r\n..\r\n.\r\n'), server('250 ok\r\n'), client('QUIT\r\n')]],
    ['a group', [...open('PIPELINING'), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n')]],
    ['empty content', data('.\r\n')],
    ['content that is left', data('Hi\r\n')],
    ['content that is left between CR and LF', data('Hi\r')],
    ['a chunk', [...open(), client('BDAT 5 LAST\r\n\0\n\r.\r')]],
    [
      'an answer to a challenge',
      [...open(), client('AUTH X\r\n'), server('334 \r\n'), client('abc\r\n')],
    ],
    [
      'a handshake',
      [
        ...open(),
        client('STARTTLS\r\n'),
        server('220 go\r\n'),
        { tls: true },
        client('EHLO a\r\n'),
      ],
    ],
    ['TLS at once', [{ tls: true }, ...open()]],
    ['a ClientHello', [server('220 go\r\n'), client('\x16\x03\x01')]],
  ])('lets pass: %s', (_name, events) => {
    expect(offences(events)).toEqual([]);
  });

  test.each<[string, Said[]]>([
    ['EHLO before the greeting', [client('EHLO a\r\n')]],
    ['a line that ends with LF', [...open(), client('MAIL FROM:<>\nRCPT TO:<a@b>\r\n')]],
    ['NUL in a command', [...open(), client('MAIL FROM:<\0>\r\n')]],
    ['no command', [...open(), client('HELLO\r\n')]],
    ['half a command', [...open(), client('MAIL FROM:<>')]],
    ['a group that is not offered', [...open(), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n')]],
    [
      'a group by another keyword',
      [...open('XPIPELINING', 'PIPELININGX'), client('RSET\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'a group that was offered before TLS',
      [
        ...open('PIPELINING', 'STARTTLS'),
        client('STARTTLS\r\n'),
        server('220 go\r\n'),
        { tls: true },
        client('EHLO a\r\n'),
        server('250 OK\r\n'),
        client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n'),
      ],
    ],
    ['content behind DATA in one group', [...open('PIPELINING'), client('DATA\r\nHi\r\n.\r\n')]],
    [
      'content behind DATA that was refused',
      [...open(), client('DATA\r\n'), server('554 no\r\n'), client('Hi\r\n.\r\n')],
    ],
    ['a command behind QUIT', [...open('PIPELINING'), client('QUIT\r\nMAIL FROM:<>\r\n')]],
    ['a command behind AUTH', [...open('PIPELINING'), client('AUTH X\r\nMAIL FROM:<>\r\n')]],
    [
      'octets behind STARTTLS',
      [...open(), client('STARTTLS\r\n'), server('220 go\r\n'), client('E'), { tls: true }],
    ],
    ['a handshake that nobody asked for', [...open(), { tls: true }]],
    ['a dot that is not doubled', data('.x\r\n.\r\n')],
    ['bare LF in content', data('a\nb\r\n.\r\n')],
    ['bare CR in content', data('a\rb\r\n.\r\n')],
    ['NUL in content', data('a\0b\r\n.\r\n')],
    ['a long line in content', data(`${'x'.repeat(1_000)}\r\n.\r\n`)],
    ['a command behind the dot that is not offered', data('Hi\r\n.\r\nMAIL FROM:<>\r\n')],
    ['a size that is too small', [...open(), client('BDAT 2 LAST\r\nHi\r\n')]],
    ['a command that is too long', [...open(), client(`MAIL FROM:<${'x'.repeat(1_300)}>\r\n`)]],
  ])('sees: %s', (_name, events) => {
    expect(offences(events)).not.toEqual([]);
  });
});
