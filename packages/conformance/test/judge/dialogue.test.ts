/** Whether the reader of records sees what no client may do, invents nothing, and takes every octet for what it is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dialogue, type Offence } from '../../src/judge/dialogue.ts';
import {
  client,
  data,
  drip,
  ends,
  open,
  record,
  type Said,
  server,
  stalled,
  tls,
} from './record.ts';

const read = (...said: readonly Said[]): Dialogue => new Dialogue(record(said));
const rules = (said: readonly Said[]): Offence['rule'][] =>
  read(...said).offences.map(({ rule }) => rule);
/** UTF-8 as a record has it: each octet a character. */
const octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('offences', () => {
  const upgrade = [client('STARTTLS\r\n'), server('220 go\r\n')];

  test.each<[string, Said[]]>([
    ['nothing', []],
    ['a good session', [...data('Hi\r\n..\r\n.\r\n'), server('250 ok\r\n'), client('QUIT\r\n')]],
    ['a group', [...open('PIPELINING'), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n')]],
    ['empty content', data('.\r\n')],
    ['content that is left', data('Hi\r\n')],
    ['content that is left between CR and LF', data('Hi\r')],
    ['content that is left in the final dot', data('Hi\r\n.\r')],
    ['a chunk', [...open(), client('BDAT 5 LAST\r\n\0\n\r.\r')]],
    ['a chunk that is left', [...open(), client('BDAT 50 LAST\r\nHi')]],
    [
      'an answer to a challenge',
      [...open(), client('AUTH X\r\n'), server('334 \r\n'), client('abc\r\n')],
    ],
    [
      'an answer to a challenge that comes octet by octet',
      [...open(), client('AUTH X\r\n'), ...drip(server('334 \r\n')), client('abc\r\n')],
    ],
    ['a handshake', [...open(), ...upgrade, tls(), client('EHLO a\r\n')]],
    ['TLS at once', [tls(), ...open()]],
    ['a ClientHello', [server('220 go\r\n'), client('\x16\x03\x01')]],
    ['a ClientHello before the greeting', [client('\x16\x03\x01\x02\0\n\r\n')]],
    ['a ClientHello octet by octet', [server('220 go\r\n'), ...drip(client('\x16\x03\x01\n'))]],
    [
      'a ClientHello in a handshake that stalls',
      [...open(), ...upgrade, stalled, client('\x16\x03\x01\n')],
    ],
    ['what is behind a ClientHello', [client('\x16\x03\x01'), server('220 go\r\n'), client('?\n')]],
    ['a greeting octet by octet', [...drip(server('220-a\r\n220 b\r\n')), client('EHLO a\r\n')]],
    ['a greeting without a text', [server('220\r\n'), client('EHLO a\r\n')]],
    ['QUIT to a server that does not greet', [client('QUIT\r\n')]],
    [
      'QUIT of one who has given up',
      [...open(), client('MAIL FROM:<>\r\n', 100), client('QUIT\r\n', 350)],
    ],
    [
      'QUIT to a server that has left',
      [...open(), client('MAIL FROM:<>\r\n', 100), ends('server', 101), client('QUIT\r\n', 102)],
    ],
    ['QUIT to a server that does not greet, in pieces', [client('QU'), client('IT\r\n')]],
    [
      'PIPELINING in any case, and octet by octet',
      [
        server('220 hello\r\n'),
        client('ehlo a\r\n'),
        ...drip(server('250-hello\r\n250-Pipelining\r\n250 OK\r\n')),
        client('mail from:<>\r\nrcpt to:<a@b>\r\ndata\r\n'),
      ],
    ],
    [
      'a group of AUTH with its initial response',
      [...open('PIPELINING', 'AUTH PLAIN'), client('AUTH PLAIN AGEAYg==\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'commands behind chunks in one group',
      [...open('PIPELINING'), client('BDAT 2\r\nHiBDAT 2 LAST\r\n\r\nRSET\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'a command that answers a reply before its time',
      [...open(), server('250 ok\r\n'), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n')],
    ],
    [
      'a reply to each recipient under LMTP',
      [
        server('220 hello\r\n'),
        client('LHLO a\r\n'),
        server('250 ok\r\n'),
        ...['MAIL FROM:<>', 'RCPT TO:<a@b>', 'RCPT TO:<c@d>'].flatMap((line) => [
          client(`${line}\r\n`),
          server('250 ok\r\n'),
        ]),
        client('DATA\r\n'),
        server('354 go\r\n'),
        client('Hi\r\n.\r\n'),
        server('250 ok\r\n250 ok\r\n'),
        client('QUIT\r\n'),
      ],
    ],
    ['8-bit octets in content', data(octets('Grüße 😀\r\n.\r\n'))],
    [
      '8-bit octets in an address',
      [...open('SMTPUTF8'), client(octets('MAIL FROM:<ü@ü> SMTPUTF8\r\n'))],
    ],
    ['a line of 998 octets', data(`${'x'.repeat(998)}\r\n.\r\n`)],
    ['a line of 998 octets and a doubled dot', data(`.${'.'.repeat(998)}\r\n.\r\n`)],
    [
      'half a command that was under way when the server left',
      [...open(), ends('server'), client('MAIL FR')],
    ],
    ['half a command that is broken off', [...open(), client('MAIL FR'), ends('reset')]],
  ])('lets pass: %s', (_name, said) => {
    expect(read(...said).offences).toEqual([]);
  });

  test.each<[string, Offence['rule'], Said[]]>([
    ['EHLO before the greeting', 'before-greeting', [client('EHLO a\r\n')]],
    [
      'EHLO behind the first line of the greeting',
      'before-greeting',
      [server('220-hello\r\n'), client('EHLO a\r\n'), server('220 hello\r\n')],
    ],
    [
      'EHLO within a greeting octet by octet',
      'before-greeting',
      [...drip(server('220 hello\r')), client('EHLO a\r\n'), server('\n')],
    ],
    ['EHLO behind QUIT before the greeting', 'before-greeting', [client('QUIT\r\nEHLO a\r\n')]],
    ['a line that ends with LF', 'command-line', [...open(), client('MAIL FROM:<>\nRSET\r\n')]],
    ['bare CR in a command', 'command-line', [...open(), client('MAIL FROM:<a\rb>\r\n')]],
    ['NUL in a command', 'command-line', [...open(), client('MAIL FROM:<\0>\r\n')]],
    ['no command', 'command-line', [...open(), client('HELLO\r\n')]],
    ['an empty line', 'command-line', [...open(), client('\r\n')]],
    ['half a command', 'command-line', [...open(), client('MAIL FROM:<>')]],
    ['BDAT without a number', 'command-line', [...open(), client('BDAT LAST\r\n')]],
    ['a size that is too small', 'command-line', [...open(), client('BDAT 2 LAST\r\nHi\r\n')]],
    [
      'a command that is too long',
      'command-length',
      [...open(), client(`MAIL FROM:<${'x'.repeat(1_300)}>\r\n`)],
    ],
    [
      'a group that is not offered',
      'pipelining',
      [...open(), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n')],
    ],
    [
      'a group that is not offered in many lines',
      'pipelining',
      [...open('SIZE', '8BITMIME', 'DSN'), client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n')],
    ],
    [
      'a group by another keyword',
      'pipelining',
      [...open('XPIPELINING', 'PIPELININGX'), client('RSET\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'a group that was offered before TLS',
      'pipelining',
      [
        ...open('PIPELINING', 'STARTTLS'),
        ...upgrade,
        tls(),
        client('EHLO a\r\n'),
        server('250 OK\r\n'),
        client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n'),
      ],
    ],
    [
      'QUIT of one who has not waited',
      'pipelining',
      [...open(), client('MAIL FROM:<>\r\n', 100), client('QUIT\r\n', 349)],
    ],
    [
      'another command than QUIT, however long was waited',
      'pipelining',
      [...open(), client('MAIL FROM:<>\r\n', 100), client('RSET\r\n', 9_000)],
    ],
    [
      'a command behind the dot that is not offered',
      'pipelining',
      data('Hi\r\n.\r\nMAIL FROM:<>\r\n'),
    ],
    [
      'a command behind the dot that is not offered, where its end is not seen at once',
      'pipelining',
      [...data('Hi\r\n.'), client('\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'a command behind a chunk that is not offered',
      'pipelining',
      [...open(), client('BDAT 2 LAST\r\nHiMAIL FROM:<>\r\n')],
    ],
    [
      'a group behind replies to each recipient under LMTP',
      'pipelining',
      [
        server('220 hello\r\n'),
        client('LHLO a\r\n'),
        server('250 ok\r\n'),
        ...['MAIL FROM:<>', 'RCPT TO:<a@b>', 'RCPT TO:<c@d>'].flatMap((line) => [
          client(`${line}\r\n`),
          server('250 ok\r\n'),
        ]),
        client('DATA\r\n'),
        server('354 go\r\n'),
        client('Hi\r\n.\r\n'),
        server('250 ok\r\n250 ok\r\n'),
        client('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n'),
      ],
    ],
    [
      'content behind DATA in one group',
      'group',
      [...open('PIPELINING'), client('DATA\r\nHi\r\n.\r\n')],
    ],
    [
      'half a line of content behind DATA in one group',
      'group',
      [...open('PIPELINING'), client('DATA\r\nHi'), server('354 go\r\n'), client('\r\n.\r\n')],
    ],
    [
      'content behind DATA that was refused',
      'command-line',
      [...open(), client('DATA\r\n'), server('554 no\r\n'), client('Hi\r\n.\r\n')],
    ],
    [
      'content behind DATA that was refused, where 354 stands in the text',
      'command-line',
      [...open(), client('DATA\r\n'), server('554 354 no\r\n'), client('Hi\r\n.\r\n')],
    ],
    ['a command behind QUIT', 'group', [...open('PIPELINING'), client('QUIT\r\nMAIL FROM:<>\r\n')]],
    [
      'a command behind AUTH',
      'group',
      [...open('PIPELINING'), client('AUTH LOGIN\r\nMAIL FROM:<>\r\n')],
    ],
    [
      'a ClientHello behind STARTTLS in one group',
      'group',
      [...open('PIPELINING'), client('STARTTLS\r\n\x16\x03\x01'), server('220 go\r\n'), tls()],
    ],
    ['octets behind STARTTLS', 'before-handshake', [...open(), ...upgrade, client('E'), tls()]],
    [
      'a command behind STARTTLS',
      'before-handshake',
      [...open(), ...upgrade, client('EHLO a\r\n'), tls()],
    ],
    ['a handshake that nobody asked for', 'before-handshake', [...open(), tls()]],
    ['octets before TLS at once', 'before-handshake', [client('EHLO'), tls(), ...open()]],
    ['a dot that is not doubled', 'content', data('.x\r\n.\r\n')],
    ['a dot that is not doubled, further on', 'content', data('Hi\r\n.x\r\n.\r\n')],
    ['bare LF in content', 'content', data('a\nb\r\n.\r\n')],
    ['bare CR in content', 'content', data('a\rb\r\n.\r\n')],
    ['bare LF in content that is left', 'content', data('a\nb')],
    ['NUL in content', 'nul', data('a\0b\r\n.\r\n')],
    ['a line of 999 octets', 'line-length', data(`${'x'.repeat(999)}\r\n.\r\n`)],
    [
      'a line of 999 octets behind its doubled dot',
      'line-length',
      data(`..${'x'.repeat(998)}\r\n.\r\n`),
    ],
  ])('sees: %s', (_name, rule, said) => {
    expect(rules(said)).toContain(rule);
  });

  test('what was said before the greeting is one offence, in however many pieces', () => {
    expect(rules([...drip(client('EHLO a\r\n')), server('220 hello\r\n')])).toEqual([
      'before-greeting',
    ]);
  });

  test('what is quoted is short, whatever was said', () => {
    const long = 'x'.repeat(100_000);
    const { offences } = read(...open(), client(`${long}\0\r\n`), client(long));
    expect(offences.length).toBeGreaterThan(2);
    for (const { actual } of offences) expect(actual.length).toBeLessThan(200);
  });
});

describe('commands and responses', () => {
  test('have their verb in upper case, their TLS state, time and place', () => {
    const { commands, verbs } = read(
      server('220 hello\r\n'),
      client('ehlo a\r\n', 15),
      server('250 STARTTLS\r\n'),
      client('STARTTLS\r\n'),
      server('220 go\r\n'),
      tls(),
      client('EHLO b\r\n', 99),
    );
    expect(verbs).toEqual(['EHLO', 'STARTTLS', 'EHLO']);
    expect(commands[0]).toEqual({ line: 'EHLO a', verb: 'EHLO', secure: false, at: 15, event: 1 });
    expect(commands[2]).toMatchObject({ line: 'EHLO b', secure: true, at: 99 });
  });

  test.each([
    ['whole', [server('334 VXNlcm5hbWU6\r\n'), server('334 UGFzc3dvcmQ6\r\n')]],
    ['octet by octet', drip(server('334 VXNlcm5hbWU6\r\n'))],
  ])('an answer to 334 is a response, and no command, with the reply %s', (_how, [...prompt]) => {
    const { commands, responses, offences } = read(
      ...open('AUTH LOGIN'),
      client('AUTH LOGIN\r\n'),
      ...prompt,
      client('dQ==\r\n'),
      ...prompt,
      client('QUIT\r\n'),
      server('235 ok\r\n'),
      client('QUIT\r\n'),
    );
    // What answers a challenge is a response, even where it looks like a command.
    expect(responses.map(({ line }) => line)).toEqual(['dQ==', 'QUIT']);
    expect(commands.map(({ verb }) => verb)).toEqual(['EHLO', 'AUTH', 'QUIT']);
    expect(offences).toEqual([]);
  });

  test('only the first line behind a challenge answers it', () => {
    const { responses, commands } = read(
      ...open('PIPELINING'),
      client('AUTH LOGIN\r\n'),
      server('334 \r\n'),
      client('dQ==\r\nMAIL FROM:<>\r\n'),
    );
    expect(responses.map(({ line }) => line)).toEqual(['dQ==']);
    expect(commands.at(-1)?.verb).toBe('MAIL');
  });

  test('octets of UTF-8 stay octets', () => {
    const { commands, plain } = read(...open(), client(octets('MAIL FROM:<ü@example.com>\r\n')));
    expect(Buffer.from(commands[1]?.line ?? '', 'latin1').toString('utf8')).toBe(
      'MAIL FROM:<ü@example.com>',
    );
    expect(plain).toContain(octets('ü'));
  });
});

describe('TLS', () => {
  test('parts what is said outside and inside, and names the server', () => {
    const { plain, secured, servername, unaskedTls } = read(
      ...open('STARTTLS'),
      client('STARTTLS\r\n'),
      server('220 go\r\n'),
      tls('mail.example.com'),
      client('EHLO b\r\n'),
    );
    expect([plain, secured]).toEqual(['EHLO a\r\nSTARTTLS\r\n', 'EHLO b\r\n']);
    expect([servername, unaskedTls]).toEqual(['mail.example.com', false]);
  });

  test('what is said outside is no part of it, though a handshake has begun', () => {
    const { commands } = read(
      ...open(),
      client('STARTTLS\r\n'),
      server('220 go\r\n'),
      stalled,
      client('MAIL FROM:<a@b>\r\n'),
    );
    expect(commands.at(-1)).toMatchObject({ verb: 'MAIL', secure: false });
  });

  test('without a server name there is none', () => {
    expect(read(tls(''), ...open()).servername).toBeUndefined();
    expect(read(...open()).servername).toBeUndefined();
  });

  test.each([
    ['in one piece', [client('\x16\x03\x01\0')]],
    ['octet by octet', drip(client('\x16\x03\x01\0'))],
    ['behind a command', [client('NOOP\r\n\x16\x03\x01\0')]],
  ])('a ClientHello that nobody asked for is told, %s', (_how, said) => {
    expect(read(...open(), ...said).unaskedTls).toBe(true);
  });

  test('octets that look like a ClientHello are no such thing in content or under TLS', () => {
    expect(read(...data('\x16\x03\r\n.\r\n')).unaskedTls).toBe(false);
    expect(read(tls(), ...open(), client('\x16\x03\r\n')).unaskedTls).toBe(false);
    expect(read(...open(), client('BDAT 2 LAST\r\n\x16\x03')).unaskedTls).toBe(false);
  });
});

describe('left', () => {
  test('is when the client ended, and how; not when the server did', () => {
    expect(read(...open(), ends('server', 50)).left).toBeUndefined();
    expect(read(...open(), ends('server', 50), ends('client', 70)).left).toEqual({
      at: 70,
      who: 'end',
      by: 'client',
    });
    expect(read(...open(), ends('reset')).left).toMatchObject({ reset: true });
  });
});

describe('transactions', () => {
  const ok = server('250 ok\r\n');

  test('one by DATA has its lines, its data with and without doubled dots, and its end', () => {
    const { transactions } = read(...data('..a\r\nb\r\n...\r\n.\r\n'), ok, client('QUIT\r\n'));
    expect(transactions).toEqual([
      {
        mail: 'MAIL FROM:<a@example.com>',
        rcpt: ['RCPT TO:<b@example.org>'],
        by: ['DATA'],
        chunks: [],
        last: 0,
        wire: '..a\r\nb\r\n...\r\n',
        text: '.a\r\nb\r\n..\r\n',
        complete: true,
      },
    ]);
  });

  test('a dot is undone behind CR LF alone: no bare CR or LF begins a line', () => {
    const { transactions } = read(...data('a\r.b\n.c\r\n.\r\n'));
    expect(transactions[0]?.text).toBe('a\r.b\n.c\r\n');
  });

  test.each([
    ['nothing of it', ''],
    ['a line', 'Hi\r\n'],
    ['half a line', 'Hi'],
    ['half the final dot', 'Hi\r\n.'],
    ['most of the final dot', 'Hi\r\n.\r'],
    ['a dot that ends with LF', 'Hi\r\n.\n'],
  ])('one by DATA of which is written: %s, is incomplete', (_what, content) => {
    const { transactions } = read(...data(content));
    expect(transactions).toHaveLength(1);
    expect(transactions[0]).toMatchObject({ complete: false, by: ['DATA'] });
    expect(content.startsWith(transactions[0]?.wire ?? '?')).toBe(true);
    expect((transactions[0]?.wire ?? '').length).toBeGreaterThanOrEqual(
      Math.min(content.length, 2),
    );
  });

  test('one by BDAT has its chunks, and its end with the last octet of LAST', () => {
    const begun = [...open('CHUNKING'), client('MAIL FROM:<>\r\n'), ok];
    const chunks = [client('BDAT 3\r\na\r\n'), ok, client('BDAT 4\r\n.\0\n.'), ok];
    expect(read(...begun, ...chunks).transactions[0]).toMatchObject({
      by: ['BDAT', 'BDAT'],
      chunks: [3, 4],
      last: 0,
      wire: 'a\r\n.\0\n.',
      text: 'a\r\n.\0\n.',
      complete: false,
    });
    expect(read(...begun, ...chunks, client('BDAT 2 last\r\nx')).transactions[0]).toMatchObject({
      last: 1,
      wire: 'a\r\n.\0\n.x',
      complete: false,
    });
    expect(read(...begun, ...chunks, client('BDAT 0 LAST\r\n')).transactions[0]).toMatchObject({
      chunks: [3, 4, 0],
      last: 1,
      wire: 'a\r\n.\0\n.',
      complete: true,
    });
  });

  test('several follow one another, by DATA and by BDAT, in groups and not', () => {
    const { transactions, offences } = read(
      ...data('one\r\n.\r\n', 'PIPELINING', 'CHUNKING'),
      ok,
      client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nBDAT 3 LAST\r\ntwoRSET\r\n'),
      server('250 ok\r\n'.repeat(5)),
      client('MAIL FROM:<g@h>\r\nRCPT TO:<i@j>\r\nDATA\r\n'),
      server('250 ok\r\n550 no\r\n354 go\r\n'),
      client('.\r\nQUIT\r\n'),
    );
    expect(offences).toEqual([]);
    expect(
      transactions.map(({ mail, rcpt, text, complete }) => [mail, rcpt.length, text, complete]),
    ).toEqual([
      ['MAIL FROM:<a@example.com>', 1, 'one\r\n', true],
      ['MAIL FROM:<a@b>', 2, 'two', true],
      ['MAIL FROM:<g@h>', 1, '', true],
    ]);
  });

  test('DATA that is refused has no content', () => {
    const { transactions } = read(
      ...open(),
      client('MAIL FROM:<>\r\n'),
      ok,
      client('DATA\r\n'),
      server('554 no\r\n'),
      client('QUIT\r\n'),
    );
    expect(transactions[0]).toMatchObject({ by: ['DATA'], wire: '', complete: false });
  });

  test('354 may come octet by octet, behind other replies, in several lines', () => {
    for (const go of [
      drip(server('250 ok\r\n354 go\r\n')),
      [server('250 ok\r\n35'), server('4-go\r\n354 on\r\n')],
    ]) {
      const { transactions, offences } = read(
        ...open('PIPELINING'),
        client('MAIL FROM:<>\r\nDATA\r\n'),
        ...go,
        client('Hi\r\n.\r\n'),
      );
      expect(offences).toEqual([]);
      expect(transactions[0]).toMatchObject({ text: 'Hi\r\n', complete: true });
    }
  });

  test('content without MAIL is read, and belongs to none', () => {
    const { transactions, offences, verbs } = read(
      ...open(),
      client('DATA\r\n'),
      server('354 go\r\n'),
      client('Hi\r\n.\r\n'),
      ok,
      client('BDAT 2 LAST\r\nHi'),
    );
    expect([transactions, offences]).toEqual([[], []]);
    expect(verbs).toEqual(['EHLO', 'DATA', 'BDAT']);
  });

  test('octets that cannot be text survive, each as it is', () => {
    const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
    const { transactions } = read(
      ...open(),
      client('MAIL FROM:<>\r\n'),
      ok,
      client(`BDAT 256 LAST\r\n${all}`),
    );
    expect(transactions[0]?.text).toBe(all);
  });

  test('property: doubled dots are undone, whatever the lines are', () => {
    const line = fc.string({ unit: fc.constantFrom('.', 'a', ' '), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const sent = lines.map((one) => `${one.startsWith('.') ? '.' : ''}${one}\r\n`).join('');
        const { transactions, offences } = read(...data(`${sent}.\r\n`));
        expect(offences).toEqual([]);
        expect(transactions[0]?.wire).toBe(sent);
        expect(transactions[0]?.text).toBe(lines.map((one) => `${one}\r\n`).join(''));
      }),
      { numRuns: 100 },
    );
  });
});

describe('however the octets of a client are cut', () => {
  /** What a reader has to see alike: places and times are those of events, which are cut. */
  const seen = (said: readonly Said[]): unknown => {
    const { commands, responses, transactions, offences, unaskedTls, plain, secured } = read(
      ...said,
    );
    const bare = (lines: typeof commands): unknown =>
      lines.map(({ line, verb, secure }) => [line, verb, secure]);
    return {
      commands: bare(commands),
      responses: bare(responses),
      transactions,
      offences,
      unaskedTls,
      plain,
      secured,
    };
  };
  /** What clients say, well and badly; what is content behind one reply is none behind another. */
  const clause = fc.constantFrom(
    'EHLO a\r\n',
    'LHLO a\r\n',
    'MAIL FROM:<>\r\n',
    'RCPT TO:<a@b>\r\n',
    'DATA\r\n',
    'DATA\r\n',
    'Hi\r\n.\r\n',
    'Hi\r\n.x\r\n..\r\n',
    '.\r\n',
    '.\r',
    '\n',
    '\r\n.\r\n',
    'a\rb\nc',
    'BDAT 7\r\n.\r\n\0\n\r.',
    'BDAT 3 LAST\r\nHi\n',
    'BDAT 9 LAST\r\n',
    'BDAT x\r\n',
    'AUTH LOGIN\r\n',
    'dQ==\r\n',
    'STARTTLS\r\n',
    'QUIT\r\n',
    'MAIL FR',
    '\x16\x03\x01\0',
    '\x16',
    octets('ü\r\n'),
    `${'x'.repeat(1_000)}\r\n`,
  );
  const reply = fc.constantFrom(
    '220 hello\r\n',
    '220-hello\r\n',
    '250 ok\r\n',
    '250-a\r\n250-PIPELINING\r\n250 ok\r\n',
    '354 go\r\n',
    '354 go\r\n',
    '35',
    '4 go\r\n',
    '334 \r\n',
    '554 no\r\n',
    '250 ok\r\n250 ok\r\n',
    '?\r\n',
    '',
  );
  const part = fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .array(clause, { minLength: 1, maxLength: 4 })
        .map((all) => client(all.join(''))),
    },
    { weight: 5, arbitrary: reply.map((text) => server(text)) },
    { weight: 1, arbitrary: fc.constantFrom(tls(), stalled, ends('reset'), ends('client')) },
  );
  const session = fc.array(part, { maxLength: 14 });
  /** A session that goes well for a while, so that content is reached. */
  const opened = session.map((said) => [...data('Hi\r\n'), ...said]);

  /**
   * Client events joined with their neighbours, and cut at places that are taken in turn from a list. When each was
   * said stays the same: to give up takes time.
   */
  const cut = (said: readonly Said[], lengths: readonly number[]): Said[] => {
    const joined: Said[] = [];
    for (const [place, one] of said.entries()) {
      const last = joined.at(-1);
      if (last && 'client' in last && 'client' in one)
        joined[joined.length - 1] = { ...last, client: last.client + one.client };
      else joined.push({ ...one, at: place * 10 });
    }
    let turn = 0;
    return joined.flatMap((one) => {
      if (!('client' in one)) return [one];
      const pieces: Said[] = [];
      for (let at = 0; at < one.client.length; ) {
        const length = lengths[turn % lengths.length] ?? 1;
        turn += 1;
        pieces.push(client(one.client.slice(at, at + length), one.at));
        at += length;
      }
      return pieces;
    });
  };
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

  test.each([
    ['a session of anything', session, 600],
    ['a session that has come to its content', opened, 400],
  ])('property: %s is read alike', (_what, sessions, numRuns) => {
    fc.assert(
      fc.property(sessions, lengths, (said, places) => {
        const whole = seen(cut(said, [Number.MAX_SAFE_INTEGER]));
        expect(seen(cut(said, places))).toEqual(whole);
        expect(seen(cut(said, [1]))).toEqual(whole);
      }),
      { numRuns },
    );
  });
});

describe('growth', () => {
  /** ms of the processor, the least of some runs: those of the wall grow with what else the machine does. */
  const work = (run: () => unknown): number =>
    Math.min(
      ...[1, 2, 3, 4].map(() => {
        const before = process.cpuUsage();
        run();
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1_000;
      }),
    );

  test.each<[string, (size: number) => Said[], number]>([
    [
      'content in lines that end with a dot',
      (size) => [
        ...data(''),
        ...Array.from({ length: size }, () => client('This is a sentence.\r\n')),
        client('.\r\n'),
      ],
      1_500,
    ],
    [
      'content octet by octet',
      (size) => [...data(''), ...drip(client(`${'Hi.\r\n'.repeat(size)}.\r\n`))],
      800,
    ],
    [
      'a greeting octet by octet',
      (size) => [...drip(server(`${'220-hello\r\n'.repeat(size)}220 go\r\n`)), client('QUIT\r\n')],
      500,
    ],
    [
      'a reply octet by octet',
      (size) => [
        ...open(),
        client('NOOP\r\n'),
        ...drip(server(`${'250-hello\r\n'.repeat(size)}250 go\r\n`)),
        client('QUIT\r\n'),
      ],
      500,
    ],
    [
      'a command that does not end, octet by octet',
      (size) => [...open(), ...drip(client('x'.repeat(size)))],
      3_000,
    ],
    [
      'many chunks',
      (size) => [
        ...data('.\r\n'),
        client('MAIL FROM:<>\r\n'),
        ...Array.from({ length: size }, () => [
          client('BDAT 4\r\nHi\r\n'),
          server('250 ok\r\n'),
        ]).flat(),
      ],
      800,
    ],
    [
      'a line that does not end',
      (size) => [...open(), ...Array.from({ length: size }, () => client('x'.repeat(1_000)))],
      800,
    ],
  ])('is less than quadratic in %s', (_what, said, size) => {
    const [few, many] = [record(said(size)), record(said(size * 16))];
    const exponent =
      Math.log(work(() => new Dialogue(many)) / work(() => new Dialogue(few))) / Math.log(16);
    expect(exponent).toBeLessThan(1.6);
  });
});
