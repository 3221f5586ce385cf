/** POO: what a server sees of a pool. */
import { expect, test } from 'vitest';
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
  USER,
  within,
} from '../e2e/scripted-server.ts';
import { type Answers, good, Heard, silence, useJudgedServers } from './support.ts';

const serve = useJudgedServers();

function pooled(server: ScriptedServer, more: Partial<PoolOptions> = {}): SmtpPool {
  return createPool({
    ...(options(server, { tls: 'off' }) as PoolOptions),
    backoff: { initial: 5, max: 20 },
    ...more,
  });
}
const message = (name: string) => ({ ...MESSAGE, content: `Subject: ${name}\r\n\r\nHi\r\n` });
const names = (contents: readonly string[]): string[] =>
  contents.map((content) => /^Subject: (.*)/.exec(content)?.[1] as string);
const AUTH = { auth: { user: USER, pass: PASS }, allowInsecureAuth: true } as const;

test('POO-01 two messages on one connection: MAIL again, one EHLO, one AUTH', async () => {
  for (const keywords of [[], ['PIPELINING'], ['CHUNKING', 'PIPELINING']]) {
    const heard = new Heard();
    const server = await serve(good([...keywords, 'AUTH PLAIN'], {}, heard));
    const pool = pooled(server, AUTH);
    await within(4_000, pool.send(message('one')));
    await within(4_000, pool.send(message('two')));
    await within(4_000, pool.close());
    expect(names(heard.messages.map(({ content }) => content))).toEqual(['one', 'two']);
    expect(server.peers).toHaveLength(1);
    expect(heard.all('EHLO')).toHaveLength(1);
    expect(heard.all('AUTH')).toHaveLength(1);
    expect(heard.verbs.at(-1)).toBe('QUIT');
  }
});

/** One message, then the server leaves the first connection, then another message. */
async function leftWhileIdle(leave: (peer: Peer) => void): Promise<void> {
  for (const noticed of [true, false]) {
    const heard = new Heard();
    const server = await serve((peer, index) =>
      good(
        ['PIPELINING'],
        index
          ? {}
          : {
              dot: ({ peer: first }) => {
                first.say('250 queued');
                // At once, or when it is idle.
                if (noticed) setTimeout(() => leave(first), 5);
                else leave(first);
              },
            },
        heard,
      )(peer, index),
    );
    const pool = pooled(server);
    await within(4_000, pool.send(message('one')));
    if (noticed) await eventually(() => pool.stats.connections === 0, 'the pool notices');
    const { reply } = await within(4_000, pool.send(message('two')));
    expect(reply.code).toBe(250);
    await within(4_000, pool.close());
    expect(names(heard.contents)).toEqual(['one', 'two']);
    expect(server.peers).toHaveLength(2);
    expect(pool.stats).toMatchObject({ sent: 2, failed: 0 });
  }
}

test('POO-03 the end while idle: the next message goes on a new connection', async () => {
  await leftWhileIdle((peer) => peer.end());
});

test('POO-04 421 while idle: the next message goes on a new connection', async () => {
  await leftWhileIdle((peer) => {
    peer.say('421 4.3.2 shutting down');
    peer.end();
  });
});

test('POO-06 LIMITS MAILMAX=1: a new connection for each message', async () => {
  const heard = new Heard();
  const server = await serve(good(['PIPELINING', 'LIMITS MAILMAX=1'], {}, heard));
  const pool = pooled(server, { maxConnections: 1 });
  await within(4_000, Promise.all(['one', 'two', 'three'].map((name) => pool.send(message(name)))));
  await within(4_000, pool.close());
  expect(heard.messages).toHaveLength(3);
  expect(server.peers.map(({ plain }) => plain.match(/^MAIL /gm)?.length)).toEqual([1, 1, 1]);
});

test('POO-07 RSET answered 451 or 421: the connection is left', async () => {
  for (const reply of ['451 4.3.0 no', '421 4.3.2 shutting down']) {
    const heard = new Heard();
    // A refused recipient leaves a transaction that RSET has to end.
    const first: Answers = { RCPT: '550 5.1.1 nobody', RSET: reply };
    const server = await serve((peer, index) => good([], index ? {} : first, heard)(peer, index));
    const pool = pooled(server);
    expect((await failureOf(pool.send(message('one')))).delivery).toBe('rejected');
    expect((await within(4_000, pool.send(message('two')))).reply.code).toBe(250);
    await within(4_000, pool.close());
    expect(server.peers).toHaveLength(2);
    expect(server.peer(0).plain).toMatch(/RSET\r\n(QUIT\r\n)?$/);
    expect(names(heard.contents)).toEqual(['two']);
  }
});

test('POO-08 20 messages at once over 3 connections: none inside another, no fourth connection', async () => {
  let most = 0;
  const contents: string[] = [];
  const server = await serve(async (peer) => {
    most = Math.max(most, server.open);
    await greet(peer, 'PIPELINING');
    // The lines that it expects, one after the other: nothing may stand between.
    for (;;) {
      if ((await peer.hear(/^(MAIL FROM:<a@client.example>|QUIT)$/)) === 'QUIT') break;
      peer.say('250 ok');
      await peer.hear('RCPT TO:<b@example.com>');
      peer.say('250 ok');
      await peer.hear('DATA');
      peer.say('354 go ahead');
      contents.push(await peer.content());
      await silence(2);
      peer.say('250 queued');
    }
    peer.say('221 bye');
    peer.end();
  });
  const pool = pooled(server, { maxConnections: 3 });
  const all = Array.from({ length: 20 }, (_, at) => `${at}`);
  await within(4_000, Promise.all(all.map((name) => pool.send(message(name)))));
  await within(4_000, pool.close());
  expect(most).toBeLessThanOrEqual(3);
  expect(server.peers).toHaveLength(3);
  expect(contents.sort()).toEqual(all.map((name) => message(name).content).sort());
});

test('POO-09 a reset behind the dot: the message is not sent twice', async () => {
  const heard = new Heard();
  const server = await serve((peer, index) =>
    good(
      ['PIPELINING'],
      index ? {} : { dot: ({ peer: first, nth }) => (nth ? first.destroy(true) : '250 queued') },
      heard,
    )(peer, index),
  );
  const pool = pooled(server);
  await within(4_000, pool.send(message('one')));
  const { code, delivery } = await failureOf(pool.send(message('two')));
  expect([code, delivery]).toEqual(['ERR_SMTP_CLOSED', 'unknown']);
  await within(4_000, pool.send(message('three')));
  await within(4_000, pool.close());
  expect(names(heard.contents)).toEqual(['one', 'two', 'three']);
});

test('POO-10 535: whoever waits is told, and there is no storm of logins', async () => {
  const heard = new Heard();
  const server = await serve(
    good(['PIPELINING', 'AUTH PLAIN LOGIN'], { AUTH: '535 5.7.8 no' }, heard),
  );
  const pool = pooled(server, { ...AUTH, maxConnections: 3 });
  const failures = await Promise.all(
    Array.from({ length: 20 }, (_, at) => failureOf(pool.send(message(`${at}`)))),
  );
  for (const { code, reply } of failures)
    expect([code, reply?.code]).toEqual(['ERR_SMTP_AUTH', 535]);
  await silence();
  await within(4_000, pool.close());
  // One for each connection at the most.
  expect(heard.all('AUTH').length).toBeLessThanOrEqual(3);
  expect(heard.all('MAIL')).toEqual([]);
});

test('POO-11 the end between MAIL and its reply: sent once, on a new connection', async () => {
  const heard = new Heard();
  const server = await serve((peer, index) =>
    good(
      [],
      index ? {} : { MAIL: ({ peer: first, nth }) => (nth ? first.end() : '250 ok') },
      heard,
    )(peer, index),
  );
  const pool = pooled(server);
  await within(4_000, pool.send(message('one')));
  await within(4_000, pool.send(message('two')));
  await within(4_000, pool.close());
  expect(names(heard.contents)).toEqual(['one', 'two']);
});
