/**
 * The EHLO reply as a value (RFC 5321 §4.1.1.1): which service extensions the server offers. Read by
 * token, never by substring: `XSTARTTLS` is not STARTTLS.
 *
 *   ehlo-line = ehlo-keyword *( SP ehlo-param )
 */
import type { Reply } from './reply.ts';

/** What the server offers, as its last EHLO reply said. */
export interface Capabilities {
  /** Keyword to its parameters, all in upper case. */
  readonly keywords: ReadonlyMap<string, readonly string[]>;
  /** Names of the SASL mechanisms offered, in upper case (RFC 4954 §3). */
  readonly auth: ReadonlySet<string>;
  /** The largest message, in octets (RFC 1870 §3); undefined where none is declared. */
  readonly size: number | undefined;
  /** What the server limits (RFC 9422), as it wrote it: 'RCPTMAX=100', 'MAILMAX=50'. */
  readonly limits: readonly string[];
  /** Whether a keyword is offered. Keywords are in upper case. */
  has(keyword: string): boolean;
}

/**
 * Reads an EHLO reply.
 *
 * @param reply - its first line is the greeting of the server; each further line is one keyword
 * @param ignore - keywords to treat as absent, for servers that offer what they cannot do
 */
export function parseCapabilities(reply?: Reply, ignore: readonly string[] = []): Capabilities {
  const keywords = new Map<string, readonly string[]>();
  for (const line of reply?.lines.slice(1) ?? []) {
    // `AUTH=LOGIN` is how servers older than RFC 2554 wrote it, and some still do beside the right form.
    const [keyword, ...parameters] = line.toUpperCase().split(/[ \t]+|(?<=^AUTH)=/) as [string];
    // Letters outside ASCII can become ASCII in upper case: `ſ` does.
    if (!/[^\t -~]/.test(line))
      keywords.set(keyword, [...(keywords.get(keyword) ?? []), ...parameters]);
  }
  for (const keyword of ignore) keywords.delete(keyword.toUpperCase());
  // RFC 3030 §3: without CHUNKING there is no way to send it.
  if (!keywords.has('CHUNKING')) keywords.delete('BINARYMIME');
  return {
    keywords,
    auth: new Set(keywords.get('AUTH')),
    // RFC 1870 §3: no number, or 0, declares no fixed maximum.
    size: Number(/^\d+$/.exec(keywords.get('SIZE')?.[0] as string)) || undefined,
    limits: keywords.get('LIMITS') ?? [],
    has: (keyword) => keywords.has(keyword),
  };
}
