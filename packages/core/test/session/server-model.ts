/**
 * A server, as little of one as decides what it has accepted: it reads commands and content as octets, and
 * answers each as the test has drawn. It shares no line with what it judges. SMTP or LMTP, DATA or BDAT, with
 * PRDR, and as unhelpful as the RFCs let it be.
 */

/** How the server answers one command, one chunk, or one message. */
export type Answer =
  | 'yes'
  | 'later'
  | 'never'
  | 'sequence'
  | 'intermediate'
  | 'garbage'
  | 'shutdown'
  | 'odd-yes';

/** A message that the server has taken responsibility for. */
export interface Delivered {
  readonly content: string;
  readonly recipients: readonly string[];
}

/** What kind of server it is. */
export interface Character {
  readonly keywords: readonly string[];
  readonly lmtp: boolean;
  /** RCPT without MAIL, and DATA without recipients, are refused; else they are answered as drawn. */
  readonly strict: boolean;
  /** What has come behind content in one burst is answered 503, as Haraka does. */
  readonly alone: boolean;
  /** RFC 3030 §2: what a failed BDAT leaves is indeterminate. It bears nothing but RSET, or it keeps the recipients it had. */
  readonly failed: 'refuses' | 'keeps';
}

/** A whole message as it came, accepted or not. Offsets are of octets read, and of octets said. */
export interface Attempt {
  /** The reverse-path of its MAIL. */
  readonly sender: string | undefined;
  /** Where its MAIL begins; where its last octet ends. */
  readonly from: number;
  readonly to: number;
  /** Octets that its last command carries. */
  readonly octets: number;
  /** Where the first reply to it ends, and the last one. */
  readonly first: number;
  readonly verdict: number;
}

/** The final reply for one recipient. */
export interface Verdict {
  readonly content: string;
  readonly address: string;
  readonly answer: Answer;
  /** Where the reply ends. */
  readonly end: number;
}

/** A command, and how many replies were said before it was answered. */
export interface Heard {
  readonly verb: string;
  readonly before: string;
  readonly from: number;
  readonly said: number;
}

/** What a BDAT carries, as far as it was read. */
interface Chunk {
  readonly last: boolean;
  readonly octets: number;
  /** It came where nothing may come. */
  readonly refused: boolean;
  left: number;
  text: string;
}

const COMMAND =
  /^(?:(?:EHLO|LHLO) \S+|RSET|NOOP|QUIT|DATA|BDAT (\d+)( LAST)?|MAIL FROM:<([^<>\s]*)>((?: \S+)*)|RCPT TO:<([^<>\s]+)>)$/;
const KEPT: readonly Answer[] = ['yes', 'odd-yes'];

export class ServerModel {
  readonly delivered: Delivered[] = [];
  readonly attempts: Attempt[] = [];
  readonly verdicts: Verdict[] = [];
  readonly heard: Heard[] = [];
  /** What no client may do. */
  readonly violations: string[] = [];
  /** Replies said. */
  answered = 0;
  /** It reads and says nothing more. */
  closed = false;
  readonly #draw: () => Answer;
  readonly #character: Character;
  /** What is read and not taken yet; where it begins; what is said in this burst, and was in all, the greeting too. */
  #held = '';
  #at = 0;
  #out = '';
  #said: number;
  #verb = '';
  /** Mail data by DATA; or the chunk that is being read. */
  #data: string[] | undefined;
  #chunk: Chunk | undefined;
  /** The content of the chunks so far. */
  #chunks = '';
  #sender: string | undefined;
  #mailAt = 0;
  #parameters = '';
  #recipients: string[] = [];
  #indeterminate = false;
  /** A RSET has come since MAIL was accepted or BDAT failed, whatever was answered to it. */
  #excused = true;
  /** Content has ended in this burst; what is held began in a burst where it had. */
  #behind = false;
  #tainted = false;

  /** @param greeting - what it has said already */
  constructor(draw: () => Answer, character: Character, greeting: string) {
    this.#draw = draw;
    // Who keeps recipients of its own accord would owe replies that nobody can count.
    const counted = character.lmtp || character.keywords.includes('PRDR');
    this.#character = counted ? { ...character, failed: 'refuses', strict: true } : character;
    this.#said = greeting.length;
  }

  /** Takes octets, one character each; returns what it says to them. */
  read(octets: string): string {
    this.#out = '';
    this.#held += octets;
    while (!this.closed && this.#step());
    this.#tainted = this.#behind && this.#held !== '';
    this.#behind = false;
    return this.#out;
  }

  #has(keyword: string): boolean {
    return this.#character.keywords.includes(keyword);
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#at += taken.length;
    return taken;
  }

  /** Takes one line, or of a chunk what is there; false where more has to come. */
  #step(): boolean {
    const chunk = this.#chunk;
    if (chunk) {
      const text = this.#take(chunk.left);
      chunk.left -= text.length;
      chunk.text += text;
      if (chunk.left > 0) return false;
      this.#chunk = undefined;
      this.#endChunk(chunk);
      return true;
    }
    const end = this.#held.indexOf('\r\n');
    if (end === -1) return false;
    const from = this.#at;
    const line = this.#take(end + 2).slice(0, -2);
    if (/[\r\n]/.test(line)) this.violations.push(`a bare CR or LF in ${JSON.stringify(line)}`);
    if (!this.#data) this.#command(line, from);
    else if (line !== '.') this.#data.push(`${line.startsWith('.') ? line.slice(1) : line}\r\n`);
    else {
      const content = this.#data.join('');
      this.#data = undefined;
      this.#endData(content);
    }
    return true;
  }

  #endData(content: string): void {
    // Without an envelope there is nothing to deliver, whatever is answered; with one, content must have come.
    if (this.#sender !== undefined && this.#recipients.length > 0)
      this.#judge(content, content.length);
    else {
      if (content !== '')
        this.violations.push(`content without an envelope: ${JSON.stringify(content)}`);
      this.#reply(this.#draw(), '250 nothing');
      this.#reset();
    }
    this.#behind = true;
  }

  #endChunk({ last, octets, refused, text }: Chunk): void {
    const valid =
      !refused && !this.#indeterminate && this.#sender !== undefined && this.#recipients.length > 0;
    const keeps = this.#indeterminate && !refused && this.#character.failed === 'keeps';
    if (last) this.#behind = true;
    if (valid || (keeps && this.#sender !== undefined && this.#recipients.length > 0)) {
      if (last) {
        this.#judge(this.#chunks + text, octets);
        return;
      }
      const answer = this.#draw();
      if (KEPT.includes(answer)) this.#chunks += text;
      if (answer !== 'yes') this.#fail();
      this.#reply(answer, '250 chunk');
      return;
    }
    // RFC 3030 §2: 503, whatever else was drawn that is no failure.
    const answer = refused ? 'sequence' : this.#draw();
    if (!refused) this.#fail();
    if (last)
      this.#attempt(octets, () => this.#reply(KEPT.includes(answer) ? 'sequence' : answer, ''));
    else this.#reply(KEPT.includes(answer) ? 'sequence' : answer, '');
  }

  #fail(): void {
    this.#indeterminate = true;
    this.#excused = false;
    this.#chunks = '';
    if (this.#character.failed === 'keeps') return;
    this.#sender = undefined;
    this.#recipients = [];
  }

  #attempt(octets: number, judge: () => void): void {
    const [sender, from, to] = [this.#sender, this.#mailAt, this.#at];
    const said = this.#said;
    const out = this.#out.length;
    judge();
    const first = said + this.#out.indexOf('\r\n', out) + 2 - out;
    this.attempts.push({ sender, from, to, octets, first, verdict: this.#said });
  }

  /** A whole message: says what there is to say, and keeps it for whom it is accepted. */
  #judge(content: string, octets: number): void {
    const chunked = this.#verb === 'BDAT';
    const declared = /SIZE=(\d+)/.exec(this.#parameters)?.[1];
    if (declared !== undefined && !this.#indeterminate && Number(declared) !== content.length)
      this.violations.push(`SIZE=${declared}, and there came ${content.length}`);
    let kept: string[] = [];
    const each = (): void => {
      for (const address of this.#recipients) {
        if (this.closed) break;
        const answer = this.#draw();
        if (KEPT.includes(answer)) kept.push(address);
        this.#reply(answer, '250 for this one');
        this.verdicts.push({ content, address, answer, end: this.#said });
      }
    };
    this.#attempt(octets, () => {
      const { lmtp } = this.#character;
      const announces = / PRDR/.test(this.#parameters) && this.#recipients.length > 1;
      if (lmtp && !announces) {
        each();
        return;
      }
      const answer = lmtp ? 'yes' : this.#draw();
      if (answer !== 'yes' || !announces) {
        if (KEPT.includes(answer)) kept = this.#recipients;
        this.#reply(answer, '250 queued');
        return;
      }
      this.#say('353 each');
      each();
      if (this.closed) kept = [];
      else {
        const final = kept.length > 0 ? this.#draw() : 'never';
        if (!KEPT.includes(final)) kept = [];
        this.#reply(final, '250 queued');
      }
    });
    if (kept.length > 0) this.delivered.push({ content, recipients: kept });
    if (kept.length > 0 || !chunked) this.#reset();
    else this.#fail();
  }

  #command(line: string, from: number): void {
    const match = COMMAND.exec(line);
    if (!match) this.violations.push(`no command: ${JSON.stringify(line)}`);
    const [, length, last, sender, parameters = '', recipient] = match ?? [];
    const before = this.#verb;
    this.#verb = line.slice(0, 4);
    this.heard.push({ verb: this.#verb, before, from, said: this.answered });
    const refused = this.#character.alone && (this.#behind || this.#tainted);
    this.#tainted = false;
    if (length !== undefined) {
      if (!this.#has('CHUNKING')) this.violations.push('BDAT, which was not offered');
      const octets = Number(length);
      this.#chunk = { left: octets, last: last !== undefined, octets, refused, text: '' };
      return;
    }
    if (line === 'RSET') this.#excused = true;
    if (sender !== undefined) {
      if (!this.#excused && this.#indeterminate) this.violations.push('MAIL behind a failed BDAT');
      else if (!this.#excused && !refused) this.violations.push('MAIL in an open transaction');
      if (/ PRDR/.test(parameters) && !this.#has('PRDR'))
        this.violations.push('PRDR, which was not offered');
    }
    if (refused) {
      this.#reply('sequence', '');
      return;
    }
    if (this.#verb === (this.#character.lmtp ? 'LHLO' : 'EHLO')) {
      this.#hello();
      return;
    }
    const { lmtp, strict, failed } = this.#character;
    const lost = this.#indeterminate && failed === 'refuses';
    const envelope = this.#sender !== undefined && this.#recipients.length > 0;
    const impossible =
      (lost && !/^(RSET|QUIT|NOOP)$/.test(line)) ||
      (line === 'DATA' && !envelope && strict) ||
      (recipient !== undefined && this.#sender === undefined && strict);
    const drawn = this.#draw();
    // It may have done what it was asked, whatever 3yz it says to it.
    // Where each recipient gets a final reply, how many there will be is known only where each was accepted or refused.
    const clear =
      !(lmtp || this.#has('PRDR')) ||
      !/^(RSET|MAIL|RCPT)/.test(line) ||
      !/intermediate|odd-yes/.test(drawn);
    const answer = impossible && KEPT.includes(drawn) ? 'sequence' : clear ? drawn : 'never';
    const yes = KEPT.includes(answer);
    if (line === 'DATA') {
      // It may want content without an envelope: RFC 2920 §3.1 has the client know what to do then.
      if (yes) this.#data = [];
      this.#reply(answer, '354 go');
      return;
    }
    if (line === 'QUIT') {
      this.#reply(answer, '221 bye');
      this.closed = true;
      return;
    }
    // Where each recipient gets a final reply, one whom a refused RSET leaves there would get one that nobody counts.
    if (line === 'RSET' && (yes || lmtp || this.#has('PRDR'))) this.#reset();
    // What it makes of a RSET that it refuses is its own affair, but it mixes no messages.
    if (line === 'RSET') this.#chunks = '';
    // Where either was refused, what comes next may find what was there before.
    if (/^(RSET|MAIL)/.test(line)) this.#parameters = '';
    if (sender !== undefined && yes) {
      if (!this.#indeterminate) this.#reset();
      this.#sender = sender;
      this.#parameters = parameters;
      this.#mailAt = from;
      this.#excused = false;
    }
    if (recipient !== undefined && yes) this.#recipients = [...this.#recipients, recipient];
    this.#reply(answer, '250 ok');
  }

  #hello(): void {
    const lines = ['mail.example.com', ...this.#character.keywords];
    this.#say(
      lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n'),
    );
  }

  #reset(): void {
    this.#sender = undefined;
    this.#recipients = [];
    this.#chunks = '';
    this.#indeterminate = false;
    this.#excused = true;
  }

  #reply(answer: Answer, yes: string): void {
    if (answer === 'shutdown') this.closed = true;
    const text: Record<Answer, string> = {
      yes,
      later: '451-try\r\n451 later',
      never: '550 no',
      sequence: '503 not now',
      intermediate: yes.startsWith('354') ? '334 what' : '354 what',
      garbage: 'what?',
      shutdown: '421 down',
      'odd-yes': '334 what',
    };
    this.#say(text[answer]);
  }

  #say(reply: string): void {
    this.answered += 1;
    this.#out += `${reply}\r\n`;
    this.#said += reply.length + 2;
  }
}
