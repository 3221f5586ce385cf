/** What several tests share: fixed chance and time, two parsers from elsewhere, and ways to catch an error. */
import PostalMime, { type Email } from 'postal-mime';
import { expect } from 'vitest';
import {
  type ComposeOptions,
  compose,
  type Message,
  type MessageSpec,
  MimeError,
  type MimeErrorCode,
} from '../src/index.ts';
import { type Entity, readMessage } from './reader.ts';

/** 0, 1, 2 …: the same each time it is asked. */
export const counting = (octets: number): Uint8Array =>
  Uint8Array.from({ length: octets }, (_, at) => at);

export const FIXED: ComposeOptions = {
  random: counting,
  now: () => new Date('2024-01-02T03:04:05Z'),
};

/** What most tests do not care about. */
export const PLAIN: MessageSpec = { from: 'a@example.com', to: 'b@example.net' };

export function composed(spec: Partial<MessageSpec> = {}, options: ComposeOptions = {}): Message {
  return compose({ ...PLAIN, ...spec }, { ...FIXED, ...options });
}

/** Composes, and reads with the strict reader. */
export async function read(
  spec: Partial<MessageSpec> = {},
  options: ComposeOptions = {},
): Promise<Entity> {
  const message = composed(spec, options);
  return readMessage(await message.bytes(), { utf8: message.smtpUtf8, body: message.body });
}

export function parse(octets: Uint8Array): Promise<Email> {
  return PostalMime.parse(octets);
}

/** The error is a MimeError that says what and where. */
export function expectMimeError(error: unknown, code?: MimeErrorCode, path?: string): void {
  expect(error).toBeInstanceOf(MimeError);
  const { code: gotCode, path: gotPath, message, name } = error as MimeError;
  expect(name).toBe('MimeError');
  expect(message).not.toBe('');
  if (code !== undefined && path !== undefined)
    expect({ code: gotCode, path: gotPath }).toEqual({ code, path });
  else {
    expect(gotCode).toMatch(/^ERR_MIME_[A-Z_]+$/);
    expect(gotPath).not.toBe('');
  }
}

/** What is thrown; fails when nothing is. */
export function thrownBy(work: () => unknown): unknown {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    return error;
  }
  return expect.fail(`nothing was thrown, but ${typeof result} returned`);
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was rejected');
}

/** Refused: compose throws that, and so nothing comes out. */
export function expectRefused(
  spec: Partial<MessageSpec>,
  code: MimeErrorCode,
  path: string,
  options: ComposeOptions = {},
): void {
  expectMimeError(
    thrownBy(() => composed(spec, options)),
    code,
    path,
  );
}

/** A source that gives its chunks and counts how it is used. */
export interface Watched {
  readonly pulled: () => number;
  readonly opened: () => number;
  readonly released: () => number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

export function watched(chunks: Iterable<Uint8Array>): Watched {
  let pulled = 0;
  let opened = 0;
  let released = 0;
  return {
    pulled: () => pulled,
    opened: () => opened,
    released: () => released,
    open: () =>
      (async function* () {
        opened += 1;
        try {
          for (const chunk of chunks) {
            pulled += 1;
            yield chunk;
          }
        } finally {
          released += 1;
        }
      })(),
  };
}

/** Cuts octets into chunks of these sizes, in turn. */
export function cut(octets: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < octets.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(octets.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
