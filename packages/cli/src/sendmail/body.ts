/** The body that goes out, and the fields that say what it is: left as it is, but for lines that no server takes. */
import { CliError } from '../cli-error.ts';
import { type Body, bodyOf } from '../message/as-written.ts';
import { canonical } from '../message/canonical.ts';
import { type Field, fieldValue, type Head, makeField } from '../message/head.ts';
import { measureAll } from '../message/measure.ts';
import type { Source } from '../message/source.ts';
import { base64Lines } from './base64-lines.ts';

/**
 * @returns the body that goes out, and the fields with those that have to say what it is
 */
export async function suitable(
  source: Source,
  head: Head,
  fields: readonly Field[],
): Promise<{ readonly fields: readonly Field[]; readonly body: Body }> {
  const body = await bodyOf(source, head);
  const { isEightBit, longLine } = body.measure;
  const value = (name: string): string | undefined => {
    const field = fields.find((one) => one.name === name);
    return field && fieldValue(field).toLowerCase();
  };
  const encoding = value('content-transfer-encoding');
  const type = value('content-type');
  const labelled = async (as: string): Promise<Field[]> => [
    ...fields.filter(({ name }) => name !== 'content-transfer-encoding'),
    ...(value('mime-version') === undefined ? [makeField('MIME-Version', '1.0')] : []),
    ...(type === undefined
      ? [makeField('Content-Type', `text/plain; charset=${await charsetOf(body)}`)]
      : []),
    makeField('Content-Transfer-Encoding', as),
  ];
  const isEncoded = encoding !== undefined && !/^(7bit|8bit|binary)$/.test(encoding);
  // What has parts cannot be encoded as a whole (RFC 2045 §6.4).
  const isWhole = !/^(multipart|message)\//.test(type ?? '');
  // HTML by PHP comes in one line often enough.
  if (longLine && isWhole && !isEncoded) {
    const read = (): AsyncIterable<Uint8Array> => base64Lines(canonical(body.read()));
    return { fields: await labelled('base64'), body: { read, measure: await measureAll(read()) } };
  }
  // RFC 2045 §6.1: what does not say so is 7bit.
  if (isEightBit && encoding === undefined) return { fields: await labelled('8bit'), body };
  return { fields, body };
}

/** RFC 1428 §3: what nobody knows is `unknown-8bit`. */
async function charsetOf({ read, measure }: Body): Promise<string> {
  if (!measure.isEightBit) return 'us-ascii';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of read()) decoder.decode(chunk, { stream: true });
    decoder.decode();
    return 'utf-8';
  } catch (error) {
    if (error instanceof CliError) throw error;
    return 'unknown-8bit';
  }
}
