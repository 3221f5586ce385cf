/** Many clients at once, and many messages: all are taken, memory is bounded by what is kept, pages stay quick. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useBuilt } from '../built.ts';
import { type Dialogue, sleep } from '../dialogue.ts';
import { accepted, greeted, type Served, useServed } from './served.ts';

const built = useBuilt();
const serve = useServed(built);
/** V8 takes what it may before it clears away: with less to take, what is in use is what is needed. */
const serveInLittle = useServed(built, '--max-old-space-size=96');

const MiB = 1_048_576;
/** With 2 KB of text. */
const BODY = `${'Hello, this is a line of text that is long enough.\r\n'.repeat(38)}[Unsubscribe] [WebVersion]`;

/** Sends so many messages on each of so many connections: the ids of those that were accepted. */
async function flood(
  served: Served,
  connections: number,
  messages: number,
  body?: string,
): Promise<string[]> {
  const ids: string[] = [];
  const dialogues = await Promise.all(
    Array.from({ length: connections }, () => greeted(served.ready.smtp)),
  );
  await Promise.all(
    dialogues.map(async (dialogue: Dialogue, at) => {
      for (let count = 0; count < messages; count += 1) {
        const id = await accepted(dialogue, `reader-${at}-${count}@example.com`, body);
        if (id !== undefined) ids.push(id);
      }
    }),
  );
  for (const dialogue of dialogues) dialogue.destroy();
  return ids;
}

/** What of its memory is in use, in octets. */
function residentSet({ ready }: Served): number {
  const [, kB] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${ready.pid}/status`, 'utf8')) ?? [];
  return Number(kB) * 1_024;
}

async function page({ ready }: Served, path: string): Promise<{ text: string; ms: number }> {
  const begun = performance.now();
  const answer = await fetch(`${ready.url}${path}`, { headers: { 'accept-language': 'en' } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`);
  return { text, ms: performance.now() - begun };
}

/** The median time of a page, in ms. */
async function median(served: Served, path: string): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 15; count += 1) times.push((await page(served, path)).ms);
  return times.sort((a, b) => a - b)[7] ?? Infinity;
}

describe.skipIf(!process.env['LARGE'])('load', { timeout: 180_000 }, () => {
  test('200 connections at once, 5 messages each: all are accepted and listed', async () => {
    const served = await serve('--no-auth-required', '--retention', '2000');
    const ids = await flood(served, 200, 5);
    expect(ids).toHaveLength(1_000);
    const listed = new Set<string>();
    let before = '';
    for (let more = true; more; ) {
      const { text } = await page(served, `/api/messages?limit=100${before}`);
      const list = JSON.parse(text) as { messages: { id: string }[]; more: boolean };
      for (const { id } of list.messages) listed.add(id);
      before = `&before=${list.messages.at(-1)?.id}`;
      more = list.more;
    }
    expect(ids.filter((id) => !listed.has(id))).toEqual([]);
    served.kill('SIGTERM');
    expect(await served.ended).toBe(0);
  });

  test.skipIf(process.platform !== 'linux')(
    '10,000 messages of 2 KB, 1,000 of them kept: memory is bounded',
    async () => {
      const served = await serveInLittle('--no-auth-required', '--retention', '1000');
      // What is loaded and compiled once is no growth.
      await flood(served, 20, 5, BODY);
      const baseline = residentSet(served);
      let most = 0;
      for (let round = 0; round < 10; round += 1) {
        expect(await flood(served, 50, 20, BODY)).toHaveLength(1_000);
        most = Math.max(most, residentSet(served));
      }
      const growth = (most - baseline) / MiB;
      expect(growth).toBeLessThan(150);
      served.kill('SIGTERM');
      expect(await served.ended).toBe(0);
    },
  );

  test('with 10,000 messages kept, pages take less than 100 ms', async () => {
    const served = await serve('--no-auth-required', '--retention', '10000');
    const ids = await flood(served, 100, 100, BODY);
    expect(ids).toHaveLength(10_000);
    await sleep(500);
    const times: Record<string, number> = {};
    for (const path of ['/', `/messages/${ids[5_000]}`, '/statistics'])
      times[path.replace(/[\da-f-]{36}/, ':id')] = Math.round(await median(served, path));
    expect(Object.entries(times).filter(([, ms]) => ms >= 100)).toEqual([]);
    served.kill('SIGTERM');
    expect(await served.ended).toBe(0);
  });
});
