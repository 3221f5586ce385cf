/** Parameters of structured fields: quoted, continued and with a charset (RFC 2045 §5.1, RFC 2231), and encoded-words. */

/** @param value - of the field, unfolded: `attachment; filename*=utf-8''%41.txt` */
export function parameterOf(value: string, name: string): string | undefined {
  const pieces = new Map<string, string>();
  const pattern = /;\s*([^\s=;*]+)(\*\d{1,3})?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
  for (const [, key = '', index = '', charset = '', quoted, plain = ''] of value.matchAll(pattern))
    if (key.toLowerCase() === name)
      pieces.set(index + charset, quoted?.replace(/\\(.)/g, '$1') ?? plain);
  const extended = pieces.get('*');
  if (extended !== undefined) return withCharset(extended);
  const parts: string[] = [];
  let hasCharset = false;
  for (let at = 0; ; at += 1) {
    const coded = pieces.get(`*${at}*`);
    const piece = coded ?? pieces.get(`*${at}`);
    if (piece === undefined) break;
    hasCharset ||= coded !== undefined;
    // What is not coded is taken as it is.
    parts.push(coded ?? encodeURIComponent(piece));
  }
  if (parts[0] === undefined) return pieces.get('');
  return hasCharset ? withCharset(parts.join('')) : decodeURIComponent(parts.join(''));
}

/** `utf-8'en'%D0%90`. */
function withCharset(value: string): string {
  const [, charset = 'utf-8', coded = value] = /^([^']*)'[^']*'(.*)$/s.exec(value) ?? [];
  const octets = coded.replace(/%([0-9A-F]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex as string, 16)),
  );
  return decoded(octets, charset);
}

/** Encoded-words of a text (RFC 2047 §2); those in unknown charsets stay as they are. */
export function wordsDecoded(text: string | undefined): string | undefined {
  return text
    ?.replace(/(=\?[^?]+\?[bq]\?[^?]*\?=)\s+(?==\?[^?]+\?[bq]\?)/gi, '$1')
    .replace(/=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi, (_, charset, kind, word) =>
      decoded(
        /b/i.test(kind as string)
          ? Buffer.from(word as string, 'base64').toString('latin1')
          : (word as string)
              .replace(/_/g, ' ')
              .replace(/=([0-9A-F]{2})/gi, (_found, hex) =>
                String.fromCharCode(Number.parseInt(hex as string, 16)),
              ),
        charset as string,
      ),
    );
}

function decoded(octets: string, charset: string): string {
  try {
    return new TextDecoder(charset || 'utf-8').decode(Buffer.from(octets, 'latin1'));
  } catch {
    return octets;
  }
}
