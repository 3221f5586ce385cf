/** Each claim that a case can make of the wire: what it holds for, and what it says where it does not. */
import { describe, expect, test } from 'vitest';
import {
  at,
  type Claim,
  type ClaimContext,
  connections,
  content,
  dialogue,
  leaves,
  messages,
  never,
  noContent,
  noMessage,
  nothingBehind,
  only,
  responsesOf,
  says,
  that,
  unlessRefused,
  Wire,
} from '../../src/judge/claims.ts';
import type { ClientTask, MessageOutcome } from '../../src/task.ts';
import { client, data, drip, ends, open, record, type Said, server, tls } from './record.ts';

const TASK: ClientTask = {
  host: '127.0.0.1',
  port: 25,
  tls: 'off',
  ca: '',
  caFile: '',
  protocol: 'smtp',
  messages: [
    { from: 'a@example.com', to: ['b@example.org'], content: { octets: 'Hello.\r\n\r\n.dot\r\n' } },
  ],
};

const wire = (...each: readonly (readonly Said[])[]): Wire => new Wire(each.map(record));
const context = (
  outcome?: MessageOutcome['outcome'],
  task: Partial<ClientTask> = {},
): ClaimContext => ({
  task: { ...TASK, ...task },
  outcome: outcome && { outcome: 'done', messages: [{ outcome }] },
});
const holds = (claim: Claim, seen: Wire, given: ClaimContext = context()): true | string =>
  claim.holds(seen, given);

const ok = server('250 ok\r\n');
/** EHLO, STARTTLS, EHLO under TLS. */
const secured: Said[] = [
  ...open('STARTTLS'),
  client('STARTTLS\r\n'),
  server('220 go\r\n'),
  tls(),
  client('EHLO b\r\n'),
  ok,
];
const sent: Said[] = [...data('Hello.\r\n\r\n..dot\r\n.\r\n'), ok];

describe('Wire', () => {
  test('joins all connections in their order', () => {
    const all = wire(secured, sent);
    expect(all.verbs.join(' ')).toBe('EHLO STARTTLS EHLO EHLO MAIL RCPT DATA');
    expect(all.transactions).toHaveLength(1);
    expect(all.messages).toHaveLength(1);
    expect(all.plain).toContain('STARTTLS\r\nEHLO a\r\n');
    expect(all.secured).toBe('EHLO b\r\n');
  });

  test('has as messages only what was written to its end', () => {
    expect(wire(data('Hello.\r\n')).transactions).toHaveLength(1);
    expect(wire(data('Hello.\r\n')).messages).toEqual([]);
  });

  test('of nothing is empty', () => {
    const { verbs, responses, messages: none, plain } = wire();
    expect([verbs, responses, none, plain]).toEqual([[], [], [], '']);
  });
});

describe('that() and at()', () => {
  test('say what they are told, at a level or at none', () => {
    expect(that('so', () => true)).not.toHaveProperty('level');
    expect(that('so', () => true, 'INFO').level).toBe('INFO');
    expect(
      at(
        'SHOULD',
        that('so', () => true, 'INFO'),
      ),
    ).toMatchObject({ says: 'so', level: 'SHOULD' });
    expect(
      holds(
        that('so', () => 'no'),
        wire(),
      ),
    ).toBe('no');
  });
});

describe('never()', () => {
  const claim = never(/^MAIL\b/i, 'no MAIL');

  test('holds where no command is like it', () => {
    expect(holds(claim, wire(secured))).toBe(true);
    expect(holds(claim, wire())).toBe(true);
  });

  test('shows what was said', () => {
    expect(holds(claim, wire(secured, sent))).toBe('"MAIL FROM:<a@example.com>"');
  });

  test('looks outside TLS, inside, or at both', () => {
    const hello = (where: 'plain' | 'tls' | 'any'): true | string =>
      holds(never(/^EHLO/, 'no EHLO', where), wire(secured));
    expect(hello('plain')).toBe('"EHLO a"');
    expect(hello('tls')).toBe('"EHLO b"');
    expect(hello('any')).toBe('"EHLO a", "EHLO b"');
    expect(holds(never(/^STARTTLS/, 'none', 'tls'), wire(secured))).toBe(true);
  });
});

describe('says()', () => {
  test('one at least, where no number is said', () => {
    expect(holds(says(/^RCPT /, 'a RCPT'), wire(sent))).toBe(true);
    expect(holds(says(/^RSET$/, 'an RSET'), wire(sent))).toBe('0: none');
  });

  test('shows what comes near', () => {
    expect(holds(says(/^MAIL FROM:<>$/, 'the null sender'), wire(sent))).toBe(
      '0: "MAIL FROM:<a@example.com>"',
    );
  });

  test('so many, or between two numbers', () => {
    const hello = (times: number | readonly [number, number]): true | string =>
      holds(says(/^EHLO /, 'EHLO', times), wire(secured));
    expect([hello(2), hello([0, 2]), hello([2, 9])]).toEqual([true, true, true]);
    expect(hello(1)).toBe('2: "EHLO a", "EHLO b"');
    expect(hello([3, 9])).toBe('2: "EHLO a", "EHLO b"');
    expect(holds(says(/^QUIT$/, 'no QUIT', 0), wire(secured))).toBe(true);
  });

  test('in one TLS state', () => {
    expect(holds(says(/^EHLO /, 'EHLO', 1, 'tls'), wire(secured))).toBe(true);
    expect(holds(says(/^STARTTLS$/, 'STARTTLS', 1, 'tls'), wire(secured))).toBe('0: none');
  });
});

describe('dialogue()', () => {
  test('is about the verbs of one connection', () => {
    expect(holds(dialogue(/^EHLO MAIL RCPT DATA$/, 'a message'), wire(sent, secured))).toBe(true);
    expect(holds(dialogue(/^EHLO STARTTLS EHLO$/, 'TLS', 1), wire(sent, secured))).toBe(true);
    expect(holds(dialogue(/^HELO/, 'HELO'), wire(sent))).toBe('EHLO MAIL RCPT DATA');
  });

  test('tells of a connection on which nothing was said, and of one that was not', () => {
    expect(holds(dialogue(/^HELO/, 'HELO'), wire([server('220 hello\r\n')]))).toBe(
      'nothing was said',
    );
    expect(holds(dialogue(/^HELO/, 'HELO', 3), wire(sent))).toBe('nothing was said');
    expect(holds(dialogue(/^$/, 'nothing'), wire([server('220 hello\r\n')]))).toBe(true);
  });
});

describe('noContent()', () => {
  test('holds without mail data, however far the dialogue goes', () => {
    expect(holds(noContent(), wire(secured, data('')))).toBe(true);
  });

  test.each<[string, Said[], string]>([
    ['a message', sent, '17 octets, 1 messages'],
    ['an empty message', data('.\r\n'), '0 octets, 1 messages'],
    ['half a line of one', data('Hel'), '3 octets, 0 messages'],
    [
      'half a chunk',
      [...open(), client('MAIL FROM:<>\r\n'), ok, client('BDAT 99 LAST\r\nHel')],
      '3 octets, 0 messages',
    ],
  ])('sees %s', (_what, said, seen) => {
    expect(holds(noContent(), wire(said))).toBe(seen);
  });
});

describe('noMessage()', () => {
  test('holds where no line of it is written, be it only a dot', () => {
    expect(holds(noMessage(), wire(secured))).toBe(true);
    expect(holds(noMessage(), wire(data('.\r\n')))).toBe(true);
    expect(holds(noMessage(), wire(data('Hello\r\n.\r\n')))).toBe(true);
  });

  test('sees a line of it, as content and as a command', () => {
    expect(holds(noMessage(), wire(sent))).toBe('"Hello."');
    expect(holds(noMessage(), wire([...open(), client('Hello.\r\n')]))).toBe('"Hello."');
    expect(holds(noMessage(), wire([...secured, client('Hello.\r\n')]))).toBe('"Hello."');
  });
});

describe('messages()', () => {
  test('counts over all connections', () => {
    expect(holds(messages(2), wire(sent, sent, data('Hel')))).toBe(true);
    expect(holds(messages(0), wire(secured))).toBe(true);
    expect(holds(messages(1), wire(sent, sent))).toBe('2');
  });
});

describe('content()', () => {
  const text = 'Hello.\r\n\r\n.dot\r\n';

  test('holds for the very octets', () => {
    expect(holds(content(text, 'the message'), wire(sent))).toBe(true);
    expect(holds(content('Hi\r\n', 'the second', 1), wire(sent, data('Hi\r\n.\r\n')))).toBe(true);
  });

  test('shows from where on it is another', () => {
    expect(holds(content('Hello!\r\n', 'the message'), wire(sent))).toBe(
      `16 octets in place of 8, other from octet 5: ${JSON.stringify('.\r\n\r\n.dot\r\n')}`,
    );
    expect(holds(content(`${text}more`, 'the message'), wire(sent))).toBe(
      '16 octets in place of 20, other from octet 16: ""',
    );
  });

  test('needs a message that is whole', () => {
    expect(holds(content('Hello.\r\n', 'it'), wire(data('Hello.\r\n')))).toBe(
      'there is no such message',
    );
    expect(holds(content(text, 'it', 1), wire(sent))).toBe('there is no such message');
  });
});

describe('unlessRefused()', () => {
  const claim = unlessRefused(content('Hi\r\n', 'the message'));

  test('is the claim, where something was sent', () => {
    expect(claim.says).toBe('the message, or it is refused');
    expect(holds(claim, wire(data('Hi\r\n.\r\n')), context('resolve'))).toBe(true);
    expect(holds(claim, wire(sent), context('reject'))).toMatch(/^16 octets/);
  });

  test('holds where nothing was, and a failure is reported or nothing at all', () => {
    expect(holds(claim, wire(secured), context('reject'))).toBe(true);
    expect(holds(claim, wire(secured), context())).toBe(true);
    expect(holds(claim, wire(secured), context('resolve'))).toBe('success, and nothing was sent');
  });

  test('keeps the level', () => {
    expect(unlessRefused(at('SHOULD', claim)).level).toBe('SHOULD');
  });
});

describe('connections()', () => {
  test('is so many at most, and at least', () => {
    expect(holds(connections(2), wire(sent, secured))).toBe(true);
    expect(holds(connections(2), wire())).toBe(true);
    expect(holds(connections(1), wire(sent, secured))).toBe('2');
    expect(holds(connections(2, 1), wire())).toBe('0');
    expect(connections(2).says).toBe('at most 2 connection(s)');
    expect(connections(2, 2).says).toBe('2 connection(s)');
  });
});

describe('only()', () => {
  const claim = only(/^(EHLO .*|QUIT)$/, 'QUIT alone');

  test('holds for that, and for silence', () => {
    expect(holds(claim, wire([...open(), client('QUIT\r\n')]))).toBe(true);
    expect(holds(claim, wire())).toBe(true);
  });

  test('shows everything else', () => {
    expect(holds(claim, wire(secured))).toBe('"STARTTLS"');
  });
});

describe('nothingBehind()', () => {
  const claim = nothingBehind(/^550 no/m, 'nothing behind 550');
  const refused = (...replies: readonly Said[]): Said[] => [
    ...open(),
    client('MAIL FROM:<>\r\n'),
    ...replies,
  ];

  test('holds where it is not said, or nothing but QUIT comes behind it', () => {
    expect(holds(claim, wire(sent))).toBe(true);
    expect(holds(claim, wire(refused(server('550 no\r\n'), client('quit\r\n'))))).toBe(true);
  });

  test.each([
    ['in one piece', [server('550 no\r\n')]],
    ['octet by octet', drip(server('550 no\r\n'))],
  ])('shows what comes behind it, %s', (_how, replies) => {
    const said = refused(...replies, client('RCPT TO:<a@b>\r\n'));
    expect(holds(claim, wire(sent, said))).toBe('"RCPT TO:<a@b>"');
    expect(holds(nothingBehind(/^550/m, 'none', /^(QUIT|RCPT .*)$/i), wire(said))).toBe(true);
  });

  test('does not count what stands before it', () => {
    expect(holds(claim, wire(refused(ok, client('RSET\r\n'), server('550 no\r\n'))))).toBe(true);
  });
});

describe('leaves()', () => {
  const said = (left: readonly Said[]): Wire => wire([...open(), ok, ...left]);

  test('holds where every connection is left by its client', () => {
    expect(holds(leaves(), said([ends('client')]))).toBe(true);
    expect(holds(leaves(), said([ends('reset')]))).toBe(true);
  });

  test('does not hold where one is not, where its server leaves alone, or where there is none', () => {
    expect(holds(leaves(), said([]))).toBe('it did not');
    expect(holds(leaves(), said([ends('server')]))).toBe('it did not');
    expect(holds(leaves(), wire([...open(), ends('client')], open()))).toBe('it did not');
    expect(holds(leaves(), wire())).toBe('there was no connection');
  });

  test('within so many ms of the last that the server said', () => {
    const gone = (ms: number): Wire =>
      wire([
        server('220 hello\r\n', 100),
        server('421 bye\r\n', 1_000),
        ends('client', 1_000 + ms),
      ]);
    expect(holds(leaves(50), gone(50))).toBe(true);
    expect(holds(leaves(50), gone(51))).toBe('after 51 ms');
    expect(leaves(50).says).toBe('the client closes its side within 50 ms');
  });

  test('or did: the end of the server counts, what it says later does not', () => {
    const ended = [server('421 bye\r\n', 0), ends('server', 900)];
    expect(holds(leaves(50), wire([...ended, ends('client', 940)]))).toBe(true);
    expect(
      holds(
        leaves(50),
        wire([server('220 a\r\n', 0), ends('client', 90), server('421 b\r\n', 80)]),
      ),
    ).toBe(true);
    expect(
      holds(
        leaves(50),
        wire([server('220 a\r\n', 0), ends('client', 90), server('421 b\r\n', 95)]),
      ),
    ).toBe('after 90 ms');
  });
});

describe('responsesOf()', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const login: Said[] = [
    ...open('AUTH PLAIN LOGIN'),
    client(`AUTH PLAIN ${base64('\0user\0pass')}\r\n`),
    server('535 no\r\n'),
    client('AUTH LOGIN\r\n'),
    server('334 \r\n'),
    client(`${base64('Grüße')}\r\n`),
    server('334 \r\n'),
    client('*\r\n'),
    server('501 no\r\n'),
    client('AUTH EXTERNAL =\r\n'),
  ];

  test('are initial responses and answers to challenges, decoded, in their order', () => {
    expect(responsesOf(wire(login, sent))).toEqual(['\0user\0pass', 'Grüße', '*', '=']);
  });
});
