/** DIS, LIM and POO: ends, silences, floods, and what a pool makes of them. */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/devino/index.ts';
import {
  type ConnectOptions,
  connect,
  type Transport,
  type TransportEvents,
} from '../../src/index.ts';
import { createPool, type PoolOptions, type SmtpPool } from '../../src/pool/index.ts';
import {
  eventually,
  failureOf,
  greet,
  MESSAGE,
  options,
  PASS,
  type Peer,
  type Script,
  type ScriptedServer,
  USER,
  verdict,
  within,
} from '../e2e/scripted-server.ts';
import {
  type Answers,
  deal,
  good,
  HandClock,
  Heard,
  refused,
  settled,
  silence,
  useJudgedServers,
} from './support.ts';

const serve = useJudgedServers();

describe('DIS and LIM', () => {
  const OFF = { tls: 'off' } as const;

  describe('ends', () => {
    test('DIS-01 the end in place of the reply to MAIL: closed, temporary', async () => {
      for (const keywords of [[], ['PIPELINING']])
        for (const reset of [false, true]) {
          const server = await serve(
            good(keywords, { MAIL: ({ peer }) => (reset ? peer.destroy(true) : peer.end()) }),
          );
          expect(verdict(await refused(server))).toBe(
            'ERR_SMTP_CLOSED in mail, not-sent, reconnect',
          );
        }
    });

    test('DIS-03 a reset behind the dot: nobody knows, and nothing is sent again', async () => {
      const heard = new Heard();
      const server = await serve(good([], { dot: ({ peer }) => peer.destroy(true) }, heard));
      expect(verdict(await refused(server))).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
      const pool = createPool({
        ...(options(server, OFF) as PoolOptions),
        backoff: { initial: 1, max: 1 },
      });
      expect((await failureOf(pool.send(MESSAGE))).delivery).toBe('unknown');
      await silence();
      await pool.close();
      expect(heard.contents).toHaveLength(2);
      expect(server.peers).toHaveLength(2);
    });

    test('DIS-04 421 to MAIL: nothing follows', async () => {
      for (const ends of [true, false]) {
        const heard = new Heard();
        const server = await serve(
          good(
            [],
            {
              MAIL: ({ peer }) => {
                peer.say('421 4.3.2 shutting down');
                if (ends) peer.end();
              },
            },
            heard,
          ),
        );
        const error = await refused(server);
        expect(error).toMatchObject({ phase: 'mail', retry: 'later', reply: { code: 421 } });
        expect(error.delivery).not.toBe('unknown');
        await eventually(() => server.open === 0, 'the client leaves');
        expect(heard.verbs.join()).toMatch(/^EHLO,MAIL(,QUIT)?$/);
      }
    });

    test('DIS-05 421 to RCPT: neither RCPT nor DATA behind it', async () => {
      const heard = new Heard();
      const server = await serve(
        good([], { RCPT: ({ nth }) => (nth ? '421 4.3.2 shutting down' : '250 ok') }, heard),
      );
      const to = ['b@example.com', 'c@example.com', 'd@example.com', 'e@example.com'];
      const error = await refused(server, { to });
      expect(error).toMatchObject({ retry: 'later', reply: { code: 421 } });
      expect(error.delivery).not.toBe('unknown');
      await eventually(() => server.open === 0, 'the client leaves');
      expect(heard.verbs.join()).toMatch(/^EHLO,MAIL,RCPT,RCPT(,QUIT)?$/);
    });

    test('DIS-06 421 in the middle of content: told, and no dot', async () => {
      const server = await serve(async (peer) => {
        await greet(peer);
        for (const reply of ['250 ok', '250 ok', '354 go']) {
          await peer.hear();
          peer.say(reply);
        }
        await peer.hear('Subject: a');
        peer.say('421 4.3.2 shutting down');
      });
      const content = (async function* () {
        yield Buffer.from('Subject: a\r\n');
        await new Promise(() => {});
      })();
      const error = await refused(server, { content });
      expect(error).toMatchObject({ phase: 'content', retry: 'later', reply: { code: 421 } });
      expect(error.delivery).not.toBe('unknown');
      await eventually(() => server.open === 0, 'the connection is closed');
      expect(server.plain).toMatch(/Subject: a\r\n$/);
    });

    test('DIS-09 the end right behind the final 250: accepted', async () => {
      for (const keywords of [[], ['PIPELINING'], ['CHUNKING', 'PIPELINING']]) {
        const last: Answers[string] = ({ peer }) => {
          peer.say('250 queued');
          peer.end();
        };
        const server = await serve(good(keywords, { dot: last, BDAT: last }));
        expect((await deal(server)).reply.text).toBe('queued');
      }
    });

    test('DIS-13 an error at MAIL: QUIT before the end', async () => {
      const heard = new Heard();
      const server = await serve(good([], { MAIL: '550 no' }, heard));
      expect((await refused(server)).reply?.code).toBe(550);
      expect(heard.verbs).toEqual(['EHLO', 'MAIL', 'QUIT']);
    });

    test('DIS-14 a closed port, and a name that is none: the host is named', async () => {
      const closed = createServer();
      const port = await new Promise<number>((resolve) =>
        closed.listen(0, '127.0.0.1', () => resolve((closed.address() as { port: number }).port)),
      );
      await new Promise((resolve) => closed.close(resolve));
      const error = await failureOf(connect({ host: '127.0.0.1', port }));
      expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
      expect(error.message).toContain(`127.0.0.1:${port}`);
      // A label that no resolver asks anybody for: it is too long.
      const host = `${'x'.repeat(70)}.invalid`;
      const unknown = await failureOf(connect({ host, port }));
      expect(verdict(unknown)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
      expect(unknown.message).toContain(host);
    });
  });

  describe('silences', () => {
    test('DIS-07 each stage has a limit of its own', async () => {
      const stages = [
        ['EHLO', 'ehlo'],
        ['MAIL', 'mail'],
        ['RCPT', 'rcpt'],
        ['DATA', 'data'],
        ['dot', 'final'],
      ] as const;
      for (const [at, [verb, phase]] of stages.entries())
        for (const keywords of [[], ['PIPELINING']]) {
          // Silence from there on: in a group, a later reply would be taken for this one.
          const silent = stages.slice(at).map(([later]) => [later, undefined]);
          const heard = new Heard();
          const server = await serve(good(keywords, Object.fromEntries(silent), heard));
          const clock = new HandClock();
          // All others are longer.
          const timeouts = { total: 90_000, [phase]: 4_711 };
          const dealing = (async () => {
            const client = await connect(options(server, { ...OFF, clock, timeouts }));
            await client.send(MESSAGE);
          })();
          dealing.catch(() => {});
          await eventually(
            () => [...clock.timers.values()].some(({ at: due }) => due === 1_000 + 4_711),
            `the limit behind ${verb} has begun`,
          );
          clock.advance(4_710);
          expect(await settled(dealing)).toBe(false);
          clock.advance(1);
          const error = await failureOf(dealing);
          expect(error).toMatchObject({
            code: 'ERR_SMTP_TIMEOUT',
            phase,
            delivery: phase === 'final' ? 'unknown' : 'not-sent',
          });
          expect(error.message).toContain(`timeouts.${phase}`);
          await eventually(() => server.open === 0, 'the connection is closed');
        }
    });

    test('DIS-11 QUIT is never answered: a bounded wait, and nothing keeps the process alive', async () => {
      const heard = new Heard();
      const server = await serve(good([], { QUIT: undefined }, heard));
      const clock = new HandClock();
      const client = await connect(options(server, { ...OFF, clock, timeouts: { quit: 5_000 } }));
      expect((await client.send(MESSAGE)).reply.code).toBe(250);
      const closing = client.close();
      await eventually(() => heard.all('QUIT').length === 1, 'QUIT is there');
      clock.advance(4_999);
      expect(await settled(closing)).toBe(false);
      clock.advance(1);
      await within(4_000, closing);
      // That its socket is closed is judged behind every case.
      expect(clock.timers.size).toBe(0);
      // Without a word about it, the wait is bounded as well.
      const other = new HandClock();
      const { timeouts, ...defaults } = options(server, { ...OFF, clock: other });
      const second = await connect(defaults);
      const leaving = second.close();
      await eventually(() => heard.all('QUIT').length === 2, 'QUIT is there');
      other.advance(10_000);
      await within(4_000, leaving);
      expect(other.timers.size).toBe(0);
      expect(timeouts).toBeDefined();
    });

    test('DIS-15 221, and the server keeps the socket: the client closes its side', async () => {
      let ended = false;
      const server = await serve(
        good([], {
          QUIT: ({ peer }) => {
            peer.tcp.once('end', () => {
              ended = true;
            });
            peer.say('221 bye');
          },
        }),
      );
      const clock = new HandClock();
      const client = await connect(options(server, { ...OFF, clock }));
      const closing = client.close();
      await eventually(() => ended, 'FIN is there');
      clock.advance(5_000);
      await within(4_000, closing);
    });

    test('DIS-16 a final reply just before its limit', async () => {
      const clock = new HandClock();
      const server = await serve(
        good([], {
          dot: async () => {
            await eventually(
              () => [...clock.timers.values()].some(({ at }) => at === 3_000),
              'the limit has begun',
            );
            clock.advance(1_800);
            return '250 queued';
          },
        }),
      );
      const timeouts = { final: 2_000, total: 60_000 };
      const client = await connect(options(server, { ...OFF, clock, timeouts }));
      expect((await within(4_000, client.send(MESSAGE))).reply.text).toBe('queued');
      // Its limit is gone with it.
      clock.advance(2_000);
      const closing = client.close();
      await within(4_000, closing);
    });
  });

  describe('floods', () => {
    const flood =
      (block: string, first = ''): Script =>
      async (peer) => {
        peer.raw(first);
        while (!peer.gone) {
          if (!peer.raw(block)) await peer.drained();
          else await new Promise((resolve) => setImmediate(resolve));
        }
      };
    const held = (): number => process.memoryUsage().arrayBuffers;

    test('LIM-01 a greeting line without end', async () => {
      const before = held();
      const server = await serve(flood('x'.repeat(65_536), '220 '));
      const error = await failureOf(connect(options(server, OFF)));
      expect(error).toMatchObject({ code: 'ERR_SMTP_PROTOCOL', phase: 'greeting' });
      await eventually(() => server.open === 0, 'the connection is closed');
      expect(held() - before).toBeLessThan(32 * 2 ** 20);
    });

    test('LIM-02 a reply to EHLO without end', async () => {
      const before = held();
      const server = await serve(async (peer) => {
        peer.say('220 mail.example.com');
        await peer.hear(/^EHLO/);
        await flood('250-x\r\n'.repeat(10_000))(peer, 0);
      });
      const error = await failureOf(connect(options(server, OFF)));
      expect(error).toMatchObject({ code: 'ERR_SMTP_PROTOCOL', phase: 'ehlo' });
      await eventually(() => server.open === 0, 'the connection is closed');
      expect(held() - before).toBeLessThan(32 * 2 ** 20);
    });

    test('LIM-03 100,000 replies that nobody asked for', async () => {
      const server = await serve(async (peer) => {
        await greet(peer);
        peer.raw('250 ok\r\n'.repeat(100_000));
      });
      const client = await connect(options(server, OFF));
      await within(4_000, client.closed);
      expect((await failureOf(client.send(MESSAGE))).code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('LIM-04 a long reply octet by octet takes linear time', async () => {
      /** A transport that gives out the greeting octet by octet, and then ends. */
      const time = async (lines: number): Promise<number> => {
        const text = Buffer.from(`${`220-${'x'.repeat(994)}\r\n`.repeat(lines)}220 end\r\n`);
        let greeted!: (events: TransportEvents) => void;
        const attached = new Promise<TransportEvents>((resolve) => {
          greeted = resolve;
        });
        const transport: Transport = {
          secure: false,
          attach: (events) => greeted(events),
          write: () => true,
          startTls: () => Promise.reject(new Error('none')),
          end: () => {},
          destroy: () => {},
        };
        const connecting = connect({ host: 'x.example', ...OFF, transport });
        const events = await attached;
        await silence(1);
        const begin = performance.now();
        for (let at = 0; at < text.length; at += 1) events.onData(text.subarray(at, at + 1));
        const took = performance.now() - begin;
        events.onClose();
        // The greeting was read whole: what is missing is the reply to EHLO.
        expect(await failureOf(connecting)).toMatchObject({
          code: 'ERR_SMTP_CLOSED',
          phase: 'ehlo',
        });
        return took;
      };
      await time(4);
      // Sixteen times as much would take 256 times as long; a slow machine is no offence.
      const [short, long] = [await time(4), await time(64)];
      expect(long).toBeLessThan(Math.max(2_000, short * 80));
    });

    test('LIM-06 a refusal of very many lines: linear time, and a short message', async () => {
      const server = await serve(
        good([], {
          MAIL: [...Array.from({ length: 6_000 }, () => '550-5.1.1 x'), '550 5.1.1 x'].slice(
            -5_000,
          ),
        }),
      );
      const error = await refused(server);
      expect(error.reply?.code).toBe(550);
      expect(error.message.length).toBeLessThan(2_000);
      // One that is longer than the bounds is none.
      const other = await serve(
        good([], { MAIL: Array.from({ length: 100_000 }, () => '550-text') }),
      );
      expect((await refused(other)).code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('LIM-07 100 KB of what an address is made of: linear time', () => {
      for (const [text, reason] of [
        ['Invalid recipient address: ', 'invalid-recipient'],
        ['Disallowed source address: ', 'sender-not-confirmed'],
        ['Not allowed attachement type ', 'attachment-type'],
        ['', undefined],
      ] as const)
        for (const part of [
          '<',
          ':',
          'a@',
          '"',
          '\\"',
          ' ',
          '.',
          '<">',
          'Invalid recipient address',
        ])
          for (const whole of [
            text + part.repeat(100_000 / part.length),
            part.repeat(100_000 / part.length) + text,
          ]) {
            const begin = performance.now();
            const why = explain({ code: 554, lines: [whole], text: whole });
            expect(performance.now() - begin).toBeLessThan(1_000);
            if (whole.startsWith(text) && text) expect(why?.reason).toBe(reason);
          }
    });

    test('LIM-08 a code of 100,000 digits', async () => {
      const server = await serve(good([], { MAIL: `25${'0'.repeat(100_000)}` }));
      expect((await refused(server)).code).toBe('ERR_SMTP_PROTOCOL');
    });

    test('LIM-09 a long stream and a slow reader: no more is read ahead than the network takes', async () => {
      const block = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000));
      let read = 0;
      let taken = 0;
      const ahead: number[] = [];
      const content = (async function* () {
        for (; read < 50; read += 1) yield block;
      })();
      // The octets are not kept here: it is the client that is judged.
      const server = createServer((socket) => {
        socket.write('220 mail.example.com\r\n');
        let data = false;
        socket.on('data', (octets) => {
          if (data) {
            taken += octets.length;
            socket.pause();
            ahead.push(read * block.length - taken);
            setImmediate(() => socket.resume());
            if (octets.subarray(-5).toString('latin1') === '\r\n.\r\n') {
              data = false;
              socket.write('250 queued\r\n');
            }
            return;
          }
          const line = octets.toString('latin1');
          data = line === 'DATA\r\n';
          socket.write(
            data ? '354 go\r\n' : line.startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n',
          );
          if (line.startsWith('QUIT')) socket.end();
        });
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const to: ConnectOptions = {
        host: '127.0.0.1',
        port: (server.address() as { port: number }).port,
        ...OFF,
      };
      try {
        const client = await connect(to);
        const receipt = await within(15_000, client.send({ ...MESSAGE, content }));
        await client.close();
        expect(receipt.octets).toBe(50 * block.length);
        // The buffers of both sides of the loopback are in it.
        expect(Math.max(...ahead)).toBeLessThan(25 * 2 ** 20);
      } finally {
        server.close();
      }
    });
  });
});

describe('POO', () => {
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
    await within(
      4_000,
      Promise.all(['one', 'two', 'three'].map((name) => pool.send(message(name)))),
    );
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
});
