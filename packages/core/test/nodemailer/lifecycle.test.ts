/** Connections, events, plugins, callbacks: how a transporter lives. */
import { EventEmitter } from 'node:events';
import nodemailer from 'nodemailer';
import { describe, expect, test, vi } from 'vitest';
import { createTransport, posthornTransport } from '../../src/nodemailer/index.ts';
import {
  eventually,
  everythingIn,
  greet,
  takeMessages,
  useServers,
  within,
} from '../e2e/scripted-server.ts';
import { type MailServer, PASS, USER, useMailServers } from './mail-server.ts';
import { type Any, FACADE, PLUGIN, REAL } from './ways.ts';

const { authority, start } = useMailServers();
const script = useServers();

const MESSAGE = { from: 'a@example.com', to: 'b@example.net', subject: 'x', text: 'Hello' };

const place = ({ port }: MailServer, more: Any = {}): Any => ({
  host: '127.0.0.1',
  port,
  tls: { ca: authority().ca },
  auth: { user: USER, pass: PASS },
  ...more,
});

const failed = (promise: Promise<unknown>): Promise<Any> =>
  promise.then(
    () => {
      throw new Error('it was sent');
    },
    (error) => error,
  );

describe.each([REAL, PLUGIN, FACADE])('over $name', (way) => {
  test('each message has a connection of its own', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server));
    await Promise.all([1, 2, 3].map(() => transporter.sendMail(MESSAGE)));
    expect(server.connections).toBe(3);
    await eventually(() => !server.open, 'each of them is left');
  });

  test('a pool uses its connections again', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server, { pool: true, maxConnections: 1 }));
    for (const _ of [1, 2, 3]) await transporter.sendMail(MESSAGE);
    expect(server.connections).toBe(1);
    expect(server.delivered).toHaveLength(3);
    transporter.close();
    await eventually(() => !server.open, 'the pool has left');
  });

  test('a pool leaves a connection after maxMessages', async () => {
    const server = await start();
    const transporter = way.createTransport(
      place(server, { pool: true, maxConnections: 1, maxMessages: 2 }),
    );
    for (const _ of [1, 2, 3]) await transporter.sendMail(MESSAGE);
    expect(server.connections).toBe(2);
    transporter.close();
  });

  test('a pool that is closed takes nothing more', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server, { pool: true }));
    transporter.close();
    const error = await failed(transporter.sendMail(MESSAGE));
    expect(error.code).toBe('ECONNECTION');
    expect(server.connections).toBe(0);
  });

  test('callbacks are told once, outside of whatever called them', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server));
    const told: Any[] = [];
    const done = new Promise<void>((resolve) => {
      const answer = transporter.sendMail(MESSAGE, (error: unknown, info: Any) => {
        told.push([error, info.accepted]);
        resolve();
      });
      expect(answer).toBeUndefined();
      expect(told).toEqual([]);
    });
    await done;
    const wrong = new Promise<Any>((resolve) => {
      transporter.sendMail({ ...MESSAGE, to: '' }, (error: Any, ...rest: unknown[]) =>
        resolve([error.code, rest.filter(Boolean)]),
      );
    });
    expect(await wrong).toEqual(['EENVELOPE', []]);
    expect(told).toEqual([[null, ['b@example.net']]]);
    await expect(
      new Promise((resolve) => transporter.verify((...args: unknown[]) => resolve(args))),
    ).resolves.toEqual([null, true]);
  });

  test('plugins run in their order, before and behind the composer', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server), { headers: { 'X-Default': 'd' } });
    const order: string[] = [];
    const plugin = (name: string, act: (mail: Any) => void) => (mail: Any, done: () => void) => {
      order.push(name);
      act(mail);
      setImmediate(done);
    };
    transporter
      .use(
        'compile',
        plugin('compile 1', (mail) => {
          mail.data.subject += ' one';
        }),
      )
      .use(
        'compile',
        plugin('compile 2', (mail) => {
          mail.data.subject += ' two';
        }),
      );
    transporter.use(
      'stream',
      plugin('stream', (mail) => {
        expect(mail.message.getEnvelope().to).toEqual(['b@example.net']);
        expect(mail.message.messageId()).toMatch(/^<.+@example\.com>$/);
        mail.message.addHeader('X-Late', 'yes');
        mail.message.transform(() => replacing('Hello', 'Howdy'));
      }),
    );
    const { messageId } = await transporter.sendMail({ ...MESSAGE, headers: { 'X-Own': 'o' } });
    expect(order).toEqual(['compile 1', 'compile 2', 'stream']);
    const content = server.delivered[0]?.content.toString() ?? '';
    for (const line of [
      'Subject: x one two',
      'X-Default: d',
      'X-Own: o',
      'X-Late: yes',
      'Howdy',
      `Message-ID: ${messageId}`,
    ])
      expect(content).toContain(line);
    expect(content).not.toContain('Hello');
  });

  test('what a plugin fails with is what sendMail() fails with, and nobody is connected to', async () => {
    const server = await start();
    const why = new Error('no template');
    for (const step of ['compile', 'stream']) {
      const transporter = way.createTransport(place(server));
      transporter.use(step, (_: Any, done: (error: Error) => void) => done(why));
      expect(await failed(transporter.sendMail(MESSAGE))).toBe(why);
    }
    expect(server.connections).toBe(0);
  });

  test('what is kept beside it can be had again', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server));
    transporter.set('key', 5);
    expect([transporter.get('key'), transporter.get('other')]).toEqual([5, undefined]);
    expect(transporter).toBeInstanceOf(EventEmitter);
    expect(transporter.transporter.mailer).toBe(transporter);
    expect(transporter.transporter.name).toEqual(expect.any(String));
    expect(transporter.transporter.version).toEqual(expect.any(String));
  });

  test('resolveContent() of a message gives what a key holds', async () => {
    const server = await start();
    const transporter = way.createTransport(place(server));
    const seen: unknown[] = [];
    transporter.use('compile', (mail: Any, done: (error?: Error | null) => void) => {
      mail.resolveContent(mail.data, 'html', (error: Error | null, html: unknown) => {
        seen.push(`${html}`);
        done(error);
      });
    });
    await transporter.sendMail({ ...MESSAGE, html: { path: 'data:text/html,%3Cp%3E' } });
    await transporter.sendMail({ ...MESSAGE, html: Buffer.from('<i>') });
    expect(seen).toEqual(['<p>', '<i>']);
  });

  test('a logger is told what is said, but no password', async () => {
    const server = await start();
    const logged: string[] = [];
    const log = (entry: object, text = ''): void => {
      logged.push(`${(entry as Any).tnx} ${text}`);
    };
    const logger = { trace: log, debug: log, info: log, warn: log, error: log, fatal: log };
    if (way === PLUGIN) return;
    const transporter = way.createTransport(place(server, { logger, debug: true }));
    await transporter.sendMail(MESSAGE);
    const error = await failed(
      way
        .createTransport(
          place(server, { logger, debug: true, auth: { user: USER, pass: 'Wrong-Pass' } }),
        )
        .sendMail(MESSAGE),
    );
    expect(logged).toContain('client MAIL FROM:<a@example.com>');
    expect(logged.some((line) => line.startsWith('server 250'))).toBe(true);
    const all = `${logged.join('\n')}\n${everythingIn(error)}`;
    for (const secret of [PASS, 'Wrong-Pass'])
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64'),
        Buffer.from(`\0${USER}\0${secret}`).toString('base64'),
      ])
        expect(all).not.toContain(form);
  });
});

function replacing(from: string, to: string): Any {
  const { Transform } = process.getBuiltinModule('node:stream');
  return new Transform({
    transform: (chunk, _, done) => done(null, `${chunk}`.replace(from, to)),
  });
}

describe('the facade', () => {
  test('goes on after close(), where each message has its own connection', async () => {
    const server = await start();
    for (const way of [REAL, FACADE]) {
      const transporter = way.createTransport(place(server));
      await transporter.sendMail(MESSAGE);
      transporter.close();
      await transporter.sendMail(MESSAGE);
    }
    expect(server.delivered).toHaveLength(4);
  });

  test('close() of a pool lets what waits come to its end, and resolves then', async () => {
    const server = await start();
    const transporter = createTransport(place(server, { pool: true, maxConnections: 1 }));
    const sent = Promise.all([1, 2, 3].map(() => transporter.sendMail(MESSAGE)));
    await within(5_000, transporter.close());
    expect(await sent).toHaveLength(3);
    expect(server.open).toBe(0);
  });

  test('close({ force: true }) fails what is under way, and says what is certain of it', async () => {
    const server = await script(async (peer) => {
      await greet(peer);
      await peer.hear(/^MAIL/);
    });
    const transporter = createTransport({
      host: '127.0.0.1',
      port: server.port,
      ignoreTLS: true,
      pool: true,
    });
    const failing = failed(transporter.sendMail(MESSAGE));
    await eventually(() => server.peers[0]?.lines.length === 2, 'it has begun');
    await within(2_000, transporter.close({ force: true }));
    expect(await failing).toMatchObject({
      code: 'ECONNECTION',
      delivery: 'not-sent',
      retry: 'reconnect',
    });
  });

  test('a pool says when it can take messages', async () => {
    const server = await start();
    const transporter = createTransport(place(server, { pool: true, maxConnections: 1 }));
    let idle = 0;
    transporter.on('idle', () => {
      idle += 1;
    });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(idle).toBe(1);
    expect(transporter.isIdle()).toBe(true);
    const sending = [1, 2, 3].map(() => transporter.sendMail(MESSAGE));
    // Messages are composed first.
    await eventually(() => !transporter.isIdle(), 'several wait for one connection');
    await Promise.all(sending);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(idle).toBe(2);
    await transporter.close();
  });

  test('a server without STARTTLS: the error names the options', async () => {
    const server = await script(async (peer) => {
      await greet(peer, '8BITMIME');
      await takeMessages(peer);
    });
    const options = { host: '127.0.0.1', port: server.port };
    const error = await failed(createTransport(options).sendMail(MESSAGE));
    expect(error).toMatchObject({ code: 'ETLS', command: 'STARTTLS', delivery: 'not-sent' });
    for (const name of ['ignoreTLS: true', 'opportunisticTLS: true', 'secure: true'])
      expect(error.message).toContain(name);
    expect(server.plain).not.toContain('MAIL');
    for (const option of [{ ignoreTLS: true }, { opportunisticTLS: true }])
      await createTransport({ ...options, ...option }).sendMail(MESSAGE);
  });

  test('a password goes without TLS where ignoreTLS says that there is none, and nowhere else', async () => {
    const server = await script(async (peer) => {
      await greet(peer, 'AUTH PLAIN');
      await takeMessages(peer);
    });
    const options = { host: '127.0.0.1', port: server.port, auth: { user: USER, pass: PASS } };
    const error = await failed(
      createTransport({ ...options, opportunisticTLS: true }).sendMail(MESSAGE),
    );
    expect(error).toMatchObject({ code: 'EAUTH', delivery: 'not-sent' });
    expect(server.plain).not.toContain('AUTH PLAIN');
    await createTransport({ ...options, ignoreTLS: true }).sendMail(MESSAGE);
    expect(server.plain).toContain('AUTH PLAIN');
  });

  test('who is given a port of the other kind is told so', async () => {
    const server = await start({ secure: true });
    const error = await failed(
      createTransport(place(server, { greetingTimeout: 200 })).sendMail(MESSAGE),
    );
    expect(error.message).toContain('use secure: true?');
    const plain = await start();
    const other = await failed(createTransport(place(plain, { secure: true })).sendMail(MESSAGE));
    expect(other.message).toContain('use secure: false?');
  });

  test('a transport of one’s own socket is taken', async () => {
    const server = await start();
    const { connect } = process.getBuiltinModule('node:net');
    const { socketTransport } = await import('../../src/index.ts');
    const transporter = createTransport({
      ...place(server),
      host: 'localhost',
      port: 1,
      transport: (options: Any) => socketTransport(connect(server.port, '127.0.0.1'), options),
    });
    await transporter.sendMail(MESSAGE);
    expect(server.delivered).toHaveLength(1);
  });

  test('an access token is brought by whoever can, and once more where it is refused', async () => {
    const asked: unknown[] = [];
    const server = await start({
      authMethods: ['XOAUTH2'],
      onAuth: ({ accessToken }, _, done) => {
        asked.push(accessToken);
        done(null, accessToken === 'fresh' ? { user: USER } : { data: { status: '401' } });
      },
    });
    const transporter = createTransport(
      place(server, { auth: { type: 'OAuth2', user: USER, accessToken: 'stale' } }),
    );
    transporter.set('oauth2_provision_cb', (user: string, renew: boolean, done: Any) => {
      asked.push([user, renew]);
      done(null, 'fresh', 5);
    });
    const tokens: unknown[] = [];
    transporter.on('token', (token) => tokens.push(token));
    await transporter.sendMail(MESSAGE);
    expect(asked).toEqual(['stale', [USER, true], 'fresh']);
    expect(tokens).toEqual([{ user: USER, accessToken: 'fresh', expires: 5 }]);
    expect(server.delivered[0]?.user).toBe(USER);
    transporter.set('oauth2_provision_cb', (_: string, __: boolean, done: Any) =>
      done(new Error('revoked')),
    );
    const error = await failed(transporter.sendMail(MESSAGE));
    expect(error).toMatchObject({ code: 'EAUTH', delivery: 'not-sent' });
  });

  test('plugins of other makers are transports here, too', async () => {
    const seen: Any[] = [];
    const transport = {
      name: 'Other',
      version: '1',
      send(mail: Any, callback: Any) {
        mail.normalize(async (error: unknown, data: Any) => {
          const chunks: Buffer[] = [];
          for await (const chunk of mail.message.createReadStream()) chunks.push(chunk);
          seen.push(error, data.to, data.html, data.envelope, Buffer.concat(chunks).toString());
          callback(null, { messageId: mail.message.messageId(), other: true });
        });
      },
    };
    const control: Any = await nodemailer
      .createTransport(transport)
      .sendMail({ ...MESSAGE, html: Buffer.from('<p>') });
    const expected = seen.splice(0);
    const info = await createTransport<Any>(transport).sendMail({
      ...MESSAGE,
      html: Buffer.from('<p>'),
    });
    expect(seen.slice(0, 4)).toEqual(expected.slice(0, 4));
    expect(seen[4]).toContain('Subject: x\r\n');
    expect(Object.keys(info)).toEqual(Object.keys(control));
    // It has no verify(), and is never busy.
    expect(createTransport<Any>(transport).isIdle()).toBe(false);
  });

  test('what no connection can be made with is a matter of the options', async () => {
    const transporter = createTransport({ host: '127.0.0.1', name: 'not a name', pool: true });
    for (const sending of [transporter.verify(), transporter.sendMail(MESSAGE)])
      expect(await failed(sending)).toMatchObject({
        code: 'ECONFIG',
        delivery: 'not-sent',
        retry: 'fix-first',
      });
    await transporter.close();
  });

  test('steps that there are not are refused', () => {
    expect(() => createTransport().use('Compile' as 'compile', () => {})).toThrow(
      /compile and stream/,
    );
  });

  test('maxRecipients holds', async () => {
    const server = await start();
    const transporter = createTransport(place(server, { maxRecipients: 1 }));
    const error = await failed(
      transporter.sendMail({ ...MESSAGE, to: 'a@example.net, b@example.net' }),
    );
    expect(error).toMatchObject({ code: 'EMAXRECIPIENTS', delivery: 'not-sent' });
    expect(server.connections).toBe(0);
  });

  test('what the transporter forbids no message allows', async () => {
    const server = await start();
    const send = (options: Any, defaults: Any, data: Any): Promise<Any> =>
      failed(
        createTransport(place(server, options), defaults).sendMail({
          ...MESSAGE,
          attachments: [{ path: '/etc/hostname' }],
          ...data,
        }),
      );
    for (const error of [
      await send({ disableFileAccess: true }, {}, { disableFileAccess: false }),
      await send({}, { disableFileAccess: true }, { disableFileAccess: false }),
      await send({}, {}, { disableFileAccess: true }),
    ])
      expect(error).toMatchObject({ code: 'ESTREAM', originalCode: 'EFILEACCESS' });
  });

  test('an exception of a callback is its own affair, and no unhandled rejection', async () => {
    const server = await start();
    const caught = new Promise((resolve) => {
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', resolve);
    });
    const others = process.listeners('uncaughtException');
    createTransport(place(server)).sendMail(MESSAGE, () => {
      throw new Error('thrown by the callback');
    });
    expect(await within(4_000, caught)).toMatchObject({ message: 'thrown by the callback' });
    expect(others).toHaveLength(1);
  });

  test('logger: true writes to the terminal', async () => {
    const server = await start();
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const transporter = createTransport(place(server, { logger: true, transactionLog: true }));
      await transporter.sendMail(MESSAGE);
      await transporter.close();
      const lines = write.mock.calls.map(([text]) => `${text}`);
      expect(lines.some((line) => /DEBUG client EHLO/.test(line))).toBe(true);
      expect(
        lines.some((line) => /INFO send Sending message <.*> to <b@example\.net>/.test(line)),
      ).toBe(true);
    } finally {
      write.mockRestore();
    }
  });

  test('createTestAccount() is refused, in both forms', async () => {
    const { createTestAccount } = await import('../../src/nodemailer/index.ts');
    await expect(createTestAccount()).rejects.toMatchObject({ code: 'ECONFIG' });
    expect(
      await new Promise((resolve) => createTestAccount((error: Any) => resolve(error.code))),
    ).toBe('ECONFIG');
  });

  test.each([
    ['250 Accepted [STATUS=new MSGID=WaEOoVBzB1kSAm5]'],
    ['250 Accepted [MSGID=abc STATUS=new]'],
    ['250 Accepted'],
    ['250 Accepted [STATUS=new]'],
    ['250 [MSGID=a STATUS=b] and more'],
    [''],
  ])('getTestMessageUrl() of %s', async (response) => {
    const { getTestMessageUrl } = await import('../../src/nodemailer/index.ts');
    expect(getTestMessageUrl({ response })).toBe(nodemailer.getTestMessageUrl({ response }));
  });
});

describe('the plugin', () => {
  test('its version is that of the package', async () => {
    const { version } = JSON.parse(
      process
        .getBuiltinModule('node:fs')
        .readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(posthornTransport({ host: '127.0.0.1' }).version).toBe(version);
  });

  test('is verified by itself, too', async () => {
    const server = await start();
    const transport = posthornTransport({
      host: '127.0.0.1',
      port: server.port,
      tlsOptions: { ca: authority().ca },
      auth: { user: USER, pass: PASS },
    });
    await expect(transport.verify()).resolves.toBe(true);
    await expect(
      new Promise((resolve) => transport.verify((...args) => resolve(args))),
    ).resolves.toEqual([null, true]);
    expect(server.delivered).toHaveLength(0);
  });
});
