/** What becomes of a message on its way out: tags are links, links are counted. Pure. */
import { findLinks } from './find-links.ts';
import type { CapturedMessage, MessagePart } from './inbox.ts';

/** A text part as its reader gets it. */
export interface RewrittenPart {
  /** 'text/plain' or 'text/html'. */
  readonly contentType: string;
  readonly text: string;
}

/** A message as its reader gets it. */
export interface Rewritten {
  /** The HTML, where it has any: tags replaced, links led through the sandbox, the pixel at its end. */
  readonly html: string | undefined;
  /** The plain text, where it has any: tags replaced. */
  readonly text: string | undefined;
  /** Each text part in the order of the tree, files left out. The pixel is in the last one of HTML. */
  readonly parts: readonly RewrittenPart[];
  /**
   * Where the links of the HTML led before, in order: the nth is at `/c/<token>/<n>`, from 0. Absolute http and https
   * addresses, as they were written; what is not ASCII in them is not encoded.
   */
  readonly links: readonly string[];
  readonly unsubscribeUrl: string;
  readonly webVersionUrl: string;
  readonly pixelUrl: string;
  /**
   * What is put into its header: List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058). RFC 8058 §3.1 wants
   * an https address; the sandbox's is what its `publicUrl` says.
   */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** @param url - where the pages are, without a slash behind it */
export function rewrite(message: CapturedMessage, url: string): Rewritten {
  const { html, text, token } = message;
  const to: Addresses = {
    unsubscribe: `${url}/u/${token}`,
    webVersion: `${url}/w/${token}`,
    pixel: `${url}/o/${token}.gif`,
    click: `${url}/c/${token}/`,
  };
  const leaves = textLeaves(message.structure);
  const htmls = leaves.filter(isHtml);
  const numbers = new Numbers();
  const parts = leaves.map((leaf) => ({
    contentType: leaf.contentType,
    text: isHtml(leaf)
      ? rewriteHtml(leaf.text, to, (link) => numbers.add(link), leaf === htmls.at(-1))
      : replaceTags(leaf.text, to),
  }));
  // Most often all of it is in one part. Else its links are those of the parts, and of messages inside of it.
  const joined =
    htmls.length === 1 && htmls[0]?.text === html
      ? parts.find(isHtml)?.text
      : html && rewriteHtml(html, to, (link) => numbers.again(link), true);
  return {
    html: joined,
    text: text && replaceTags(text, to),
    parts,
    links: numbers.links,
    unsubscribeUrl: to.unsubscribe,
    webVersionUrl: to.webVersion,
    pixelUrl: to.pixel,
    headers: [
      { name: 'List-Unsubscribe', value: `<${to.unsubscribe}>` },
      { name: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' },
    ],
  };
}

interface Addresses {
  readonly unsubscribe: string;
  readonly webVersion: string;
  readonly pixel: string;
  /** The number goes behind it. */
  readonly click: string;
}

/** The numbers of links: in the order of the parts, and the same ones in their joined HTML. */
class Numbers {
  readonly links: string[] = [];
  readonly #numbersOf = new Map<string, number[]>();
  readonly #used = new Map<string, number>();

  add(link: string): number {
    const number = this.links.push(link) - 1;
    const known = this.#numbersOf.get(link);
    if (known) known.push(number);
    else this.#numbersOf.set(link, [number]);
    return number;
  }

  /** The next number of those that this link has, or a new one. */
  again(link: string): number {
    const used = this.#used.get(link) ?? 0;
    this.#used.set(link, used + 1);
    return this.#numbersOf.get(link)?.[used] ?? this.add(link);
  }
}

type Leaf = MessagePart & { readonly text: string };

/** No deeper than `parseMessage` lets it be. */
function textLeaves(part: MessagePart): Leaf[] {
  const { text } = part;
  return [...(text === undefined ? [] : [{ ...part, text }]), ...part.children.flatMap(textLeaves)];
}

function isHtml({ contentType }: RewrittenPart): boolean {
  return contentType === 'text/html';
}

const TAGS = /\[(Unsubscribe|WebVersion)\]/g;

function replaceTags(text: string, { unsubscribe, webVersion }: Addresses): string {
  return text.replace(TAGS, (_tag, name) => (name === 'Unsubscribe' ? unsubscribe : webVersion));
}

function rewriteHtml(
  html: string,
  to: Addresses,
  number: (link: string) => number,
  pixel: boolean,
): string {
  const tagged = replaceTags(html, {
    ...to,
    unsubscribe: escaped(to.unsubscribe),
    webVersion: escaped(to.webVersion),
  });
  const { links, bodyEnd } = findLinks(tagged) ?? { links: [], bodyEnd: undefined };
  const end = bodyEnd ?? tagged.length;
  const image = pixel ? `<img src="${escaped(to.pixel)}" width="1" height="1" alt="">` : '';
  const out: string[] = [];
  let at = 0;
  const copy = (until: number, put: string): void => {
    out.push(tagged.slice(at, until), put);
    at = until;
  };
  let before = true;
  for (const link of links) {
    if (before && link.start >= end) {
      copy(end, image);
      before = false;
    }
    const original = counted(link.value, to);
    if (original === undefined) continue;
    copy(link.start, escaped(`${to.click}${number(original)}`));
    at = link.end;
  }
  if (before) copy(end, image);
  copy(tagged.length, '');
  return out.join('');
}

/** The address, where clicks on it are counted: of the web, and none of the message's own. */
function counted(value: string, to: Addresses): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { protocol, href } = new URL(value);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const own = [to.unsubscribe, to.webVersion, to.pixel, to.click];
  if (own.some((address) => isUnder(address, value))) return undefined;
  // What a browser leaves out of an address, or guesses into it, belongs into no Location field.
  return /^https?:\/\//i.test(value) && !/[\s\p{Cc}]/u.test(value) ? value : href;
}

function isUnder(address: string, value: string): boolean {
  return (
    value.startsWith(address) &&
    (address.endsWith('/') ||
      value.length === address.length ||
      /[/?#]/.test(value[address.length] ?? ''))
  );
}

/** Fits into text and into any attribute, without quotes too. */
function escaped(address: string): string {
  return address.replace(/[&"'<>`\s]/g, (character) => `&#${character.charCodeAt(0)};`);
}
