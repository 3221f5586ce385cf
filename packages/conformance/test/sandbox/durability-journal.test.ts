/** The journal on a disk, and the folder that it is in: what is written comes back, and what is damaged is told of. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DiskJournal, JournalError } from '../../src/sandbox/platform/disk-journal.ts';
import type { RecordKind } from '../../src/sandbox/platform/journal.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'posthorn journal '));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const fresh = (): string => mkdtempSync(join(root, 'data-'));

/** What is there when the folder is opened again. */
async function kept(data: string, ...kinds: RecordKind[]): Promise<unknown[]> {
  const journal = await DiskJournal.open(data);
  try {
    return kinds.map((kind) => [...journal.entries(kind)]);
  } finally {
    await journal.close();
  }
}

/** Writes records as they are, past the journal. */
async function write(folder: string, records: Record<string, string>): Promise<void> {
  const database = new ClassicLevel(folder);
  for (const [key, value] of Object.entries(records)) await database.put(key, value);
  await database.close();
}

const refusal = (data: string): Promise<unknown> =>
  DiskJournal.open(data).then(
    async (journal) => {
      await journal.close();
      return 'opened';
    },
    (error: unknown) => (error instanceof JournalError ? error.message : error),
  );

describe('DiskJournal', () => {
  test('gives back what was put, and not what was deleted, in the order of the keys', async () => {
    const data = join(fresh(), 'made', 'here');
    const journal = await DiskJournal.open(data);
    expect([...journal.entries('message')]).toEqual([]);
    const octets = Uint8Array.from({ length: 256 }, (_, at) => at);
    journal.put('message', 'b/1', { subject: 'Привет', lost: undefined, list: [null] });
    journal.put('raw', 'b/1', octets);
    journal.put('sender', 'b@example.com', 'second');
    journal.put('sender', 'a@example.com', 'first');
    journal.put('sender', 'c@example.com', 'gone');
    journal.put('hour', '1', 0);
    await journal.flush();
    journal.delete('sender', 'c@example.com');
    journal.put('hour', '1', { Sent: 1 });
    await journal.close();
    expect(await kept(data, 'message', 'raw', 'sender', 'hour', 'refusal')).toEqual([
      [['b/1', { subject: 'Привет', list: [null] }]],
      [['b/1', Buffer.from(octets)]],
      [
        ['a@example.com', 'first'],
        ['b@example.com', 'second'],
      ],
      [['1', { Sent: 1 }]],
      [],
    ]);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, 'database')).mode & 0o777).toBe(0o700);
  });

  test('writes a turn as one batch, and what comes meanwhile as the next, each synced', async () => {
    const data = fresh();
    const journal = await DiskJournal.open(data);
    const batches: [keys: string[], options: unknown][] = [];
    let [open, most] = [0, 0];
    const { batch } = ClassicLevel.prototype;
    vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(async function (
      this: ClassicLevel,
      ...args: unknown[]
    ) {
      const [changes, options] = args as [{ type: string; key: string }[], object];
      batches.push([changes.map(({ type, key }) => `${type} ${key}`), options]);
      open += 1;
      most = Math.max(most, open);
      await (batch as (...all: unknown[]) => Promise<void>).apply(this, args);
      open -= 1;
    } as never);
    journal.put('message', '1', 1);
    journal.put('raw', '1', Buffer.from('a'));
    journal.put('message', '1', 2);
    for (let count = 0; count < 20; count += 1) await Promise.resolve();
    journal.delete('sender', 'x');
    const first = journal.flush();
    // The batch has begun, and is not written.
    while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const key of ['1', '2', '3']) {
      journal.put('hour', key, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const second = journal.flush();
    await first;
    await second;
    await journal.flush();
    expect(batches[0]).toEqual([['put message/1', 'put raw/1', 'del sender/x'], { sync: true }]);
    expect(batches.slice(1).flatMap(([keys]) => keys)).toEqual([
      'put hour/1',
      'put hour/2',
      'put hour/3',
    ]);
    expect(batches.every(([, options]) => (options as { sync?: boolean }).sync)).toBe(true);
    expect(most).toBe(1);
    await journal.close();
    expect(await kept(data, 'message')).toEqual([[['1', 2]]]);
  });

  test('tells who flushes of a write that failed, until one works; then nothing is lost', async () => {
    const data = fresh();
    const journal = await DiskJournal.open(data);
    const full = new Error(`IO error: ${join(data, 'database')}/000005.log: No space left`);
    const spy = vi
      .spyOn(ClassicLevel.prototype, 'batch')
      .mockRejectedValue(full)
      .mockImplementationOnce((() => {
        // What is put while it fails is the later. Nobody waits for it: an unhandled rejection would fail the run.
        journal.put('hour', '1', 'late');
        journal.delete('hour', '3');
        return Promise.reject(full);
      }) as never);
    const why = 'Cannot write to the data folder: IO error: database/000005.log: No space left';
    journal.put('hour', '1', 'early');
    journal.put('hour', '2', 'stays');
    await expect(journal.flush()).rejects.toThrow(new JournalError(why));
    await vi.waitUntil(() => spy.mock.calls.length >= 2);
    await expect(journal.flush()).rejects.toThrow(why);
    spy.mockRestore();
    await journal.flush();
    await journal.flush();
    await journal.close();
    expect(await kept(data, 'hour')).toEqual([
      [
        ['1', 'late'],
        ['2', 'stays'],
      ],
    ]);
  });

  test('close() tells of a write that failed, and lets go of the folder', async () => {
    const data = fresh();
    const journal = await DiskJournal.open(data);
    const spy = vi.spyOn(ClassicLevel.prototype, 'batch').mockRejectedValue(new Error('full'));
    journal.put('hour', '1', 1);
    await expect(journal.close()).rejects.toThrow('Cannot write to the data folder: full');
    spy.mockRestore();
    journal.put('hour', '2', 1);
    await expect(journal.flush()).rejects.toThrow('it was closed');
    expect(await kept(data, 'hour')).toEqual([[]]);
  });

  test('deletes a message without its octets, and octets without their message', async () => {
    const data = fresh();
    const journal = await DiskJournal.open(data);
    journal.put('message', 'whole', 1);
    journal.put('raw', 'whole', Buffer.from('a'));
    journal.put('message', 'half', 1);
    journal.put('raw', 'other', Buffer.from('a'));
    await journal.close();
    const expected = [[['whole', 1]], [['whole', Buffer.from('a')]]];
    expect(await kept(data, 'message', 'raw')).toEqual(expected);
    const database = new ClassicLevel(join(data, 'database'));
    const keys = await database.keys().all();
    await database.close();
    expect(keys).toEqual(['format', 'message/whole', 'raw/whole']);
  });
});

describe('a folder that cannot be used', () => {
  test('another sandbox uses it', async () => {
    const data = fresh();
    const journal = await DiskJournal.open(data);
    expect(await refusal(data)).toBe(`Cannot use ${data}: another sandbox uses it`);
    await journal.close();
    expect(await refusal(data)).toBe('opened');
  });

  test('a newer version has written it', async () => {
    const data = fresh();
    await write(join(data, 'database'), { format: '2', 'message/1': '{}' });
    expect(await refusal(data)).toBe(
      `Cannot use ${data}: a newer version has written it (format 2; this one knows 1)`,
    );
  });

  test('it is the database of another program, or no database', async () => {
    const data = fresh();
    await write(join(data, 'database'), { user: '1' });
    expect(await refusal(data)).toBe(`Cannot use ${data}: its database is not a sandbox's`);
    const other = fresh();
    mkdirSync(join(other, 'database'));
    writeFileSync(join(other, 'database', 'table.frm'), '');
    expect(await refusal(other)).toBe(
      `Cannot use ${other}: ${join('database', 'table.frm')} in it is not of a sandbox's database`,
    );
    expect(existsSync(join(other, 'database', 'CURRENT'))).toBe(false);
  });

  test('it is a file', async () => {
    const data = join(fresh(), 'file');
    writeFileSync(data, '');
    expect(await refusal(data)).toMatch(/^Cannot use .*file: (ENOTDIR|EEXIST|ENOENT): /);
  });

  test('it is damaged', async () => {
    const data = fresh();
    expect(await refusal(data)).toBe('opened');
    writeFileSync(join(data, 'database', 'CURRENT'), 'MANIFEST-000099\n');
    expect(await refusal(data)).toMatch(
      /^Cannot use .*: its database cannot be read: .*database.MANIFEST-000099/,
    );
    const other = fresh();
    await write(join(other, 'database'), { format: '1', 'message/1': '{' });
    expect(await refusal(other)).toMatch(/^Cannot use .*: its database cannot be read: .*JSON/);
    // The lock is let go of: it can be looked at.
    await write(join(other, 'database'), { 'message/1': '{}' });
    expect(await refusal(other)).toBe('opened');
  });
});

test('a folder that cannot be made is told of, and not tried for ever', async () => {
  await expect(DiskJournal.open('/proc/posthorn/data')).rejects.toThrow(
    /^Cannot use \/proc\/posthorn\/data: /,
  );
});
