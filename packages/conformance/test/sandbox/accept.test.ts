/** What becomes of a message where the journal fails, or all is forgotten, while it is being taken. */
import { expect, test } from 'vitest';
import type { CapturedMessage } from '../../src/index.ts';
import { FORGETFUL, type Journal } from '../../src/sandbox/platform/journal.ts';
import { Platform } from '../../src/sandbox/platform/platform.ts';

const OPTIONS = {
  retention: 10,
  retentionOctets: 1_000,
  magic: true,
  deliver: 'auto',
  countRefused: true,
  confirmedSenders: [],
} as const;

const LETTER: Omit<CapturedMessage, 'token' | 'state' | 'events' | 'receivedAt'> = {
  id: 'one',
  from: 'a@example.com',
  to: ['b@example.com'],
  notSentTo: [],
  raw: new Uint8Array(3),
  size: 3,
  subject: undefined,
  text: 'a',
  html: undefined,
  headers: [],
  attachments: [],
  structure: {
    contentType: 'text/plain',
    charset: undefined,
    encoding: '7bit',
    disposition: undefined,
    filename: undefined,
    size: 1,
    isUtf8: true,
    text: 'a',
    children: [],
  },
  verdicts: [],
  secure: true,
  user: undefined,
  remoteAddress: '127.0.0.1',
  transcript: [],
};

/** A journal that tells what it holds, and whose flush is somebody else's. */
function held(flush: () => Promise<void>): Journal & { readonly keys: Map<string, unknown> } {
  const keys = new Map<string, unknown>();
  return {
    ...FORGETFUL,
    keys,
    put: (kind, key, value) => void keys.set(`${kind}/${key}`, structuredClone(value)),
    delete: (kind, key) => void keys.delete(`${kind}/${key}`),
    flush,
  };
}

test('a message that could not be written is not there, not even later', async () => {
  const journal = held(async () => {
    throw new Error('No space left');
  });
  const platform = new Platform(OPTIONS, journal);
  await expect(platform.accept(LETTER)).rejects.toThrow('No space left');
  expect(platform.inbox.messages).toEqual([]);
  expect([...journal.keys.keys()].filter((key) => /^(raw|message)/.test(key))).toEqual([]);
  expect(platform.statistics.counts().NotSent).toBe(0);
});

test('a reset while a message is written takes it along', async () => {
  let written = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    written = resolve;
  });
  let flushes = 0;
  const journal = held(() => (flushes++ === 0 ? waiting : Promise.resolve()));
  const platform = new Platform(OPTIONS, journal);
  const taking = platform.accept(LETTER);
  await platform.reset();
  written();
  await taking;
  expect(platform.inbox.messages).toEqual([]);
  expect(platform.record('one', 'OPENED')).toBeUndefined();
  expect(Object.values(platform.statistics.counts())).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect([...journal.keys.keys()].filter((key) => /^(raw|message)/.test(key))).toEqual([]);
});

test('what is kept comes back in the order in which it came, and is delivered where it was not', async () => {
  const journal = held(async () => {});
  const platform = new Platform(OPTIONS, journal);
  platform.clock.set(0);
  for (const id of ['c', 'a', 'b'])
    await platform.accept({
      ...LETTER,
      id,
      to: [id === 'b' ? 'open@example.com' : 'x@example.com'],
    });
  // The process ended right behind the 250 of this one.
  const { order: _order, ...kept } = journal.keys.get('message/b') as { readonly order: number };
  journal.keys.set('message/b', { ...kept, order: 3, waiting: true, state: 'NotSent', events: [] });
  const stored = JSON.parse(JSON.stringify(Object.fromEntries(journal.keys)));
  const raw = { c: LETTER.raw, a: LETTER.raw, b: LETTER.raw };
  const again = new Platform(OPTIONS, {
    ...journal,
    entries: <Value>(kind: string) =>
      (kind === 'raw'
        ? Object.entries(raw)
        : Object.entries(stored)
            .filter(([key]) => key.startsWith(`${kind}/`))
            .map(([key, value]) => [key.slice(kind.length + 1), value])) as [string, Value][],
  });
  expect(again.inbox.get('b')?.state).toBe('NotSent');
  again.resume();
  expect(again.inbox.messages.map(({ id, state }) => [id, state])).toEqual([
    ['c', 'Delivered'],
    ['a', 'Delivered'],
    ['b', 'Read'],
  ]);
  expect(again.events).toHaveLength(7);
});
