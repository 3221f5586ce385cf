/** asIs(): content that no transfer encoding changes (RFC 2045 §6.2), as far as the server takes it. In no bundle that does not import it. */
import { ranker } from './encoding/rank.ts';
import { utf8 } from './encoding/utf-8.ts';
import { refuse } from './errors.ts';
import type { Context, EncodeContent, TransferEncoder } from './part.ts';
import { encodedSource } from './source.ts';

const LABELS = ['7bit', '8bit', 'binary'] as const;

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
  const highest = capabilities?.has('BINARYMIME') ? 2 : eightBit ? 1 : 0;

  /** The label for octets in memory, or for a stream; none where they cannot go. The message is made to fit it. */
  const label = (
    octets: Uint8Array | undefined,
    context: Context,
  ): (typeof LABELS)[number] | undefined => {
    const rank = octets ? ranker()(octets, true) : highest;
    if (rank > highest) return undefined;
    // Each boundary has `-` and the name of the message in it: so none is in the octets. A name may be empty.
    const text = new TextDecoder().decode(octets);
    while (text.includes(`-${context.name}`)) context.name = `x${context.name}`;
    // What is around it has to have the label as well (RFC 2045 §6.4), and the server has to know.
    if (rank > 1 || (rank && !context.body)) {
      context.up = `Content-Transfer-Encoding: ${LABELS[rank]}\r\n`;
      context.body = rank > 1 || !eightBit ? 'BINARYMIME' : '8BITMIME';
    }
    return LABELS[rank];
  };

  const own: EncodeContent = (given, path, context) => [
    label(given.octets, context) ?? refuse('CONTENT', path, 'over asIs()'),
    encodedSource(given, path, context, given.size, () => {
      const rank = ranker();
      return (octets, last) => {
        if (highest < 2 && rank(octets, last) > highest) refuse('STREAM', path, 'over asIs()');
        // The window is used again.
        return octets.slice();
      };
    }),
  ];

  return {
    text(canonical, context) {
      const encoding = label(utf8.encode(canonical), context);
      return encoding && [encoding, canonical];
    },
    content: highest > 1 ? own : undefined,
    own,
  };
}
