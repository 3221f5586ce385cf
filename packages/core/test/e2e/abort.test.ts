import { getEventListeners } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { connect, type TranscriptEvent } from '../../src/index.ts';
import {
  eventually,
  failureOf,
  greet,
  greetSecurely,
  type KeyPair,
  MESSAGE,
  offer,
  options,
  PASS,
  type Peer,
  takeMessages,
  USER,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

const start = useServers();
const auth = { user: USER, pass: PASS };
const OFF = { tls: 'off' } as const;
const WHY = new Error('the user went away');

let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

/** A promise, and what resolves it. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Greets and takes a message's envelope; its 354 is said. */
async function takeEnvelope(peer: Peer, ...keywords: readonly string[]): Promise<void> {
  await greet(peer, ...keywords);
  for (const reply of ['250 ok', '250 ok', '354 go']) {
    await peer.hear();
    peer.say(reply);
  }
}

describe('a signal given to connect()', () => {
  test('aborted before: nobody is connected to', async () => {
    const server = await start(() => {});
    const error = await failureOf(
      connect(options(server, { signal: AbortSignal.abort(WHY) })),
      1_000,
    );
    expect(verdict(error)).toBe('ERR_SMTP_ABORTED in connect, not-sent, reconnect');
    expect(error.cause).toBe(WHY);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.peers).toEqual([]);
  });

  test.each(['connect', 'greeting', 'ehlo', 'starttls', 'tls', 'auth'] as const)(
    'aborted in %s: it rejects at once, and the connection is closed',
    async (phase) => {
      const reached = gate();
      const server = await start(async (peer) => {
        if (phase === 'greeting') {
          // The server may know of the connection before the client does.
          await new Promise((resolve) => setTimeout(resolve, 50));
          return reached.open();
        }
        peer.say('220 hello');
        await peer.hear(/^EHLO/);
        if (phase === 'ehlo') return reached.open();
        peer.say(...offer('STARTTLS'));
        await peer.hear('STARTTLS');
        if (phase === 'starttls') return reached.open();
        peer.say('220 go');
        if (phase === 'tls') {
          // The client's half of the handshake has come.
          await peer.octets(1);
          return reached.open();
        }
        await peer.startTls(pair);
        await peer.hear(/^EHLO/);
        peer.say(...offer('AUTH PLAIN'));
        await peer.hear(/^AUTH PLAIN /);
        reached.open();
      });
      const controller = new AbortController();
      const connecting = failureOf(
        connect(options(server, { signal: controller.signal, auth, tlsOptions: { ca } })),
      );
      if (phase !== 'connect') await within(2_000, reached.opened);
      else await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
      controller.abort(WHY);
      const error = await within(50, connecting);
      expect(verdict(error)).toBe(`ERR_SMTP_ABORTED in ${phase}, not-sent, reconnect`);
      expect(error.cause).toBe(WHY);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    },
  );

  test('aborted afterwards: the connection goes on', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const controller = new AbortController();
    const client = await connect(options(server, { ...OFF, signal: controller.signal }));
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort(WHY);
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await client.close();
  });
});

describe('a signal given to send()', () => {
  test('aborted before: nothing is written, and the connection is closed', async () => {
    const taken: string[] = [];
    const server = await start(async (peer) => {
      await greet(peer, 'PIPELINING');
      await takeMessages(peer, taken);
    });
    const client = await connect(options(server, OFF));
    const error = await failureOf(client.send(MESSAGE, { signal: AbortSignal.abort(WHY) }));
    expect([error.code, error.delivery, error.retry, error.cause]).toEqual([
      'ERR_SMTP_ABORTED',
      'not-sent',
      'reconnect',
      WHY,
    ]);
    await within(1_000, client.closed);
    expect(taken).toEqual([]);
  });

  test.each(['mail', 'rcpt', 'data'] as const)('aborted in %s: not sent', async (phase) => {
    const reached = gate();
    const server = await start(async (peer) => {
      await greet(peer);
      for (const step of ['mail', 'rcpt', 'data']) {
        await peer.hear();
        if (step === phase) return reached.open();
        peer.say('250 ok');
      }
    });
    const controller = new AbortController();
    const client = await connect(options(server, OFF));
    const sending = failureOf(client.send(MESSAGE, { signal: controller.signal }));
    await within(2_000, reached.opened);
    controller.abort(WHY);
    const error = await within(50, sending);
    expect(verdict(error)).toBe(`ERR_SMTP_ABORTED in ${phase}, not-sent, reconnect`);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    // It closes without a word: what the server has open is dropped.
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.peer().plain).not.toMatch(/QUIT|\r\n\.\r\n/);
  });

  test('aborted in content: not sent, no dot leaves, the source is released', async () => {
    const reached = gate();
    let released = false;
    const server = await start(async (peer) => {
      await takeEnvelope(peer, 'PIPELINING');
      await peer.hear('Subject: a');
      reached.open();
    });
    const controller = new AbortController();
    const client = await connect(options(server, OFF));
    const content: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]() {
        let first = true;
        return {
          next() {
            if (!first) return new Promise(() => {});
            first = false;
            return Promise.resolve({ done: false, value: Buffer.from('Subject: a\r\n\r\nHel') });
          },
          async return() {
            released = true;
            return { done: true, value: undefined };
          },
        };
      },
    };
    const sending = failureOf(client.send({ ...MESSAGE, content }, { signal: controller.signal }));
    await within(2_000, reached.opened);
    controller.abort(WHY);
    const error = await within(50, sending);
    expect(verdict(error)).toBe('ERR_SMTP_ABORTED in content, not-sent, reconnect');
    expect(released).toBe(true);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.peer().plain).toMatch(/Hel$/);
  });

  test('aborted behind the final dot: unknown, and the connection goes on', async () => {
    const reached = gate();
    const aborted = gate();
    const server = await start(async (peer) => {
      await takeEnvelope(peer, 'PIPELINING');
      await peer.content();
      reached.open();
      await aborted.opened;
      peer.say('250 queued after all');
      await takeMessages(peer);
    });
    const controller = new AbortController();
    const client = await connect(options(server, OFF));
    const sending = failureOf(client.send(MESSAGE, { signal: controller.signal }));
    await within(2_000, reached.opened);
    controller.abort(WHY);
    const error = await within(50, sending);
    expect(verdict(error)).toBe('ERR_SMTP_ABORTED in final, unknown, unknown');
    aborted.open();
    // The late reply is not taken for the next message's.
    expect((await client.send(MESSAGE)).reply.text).toBe('queued as 1');
    await client.close();
  });

  test('one of several aborted before its turn: the others are sent, in order', async () => {
    const taken: string[] = [];
    const proceed = gate();
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear();
      await proceed.opened;
      peer.say('250 ok');
      await takeMessages(peer, taken);
    });
    const controller = new AbortController();
    const client = await connect(options(server, OFF));
    const first = client.send({ ...MESSAGE, content: '1\r\n' });
    const second = failureOf(
      client.send({ ...MESSAGE, content: '2\r\n' }, { signal: controller.signal }),
    );
    const third = client.send({ ...MESSAGE, content: '3\r\n' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(WHY);
    const error = await within(50, second);
    expect(verdict(error)).toBe('ERR_SMTP_ABORTED in idle, not-sent, reconnect');
    proceed.open();
    await within(2_000, Promise.all([first, third]));
    expect(taken).toEqual(['1\r\n', '3\r\n']);
    await client.close();
  });

  test('one aborted in content: the one before it still gets its verdict, the one behind it is not sent', async () => {
    const reached = gate();
    const aborted = gate();
    const server = await start(async (peer) => {
      await takeEnvelope(peer, 'PIPELINING');
      await peer.content();
      for (let count = 0; count < 3; count += 1) await peer.hear();
      reached.open();
      await aborted.opened;
      peer.say('250 queued');
    });
    const controller = new AbortController();
    const client = await connect(options(server, OFF));
    const first = client.send(MESSAGE);
    const second = failureOf(client.send(MESSAGE, { signal: controller.signal }));
    const third = failureOf(client.send(MESSAGE));
    await within(2_000, reached.opened);
    controller.abort(WHY);
    expect(verdict(await within(50, second))).toBe('ERR_SMTP_ABORTED in mail, not-sent, reconnect');
    aborted.open();
    expect((await within(2_000, first)).reply.text).toBe('queued');
    expect(verdict(await third)).toBe('ERR_SMTP_CLOSED in idle, not-sent, reconnect');
    await eventually(() => server.open === 0, 'the connection is closed');
  });
});

describe('content that fails', () => {
  test.each([
    ['before its first octet', 0],
    ['behind some of it', 1],
  ])('%s: not sent, no dot leaves, the connection is closed', async (_name, count) => {
    const server = await start(async (peer) => {
      await takeEnvelope(peer, 'PIPELINING');
      await peer.content();
    });
    const client = await connect(options(server, OFF));
    const content = async function* (): AsyncGenerator<Uint8Array> {
      if (count > 0) yield Buffer.from('Subject: a\r\n');
      throw WHY;
    };
    const error = await failureOf(client.send({ ...MESSAGE, content: content() }));
    expect(verdict(error)).toBe('ERR_SMTP_CONTENT in content, not-sent, fix-first');
    expect(error.cause).toBe(WHY);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.peer().plain).toMatch(count > 0 ? /DATA\r\nSubject: a\r\n$/ : /DATA\r\n$/);
  });
});

describe('destroy()', () => {
  test('what is being sent fails with its error as the cause, and what waits too', async () => {
    const reached = gate();
    const server = await start(async (peer) => {
      await greet(peer);
      await peer.hear();
      reached.open();
    });
    const client = await connect(options(server, OFF));
    const first = failureOf(client.send(MESSAGE));
    const second = failureOf(client.send(MESSAGE));
    await within(2_000, reached.opened);
    client.destroy(WHY);
    const [one, two] = await within(50, Promise.all([first, second]));
    expect(verdict(one)).toBe('ERR_SMTP_CLOSED in mail, not-sent, reconnect');
    expect(one.message).toMatch(/the user went away/);
    expect(one.cause).toBe(WHY);
    expect(verdict(two)).toBe('ERR_SMTP_CLOSED in idle, not-sent, reconnect');
    expect(two.cause).toBe(WHY);
    await eventually(() => server.open === 0, 'the connection is closed');
    expect(server.peer().plain).not.toMatch(/QUIT/);
  });

  test('behind the final dot: unknown', async () => {
    const reached = gate();
    const server = await start(async (peer) => {
      await takeEnvelope(peer);
      await peer.content();
      reached.open();
    });
    const client = await connect(options(server, OFF));
    const sending = failureOf(client.send(MESSAGE));
    await within(2_000, reached.opened);
    client.destroy();
    expect(verdict(await sending)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
  });

  test('twice, and with close() before and after it', async () => {
    const server = await start((peer) => greet(peer));
    const client = await connect(options(server, { ...OFF, timeouts: { quit: 10_000 } }));
    const closing = client.close();
    client.destroy();
    client.destroy(WHY);
    await within(500, closing);
    await within(500, client.close());
    expect(verdict(await failureOf(client.send(MESSAGE)))).toBe(
      'ERR_SMTP_CLOSED in idle, not-sent, reconnect',
    );
  });
});

describe('close()', () => {
  /** Every server here answers QUIT, or is gone: however slow the machine is, it is waited for. */
  const PATIENT = { timeouts: { quit: 10_000 } };

  test('waits for what is being sent, then says QUIT', async () => {
    const proceed = gate();
    const server = await start(async (peer) => {
      await takeEnvelope(peer);
      await peer.content();
      await proceed.opened;
      peer.say('250 queued');
      await takeMessages(peer);
    });
    const client = await connect(options(server, { ...OFF, ...PATIENT }));
    const order: string[] = [];
    const sending = Promise.all([
      client.send(MESSAGE).then(() => order.push('first')),
      client.send(MESSAGE).then(() => order.push('second')),
    ]);
    const closing = client.close().then(() => order.push('closed'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(order).toEqual([]);
    proceed.open();
    await within(2_000, Promise.all([sending, closing]));
    expect(order).toEqual(['first', 'second', 'closed']);
    expect(server.peer().lines.at(-1)).toBe('QUIT');
  });

  test('twice: one QUIT, and both resolve', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { ...OFF, ...PATIENT }));
    await within(2_000, Promise.all([client.close(), client.close()]));
    await within(500, client.close());
    expect(server.peer().plain.match(/QUIT/g)).toHaveLength(1);
  });

  test('send() behind close() is not sent, whether QUIT was answered or not', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { ...OFF, ...PATIENT }));
    const closing = client.close();
    const early = failureOf(client.send(MESSAGE));
    await within(2_000, closing);
    const expected = 'ERR_SMTP_CLOSED in idle, not-sent, reconnect';
    expect(verdict(await early)).toBe(expected);
    for (const call of [
      () => client.send(MESSAGE),
      () => client.noop(),
      () => client.reset(),
      () => client.verify('b@example.com'),
    ])
      expect(verdict(await failureOf(call()))).toBe(expected);
    expect(server.peer().plain).not.toMatch(/MAIL/);
  });

  test('never rejects, also where the server is gone', async () => {
    const server = await start(async (peer) => {
      await greet(peer);
      peer.destroy();
    });
    const client = await connect(options(server, { ...OFF, ...PATIENT }));
    await eventually(() => server.open === 0, 'the connection is closed');
    await within(500, client.close());
  });

  test('under TLS, by await using', async () => {
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair);
      await takeMessages(peer);
    });
    const client = await connect(options(server, { ...PATIENT, tlsOptions: { ca } }));
    await within(2_000, client[Symbol.asyncDispose]());
    expect(server.peer().lines.at(-1)).toBe('QUIT');
  });
});

describe('a transcript listener that throws', () => {
  test.each(['client', 'server'] as const)('fails the connection (%s)', async (direction) => {
    const server = await start(async (peer) => {
      await greet(peer);
      await takeMessages(peer);
    });
    const onTranscript = (event: TranscriptEvent): void => {
      if (event.direction === direction) throw WHY;
    };
    await expect(within(2_000, connect(options(server, { ...OFF, onTranscript })))).rejects.toThrow(
      /the user went away/,
    );
    await eventually(() => server.open === 0, 'the connection is closed');
  });
});
