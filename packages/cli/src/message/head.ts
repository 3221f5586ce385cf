/**
 * The header section of a message as programs write it (RFC 5322 §2.2): octets to fields and back, without a change to what is
 * not understood. Lines may end with CRLF, LF or CR, all of which are CRLF on the wire.
 */

/** One field with its folded lines. */
export interface Field {
  /** In lower case. */
  readonly name: string;
  /** As it stood, with its line ends: a character for each octet. */
  readonly raw: string;
}

export interface Head {
  readonly fields: readonly Field[];
  /** Where the body begins, in octets. */
  readonly bodyAt: number;
  /** Whether an empty line, or the end, came behind the fields: else the body begins with what is no field. */
  readonly isWhole: boolean;
  /** The line that is no field, counted from 1. */
  readonly line: number;
}

/** What is longer is no header section. */
export const LARGEST_HEAD = 1_048_576;

// RFC 5322 §2.2: printable ASCII but for the colon; §4.5 lets blanks stand in front of that.
const FIELD = /^([!-9;-~]{1,998})[ \t]*:/;

/**
 * Reads the fields at the beginning.
 *
 * @param octets - the message, or its beginning
 * @param all - whether it is all of it
 * @returns nothing where more octets are needed
 */
export function parseHead(octets: Uint8Array, all: boolean): Head | undefined {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  const fields: { name: string; raw: string }[] = [];
  const end = /\r\n?|\n/g;
  let at = 0;
  for (let line = 1; ; line += 1) {
    if (at === text.length) return all ? { fields, bodyAt: at, isWhole: true, line } : undefined;
    end.lastIndex = at;
    const found = end.exec(text);
    // A CR at the very end may be half of a CRLF.
    const isOpen = !found || (found[0] === '\r' && end.lastIndex === text.length);
    if (isOpen && !all) return undefined;
    const next = found ? end.lastIndex : text.length;
    const raw = text.slice(at, next);
    const content = found ? text.slice(at, found.index) : raw;
    const last = fields.at(-1);
    const [, name] = FIELD.exec(content) ?? [];
    if (content === '') return { fields, bodyAt: next, isWhole: true, line };
    if (line === 1 && content.startsWith('From ')) {
      // The line that mailbox files have between messages is none of any.
    } else if (/^[ \t]/.test(content) && last) last.raw += raw;
    else if (name !== undefined) fields.push({ name: name.toLowerCase(), raw });
    else return { fields, bodyAt: at, isWhole: false, line };
    at = next;
  }
}

/** The value of a field, unfolded (RFC 5322 §2.2.3): in UTF-8 where it is that, else a character for each octet. */
export function fieldValue({ raw }: Field): string {
  return decode(raw.slice(raw.indexOf(':') + 1))
    .replace(/\r\n?|\n/g, '')
    .trim();
}

/** Octets as characters to text. */
export function decode(raw: string): string {
  if (!/[^\0-\x7f]/.test(raw)) return raw;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(raw, 'latin1'));
  } catch {
    return raw;
  }
}

/** Whether octets, each a character, are UTF-8; ASCII is. */
export function isUtf8(raw: string): boolean {
  return !/[^\0-\x7f]/.test(raw) || decode(raw) !== raw;
}

/** A field of text: what is not ASCII is UTF-8. */
export function makeField(name: string, value: string): Field {
  return {
    name: name.toLowerCase(),
    raw: Buffer.from(`${name}: ${value}\r\n`, 'utf8').toString('latin1'),
  };
}

/** The header section with the empty line behind it. */
export function writeHead(fields: readonly Field[]): Uint8Array {
  const text = fields.map(({ raw }) => (/[\r\n]$/.test(raw) ? raw : `${raw}\r\n`)).join('');
  return Buffer.from(`${text}\r\n`, 'latin1');
}
