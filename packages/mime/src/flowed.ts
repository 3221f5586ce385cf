/** flowed(): text that a reader wraps to its own width (RFC 3676, DelSp=no). In no bundle that does not import it. */

/**
 * Text as format=flowed (RFC 3676 §4), in lines with CRLF: each line of `text`, whether it ends with CRLF, LF or CR, is one
 * paragraph to the reader. The option `flowed` of `compose()`.
 *
 * A paragraph of more than 76 characters is broken after spaces into lines of at most 76; a longer word stays whole. What
 * begins with a space or `From ` is space-stuffed (§4.4): the reader removes that space.
 *
 * Spaces at the end of a line of `text` are removed, because they would join it to the next (§4.2). Only the signature
 * separator `-- ` keeps its own, quoted or not (§4.3).
 *
 * A line of `text` that begins with `>` is quoted, as deep as it has `>` in front (§4.5): `>> text`, not `> > text`. It is
 * not stuffed, and where it is broken each line has the same marks and a space. More than 37 deep nothing is broken. For a
 * `>` that is no quote mark, put a space before it.
 *
 * @example
 * ```ts
 * import { compose, flowed } from '@posthorn/mime';
 *
 * const message = compose({ from: 'a@example.com', text: 'word '.repeat(30) }, { flowed });
 * console.log((await message.text()).includes('format=flowed')); // true
 * ```
 */
export function flowed(text: string): string {
  // What is no text is for compose() to refuse.
  if (!text?.split) return text;
  return text
    .split(/\r\n?|\n/)
    .flatMap(paragraph)
    .join('\r\n');
}

/** The lines of one paragraph. */
function paragraph(line: string): string | string[] {
  // The lookbehind makes one attempt of a run of spaces: without it, one that is not at the end takes quadratic time.
  const text = /^(>+ ?)?-- $/.test(line) ? line : line.replace(/(?<! ) +$/, '');
  const quote = text.replace(/[^>].*/s, '');
  const start = quote ? /^/ : /^(?=[ >]|From )/;
  const whole = quote ? text : text.replace(start, ' ');
  // Each line repeats the quote: were there no limit, the result would grow with the square of the text.
  if (whole.length <= 76 || quote.length > 37) return whole;

  // One column is left for the space after the quote, or the stuffing.
  const width = 75 - quote.length;
  // As many words as fit, unless that is `-- ` alone: a reader takes that line for the signature separator.
  const pieces = RegExp(
    `.{1,${width}}$|(?!-- [^ ]{${width - 3}}).{0,${width - 1}} |(-- )?[^ ]+ ?`,
    'gs',
  );
  return (text.replace(/^>+ ?/, '').match(pieces) ?? []).map((piece) =>
    piece.replace(start, `${quote} `),
  );
}
