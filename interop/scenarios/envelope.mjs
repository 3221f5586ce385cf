/** The envelope: addresses of all kinds, many of them, some that are refused; and the size that is declared in it. */
import assert from 'node:assert/strict';
import { LONG_DOMAIN, NOBODY, RECIPIENT_LIMIT, SIZE_LIMIT } from '../accounts.mjs';
import { pieces } from '../octets.mjs';

/** DATA has the connections without CHUNKING. */
const COMMANDS = { BDAT: [], DATA: ['CHUNKING'] };

const mailsOf = (commands) => commands.filter((command) => command.startsWith('MAIL'));

/** Addresses that are taken as they are, each as the reverse-path and as the forward-path. */
const addresses = (name, list) => ({
  name,
  async play(lab) {
    const client = await lab.connect();
    for (const address of list)
      await lab.send(client, lab.letter('a\r\n', { to: address, from: address }));
  },
});

const each = (name, play) =>
  Object.entries(COMMANDS).map(([command, ignoreExtensions]) => ({
    name: `${name}, ${command}`,
    play: async (lab) => play(lab, await lab.connect({ ignoreExtensions })),
  }));

const rejected = { code: 'ERR_SMTP_REPLY', delivery: 'rejected', retry: 'never' };

/** What a server says of what is too large. */
const forgiven = {
  postfix: / message size limit| file size limit|mail_stream_cleanup: close error/,
  exim: / SMTP syntax error | TLS error on connection /,
};

/** Somewhat more than the servers take. */
const tooMuch = () => Buffer.from(`${'x'.repeat(98)}\r\n`.repeat(SIZE_LIMIT / 100 + 1_000));

export const envelope = [
  addresses('SMTPUTF8: addresses outside ASCII', ['читатель@example.net', '读者@example.net']),
  {
    name: 'SMTPUTF8: a header outside ASCII',
    async play(lab) {
      const client = await lab.connect();
      const fields = 'Comments: Привет, читатель\r\n';
      await lab.send(client, lab.letter('a\r\n', { fields, smtpUtf8: true }));
      const { commands } = await lab.seen();
      assert.match(mailsOf(commands).join(), / SMTPUTF8\b/);
    },
  },
  {
    name: 'no SMTPUTF8, no MAIL',
    async play(lab) {
      const client = await lab.connect({ port: lab.running.ports.ascii });
      const refusal = { code: 'ERR_SMTP_UNSUPPORTED', phase: 'mail', delivery: 'not-sent' };
      for (const message of [
        lab.letter('a\r\n', { to: 'читатель@example.net' }),
        lab.letter('a\r\n', { from: 'читатель@example.com' }),
        lab.letter('a\r\n', { fields: 'Comments: Привет\r\n', smtpUtf8: true }),
      ])
        await lab.fails(lab.send(client, message), refusal);
      const { commands } = await lab.seen();
      assert.deepEqual(mailsOf(commands), []);
    },
  },
  addresses('a domain outside ASCII', ['reader.utf8@пример.example']),
  addresses('quoted local parts', [
    '"a b"@example.net',
    '"a@b"@example.net',
    '"a\\"b"@example.net',
  ]),
  addresses('the longest address', [`${'l'.repeat(64)}@${LONG_DOMAIN}`]),
  addresses('every character of an unquoted local part', ["a!#$%&'*+-/=?^_`{|}~z@example.net"]),
  addresses('dots anywhere in a local part', [
    'a..b@example.net',
    'a.@example.net',
    '.a@example.net',
  ]),
  {
    name: 'the null reverse-path',
    async play(lab) {
      await lab.send(await lab.connect(), lab.letter('a\r\n', { from: '' }));
    },
  },
  {
    name: '50 recipients',
    async play(lab) {
      const client = await lab.connect();
      const to = Array.from({ length: 50 }, () => lab.address());
      const { accepted } = await lab.send(client, lab.letter('a\r\n', { to }));
      assert.deepEqual(accepted, to);
    },
  },
  {
    name: 'more recipients than the server takes',
    async play(lab) {
      const client = await lab.connect();
      const to = Array.from({ length: RECIPIENT_LIMIT + 10 }, () => lab.address());
      const receipt = await lab.send(client, lab.letter('a\r\n', { to }));
      assert.deepEqual(receipt.accepted, to.slice(0, RECIPIENT_LIMIT));
      assert.deepEqual(
        receipt.rejected.map(({ address, reply }) => `${reply.code} ${address}`),
        to.slice(RECIPIENT_LIMIT).map((address) => `452 ${address}`),
      );
    },
  },
  ...each("an unknown recipient, partial 'send'", async (lab, client) => {
    const to = [lab.address(), lab.address(NOBODY), lab.address()];
    const receipt = await lab.send(client, lab.letter('a\r\n', { to }));
    assert.deepEqual(receipt.accepted, [to[0], to[2]]);
    assert.deepEqual(
      receipt.rejected.map(({ address, reply }) => `${reply.code} ${address}`),
      [`550 ${to[1]}`],
    );
  }),
  ...each("an unknown recipient, partial 'abort'", async (lab, client) => {
    const to = [lab.address(), lab.address(NOBODY), lab.address()];
    const error = await lab.fails(
      lab.send(client, lab.letter('a\r\n', { to }), { partial: 'abort' }),
      rejected,
    );
    assert.deepEqual(
      error.rejected.map(({ address }) => address),
      [to[1]],
    );
    // The connection is in order.
    await lab.send(client, lab.letter(), { partial: 'abort' });
  }),
  ...each('nobody but unknown recipients', async (lab, client) => {
    const to = [lab.address(NOBODY), lab.address(NOBODY)];
    const { rejected: refused } = await lab.fails(
      lab.send(client, lab.letter('a\r\n', { to })),
      rejected,
    );
    assert.equal(refused.length, 2);
    await lab.send(client, lab.letter());
  }),
  {
    name: 'over the size that is offered',
    async play(lab) {
      const client = await lab.connect();
      assert.equal(client.capabilities.size, SIZE_LIMIT);
      const refusal = { code: 'ERR_SMTP_TOO_LARGE', phase: 'mail', delivery: 'not-sent' };
      await lab.fails(lab.send(client, lab.letter(tooMuch())), refusal);
      const known = lab.letter();
      await lab.fails(
        lab.send(client, { ...known, size: SIZE_LIMIT + 1, content: pieces(known.content, 9) }),
        refusal,
      );
      await lab.send(client, lab.letter());
      const { commands } = await lab.seen();
      assert.equal(mailsOf(commands).length, 1);
    },
  },
  {
    name: 'over the size that is offered, by a stream',
    forgiven,
    async play(lab) {
      const client = await lab.connect();
      const letter = lab.letter(tooMuch());
      const stream = { ...letter, content: pieces(letter.content, 50_000) };
      const error = await lab.send(client, stream).catch((reason) => reason);
      assert.equal(error.code, 'ERR_SMTP_TOO_LARGE');
      assert.equal(error.delivery, 'not-sent');
      const { log } = await lab.seen();
      assert.ok(!lab.server.readAsCommands(log), 'what is beyond its limit was read as commands');
    },
  },
  ...Object.entries(COMMANDS).map(([command, ignored]) => ({
    name: `over the size, SIZE unseen, ${command}`,
    forgiven,
    async play(lab) {
      for (const source of [(octets) => octets, (octets) => pieces(octets, 50_000)]) {
        const client = await lab.connect({ ignoreExtensions: ['SIZE', ...ignored] });
        const letter = lab.letter(tooMuch());
        const { reply } = await lab.fails(
          lab.send(client, { ...letter, content: source(letter.content) }),
          rejected,
        );
        assert.equal(reply.code, 552);
        // With DATA all of it has been read, and the connection goes on.
        if (command === 'DATA') await lab.send(client, lab.letter());
      }
    },
  })),
];
