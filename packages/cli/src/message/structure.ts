/**
 * The parts of a message (RFC 2046 §5.1) as it goes by, line by line: their types, names and sizes, and the texts, which a
 * provider's rules ask for. Damaged messages are read as far as they can be.
 */
import { decode, type Field, fieldValue, parseHead } from './head.ts';
import { parameterOf, wordsDecoded } from './parameter.ts';

export interface Part {
  /** How many multiparts it is in. */
  readonly depth: number;
  /** Without parameters, in lower case. */
  readonly contentType: string;
  readonly charset?: string | undefined;
  readonly encoding: string;
  /** A file: what is no text to be shown. */
  readonly isAttachment: boolean;
  readonly filename?: string | undefined;
  /** Octets of its content, decoded; 0 of a multipart. */
  size: number;
  /** The text to be shown, where it is not too long. */
  text?: string;
}

/** A text that is longer is not looked into. */
const LARGEST_TEXT = 2_097_152;
/** A boundary has 70 characters at most (RFC 2046 §5.1.1). What is longer is no boundary line, and is not held as one. */
const LONGEST_HELD = 4_096;

interface Open {
  readonly boundary: string;
  readonly depth: number;
}

/** Reads a message to its end. */
export async function structureOf(chunks: AsyncIterable<Uint8Array>): Promise<Part[]> {
  const parts: Part[] = [];
  const open: Open[] = [];
  let head: string[] | undefined = [];
  let leaf: Leaf | undefined;

  const endHead = (): void => {
    const octets = Buffer.from((head ?? []).join(''), 'latin1');
    const { fields } = parseHead(octets, true) ?? { fields: [] };
    head = undefined;
    const part = partOf(fields, open.length);
    parts.push(part);
    const boundary = part.contentType.startsWith('multipart/') && boundaryOf(fields);
    if (boundary) open.push({ boundary, depth: open.length });
    else leaf = new Leaf(part);
  };
  const endPart = (): void => {
    if (head) endHead();
    leaf?.end();
    leaf = undefined;
  };
  /** @param isLine - whether it begins at the begin of a line */
  const take = (text: string, isLine: boolean): void => {
    const line = isLine && text.startsWith('--') ? text.trimEnd() : '';
    // The innermost first; the end of an outer one ends all that are in it.
    const found = line
      ? open.findLastIndex(({ boundary }) => line === `--${boundary}` || line === `--${boundary}--`)
      : -1;
    if (found >= 0) {
      endPart();
      open.splice(found + 1);
      if (line === `--${open[found]?.boundary}`) head = [];
      else open.pop();
    } else if (head) {
      head.push(text);
      if (isLine && /^(\r\n?|\n)$/.test(text)) endHead();
    } else leaf?.push(text);
  };

  let held = '';
  let isLine = true;
  for await (const chunk of chunks) {
    held += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    const end = /\r\n|\n|\r(?=[\s\S])/g;
    let at = 0;
    for (let match = end.exec(held); match; match = end.exec(held)) {
      take(held.slice(at, end.lastIndex), isLine);
      isLine = true;
      at = end.lastIndex;
    }
    held = held.slice(at);
    if (held.length > LONGEST_HELD && !held.endsWith('\r')) {
      take(held, isLine);
      isLine = false;
      held = '';
    }
  }
  if (held) take(held, isLine);
  endPart();
  return parts;
}

function boundaryOf(fields: readonly Field[]): string | undefined {
  const type = fields.find(({ name }) => name === 'content-type');
  return (type && parameterOf(fieldValue(type), 'boundary')) || undefined;
}

function partOf(fields: readonly Field[], depth: number): Part {
  const value = (name: string): string => {
    const field = fields.find((one) => one.name === name);
    return field ? fieldValue(field) : '';
  };
  const type = value('content-type') || 'text/plain';
  const disposition = value('content-disposition');
  const contentType = /^[^;\s]*/.exec(type)?.[0].toLowerCase() || 'text/plain';
  const filename = parameterOf(disposition, 'filename') ?? wordsDecoded(parameterOf(type, 'name'));
  const isMultipart = contentType.startsWith('multipart/');
  return {
    depth,
    contentType,
    charset: parameterOf(type, 'charset'),
    encoding: value('content-transfer-encoding').toLowerCase() || '7bit',
    filename,
    isAttachment:
      !isMultipart &&
      (filename !== undefined ||
        /^attachment\b/i.test(disposition) ||
        !/^text\/(plain|html|x-amp-html|calendar)$/.test(contentType)),
    size: 0,
  };
}

/** A part with content: its transfer encoding taken away, counted, and kept where it is a text. */
class Leaf {
  readonly #part: Part;
  #text: string[] | undefined;
  /** The line end that may belong to a boundary (RFC 2046 §5.1.1). */
  #pending = '';
  /** Base64 that is no whole group yet. */
  #rest = '';

  constructor(part: Part) {
    this.#part = part;
    this.#text = part.isAttachment ? undefined : [];
  }

  push(line: string): void {
    const content = line.replace(/(\r\n?|\n)$/, '');
    const { encoding } = this.#part;
    if (encoding === 'base64') {
      const all = this.#rest + content.replace(/[^A-Za-z0-9+/=]/g, '');
      const whole = all.length - (all.length % 4);
      this.#rest = all.slice(whole);
      this.#add(Buffer.from(all.slice(0, whole), 'base64').toString('latin1'));
      return;
    }
    const end = content.length < line.length ? '\r\n' : '';
    if (encoding === 'quoted-printable') {
      // RFC 2045 §6.7 (3): blanks at the end of a line were added on its way; (5): a `=` there is no line end.
      const solid = end ? content.replace(/[ \t]+$/, '') : content;
      const soft = end && solid.endsWith('=');
      const octets = (soft ? solid.slice(0, -1) : solid).replace(/=([0-9A-F]{2})/gi, (_, hex) =>
        String.fromCharCode(Number.parseInt(hex as string, 16)),
      );
      this.#add(this.#pending + octets);
      this.#pending = soft ? '' : end;
      return;
    }
    this.#add(this.#pending + content);
    this.#pending = end;
  }

  end(): void {
    if (this.#rest) this.#add(Buffer.from(this.#rest, 'base64').toString('latin1'));
    if (this.#text) this.#part.text = decode(this.#text.join(''));
  }

  #add(octets: string): void {
    this.#part.size += octets.length;
    if (this.#part.size > LARGEST_TEXT) this.#text = undefined;
    this.#text?.push(octets);
  }
}
