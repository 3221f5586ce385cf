/** A message as a parser that nobody here wrote sees it: what two composers have to agree on. */
import PostalMime, { decodeWords } from 'postal-mime';

/** Fields that are chance or time where nobody gave them, and those that say how a message is written. */
const WRITTEN =
  /^(date|message-id|mime-version|content-(type|transfer-encoding|disposition|id)|received)$/;

export interface Seen {
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly attachments: readonly object[];
}

/** @param kept - fields to look at though they are chance where they are not given */
export async function seenIn(message: Uint8Array, kept: readonly string[] = []): Promise<Seen> {
  const { headers, text, html, attachments, ...addresses } = await PostalMime.parse(
    Buffer.from(message),
    { attachmentEncoding: 'base64' },
  );
  const { from, sender, to, cc, bcc, replyTo, subject } = addresses;
  return {
    ...JSON.parse(JSON.stringify({ from, sender, to, cc, bcc, replyTo, subject })),
    headers: headers
      .filter(({ key }) => kept.includes(key) || !WRITTEN.test(key))
      .filter(({ key }) => !/^(from|sender|to|cc|bcc|reply-to|subject|dkim-signature)$/.test(key))
      .map(({ key, value }): [string, string] => [key, decodeWords(value).replace(/\s+/g, ' ')])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    // Whether a text ends with a line break nobody can tell in a message.
    text: text && withoutEnd(text),
    html: html && withoutEnd(html),
    attachments: attachments.map(
      ({ filename, mimeType, disposition, contentId, related, content }) => ({
        filename,
        mimeType,
        disposition,
        contentId: contentId && withoutChance(contentId),
        related: !!related,
        // An alternative is text, too.
        content: disposition ? content : withoutEnd(Buffer.from(`${content}`, 'base64').toString()),
      }),
    ),
  };
}

/** What attachDataUrls calls an image is chance. */
const withoutChance = (text: string): string =>
  text.replace(/[\w-]+@localhost/g, 'image@localhost');

const withoutEnd = (text: string): string => withoutChance(text).replace(/\r\n/g, '\n').trimEnd();
