import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CertificateKind,
  createCertificateAuthority,
} from '../../../conformance/src/sandbox/certificates.ts';
import { type ConnectOptions, connect, type TranscriptEvent } from '../../src/index.ts';
import {
  eventually,
  everythingIn,
  failureOf,
  greet,
  greetSecurely,
  type KeyPair,
  MESSAGE,
  offer,
  options,
  PASS,
  PLAIN,
  type Script,
  type ScriptedServer,
  takeMessages,
  USER,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

const start = useServers();
const auth = { user: USER, pass: PASS };
const OFF = { tls: 'off' } as const;
/** A deadline that is meant to pass. */
const SOON = 60;

let ca = '';
const pairs = new Map<CertificateKind, KeyPair>();
const pair = (kind: CertificateKind = 'good'): KeyPair => pairs.get(kind) as KeyPair;

beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  for (const kind of ['good', 'wrong-host', 'expired', 'self-signed'] as const)
    pairs.set(kind, await authority.issue(kind));
});

/** Content that gives one line, and then nothing more. */
async function* stalling(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('Subject: a\r\n');
  await new Promise(() => {});
}

describe('a server that cannot be reached', () => {
  test('a port on which nothing listens fails the connection at once', async () => {
    const closed = createServer();
    const port = await new Promise<number>((resolve) =>
      closed.listen(0, '127.0.0.1', () => resolve((closed.address() as { port: number }).port)),
    );
    await new Promise((resolve) => closed.close(resolve));
    const error = await failureOf(connect({ host: '127.0.0.1', port }));
    expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a server that goes silent', () => {
  test('no greeting: the deadline passes, and the message hints at implicit TLS', async () => {
    const server = await start(() => {});
    const error = await failureOf(connect(options(server, { timeouts: { greeting: SOON } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
    expect(error.message).toMatch(/timeouts\.greeting/);
    expect(error.message).toMatch(/; use tls: 'implicit'\?$/);
  });

  test('half a greeting is no greeting', async () => {
    const server = await start((peer) => void peer.raw('220-mail.example.com\r\n220 wel'));
    const error = await failureOf(connect(options(server, { timeouts: { greeting: SOON } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
    expect(error.message).toMatch(/timeouts\.greeting/);
  });

  test('a greeting that drips octet by octet does not put the deadline off', async () => {
    const server = await start(async (peer) => {
      while (!peer.gone) {
        peer.raw('220-x\r\n');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
    const error = await failureOf(connect(options(server, { timeouts: { greeting: 150 } })), 1_500);
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
  });

  test.each([
    ['ehlo', ['220 hello']],
    ['starttls', ['220 hello', ...offer('STARTTLS')]],
  ] as const)('no reply to the command of %s', async (phase, said) => {
    const server = await start(async (peer) => {
      peer.say(said[0]);
      if (said.length === 1) return;
      await peer.hear(/^EHLO/);
      peer.say(...said.slice(1));
    });
    const error = await failureOf(connect(options(server, { timeouts: { [phase]: SOON } })));
    expect(verdict(error)).toBe(`ERR_SMTP_TIMEOUT in ${phase}, not-sent, reconnect`);
    expect(error.message).toMatch(new RegExp(`timeouts\\.${phase}`));
  });

  test('no reply to AUTH', async () => {
    const server = await start((peer) => greetSecurely(peer, pair(), 'AUTH PLAIN'));
    const error = await failureOf(
      connect(options(server, { auth, tlsOptions: { ca }, timeouts: { auth: SOON } })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in auth, not-sent, reconnect');
    expect(error.message).toMatch(/timeouts\.auth/);
    expect(everythingIn(error)).not.toContain(PLAIN);
  });

  test.each(['implicit', 'starttls'] as const)('a handshake that stalls (%s)', async (tls) => {
    const server = await start(async (peer) => {
      if (tls === 'implicit') return;
      await greet(peer, 'STARTTLS');
      await peer.hear('STARTTLS');
      peer.say('220 go ahead');
    });
    const error = await failureOf(connect(options(server, { tls, timeouts: { tls: SOON } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in tls, not-sent, reconnect');
    expect(error.message).toMatch(/timeouts\.tls/);
  });

  test('timeouts.total bounds the whole of connect()', async () => {
    const server = await start((peer) => greet(peer, 'STARTTLS'));
    const error = await failureOf(connect(options(server, { timeouts: { total: 500 } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in starttls, not-sent, reconnect');
    expect(error.message).toMatch(/timeouts\.total/);
  });

  test.each([
    ['mail', 'not-sent', 'reconnect'],
    ['rcpt', 'not-sent', 'reconnect'],
    ['data', 'not-sent', 'reconnect'],
    ['final', 'unknown', 'unknown'],
  ] as const)('no reply in %s: delivery is %s', async (phase, delivery, retry) => {
    for (const keywords of [[], ['PIPELINING']]) {
      const server = await start(async (peer) => {
        await greet(peer, ...keywords);
        for (const step of ['mail', 'rcpt', 'data', 'final']) {
          await (step === 'final' ? peer.content() : peer.hear());
          if (step === phase) return;
          peer.say(step === 'data' ? '354 go' : '250 ok');
        }
      });
      const client = await connect(options(server, { ...OFF, timeouts: { [phase]: SOON } }));
      const error = await failureOf(client.send(MESSAGE));
      expect(verdict(error)).toBe(`ERR_SMTP_TIMEOUT in ${phase}, ${delivery}, ${retry}`);
      expect(error.message).toMatch(new RegExp(`timeouts\\.${phase}`));
    }
  });

  test('no reply to QUIT: close() resolves when timeouts.quit has passed', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear('QUIT');
    });
    const client = await connect(options(server, { ...OFF, timeouts: { quit: SOON } }));
    await within(2_000, client.close());
    expect(server.peer().lines.at(-1)).toBe('QUIT');
    await eventually(() => server.open === 0, 'the connection is closed');
  });

  test('a server that answers QUIT and keeps the connection is left', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear('QUIT');
      peer.say('221 bye');
      peer.pause();
      setTimeout(() => peer.resume(), 1_300);
    });
    const client = await connect(options(server, OFF));
    await within(2_500, client.close());
  });

  test.each(['memory', 'stream'] as const)(
    'a server that stops reading in the middle of content (%s)',
    async (kind) => {
      const line = `${'x'.repeat(998)}\r\n`;
      const block = Buffer.from(line.repeat(1_000));
      let read = 0;
      const server = await start(async (peer) => {
        await greet(peer, 'PIPELINING');
        for (const reply of ['250 ok', '250 ok', '354 go']) {
          await peer.hear();
          peer.say(reply);
        }
        peer.pause();
      });
      const client = await connect(options(server, { ...OFF, timeouts: { content: 200 } }));
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        for (; read < 100; read += 1) yield block;
      };
      const error = await failureOf(
        client.send({
          ...MESSAGE,
          content: kind === 'memory' ? line.repeat(30_000) : stream(),
        }),
      );
      expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in content, not-sent, reconnect');
      expect(error.message).toMatch(/timeouts\.content/);
      // The source was not read further than the network took.
      expect(read).toBeLessThan(50);
      server.peer().resume();
    },
    10_000,
  );
});

describe('a server that closes', () => {
  test.each([
    ['accept', 'ERR_SMTP_CLOSED in greeting, not-sent, reconnect'],
    ['half a greeting', 'ERR_SMTP_CLOSED in greeting, not-sent, reconnect'],
    ['greeting', 'ERR_SMTP_CLOSED in ehlo, not-sent, reconnect'],
    ['half an EHLO reply', 'ERR_SMTP_CLOSED in ehlo, not-sent, reconnect'],
    ['EHLO', 'ERR_SMTP_CLOSED in starttls, not-sent, reconnect'],
    ['STARTTLS', 'ERR_SMTP_TLS in tls, not-sent, fix-first'],
    ['handshake', 'ERR_SMTP_CLOSED in ehlo, not-sent, reconnect'],
    ['EHLO under TLS', 'ERR_SMTP_CLOSED in auth, not-sent, reconnect'],
    ['AUTH LOGIN', 'ERR_SMTP_CLOSED in auth, not-sent, reconnect'],
    ['user name', 'ERR_SMTP_CLOSED in auth, not-sent, reconnect'],
  ] as const)('behind its reply to: %s', async (last, expected) => {
    for (const how of ['end', 'destroy'] as const) {
      const server = await start(async (peer) => {
        const until = (step: string): boolean => {
          if (step === last) peer[how]();
          return step === last;
        };
        if (until('accept')) return;
        peer.raw('220 he');
        if (until('half a greeting')) return;
        peer.say('llo');
        if (until('greeting')) return;
        await peer.hear(/^EHLO/);
        peer.say('250-mail.example.com');
        if (until('half an EHLO reply')) return;
        peer.say('250 STARTTLS');
        if (until('EHLO')) return;
        await peer.hear('STARTTLS');
        peer.say('220 go');
        if (until('STARTTLS')) return;
        await peer.startTls(pair());
        if (until('handshake')) return;
        await peer.hear(/^EHLO/);
        peer.say(...offer('AUTH LOGIN'));
        if (until('EHLO under TLS')) return;
        await peer.hear('AUTH LOGIN');
        peer.say('334 VXNlcm5hbWU6');
        if (until('AUTH LOGIN')) return;
        await peer.hear();
        peer.say('334 UGFzc3dvcmQ6');
        until('user name');
      });
      const error = await failureOf(connect(options(server, { auth, tlsOptions: { ca } })));
      expect(verdict(error)).toBe(expected);
    }
  });

  test.each([
    ['MAIL', 'ERR_SMTP_CLOSED in mail, not-sent, reconnect'],
    ['RCPT', 'ERR_SMTP_CLOSED in rcpt, not-sent, reconnect'],
    ['DATA', 'ERR_SMTP_CLOSED in data, not-sent, reconnect'],
    ['the final dot', 'ERR_SMTP_CLOSED in final, unknown, unknown'],
  ] as const)('in place of its reply to %s', async (last, expected) => {
    for (const keywords of [[], ['PIPELINING']]) {
      for (const reset of [false, true]) {
        const server = await start(async (peer) => {
          await greet(peer, ...keywords);
          for (const step of ['MAIL', 'RCPT', 'DATA', 'the final dot']) {
            await (step === 'the final dot' ? peer.content() : peer.hear());
            if (step === last) {
              // An RST overtakes what was said before it; so that is given time to be read.
              // Turns of the loop, not time: with each of them the client, in this process, reads what is there.
              for (let turn = 0; reset && turn < 20; turn += 1)
                await new Promise((resolve) => setImmediate(resolve));
              return peer.destroy(reset);
            }
            peer.say(step === 'DATA' ? '354 go' : '250 ok');
          }
        });
        const client = await connect(options(server, OFF));
        expect(verdict(await failureOf(client.send(MESSAGE)))).toBe(expected);
        // A lost connection is said for every further call too.
        expect(await failureOf(client.noop())).toMatchObject({
          code: 'ERR_SMTP_CLOSED',
          delivery: 'not-sent',
          retry: 'reconnect',
        });
        await within(1_000, client.close());
      }
    }
  });

  test('behind 354, while the source has more to give: not sent', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      peer.destroy();
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send({ ...MESSAGE, content: stalling() }));
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in content, not-sent, reconnect');
  });

  test('in the middle of content: not sent', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.hear('Subject: a');
      peer.destroy();
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send({ ...MESSAGE, content: stalling() }));
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in content, not-sent, reconnect');
  });

  test('behind 354 for content in memory: its last octet has left, so nobody knows', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      peer.destroy();
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send(MESSAGE));
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
  });

  test('in the middle of the final reply: nobody knows', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.content();
      peer.raw('250 queued');
      peer.end();
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send(MESSAGE));
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
  });

  test('with 421, in place of a reply: the reply is in the error', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear(/^MAIL/);
      peer.say('421 4.3.2 shutting down');
      peer.end();
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send(MESSAGE));
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in mail, rejected, later');
    expect(error.reply?.code).toBe(421);
  });

  test('with 421, while nothing is asked: the next call fails', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      peer.say('421 idle for too long');
      peer.end();
    });
    const client = await connect(options(server, OFF));
    await eventually(() => server.open === 0, 'the connection is closed');
    const error = await failureOf(client.send(MESSAGE));
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in idle, not-sent, later');
    expect(error.reply?.code).toBe(421);
  });
});

describe('a server that refuses', () => {
  test.each([
    [554, 'never'],
    [421, 'later'],
    [450, 'later'],
  ] as const)('greeting %d', async (code, retry) => {
    const server = await start((peer) => peer.say(`${code} not you`));
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe(`ERR_SMTP_REPLY in greeting, not-sent, ${retry}`);
    expect(error.reply).toEqual({ code, lines: ['not you'], text: 'not you' });
    expect(error.message).toMatch(new RegExp(`${code} not you`));
  });

  test.each([250, 354] as const)('a greeting that is none: %d', async (code) => {
    const server = await start((peer) => peer.say(`${code} ok`));
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in greeting, not-sent, reconnect');
  });

  test('EHLO refused by 550: HELO is not tried', async () => {
    const server = await start(async (peer) => {
      peer.say('220 hello');
      await peer.hear(/^EHLO /);
      peer.say('550 you are blocked');
      await peer.hear('QUIT');
      peer.say('221 bye');
      peer.end();
    });
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in ehlo, not-sent, never');
    expect(error.reply?.code).toBe(550);
    await eventually(() => server.peer().lines.at(-1) === 'QUIT', 'the server is told');
  });

  test.each([500, 502])('EHLO not known (%d): HELO is accepted', async (code) => {
    const server = await start(async (peer) => {
      peer.say('220 hello');
      await peer.hear('EHLO [127.0.0.1]');
      peer.say(`${code} what?`);
      await peer.hear('HELO [127.0.0.1]');
      peer.say('250 mail.example.com');
      await takeMessages(peer);
    });
    const client = await connect(options(server, OFF));
    expect([...client.capabilities.keywords]).toEqual([]);
    expect((await client.send(MESSAGE)).roundTrips).toBe(4);
    await client.close();
  });

  test('EHLO and HELO refused', async () => {
    const server = await start(async (peer) => {
      peer.say('220 hello');
      await peer.hear(/^EHLO/);
      peer.say('502 what?');
      await peer.hear(/^HELO/);
      peer.say('502 what?');
    });
    const error = await failureOf(connect(options(server, OFF)));
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in ehlo, not-sent, never');
  });
});

describe('a server that judges a message', () => {
  test.each([
    ['MAIL', 'ERR_SMTP_REPLY in mail, rejected, never'],
    ['RCPT', 'ERR_SMTP_REPLY in rcpt, rejected, never'],
    ['DATA', 'ERR_SMTP_REPLY in data, rejected, never'],
    ['the final dot', 'ERR_SMTP_REPLY in final, rejected, never'],
  ] as const)('by 552 to %s', async (last, expected) => {
    for (const keywords of [[], ['PIPELINING']]) {
      const server = await start(async (peer) => {
        await greet(peer, ...keywords);
        let refused = false;
        for (const step of ['MAIL', 'RCPT', 'DATA', 'the final dot']) {
          await (step === 'the final dot' ? peer.content() : peer.hear());
          if (refused && keywords.length > 0) peer.say('503 out of order');
          else peer.say(step === last ? '552 no' : step === 'DATA' ? '354 go' : '250 ok');
          refused ||= step === last;
          if (refused && (keywords.length === 0 || step === 'DATA')) break;
        }
        await takeMessages(peer);
      });
      const client = await connect(options(server, OFF));
      const error = await failureOf(client.send(MESSAGE));
      expect(verdict(error)).toBe(expected);
      expect(error.reply?.code).toBe(552);
      // A refusal harms only its message.
      expect((await client.send(MESSAGE)).reply.text).toBe('queued as 1');
      await client.close();
    }
  });

  test('in the middle of its content: rejected, no dot follows, the connection is closed', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.hear('Subject: a');
      peer.say('552 too much');
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send({ ...MESSAGE, content: stalling() }));
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in content, rejected, never');
    expect(error.reply?.code).toBe(552);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.plain).toMatch(/Subject: a\r\n$/);
  });

  test('by a final reply that is none: nobody knows', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      for (const reply of ['250 ok', '250 ok', '354 go']) {
        await peer.hear();
        peer.say(reply);
      }
      await peer.content();
      peer.say('354 go on');
    });
    const client = await connect(options(server, OFF));
    expect(verdict(await failureOf(client.send(MESSAGE)))).toBe(
      'ERR_SMTP_PROTOCOL in final, unknown, unknown',
    );
  });
});

describe('a server that talks too much, or nonsense', () => {
  /** Octets that process memory has for buffers now. */
  const held = (): number => process.memoryUsage().arrayBuffers;

  const flood =
    (block: string, first = ''): Script =>
    async (peer) => {
      peer.raw(first);
      while (!peer.gone) {
        if (!peer.raw(block)) await peer.drained();
        else await new Promise((resolve) => setImmediate(resolve));
      }
    };

  test.each([
    ['continuation lines', '220-hello\r\n'.repeat(1_000), ''],
    ['one line without end', 'x'.repeat(10_000), '220 '],
    ['empty lines', '\r\n'.repeat(5_000), ''],
    ['bare LF', '220-hello\n'.repeat(1_000), ''],
  ])('a flood of %s', async (_name, block, first) => {
    const before = held();
    const server = await start(flood(block, first));
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in greeting, not-sent, reconnect');
    expect(error.message.length).toBeLessThan(300);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(held() - before).toBeLessThan(64 * 2 ** 20);
  });

  test('a flood of replies that nobody asked for', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await flood('250 ok\r\n'.repeat(1_000))(peer, 0);
    });
    const client = await connect(options(server, OFF));
    await eventually(() => server.open === 0, 'the connection is closed');
    const error = await failureOf(client.send(MESSAGE));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in idle, not-sent, reconnect');
  });

  test('a reply line of 12,294 octets is accepted, one more is not', async () => {
    const text = 'x'.repeat(12_294 - 4 - 2);
    const server = await start(async (peer, index) => {
      peer.say(`220 ${text}${'x'.repeat(index)}`);
      await peer.hear(/^EHLO/);
      peer.say('250 mail.example.com');
      await takeMessages(peer);
    });
    const client = await connect(options(server, OFF));
    expect(client.greeting.text).toBe(text);
    await client.close();
    const error = await failureOf(connect(options(server, OFF)));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in greeting, not-sent, reconnect');
    expect(error.message).toMatch(/no reply/);
  });

  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
    ['a TLS alert, with a line end', Buffer.from('15030100020246\r\n', 'hex')],
    [
      'random octets',
      Buffer.concat([Buffer.from([0, 255, 128]), randomBytes(500), Buffer.from('\n')]),
    ],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a code out of range', '999 hello\r\n'],
    ['a bare LF', '220 hello\n'],
    ['codes that change', '220-hello\r\n250 hello\r\n'],
  ])('a greeting that is no reply: %s', async (_name, octets) => {
    const server = await start((peer) => {
      peer.raw(octets);
      // Whatever the octets were, this ends a line.
      peer.raw('\r\n');
    });
    const error = await failureOf(connect(options(server)));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in greeting, not-sent, reconnect');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that must not be there
    expect(error.message).not.toMatch(/[\0-\x1f\x7f]/);
  });

  test('a reply before its command', async () => {
    const server = await start(async (peer) => {
      peer.say('220 hello', '250 mail.example.com');
      await peer.hear();
    });
    const error = await failureOf(connect(options(server, OFF)));
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in ehlo, not-sent, reconnect');
  });
});

describe('TLS that is not to be had', () => {
  const impostor = async (said: string): Promise<ScriptedServer> =>
    start(async (peer) => {
      await greet(peer, 'STARTTLS', 'AUTH PLAIN');
      await peer.hear('STARTTLS');
      peer.raw(said);
      await peer.startTls(pair());
      await peer.hear();
    });

  test('no STARTTLS offered: an error with its cure', async () => {
    const server = await start((peer) => greet(peer, 'XSTARTTLS', 'AUTH PLAIN'));
    const error = await failureOf(connect(options(server, { auth })));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in starttls, not-sent, fix-first');
    expect(error.message).toMatch(/no STARTTLS.*tls: 'implicit'/);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.plain).not.toMatch(/AUTH/);
  });

  test('STARTTLS refused by 454', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'STARTTLS', 'AUTH PLAIN');
      await peer.hear('STARTTLS');
      peer.say('454 TLS not available');
    });
    const error = await failureOf(connect(options(server, { auth })));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in starttls, not-sent, later');
    expect(error.reply?.code).toBe(454);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.plain).not.toMatch(/AUTH/);
  });

  test.each([
    ['a whole EHLO reply', '250-evil.example\r\n250 AUTH PLAIN LOGIN\r\n'],
    ['half a line', '250 evil'],
    ['one octet', '2'],
  ])('octets behind the 220 to STARTTLS: %s', async (_name, injected) => {
    const said: TranscriptEvent[] = [];
    const server = await impostor(`220 go\r\n${injected}`);
    const error = await failureOf(
      connect(
        options(server, { auth, tlsOptions: { ca }, onTranscript: (event) => said.push(event) }),
      ),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
    expect(error.message).toMatch(/no reply/);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(said.at(-1)).toMatchObject({ direction: 'server', text: '220 go', secure: false });
    expect(server.plain).not.toMatch(/AUTH/);
    expect(server.peer().secured).toBe('');
  });

  test('octets between the 220 and the handshake, in a segment of their own', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'STARTTLS', 'AUTH PLAIN');
      await peer.hear('STARTTLS');
      peer.say('220 go');
      await new Promise((resolve) => setTimeout(resolve, 20));
      peer.say(...offer('AUTH PLAIN LOGIN'));
    });
    const said: TranscriptEvent[] = [];
    const error = await failureOf(
      connect(
        options(server, { auth, tlsOptions: { ca }, onTranscript: (event) => said.push(event) }),
      ),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
    expect(said.filter(({ direction }) => direction === 'server').at(-1)?.text).toBe('220 go');
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.plain).not.toMatch(/AUTH|QUIT/);
  });

  test('what was offered before the handshake is forgotten', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'STARTTLS', 'AUTH PLAIN', 'PIPELINING', 'SIZE 1');
      await peer.hear('STARTTLS');
      peer.say('220 go');
      await peer.startTls(pair());
      await peer.hear(/^EHLO/);
      peer.say(...offer('8BITMIME'));
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tlsOptions: { ca } }));
    expect([...client.capabilities.keywords.keys()]).toEqual(['8BITMIME']);
    expect((await client.send(MESSAGE)).roundTrips).toBe(4);
    await client.close();
  });

  test.each(['starttls', 'opportunistic'] as const)(
    "STARTTLS stripped on the way, tls: '%s': the credentials are not sent",
    async (tls) => {
      const server = await start((peer) => greet(peer, 'AUTH PLAIN LOGIN', 'PIPELINING'));
      const error = await failureOf(connect(options(server, { auth, tls })));
      expect(verdict(error)).toBe(
        tls === 'starttls'
          ? 'ERR_SMTP_TLS in starttls, not-sent, fix-first'
          : 'ERR_SMTP_AUTH in auth, not-sent, fix-first',
      );
      await eventually(() => server.open === 0, 'the connection is closed');
      expect(server.plain).toBe('EHLO [127.0.0.1]\r\nQUIT\r\n');
    },
  );

  test("'opportunistic' goes on without TLS where STARTTLS is refused, but not where the handshake fails", async () => {
    const server = await start(async (peer, index) => {
      await greet(peer, 'STARTTLS');
      await peer.hear('STARTTLS');
      peer.say(index === 0 ? '454 not now' : '220 go');
      if (index === 0) await takeMessages(peer);
      else await peer.startTls(pair('self-signed'));
    });
    const client = await connect(options(server, { tls: 'opportunistic' }));
    expect(client.secure).toBe(false);
    await client.close();
    const error = await failureOf(connect(options(server, { tls: 'opportunistic' })));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
  });

  test('implicit TLS to a port that speaks STARTTLS', async () => {
    const server = await start((peer) => peer.say('220 mail.example.com ESMTP'));
    const error = await failureOf(connect(options(server, { tls: 'implicit' })));
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
    expect(error.message).toMatch(/tls: 'starttls'/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test.each(['starttls', 'off'] as const)("tls: '%s' to a port that speaks TLS", async (tls) => {
    const server = await start((peer) => peer.startTls(pair()));
    const error = await failureOf(connect(options(server, { tls, timeouts: { greeting: SOON } })));
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
    expect(error.message).toMatch(/tls: 'implicit'/);
  });

  test('no hint at implicit TLS where TLS is there already', async () => {
    const server = await start((peer) => peer.startTls(pair()));
    const error = await failureOf(
      connect(
        options(server, { tls: 'implicit', tlsOptions: { ca }, timeouts: { greeting: SOON } }),
      ),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TIMEOUT in greeting, not-sent, reconnect');
    expect(error.message).not.toMatch(/implicit/);
  });
});

describe.each(['implicit', 'starttls'] as const)('certificates, tls: %s', (tls) => {
  const serve = (kind: CertificateKind): Promise<ScriptedServer> =>
    start(async (peer) => {
      if (tls === 'starttls') return greetSecurely(peer, pair(kind), 'AUTH PLAIN');
      await peer.startTls(pair(kind));
      await greet(peer, 'AUTH PLAIN');
    });

  test.each([
    ['an unknown CA', 'good', false, /certificate/],
    ['an expired certificate', 'expired', true, /expired/],
    ['a certificate for another host', 'wrong-host', true, /altname|DNS|IP/i],
    ['a self-signed certificate', 'self-signed', true, /certificate/],
  ] as const)('%s is refused, and named', async (_name, kind, trusted, cure) => {
    const server = await serve(kind);
    const error = await failureOf(
      connect(options(server, { tls, auth, ...(trusted && { tlsOptions: { ca } }) })),
    );
    expect(verdict(error)).toBe('ERR_SMTP_TLS in tls, not-sent, fix-first');
    expect(error.message).toMatch(cure);
    expect(error.cause).toBeInstanceOf(Error);
    await eventually(() => server.open === 0, 'the connection is closed');
    // Nobody without a certificate to be trusted hears the credentials.
    expect(server.plain + server.peer().secured).not.toMatch(/AUTH/);
  });

  test('an expired certificate is not cured by another CA', async () => {
    const server = await serve('expired');
    const error = await failureOf(connect(options(server, { tls, tlsOptions: { ca } })));
    expect(error.message).not.toMatch(/tlsOptions\.ca/);
  });

  test.each([
    ['the right CA', 'good', {}],
    ['servername', 'wrong-host', { servername: 'elsewhere.example' }],
    ['rejectUnauthorized: false', 'self-signed', { rejectUnauthorized: false }],
  ] as const)('%s works', async (_name, kind, tlsOptions) => {
    const server = await start(async (peer) => {
      if (tls === 'starttls') await greetSecurely(peer, pair(kind), 'AUTH PLAIN');
      else {
        await peer.startTls(pair(kind));
        await greet(peer, 'AUTH PLAIN');
      }
      await takeMessages(peer);
    });
    const client = await connect(options(server, { tls, auth, tlsOptions: { ca, ...tlsOptions } }));
    expect(client.secure).toBe(true);
    await client.close();
    expect(server.peer().lines).toContain(`AUTH PLAIN ${PLAIN}`);
    expect(server.plain).not.toMatch(/AUTH/);
  });
});

describe('credentials', () => {
  const SECRETS = [PASS, PLAIN, Buffer.from(PASS).toString('base64')];
  /** Connects to a server that answers AUTH so; returns the error and all that was said. */
  const refusedBy = async (
    mechanisms: string,
    answer: Script,
    more: Partial<ConnectOptions> = {},
  ): Promise<{ error: Awaited<ReturnType<typeof failureOf>>; transcript: string }> => {
    const said: TranscriptEvent[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair(), `AUTH ${mechanisms}`);
      await answer(peer, 0);
    });
    const error = await failureOf(
      connect(
        options(server, {
          auth,
          tlsOptions: { ca },
          onTranscript: (event) => said.push(event),
          ...more,
        }),
      ),
    );
    return { error, transcript: JSON.stringify(said) };
  };

  test('a wrong password: the reply is there, the password is nowhere', async () => {
    const { error, transcript } = await refusedBy('PLAIN LOGIN', async (peer) => {
      await peer.hear(`AUTH PLAIN ${PLAIN}`);
      peer.say('535 5.7.8 Authentication credentials invalid');
    });
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.reply).toMatchObject({ code: 535, enhanced: '5.7.8' });
    expect(error.message).toMatch(/535 5\.7\.8 Authentication credentials invalid/);
    for (const secret of SECRETS) expect(everythingIn(error) + transcript).not.toContain(secret);
    expect(transcript).toContain('AUTH PLAIN ***');
  });

  test('a temporary failure of AUTH says so', async () => {
    const { error } = await refusedBy('PLAIN', async (peer) => {
      await peer.hear();
      peer.say('454 4.7.0 try later');
    });
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, later');
  });

  test('a server that echoes the password: it is blotted', async () => {
    const { error, transcript } = await refusedBy('PLAIN', async (peer) => {
      await peer.hear();
      peer.say(`535-bad password ${PASS}`, `535 in ${PLAIN}`);
    });
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.reply?.lines).toEqual(['bad password ***', 'in ***']);
    for (const secret of SECRETS) expect(everythingIn(error) + transcript).not.toContain(secret);
  });

  test('LOGIN: no answer of it is anywhere, echoed or not', async () => {
    const { error, transcript } = await refusedBy('LOGIN', async (peer) => {
      await peer.hear('AUTH LOGIN');
      peer.say('334 VXNlcm5hbWU6');
      await peer.hear();
      peer.say('334 UGFzc3dvcmQ6');
      const answer = await peer.hear();
      peer.say(`535 not ${answer} or ${PASS}`);
    });
    expect(error.reply?.lines).toEqual(['not *** or ***']);
    for (const secret of SECRETS) expect(everythingIn(error) + transcript).not.toContain(secret);
  });

  test('a server that echoes the AUTH command as it is: it is blotted', async () => {
    const { error } = await refusedBy('PLAIN', async (peer) => {
      peer.say(await peer.hear());
    });
    expect(verdict(error)).toBe('ERR_SMTP_PROTOCOL in auth, not-sent, reconnect');
    for (const secret of SECRETS) expect(everythingIn(error)).not.toContain(secret);
  });

  test('a server that echoes the password with 421: it is blotted', async () => {
    const { error, transcript } = await refusedBy('PLAIN', async (peer) => {
      await peer.hear();
      peer.say(`421 go away, ${PASS}`);
    });
    expect(error.reply?.code).toBe(421);
    for (const secret of SECRETS) expect(everythingIn(error) + transcript).not.toContain(secret);
  });

  test.each([
    ['behind a challenge', ['334 ', `500 no such command: ${PLAIN}`]],
    ['behind 235', ['235 welcome', `250 ${PLAIN}`]],
    ['behind 235, as no reply', ['235 welcome', PLAIN]],
  ])('a server that echoes what nobody asked for, %s: it is blotted', async (_name, replies) => {
    const said: TranscriptEvent[] = [];
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair(), 'AUTH PLAIN');
      await peer.hear();
      peer.say(...replies);
    });
    const error = await failureOf(
      connect(
        options(server, { auth, tlsOptions: { ca }, onTranscript: (event) => said.push(event) }),
      ).then((client) => client.noop()),
    );
    for (const secret of SECRETS)
      expect(everythingIn(error) + JSON.stringify(said)).not.toContain(secret);
  });

  // A prompt is data: blotted, it would be no base64 any more.
  test('a password that is part of a prompt', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair(), 'AUTH LOGIN');
      await peer.hear('AUTH LOGIN');
      peer.say('334 VXNlcm5hbWU6');
      await peer.hear();
      peer.say('334 UGFzc3dvcmQ6');
      await peer.hear(Buffer.from('VX').toString('base64'));
      peer.say('235 welcome');
      await takeMessages(peer);
    });
    const client = await connect(
      options(server, { auth: { user: USER, pass: 'VX' }, tlsOptions: { ca } }),
    );
    await client.close();
  });

  test('AUTH without TLS is refused, unless it is allowed', async () => {
    const server = await start(async (peer) => {
      await greet(peer, 'AUTH PLAIN LOGIN');
      await takeMessages(peer);
    });
    const error = await failureOf(connect(options(server, { ...OFF, auth })));
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.message).toMatch(/needs TLS/);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.plain).not.toMatch(/AUTH/);
    const client = await connect(options(server, { ...OFF, auth, allowInsecureAuth: true }));
    await client.close();
    expect(server.peer(1).lines).toContain(`AUTH PLAIN ${PLAIN}`);
  });

  test('no mechanism in common: the message names what is wanted', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair(), 'AUTH GSSAPI');
      await peer.hear();
    });
    const error = await failureOf(connect(options(server, { auth, tlsOptions: { ca } })));
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(error.message).toMatch(/offers no PLAIN/);
  });
});
