/** Encoded-words (RFC 2047): how a header field carries what is not ASCII. */
import { portableBase64 } from '../encoding/base64.ts';
import { utf8 } from '../encoding/utf-8.ts';

/** Text in which all that is found is a sign and two hex digits for each octet of its UTF-8. */
export function escapeOctets(text: string, found: RegExp, sign: string): string {
  return text.replace(found, (characters) =>
    utf8
      .encode(characters)
      .reduce(
        (escaped, octet) => escaped + sign + (octet + 256).toString(16).slice(1).toUpperCase(),
        '',
      ),
  );
}

/**
 * Writes the whole text as encoded-words with a space between them, in Q or B, whichever is shorter.
 *
 * No word is longer than 75 (RFC 2047 §2), nor than what the first line has room for, and none cuts a character: "Each
 * 'encoded-word' MUST represent an integral number of characters" (RFC 2047 §5). The Q alphabet is within that of a phrase,
 * which is right in every position.
 *
 * @param column - how far the line is when the first word starts
 * @param space - what is between two words
 */
export function encodedWords(text: string, column: number, space = ' '): string {
  const octets = utf8.encode(text);
  const { length } = octets;
  /** For the text in one word, and its last `=`. */
  const room = 64 - Math.min(column, 56);
  let words: string[] = [];
  let scheme = 'q';
  // Characters with n octets beyond their code units have 1.5 n or more to escape. Each makes Q two longer, and B is a third
  // longer in all: beyond a ninth Q need not be tried.
  if (9 * (length - text.length) <= length) {
    const q = escapeOctets(text, /[^\w!*+/ -]+|_/g, '=').replaceAll(' ', '_');
    if (3 * q.length <= 4 * length)
      words = q.match(new RegExp(`.{1,${room - 1}}(?<!=.?)(?!=[89AB])`, 'g')) ?? [];
  }
  if (!words[0]) {
    scheme = 'b';
    for (let at = 0, end: number; at < length; at = end) {
      end = at + 3 * (room >> 2);
      // Not within a character.
      while ((octets[end] as number) >> 6 === 2) end -= 1;
      // For so few octets btoa() takes two thirds of the time of Buffer (Node 20).
      words.push(portableBase64(octets.subarray(at, end)));
    }
  }
  const start = `=?utf-8?${scheme}?`;
  return `${start}${words.join(`?=${space}${start}`)}?=`;
}
