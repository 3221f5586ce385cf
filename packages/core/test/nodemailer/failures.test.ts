/**
 * What goes wrong, over all three ways: the fields by which programs decide are those of nodemailer, and beside them stands
 * what is certain of the message.
 */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { classify, isSmtpError } from '../../src/index.ts';
import { greet, type Script, useServers, within } from '../e2e/scripted-server.ts';
import { PASS, USER, useMailServers } from './mail-server.ts';
import { type Any, FACADE, failure, PLUGIN, REAL, type Way } from './ways.ts';

const { authority, start } = useMailServers();
const script = useServers();

const MESSAGE = { from: 'a@example.com', to: 'b@example.net', subject: 'x', text: 'Hello' };

interface Failing {
  readonly name: string;
  /** Over the smtp-server package, or over what is said here. */
  readonly script?: Script;
  readonly options?: Any;
  readonly message?: () => Any;
  readonly verify?: boolean;
  /** Of ours. */
  readonly delivery: string;
  readonly retry: string;
  /** Of the SmtpError that is its cause; without one the cause is none. */
  readonly cause?: string;
}

const FAILURES: readonly Failing[] = [
  {
    name: 'a sender that is refused',
    message: () => ({ from: 'refused@example.com' }),
    delivery: 'rejected',
    retry: 'never',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'all recipients refused',
    message: () => ({ to: 'refused@example.net, refused2@example.net' }),
    delivery: 'rejected',
    retry: 'never',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'all recipients refused, one of them for now',
    message: () => ({ to: 'deferred@example.net, refused@example.net' }),
    delivery: 'rejected',
    retry: 'later',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'a message that is refused',
    message: () => ({ headers: { 'X-Refuse': 'yes' } }),
    delivery: 'rejected',
    retry: 'never',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'a wrong password',
    options: { auth: { user: USER, pass: 'wrong' } },
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_AUTH',
  },
  {
    name: 'a wrong password, in a pool',
    options: { auth: { user: USER, pass: 'wrong' }, pool: true },
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_AUTH',
  },
  {
    name: 'a wrong password, to verify()',
    options: { auth: { user: USER, pass: 'wrong' } },
    verify: true,
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_AUTH',
  },
  {
    name: 'a certificate that is not trusted',
    options: { tls: {} },
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_TLS',
  },
  {
    name: 'TLS where there is none',
    options: { secure: true },
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_TLS',
  },
  {
    name: 'a port where nobody listens',
    options: { port: 1 },
    delivery: 'not-sent',
    retry: 'reconnect',
    cause: 'ERR_SMTP_CONNECT',
  },
  {
    name: 'no recipient',
    message: () => ({ to: '' }),
    delivery: 'not-sent',
    retry: 'fix-first',
  },
  {
    name: 'a file that is not there',
    message: () => ({ attachments: [{ path: '/no/such/file' }] }),
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_CONTENT',
  },
  {
    name: 'a file, where none may be opened',
    message: () => ({ disableFileAccess: true, attachments: [{ path: '/etc/hostname' }] }),
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_CONTENT',
  },
  {
    name: 'a URL, where none may be fetched',
    message: () => ({ disableUrlAccess: true, attachments: [{ href: 'http://127.0.0.1:9/x' }] }),
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_CONTENT',
  },
  {
    name: 'a stream that fails before it is read',
    message: () => {
      const content = new Readable({ read: () => {} });
      content.destroy(Object.assign(new Error('torn'), { code: 'ETORN' }));
      return { attachments: [{ filename: 'a', content }] };
    },
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_CONTENT',
  },
  {
    name: 'a stream that fails in its middle',
    message: () => ({
      attachments: [
        {
          filename: 'a',
          content: Readable.from(
            (async function* () {
              yield Buffer.alloc(100_000);
              throw Object.assign(new Error('torn'), { code: 'ETORN' });
            })(),
          ),
        },
      ],
    }),
    delivery: 'not-sent',
    retry: 'fix-first',
    cause: 'ERR_SMTP_CONTENT',
  },
  {
    name: 'a server that is closed',
    script: async (peer) => {
      peer.say('554 5.3.2 no service');
      await peer.hear('QUIT');
      peer.end();
    },
    delivery: 'not-sent',
    retry: 'never',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'a server that greets nobody',
    script: () => {},
    options: { greetingTimeout: 60 },
    delivery: 'not-sent',
    retry: 'reconnect',
    cause: 'ERR_SMTP_TIMEOUT',
  },
  {
    name: 'a connection that is lost behind the envelope',
    script: async (peer) => {
      await greet(peer, '8BITMIME');
      await peer.hear(/^MAIL/);
      peer.destroy();
    },
    delivery: 'not-sent',
    retry: 'reconnect',
    cause: 'ERR_SMTP_CLOSED',
  },
  {
    name: 'a connection that is lost behind the content',
    script: async (peer) => {
      await greet(peer, '8BITMIME');
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.content();
      peer.destroy();
    },
    delivery: 'unknown',
    retry: 'unknown',
    cause: 'ERR_SMTP_CLOSED',
  },
  {
    name: 'DATA that is refused',
    script: async (peer) => {
      await greet(peer, '8BITMIME');
      for (const reply of ['250 ok', '250 ok', '451-4.3.0 not now', '451 4.3.0 later']) {
        if (!reply.startsWith('451 ')) await peer.hear();
        peer.say(reply);
      }
      await peer.hear(/^(RSET|QUIT)/).catch(() => {});
    },
    delivery: 'rejected',
    retry: 'later',
    cause: 'ERR_SMTP_REPLY',
  },
  {
    name: 'the caller’s signal',
    script: () => {},
    message: () => ({ signal: AbortSignal.timeout(30) }),
    delivery: 'not-sent',
    retry: 'reconnect',
    cause: 'ERR_SMTP_ABORTED',
  },
  {
    name: 'a signal that was given before',
    message: () => ({ signal: AbortSignal.abort() }),
    delivery: 'not-sent',
    retry: 'reconnect',
    cause: 'ERR_SMTP_ABORTED',
  },
];

async function observe(failing: Failing, way: Way): Promise<Any> {
  const port = (await (failing.script ? script(failing.script) : start())).port;
  const transporter = way.createTransport({
    host: '127.0.0.1',
    port,
    ...(failing.script ? { ignoreTLS: true } : { auth: { user: USER, pass: PASS } }),
    tls: { ca: authority().ca },
    ...failing.options,
  });
  const message = { ...MESSAGE, ...failing.message?.() };
  const error = await within(
    8_000,
    (failing.verify ? transporter.verify() : transporter.sendMail(message)).then(
      () => {
        throw new Error('it was sent');
      },
      (error: Any) => error,
    ),
  );
  transporter.close({ force: true });
  return error;
}

describe.each(FAILURES)('$name', (failing) => {
  test.each([PLUGIN, FACADE])('$name', async (way) => {
    const control = await observe(failing, REAL);
    const error = await observe(failing, way);
    expect(error).toBeInstanceOf(Error);
    // A timer, a port: what differs from server to server.
    const port = (seen: object): string => JSON.stringify(seen).replace(/"port":\d+/, '"port":0');
    expect(JSON.parse(port(failure(error)))).toEqual(JSON.parse(port(failure(control))));
    if (way === PLUGIN && !error.delivery) {
      // What nodemailer has found out itself never came to a transport.
      expect(error.code).toMatch(/EABORT/);
      return;
    }
    expect(error.message).toMatch(/^Cannot /);
    expect([error.delivery, error.retry]).toEqual([failing.delivery, failing.retry]);
    if (failing.cause && isSmtpError(error.cause)) expect(error.cause.code).toBe(failing.cause);
    else expect(way === FACADE || !failing.cause).toBe(true);
  });
});

describe('classify() takes what sendMail() rejects with', () => {
  const script = useServers();
  const mail = { from: 'a@example.com', to: 'b@example.net', text: 'Hello' };
  const kindOf = async (way: Way, port: number, more: object = {}): Promise<object> =>
    classify(
      await way
        .createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
        .sendMail({ ...mail, ...more })
        .catch((error: unknown) => error),
    );

  test.each([PLUGIN, FACADE])('$name', async (way) => {
    expect(await kindOf(way, 1)).toEqual({ kind: 'transient', retryAfter: 1_000 });
    for (const [reply, classified] of [
      ['451 4.7.1 Greylisted, try again in 5 minutes', { kind: 'transient', retryAfter: 300_000 }],
      ['450 4.7.28 Slow down', { kind: 'slow-down', retryAfter: 60_000 }],
      ['550 5.1.1 No such user', { kind: 'permanent' }],
    ] as const) {
      const server = await script(async (peer) => {
        await greet(peer);
        await peer.hear(/^MAIL/);
        peer.say(reply);
        await peer.hear(/^QUIT/);
        peer.say('221 bye');
      });
      expect(await kindOf(way, server.port)).toEqual(classified);
    }
    const lost = await script(async (peer) => {
      await greet(peer);
      for (const answer of ['250 ok', '250 ok', '354 go on']) {
        await peer.hear();
        peer.say(answer);
      }
      await peer.content();
      peer.end();
    });
    expect(await kindOf(way, lost.port)).toEqual({ kind: 'unknown' });
    const nowhere = { attachments: [{ path: '/nothing/is/here' }] };
    expect(await kindOf(way, lost.port, nowhere)).toEqual({ kind: 'permanent' });
  });
});
