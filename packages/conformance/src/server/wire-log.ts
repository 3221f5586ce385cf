/** What happened on one connection, as its server saw it, and how replies are cut on their way. */

/** In one segment for each reply; one for each line; one for each octet (byte). */
export type Delivery = 'whole' | 'line' | 'byte';

/** One thing that happened. `at` is ms since the play began; octets are characters to U+00FF. */
export type WireEvent =
  | {
      readonly at: number;
      readonly who: 'client' | 'server';
      readonly secure: boolean;
      readonly text: string;
      /** Octets beyond those in `text`, which were too many to keep. */
      readonly omitted?: number;
    }
  /** The handshake begins: from here on, what is not TLS is a fault. */
  | { readonly at: number; readonly who: 'handshake' }
  /** TLS is there. */
  | {
      readonly at: number;
      readonly who: 'tls';
      readonly servername: string | undefined;
      readonly protocol: string | undefined;
    }
  /** The handshake failed. */
  | { readonly at: number; readonly who: 'tls-failed'; readonly text: string }
  /** One side has ended or broken the connection. */
  | {
      readonly at: number;
      readonly who: 'end';
      readonly by: 'client' | 'server';
      readonly reset?: boolean;
    };

/** Of what a server says in one write no more than this is kept. */
const KEPT = 16_384;
/** Of what a client says on one connection no more is kept than this: 64 MiB, four times the longest message. */
const MOST = 67_108_864;
/** Octets that are delivered one by one in one write; what is behind them follows in one segment. */
const DRIPPED = 2_048;

/** The record of one connection. */
export class WireLog {
  readonly events: WireEvent[] = [];
  readonly #started: number;
  #room = MOST;

  /** @param started - what performance.now() was when the play began */
  constructor(started: number) {
    this.#started = started;
  }

  #at(): number {
    return Math.round((performance.now() - this.#started) * 10) / 10;
  }

  /** @returns whether all of it is kept: a client that says more has to be cut off */
  client(octets: Uint8Array, secure: boolean): boolean {
    const kept = octets.subarray(0, this.#room);
    const omitted = octets.length - kept.length;
    this.#room -= kept.length;
    this.events.push({
      at: this.#at(),
      who: 'client',
      secure,
      text: latin1(kept),
      ...(omitted > 0 ? { omitted } : {}),
    });
    return omitted === 0;
  }

  server(text: string, secure: boolean): void {
    const omitted = text.length - KEPT;
    this.events.push({
      at: this.#at(),
      who: 'server',
      secure,
      text: text.slice(0, KEPT),
      ...(omitted > 0 ? { omitted } : {}),
    });
  }

  /** Of what a server says again and again only the number of octets counts. */
  more(octets: number): void {
    // The client may have said something since.
    const place = this.events.findLastIndex(({ who }) => who === 'server');
    const last = this.events[place];
    if (last?.who === 'server')
      this.events[place] = { ...last, omitted: (last.omitted ?? 0) + octets };
  }

  handshake(): void {
    this.events.push({ at: this.#at(), who: 'handshake' });
  }

  secured(servername: string | undefined, protocol: string | undefined): void {
    this.events.push({ at: this.#at(), who: 'tls', servername, protocol });
  }

  failed(text: string): void {
    this.events.push({ at: this.#at(), who: 'tls-failed', text });
  }

  end(by: 'client' | 'server', reset = false): void {
    if (this.events.some((event) => event.who === 'end' && event.by === by)) return;
    this.events.push({ at: this.#at(), who: 'end', by, ...(reset ? { reset } : {}) });
  }
}

const latin1 = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');

/** The pieces in which a text is written. */
export function cut(text: string, delivery: Delivery): string[] {
  if (delivery === 'whole' || text.length < 2) return [text];
  if (delivery === 'line') return text.match(/[^\n]*\n|[^\n]+$/g) ?? [text];
  const dripped = [...text.slice(0, DRIPPED)];
  return text.length > DRIPPED ? [...dripped, text.slice(DRIPPED)] : dripped;
}
