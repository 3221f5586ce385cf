/**
 * HTML that others wrote, to be looked at. The walls are the sandbox of its frame and its Content-Security-Policy; what
 * is done to the document itself is for the reader's comfort: links open beside it, its own images are shown, and what
 * cannot work there anyway is not tried.
 */
import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse, serialize } from 'parse5';
import PostalMime from 'postal-mime';
import type { CapturedMessage } from '../../inbox.ts';

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.Document;
type Element = DefaultTreeAdapterTypes.Element;

/** No script, no form, nothing of any network, no other page around it than the sandbox's own. */
export const HOSTILE_POLICY: string = policy("'self'");

/** The same for what stands alone in its window. */
export const ALONE_POLICY: string = policy("'none'");

function policy(ancestors: string): string {
  return [
    'sandbox allow-popups allow-popups-to-escape-sandbox',
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ].join('; ');
}

/** Of an answer that others wrote. */
export function hostileHeaders(policy: string): Record<string, string> {
  return {
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** What is asked for in vain there. */
const USELESS: readonly string[] = [
  'script',
  'base',
  'link',
  'iframe',
  'frame',
  'frameset',
  'object',
  'embed',
  'portal',
];

/** The images that come with a message, by their Content-ID (RFC 2392), as data: addresses. */
export type OwnImages = ReadonlyMap<string, string>;

/** Those of a message whose HTML names any. Parses it again: its files are not kept. */
export async function ownImages({ html, raw }: CapturedMessage): Promise<OwnImages> {
  const images = new Map<string, string>();
  if (!html || !/cid:/i.test(html)) return images;
  try {
    const { attachments } = await PostalMime.parse(raw, { attachmentEncoding: 'base64' });
    for (const { contentId, mimeType, content } of attachments)
      if (contentId && /^image\/[a-z0-9.+-]+$/i.test(mimeType) && typeof content === 'string')
        images.set(contentId.replace(/^<|>$/g, ''), `data:${mimeType};base64,${content}`);
  } catch {
    // It could be parsed once; without its images it can be looked at as well.
  }
  return images;
}

/** A document to be looked at in its own frame, or alone. */
export function harmless(html: string, images: OwnImages = new Map()): string {
  try {
    // As a browser reads it where no script runs: what is in <noscript> is part of the document.
    const document = parse(html, { scriptingEnabled: false, treeAdapter: bounded() });
    visit(document, images);
    return serialize(document);
  } catch {
    // So much that it cannot be walked. The walls stand without.
    return `<base target="_blank">${html}`;
  }
}

/** Text opens elements that were left open again and again: a short one can ask for millions. */
const MOST_ELEMENTS = 100_000;

function bounded(): typeof defaultTreeAdapter {
  let left = MOST_ELEMENTS;
  return {
    ...defaultTreeAdapter,
    createElement(...given) {
      left -= 1;
      if (left < 0) throw new RangeError(`There are more than ${MOST_ELEMENTS} elements`);
      return defaultTreeAdapter.createElement(...given);
    },
  };
}

/** Without recursion, so that depth alone does no harm. */
function visit(document: DefaultTreeAdapterTypes.Document, images: OwnImages): void {
  const waiting: Node[] = [document];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!('childNodes' in node)) continue;
    if ('tagName' in node && isUseless(node)) {
      defaultTreeAdapter.detachNode(node);
      continue;
    }
    if ('tagName' in node) change(node, images);
    for (const child of node.childNodes) waiting.push(child);
  }
}

function isUseless({ tagName, attrs }: Element): boolean {
  return (
    USELESS.includes(tagName) ||
    (tagName === 'meta' && attrs.some(({ name }) => name.toLowerCase() === 'http-equiv'))
  );
}

function change(element: Element, images: OwnImages): void {
  const { tagName } = element;
  if (tagName === 'a' || tagName === 'area') {
    const safe = element.attrs.filter(
      ({ name, value }) =>
        name !== 'target' && name !== 'rel' && name !== 'ping' && (name !== 'href' || leads(value)),
    );
    const inside = safe.some(({ name, value }) => name === 'href' && /^\s*#/.test(value));
    element.attrs = inside
      ? safe
      : [
          ...safe,
          { name: 'target', value: '_blank' },
          { name: 'rel', value: 'noopener noreferrer' },
        ];
  } else if (tagName === 'img')
    element.attrs = element.attrs.flatMap(({ name, value }) => {
      if (name === 'srcset') return [];
      if (name !== 'src') return [{ name, value }];
      const source = own(value, images);
      return source === undefined ? [] : [{ name, value: source }];
    });
}

/** Whether a link leads to a page, a mailbox, a telephone, or a place in this document. */
function leads(href: string): boolean {
  return /^\s*(?:https?:|mailto:|tel:|#)/i.test(href);
}

/** Where an image of the message is; undefined of one that is elsewhere, and would not be loaded. */
function own(source: string, images: OwnImages): string | undefined {
  if (/^\s*data:/i.test(source)) return source;
  const [, id] = /^cid:(.+)$/i.exec(source.trim()) ?? [];
  if (id === undefined) return undefined;
  try {
    return images.get(decodeURIComponent(id)) ?? images.get(id);
  } catch {
    // A lone % stands for itself.
    return images.get(id);
  }
}
