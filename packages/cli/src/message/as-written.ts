/** A message that is there already, as a letter: a file or a pipe, of which only the header section is ever changed. */
import { CliError } from '../cli-error.ts';
import {
  type Field,
  fieldValue,
  type Head,
  isUtf8,
  LARGEST_HEAD,
  parseHead,
  writeHead,
} from './head.ts';
import type { Letter } from './letter.ts';
import { createMeasure, type Measure, measureAll } from './measure.ts';
import type { Source } from './source.ts';

/** @throws CliError EX_DATAERR where there is no end to it */
export async function readHead(source: Source): Promise<Head> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  let next = 4_096;
  for await (const chunk of source.read()) {
    chunks.push(chunk);
    octets += chunk.length;
    // Looked at again when there is twice as much: so the time it takes is linear.
    if (octets < next) continue;
    const head = parseHead(Buffer.concat(chunks), octets === source.size);
    if (head) return head;
    if (octets > LARGEST_HEAD)
      throw new CliError(
        'DATAERR',
        `Cannot send ${source.name}: its header has more than ${LARGEST_HEAD} octets`,
      );
    next = Math.min(octets * 2, LARGEST_HEAD + 1);
  }
  return parseHead(Buffer.concat(chunks), true) as Head;
}

/** A message as it will go out. */
export interface Written {
  readonly source: Source;
  readonly head: Head;
  /** The fields that go out. */
  readonly fields: readonly Field[];
  readonly from: string;
  readonly to: readonly string[];
  /** Octets as they are, to servers that take them so (RFC 3030 §3). */
  readonly isBinary?: boolean;
  /** What is in place of the body. */
  readonly body?: Body;
  /** Whether UTF-8 in fields may go to servers without SMTPUTF8. */
  readonly drop?: boolean;
  readonly toCount?: number | undefined;
}

/** A body, and what it is on the wire. */
export interface Body {
  read(): AsyncIterable<Uint8Array>;
  readonly measure: Measure;
}

/** The body as it stands. */
export async function bodyOf(source: Source, { bodyAt }: Head): Promise<Body> {
  const read = (): AsyncIterable<Uint8Array> => source.read(bodyAt);
  return { read, measure: await measureAll(read()) };
}

/** @throws CliError EX_DATAERR for what no server takes */
export async function asWritten(written: Written): Promise<Letter> {
  const { source, head, fields, from, to, isBinary = false, drop = false } = written;
  const top = writeHead(fields);
  const body = written.body ?? (await bodyOf(source, head));
  const measuring = createMeasure();
  measuring.push(top);
  const upper = measuring.end();
  const refuse = (why: string): never => {
    throw new CliError('DATAERR', `Cannot send ${source.name}: ${why}`);
  };
  for (const field of fields)
    if (!drop && !isUtf8(field.raw))
      refuse(`its field ${field.name} is neither ASCII nor UTF-8: encode it (RFC 2047)`);
  if (!isBinary) {
    // Counted as the file has them.
    const before = head.isWhole ? head.line : head.line - 1;
    const nul = upper.nulLine ?? (body.measure.nulLine && before + body.measure.nulLine);
    if (nul) refuse(`line ${nul} holds a NUL, which only BINARYMIME carries`);
    const long = upper.longLine ?? body.measure.longLine;
    if (long)
      refuse(
        `line ${(upper.longLine ? 0 : before) + long.line} has ${long.octets} octets, and may have 998 (RFC 5321 §4.5.3.1.6)`,
      );
  }
  const count = isBinary ? 'raw' : 'octets';
  const size = upper[count] + body.measure[count];
  const isEightBit = upper.isEightBit || body.measure.isEightBit;
  // RFC 6532 §3: UTF-8 in a header is for servers that said SMTPUTF8.
  const needsUtf8 = fields.some(({ raw }) => /[^\0-\x7f]/.test(raw));
  const messageId = fields.find(({ name }) => name === 'message-id');
  return {
    from,
    to,
    size,
    messageId: messageId && fieldValue(messageId),
    toCount: written.toCount,
    content: (capabilities) => ({
      content: join(top, body),
      size,
      body: isBinary ? 'BINARYMIME' : isEightBit ? '8BITMIME' : '7BIT',
      smtpUtf8: needsUtf8 && (capabilities.has('SMTPUTF8') || !drop),
    }),
    close: () => source.close(),
  };
}

async function* join(top: Uint8Array, body: Body): AsyncGenerator<Uint8Array, void, undefined> {
  yield top;
  yield* body.read();
}
