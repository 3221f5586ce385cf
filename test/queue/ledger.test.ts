/**
 * The ledgers, held to the same rules: that of the example on a Redis where there is one, those of docs/queues.md on SQLite and
 * on a stand-in for DynamoDB, and the one in memory that other tests are made with.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importBlock } from '../document-blocks.ts';
import { root } from '../temporary-tree.ts';
import { dynamoTable } from './dynamo-table.ts';
import { type Entry, type Ledger, load, type State } from './example.ts';
import { memoryLedger } from './memory-ledger.ts';
import { hasSqlite, type Sql, startSqlite } from './sqlite.ts';

/** Ends what a ledger stands on. */
const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends) await end();
});

interface RedisLedger extends Ledger {
  look: Ledger['take'];
  held(): Promise<{ id: string; since: Date }[]>;
  resolve(id: string, state: 'sent' | 'open', note: string): Promise<boolean>;
}

const hasRedis = spawnSync('redis-server', ['--version'], { timeout: 10_000 }).status === 0;

async function redisLedger(): Promise<RedisLedger> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-ledger-'));
  const socket = join(folder, 'redis.sock');
  const words = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''];
  const server = spawn('redis-server', words, { stdio: 'ignore' });
  const { Redis } = createRequire(join(root, 'examples/queue/package.json'))('ioredis');
  const redis = new Redis(socket, { retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  redis.on('error', () => {});
  ends.push(async () => {
    redis.disconnect();
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  await redis.ping();
  const { createLedger } = (await load('ledger.mjs')) as {
    createLedger(redis: unknown): RedisLedger;
  };
  return createLedger(redis);
}

async function postgresLedger(): Promise<Ledger> {
  const block = (await importBlock('docs/queues.md', 'ledger-postgres.ts')) as {
    TABLE: string;
    postgresLedger(sql: Sql): Ledger;
  };
  const sql = startSqlite();
  ends.push(sql.close);
  await sql.query(block.TABLE);
  return block.postgresLedger(sql);
}

async function dynamoLedger(): Promise<Ledger> {
  const block = (await importBlock('docs/queues.md', 'ledger-dynamodb.ts')) as {
    dynamoLedger(table: unknown, name: string): Ledger;
  };
  return block.dynamoLedger(dynamoTable(), 'mail-ledger');
}

const ledgers: readonly [string, () => Promise<Ledger>, boolean][] = [
  ['in memory', async () => memoryLedger(), true],
  ['on DynamoDB', dynamoLedger, true],
  ['in SQL', postgresLedger, hasSqlite],
  ['on Redis', redisLedger, hasRedis],
];

describe.each(ledgers)('a ledger %s', (_, make, there) => {
  let ledger: Ledger;
  let count = 0;
  beforeAll(async () => {
    if (there) ledger = await make();
  });
  /** A message that was taken up. */
  const taken = async (): Promise<{ id: string; lease: string }> => {
    count += 1;
    const id = `m${count}`;
    const { lease = '' } = await ledger.take(id);
    expect(lease).not.toBe('');
    return { id, lease };
  };
  const test = it.skipIf(!there);

  test('has an open entry for a message that it does not know', async () => {
    const entry = await ledger.take('new');
    expect(entry).toEqual({ state: 'open', lease: expect.any(String), tries: 0 });
  });

  test('remembers what was sent, with the words of the server', async () => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    const sent = await ledger.settle(id, lease, 'sent', '250 queued as 17');
    expect(sent).toMatchObject({ state: 'sent', note: '250 queued as 17' });
    expect(await ledger.take(id)).toMatchObject({ state: 'sent', note: '250 queued as 17' });
  });

  test('holds a message whose worker was lost behind the last octet', async () => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    expect(await ledger.take(id)).toMatchObject({ state: 'held', note: /its worker was lost/ });
    expect(await ledger.take(id)).toMatchObject({ state: 'held' });
    await expect(ledger.sending(id, lease)).rejects.toThrow(id);
  });

  test('gives a message whose worker was lost before to the next', async () => {
    const { id, lease } = await taken();
    const { state, lease: next = '' } = await ledger.take(id);
    expect(state).toBe('open');
    expect(next).not.toBe(lease);
    await ledger.sending(id, next);
  });

  test('stops a worker whose message was given to another', async () => {
    const { id, lease } = await taken();
    const { lease: next = '' } = await ledger.take(id);
    await expect(ledger.sending(id, lease)).rejects.toThrow(id);
    for (const state of ['open', 'failed', 'held'] as const)
      expect(await ledger.settle(id, lease, state, 'no say')).toMatchObject({
        state: 'open',
        lease: next,
      });
    await ledger.sending(id, next);
    expect((await ledger.settle(id, lease, 'failed', 'no say')).state).toBe('sending');
  });

  test('believes whoever says that it was sent', async () => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    await ledger.take(id);
    expect(await ledger.settle(id, lease, 'sent', '250')).toMatchObject({ state: 'sent' });
    const other = await taken();
    const { lease: next = '' } = await ledger.take(other.id);
    expect((await ledger.settle(other.id, other.lease, 'sent', '250')).state).toBe('sent');
    await expect(ledger.sending(other.id, next)).rejects.toThrow(other.id);
  });

  test('counts how often a message was put back, and takes the lease away', async () => {
    const { id, lease } = await taken();
    const first = await ledger.settle(id, lease, 'open', '451');
    expect(first).toMatchObject({ state: 'open', tries: 1, note: '451' });
    expect(first.lease).toBeUndefined();
    await expect(ledger.sending(id, lease)).rejects.toThrow(id);
    const { lease: next = '' } = await ledger.take(id);
    await ledger.sending(id, next);
    expect(await ledger.settle(id, next, 'open', '451')).toMatchObject({ state: 'open', tries: 2 });
  });

  test('lets the last octet leave again for the same worker, whose pool has another connection', async () => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    await ledger.sending(id, lease);
    expect((await ledger.settle(id, lease, 'sent', '250')).state).toBe('sent');
  });

  test('holds what is unknown, and nothing that has not said sending', async () => {
    const { id, lease } = await taken();
    const open = await ledger.settle(id, lease, 'held', 'a bug');
    expect(open).toEqual({ state: 'open', note: 'a bug', tries: 1 });
    const other = await taken();
    await ledger.sending(other.id, other.lease);
    expect(await ledger.settle(other.id, other.lease, 'held', 'lost')).toMatchObject({
      state: 'held',
      note: 'lost',
    });
  });

  test('does not open what is held: the queue does not have it any more', async () => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    await ledger.take(id);
    expect(await ledger.settle(id, lease, 'open', '451')).toMatchObject({
      state: 'held',
      lease,
      tries: 0,
    });
    expect((await ledger.take(id)).state).toBe('held');
    expect((await ledger.settle(id, lease, 'failed', '550')).state).toBe('failed');
  });

  test.each(['sent', 'failed'] as const)('changes nothing of what is %s', async (state) => {
    const { id, lease } = await taken();
    await ledger.sending(id, lease);
    await ledger.settle(id, lease, state, 'so it is');
    for (const other of ['open', 'failed', 'held', 'sent'] as const)
      expect(await ledger.settle(id, lease, other, 'not so')).toMatchObject({
        state,
        note: 'so it is',
      });
    await expect(ledger.sending(id, lease)).rejects.toThrow(id);
  });

  test('says what the one in memory says, whatever it is asked', async () => {
    const operation = fc.record({
      what: fc.constantFrom<'take' | 'sending' | State>(
        ...(['take', 'take', 'sending', 'sending', 'open', 'held', 'sent', 'failed'] as const),
      ),
      /** Which of the leases that were given. */
      whose: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        count += 1;
        const id = `m${count}`;
        const model = memoryLedger();
        const [mine, its]: [string[], string[]] = [[], []];
        const about = ({ state, tries, lease }: Entry): string => `${state} ${tries} ${!!lease}`;
        // Nobody speaks of a message that was never taken up.
        for (const { what, whose } of [{ what: 'take', whose: 0 } as const, ...operations]) {
          const lease = mine.at(-1 - whose) ?? 'none';
          const other = its.at(-1 - whose) ?? 'none';
          const ask = async (of: Ledger, by: string): Promise<string> => {
            if (what === 'sending')
              return of.sending(id, by).then(
                () => 'may leave',
                () => 'may not leave',
              );
            if (what !== 'take') return about(await of.settle(id, by, what, 'a note'));
            const entry = await of.take(id);
            if (entry.state === 'open') (of === ledger ? mine : its).push(entry.lease ?? '');
            return about(entry);
          };
          expect(await ask(ledger, lease)).toBe(await ask(model, other));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('gives one lease at a time to many that ask at once', async () => {
    const id = 'wanted';
    const all = await Promise.all(Array.from({ length: 20 }, () => ledger.take(id)));
    const allowed = await Promise.allSettled(
      all.map(({ lease = '' }) => ledger.sending(id, lease)),
    );
    expect(allowed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe.skipIf(!hasRedis)('the ledger on Redis, for a human', () => {
  let ledger: RedisLedger;
  beforeAll(async () => {
    ledger = await redisLedger();
  });
  const held = async (id: string): Promise<void> => {
    const { lease = '' } = await ledger.take(id);
    await ledger.sending(id, lease);
    await ledger.take(id);
  };

  it('lists what is held, and nothing that is resolved', async () => {
    for (const id of ['a', 'b', 'c']) await held(id);
    const ids = async (): Promise<string[]> => (await ledger.held()).map(({ id }) => id);
    expect(await ids()).toEqual(['a', 'b', 'c']);
    expect(await ledger.resolve('a', 'sent', 'found it')).toBe(true);
    expect(await ledger.resolve('b', 'open', 'not there')).toBe(true);
    expect(await ids()).toEqual(['c']);
    expect((await ledger.take('a')).state).toBe('sent');
    expect((await ledger.take('b')).state).toBe('open');
  });

  it('resolves nothing that is not held, but opens what has failed', async () => {
    const { lease = '' } = await ledger.take('d');
    expect(await ledger.resolve('d', 'sent', 'no')).toBe(false);
    expect(await ledger.resolve('nobody', 'open', 'no')).toBe(false);
    await ledger.settle('d', lease, 'failed', '550');
    expect(await ledger.resolve('d', 'sent', 'no')).toBe(false);
    expect(await ledger.resolve('d', 'open', 'mended')).toBe(true);
    expect((await ledger.take('d')).state).toBe('open');
  });
});
