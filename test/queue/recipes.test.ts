/** The recipes of docs/queues.md for pg-boss and SQS, with stand-ins for both; and what the page says of BullMQ. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { importBlock } from '../document-blocks.ts';
import { root } from '../temporary-tree.ts';
import { deliver, type Ledger, type Mail, type Outcome } from './example.ts';
import { memoryLedger } from './memory-ledger.ts';

const spec = { from: 'a@example.com', to: 'b@example.net', text: 'Hello\n' };
const dataOf = (id: string) => ({ id, since: Date.now(), spec });
const again = (wait: number, slowDown = false): Outcome => ({ state: 'open', wait, slowDown });

type Deliver = (mail: Mail) => Promise<Outcome>;

/** Delivers each message as the script says, then sends it. */
function scripted(script: Record<string, (Outcome | Error)[]> = {}) {
  const asked: string[] = [];
  const run: Deliver = async ({ id }) => {
    asked.push(id);
    const next = script[id]?.shift() ?? { state: 'sent' as const };
    if (next instanceof Error) throw next;
    return next;
  };
  return { asked, run };
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2024-05-06T07:08:09Z'), toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('the mail of a job is composed with the same Message-ID and date each time', async () => {
  const { mailOf } = (await importBlock('docs/queues.md', 'mail.ts')) as {
    mailOf(data: object): Mail;
  };
  const data = dataOf('order-17');
  const mail = mailOf(JSON.parse(JSON.stringify(data)));
  expect(mail).toMatchObject({ id: 'order-17', since: data.since, to: 'b@example.net' });
  const text = await mail.message().text();
  expect(text).toContain('Message-ID: <order-17@mail.example.com>\r\n');
  expect(text).toContain('Date: Mon, 06 May 2024 07:08:09 +0000\r\n');
});

describe('pg-boss', () => {
  interface PgBoss {
    submit(boss: object, data: object): Promise<unknown>;
    work(boss: object, deliver: Deliver): Promise<void>;
    OPTIONS: object;
  }
  /** Jobs that wait, and the handler. */
  async function stage(run: Deliver) {
    const block = (await importBlock('docs/queues.md', 'pg-boss.ts')) as PgBoss;
    const jobs: { data: { id: string }; options: Record<string, unknown> }[] = [];
    let handler!: (jobs: object[]) => Promise<void>;
    const boss = {
      send: async (queue: string, data: { id: string }, options: Record<string, unknown>) => {
        expect(queue).toBe('mail');
        jobs.push({ data, options });
        return 'id';
      },
      work: async (_queue: string, _options: object, given: typeof handler) => {
        handler = given;
        return 'worker';
      },
    };
    await block.work(boss, run);
    return { block, boss, jobs, next: () => handler([jobs.shift() ?? {}]) };
  }

  it('ends the job of what is sent, held or failed', async () => {
    const { run } = scripted({ b: [{ state: 'held' }], c: [{ state: 'failed' }] });
    const { block, boss, jobs, next } = await stage(run);
    for (const id of ['a', 'b', 'c']) await block.submit(boss, dataOf(id));
    expect(jobs.map(({ options }) => options)).toEqual([1, 2, 3].map(() => block.OPTIONS));
    for (let at = 0; at < 3; at += 1) await next();
    expect(jobs).toEqual([]);
  });

  it('submits anew what is to come again, for later', async () => {
    const { run, asked } = scripted({ a: [again(60_500)] });
    const { block, boss, jobs, next } = await stage(run);
    await block.submit(boss, dataOf('a'));
    await next();
    expect(jobs).toMatchObject([
      { data: { id: 'a' }, options: { startAfter: 61, retryLimit: 1_000 } },
    ]);
    await next();
    expect(jobs).toEqual([]);
    expect(asked).toEqual(['a', 'a']);
  });

  it('sends nothing while it is to slow down', async () => {
    const { run, asked } = scripted({ a: [again(30_000, true)] });
    const { block, boss, jobs, next } = await stage(run);
    for (const id of ['a', 'b']) await block.submit(boss, dataOf(id));
    await next();
    vi.setSystemTime(Date.now() + 10_000);
    await next();
    expect(jobs).toMatchObject([
      { data: { id: 'a' }, options: { startAfter: 30 } },
      { data: { id: 'b' }, options: { startAfter: 20 } },
    ]);
    expect(asked).toEqual(['a']);
    vi.setSystemTime(Date.now() + 21_000);
    await next();
    await next();
    expect(asked).toEqual(['a', 'a', 'b']);
    expect(jobs).toEqual([]);
  });

  it('leaves to pg-boss what throws', async () => {
    const { run } = scripted({ a: [new Error('no database')] });
    const { block, boss, jobs, next } = await stage(run);
    await block.submit(boss, dataOf('a'));
    await expect(next()).rejects.toThrow('no database');
    expect(jobs).toEqual([]);
  });

  it('two jobs for one message send it once', async () => {
    const ledger: Ledger = memoryLedger();
    let sent = 0;
    const { block, boss, next } = await stage((mail) =>
      deliver(
        {
          ledger,
          async send({ content }) {
            for await (const _ of (content as () => AsyncIterable<Uint8Array>)());
            sent += 1;
            const reply = { code: 250, lines: ['ok'], text: 'ok' };
            return { accepted: [], rejected: [], reply, octets: 1, roundTrips: 1 };
          },
        },
        mail,
      ),
    );
    for (let at = 0; at < 2; at += 1) await block.submit(boss, dataOf('a'));
    await Promise.all([next(), next()].map((handled) => handled.catch(() => {})));
    expect(sent).toBeLessThanOrEqual(1);
    expect((await ledger.take('a')).state).toBe('sent');
  });
});

describe('SQS', () => {
  interface Block {
    handlerOf(
      deliver: Deliver,
      sqs: object,
      url: string,
    ): (event: object) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>;
  }
  const record = (id: string, group?: string) => ({
    messageId: `message-${id}`,
    receiptHandle: `handle-${id}`,
    body: JSON.stringify(dataOf(id)),
    attributes: { ...(group && { MessageGroupId: group }) },
  });
  async function stage(run: Deliver) {
    const { handlerOf } = (await importBlock('docs/queues.md', 'sqs.ts')) as Block;
    const visibility: Record<string, number> = {};
    const sqs = {
      async changeMessageVisibility(input: {
        QueueUrl: string;
        ReceiptHandle: string;
        VisibilityTimeout: number;
      }) {
        expect(input.QueueUrl).toBe('https://queue');
        visibility[input.ReceiptHandle] = input.VisibilityTimeout;
      },
    };
    const handler = handlerOf(run, sqs, 'https://queue');
    const handle = async (...Records: object[]): Promise<string[]> =>
      (await handler({ Records })).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    return { handle, visibility };
  }

  it('returns what comes again, and when, and nothing that is done with', async () => {
    const { run } = scripted({
      b: [again(90_500)],
      c: [{ state: 'held' }],
      d: [{ state: 'failed' }],
    });
    const { handle, visibility } = await stage(run);
    expect(await handle(...['a', 'b', 'c', 'd'].map((id) => record(id)))).toEqual(['message-b']);
    expect(visibility).toEqual({ 'handle-b': 91 });
  });

  it('returns what throws, as it is', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { run } = scripted({ a: [new Error('no database')] });
    const { handle, visibility } = await stage(run);
    expect(await handle(record('a'), record('b'))).toEqual(['message-a']);
    expect(visibility).toEqual({});
    expect(log).toHaveBeenCalledWith('no database');
  });

  it('keeps the order of a group, and lets the others go on', async () => {
    const { run, asked } = scripted({ b: [again(5_000)] });
    const { handle } = await stage(run);
    const batch = [record('a', 'x'), record('b', 'x'), record('c', 'x'), record('d', 'y')];
    expect(await handle(...batch)).toEqual(['message-b', 'message-c']);
    expect([...asked].sort()).toEqual(['a', 'b', 'd']);
  });

  it('sends nothing while it is to slow down, also in the next batch', async () => {
    const { run, asked } = scripted({ a: [again(30_000, true)] });
    const { handle, visibility } = await stage(run);
    expect(await handle(record('a'))).toEqual(['message-a']);
    expect(await handle(record('b'))).toEqual(['message-b']);
    expect(visibility).toEqual({ 'handle-a': 30, 'handle-b': 30 });
    expect(asked).toEqual(['a']);
    vi.setSystemTime(Date.now() + 30_001);
    expect(await handle(record('a'), record('b'))).toEqual([]);
  });

  it('hides nothing for longer than SQS can', async () => {
    const { run } = scripted({ a: [again(100 * 3_600_000)] });
    const { handle, visibility } = await stage(run);
    await handle(record('a'));
    expect(visibility['handle-a']).toBeLessThan(12 * 3_600);
  });
});

describe('docs/queues.md', () => {
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  const page = read('docs/queues.md');
  /** Without the spaces that formatting is free to choose. */
  const bare = (text: string): string => text.replace(/\s+/g, ' ');

  it('shows the processor as it is', () => {
    const [, shown = ''] = /^```\n(return async[\s\S]*?)^```/m.exec(page) ?? [];
    expect(shown).not.toBe('');
    expect(bare(read('examples/queue/processor.mjs'))).toContain(bare(shown).trim());
  });

  it('names settings as they are', () => {
    const settings = read('examples/queue/processor.mjs') + read('examples/queue/mail-job.mjs');
    for (const [name, value] of [
      ['maxStalledCount', '1_000'],
      ['lockDuration', '30_000'],
      ['stalledInterval', '15_000'],
      ['limiter', '{ max: 1_000, duration: 1_000 }'],
      ['attempts', '1_000'],
      ['removeOnFail', 'false'],
    ] as const) {
      expect(page).toContain(`\`${name}\``);
      expect(settings).toContain(`${name}: ${value},`);
    }
  });
});
