/**
 * A journal in a folder, by LevelDB: a crash of the process loses nothing that `flush` has told of, and a crash of the
 * machine nothing that its disk has kept. Knows nothing of what it keeps, but that a message and its octets go together.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import type { ClassicLevel } from 'classic-level';
import type { Journal, RecordKind } from './journal.ts';

/** What is wrong with a folder of data, or with writing to it. Its message is a sentence for people. */
export class JournalError extends Error {
  override readonly name: string = 'JournalError';
}

/** The database's own folder in that of the data. */
const FOLDER = 'database';
/** Under which key the format's version is kept: no record has it, theirs have a slash. */
const FORMAT_KEY = 'format';
const FORMAT = 1;
/** What LevelDB puts into a folder. */
const OF_LEVELDB = /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/;

type Database = ClassicLevel<string, Uint8Array>;
type Loaded = Map<string, [key: string, value: unknown][]>;

export class DiskJournal implements Journal {
  readonly #folder: string;
  readonly #database: Database;
  readonly #loaded: Loaded;
  /** What the next batch writes, by its key in the database: undefined is deleted. */
  #changes = new Map<string, unknown>();
  /** The batch that takes what is put now; or where nothing was put since, the last. */
  #last: Promise<void> = Promise.resolve();
  /** Whether that one has not begun. */
  #coming = false;
  #failed = false;
  #closing: Promise<void> | undefined;

  /** @internal: open() makes it */
  constructor(folder: string, database: Database, loaded: Loaded) {
    this.#folder = folder;
    this.#database = database;
    this.#loaded = loaded;
  }

  /**
   * Opens the folder, which is made where it is not there, and reads all that it holds.
   *
   * @throws JournalError where another sandbox uses it, it is damaged, not a sandbox's, or of a newer version
   */
  static async open(data: string): Promise<DiskJournal> {
    const folder = join(data, FOLDER);
    const database = await openDatabase(data, folder);
    try {
      const { loaded, lost } = await load(data, database);
      const journal = new DiskJournal(folder, database, loaded);
      for (const key of lost) journal.#change(key, undefined);
      await journal.flush();
      return journal;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Each kind is given out once: what was read is not kept here beside. */
  entries<Value>(kind: RecordKind): Iterable<readonly [key: string, value: Value]> {
    const found = this.#loaded.get(kind) ?? [];
    this.#loaded.delete(kind);
    return found as [string, Value][];
  }

  put(kind: RecordKind, key: string, value: unknown): void {
    this.#change(`${kind}/${key}`, value);
  }

  delete(kind: RecordKind, key: string): void {
    this.#change(`${kind}/${key}`, undefined);
  }

  /** @throws JournalError where it could not be written. It is kept, and written before all that comes, where that can be */
  flush(): Promise<void> {
    return this.#closing === undefined
      ? this.#written()
      : Promise.reject(new JournalError('Cannot write to the data folder: it was closed'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#written().finally(() => this.#database.close());
    return this.#closing;
  }

  #written(): Promise<void> {
    return this.#changes.size > 0 ? this.#batch() : this.#last;
  }

  #change(key: string, value: unknown): void {
    if (this.#closing) return;
    this.#changes.set(key, value);
    void this.#batch();
  }

  /** The next batch: all that is put in this turn of the event loop, and while the batch before it is written. */
  #batch(): Promise<void> {
    if (this.#coming) return this.#last;
    this.#coming = true;
    this.#last = this.#write(this.#last);
    // Who flushes is told; who does not, is not interested.
    this.#last.catch(() => {});
    return this.#last;
  }

  async #write(before: Promise<void>): Promise<void> {
    await before.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    this.#coming = false;
    const changes = this.#changes;
    this.#changes = new Map();
    try {
      // LevelDB would write behind the remains of a batch that failed, and could not read it then.
      if (this.#failed) {
        await this.#database.close();
        await this.#database.open();
      }
      await this.#database.batch(
        [...changes].map(([key, value]) =>
          value === undefined
            ? { type: 'del' as const, key }
            : { type: 'put' as const, key, value: octetsOf(value) },
        ),
        { sync: true },
      );
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      // What has been put since is the later.
      this.#changes = new Map([...changes, ...this.#changes]);
      throw new JournalError(`Cannot write to the data folder: ${why(error, this.#folder)}`);
    }
  }
}

async function openDatabase(data: string, folder: string): Promise<Database> {
  const refused = (because: string): JournalError =>
    new JournalError(`Cannot use ${data}: ${because}`);
  try {
    await makeFolder(folder);
    const foreign = (await readdir(folder)).find((name) => !OF_LEVELDB.test(name));
    if (foreign !== undefined)
      throw refused(`${join(FOLDER, foreign)} in it is not of a sandbox's database`);
  } catch (error) {
    throw error instanceof JournalError ? error : refused(why(error, folder));
  }
  // Loaded where it is used: it is a binary.
  const { ClassicLevel } = await import('classic-level').catch((error: unknown) => {
    throw refused(`the database cannot be loaded: ${why(error, folder)}`);
  });
  const database = new ClassicLevel<string, Uint8Array>(folder, { valueEncoding: 'view' });
  try {
    await database.open();
  } catch (error) {
    const isLocked = codeOf(error instanceof Error ? error.cause : error) === 'LEVEL_LOCKED';
    throw refused(
      isLocked ? 'another sandbox uses it' : `its database cannot be read: ${why(error, folder)}`,
    );
  }
  return database;
}

/** Node's own `recursive` does not end where nothing can be made, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path) throw error;
    await makeFolder(above);
    await mkdir(path, { mode: 0o700 });
  }
}

/** Reads all; `lost` are keys of messages and octets of which the other half is not there. */
async function load(
  data: string,
  database: Database,
): Promise<{ loaded: Loaded; lost: readonly string[] }> {
  const refused = (because: string): JournalError =>
    new JournalError(`Cannot use ${data}: ${because}`);
  const loaded: Loaded = new Map();
  const lost: string[] = [];
  let version: unknown;
  let isEmpty = true;
  const messages = new Set<string>();
  const raws: [string, unknown][] = [];
  loaded.set('raw', raws);
  try {
    for await (const [name, octets] of database.iterator()) {
      isEmpty = false;
      const slash = name.indexOf('/');
      if (name === FORMAT_KEY) version = parsed(octets);
      if (slash < 0) continue;
      const [kind, key] = [name.slice(0, slash), name.slice(slash + 1)];
      if (kind === 'raw') {
        // Keys come in their order: messages before octets.
        if (messages.delete(key)) raws.push([key, octets]);
        else lost.push(name);
        continue;
      }
      if (kind === 'message') messages.add(key);
      const entries = loaded.get(kind) ?? [];
      loaded.set(kind, entries);
      entries.push([key, parsed(octets)]);
    }
  } catch (error) {
    throw refused(`its database cannot be read: ${why(error, database.location)}`);
  }
  if (isEmpty)
    await database.put(FORMAT_KEY, octetsOf(FORMAT), { sync: true }).catch((error: unknown) => {
      throw refused(why(error, database.location));
    });
  else if (typeof version !== 'number') throw refused("its database is not a sandbox's");
  else if (version > FORMAT)
    throw refused(`a newer version has written it (format ${version}; this one knows ${FORMAT})`);
  for (const id of messages) lost.push(`message/${id}`);
  const whole = (loaded.get('message') ?? []).filter(([id]) => !messages.has(id));
  if (whole.length > 0) loaded.set('message', whole);
  else loaded.delete('message');
  return { loaded, lost };
}

function octetsOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
}

function parsed(octets: Uint8Array): unknown {
  return JSON.parse(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString());
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** In the system's or the database's words, which name files by their whole paths. */
function why(error: unknown, folder: string): string {
  const { cause } = error instanceof Error ? error : {};
  const told = cause instanceof Error ? cause : error;
  const text = told instanceof Error ? told.message : inspect(told);
  return text.replaceAll(folder, FOLDER);
}
