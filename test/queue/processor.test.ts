/** What a job of BullMQ holds, and what its processor says to the queue. */
import { compose } from '@posthorn/mime';
import { describe, expect, it, vi } from 'vitest';
import { type Delivery, type Entry, type Ledger, load, type Mail, type State } from './example.ts';
import { memoryLedger } from './memory-ledger.ts';

const { processorOf, WORKER_OPTIONS } = (await load('processor.mjs')) as {
  processorOf(
    queue: { rateLimit(ms: number): Promise<void> },
    delivery: Delivery,
  ): (job: object, token: string) => Promise<unknown>;
  WORKER_OPTIONS: Record<string, unknown>;
};
const { submit, mailOf, JOB_OPTIONS } = (await load('mail-job.mjs')) as {
  submit(queue: { add: (...args: unknown[]) => unknown }, id: string, spec: object): Promise<void>;
  mailOf(job: object): Mail;
  JOB_OPTIONS: Record<string, unknown>;
};

const spec = { from: 'Shop <shop@example.com>', to: 'b@example.net', text: 'Hello\n' };
const data = { ...spec, messageId: '<m1@example.com>', date: '2024-05-06T07:08:09.000Z' };

/** A job, and a queue, that tell what they were told; and a ledger that settles to what is wanted. */
function stage(entry: Partial<Entry> & { state: State }, slow = false) {
  const job = { id: 'm1', timestamp: Date.now(), data, moveToDelayed: vi.fn(async () => {}) };
  const queue = { rateLimit: vi.fn(async () => {}) };
  const inner = memoryLedger();
  const ledger: Ledger = { ...inner, settle: async () => ({ tries: 3, ...entry }) };
  const text = slow ? '4.3.2 Slow down' : '4.3.0 Later';
  const reply = { code: 451, lines: [text], text };
  const error = {
    name: 'SmtpError',
    message: 'no',
    delivery: 'rejected',
    retry: 'later',
    phase: 'rcpt',
    reply,
  };
  const processor = processorOf(queue, { ledger, send: () => Promise.reject(error) });
  return { job, queue, run: () => processor(job, 'token') };
}

describe('the processor', () => {
  it('returns what the server said of what is sent', async () => {
    const { run } = stage({ state: 'sent', note: 'queued' });
    expect(await run()).toBe('queued');
  });

  it.each(['failed', 'held'] as const)('fails what is %s, without another try', async (state) => {
    const { run, job } = stage({ state, note: 'the reason' });
    await expect(run()).rejects.toMatchObject({
      name: 'UnrecoverableError',
      message: `${state}: the reason`,
    });
    expect(job.moveToDelayed).not.toHaveBeenCalled();
  });

  it('delays what is to come again, with its lock', async () => {
    const { run, job, queue } = stage({ state: 'open' });
    const now = Date.now();
    await expect(run()).rejects.toMatchObject({ name: 'DelayedError' });
    const [[at, token] = []] = job.moveToDelayed.mock.calls as unknown as [number, string][];
    expect(token).toBe('token');
    expect((at ?? 0) - now).toBeGreaterThanOrEqual(60_000);
    expect(queue.rateLimit).not.toHaveBeenCalled();
  });

  it('pauses the whole queue where the server has too much', async () => {
    const { run, job, queue } = stage({ state: 'open' }, true);
    await expect(run()).rejects.toMatchObject({ name: 'RateLimitError' });
    expect(queue.rateLimit).toHaveBeenCalledWith(60_000);
    expect(job.moveToDelayed).not.toHaveBeenCalled();
  });

  it('pauses it for a quarter of an hour at the most', async () => {
    const { run, queue } = stage({ state: 'open', tries: 20 }, true);
    await expect(run()).rejects.toMatchObject({ name: 'RateLimitError' });
    expect(queue.rateLimit).toHaveBeenCalledWith(900_000);
  });

  it('has settings under which BullMQ neither fails a lost job nor overlooks a pause', () => {
    expect(WORKER_OPTIONS['maxStalledCount']).toBeGreaterThan(100);
    expect(WORKER_OPTIONS['limiter']).toBeTruthy();
    expect(JOB_OPTIONS['removeOnFail']).toBe(false);
    expect(JOB_OPTIONS['attempts']).toBeGreaterThan(100);
  });
});

describe('a job', () => {
  it('makes the same Message-ID and date each time that it is taken up', async () => {
    const add = vi.fn();
    await submit({ add }, 'order-17', spec);
    const [name, submitted, options] = add.mock.calls[0] ?? [];
    expect(name).toBe('mail');
    expect(options).toMatchObject({ jobId: 'order-17', ...JOB_OPTIONS });
    expect(submitted).toMatchObject({ ...spec, messageId: '<order-17@example.com>' });
    const job = { id: 'order-17', timestamp: 1, data: JSON.parse(JSON.stringify(submitted)) };
    const texts = [mailOf(job), mailOf(job)].map((mail) => mail.message().text());
    const [first = '', second] = await Promise.all(texts);
    expect(first).toBe(second);
    expect(first).toContain('\r\nMessage-ID: <order-17@example.com>\r\n');
    expect(mailOf(job)).toMatchObject({ id: 'order-17', since: 1, to: 'b@example.net' });
  });

  it.each(['', 'a b', 'a:b', '<a>', `${'a'.repeat(201)}`])('has no id %j', async (id) => {
    const add = vi.fn();
    await expect(submit({ add }, id, spec)).rejects.toThrow(TypeError);
    expect(add).not.toHaveBeenCalled();
  });

  it('is what compose() takes', () => {
    expect(mailOf({ id: 'm1', timestamp: 1, data }).message().messageId).toBe(
      compose({ ...spec, messageId: '<m1@example.com>' }).messageId,
    );
  });
});
