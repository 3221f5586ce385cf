/**
 * 10,000 messages through pools whose servers close, say 421, stall, refuse and reset at random. What each caller was
 * told is compared with what the servers have kept: nothing lost, nothing twice, nothing kept that was called unsent.
 */
import { expect, test } from 'vitest';
import { isSmtpError, type OutgoingMessage } from '../../src/index.ts';
import { createPool, type SmtpPool } from '../../src/pool/index.ts';
import { ChaosServer, seeded } from './chaos-server.ts';

const MESSAGES = 10_000;
/** What goes wrong is drawn with this; when it happens depends on the machine as well. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 20_251_125);
/** Whether half of the connections of some servers offer CHUNKING. */
const CHUNKING: boolean = true;

/** Messages under way at once, for each pool: so many that some find the queue full. */
const CALLERS = 40;
const TIMEOUT = 150;

const subject = (id: number): string => `Subject: ${id}\r\n\r\n`;

/** The content of a message: by its length and its lines one sees whether it is whole. */
function contentOf(id: number): string {
  const lines = id % 97 === 0 ? 3_000 : id % 5;
  return subject(id) + `.line of ${id}\r\n`.repeat(lines);
}

/** A message, its content in one of the forms that a caller may give. */
function message(id: number): OutgoingMessage {
  const content = contentOf(id);
  const octets = new TextEncoder().encode(content);
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < octets.length; at += 10_000) yield octets.subarray(at, at + 10_000);
  };
  const forms: OutgoingMessage['content'][] = [
    content,
    octets,
    () => content,
    pieces,
    { [Symbol.asyncIterator]: pieces },
    pieces(),
    new Blob([octets]).stream() as ReadableStream<Uint8Array>,
  ];
  return {
    from: 'chaos@client.example',
    to: id % 11 === 0 ? [`no${id}@example.com`, `b${id}@example.com`] : `b${id}@example.com`,
    content: forms[id % forms.length] as OutgoingMessage['content'],
    ...(id % 2 === 0 && { size: octets.length }),
  };
}

test(`what ${MESSAGES} callers are told is true`, { timeout: 60_000 }, async () => {
  const random = seeded(SEED);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => {
    unhandled.push(reason);
  };
  process.on('unhandledRejection', onUnhandled);
  const servers = [
    { rates: [0.003, 0.1] as const, chunking: false, picky: false },
    { rates: [0.005, 0.15] as const, chunking: CHUNKING, picky: false },
    { rates: [0.004, 0.1] as const, chunking: false, picky: true },
    { rates: [0.004, 0.25] as const, chunking: CHUNKING, picky: false },
  ].map((temper) => new ChaosServer({ random, ...temper }));
  const pools: SmtpPool[] = [];
  for (const [at, server] of servers.entries()) {
    const port = await server.listen();
    pools.push(
      createPool({
        host: '127.0.0.1',
        port,
        tls: 'off',
        name: 'client.example',
        pipelining: at === 3 && CHUNKING ? 'flight' : at === 1 ? 'envelope' : 'overlap',
        maxConnections: 3,
        maxMessages: 40,
        maxInFlight: 3,
        maxQueue: CALLERS - 12,
        overflow: at === 0 ? 'reject' : 'wait',
        probeAfter: 2,
        idleTimeout: 20,
        backoff: { initial: 1, max: 8 },
        random,
        timeouts: {
          ...Object.fromEntries(
            ['connect', 'greeting', 'ehlo', 'idle', 'mail', 'rcpt', 'data', 'content', 'final'].map(
              (name) => [name, TIMEOUT],
            ),
          ),
          quit: 30,
        },
      }),
    );
  }

  /** What the callers were told of each message, in order. */
  const told: string[][] = [];
  const codes = new Map<string, number>();
  let next = 0;
  const deliver = async (pool: SmtpPool, id: number): Promise<void> => {
    const said: string[] = [];
    told[id] = said;
    while (said.length < 20) {
      const signal = random() < 0.01 ? AbortSignal.timeout(Math.floor(random() * 20)) : undefined;
      let again = false;
      try {
        await pool.send(message(id), signal && { signal });
        said.push('accepted');
      } catch (error) {
        if (!isSmtpError(error)) throw error;
        said.push(error.delivery);
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
        // The caller's choice: it may be there twice then.
        again = error.delivery === 'unknown' || error.code === 'ERR_SMTP_QUEUE_FULL';
        if (error.code === 'ERR_SMTP_QUEUE_FULL') await pool.drain();
      }
      if (!again) return;
    }
  };
  const caller = async (pool: SmtpPool): Promise<void> => {
    while (next < MESSAGES) {
      next += 1;
      await deliver(pool, next - 1);
    }
  };
  try {
    await Promise.all(pools.flatMap((pool) => Array.from({ length: CALLERS }, () => caller(pool))));
    const busy = pools.map(({ stats: { queued, active } }) => queued + active);
    await Promise.all(pools.map((pool) => pool.close()));

    /** How often each message is in a mailbox. */
    const kept: number[] = Array(MESSAGES).fill(0);
    const spoiled: string[] = [];
    for (const server of servers)
      for (const { content, recipients } of server.kept) {
        const id = Number(/^Subject: (\d+)\r\n/.exec(content)?.[1] ?? -1);
        if (id < 0 || content !== contentOf(id))
          spoiled.push(JSON.stringify(content.slice(0, 200)));
        else if (recipients !== 1) spoiled.push(`${id} for ${recipients}`);
        else kept[id] = (kept[id] ?? 0) + 1;
      }
    const total: Record<string, number> = { 'kept twice': 0 };
    const lies: string[] = [];
    for (const [id, said] of told.entries()) {
      const count = kept[id] ?? 0;
      const accepted = said.filter((word) => word === 'accepted').length;
      const unknown = said.filter((word) => word === 'unknown').length;
      if (count < accepted || count > accepted + unknown)
        lies.push(`${id}: ${said}, kept ${count}`);
      if (count > 1) total['kept twice'] = (total['kept twice'] ?? 0) + 1;
      for (const word of said) total[word] = (total[word] ?? 0) + 1;
    }
    const faults: Record<string, number> = {};
    for (const server of servers)
      for (const [name, times] of server.faults) faults[name] = (faults[name] ?? 0) + times;
    const stats = pools.map((pool) => pool.stats);
    const resent = stats.reduce((sum, one) => sum + one.resent, 0);
    const picture = `seed ${SEED}: ${JSON.stringify({ total, codes: Object.fromEntries(codes), faults, resent })}`;
    if (process.env['CHAOS_SEED']) console.log(picture, stats);

    expect(
      told.filter((said) => said.length > 0),
      picture,
    ).toHaveLength(MESSAGES);
    expect(busy, picture).toEqual([0, 0, 0, 0]);
    expect(lies, picture).toEqual([]);
    expect(spoiled, picture).toEqual([]);
    expect(
      servers.flatMap((server) => server.violations),
      picture,
    ).toEqual([]);
    // Three, and those that the client has given up, until the server sees them go.
    for (const server of servers) expect(server.most, picture).toBeLessThanOrEqual(6);
    // So that nothing of this was true for want of an occasion.
    for (const word of ['accepted', 'rejected', 'not-sent', 'unknown', 'kept twice'])
      expect(total[word] ?? 0, `${word}: ${picture}`).toBeGreaterThan(0);
    expect(total['accepted'], picture).toBeGreaterThan(MESSAGES / 2);
    for (const code of ['REPLY', 'CLOSED', 'TIMEOUT', 'ABORTED', 'QUEUE_FULL'])
      expect(codes.get(`ERR_SMTP_${code}`) ?? 0, `${code}: ${picture}`).toBeGreaterThan(0);
    expect(Object.keys(faults).length, picture).toBeGreaterThan(25);
    expect(resent, picture).toBeGreaterThan(10);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled, picture).toEqual([]);
  } finally {
    process.off('unhandledRejection', onUnhandled);
    for (const pool of pools) pool.destroy();
    await Promise.all(servers.map((server) => server.close()));
  }
});
