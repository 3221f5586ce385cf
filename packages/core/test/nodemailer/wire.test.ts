/** What the server is told, over all three ways: the same commands for the same message, and every octet of it. */
import { Readable } from 'node:stream';
import nodemailer from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { rsaKey, verdict } from '../../../mime/test/dkim-support.ts';
import { createTransport, posthornTransport } from '../../src/nodemailer/index.ts';
import {
  eventually,
  greet,
  type Peer,
  takeMessages,
  useServers,
  within,
} from '../e2e/scripted-server.ts';
import { type MailServer, useMailServers } from './mail-server.ts';
import { file } from './message-cases.ts';
import { type Any, FACADE, PLUGIN, REAL, type Way } from './ways.ts';

const script = useServers();
const { start } = useMailServers();

const MESSAGE = { from: 'a@example.com', to: 'b@example.net', subject: 'x', text: 'Hello' };

const over = (way: Way, port: number, more: Any = {}): Any =>
  way.createTransport({
    host: '127.0.0.1',
    port,
    ignoreTLS: true,
    name: 'client.example',
    ...more,
  });

const failed = (promise: Promise<unknown>): Promise<Any> =>
  promise.then(
    () => {
      throw new Error('it was sent');
    },
    (error) => error,
  );

/** Each command, its parameters in the order of the alphabet. */
const commands = (peer: Peer): string[] =>
  peer.lines
    .filter((line) => /^(EHLO|MAIL|RCPT)/.test(line))
    .map((line) => {
      const [path = '', ...parameters] = line.split(/(?<=>) /);
      return [path, ...parameters.join(' ').split(' ').sort()].join(' ').trim();
    });

interface Told {
  readonly name: string;
  readonly keywords: readonly string[];
  readonly message: Any;
  readonly lines: readonly string[];
}

const TOLD: readonly Told[] = [
  {
    name: 'an envelope',
    keywords: [],
    message: { envelope: { from: 'bounce@example.com', to: ['x@example.net', 'y@example.net'] } },
    lines: ['MAIL FROM:<bounce@example.com>', 'RCPT TO:<x@example.net>', 'RCPT TO:<y@example.net>'],
  },
  {
    name: 'nobody as the sender',
    keywords: [],
    message: { envelope: { from: '', to: 'x@example.net' } },
    lines: ['MAIL FROM:<>', 'RCPT TO:<x@example.net>'],
  },
  {
    name: 'DSN',
    keywords: ['DSN'],
    message: {
      dsn: {
        id: 'order 5',
        return: 'headers',
        notify: ['failure', 'delay'],
        recipient: 'first@example.net',
      },
    },
    lines: [
      'MAIL FROM:<a@example.com> ENVID=order+205 RET=HDRS',
      'RCPT TO:<b@example.net> NOTIFY=FAILURE,DELAY ORCPT=rfc822;first@example.net',
    ],
  },
  {
    name: 'DSN by its other names',
    keywords: ['DSN'],
    message: { dsn: { envid: '5', ret: 'FULL', notify: 'never', orcpt: 'rfc822;o@example.net' } },
    lines: [
      'MAIL FROM:<a@example.com> ENVID=5 RET=FULL',
      'RCPT TO:<b@example.net> NOTIFY=NEVER ORCPT=rfc822;o@example.net',
    ],
  },
  {
    name: 'DSN, where the server has none',
    keywords: [],
    message: { dsn: { id: '5', return: 'full', notify: 'success' } },
    lines: ['MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.net>'],
  },
  {
    name: 'addresses outside ASCII',
    keywords: ['SMTPUTF8', '8BITMIME'],
    message: { to: 'π@example.net, b@bücher.example' },
    lines: [
      'MAIL FROM:<a@example.com> SMTPUTF8',
      'RCPT TO:<π@example.net>',
      'RCPT TO:<b@xn--bcher-kva.example>',
    ],
  },
];

describe.each(TOLD)('$name', ({ keywords, message, lines }) => {
  test.each([REAL, PLUGIN, FACADE])('over $name', async (way) => {
    const server = await script(async (peer) => {
      await greet(peer, ...keywords);
      await takeMessages(peer);
    });
    await over(way, server.port).sendMail({ ...MESSAGE, ...message });
    await eventually(() => server.peer().lines.length > 3, 'it was told');
    const said = commands(server.peer()).map((line) => Buffer.from(line, 'latin1').toString());
    // What is known of the content is said by whoever has composed it.
    expect(said.map((line) => line.replace(' BODY=8BITMIME', ''))).toEqual([
      'EHLO client.example',
      ...lines,
    ]);
  });
});

describe('what cannot be asked for', () => {
  test.each([PLUGIN, FACADE])('is refused before MAIL: $name', async (way) => {
    const server = await script(async (peer) => {
      await greet(peer, '8BITMIME');
      await takeMessages(peer);
    });
    const send = (more: Any): Promise<Any> =>
      failed(over(way, server.port).sendMail({ ...MESSAGE, ...more }));
    expect(await send({ requireTLSExtensionEnabled: true })).toMatchObject({
      code: 'EREQUIRETLS',
      command: 'MAIL FROM',
      delivery: 'not-sent',
      retry: 'fix-first',
    });
    expect(await send({ to: 'π@example.net' })).toMatchObject({
      code: 'EENVELOPE',
      command: 'MAIL FROM',
    });
    expect(await send({ replyTo: 'π@example.net' })).toMatchObject({
      code: 'EENVELOPE',
      command: 'MAIL FROM',
    });
    expect(await send({ dsn: { return: 'some' } })).toMatchObject({
      code: 'EENVELOPE',
      command: 'API',
    });
    expect(await send({ dsn: { notify: 'sometimes' } })).toMatchObject({
      code: 'EENVELOPE',
      command: 'API',
    });
    expect(server.plain).not.toContain('MAIL');
  });

  test('DSN is, where onUnsupported says so', async () => {
    const server = await script(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const options = { host: '127.0.0.1', port: server.port };
    const message = { ...MESSAGE, dsn: { return: 'full' } };
    for (const transporter of [
      createTransport({ ...options, ignoreTLS: true, onUnsupported: 'error' }),
      nodemailer.createTransport(
        posthornTransport({
          ...options,
          tls: 'off',
          maxMessages: 1,
          onUnsupported: 'error',
        }) as never,
      ),
    ])
      expect(await failed((transporter as Any).sendMail(message))).toMatchObject({
        code: 'EENVELOPE',
        delivery: 'not-sent',
      });
    expect(server.plain).not.toContain('MAIL');
  });

  test.each([PLUGIN, FACADE])(
    'a message that is larger than the server takes is refused: $name',
    async (way) => {
      const server = await script(async (peer) => {
        await greet(peer, 'SIZE 1000');
        await takeMessages(peer);
      });
      const sending = over(way, server.port).sendMail({ ...MESSAGE, text: 'x'.repeat(2_000) });
      expect(await failed(sending)).toMatchObject({
        code: 'EMESSAGE',
        // What nodemailer composes is a stream of unknown size.
        command: way === PLUGIN ? 'DATA' : 'MAIL FROM',
        delivery: 'not-sent',
      });
    },
  );
});

test('the plugin says 8BITMIME where the envelope asks for it', async () => {
  const server = await script(async (peer) => {
    await greet(peer, '8BITMIME');
    await takeMessages(peer);
  });
  await over(PLUGIN, server.port).sendMail({
    ...MESSAGE,
    envelope: { from: 'a@example.com', to: 'b@example.net', use8BitMime: true },
  });
  expect(server.plain).toContain('MAIL FROM:<a@example.com> BODY=8BITMIME\r\n');
});

test('the facade says SIZE, and with CHUNKING sends a message in one piece', async () => {
  const taken: string[] = [];
  const server = await script(async (peer) => {
    await greet(peer, 'SIZE', 'CHUNKING', 'PIPELINING');
    await peer.hear(/^MAIL FROM:<a@example\.com> SIZE=\d+$/);
    await peer.hear(/^RCPT/);
    peer.say('250 ok', '250 ok');
    const [, size = ''] = /^BDAT (\d+) LAST$/.exec(await peer.hear()) ?? [];
    await peer.octets(+size);
    taken.push(size);
    peer.say('250 queued');
    peer.end();
  });
  const info = await over(FACADE, server.port).sendMail({
    ...MESSAGE,
    attachments: [{ path: file('a.txt', 'content') }, { filename: 'b', content: 'x' }],
  });
  expect(info.messageSize).toBe(+(taken[0] ?? 0));
  expect(info.ehlo).toEqual(['SIZE', 'CHUNKING', 'PIPELINING']);
});

describe.each([PLUGIN, FACADE])('over $name', (way) => {
  test('a stream is read as the connection takes it, and no further', async () => {
    let produced = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    const content = Readable.from(
      (async function* () {
        for (let at = 0; at < 1_000; at += 1) {
          produced += chunk.length;
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    let release = (): void => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await script(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        if (reply.startsWith('354')) peer.pause();
        peer.say(reply);
      }
      await stalled;
      peer.destroy();
    });
    const sending = failed(
      over(way, server.port).sendMail({ ...MESSAGE, attachments: [{ filename: 'a', content }] }),
    );
    // The pipes are full when nothing has been produced for a while.
    await eventually(() => produced > 0, 'it has begun');
    for (
      let before = -1;
      before !== produced;
      await new Promise((resolve) => setTimeout(resolve, 150))
    )
      before = produced;
    expect(produced).toBeLessThan(16_000_000);
    release();
    expect(await within(8_000, sending)).toMatchObject({
      code: 'ECONNECTION',
      delivery: 'not-sent',
    });
    await eventually(() => content.destroyed, 'the source is let go');
  });

  /** Loses the first connection at the begin of the content. */
  const lossy = async (): Promise<MailServer> => {
    const server = await start({
      hideSTARTTLS: true,
      onData(stream, _, done) {
        if (server.connections > 1) {
          stream.on('end', () => done(null, 'queued')).resume();
          return;
        }
        stream.once('data', () => server.drop());
      },
    });
    return server;
  };
  /** More than the pipes take. */
  const LARGE = Buffer.alloc(16_000_000, 7);

  test('a pool sends again what was provably not sent, where it can be read again', async () => {
    const server = await lossy();
    const path = file('large.bin', LARGE);
    const transporter = over(way, server.port, { pool: true });
    const info = await transporter.sendMail({ ...MESSAGE, attachments: [{ path }] });
    expect([info.response, server.connections]).toEqual(['250 queued', 2]);
    expect(info.messageSize).toBeGreaterThan(LARGE.length);
    transporter.close();
  });

  test('a pool does not send again what can be read once', async () => {
    const server = await lossy();
    const transporter = over(way, server.port, { pool: true });
    const content = Readable.from([LARGE]);
    const error = await failed(
      transporter.sendMail({ ...MESSAGE, attachments: [{ filename: 'a', content }] }),
    );
    expect(error).toMatchObject({ code: 'ECONNECTION', delivery: 'not-sent', retry: 'reconnect' });
    expect(server.connections).toBe(1);
    transporter.close();
  });

  test('a message is signed', async () => {
    const key = rsaKey();
    // As OpenSSL has long written them.
    const privateKey = `${key.privateKey.export({ type: 'pkcs1', format: 'pem' })}`;
    const taken: string[] = [];
    const server = await script(async (peer) => {
      await greet(peer);
      await takeMessages(peer, taken);
    });
    const dkim = { domainName: 'example.com', keySelector: 'mail', privateKey };
    const options = { host: '127.0.0.1', port: server.port, ignoreTLS: true };
    // nodemailer gives a plugin no options: what is for all messages goes into the defaults.
    const transporters =
      way === PLUGIN
        ? [way.createTransport(options, { dkim })]
        : [way.createTransport({ ...options, dkim }), way.createTransport(options, { dkim })];
    for (const transporter of transporters)
      await transporter.sendMail({
        ...MESSAGE,
        text: 'Grüße\n.\nend  ',
        attachments: [{ filename: 'a', content: Readable.from([Buffer.from('from a stream')]) }],
      });
    expect(taken).toHaveLength(transporters.length);
    for (const content of taken)
      expect(await verdict(Buffer.from(content.replace(/^\./gm, ''), 'latin1'), key)).toBe('pass');
  });
});
