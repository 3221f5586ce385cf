/**
 * Octets that can be read more than once, at any place, and have a size: a file, or what came from a pipe and is kept. Nothing
 * of it is in memory as a whole, but for what is small.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { because, CliError } from '../cli-error.ts';
import type { Input, Surroundings } from '../surroundings.ts';

/** What a pipe gives is in memory as long as it is not larger. */
const IN_MEMORY = 1_048_576;
/** What is read at once: what a connection takes as one write. */
const BLOCK = 65_536;
/**
 * How long a pipe may be silent: a day. cron opens the pipe with the first octet that a job prints, and the job may then be
 * silent for hours.
 */
const INPUT_TIMEOUT = 86_400_000;

export interface Source {
  /** How it is called in errors. */
  readonly name: string;
  readonly size: number;
  /** Reads from a place to the end, again for each call. Chunks are not used again. */
  read(from?: number): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

/** What is needed to read standard input. */
export type SourceSurroundings = Pick<Surroundings, 'stdin' | 'signal' | 'temporary'>;

/**
 * Opens a file by its path, or standard input by `-`.
 *
 * @param timeout - how long a pipe may be silent, in ms
 * @throws CliError EX_NOINPUT, EX_IOERR; what the signal was aborted with
 */
export async function openSource(
  path: string,
  surroundings: SourceSurroundings,
  timeout?: number,
): Promise<Source> {
  if (path === '-')
    return keep(surroundings.stdin, { ...surroundings, name: 'standard input', timeout });
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new CliError('NOINPUT', `Cannot read ${path}: it is a folder`);
    if (stat.isFile())
      return fromHandle(handle, path, stat.size, () => (handle as FileHandle).close());
  } catch (error) {
    await handle?.close();
    if (error instanceof CliError) throw error;
    throw new CliError('NOINPUT', `Cannot read ${path}: ${because(error)}`, error);
  }
  // A pipe, as `<(…)` of a shell.
  return keep(handle.createReadStream(), { ...surroundings, name: path, timeout });
}

/** What is open stays what it is, also where its name is given to another file. */
function fromHandle(
  handle: FileHandle,
  name: string,
  size: number,
  close: () => Promise<void>,
): Source {
  return {
    name,
    size,
    close,
    async *read(from = 0) {
      for (let at = from; at < size; ) {
        const { bytesRead, buffer } = await handle
          .read(new Uint8Array(Math.min(BLOCK, size - at)), 0, null, at)
          .catch((error: unknown) => {
            throw new CliError('IOERR', `Cannot read ${name}: ${because(error)}`, error);
          });
        if (bytesRead === 0) throw new CliError('IOERR', `${name} was cut while it was read`);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    },
  };
}

interface KeepOptions extends Pick<Surroundings, 'signal' | 'temporary'> {
  readonly name: string;
  readonly timeout?: number | undefined;
}

/**
 * Keeps what comes: in memory, and from 1,048,576 octets on in a file without a name.
 *
 * @throws CliError EX_IOERR; what the signal was aborted with
 */
export async function keep(
  input: AsyncIterable<Uint8Array>,
  { name, signal, temporary, timeout = INPUT_TIMEOUT }: KeepOptions,
): Promise<Source> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let file: Source | undefined;
  let handle: FileHandle | undefined;
  let close = async (): Promise<void> => {};
  try {
    for await (const chunk of bounded(input, { name, signal, timeout })) {
      size += chunk.length;
      if (!handle && size <= IN_MEMORY) {
        chunks.push(chunk);
        continue;
      }
      if (!handle) {
        const path = join(temporary, `posthorn-${randomUUID()}`);
        handle = await open(path, 'wx+', 0o600);
        const kept = handle;
        // Where the system allows it, it has no name any more: so it cannot be left behind.
        const gone = await unlink(path).then(
          () => true,
          () => false,
        );
        close = async () => {
          await kept.close();
          if (!gone) await unlink(path).catch(() => {});
        };
        for (const before of chunks) await handle.appendFile(before);
        chunks = [];
      }
      await handle.appendFile(chunk);
    }
    if (handle) file = fromHandle(handle, name, size, close);
  } catch (error) {
    await close();
    if (error instanceof CliError || signal.aborted) throw error;
    throw new CliError('IOERR', `Cannot keep ${name}: ${because(error)}`, error);
  }
  if (file) return file;
  const octets = Buffer.concat(chunks);
  return {
    name,
    size,
    close,
    async *read(from = 0) {
      for (let at = from; at < size; at += BLOCK) yield octets.subarray(at, at + BLOCK);
    },
  };
}

/** Reads as long as something comes, and nobody says to stop. */
async function* bounded(
  input: Input | AsyncIterable<Uint8Array>,
  { name, signal, timeout }: { name: string; signal: AbortSignal; timeout: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = input[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let stop = (_error: Error): void => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  // It is waited for in races alone.
  stopped.catch(() => {});
  const onAbort = (): void => stop(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    for (;;) {
      timer = setTimeout(
        () =>
          stop(new CliError('IOERR', `Cannot go on: nothing came from ${name} for ${timeout} ms`)),
        timeout,
      );
      const { done, value } = await Promise.race([iterator.next(), stopped]);
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    // Not waited for: what is silent does not end either.
    void iterator.return?.().then(undefined, () => {});
  }
}
