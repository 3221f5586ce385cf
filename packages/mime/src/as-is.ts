/** asIs(): content that no transfer encoding changes (RFC 2045 §6.2), as far as the server takes it. In no bundle that does not import it. */
import { type Rank, ranker } from './encoding/rank.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import type { Context, EncodeContent, TransferEncoder } from './part.ts';
import { encodedSource } from './source.ts';

const LABELS = ['7bit', '8bit', 'binary'] as const;

function holds(octets: Uint8Array, text: string): boolean {
  const sought = utf8.encode(text);
  let at = -1;
  do at = octets.indexOf(sought[0] as number, at + 1);
  while (at >= 0 && !sought.every((octet, index) => octet === octets[at + index]));
  return at >= 0;
}

/**
 * Leaves content as it is (RFC 2045 §6.2): `7bit`, or `8bit` where the server offers 8BITMIME (RFC 6152), or `binary` where
 * it offers BINARYMIME (RFC 3030 §3), whichever is the least that carries it. `body` of the message then says it to the server.
 *
 * As an option of `compose()` it is for all parts that have none of their own: a text that cannot go as it is is encoded as
 * without it; attachments go as they are with BINARYMIME, else in base64. So it is with `attachment()` too.
 *
 * As an option of `part()` it is for that part, which is never encoded. Octets in memory are looked at when the message is
 * composed; a stream or Blob is taken for the most that is allowed, and looked at while it is sent.
 *
 * 8bit is a choice because a relay that has to encode it breaks DKIM signatures (RFC 6376 §5.3).
 *
 * @param capabilities - of the server: `client.capabilities` of `@posthorn/core`. Default: none, so only what is `7bit`
 * @returns a transfer encoding; with it `compose()` throws MimeError `ERR_MIME_CONTENT` for a `part()` that the server cannot
 * take, and the message `ERR_MIME_STREAM` before it gives out octets that its label does not allow
 *
 * @example
 * ```ts
 * import { asIs, compose } from '@posthorn/mime';
 *
 * const capabilities = new Set(['8BITMIME']); // client.capabilities
 * const transferEncoding = asIs(capabilities);
 * const message = compose({ from: 'a@example.com', text: 'Grüße' }, { transferEncoding });
 * console.log(message.body, (await message.text()).trimEnd().slice(-5)); // 8BITMIME Grüße
 * ```
 */
export function asIs(capabilities?: { has(keyword: string): boolean }): TransferEncoder {
  const eightBit = capabilities?.has('8BITMIME');
  const binary = capabilities?.has('BINARYMIME');
  const highest: Rank = binary ? 2 : eightBit ? 1 : 0;

  /** The rank of octets in memory. If they can go, no boundary is in them: each has the name of the message in it. */
  const rankOf = (octets: Uint8Array, context: Context): Rank => {
    const rank = ranker()(octets, true);
    if (rank <= highest) while (holds(octets, context.name)) context.name = `x${context.name}`;
    return rank;
  };

  /** The label, which what is around it has to have as well (RFC 2045 §6.4), and the server has to know. */
  const label = (rank: Rank, context: Context): string => {
    if (rank > 1 || (rank && !context.body)) {
      context.up = `Content-Transfer-Encoding: ${LABELS[rank]}\r\n`;
      context.body = rank > 1 || !eightBit ? 'BINARYMIME' : '8BITMIME';
    }
    return LABELS[rank];
  };

  const own: EncodeContent = (given, path, context) => {
    const rank = given.octets ? rankOf(given.octets, context) : highest;
    if (rank > highest)
      refuse(
        'ERR_MIME_CONTENT',
        path,
        `${LABELS[rank]} content`,
        `needs asIs() with ${rank > 1 ? 'BINARYMIME' : '8BITMIME'}`,
      );
    const source = encodedSource(given, path, given.size, () => {
      const rankSoFar = ranker();
      return (octets, last) => {
        if (rank < 2 && rankSoFar(octets, last) > rank)
          refuse('ERR_MIME_STREAM', path, 'a stream', `not ${LABELS[rank]}`);
        // The window is used again.
        return octets.slice();
      };
    });
    return [label(rank, context), source];
  };

  return {
    text(canonical, context) {
      const rank = rankOf(utf8.encode(canonical), context);
      return rank > highest ? undefined : [label(rank, context), canonical];
    },
    content: binary ? own : undefined,
    own,
  };
}
