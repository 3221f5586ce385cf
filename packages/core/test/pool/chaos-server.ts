/**
 * A server that does at random what goes wrong in the field. Its mailbox is the truth: a message is in it from the
 * moment that its 250 is decided, before a single octet of it is written. It shares no line with what it judges.
 */
import { createServer, type Server, type Socket } from 'node:net';

/** From 0 to 1, the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What may happen when the server is to speak. */
const FAULTS = {
  connect: ['RST', 'FIN', '421', 'stall'],
  hello: ['RST', 'FIN', '421', 'stall'],
  command: ['RST', 'FIN', '421', 'stall', '451', '550'],
  // RFC 5321 §4.1.1.5: the receiver "MUST send" 250 to it. In one group with BDAT it cannot be otherwise.
  reset: ['RST', 'FIN', '421', 'stall'],
  content: ['RST', 'FIN', 'stall', 'early 451', 'early 421', 'slow'],
  final: [
    'RST',
    'FIN',
    '421',
    'stall',
    '451',
    '550',
    'kept, RST',
    'kept, stall',
    'kept, cut',
    'kept, FIN',
    'kept, 421',
  ],
  quit: ['RST', 'FIN', 'stall'],
} as const;

/** What servers of one kind do. */
export interface Temper {
  readonly random: () => number;
  /** How often something goes wrong on a good connection, and on a bad one; one of four is bad. */
  readonly rates: readonly [good: number, bad: number];
  /** Whether this connection offers CHUNKING. */
  readonly chunking: boolean;
  /** Whether it refuses what stands behind content, as Haraka does. */
  readonly picky: boolean;
}

/** A message as it was kept. */
export interface Kept {
  readonly content: string;
  readonly recipients: number;
}

export class ChaosServer {
  /** How often each fault has happened. */
  readonly faults: Map<string, number> = new Map();
  readonly kept: Kept[] = [];
  /** What no client may do. */
  readonly violations: string[] = [];
  connections = 0;
  most = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(temper: Temper) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      this.connections += 1;
      this.most = Math.max(this.most, this.#sockets.size);
      socket.on('close', () => this.#sockets.delete(socket));
      new Conversation(this, socket, temper).begin();
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Conversation {
  readonly #server: ChaosServer;
  readonly #socket: Socket;
  readonly #temper: Temper;
  readonly #rate: number;
  readonly #chunking: boolean;
  /** What was read and not yet understood. */
  #text = '';
  /** It does nothing more, whatever it reads. */
  #over = false;
  #mail = false;
  #recipients = 0;
  /** Octets of the content so far; with DATA it is being read. */
  #content = '';
  #data = false;
  /** Octets that a BDAT still owes, and whether they are the last. */
  #owed: { octets: number; last: boolean; refused: boolean } | undefined;
  /** A chunk was refused: RSET has to come before anything else (RFC 3030 §2). */
  #broken = false;
  /** Octets that were read together with the end of content, and stand behind it. */
  #behind = 0;

  constructor(server: ChaosServer, socket: Socket, temper: Temper) {
    const { random, rates } = temper;
    this.#server = server;
    this.#socket = socket;
    this.#temper = temper;
    this.#rate = rates[random() < 0.25 ? 1 : 0];
    this.#chunking = temper.chunking && random() < 0.5;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (octets: Buffer) => {
      if (this.#over) return;
      this.#text += octets.toString('latin1');
      this.#read();
    });
  }

  begin(): void {
    if (!this.#fault('connect')) this.#say('220 chaos ESMTP');
  }

  #read(): void {
    while (!this.#over) {
      if (this.#data) {
        if (!this.#readData()) return;
      } else if (this.#owed) {
        if (!this.#readChunk()) return;
      } else {
        const end = this.#text.indexOf('\r\n');
        if (end < 0) return;
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const behind = this.#behind > 0;
        this.#behind -= end + 2;
        if (behind && this.#temper.picky) this.#say('503 5.5.1 pipelined behind the content');
        else this.#command(line);
      }
    }
  }

  #command(line: string): void {
    const verb = line.split(' ')[0] as string;
    if (!/^(EHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT)$/.test(verb))
      this.#server.violations.push(`no command: ${JSON.stringify(line.slice(0, 80))}`);
    if (verb === 'BDAT') this.#bdat(line);
    else if (verb === 'EHLO') {
      if (!this.#fault('hello'))
        this.#say(
          '250-chaos',
          '250-PIPELINING',
          ...(this.#chunking ? ['250-CHUNKING'] : []),
          ...(this.#temper.random() < 0.2 ? ['250-LIMITS MAILMAX=7'] : []),
          '250 8BITMIME',
        );
    } else if (verb === 'QUIT') {
      if (!this.#fault('quit')) this.#end('221 bye');
    } else if (verb === 'RSET') {
      if (this.#fault('reset')) return;
      this.#reset();
      this.#say('250 ok');
    } else if (verb === 'NOOP') this.#say('250 ok');
    else if (this.#broken) this.#say('503 5.5.1 RSET first');
    else if (this.#fault('command')) return;
    else if (verb === 'MAIL') {
      this.#say(this.#mail ? '503 5.5.1 nested MAIL' : '250 ok');
      this.#mail = true;
    } else if (verb === 'RCPT') {
      if (!this.#mail) this.#say('503 5.5.1 MAIL first');
      else if (line.includes('<no')) this.#say('550 5.1.1 nobody there');
      else {
        this.#recipients += 1;
        this.#say('250 ok');
      }
    } else if (!this.#recipients) this.#say('554 5.5.1 no valid recipients');
    else {
      this.#data = true;
      this.#say('354 go');
    }
  }

  /** Dot-stuffed content, up to the final dot. */
  #readData(): boolean {
    const empty = this.#text.startsWith('.\r\n');
    const end = empty ? 0 : this.#text.indexOf('\r\n.\r\n');
    // Once for each read, as long as the end is not there.
    if (end < 0) {
      this.#fault('content');
      return false;
    }
    const stuffed = this.#text.slice(0, empty ? 0 : end + 2);
    this.#text = this.#text.slice(empty ? 3 : end + 5);
    this.#behind = this.#text.length;
    this.#data = false;
    this.#content = stuffed.replace(/^\./gm, '');
    this.#finish();
    return true;
  }

  #bdat(line: string): void {
    const match = /^BDAT (\d+)( LAST)?$/.exec(line);
    if (!match) {
      this.#server.violations.push(`no BDAT: ${JSON.stringify(line.slice(0, 80))}`);
      this.#end('501 5.5.4 no');
      return;
    }
    this.#owed = {
      octets: Number(match[1]),
      last: match[2] !== undefined,
      refused: this.#broken || !this.#recipients,
    };
    if (!this.#chunking) this.#server.violations.push('BDAT without CHUNKING');
  }

  /** Exactly the octets that were announced, refused or not (RFC 3030 §2). */
  #readChunk(): boolean {
    const { octets, last, refused } = this.#owed as {
      octets: number;
      last: boolean;
      refused: boolean;
    };
    if (this.#text.length < octets) {
      this.#fault('content');
      return false;
    }
    this.#content += this.#text.slice(0, octets);
    this.#text = this.#text.slice(octets);
    this.#owed = undefined;
    if (refused) {
      this.#broken = this.#broken || last === false;
      this.#content = '';
      this.#say('503 5.5.1 no valid transaction');
    } else if (last) this.#finish();
    else if (!this.#fault('command', () => (this.#broken = true)))
      this.#say(`250 ${octets} octets`);
    return true;
  }

  /** The whole message is there: what becomes of it is decided here, and noted before it is said. */
  #finish(): void {
    const message: Kept = { content: this.#content, recipients: this.#recipients };
    this.#reset();
    const fault = this.#draw('final');
    if (!fault || fault.startsWith('kept')) this.#server.kept.push(message);
    if (fault === 'kept, RST') this.#leave(true);
    else if (fault === 'kept, stall') this.#over = true;
    else if (fault === 'kept, cut') this.#cut('250 2.0.0 kep');
    else if (fault === 'kept, FIN') this.#end('250 2.0.0 kept');
    else if (fault === 'kept, 421') this.#end('250 2.0.0 kept', '421 4.3.2 shutting down');
    else if (fault) this.#perform(fault);
    else this.#say('250 2.0.0 kept');
  }

  #reset(): void {
    this.#mail = this.#broken = this.#data = false;
    this.#recipients = 0;
    this.#content = '';
  }

  #draw(at: keyof typeof FAULTS): string | undefined {
    const { random } = this.#temper;
    if (random() >= this.#rate) return undefined;
    const kinds: readonly string[] = FAULTS[at];
    const kind = kinds[Math.floor(random() * kinds.length)] as string;
    const name = `${at}: ${kind}`;
    this.#server.faults.set(name, (this.#server.faults.get(name) ?? 0) + 1);
    return kind;
  }

  /** Whether something went wrong in place of what should have been said. */
  #fault(at: keyof typeof FAULTS, refused?: () => void): boolean {
    const kind = this.#draw(at);
    if (!kind) return false;
    if (/^[45]/.test(kind)) refused?.();
    this.#perform(kind);
    return true;
  }

  #perform(kind: string): void {
    if (kind === 'RST') this.#leave(true);
    else if (kind === 'FIN') this.#leave(false);
    else if (kind === 'stall') this.#over = true;
    else if (kind === 'slow') {
      this.#socket.pause();
      setTimeout(() => this.#socket.resume(), 5);
    } else if (kind === '421') this.#end('421 4.3.2 shutting down');
    else if (kind.startsWith('early')) {
      // Judged before its end: what comes then is read by nobody.
      this.#say(kind === 'early 421' ? '421 4.3.2 shutting down' : '451 4.3.0 enough');
      this.#over = true;
    } else this.#say(`${kind} ${kind[0]}.0.0 no`);
  }

  #say(...lines: string[]): void {
    if (this.#over || this.#socket.destroyed) return;
    const text = lines.map((line) => `${line}\r\n`).join('');
    const cut = this.#temper.random() < 0.05 ? Math.floor(this.#temper.random() * text.length) : 0;
    if (cut) this.#socket.write(text.slice(0, cut));
    this.#socket.write(text.slice(cut));
  }

  #cut(text: string): void {
    this.#over = true;
    this.#socket.end(text);
  }

  #end(...lines: string[]): void {
    this.#cut(lines.map((line) => `${line}\r\n`).join(''));
  }

  #leave(reset: boolean): void {
    this.#over = true;
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.end();
  }
}
