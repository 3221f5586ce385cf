/** The cases POO of the catalogue, on the loopback: what a server sees of a pool. */
import { describe, expect, test } from 'vitest';
import { createPool, type PoolOptions, type SmtpPool } from '../../src/pool/index.ts';
import {
  eventually,
  failureOf,
  greet,
  MESSAGE,
  options,
  PASS,
  type Peer,
  type ScriptedServer,
  takeMessages,
  USER,
  useServers,
  within,
} from '../e2e/scripted-server.ts';

const serve = useServers();

function pooled(server: ScriptedServer, more: Partial<PoolOptions> = {}): SmtpPool {
  return createPool({
    ...(options(server, { tls: 'off', ...more } as never) as PoolOptions),
    backoff: { initial: 5, max: 20 },
    ...more,
  });
}

/** What was said on all connections that a test looks for. */
const count = (server: ScriptedServer, pattern: RegExp): number =>
  server.plain.match(pattern)?.length ?? 0;

const message = (name: string) => ({ ...MESSAGE, content: `Subject: ${name}\r\n\r\nHi\r\n` });

/** Greets, takes one message, and then does something. */
const takeOne = async (peer: Peer, taken: string[], reply = '250 queued'): Promise<void> => {
  await peer.hear(/^MAIL /);
  peer.say('250 ok');
  await peer.hear(/^RCPT /);
  peer.say('250 ok');
  await peer.hear('DATA');
  peer.say('354 go ahead');
  taken.push(await peer.content());
  peer.say(reply);
};

describe('a pool', () => {
  test('POO-01: sends two messages on one connection, with one EHLO and one AUTH', async () => {
    const taken: string[] = [];
    const server = await serve(async (peer) => {
      await greet(peer, 'PIPELINING', 'AUTH PLAIN');
      await takeMessages(peer, taken);
    });
    const pool = pooled(server, {
      auth: { user: USER, pass: PASS },
      allowInsecureAuth: true,
    });
    await within(4_000, pool.send(message('one')));
    await within(4_000, pool.send(message('two')));
    await within(4_000, pool.close());
    expect(taken).toHaveLength(2);
    expect(server.peers).toHaveLength(1);
    expect(count(server, /^EHLO /gm)).toBe(1);
    expect(count(server, /^AUTH /gm)).toBe(1);
    expect(count(server, /^MAIL /gm)).toBe(2);
    expect(server.plain).toMatch(/QUIT\r\n$/);
  });

  test.each([
    ['POO-03: FIN', (peer: Peer) => peer.end()],
    [
      'POO-04: 421',
      (peer: Peer) => {
        peer.say('421 4.3.2 shutting down');
        peer.end();
      },
    ],
    ['RST', (peer: Peer) => peer.destroy(true)],
  ])('%s while idle: the next message goes on a new connection', async (_, leave) => {
    const taken: string[] = [];
    const server = await serve(async (peer, index) => {
      await greet(peer, 'PIPELINING');
      if (index > 0) return void (await takeMessages(peer, taken));
      await takeOne(peer, taken);
      await new Promise((resolve) => setTimeout(resolve, 5));
      leave(peer);
    });
    const pool = pooled(server);
    await within(4_000, pool.send(message('one')));
    await eventually(() => pool.stats.connections === 0, 'the pool notices');
    await within(4_000, pool.send(message('two')));
    await within(4_000, pool.close());
    expect(taken).toHaveLength(2);
    expect(pool.stats).toMatchObject({ sent: 2, failed: 0 });
  });

  test('POO-03, POO-04: also where the message is on its way already', async () => {
    for (const last of ['', '421 4.3.2 shutting down\r\n']) {
      const taken: string[] = [];
      const server = await serve(async (peer, index) => {
        await greet(peer, 'PIPELINING');
        if (index > 0) return void (await takeMessages(peer, taken));
        await takeOne(peer, taken, `250 queued${last && `\r\n${last.trimEnd()}`}`);
        peer.end();
      });
      const pool = pooled(server);
      await within(4_000, pool.send(message('one')));
      // In the very turn in which the connection ends.
      await within(4_000, pool.send(message('two')));
      await within(4_000, pool.close());
      expect(taken).toHaveLength(2);
      expect(pool.stats).toMatchObject({ sent: 2, failed: 0 });
    }
  });

  test('POO-06: LIMITS MAILMAX=1: each message on a connection of its own', async () => {
    const taken: string[] = [];
    const server = await serve(async (peer) => {
      await greet(peer, 'PIPELINING', 'LIMITS MAILMAX=1');
      await takeMessages(peer, taken);
    });
    const pool = pooled(server, { maxConnections: 1 });
    await within(4_000, Promise.all([1, 2, 3].map((at) => pool.send(message(`${at}`)))));
    await within(4_000, pool.close());
    expect(taken).toHaveLength(3);
    expect(server.peers.map((peer) => peer.plain.match(/^MAIL /gm)?.length)).toEqual([1, 1, 1]);
  });

  test.each(['451 4.3.0 no', '421 4.3.2 shutting down'])(
    'POO-07: RSET answered %s: the connection is dropped, the message is not',
    async (answer) => {
      const taken: string[] = [];
      const server = await serve(async (peer, index) => {
        await greet(peer);
        if (index > 0) return void (await takeMessages(peer, taken));
        await peer.hear(/^MAIL /);
        peer.say('250 ok');
        await peer.hear(/^RCPT /);
        peer.say('550 5.1.1 nobody there');
        await peer.hear('RSET');
        peer.say(answer);
        await peer.hear('QUIT');
        peer.say('221 bye');
        peer.end();
      });
      const pool = pooled(server);
      expect((await failureOf(pool.send(message('one')))).delivery).toBe('rejected');
      await within(4_000, pool.send(message('two')));
      await within(4_000, pool.close());
      expect(taken).toHaveLength(1);
      expect(server.peers).toHaveLength(2);
      expect(server.peer(0).plain).toMatch(
        answer[1] === '5' ? /RSET\r\nQUIT\r\n$/ : /RSET\r\n(QUIT\r\n)?$/,
      );
    },
  );

  test('POO-08: 20 messages at once over 3 connections: no transaction in another, no fourth connection', async () => {
    const taken: string[] = [];
    let most = 0;
    const server = await serve(async (peer) => {
      most = Math.max(most, server.open);
      await greet(peer, 'PIPELINING');
      // The lines that it expects, one after the other: nothing may stand between.
      for (;;) {
        const line = await peer.hear(/^(MAIL|QUIT)/);
        if (line === 'QUIT') {
          peer.say('221 bye');
          return peer.end();
        }
        peer.say('250 ok');
        await peer.hear(/^RCPT /);
        peer.say('250 ok');
        await peer.hear('DATA');
        peer.say('354 go ahead');
        const content = await peer.content();
        await new Promise((resolve) => setTimeout(resolve, 2));
        taken.push(content);
        peer.say('250 queued');
      }
    });
    const pool = pooled(server, { maxConnections: 3 });
    const names = Array.from({ length: 20 }, (_, at) => `${at}`);
    await within(4_000, Promise.all(names.map((name) => pool.send(message(name)))));
    await within(4_000, pool.close());
    expect(most).toBe(3);
    expect(server.peers).toHaveLength(3);
    expect(taken.sort()).toEqual(names.map((name) => message(name).content).sort());
  });

  test('POO-09: RST behind the final dot: the message is not sent twice', async () => {
    const taken: string[] = [];
    const server = await serve(async (peer, index) => {
      await greet(peer, 'PIPELINING');
      if (index > 0) return void (await takeMessages(peer, taken));
      await takeOne(peer, taken);
      await peer.hear(/^MAIL /);
      await peer.hear(/^RCPT /);
      await peer.hear('DATA');
      peer.say('250 ok', '250 ok', '354 go ahead');
      taken.push(await peer.content());
      peer.destroy(true);
    });
    const pool = pooled(server);
    await within(4_000, pool.send(message('one')));
    const { delivery, code } = await failureOf(pool.send(message('two')));
    expect([code, delivery]).toEqual(['ERR_SMTP_CLOSED', 'unknown']);
    await within(4_000, pool.send(message('three')));
    await within(4_000, pool.close());
    expect(taken.map((content) => content.split('\r\n')[0])).toEqual([
      'Subject: one',
      'Subject: two',
      'Subject: three',
    ]);
    expect(pool.stats.resent).toBe(0);
  });

  test('POO-10: 535: everything that waits gets the error, by one AUTH', async () => {
    const server = await serve(async (peer) => {
      await greet(peer, 'PIPELINING', 'AUTH PLAIN');
      await peer.hear(/^AUTH PLAIN /);
      peer.say('535 5.7.8 no');
      await peer.hear('QUIT');
      peer.say('221 bye');
      peer.end();
    });
    const pool = pooled(server, { auth: { user: USER, pass: PASS }, allowInsecureAuth: true });
    const failures = await Promise.all(
      Array.from({ length: 20 }, (_, at) => failureOf(pool.send(message(`${at}`)))),
    );
    for (const { code, retry } of failures)
      expect([code, retry]).toEqual(['ERR_SMTP_AUTH', 'fix-first']);
    expect(count(server, /^AUTH /gm)).toBe(1);
    // The next one tries again.
    await failureOf(pool.send(message('next')));
    expect(count(server, /^AUTH /gm)).toBe(2);
    await within(4_000, pool.close());
  });

  test('POO-11: FIN between MAIL and its reply, on a connection that was used: sent once, on a new one', async () => {
    const taken: string[] = [];
    const server = await serve(async (peer, index) => {
      await greet(peer);
      if (index > 0) return void (await takeMessages(peer, taken));
      await takeOne(peer, taken);
      await peer.hear(/^MAIL /);
      peer.end();
    });
    const pool = pooled(server);
    await within(4_000, pool.send(message('one')));
    await within(4_000, pool.send(message('two')));
    await within(4_000, pool.close());
    expect(taken).toHaveLength(2);
    expect(pool.stats).toMatchObject({ sent: 2, failed: 0, resent: 1 });
  });

  test('goes on where one connection of several is told 421', async () => {
    const taken: string[] = [];
    let told = (): void => {};
    const shutDown = new Promise<void>((resolve) => {
      told = resolve;
    });
    const server = await serve(async (peer, index) => {
      await greet(peer, 'PIPELINING');
      if (index === 0) await shutDown;
      if (index !== 1) return void (await takeMessages(peer, taken));
      await peer.hear(/^MAIL /);
      peer.say('421 4.3.2 shutting down');
      peer.end();
      told();
    });
    const pool = pooled(server, { maxConnections: 2 });
    const outcomes = await within(
      4_000,
      Promise.allSettled(Array.from({ length: 20 }, (_, at) => pool.send(message(`${at}`)))),
    );
    await within(4_000, pool.close());
    // What it answered to may count as refused; what was behind it was sent on another.
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeLessThan(2);
    expect(taken).toHaveLength(20 - refused.length);
    expect(pool.stats.resent).toBeGreaterThan(0);
  });

  test('fails in bounded time where nothing listens', async () => {
    const server = await serve(() => {});
    const { port } = server;
    const pool = pooled(server);
    await server.close();
    const { code, message: said } = await failureOf(pool.send(message('one')));
    expect(code).toBe('ERR_SMTP_CONNECT');
    expect(said).toContain(`127.0.0.1:${port}`);
    await within(4_000, pool.close());
  });

  test('closes within closeTimeout where a server says nothing any more', async () => {
    const server = await serve(async (peer) => {
      await greet(peer, 'PIPELINING');
    });
    const pool = pooled(server, { maxConnections: 1, closeTimeout: 50 });
    const failures = [1, 2, 3, 4].map((at) => failureOf(pool.send(message(`${at}`))));
    await eventually(() => pool.stats.active > 0, 'messages are under way');
    await within(1_000, pool.close());
    for (const { code, delivery } of await Promise.all(failures))
      expect([code, delivery]).toEqual(['ERR_SMTP_CLOSED', 'not-sent']);
  });
});
