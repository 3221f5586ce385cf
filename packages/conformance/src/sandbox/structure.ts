/** A message taken apart by postal-mime: its fields, its texts, its files, and the tree of its parts. */
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

/** @throws Error for parts that are nested more than 100 deep, and a header section over 2 MiB */
export async function parseMessage(raw: Uint8Array): Promise<Parsed> {
  const parser = new PostalMime({ maxNestingDepth: DEEPEST });
  const mail: Email = await parser.parse(raw);
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
    text: shown && node.childNodes.length === 0 && node.content ? node.getTextContent() : undefined,
    children: node.childNodes.map(partOf),
  };
}
