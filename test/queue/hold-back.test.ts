/** holdBack(): the server does not have the last octet before allow() has resolved, by DATA and BDAT, of whatever size. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@posthorn/core';
import { createPool } from '@posthorn/core/pool';
import { attachment, compose, type Message } from '@posthorn/mime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { holdBack } from './example.ts';
import { startWatchedServer, type WatchedServer } from './watched-server.ts';

const envelope = { from: 'a@example.com', to: 'b@example.net', subject: 'Held back' };
const BLOCK = 65_536;

/** A message of exactly so many octets. */
function ofSize(octets: number): Message {
  const empty = compose({ ...envelope, text: 'x\n' });
  const more = octets - (empty.size ?? 0);
  const lines = `${'y'.repeat(70)}\n`.repeat(Math.floor(more / 72));
  const rest = more % 72;
  return compose({ ...envelope, text: `x${'z'.repeat(rest)}\n${lines}` });
}

const streamed = (): Message =>
  compose({
    ...envelope,
    attachments: [
      attachment('a.bin', {
        stream: async function* () {
          for (let count = 0; count < 3; count += 1) yield new Uint8Array(50_000).fill(count);
        },
      }),
    ],
  });

const messages: readonly [string, () => Message, boolean][] = [
  ['small', () => compose({ ...envelope, text: '.dots\n..\n.\n' }), true],
  ['of one block', () => ofSize(BLOCK), true],
  ['of two blocks', () => ofSize(2 * BLOCK), true],
  ['large', () => compose({ ...envelope, text: 'line of text\n'.repeat(30_000) }), true],
  ['of unknown size', streamed, false],
];

let server: WatchedServer;
afterEach(() => server.close());

describe.each([
  ['DATA', false],
  ['BDAT', true],
])('by %s', (_, chunking) => {
  describe.each(messages)('a message, %s', (_name, make, known) => {
    it('is whole at the server behind allow(), and not before', async () => {
      server = await startWatchedServer(chunking);
      const client = await connect({ host: '127.0.0.1', port: server.port, tls: 'off' });
      const message = make();
      expect(message.size !== undefined).toBe(known);
      let asked = 0;
      const most = (message.size ?? 200_000) - 2 * BLOCK;
      const receipt = await client.send(
        holdBack(message, async () => {
          asked += 1;
          // As late as can be: the recipient is accepted, and all but the last blocks are there or come.
          expect(server.recipients).toBe(1);
          await vi.waitFor(() => expect(server.pending).toBeGreaterThanOrEqual(most), 5_000);
          // What has left by now has arrived.
          await sleep(60);
          expect(server.messages).toEqual([]);
        }),
      );
      expect(asked).toBe(1);
      expect(server.messages).toHaveLength(1);
      expect(server.messages[0]).toHaveLength(receipt.octets);
      if (known) expect(server.messages[0]).toBe(await message.text());
      await client.close();
    });

    it('is never whole where allow() rejects', async () => {
      server = await startWatchedServer(chunking);
      const client = await connect({ host: '127.0.0.1', port: server.port, tls: 'off' });
      const cause = new Error('the ledger says no');
      const sent = client.send(holdBack(make(), () => Promise.reject(cause)));
      await expect(sent).rejects.toMatchObject({
        code: 'ERR_SMTP_CONTENT',
        delivery: 'not-sent',
        cause,
      });
      await client.closed;
      await sleep(20);
      expect(server.messages).toEqual([]);
    });
  });

  it.each(['flight', 'overlap'] as const)(
    'each of many in a pool waits, %s',
    async (pipelining) => {
      server = await startWatchedServer(chunking);
      const pool = createPool({
        host: '127.0.0.1',
        port: server.port,
        tls: 'off',
        pipelining,
        maxConnections: 2,
      });
      const early: string[] = [];
      await Promise.all(
        Array.from({ length: 12 }, (_, at) => {
          const text = `number ${at}.\n`;
          const allow = async (): Promise<void> => {
            await sleep(5);
            if (server.messages.some((message) => message.includes(text.trim()))) early.push(text);
          };
          return pool.send(holdBack(compose({ ...envelope, text }), allow));
        }),
      );
      await pool.close();
      expect(early).toEqual([]);
      expect(server.messages).toHaveLength(12);
    },
  );
});
