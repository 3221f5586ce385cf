/** What was said on one connection: the last lines, without what is secret. */
import type { TranscriptLine } from './inbox.ts';

const KEPT = 200;
/** A line that goes on for longer is cut. */
const LONGEST = 1_000;

export class Transcript {
  #lines: TranscriptLine[] = [];
  /** Mechanism of the AUTH under way: its lines are answers to challenges. */
  #authenticating = false;

  /** What has been said so far. */
  get lines(): readonly TranscriptLine[] {
    return [...this.#lines];
  }

  /** A command line of the client, or its answer to a challenge. */
  client(line: string, secure: boolean): void {
    if (this.#authenticating) {
      // RFC 4954 §4: a lone * ends the exchange.
      this.#add('client', line.trim() === '*' ? '*' : '<secret>', secure);
      return;
    }
    const [, verb, initial] = /^(AUTH\s+\S+)(\s+.*)?$/is.exec(line) ?? [];
    if (verb !== undefined) {
      this.#authenticating = true;
      this.#add('client', initial?.trim() ? `${verb} <secret>` : verb, secure);
    } else this.#add('client', line, secure);
  }

  /** Content: how much of it there was. */
  content(octets: number, secure: boolean): void {
    this.#add('client', `<${octets} octets of content>`, secure);
    this.#add('client', '.', secure);
  }

  /** A reply, of one line or more. */
  server(reply: string, secure: boolean): void {
    if (!reply.startsWith('334')) this.#authenticating = false;
    for (const line of reply.replace(/\r\n$/, '').split('\r\n')) this.#add('server', line, secure);
  }

  #add(direction: 'client' | 'server', text: string, secure: boolean): void {
    const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
    this.#lines.push({ direction, text: shown, secure });
    if (this.#lines.length > KEPT) this.#lines.shift();
  }
}
