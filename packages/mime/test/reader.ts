/**
 * A second, strict reader of messages, written from the RFCs and sharing nothing with the builder: what it cannot read, it
 * refuses. All texts of octets here are strings with one character for each octet.
 */
import { expect } from 'vitest';

export interface Field {
  readonly name: string;
  /** Without the CRLF at its end, folded as it came. */
  readonly folded: string;
  /** Unfolded, without the space around it. */
  readonly value: string;
}

export interface Entity {
  readonly fields: readonly Field[];
  /** Header fields as they came, each with its CRLF. */
  readonly head: string;
  /** The body as it came. */
  readonly body: string;
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly encoding: string;
  readonly disposition: string | undefined;
  readonly dispositionParameters: ReadonlyMap<string, string>;
  readonly parts: readonly Entity[];
  /** The body without its transfer encoding; empty for a multipart. */
  readonly content: string;
}

const encoder = new TextEncoder();

/** UTF-8, one character for each octet. */
export function utf8(text: string): string {
  return octetText(encoder.encode(text));
}

export function octetText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}

/** Octets of such a string. */
export function octetsOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Strict UTF-8; throws where an octet belongs to no character, and keeps a byte order mark. */
export function fromUtf8(text: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octetsOf(text));
}

/** RFC 5322 §2.2.3. */
export function unfold(text: string): string {
  return text.replace(/\r\n(?=[ \t])/g, '');
}

export function readFields(head: string): Field[] {
  const fields: Field[] = [];
  for (const text of head.split(/(?<=\r\n)(?![ \t])/)) {
    if (text === '') continue;
    const [, name, folded] = /^([!-9;-~]+):((?:[^\r]|\r(?!\n$))*)\r\n$/.exec(text) ?? [];
    if (name === undefined || folded === undefined)
      throw new SyntaxError(`no header field: ${JSON.stringify(text.slice(0, 80))}`);
    fields.push({ name, folded, value: unfold(folded).replace(/^ +| +$/g, '') });
  }
  return fields;
}

/** `value; a=b; c="d"` with the extensions of RFC 2231 §3 and §4. */
export function readParameters(text: string): [value: string, parameters: Map<string, string>] {
  const [start, value] = /^[ \t]*([^; ]*)[ \t]*/.exec(text) ?? ['', ''];
  const raw = new Map<string, string>();
  let rest = text.slice(start.length);
  while (rest !== '') {
    const found = /^;[ \t]*([^=;\s]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s()<>@,;:\\"/[\]?=]+))[ \t]*/.exec(
      rest,
    );
    if (!found) throw new SyntaxError(`no parameter: ${rest.slice(0, 80)}`);
    const [whole, name = '', quoted, token = ''] = found;
    if (raw.has(name.toLowerCase())) throw new SyntaxError(`parameter ${name} twice`);
    raw.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token);
    rest = rest.slice(whole.length);
  }
  const parameters = new Map<string, string>();
  const sections = new Map<string, { at: number; extended: boolean; text: string }[]>();
  for (const [name, content] of raw) {
    const [, base = '', at, extended] = /^([^*]+)(?:\*(\d+))?(\*)?$/.exec(name) ?? [];
    if (at === undefined && extended === undefined) parameters.set(base, content);
    else {
      const list = sections.get(base) ?? [];
      list.push({ at: Number(at ?? 0), extended: extended !== undefined, text: content });
      sections.set(base, list);
    }
  }
  for (const [name, list] of sections) {
    if (parameters.has(name)) throw new SyntaxError(`both ${name} and ${name}*`);
    list.sort((a, b) => a.at - b.at);
    let octets = '';
    list.forEach((section, at) => {
      if (section.at !== at) throw new SyntaxError(`section ${at} of ${name} is missing`);
      let { text: part } = section;
      if (at === 0 && section.extended) {
        if (!/^utf-8''/i.test(part)) throw new SyntaxError(`charset of ${name}: ${part}`);
        part = part.slice(7);
      }
      const decoded = section.extended ? percentDecode(part) : part;
      // No section cuts a character.
      fromUtf8(decoded);
      octets += decoded;
    });
    parameters.set(name, fromUtf8(octets));
  }
  return [value ?? '', parameters];
}

function percentDecode(text: string): string {
  if (/%(?![\dA-F]{2})/.test(text)) throw new SyntaxError(`percent in ${text}`);
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** RFC 2045 §6.7, with none of the freedoms a reader may take. */
export function readQuotedPrintable(body: string): string {
  return body
    .split('\r\n')
    .map((line, at, lines) => {
      if (line.length > 76) throw new SyntaxError(`line of ${line.length}`);
      if (/[ \t]$/.test(line)) throw new SyntaxError('white space at the end of a line');
      if (/=(?![\dA-F]{2}|$)|[^\t -~]/.test(line)) throw new SyntaxError(`no QP: ${line}`);
      const soft = line.endsWith('=');
      if (soft && at === lines.length - 1) throw new SyntaxError('soft break at the end');
      const text = line
        .replace(/=$/, '')
        .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      return text + (soft || at === lines.length - 1 ? '' : '\r\n');
    })
    .join('');
}

/** RFC 2045 §6.8: full lines of 76 but for the last, padding at the end only. */
export function readBase64(body: string): string {
  if (!/^(?:[A-Za-z\d+/]{76}\r\n)*(?:[A-Za-z\d+/]{0,76}={0,2})?(?:\r\n)?$/.test(body))
    throw new SyntaxError('shape of base64');
  const letters = body.replaceAll('\r\n', '');
  const content = Buffer.from(letters, 'base64');
  if (content.toString('base64') !== letters) throw new SyntaxError('not canonical base64');
  return content.toString('latin1');
}

export function readEntity(raw: string): Entity {
  const end = raw.startsWith('\r\n') ? 0 : raw.indexOf('\r\n\r\n') + 2;
  if (end === 1) throw new SyntaxError('no empty line after the header');
  const head = raw.slice(0, end);
  const body = raw.slice(end + 2);
  const fields = readFields(head);
  const one = (name: string): string | undefined => {
    const found = fields.filter((field) => field.name.toLowerCase() === name);
    if (found.length > 1) throw new SyntaxError(`${name} twice`);
    return found[0]?.value;
  };
  const [type, parameters] = readParameters(one('content-type') ?? 'text/plain');
  const [disposition, dispositionParameters] = readParameters(one('content-disposition') ?? '');
  const encoding = one('content-transfer-encoding')?.toLowerCase() ?? '';
  const parts: Entity[] = [];
  let content = '';
  if (type.startsWith('multipart/')) {
    // RFC 2045 §6.4: no other encoding is permitted.
    if (!['', '8bit', 'binary'].includes(encoding))
      throw new SyntaxError(`multipart in ${encoding}`);
    for (const part of splitMultipart(body, parameters.get('boundary') ?? ''))
      parts.push(readEntity(part));
  } else if (encoding === 'base64') content = readBase64(body);
  else if (encoding === 'quoted-printable') content = readQuotedPrintable(body);
  else content = body;
  return {
    fields,
    head,
    body,
    type: type.toLowerCase(),
    parameters,
    encoding,
    disposition: disposition === '' ? undefined : disposition,
    dispositionParameters,
    parts,
    content,
  };
}

/** RFC 2046 §5.1.1: the CRLF before a delimiter belongs to it. */
function splitMultipart(body: string, boundary: string): string[] {
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary))
    throw new SyntaxError(`boundary ${boundary}`);
  const whole = `\r\n${body}`;
  const parts: string[] = [];
  const delimiter = `\r\n--${boundary}`;
  let start = -1;
  for (let at = whole.indexOf(delimiter); at >= 0; at = whole.indexOf(delimiter, at + 1)) {
    const after = whole.slice(at + delimiter.length);
    if (start < 0 && at !== 0) throw new SyntaxError('text before the first part');
    if (start >= 0) parts.push(whole.slice(start, at));
    if (after.startsWith('--\r\n')) {
      if (after.slice(2).trim() !== '') throw new SyntaxError('text after the last part');
      if (parts.length === 0) throw new SyntaxError('no part');
      return parts;
    }
    if (!after.startsWith('\r\n')) throw new SyntaxError('a line that begins like a delimiter');
    start = at + delimiter.length + 2;
  }
  throw new SyntaxError('multipart without its end');
}

/** The entity and all under it, in order. */
export function walk(entity: Entity): Entity[] {
  return [entity, ...entity.parts.flatMap(walk)];
}

export function leaves(entity: Entity): Entity[] {
  return walk(entity).filter((one) => one.parts.length === 0);
}

export type Tree = string | readonly [type: string, parts: readonly Tree[]];

export function treeOf(entity: Entity): Tree {
  return entity.parts.length === 0 ? entity.type : [entity.type, entity.parts.map(treeOf)];
}

/** Values of the fields of that name. */
export function valuesOf(entity: Entity, name: string): string[] {
  return entity.fields
    .filter((field) => field.name.toLowerCase() === name.toLowerCase())
    .map((field) => field.value);
}

const ENCODED_WORD = /=\?[^?\s]+\?[BQbq]\?[^?\s]*\?=/g;

export function encodedWordsOf(text: string): string[] {
  return text.match(ENCODED_WORD) ?? [];
}

/** One encoded-word; throws unless it is whole UTF-8 by itself. */
export function readEncodedWord(word: string): string {
  const [, scheme = '', text = ''] = /^=\?utf-8\?([BQbq])\?([^?\s]*)\?=$/i.exec(word) ?? [];
  if (scheme === '') throw new SyntaxError(`no encoded-word: ${word}`);
  if (/b/i.test(scheme)) return fromUtf8(readBase64(text));
  if (/=(?![\dA-F]{2})/.test(text)) throw new SyntaxError(`Q: ${word}`);
  return fromUtf8(
    text
      .replaceAll('_', ' ')
      .replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

/** Unstructured text (RFC 2047 §6.2): words stand between white space, and what is between two of them is not text. */
export function readUnstructured(value: string): string {
  let text = '';
  let space = '';
  let encoded = false;
  value.split(/([ \t]+)/).forEach((token, at) => {
    if (at % 2) space = token;
    else {
      const is = new RegExp(`^${ENCODED_WORD.source}$`).test(token) && token.length <= 75;
      text += (is && encoded ? '' : space) + (is ? readEncodedWord(token) : token);
      encoded = is;
      space = '';
    }
  });
  return text + space;
}

export type NamedAddress = [name: string, address: string];

const ATOM = "[A-Za-z\\d!#$%&'*+/=?^_`{|}~\\x80-\\u{10ffff}-]+";
const WORD = new RegExp(`"((?:[^"\\\\\\r\\n]|\\\\.)*)"|${ATOM}(?:\\.${ATOM})*`, 'uy');
const ADDRESS = new RegExp(
  `(?:"(?:[^"\\\\\\r\\n]|\\\\.)*"|${ATOM}(?:\\.${ATOM})*)@(?:\\[[^[\\]\\\\]*\\]|${ATOM}(?:\\.${ATOM})*)`,
  'uy',
);
const SPACE = /[ \t]*/y;

/** An address list (RFC 5322 §3.4 without its obsolete forms, RFC 6532 §3.2); members of groups stand beside the others. */
export function readAddresses(text: string): NamedAddress[] {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const skip = (): boolean => (take(SPACE)?.[0] ?? '') !== '';
  const expectCharacter = (character: string): void => {
    if (text[at] !== character)
      throw new SyntaxError(`no ${character} at ${JSON.stringify(text.slice(at, at + 40))}`);
    at += 1;
    skip();
  };
  const phrase = (): string => {
    let name = '';
    let previous: 'none' | 'word' | 'encoded' = 'none';
    for (let spaced = true; text[at] !== '<' && text[at] !== ':'; ) {
      const found = spaced ? take(WORD) : null;
      if (!found) throw new SyntaxError(`no phrase at ${text.slice(at, at + 40)}`);
      const encoded = /^=\?.*\?=$/.test(found[0]) && found[0].length <= 75;
      const word =
        found[1]?.replace(/\\(.)/g, '$1') ?? (encoded ? readEncodedWord(found[0]) : found[0]);
      name += (previous === 'none' || (encoded && previous === 'encoded') ? '' : ' ') + word;
      previous = encoded ? 'encoded' : 'word';
      spaced = skip();
    }
    return name;
  };
  const bare = (): string | undefined => {
    const from = at;
    const found = take(ADDRESS);
    skip();
    if (found && (at >= text.length || text[at] === ',' || text[at] === ';')) return found[0];
    at = from;
    return undefined;
  };
  const list: NamedAddress[] = [];
  const item = (inGroup: boolean): void => {
    const address = bare();
    if (address !== undefined) {
      list.push(['', address]);
      return;
    }
    const name = phrase();
    if (text[at] === ':' && !inGroup) {
      expectCharacter(':');
      while (text[at] !== ';') {
        item(true);
        if (text[at] !== ';') expectCharacter(',');
      }
      expectCharacter(';');
      return;
    }
    at += 1;
    const angle = take(ADDRESS);
    if (!angle) throw new SyntaxError(`no address at ${text.slice(at, at + 40)}`);
    expectCharacter('>');
    list.push([name, angle[0]]);
  };
  skip();
  item(false);
  while (at < text.length) {
    expectCharacter(',');
    item(false);
  }
  return list;
}

/** How much a label allows (RFC 2045 §2.7 to §2.9): 0 is 7bit, 1 is 8bit, 2 is binary. */
export function rankOfText(raw: string): 0 | 1 | 2 {
  const lines = raw.split('\r\n');
  if (lines.some((line) => line.length > 998 || /[\r\n\0]/.test(line))) return 2;
  return /[^\0-\x7f]/.test(raw) ? 1 : 0;
}

const RANKS: Readonly<Record<string, number>> = { '8bit': 1, binary: 2 };

/** What holds for every message the builder gives out; returns it as it was read. `body` is what the server is told. */
export function readMessage(
  octets: Uint8Array,
  options: { utf8?: boolean; body?: string | undefined } = {},
): Entity {
  const raw = octetText(octets);
  expect(raw.endsWith('\r\n'), 'ends in CRLF').toBe(true);
  if (options.body !== 'BINARYMIME') {
    expect(/[^\r]\n|\r(?!\n)/.test(raw), 'bare CR or LF').toBe(false);
    const longest = Math.max(...raw.split('\r\n').map((line) => line.length));
    expect(longest, 'longest line').toBeLessThanOrEqual(998);
    expect(raw.includes('\0'), 'NUL').toBe(false);
  }
  if (!options.utf8 && !/^(?:8BIT|BINARY)MIME$/.test(options.body ?? '')) {
    const outside = /\P{ASCII}/u.exec(raw);
    expect(outside?.[0], 'octet outside ASCII').toBeUndefined();
  }
  const message = readEntity(raw);
  for (const entity of walk(message)) {
    const rank = RANKS[entity.encoding] ?? 0;
    // RFC 2045 §6.4: a multipart says what is in it.
    for (const inner of entity.parts)
      expect(RANKS[inner.encoding] ?? 0, 'label of a multipart').toBeLessThanOrEqual(rank);
    if (entity.parts.length === 0) expect(rankOfText(entity.body)).toBeLessThanOrEqual(rank);
    expect(/[^\t\r\n -~]/.test(options.utf8 ? '' : entity.head), 'octet in a header').toBe(false);
    // A white-space line would end the field for some readers (RFC 5322 §3.2.2).
    expect(entity.head).not.toMatch(/^[ \t]*\r\n/m);
    for (const field of entity.fields) {
      // Identifiers are never decoded.
      if (/^(?:Message-ID|In-Reply-To|References|Content-ID)$/i.test(field.name)) continue;
      for (const line of `${field.name}:${field.folded}`.split('\r\n')) {
        const words = encodedWordsOf(line);
        for (const word of words) {
          expect(word.length, word).toBeLessThanOrEqual(75);
          readEncodedWord(word);
        }
        // In a parameter an encoded-word stands within quotes, and is none for RFC 2047: the 78 of RFC 5322 hold.
        const most = field.name.startsWith('Content-') ? 78 : 76;
        if (words.length > 0) expect(line.length, line).toBeLessThanOrEqual(most);
      }
    }
  }
  expect(valuesOf(message, 'MIME-Version')).toEqual(['1.0']);
  return message;
}
