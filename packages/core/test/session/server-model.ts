/**
 * A server, as little of one as decides what it has accepted: it reads commands and content octet by
 * octet, and answers each as the test has drawn. It shares no line with what it judges.
 */

/** How the server answers one command, or one message. */
export type Answer =
  | 'yes'
  | 'later'
  | 'never'
  | 'intermediate'
  | 'garbage'
  | 'shutdown'
  | 'odd-yes';

/** A message that the server has taken responsibility for. */
export interface Delivered {
  readonly content: string;
  readonly recipients: readonly string[];
}

const COMMAND =
  /^(?:EHLO \S+|RSET|NOOP|QUIT|DATA|MAIL FROM:<[^<>\s]*>(?: \S+)*|RCPT TO:<([^<>\s]+)>)$/;

export class ServerModel {
  readonly delivered: Delivered[] = [];
  /** What no client may do. */
  readonly violations: string[] = [];
  /** Commands and messages answered. */
  answered = 0;
  /** It reads and says nothing more. */
  closed = false;
  readonly #draw: () => Answer;
  readonly #hello: string;
  #line = '';
  #content: string[] | undefined;
  #sender = false;
  #recipients: string[] = [];

  constructor(draw: () => Answer, keywords: readonly string[]) {
    this.#draw = draw;
    const lines = ['mail.example.com', ...keywords];
    this.#hello = lines
      .map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}\r\n`)
      .join('');
  }

  /** Takes octets, one character each; returns what it says to them. */
  read(octets: string): string {
    let said = '';
    for (const octet of octets) {
      if (this.closed) break;
      this.#line += octet;
      if (!this.#line.endsWith('\r\n')) continue;
      const line = this.#line.slice(0, -2);
      this.#line = '';
      if (/[\r\n]/.test(line)) this.violations.push(`a bare CR or LF in ${JSON.stringify(line)}`);
      said += this.#content ? this.#data(line, this.#content) : this.#command(line);
    }
    return said;
  }

  #data(line: string, content: string[]): string {
    if (line !== '.') {
      content.push(`${line.startsWith('.') ? line.slice(1) : line}\r\n`);
      return '';
    }
    const message = { content: content.join(''), recipients: this.#recipients };
    const envelope = this.#sender && this.#recipients.length > 0;
    this.#content = undefined;
    this.#reset();
    // Without an envelope there is nothing to deliver, whatever is answered; with one, content must have come.
    const answer = this.#draw();
    if (envelope && (answer === 'yes' || answer === 'odd-yes')) this.delivered.push(message);
    else if (!envelope && message.content !== '') {
      this.violations.push(`content without an envelope: ${JSON.stringify(message.content)}`);
    }
    return this.#say(answer, '250 queued');
  }

  #command(line: string): string {
    const match = COMMAND.exec(line);
    if (!match) this.violations.push(`no command: ${JSON.stringify(line)}`);
    if (line.startsWith('EHLO')) {
      this.answered += 1;
      return this.#hello;
    }
    const answer = this.#draw();
    // It may have done what it was asked, whatever 3yz it says to it.
    const yes = answer === 'yes' || answer === 'odd-yes';
    if (line === 'DATA') {
      // It may want content without an envelope: RFC 2920 §3.1 has the client know what to do then.
      if (yes) this.#content = [];
      return this.#say(answer, '354 go');
    }
    if (line === 'QUIT') {
      const said = this.#say(answer, '221 bye');
      this.closed = true;
      return said;
    }
    if (line === 'RSET' && yes) this.#reset();
    if (line.startsWith('MAIL') && yes) {
      this.#reset();
      this.#sender = true;
    }
    if (match?.[1] !== undefined && yes) this.#recipients = [...this.#recipients, match[1]];
    return this.#say(answer, '250 ok');
  }

  #reset(): void {
    this.#sender = false;
    this.#recipients = [];
  }

  #say(answer: Answer, yes: string): string {
    this.answered += 1;
    if (answer === 'shutdown') this.closed = true;
    const text: Record<Answer, string> = {
      yes,
      later: '451-try\r\n451 later',
      never: '550 no',
      intermediate: yes.startsWith('354') ? '334 what' : '354 what',
      garbage: 'what?',
      shutdown: '421 down',
      'odd-yes': '334 what',
    };
    return `${text[answer]}\r\n`;
  }
}
