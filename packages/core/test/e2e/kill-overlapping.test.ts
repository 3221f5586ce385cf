/**
 * Three messages at once on a connection in memory, lost at every octet of either direction: what each caller is
 * told agrees with what the server has kept and with what has left.
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
  readonly keywords: string;
  readonly hears: number;
  readonly says: number;
  gone = false;
  #events: TransportEvents | undefined;
  #line = '';
  #content: string | undefined;

  constructor(keywords: string, hears: number, says: number) {
    this.keywords = keywords;
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
      this.#line += octet;
      if (!this.#line.endsWith('\r\n')) continue;
      const line = this.#line.slice(0, -2);
      this.#line = '';
      this.#take(line);
    }
    return true;
  }

  async startTls(): Promise<void> {}

  end(): void {
    this.#leave();
  }

  destroy(): void {
    this.gone = true;
  }

  #take(line: string): void {
    if (this.#content !== undefined) {
      if (line !== '.') this.#content += `${line.replace(/^\./, '')}\r\n`;
      else {
        this.kept.push(this.#content);
        this.#content = undefined;
        this.#say('250 queued');
      }
    } else if (line === 'DATA') {
      this.#content = '';
      this.#say('354 go');
    } else if (line.startsWith('EHLO')) this.#say(`250-mail.example.com\r\n250 ${this.keywords}`);
    else this.#say(line.includes('<no@') ? '550 no' : '250 ok');
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

async function* inPieces(content: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 5) yield octetsOf(content.slice(at, at + 5));
}

/** What each of the three callers is told. */
async function deal(peer: Peer, options: Partial<ConnectOptions>, streamed: boolean) {
  const told = (error: unknown): string => {
    if (!isSmtpError(error)) throw error;
    return error.delivery;
  };
  try {
    const client = await connect({ host: 'localhost', tls: 'off', transport: peer, ...options });
    const sending = CONTENTS.map((content) =>
      client
        .send({
          from: 'a@client.example',
          to: ['b@example.com', 'no@example.com'],
          content: streamed ? inPieces(content) : content,
        })
        .then(() => 'accepted', told),
    );
    const outcomes = await Promise.all(sending);
    await client.close();
    return outcomes;
  } catch (error) {
    return CONTENTS.map(() => told(error));
  }
}

/** What is not true of what the callers were told. */
function lies({ kept, written }: Peer, outcomes: readonly string[]): string[] {
  return CONTENTS.flatMap((content, at) => {
    const outcome = outcomes[at] as string;
    const left = written.includes(`${content.replace('\r\n.', '\r\n..')}.\r\n`);
    const truth = kept.includes(content) ? /accepted|unknown/ : /not-sent|unknown/;
    const says = `message ${at}: ${outcome}`;
    return [
      ...(truth.test(outcome) ? [] : [`${says}, kept: ${kept.includes(content)}`]),
      ...(left === (outcome === 'not-sent') ? [`${says}, and its last octet left: ${left}`] : []),
    ];
  }).concat(kept.filter((content) => !CONTENTS.includes(content)).map(() => 'half a message'));
}

describe.each([
  ['overlap', 'PIPELINING'],
  ['envelope', 'PIPELINING'],
  ['off', '8BITMIME'],
] as const)('pipelining %s, offered %s', (pipelining, keywords) => {
  test.each([false, true])('lost at every octet, streamed: %s', async (streamed) => {
    const all = new Peer(keywords, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    expect(await deal(all, { pipelining }, streamed)).toEqual(CONTENTS.map(() => 'accepted'));
    expect(all.kept).toEqual(CONTENTS);
    const seen = new Set<string>();
    const cut = async (hears: number, says: number): Promise<void> => {
      const peer = new Peer(keywords, hears, says);
      const outcomes = await deal(peer, { pipelining }, streamed);
      for (const outcome of outcomes) seen.add(outcome);
      expect([hears, says, lies(peer, outcomes), peer.gone]).toEqual([hears, says, [], true]);
    };
    const cuts = [
      ...Array.from(all.heard, (_, at) => cut(at, Number.POSITIVE_INFINITY)),
      ...Array.from({ length: all.said - 1 }, (_, at) => cut(Number.POSITIVE_INFINITY, at + 1)),
    ];
    await Promise.all(cuts);
    expect([...seen].sort()).toEqual(['accepted', 'not-sent', 'unknown']);
  });
});
