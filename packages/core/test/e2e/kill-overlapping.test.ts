/**
 * One message, and three at once, on a connection in memory that is lost at every octet of either direction, by DATA
 * and by BDAT, SMTP and LMTP, with STARTTLS: what each caller is told agrees with what the server has kept and with
 * what has left.
 */
import { describe, expect, test } from 'vitest';
import {
  type ConnectOptions,
  connect,
  isSmtpError,
  type Transport,
  type TransportEvents,
} from '../../src/index.ts';
import { binary, octetsOf } from '../wire/cuts.ts';

const CONTENTS = ['one', 'two', 'three'].map((word) => `Subject: ${word}\r\n.dot\r\nHi\r\n`);

/** A server behind a transport, which hears and says so many octets at the most, and then is gone. */
class Peer implements Transport {
  readonly secure = false;
  readonly kept: string[] = [];
  /** All that the client has given away, also what nobody lived to hear. */
  written = '';
  heard = '';
  said = 0;
  readonly kind: Kind;
  readonly hears: number;
  readonly says: number;
  gone = false;
  secured = false;
  /** What it is told is not what it may be told. */
  surprised = '';
  #events: TransportEvents | undefined;
  #line = '';
  #content: string | undefined;
  /** Octets of a chunk that are still to come. */
  #owed = 0;
  #last = false;
  #accepted = 0;

  constructor(kind: Kind, hears: number, says: number) {
    this.kind = kind;
    this.hears = hears;
    this.says = says;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    this.#say('220 mail.example.com');
  }

  write(octets: Uint8Array): boolean {
    this.written += binary(octets);
    for (const octet of binary(octets)) {
      if (this.gone) break;
      if (this.heard.length >= this.hears) {
        this.#leave();
        break;
      }
      this.heard += octet;
      if (this.#owed > 0) {
        this.#content += octet;
        this.#owed -= 1;
        if (this.#owed === 0) this.#endChunk();
        continue;
      }
      this.#line += octet;
      if (!this.#line.endsWith('\r\n')) continue;
      const line = this.#line.slice(0, -2);
      this.#line = '';
      this.#take(line);
    }
    return true;
  }

  async startTls(): Promise<void> {
    if (this.gone) throw new Error('read ECONNRESET');
    this.secured = true;
  }

  end(): void {
    this.#leave();
  }

  destroy(): void {
    this.gone = true;
  }

  #take(line: string): void {
    const [, octets, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
    if (octets !== undefined) {
      this.#content ??= '';
      this.#owed = Number(octets);
      this.#last = last !== undefined;
      if (this.#owed === 0) this.#endChunk();
    } else if (this.#content !== undefined) {
      if (line !== '.') this.#content += `${line.replace(/^\./, '')}\r\n`;
      else this.#keep();
    } else if (line === 'DATA') {
      this.#content = '';
      this.#say('354 go');
    } else if (/^(EHLO|LHLO)/.test(line)) {
      const starttls = this.kind.starttls && !this.secured ? '250-STARTTLS\r\n' : '';
      const keywords = this.kind.keywords.map((keyword) => `250-${keyword}\r\n`).join('');
      this.#say(`250-mail.example.com\r\n${starttls}${keywords}250 SIZE`);
    } else if (line.includes('<no@')) this.#say('550 no');
    else {
      if (line.startsWith('RCPT')) this.#accepted += 1;
      if (/^(MAIL|RSET)/.test(line)) this.#accepted = 0;
      if (line.startsWith('MAIL') && this.kind.starttls && !this.secured) this.surprised = line;
      this.#say(line === 'STARTTLS' ? '220 go ahead' : '250 ok');
    }
  }

  #endChunk(): void {
    if (this.#last) this.#keep();
    else this.#say('250 chunk');
  }

  #keep(): void {
    this.kept.push(this.#content as string);
    this.#content = undefined;
    for (let at = 0; at < (this.kind.lmtp ? this.#accepted : 1); at += 1)
      this.#say(`250 queued ${at}`);
  }

  #say(reply: string): void {
    setImmediate(() => {
      if (this.gone) return;
      const octets = octetsOf(`${reply}\r\n`).subarray(0, this.says - this.said);
      this.said += octets.length;
      if (octets.length > 0) this.#events?.onData(octets);
      if (this.said >= this.says) this.#leave();
    });
  }

  #leave(): void {
    if (this.gone) return;
    this.gone = true;
    setImmediate(() => this.#events?.onClose(new Error('read ECONNRESET')));
  }
}

/** What is dealt with whom, and how. */
interface Kind {
  readonly pipelining: NonNullable<ConnectOptions['pipelining']>;
  readonly keywords: readonly string[];
  readonly lmtp?: boolean;
  readonly starttls?: boolean;
}

/** How the content comes. */
const HOWS = ['in memory', 'streamed', 'streamed, of known size'] as const;

/** It says late that there is no more. */
async function* inPieces(content: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 5) yield octetsOf(content.slice(at, at + 5));
  for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
}

/** What each of the callers is told: `accepted`, or what is certain, and for whom it is accepted all the same. */
async function deal(peer: Peer, how: (typeof HOWS)[number], count: number): Promise<string[]> {
  const { pipelining, lmtp, starttls } = peer.kind;
  const contents = CONTENTS.slice(0, count);
  const told = (error: unknown): string => {
    if (!isSmtpError(error)) throw error;
    return [error.delivery, ...(error.accepted ?? [])].join(' ');
  };
  try {
    const client = await connect({
      host: 'localhost',
      tls: starttls ? 'starttls' : 'off',
      transport: peer,
      pipelining,
      protocol: lmtp ? 'lmtp' : 'smtp',
    });
    const sending = contents.map((content) =>
      client
        .send({
          from: 'a@client.example',
          to: ['b@example.com', 'no@example.com', ...(lmtp ? ['c@example.com'] : [])],
          content: how === 'in memory' ? content : inPieces(content),
          size: how === 'streamed, of known size' ? content.length : undefined,
        })
        .then(() => 'accepted', told),
    );
    const outcomes = await Promise.all(sending);
    await client.close();
    return outcomes;
  } catch (error) {
    return contents.map(() => told(error));
  }
}

/** What is not true of what the callers were told. */
function lies({ kept, written, kind, surprised }: Peer, outcomes: readonly string[]): string[] {
  return outcomes
    .flatMap((outcome, at) => {
      const content = CONTENTS[at] as string;
      const left = written.includes(
        kind.keywords.includes('CHUNKING')
          ? `BDAT ${content.length} LAST\r\n${content}`
          : `${content.replace('\r\n.', '\r\n..')}.\r\n`,
      );
      const truth = kept.includes(content) ? /^(accepted|unknown)/ : /^(not-sent|unknown)$/;
      const says = `message ${at}: ${outcome}`;
      return [
        ...(truth.test(outcome) ? [] : [`${says}, kept: ${kept.includes(content)}`]),
        ...(left === (outcome === 'not-sent') ? [`${says}, and its last octet left: ${left}`] : []),
      ];
    })
    .concat(kept.filter((content) => !CONTENTS.includes(content)).map(() => 'half a message'))
    .concat(new Set(kept).size < kept.length ? ['a message twice'] : [])
    .concat(surprised ? [`${surprised} without TLS`] : []);
}

const P = 'PIPELINING';
const C = 'CHUNKING';
const KINDS: readonly (readonly [name: string, kind: Kind])[] = [
  ['DATA, overlap', { pipelining: 'overlap', keywords: [P] }],
  ['DATA, envelope', { pipelining: 'envelope', keywords: [P] }],
  ['DATA, off', { pipelining: 'off', keywords: ['8BITMIME'] }],
  ['BDAT, overlap', { pipelining: 'overlap', keywords: [P, C] }],
  ['BDAT, flight', { pipelining: 'flight', keywords: [P, C] }],
  ['BDAT, envelope', { pipelining: 'envelope', keywords: [P, C] }],
  ['BDAT, off', { pipelining: 'off', keywords: [C] }],
  ['DATA, overlap, LMTP', { pipelining: 'overlap', keywords: [P], lmtp: true }],
  ['BDAT, flight, LMTP', { pipelining: 'flight', keywords: [P, C], lmtp: true }],
  ['DATA, overlap, STARTTLS', { pipelining: 'overlap', keywords: [P], starttls: true }],
  ['BDAT, flight, STARTTLS', { pipelining: 'flight', keywords: [P, C], starttls: true }],
];

/** Every octet takes a while: the gate tries them all (LARGE), other runs a third of them, never the same third. */
const third = Math.floor(Math.random() * 3);
const isTried = (at: number): boolean => Boolean(process.env['LARGE']) || at % 3 === third;

describe.each(KINDS)('%s', (_name, kind) => {
  const hows = kind.keywords.includes(C) ? HOWS : HOWS.slice(0, 2);
  test.each(hows.flatMap((how) => [1, 3].map((count) => ({ how, count }))))(
    '$count lost at every octet, content $how',
    async ({ how, count }) => {
      const contents = CONTENTS.slice(0, count);
      const all = new Peer(kind, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
      expect(await deal(all, how, count)).toEqual(contents.map(() => 'accepted'));
      expect(all.kept).toEqual(contents);
      const seen = new Set<string>();
      const cut = async (hears: number, says: number): Promise<void> => {
        const peer = new Peer(kind, hears, says);
        const outcomes = await deal(peer, how, count);
        for (const outcome of outcomes) seen.add(outcome);
        expect([hears, says, lies(peer, outcomes), peer.gone]).toEqual([hears, says, [], true]);
      };
      const cuts = [
        ...Array.from(all.heard, (_, at) => at)
          .filter(isTried)
          .map((at) => cut(at, Number.POSITIVE_INFINITY)),
        ...Array.from({ length: all.said - 1 }, (_, at) => at + 1)
          .filter(isTried)
          .map((at) => cut(Number.POSITIVE_INFINITY, at)),
      ];
      await Promise.all(cuts);
      // Between the replies for two recipients, it is certain for the first one.
      const certain = kind.lmtp ? ['unknown b@example.com'] : [];
      expect([...seen].sort()).toEqual(['accepted', 'not-sent', 'unknown', ...certain]);
    },
  );
});
