/** A message taken apart by postal-mime: its fields, its texts, its files, and the tree of its parts. */
import { isUtf8 } from 'node:buffer';
import PostalMime, { type Email } from 'postal-mime';
import type { CapturedMessage, MessagePart } from './inbox.ts';

/** What is read of one part; postal-mime has it and does not type it. */
interface Node {
  readonly contentType: {
    readonly parsed: { readonly value: string; readonly params: Record<string, string> };
    readonly multipart: string | false;
  };
  readonly contentTransferEncoding: { readonly encoding: string };
  readonly contentDisposition: {
    readonly parsed: { readonly value: string; readonly params: Record<string, string> };
  };
  readonly content: ArrayBuffer | null;
  readonly childNodes: readonly Node[];
  getTextContent(): string;
}

/** What of a captured message follows from its octets. */
export type Parsed = Pick<
  CapturedMessage,
  'subject' | 'text' | 'html' | 'headers' | 'attachments' | 'structure'
> & {
  /** How many addresses the header To names. */
  readonly named: number;
};

/** Nothing is nested deeper: who does has no reader in mind. */
const DEEPEST = 100;

/** Nor has it more parts, or a larger header: each takes many times its octets in memory. */
const MOST_PARTS = 1_000;
const MOST_FIELDS = 1_000;
const LARGEST_HEADER = 131_072;

/** @throws Error for more than 1,000 parts or header fields, nesting deeper than 100, and header sections over 128 KiB in all */
export async function parseMessage(raw: Uint8Array): Promise<Parsed> {
  if (countDelimiters(raw) > MOST_PARTS) throw new Error(`more than ${MOST_PARTS} parts`);
  const parser = new PostalMime({ maxNestingDepth: DEEPEST, maxHeadersSize: LARGEST_HEADER });
  const mail: Email = await parser.parse(raw);
  if (mail.headers.length > MOST_FIELDS) throw new Error(`more than ${MOST_FIELDS} header fields`);
  const { root } = parser as unknown as { readonly root: Node };
  return {
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: mail.headers.map(({ key, value }) => ({ name: key, value })),
    attachments: mail.attachments.map(({ filename, mimeType, content }) => ({
      filename: filename ?? undefined,
      contentType: mimeType,
      size: typeof content === 'string' ? content.length : content.byteLength,
    })),
    structure: partOf(root),
    named: (mail.to ?? []).flatMap((one) => one.group ?? [one]).length,
  };
}

/** How many lines delimit parts (RFC 2046 §5.1.1), of those boundaries that the message names anywhere. */
function countDelimiters(raw: Uint8Array): number {
  const source = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1');
  const boundaries = new Set<string>();
  for (const [, quoted, plain] of source.matchAll(
    /boundary\*?\d*\*?=(?:"([^"\r\n]*)"|([^\s;"]+))/gi,
  ))
    boundaries.add((quoted ?? plain ?? '').trimEnd());
  if (boundaries.size === 0) return 0;
  let count = 0;
  for (const [, line = ''] of source.matchAll(/^--([^\r\n]*)/gm)) {
    const name = line.trimEnd();
    if (boundaries.has(name) || (name.endsWith('--') && boundaries.has(name.slice(0, -2))))
      count += 1;
  }
  return count;
}

function partOf(node: Node): MessagePart {
  const { value: contentType, params } = node.contentType.parsed;
  const { value: disposition, params: more } = node.contentDisposition.parsed;
  const shown =
    (contentType === 'text/plain' || contentType === 'text/html') && disposition !== 'attachment';
  return {
    contentType,
    charset: params['charset'],
    encoding: node.contentTransferEncoding.encoding || '7bit',
    disposition: disposition || undefined,
    filename: more['filename'] ?? params['name'],
    size: node.content?.byteLength ?? 0,
    isUtf8: isUtf8(new Uint8Array(node.content ?? [])),
    text: shown && node.childNodes.length === 0 && node.content ? node.getTextContent() : undefined,
    children: node.childNodes.map(partOf),
  };
}
