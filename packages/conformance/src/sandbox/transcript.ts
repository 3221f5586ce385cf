/** What was said on one connection: the last lines, without what is secret. */
import type { TranscriptLine } from './inbox.ts';

const KEPT = 200;
/** A line that goes on for longer is cut. */
const LONGEST = 1_000;

/** What a client says that is no answer: anything else may be a secret. */
const VERBS: ReadonlySet<string> = new Set(
  'EHLO HELO LHLO STARTTLS MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP'.split(' '),
);

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
    const [, verb = '', rest = ''] = /^\s*([a-z]*)(?=$|\s)(.*)$/is.exec(line) ?? [];
    if (verb.toUpperCase() === 'AUTH') {
      this.#authenticating = true;
      const [, mechanism = '', initial] = /^(\s+\S+)?(\s+.*)?$/s.exec(rest) ?? [];
      this.#add('client', `${verb}${mechanism}${initial?.trim() ? ' <secret>' : ''}`, secure);
    } else if (VERBS.has(verb.toUpperCase())) this.#add('client', line, secure);
    // An answer to a challenge that came too late, a password typed by mistake.
    else this.#add('client', '<not a command>', secure);
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
    // A part of a string would keep the whole of it in memory.
    const shown =
      text.length > LONGEST ? `${Buffer.from(text.slice(0, LONGEST)).toString()}…` : text;
    this.#lines.push({ direction, text: shown, secure });
    if (this.#lines.length > KEPT) this.#lines.shift();
  }
}
