/** Content in the forms that nodemailer takes: text, octets, streams, files, `data:` URIs. The only place that opens files. */
import { createReadStream, promises } from 'node:fs';
import { Readable } from 'node:stream';
import type { Content } from '@posthorn/mime';
import { problem } from './error.ts';

/** What may be opened. */
export interface Policy {
  readonly disableFileAccess?: boolean | undefined;
  /** Streams are read into memory. */
  readonly whole?: boolean;
}

/** Content that can be read. */
export interface Loaded {
  readonly content: Content;
  /** What a `data:` URI says of it. */
  readonly contentType?: string;
}

/** Whether something is said of the content, too. */
export const isContentObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' &&
  !isStream(given) &&
  ['content', 'path', 'href', 'raw'].some((key) => key in Object(given));

/** Whether it is read, and only once. */
export const isStream = (given: unknown): given is Readable =>
  typeof (given as Readable)?.pipe === 'function' || Symbol.asyncIterator in Object(given);

/**
 * Finds out what there is to read, and reads nothing but the size of a file.
 *
 * @param what - how errors name it
 * @throws NodemailerError `ESTREAM` where it cannot be read, or may not be; what the system says of a file
 */
export async function load(given: unknown, what: string, policy: Policy): Promise<Loaded> {
  if (given instanceof Uint8Array || given instanceof Blob) return { content: given };
  if (isStream(given)) return { content: { stream: octetsOf(given, what) } };
  if (typeof given !== 'object' || !given) return { content: `${given || ''}` };
  const { content, path, href, encoding = 'utf8' } = given as Record<string, unknown>;
  const place = (path || href) as string | undefined;
  if (/^data:/i.test(`${place}`)) return dataOf(place as string, what);
  if (href || /^https?:/i.test(`${place}`))
    throw denied('EURLACCESS', what, `nothing is fetched from ${place}, give its content`);
  if (!place)
    return typeof content === 'string' && !/^(utf-?8|(us-?)?ascii)$/i.test(`${encoding}`)
      ? { content: Buffer.from(content, encoding as BufferEncoding) }
      : load(content, what, policy);
  if (policy.disableFileAccess)
    throw denied('EFILEACCESS', what, `disableFileAccess is set, and it is ${place}`);
  const stats = await promises.stat(place);
  return {
    content: {
      stream: () => createReadStream(place),
      ...(stats.isFile() && { size: stats.size }),
    },
  };
}

/** All of it: text where it was given as text. */
export async function resolve({ content }: Loaded): Promise<string | Buffer> {
  if (typeof content === 'string') return content;
  const chunks: Uint8Array[] = [];
  if (content instanceof Uint8Array) chunks.push(content);
  else {
    const { stream } = content as { stream: unknown };
    const source = typeof stream === 'function' ? (content as Blob).stream() : stream;
    for await (const chunk of source as AsyncIterable<Uint8Array>) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const denied = (originalCode: string, what: string, why: string): Error =>
  problem('ESTREAM', `Cannot use ${what}: ${why}`, { originalCode });

/** The octets of a stream, whatever kind it is. One that fails before it is read is told of then, too. */
function octetsOf(stream: Readable, what: string): AsyncIterable<Uint8Array> {
  // One that has come to its end gives nothing, and would be an empty file.
  if (stream.readableEnded || (stream.destroyed && !stream.errored))
    throw problem('ESTREAM', `Cannot use ${what}: it was read or destroyed already`);
  stream.on?.('error', () => {});
  const source = Symbol.asyncIterator in stream ? stream : new Readable().wrap(stream);
  return (async function* octets() {
    for await (const chunk of source) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  })();
}

/** A text without its percent signs; as it is where they were never meant so. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 2397. */
function dataOf(uri: string, what: string): Loaded {
  const [head = '', data] = uri.split(/,(.*)/s);
  const [type, ...parameters] = head.slice(5).split(';');
  if (data === undefined) throw problem('ESTREAM', `Cannot use ${what}: it is no data: URI`);
  const isBase64 = /^base64$/i.test(`${parameters.at(-1)}`.trim());
  return {
    content: isBase64 ? Buffer.from(data, 'base64') : Buffer.from(decoded(data)),
    contentType: type || 'application/octet-stream',
  };
}
