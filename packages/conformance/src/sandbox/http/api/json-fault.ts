/**
 * Where a text is no JSON. JSON.parse() says so in words that differ between runtimes, and quotes the text, in which a
 * password may stand. Pure.
 */

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The value that it is in, as a JSON pointer (RFC 6901). */
  readonly path: string;
}

/** A segment of a JSON pointer. */
export function pointer(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** An object or array that is not closed yet: which member it is at. */
interface Open {
  readonly end: '}' | ']';
  at: string | number;
}

type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** The first character that the grammar of RFC 8259 does not allow, in a text that JSON.parse() refuses. */
export function jsonFault(text: string): JsonFault {
  const open: Open[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
    const next = text.charAt(at);
    const inside = open.at(-1);
    if (inside && next === inside.end && expected.endsWith('or end')) {
      open.pop();
      expected = 'comma or end';
      at += 1;
    } else if (expected === 'colon' && next === ':') {
      expected = 'value';
      at += 1;
    } else if (expected === 'comma or end' && inside && next === ',') {
      expected = inside.end === ']' ? 'value' : 'name';
      if (typeof inside.at === 'number') inside.at += 1;
      at += 1;
    } else if (expected.startsWith('name') && next === '"') {
      const end = stringEnd(text, at);
      if (end.fault) return placed(text, end.at, open.slice(0, -1));
      if (inside) inside.at = JSON.parse(text.slice(at, end.at)) as string;
      expected = 'colon';
      at = end.at;
    } else if (expected.startsWith('value') && next === '{') {
      open.push({ end: '}', at: '' });
      expected = 'name or end';
      at += 1;
    } else if (expected.startsWith('value') && next === '[') {
      open.push({ end: ']', at: 0 });
      expected = 'value or end';
      at += 1;
    } else if (expected.startsWith('value') && next === '"') {
      const end = stringEnd(text, at);
      if (end.fault) return placed(text, end.at, open);
      expected = 'comma or end';
      at = end.at;
    } else {
      const end = expected.startsWith('value') ? tokenEnd(text, at) : at;
      if (end === at)
        return placed(text, at, /^(value|colon)/.test(expected) ? open : open.slice(0, -1));
      expected = 'comma or end';
      at = end;
    }
  }
}

/** Behind a number or a word; where it begins, if there is none. */
function tokenEnd(text: string, at: number): number {
  for (const token of [NUMBER, WORD]) {
    token.lastIndex = at;
    if (token.test(text)) return token.lastIndex;
  }
  return at;
}

/** Behind its closing quotation mark, or where its fault is. */
function stringEnd(text: string, from: number): { readonly at: number; readonly fault: boolean } {
  for (let at = from + 1; at < text.length; at += 1) {
    const next = text.charAt(at);
    if (next === '"') return { at: at + 1, fault: false };
    if (next < ' ') return { at, fault: true };
    if (next !== '\\') continue;
    at += 1;
    const escaped = /^(?:["\\/bfnrt]|u[\da-f]{4})/i.exec(text.slice(at, at + 5));
    if (!escaped) return { at, fault: true };
    at += escaped[0].length - 1;
  }
  return { at: text.length, fault: true };
}

/** Levels of a path that is shown. */
const DEEPEST = 100;

function placed(text: string, at: number, open: readonly Open[]): JsonFault {
  const before = text.slice(0, at).split('\n');
  return {
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    path: open
      .slice(0, DEEPEST)
      .map((one) => pointer(one.at))
      .join(''),
  };
}
