/**
 * Fuzz input read as choices. Total: whatever the octets are, and wherever they end, each question has an answer, and the
 * same octets give the same answers. Near the text that they stand for, so that what a mutation changes is small and a
 * corpus file can be read.
 */

/** What ends a text. At the end of the octets it ends as well. */
const END = 0x00;
/** From here on an octet stands for a token. */
const TOKENS = 0x80;
/** The next two octets are one UTF-16 unit, or one octet where octets are wanted. */
const UNIT = 0xfe;
/** The piece before is repeated, as often as the next octet says, times four. */
const RUN = 0xff;

export class OctetReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  /** Octets that were not read yet. */
  get left(): number {
    return this.#octets.length - this.#at;
  }

  /** 0 at the end. */
  octet(): number {
    const octet = this.#octets[this.#at] ?? 0;
    this.#at = Math.min(this.#at + 1, this.#octets.length);
    return octet;
  }

  /** From 0 to `limit - 1`. */
  below(limit: number): number {
    return (limit > 256 ? this.octet() * 256 + this.octet() : this.octet()) % limit;
  }

  flag(): boolean {
    return this.octet() % 2 === 1;
  }

  pick<const T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] as T;
  }

  /** As many of something as the next octet says, at the most `most`. */
  list<T>(most: number, one: (at: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, at) => one(at));
  }

  /** All that is left. */
  rest(): Uint8Array {
    const rest = this.#octets.subarray(this.#at);
    this.#at = this.#octets.length;
    return rest;
  }

  /**
   * A text, any at all: halves of surrogate pairs and control characters too.
   *
   * @param tokens - what an octet over 127 stands for; 126 of them at the most
   * @param most - it has so many characters at the most
   */
  text(tokens: readonly string[], most = 4_000): string {
    return this.#pieces(tokens, most, () =>
      String.fromCharCode((this.octet() << 8) | this.octet()),
    );
  }

  /** Octets, one character for each: as text(), but for what is over U+00FF. */
  wire(tokens: readonly string[], most = 80_000): string {
    return this.#pieces(tokens, most, () => String.fromCharCode(this.octet()));
  }

  /** The same as octets. */
  octets(tokens: readonly string[], most?: number): Uint8Array {
    return new Uint8Array(Buffer.from(this.wire(tokens, most), 'latin1'));
  }

  #pieces(tokens: readonly string[], most: number, unit: () => string): string {
    let text = '';
    let piece = '';
    while (this.left > 0 && text.length < most) {
      const octet = this.octet();
      if (octet === END) break;
      if (octet === RUN) {
        text += piece.repeat(4 * this.octet());
        continue;
      }
      if (octet === UNIT) piece = unit();
      else if (octet < TOKENS) piece = String.fromCharCode(octet);
      else piece = tokens[(octet - TOKENS) % tokens.length] ?? '';
      text += piece;
    }
    return text.slice(0, most);
  }
}
