/**
 * Both sides of one connection, read a second time: which reply answers which command, and so what became of each message.
 * From the octets alone; it shares no line with the session. Octets are characters to U+00FF.
 */

/** One try of a message. */
export interface Attempt {
  readonly sender: string;
  readonly recipients: { readonly address: string; reply?: number }[];
  /** Mail data as a server gets it, without the doubled dots. */
  content: string;
  /** Its last octet was written. */
  ended: boolean;
  /** Its content was ended, by a lone dot perhaps, or RSET was written: another one may begin. */
  over: boolean;
  /** Replies to MAIL, DATA and each BDAT but the last. */
  readonly replies: number[];
  /** Final replies: more than one with LMTP and PRDR. */
  readonly verdicts: number[];
  /** What was said while its content was being written. */
  early?: number;
}

interface Owed {
  readonly to: 'greeting' | 'hello' | 'starttls' | 'auth' | 'data' | 'final' | 'other';
  readonly attempt?: Attempt | undefined;
  readonly recipient?: Attempt['recipients'][number] | undefined;
  /** Whether all of what it answers was written. */
  whole: boolean;
}

/** What the next octets of the client are. With 'silence' there may be none. */
type Mode = 'command' | 'response' | 'content' | 'chunk' | 'silence';

const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?\r$/s;

export class Pairing {
  readonly attempts: Attempt[] = [];
  /** What no client may do. */
  readonly violations: string[] = [];
  /** What the last EHLO was answered with. */
  keywords: ReadonlySet<string> = new Set();
  /** Replies so far; those that answer nothing among them. */
  replies = 0;
  unsolicited = 0;
  /** No reply comes any more: something else has come. */
  broken = false;
  readonly #owed: Owed[] = [{ to: 'greeting', whole: true }];
  #mode: Mode = 'silence';
  #written = '';
  #heard = '';
  #lines: string[] = [];
  #left = 0;
  #current: Attempt | undefined;
  #lmtp = false;

  /** What is answered next; undefined: nothing is asked, or not to its end. */
  get next(): Owed['to'] | undefined {
    return this.#owed[0]?.whole ? this.#owed[0].to : undefined;
  }

  /** How many replies are due. */
  get due(): number {
    return this.#owed.length;
  }

  /** Octets that the client has written. */
  client(octets: string): void {
    this.#written += octets;
    while (this.#written !== '' && this.#step());
  }

  /** Octets of the server, before the client gets them. */
  server(octets: string): void {
    this.#heard += octets;
    for (let end = this.#heard.indexOf('\n'); end >= 0; end = this.#heard.indexOf('\n')) {
      let line = this.#heard.slice(0, end);
      if (this.replies === 0 && this.#lines.length === 0) line = line.replace(/^\xef\xbb\xbf/, '');
      this.#heard = this.#heard.slice(end + 1);
      const [, code, separator] = REPLY_LINE.exec(line) ?? [];
      if (code === undefined || !(this.#lines[0] ?? code).startsWith(code)) this.broken = true;
      if (this.broken) return;
      this.#lines.push(line);
      if (separator !== '-') this.#pair(Number(code), this.#lines.splice(0));
    }
  }

  /** The handshake is done. */
  secured(): void {
    this.#mode = 'command';
  }

  /** Takes a line, a chunk or mail data; false where more has to come. */
  #step(): boolean {
    const mode = this.#mode;
    if (mode === 'silence') {
      this.violations.push(`written too early: ${JSON.stringify(this.#written.slice(0, 80))}`);
      this.#written = '';
      return false;
    }
    if (mode === 'chunk') {
      const taken = this.#take(this.#left);
      this.#left -= taken.length;
      if (this.#current) this.#current.content += taken;
      if (this.#left === 0) this.#endChunk();
      return this.#left === 0;
    }
    if (mode === 'content') {
      const empty = this.#written.startsWith('.\r\n');
      const end = empty ? -2 : this.#written.indexOf('\r\n.\r\n');
      if (end === -1) return false;
      const content = this.#take(end + 2).replace(/(^|\r\n)\./g, '$1');
      this.#take(3);
      if (this.#current) {
        this.#current.content = content;
        // RFC 2920 §3.1: what a lone dot ends is the transaction, not the message.
        this.#current.ended = content !== '';
        this.#current.over = true;
      }
      this.#owe('final', { attempt: this.#current });
      this.#mode = 'command';
      return true;
    }
    const end = this.#written.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#take(end + 2).slice(0, -2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    if (/[\0-\x1f\x7f]/.test(line)) this.violations.push(`no line: ${JSON.stringify(line)}`);
    if (mode === 'response') this.#owe('auth', {}, 'silence');
    else this.#command(line);
    return true;
  }

  #take(length: number): string {
    const taken = this.#written.slice(0, length);
    this.#written = this.#written.slice(length);
    return taken;
  }

  #owe(to: Owed['to'], more: Partial<Owed> = {}, mode: Mode = 'command'): void {
    this.#owed.push({ to, whole: true, ...more });
    this.#mode = mode;
  }

  #command(line: string): void {
    const [, sender] = /^MAIL FROM:<([^>]*)>/.exec(line) ?? [];
    const [, address] = /^RCPT TO:<([^>]*)>/.exec(line) ?? [];
    const [, octets, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
    const attempt = this.#current;
    if (/^(EHLO|LHLO|HELO) \S+$/.test(line)) {
      this.#lmtp = line.startsWith('L');
      this.#owe('hello', {}, 'silence');
    } else if (line === 'STARTTLS') this.#owe('starttls', {}, 'silence');
    else if (/^AUTH \S+( \S+)?$/.test(line)) this.#owe('auth', {}, 'silence');
    else if (sender !== undefined) {
      // RFC 5321 §4.1.4: "a MAIL command MUST NOT be sent if a mail transaction is already open".
      if (attempt && !attempt.over && (attempt.replies[0] ?? 200) < 300)
        this.violations.push(`MAIL in an open transaction: ${line}`);
      this.#current = {
        sender,
        recipients: [],
        content: '',
        ended: false,
        over: false,
        replies: [],
        verdicts: [],
      };
      this.attempts.push(this.#current);
      this.#owe('other', { attempt: this.#current });
    } else if (address !== undefined) {
      const recipient = { address };
      attempt?.recipients.push(recipient);
      this.#owe('other', { recipient });
    } else if (line === 'DATA') this.#owe('data', { attempt }, 'silence');
    else if (octets !== undefined) {
      this.#left = Number(octets);
      this.#owe(last ? 'final' : 'other', { attempt, whole: false }, 'chunk');
      if (this.#left === 0) this.#endChunk();
    } else if (/^(RSET|NOOP|QUIT|VRFY \S+)$/.test(line)) {
      if (line === 'RSET' && attempt) attempt.over = true;
      this.#owe('other');
    } else this.violations.push(`no command: ${JSON.stringify(line)}`);
  }

  #endChunk(): void {
    const owed = this.#owed.at(-1);
    if (owed) owed.whole = true;
    if (owed?.to === 'final' && owed.attempt) owed.attempt.ended = owed.attempt.over = true;
    this.#mode = 'command';
  }

  #pair(code: number, lines: readonly string[]): void {
    this.replies += 1;
    const owed = this.#owed[0];
    if (!owed?.whole) {
      this.unsolicited += 1;
      if (this.#current && !this.#current.ended) this.#current.early ??= code;
      return;
    }
    this.#owed.shift();
    const { to, attempt, recipient } = owed;
    if (to === 'greeting') this.#mode = 'command';
    else if (to === 'hello') {
      const words = lines.slice(1).map((line) => /^....([!-~]*)/.exec(line)?.[1] ?? '');
      this.keywords = new Set(code < 300 ? words.map((word) => word.toUpperCase()) : []);
      this.#mode = 'command';
    } else if (to === 'starttls') this.#mode = code === 220 ? 'silence' : 'command';
    else if (to === 'auth') this.#mode = code === 334 ? 'response' : 'command';
    else if (to === 'data') this.#mode = code === 354 ? 'content' : 'command';
    if (recipient) recipient.reply = code;
    else if (to === 'final' && attempt) this.#verdict(code, attempt);
    else attempt?.replies.push(code);
  }

  /** RFC 2033 §4.2, and Exim's PRDR: one for each recipient that was accepted. */
  #verdict(code: number, attempt: Attempt): void {
    attempt.verdicts.push(code);
    if (attempt.verdicts.length > 1) return;
    const accepted = attempt.recipients.filter(({ reply = 999 }) => reply < 300).length;
    // Whoever announces them gives them, asked for by PRDR or not: the session takes a server at its word.
    const announced = code === 353;
    const more = announced ? accepted + 1 : this.#lmtp ? accepted - 1 : 0;
    for (let at = 0; at < more; at += 1) this.#owed.unshift({ to: 'final', attempt, whole: true });
  }
}
