/** Content: what lies in the Maildir is what was given, by DATA and by BDAT, from memory and from streams. */
import assert from 'node:assert/strict';
import { pieces } from '../octets.mjs';

/** How content goes out: which command, and in pieces of how many octets; of Infinity: from memory. */
const WAYS = [
  ['BDAT', Infinity],
  ['DATA', Infinity],
  ['BDAT', 7],
  ['DATA', 7],
  ['DATA', 1],
];

/** How a server sees it that a connection is given up. */
const forgiven = { exim: / TLS error on connection / };

const octets = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const isEightBit = (content) => content.some((octet) => octet > 127);

/**
 * Sends a body in every way.
 *
 * @param body - what stands behind the header
 * @param arrives - what is delivered of it
 * @param ways - which of them
 */
async function inEveryWay(lab, body, { arrives = body, ways = WAYS, fields } = {}) {
  const clients = new Map();
  for (const [command, size] of ways) {
    const ignoreExtensions = command === 'DATA' ? ['CHUNKING'] : [];
    if (!clients.has(command)) clients.set(command, await lab.connect({ ignoreExtensions }));
    const letter = lab.letter(body, { fields });
    const head = letter.content.subarray(0, letter.content.length - Buffer.from(body).length);
    letter.expected = octets(head, arrives);
    if (size !== Infinity) {
      // What a stream holds is not known before it is read.
      if (isEightBit(letter.content)) letter.body = '8BITMIME';
      letter.content = pieces(letter.content, size);
    }
    const receipt = await lab.send(clients.get(command), letter);
    assert.equal(receipt.octets, letter.expected.length, 'octets of content');
  }
  const { chunked } = await lab.seen();
  assert.equal(chunked, ways.filter(([command]) => command === 'BDAT').length, 'by BDAT');
}

const row = (name, body, how) => ({
  name,
  async play(lab) {
    await inEveryWay(lab, body, how);
  },
});

/**
 * A message without a header, or without anything. A server that sees that the first line is no field puts the blank line
 * in front that ends its own (RFC 5322 §2.1).
 */
const bare = (name, content, expected) => ({
  name,
  async play(lab) {
    for (const ignoreExtensions of [[], ['CHUNKING']]) {
      const client = await lab.connect({ ignoreExtensions });
      const letter = { ...lab.letter(), messageId: '<>' };
      await lab.send(client, { ...letter, content, expected: octets(expected(lab.server)) });
    }
  },
});

const LINES_400_KB = `${'abcdefghij'.repeat(7)}klmnop\r\n`.repeat(5_252);

/** 1 to 255, but for CR and LF, in lines: NUL is not sent but as BINARYMIME. */
const ALL = Buffer.concat(
  Array.from({ length: 255 }, (_, at) => at + 1)
    .filter((octet) => octet !== 10 && octet !== 13)
    .map((octet) => Buffer.of(octet, octet, 13, 10)),
);

export const content = [
  row('text', 'Hello\r\n'),
  row('8-bit text', 'Grüße, привет, 你好, \u{1F40A}\r\n', {
    fields:
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n',
  }),
  {
    name: '8-bit text is declared',
    async play(lab) {
      const client = await lab.connect();
      await lab.send(client, lab.letter('ä\r\n'));
      await lab.send(client, lab.letter('a\r\n'));
      const { commands } = await lab.seen();
      const declared = commands.filter((command) => command.startsWith('MAIL'));
      assert.match(declared[0], / BODY=8BITMIME/);
      assert.doesNotMatch(declared[1], / BODY=/);
    },
  },
  row('dots', '.\r\n..\r\n...\r\n.a\r\na.\r\n..a\r\n \r\n.\r\n\r\n.\r\n'),
  row('a dot is the first line, and the last', '.\r\nbetween\r\n.\r\n'),
  row('nothing but dots', '.\r\n'.repeat(1_000), { ways: WAYS.slice(0, 4) }),
  // 65,536 octets are a write: every cut of CR LF and dot comes.
  row('dots at the borders of writes', '.\r\n'.repeat(70_000), {
    ways: [
      ['BDAT', Infinity],
      ['DATA', Infinity],
      ['BDAT', 65_536],
      ['DATA', 65_536],
      ['DATA', 4_099],
    ],
  }),
  row('a dot, then 997 octets', `.${'x'.repeat(997)}\r\n..${'y'.repeat(996)}\r\n`),
  row('lines of 998 octets', `${'x'.repeat(998)}\r\n${'\u00e4'.repeat(499)}\r\n`),
  row('an empty body', ''),
  row('blank lines, and blanks at the ends of lines', '\r\n\r\n \r\n\t\r\na \t \r\n\r\n\r\n'),
  row(
    'From at the begin of a line',
    'From here\r\n>From there\r\n\r\nFrom sender Thu Jan  1 12:00:00 2026\r\n',
  ),
  row('a header of 100 lines, and long ones', 'a\r\n', {
    fields: `${Array.from({ length: 100 }, (_, at) => `X-${at}: ${at}\r\n`).join('')}X-Folded: a\r\n\tb\r\n    c\r\nX-Long: ${'x'.repeat(990)}\r\nX-Blank: \r\n`,
  }),
  row('no line end at the end', 'a\r\nb', { arrives: 'a\r\nb\r\n' }),
  row('CR alone, LF alone', 'a\nb\rc\n\nd\r\r\ne\n\rf\r', {
    arrives: 'a\r\nb\r\nc\r\n\r\nd\r\n\r\ne\r\n\r\nf\r\n',
  }),
  row('CR LF . CR LF by LF alone', 'a\n.\nb\r.\rc\n.\r\nd\r\n.\ne\r\n', {
    arrives: 'a\r\n.\r\nb\r\n.\r\nc\r\n.\r\nd\r\n.\r\ne\r\n',
  }),
  row('all octets but NUL', ALL),
  row('400 KB', LINES_400_KB, {
    ways: [
      ['BDAT', Infinity],
      ['DATA', Infinity],
      ['BDAT', 10_007],
      ['DATA', 10_007],
      ['BDAT', 400_000],
    ],
  }),
  {
    name: 'a stream by several BDAT',
    async play(lab) {
      let chunks = 0;
      const onTranscript = ({ direction, text }) => {
        if (direction === 'client' && text.startsWith('BDAT ')) chunks += 1;
      };
      const client = await lab.connect({ onTranscript });
      const letter = lab.letter(LINES_400_KB);
      await lab.send(client, { ...letter, content: pieces(letter.content, 4_099) });
      assert.ok(chunks > 5, `${chunks} BDAT`);
      assert.equal((await lab.seen()).chunked, 1);
    },
  },
  {
    name: 'a stream of a known size',
    async play(lab) {
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const letter = lab.letter(LINES_400_KB);
        const size = letter.content.length;
        await lab.send(client, { ...letter, size, content: pieces(letter.content, 4_099) });
      }
      const { commands } = await lab.seen();
      for (const command of commands.filter((one) => one.startsWith('MAIL')))
        assert.match(command, / SIZE=4\d{5}\b/);
    },
  },
  bare('no content at all', '', ({ nothing }) => nothing),
  bare('no header', 'Hello\r\nyou\r\n', () => '\r\nHello\r\nyou\r\n'),
  bare('no header, but a dot', '.\r\n..\r\na\r\n', () => '\r\n.\r\n..\r\na\r\n'),
  {
    name: 'NUL is not sent',
    async play(lab) {
      const client = await lab.connect();
      await lab.fails(lab.send(client, lab.letter('a\0b\r\n')), {
        code: 'ERR_SMTP_CONTENT',
        delivery: 'not-sent',
      });
      // The connection is as it was.
      await lab.send(client, lab.letter());
      const { commands } = await lab.seen();
      assert.equal(commands.filter((command) => command.startsWith('MAIL')).length, 1);
    },
  },
  {
    name: 'a line of 999 octets is not sent',
    async play(lab) {
      const client = await lab.connect();
      await lab.fails(lab.send(client, lab.letter(`${'x'.repeat(999)}\r\n`)), {
        code: 'ERR_SMTP_CONTENT',
        delivery: 'not-sent',
      });
      const { commands } = await lab.seen();
      assert.ok(!commands.some((command) => command.startsWith('MAIL')), 'there was a MAIL');
    },
  },
  {
    name: 'a source that fails on its way',
    forgiven,
    async play(lab) {
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const letter = lab.letter(LINES_400_KB);
        const source = async function* () {
          yield* pieces(letter.content.subarray(0, 300_000), 10_000);
          throw new Error('the disk is gone');
        };
        await lab.fails(lab.send(client, { ...letter, content: source() }), {
          code: 'ERR_SMTP_CONTENT',
          delivery: 'not-sent',
        });
      }
    },
  },
  {
    name: 'an abort on its way',
    forgiven,
    async play(lab) {
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const letter = lab.letter(LINES_400_KB);
        const giveUp = new AbortController();
        const source = async function* () {
          yield* pieces(letter.content.subarray(0, 300_000), 10_000);
          giveUp.abort();
          yield* pieces(letter.content.subarray(300_000), 10_000);
        };
        await lab.fails(
          lab.send(client, { ...letter, content: source() }, { signal: giveUp.signal }),
          { code: 'ERR_SMTP_ABORTED', delivery: 'not-sent' },
        );
      }
    },
  },
];
