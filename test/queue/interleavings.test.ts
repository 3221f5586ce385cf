/**
 * Orders of steps: workers that share a ledger and a server, and stop, or go on, after any step. Whatever the order, no message is
 * accepted twice, none is lost, and what is not known to be sent or refused is held.
 */
import type { OutgoingMessage, Receipt } from '@posthorn/core';
import { SmtpError } from '@posthorn/core';
import { compose } from '@posthorn/mime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importBlock } from '../document-blocks.ts';
import { dynamoTable } from './dynamo-table.ts';
import { deliver, type Ledger } from './example.ts';
import { memoryLedger } from './memory-ledger.ts';

const message = compose({ from: 'a@example.com', to: 'b@example.net', text: 'Hello\n' });

/** How the server takes a message, once for each time that its last octet arrives. */
type Mood = 'accept' | 'later' | 'refuse' | 'lose-accepted' | 'lose';

/** Steps wait here until the order has it that they are taken. */
class Steps {
  readonly #waiting: { readonly worker: number; readonly go: () => void }[] = [];
  /** Workers that were killed: no step of theirs is ever taken. */
  readonly killed = new Set<number>();

  get count(): number {
    return this.#waiting.filter(({ worker }) => !this.killed.has(worker)).length;
  }

  /** One step: it happens when it is taken, and its worker learns of it by a step of its own. */
  async take<T>(worker: number, act: () => T | Promise<T>): Promise<T> {
    await this.#wait(worker);
    const result = (async () => act())();
    result.catch(() => {});
    await this.#wait(worker);
    return result;
  }

  async go(at: number): Promise<void> {
    const alive = this.#waiting.filter(({ worker }) => !this.killed.has(worker));
    const step = alive[at % alive.length];
    if (!step) return;
    this.#waiting.splice(this.#waiting.indexOf(step), 1);
    step.go();
    // Whatever follows from it without a further step.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #wait(worker: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ worker, go });
    });
  }
}

function world(inner: Ledger, moods: readonly Mood[]) {
  const steps = new Steps();
  const accepted = new Map<string, number>();
  const refused = new Set<string>();
  let arrivals = 0;
  let workers = 0;
  /** What the queue still has; a job is out as often as the queue has given it. */
  const waiting: string[] = [];
  const out: { readonly id: string; readonly worker: number }[] = [];

  const sendOf =
    (worker: number, id: string) =>
    async ({ content }: OutgoingMessage): Promise<Receipt> => {
      const pieces = (content as () => AsyncIterable<Uint8Array>)();
      await steps.take(worker, () => {});
      for await (const _ of pieces);
      // The last octet leaves.
      const reply = await steps.take(worker, () => {
        const mood = moods[arrivals++ % moods.length];
        if (/accept/.test(mood ?? '')) accepted.set(id, (accepted.get(id) ?? 0) + 1);
        if (mood === 'refuse') refused.add(id);
        return mood;
      });
      const failure = (code: number, text: string) =>
        new SmtpError('ERR_SMTP_REPLY', text, {
          phase: 'final',
          delivery: 'rejected',
          reply: { code, lines: [text], text },
        });
      if (reply === 'later') throw failure(451, 'later');
      if (reply === 'refuse') throw failure(550, 'no');
      if (reply !== 'accept')
        throw new SmtpError('ERR_SMTP_CLOSED', 'lost', { phase: 'final', delivery: 'unknown' });
      const ok = { code: 250, lines: ['ok'], text: 'ok' };
      return { accepted: ['b@example.net'], rejected: [], reply: ok, octets: 1, roundTrips: 1 };
    };

  /** Gives a job to a new worker. */
  const give = (id: string): void => {
    workers += 1;
    const worker = workers;
    const ledger: Ledger = {
      take: (...args) => steps.take(worker, () => inner.take(...args)),
      sending: (...args) => steps.take(worker, () => inner.sending(...args)),
      settle: (...args) => steps.take(worker, () => inner.settle(...args)),
    };
    const job = { id, worker };
    out.push(job);
    const done = (again: boolean): void => {
      out.splice(out.indexOf(job), 1);
      // Who has lost its lock can tell the queue nothing: another one has the job.
      if (again && !out.some((other) => other.id === id) && !waiting.includes(id)) waiting.push(id);
    };
    const mail = { id, since: Date.now(), to: 'b@example.net', message: () => message };
    void deliver({ ledger, send: sendOf(worker, id) }, mail).then(
      ({ state }) => done(state === 'open'),
      () => done(true),
    );
  };

  return {
    steps,
    accepted,
    refused,
    waiting,
    out,
    give,
    /** A worker dies, and the queue finds out. */
    kill(at: number) {
      const job = out[at % out.length];
      if (!job) return;
      steps.killed.add(job.worker);
      out.splice(out.indexOf(job), 1);
      if (!out.some(({ id }) => id === job.id)) waiting.push(job.id);
    },
    /** A lock expires while its worker is alive: the queue gives the job once more. */
    expire(at: number) {
      const job = out[at % out.length];
      if (job && out.length < 12) give(job.id);
    },
  };
}

const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ what: fc.constant('step' as const), at: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('give' as const), at: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('kill' as const), at: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('expire' as const), at: fc.nat(50) }) },
);
const moods = fc.array(
  fc.constantFrom<Mood>('accept', 'accept', 'accept', 'later', 'refuse', 'lose-accepted', 'lose'),
  { minLength: 1, maxLength: 6 },
);
const IDS = ['m1', 'm2', 'm3'];

const { dynamoLedger } = (await importBlock('docs/queues.md', 'ledger-dynamodb.ts')) as {
  dynamoLedger(table: unknown, name: string): Ledger;
};
const ledgers: readonly [string, () => Ledger][] = [
  ['in memory', memoryLedger],
  ['on DynamoDB', () => dynamoLedger(dynamoTable(), 'mail-ledger')],
];

describe.each(ledgers)('Orders of steps, with a ledger %s', (_, make) => {
  it('no message is accepted twice, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 120 }), moods, async (events, server) => {
        const ledger = make();
        const { steps, accepted, refused, waiting, out, give, kill, expire } = world(
          ledger,
          // One that only ever says later would go on for ever.
          [...server, 'accept'],
        );
        waiting.push(...IDS);
        for (const { what, at } of events) {
          if (what === 'step') await steps.go(at);
          else if (what === 'kill') kill(at);
          else if (what === 'expire') expire(at);
          else if (waiting[0]) give(waiting.splice(at % waiting.length, 1)[0] as string);
        }
        // Then nothing more befalls anybody.
        for (let left = 5_000; left > 0 && (waiting[0] || out[0]); left -= 1) {
          const [next] = waiting.splice(0, 1);
          if (next) give(next);
          if (steps.count > 0) await steps.go(0);
        }
        expect([waiting, out]).toEqual([[], []]);
        const quiet =
          !events.some(({ what }) => /kill|expire/.test(what)) &&
          !server.some((mood) => mood.startsWith('lose'));
        for (const id of IDS) {
          const { state } = await ledger.take(id);
          const times = accepted.get(id) ?? 0;
          expect(times).toBeLessThanOrEqual(1);
          // Nothing is held without a reason.
          if (quiet) expect(state).not.toBe('held');
          if (state === 'sent') expect(times).toBe(1);
          else if (state === 'failed') expect([times, refused.has(id)]).toEqual([0, true]);
          else expect(state).toBe('held');
        }
      }),
      { numRuns: 150 },
    );
  });
});
