/** Texts as literals of the languages that set-ups are written in: whatever is in them, they stay one literal. */

/** A word of a POSIX shell. */
export function shell(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A string of JavaScript. */
export function js(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(UNSEEN, escaped)}'`;
}

/** A string of Python and of C#, which escape alike. */
export function double(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(UNSEEN, escaped)}"`;
}

/** A string of PHP. */
export function php(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

const UNSEEN = /[\p{Cc}\u2028\u2029]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
