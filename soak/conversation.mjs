/**
 * One connection of a server that has faults. A message is accepted from the moment that its 250 is decided, before an octet
 * of that is written: the record is the truth that the client is held to. It shares no line with what it judges.
 */
import { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { Speech } from './speech.mjs';

const COMMAND = /^(EHLO|LHLO|HELO|STARTTLS|AUTH|MAIL|RCPT|DATA|BDAT|RSET|NOOP|VRFY|QUIT)\b/;
const NONE = Buffer.alloc(0);

export class Conversation {
  #random;
  #character;
  #server;
  #speech;
  #held = NONE;
  #mail = false;
  #prdr = false;
  #recipients = [];
  /** Pieces of the content; by DATA, what of it was read, and its last octets. */
  #content = [];
  #data = false;
  #tail = '';
  /** What a BDAT still owes. */
  #chunk;
  /** A chunk was refused: RSET has to come before anything else (RFC 3030 §2). */
  #broken = false;

  /**
   * @param server - `contexts` of TLS by their kind; `accepted(message)`, `violation(text)` and `fault(name)`, which are told
   *   what happens; `later(ms, then)`
   * @param character - what characterOf() gives
   * @param random - what seeded() gives
   */
  constructor(server, socket, character, random) {
    this.#server = server;
    this.#random = random;
    this.#character = character;
    this.#speech = new Speech(socket, { server, character, random, goOn: () => this.#read() });
    if (character.implicit) this.#handshake();
    else {
      this.#listen();
      this.#greet();
    }
  }

  #greet() {
    this.#speech.answer('connect', '220 soak ESMTP');
  }

  #listen() {
    const { socket } = this.#speech;
    socket.on('error', () => {});
    socket.on('data', (octets) => {
      if (this.#speech.over || socket !== this.#speech.socket) return;
      this.#held = this.#held.length ? Buffer.concat([this.#held, octets]) : octets;
      this.#read();
    });
  }

  #handshake() {
    const speech = this.#speech;
    const plain = speech.socket;
    plain.removeAllListeners('data');
    if (this.#held.length > 0) this.#server.violation('octets behind STARTTLS');
    const { contexts } = this.#server;
    const fault = speech.draw('handshake');
    plain.on('error', () => {});
    if (fault && !contexts[fault]) {
      speech.perform(fault, ['250 this is no TLS']);
      // Who listens no more hears of no end either.
      plain.resume();
      return;
    }
    speech.socket = new TLSSocket(plain, {
      isServer: true,
      secureContext: contexts[fault ?? 'good'],
    });
    speech.secure = true;
    this.#held = NONE;
    this.#listen();
    if (this.#character.implicit) speech.socket.once('secure', () => this.#greet());
    // A client that does not trust it may leave without a word.
    speech.socket.on('close', () => plain.destroy());
  }

  #read() {
    const speech = this.#speech;
    while (!speech.over && !speech.waits) {
      if (this.#data) {
        if (!this.#readData()) return;
      } else if (this.#chunk) {
        if (!this.#readChunk()) return;
      } else {
        const end = this.#held.indexOf('\r\n');
        if (end < 0) return;
        const line = this.#held.toString('latin1', 0, end);
        this.#held = this.#held.subarray(end + 2);
        this.#command(line);
      }
    }
  }

  #command(line) {
    const speech = this.#speech;
    const challenge = speech.challenges.shift();
    if (challenge !== undefined) {
      this.#challenge(challenge);
      return;
    }
    const [verb] = COMMAND.exec(line) ?? [];
    if (!verb) {
      this.#server.violation(`no command: ${JSON.stringify(line.slice(0, 80))}`);
      speech.end('500 5.5.1 what');
    } else if (/^(EHLO|LHLO|HELO)$/.test(verb)) this.#hello(verb);
    else if (verb === 'STARTTLS') {
      if (speech.answer('starttls', '220 2.0.0 go')) this.#handshake();
    } else if (verb === 'AUTH') this.#authenticate(line);
    else if (verb === 'QUIT') {
      speech.answer('quit', '221 2.0.0 bye');
      if (!speech.over) speech.leave(false);
    } else if (verb === 'RSET') {
      if (speech.answer('reset', '250 2.0.0 ok')) this.#reset();
    } else if (/^(NOOP|VRFY)$/.test(verb)) speech.answer('command', '252 2.0.0 ok');
    else if (verb === 'BDAT') this.#bdat(line);
    else if (this.#broken) speech.say('503 5.5.1 RSET first');
    else this.#envelope(verb, line);
  }

  #hello(verb) {
    const { keywords, lmtp, offersTls, auth } = this.#character;
    if ((verb === 'LHLO') !== lmtp) this.#server.violation(`${verb}, of the other protocol`);
    const offers = verb === 'HELO' ? [] : [...keywords, auth];
    if (offers.length > 0 && offersTls && !this.#speech.secure) offers.push('STARTTLS');
    const lines = ['soak', ...offers];
    this.#speech.answer(
      'hello',
      ...lines.map((text, at) => `250${at < lines.length - 1 ? '-' : ' '}${text}`),
    );
  }

  #authenticate(line) {
    const speech = this.#speech;
    const [, mechanism, initial] = line.split(' ');
    if (mechanism === 'LOGIN') speech.challenges = ['334 UGFzc3dvcmQ6', '235 2.7.0 ok'];
    else if (initial === undefined) speech.challenges = ['235 2.7.0 ok'];
    this.#challenge(speech.challenges.length > 0 ? '334 VXNlcm5hbWU6' : '235 2.7.0 ok');
  }

  #challenge(text) {
    const speech = this.#speech;
    // What is refused is asked for no more.
    if (!speech.answer('auth', text))
      speech.challenges = speech.challenges.filter((one) => one.startsWith('501'));
  }

  #envelope(verb, line) {
    const speech = this.#speech;
    if (verb === 'MAIL') {
      if (this.#mail) this.#server.violation('MAIL in an open transaction');
      if (!speech.answer('command', this.#mail ? '503 5.5.1 nested' : '250 2.1.0 ok')) return;
      this.#mail = true;
      this.#prdr = / PRDR\b/.test(line);
    } else if (verb === 'RCPT') {
      const [, address = ''] = /^RCPT TO:<(.*)>/.exec(line) ?? [];
      if (!this.#mail) speech.say('503 5.5.1 MAIL first');
      else if (address.startsWith('no')) speech.say('550 5.1.1 nobody there');
      else if (address.startsWith('later')) speech.say('451 4.2.1 not now');
      else if (speech.answer('command', '250 2.1.5 ok')) this.#recipients.push(address);
    } else if (this.#recipients.length === 0) speech.say('554 5.5.1 no valid recipients');
    else if (speech.answer('command', '354 go')) {
      this.#data = true;
      this.#tail = '\r\n';
    }
  }

  /** Mail data, up to the final dot. */
  #readData() {
    const octets = this.#held;
    const seam = this.#tail + octets.toString('latin1', 0, 4);
    const inSeam = seam.indexOf('\r\n.\r\n');
    const found = inSeam >= 0 ? inSeam - this.#tail.length : octets.indexOf('\r\n.\r\n');
    if (inSeam < 0 && found < 0) {
      this.#content.push(octets);
      const last = octets.toString('latin1', Math.max(0, octets.length - 4));
      this.#tail = (this.#tail + last).slice(-4);
      this.#held = NONE;
      if (octets.length > 0) this.#duringContent();
      return false;
    }
    this.#content.push(octets.subarray(0, found + 5));
    this.#held = octets.subarray(found + 5);
    this.#data = false;
    const stuffed = Buffer.concat(this.#content).toString('latin1').slice(0, -3);
    this.#finish(Buffer.from(stuffed.replace(/^\./gm, ''), 'latin1'));
    return true;
  }

  #bdat(line) {
    const [, octets, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
    if (octets === undefined) this.#server.violation(`no BDAT: ${line.slice(0, 80)}`);
    if (!this.#character.keywords.includes('CHUNKING'))
      this.#server.violation('BDAT without CHUNKING');
    this.#chunk = {
      left: Number(octets),
      last: last !== undefined,
      refused: this.#broken || this.#recipients.length === 0,
    };
  }

  /** Exactly the octets that were announced, refused or not (RFC 3030 §2). */
  #readChunk() {
    const chunk = this.#chunk;
    const taken = this.#held.subarray(0, chunk.left);
    this.#held = this.#held.subarray(taken.length);
    chunk.left -= taken.length;
    if (!chunk.refused) this.#content.push(taken);
    if (chunk.left > 0) {
      if (taken.length > 0) this.#duringContent();
      return false;
    }
    this.#chunk = undefined;
    if (chunk.refused) {
      this.#broken ||= !chunk.last;
      this.#content = [];
      this.#speech.say('503 5.5.1 no valid transaction');
    } else if (chunk.last) this.#finish(Buffer.concat(this.#content));
    else if (!this.#speech.answer('command', '250 2.0.0 chunk')) {
      this.#broken = true;
      this.#content = [];
    }
    return true;
  }

  /** Once for each read, as long as the end is not there. */
  #duringContent() {
    const speech = this.#speech;
    const fault = speech.draw('content');
    if (fault === 'pause') speech.pause();
    else if (fault?.startsWith('early')) {
      // Judged before its end: what comes then is read by nobody, and what was asked is never answered.
      const reply = fault === 'early 421' ? '421 4.3.2 shutting down' : '451 4.3.0 enough';
      if (!this.#character.stalls) speech.end(reply);
      speech.say(reply);
      speech.over = true;
    } else if (fault) speech.perform(fault);
  }

  /** The whole message is there: what becomes of it is decided here, and noted before it is said. */
  #finish(content) {
    const recipients = this.#recipients;
    const { lmtp } = this.#character;
    const announced = !lmtp && this.#prdr && recipients.length > 1;
    const verdicts = recipients.map(() =>
      (lmtp || announced) && this.#random.once(6) ? '550 5.7.1 not for me' : '250 2.1.5 ok',
    );
    const taken = recipients.filter((_, at) => verdicts[at].startsWith('2'));
    this.#reset();
    const speech = this.#speech;
    const fault = speech.draw('final');
    if (taken.length > 0 && (!fault || /^(kept|drip|slow)/.test(fault)))
      this.#server.accepted({
        id: Number(/^X-Soak: (\d+)\r$/m.exec(content.toString('latin1', 0, 8_192))?.[1] ?? -1),
        recipients: taken,
        octets: content.length,
        digest: createHash('sha1').update(content).digest('base64'),
      });
    // With PRDR the last reply speaks for the message as a whole.
    const final = taken.length > 0 ? '250 2.0.0 queued' : '550 5.7.1 for nobody';
    const lines = lmtp ? verdicts : announced ? ['353 each', ...verdicts, final] : [final];
    if (fault === 'kept, 421') speech.end(...lines, '421 4.3.2 shutting down');
    else speech.perform(fault?.replace('kept, ', ''), lines, lmtp ? lines.length : 1);
  }

  #reset() {
    this.#mail = this.#broken = this.#data = this.#prdr = false;
    this.#recipients = [];
    this.#content = [];
  }
}
