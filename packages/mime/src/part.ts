/**
 * A message as what it will be written as: header fields, and a body in pieces, some of which are made while they are sent.
 * Sizes are sums, and known wherever each piece knows its own.
 */
import type { TransferEncoding } from './encoding/text.ts';
import type { Deliver, Leaves } from './message.ts';
import type { Given } from './source.ts';

/** Octets, in order. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Octets that come while they are sent. */
export interface Source {
  /** Octets that it will give, where that is known. */
  readonly size: number | undefined;
  /** Whether it can be opened only once. */
  readonly once?: boolean | undefined;
  /** Gives the octets, each time anew. @throws MimeError `ERR_MIME_STREAM` where its source can be read only once, and was */
  open(): Chunks;
}

/** Text of the message as it is, or octets that come later. */
export type Piece = string | Source;

/** An entity (RFC 2045 §2.4) as it will be written: its header fields, each with its CRLF, and what stands behind the empty line. */
export type Entity = readonly [head: string, ...body: Piece[]];

/** What the entities of a message share while it is composed. */
export interface Context {
  /** Random: part of each boundary, and in no octets that are written as they are. */
  name: string;
  /** RFC 2045 §6.4: what holds 8bit or binary says so. The field with its CRLF, once there is such an entity. */
  up?: string;
  /** BODY of MAIL, once an entity asks for more than 7BIT. */
  body?: '8BITMIME' | 'BINARYMIME';
  /** Multiparts so far. */
  count: number;
  readonly transferEncoding?: TransferEncoding;
  /** What gives out messages with sources: it comes with them, and so is in no bundle without. */
  deliver?: Deliver;
}

/**
 * Another transfer encoding (RFC 2045 §6), imported where it is wanted: `asIs()`, `quotedPrintable`.
 *
 * @example
 * ```ts
 * import { compose, quotedPrintable, type TransferEncoder } from '@posthorn/mime';
 *
 * const transferEncoding: TransferEncoder = quotedPrintable;
 * const message = compose({ from: 'a@example.com', text: '=' }, { transferEncoding });
 * console.log((await message.text()).trimEnd().slice(-3)); // =3D
 * ```
 */
export interface TransferEncoder {
  /** Encodes a text with CRLF line ends, or leaves that to others. @internal */
  text?(canonical: string, context: Context): readonly [encoding: string, body: string] | undefined;
  /** Encodes content of any part; without it, others do. @internal */
  readonly content?: EncodeContent | undefined;
  /** Encodes content of a part that asks for it itself, or that nothing else may encode. @internal */
  readonly own?: EncodeContent;
}

/** Encodes content. @throws MimeError `ERR_MIME_CONTENT` where it cannot carry that */
export type EncodeContent = (
  given: Given,
  path: string,
  context: Context,
) => readonly [encoding: string, body: Piece];

/**
 * A part of a message (RFC 2045 §2.5), made by a function for its kind: `attachment()`, `part()`, `calendar()`, `report()`.
 *
 * @example
 * ```ts
 * import { type BodyPart, compose, part } from '@posthorn/mime';
 *
 * const parts: BodyPart[] = [part('text/plain', 'one'), part('text/plain', 'two')];
 * const message = compose({ from: 'a@example.com', body: part('multipart/digest', parts) });
 * console.log((await message.text()).includes('multipart/digest')); // true
 * ```
 */
export interface BodyPart {
  /** Media type with its parameters, as it was given. */
  readonly contentType: string;
  readonly filename: string | undefined;
  /** Octets before encoding, where they are known. */
  readonly size: number | undefined;
  /** Content-ID without angle brackets (RFC 2392). */
  readonly cid: string | undefined;
  /** How deep the parts within it are. @internal */
  readonly depth: number;
  /** @internal */
  render(context: Context, path: string): Entity;
  /** Puts all attachments of a message around or beside its texts. @internal */
  readonly arrange: Arrange;
}

/** Makes one entity of the texts of a message and its attachments. */
export type Arrange = (
  leaves: Leaves,
  attachments: readonly BodyPart[],
  context: Context,
) => readonly Entity[];

/**
 * Puts entities into a multipart (RFC 2046 §5.1); a single one stays as it is, and none is none.
 *
 * @param type - its subtype, perhaps with parameters
 * @param always - also one alone
 */
export function multipart(
  type: string,
  parts: readonly Entity[],
  context: Context,
  always?: boolean,
): readonly Entity[] {
  if (!parts[1] && !always) return parts;
  // No count with its `-` is the beginning of another, and so no boundary is.
  const boundary = `=_${++context.count}-${context.name}`;
  const pieces: Piece[] = [];
  for (const [head, ...body] of parts) pieces.push(`--${boundary}\r\n${head}\r\n`, ...body, '\r\n');
  return [
    [
      `Content-Type: multipart/${type};\r\n boundary="${boundary}"\r\n${context.up ?? ''}`,
      ...pieces,
      `--${boundary}--\r\n`,
    ],
  ];
}
