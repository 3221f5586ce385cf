/** LIMITS RCPTMAX and MAILMAX (RFC 9422): one message in several transactions, several connections for several messages. */
import { describe, expect, test } from 'vitest';
import { createPool, type PoolOptions } from '../../src/pool/index.ts';
import {
  failureOf,
  greet,
  MESSAGE,
  options,
  type Peer,
  type ScriptedServer,
  useServers,
  verdict,
  within,
} from '../e2e/scripted-server.ts';

const start = useServers();
const pooled = (server: ScriptedServer): PoolOptions => {
  const { transport: _, ...rest } = options(server);
  return { ...rest, tls: 'off' };
};
const FIVE = ['b1', 'b2', 'b3', 'b4', 'b5'].map((name) => `${name}@example.com`);

/** What transactions took: the recipients of each, as far as it was accepted. */
async function take(peer: Peer, taken: string[][], lose = Infinity): Promise<void> {
  let recipients: string[] = [];
  for (;;) {
    const line = await peer.hear();
    const [, recipient] = /^RCPT TO:<(.*)>$/.exec(line) ?? [];
    if (line === 'QUIT') {
      peer.say('221 bye');
      peer.end();
      return;
    }
    if (line === 'DATA') {
      if (!recipients[0]) peer.say('554 no recipients');
      else {
        peer.say('354 go');
        expect(await peer.content()).toBe(MESSAGE.content);
        if (taken.length === lose) return peer.destroy();
        taken.push(recipients);
        peer.say('250 queued');
      }
      recipients = [];
    } else if (recipient?.startsWith('no')) peer.say('550 5.1.1 nobody there');
    else {
      if (recipient) recipients.push(recipient);
      if (line.startsWith('MAIL')) recipients = [];
      peer.say('250 ok');
    }
  }
}

const at = async (limits: string, taken: string[][], lose?: number) =>
  start(async (peer) => {
    await greet(peer, 'PIPELINING', `LIMITS ${limits}`);
    await take(peer, taken, lose);
  });

describe('RCPTMAX', () => {
  test.each([
    [5, [FIVE]],
    [2, [FIVE.slice(0, 2), FIVE.slice(2, 4), FIVE.slice(4)]],
    [1, FIVE.map((address) => [address])],
  ])('send() needs as many transactions as it takes when it is %i', async (most, expected) => {
    const taken: string[][] = [];
    const server = await at(`RCPTMAX=${most}`, taken);
    const pool = createPool(pooled(server));
    const receipt = await within(4_000, pool.send({ ...MESSAGE, to: FIVE }));
    await pool.close();
    expect(taken).toEqual(expected);
    expect(receipt).toMatchObject({
      accepted: FIVE,
      rejected: [],
      reply: { code: 250 },
      octets: MESSAGE.content.length * expected.length,
    });
    expect([server.peers.length, pool.stats.sent]).toEqual([1, 1]);
  });

  test('send() counts refusals as values when somebody gets the message', async () => {
    const taken: string[][] = [];
    const server = await at('RCPTMAX=2', taken);
    const pool = createPool(pooled(server));
    const to = [
      'no1@example.com',
      'no2@example.com',
      'b1@example.com',
      'no3@example.com',
      'b2@example.com',
    ];
    const receipt = await within(4_000, pool.send({ ...MESSAGE, to }));
    await pool.close();
    expect(taken).toEqual([['b1@example.com'], ['b2@example.com']]);
    expect(receipt.accepted).toEqual(['b1@example.com', 'b2@example.com']);
    expect(receipt.rejected.map(({ address, reply }) => [address, reply.code])).toEqual([
      ['no1@example.com', 550],
      ['no2@example.com', 550],
      ['no3@example.com', 550],
    ]);
  });

  test('send() fails with all refusals when nobody gets the message', async () => {
    const taken: string[][] = [];
    const server = await at('RCPTMAX=1', taken);
    const pool = createPool(pooled(server));
    const error = await failureOf(
      pool.send({ ...MESSAGE, to: ['no1@example.com', 'no2@example.com'] }),
    );
    await pool.close();
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
    expect(error.rejected?.map(({ address }) => address)).toEqual([
      'no1@example.com',
      'no2@example.com',
    ]);
    expect([taken, error.accepted]).toEqual([[], []]);
  });

  test('send() says who has the message, and sends nothing again, when the connection is lost in the middle', async () => {
    const taken: string[][] = [];
    const server = await at('RCPTMAX=2', taken, 1);
    const pool = createPool(pooled(server));
    const error = await failureOf(pool.send({ ...MESSAGE, to: FIVE }));
    await pool.close();
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
    expect(error.accepted).toEqual(FIVE.slice(0, 2));
    expect([taken, server.peers.length]).toEqual([[FIVE.slice(0, 2)], 1]);
  });

  test('send() says nothing to the server when the message cannot be sent in parts', async () => {
    const server = await at('RCPTMAX=2', []);
    const pool = createPool(pooled(server));
    async function* content(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(MESSAGE.content);
    }
    const once = await failureOf(pool.send({ ...MESSAGE, to: FIVE, content: content() }));
    const whole = await failureOf(pool.send({ ...MESSAGE, to: FIVE }, { partial: 'abort' }));
    for (const error of [once, whole])
      expect(verdict(error)).toBe('ERR_SMTP_UNSUPPORTED in mail, not-sent, fix-first');
    const wrong = pool.send({ ...MESSAGE, to: [...FIVE, 'x>\r\nDATA'] });
    await expect(within(4_000, wrong)).rejects.toThrow(TypeError);
    await pool.close();
    expect(server.peer().lines.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([]);
  });
});

test('send() takes another connection when MAILMAX is reached', async () => {
  const taken: string[][] = [];
  const server = await at('MAILMAX=2', taken);
  const pool = createPool({ ...pooled(server), maxConnections: 1 });
  for (let count = 0; count < 5; count += 1) await within(4_000, pool.send(MESSAGE));
  await pool.close();
  expect(server.peers.map(({ lines }) => lines.filter((line) => line === 'DATA').length)).toEqual([
    2, 2, 1,
  ]);
});
