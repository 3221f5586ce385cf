/**
 * What the cases of the catalogue are played with: a good server that is told where not to be good, a judge of
 * everything that a client writes in any case, certificates that are good or bad, and a clock that the test turns.
 */
import { createRequire } from 'node:module';
import { afterEach, beforeAll, expect } from 'vitest';
import {
  type CertificateKind,
  createCertificateAuthority,
} from '../../../conformance/src/sandbox/certificates.ts';
import {
  type Clock,
  type ConnectOptions,
  connect,
  type OutgoingMessage,
  type Receipt,
  type SendOptions,
  type SmtpError,
} from '../../src/index.ts';
import {
  failureOf,
  type KeyPair,
  MESSAGE,
  offer,
  options,
  type Peer,
  type Script,
  type ScriptedServer,
  useServers,
  within,
} from '../e2e/scripted-server.ts';

/* ------------------------------------------------------------------------------------------------ the judge */

/** What happened on one connection, as its server saw it. */
export type Said =
  | { readonly server: string }
  | { readonly client: string }
  /** The server has begun the handshake. */
  | { readonly tls: true };

/** RFC 2920 §3.1: what "can only appear as the last command in a group", beside what changes the session. */
const LAST_OF_GROUP = /^(EHLO|HELO|LHLO|STARTTLS|AUTH|DATA|VRFY|QUIT|NOOP)\b/;
const COMMAND = /^(EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL|RCPT|DATA|BDAT|RSET|VRFY|QUIT|NOOP)\b/;

/**
 * What no client may do in any case: bare CR, LF or NUL, a command that is none, a command before its time, content
 * that is none, an octet between STARTTLS and the handshake. It can miss an offence, but does not invent one.
 */
export function offences(events: readonly Said[]): string[] {
  const found: string[] = [];
  let mode: 'command' | 'data' | 'bdat' = 'command';
  /** What the client has said and was not looked at yet. */
  let rest = '';
  let owed = 0;
  /** What the server has said in this TLS state, since DATA, and last. */
  let said = '';
  let sinceData: string | undefined;
  let latest = '';
  /** What stands in this gap between two writes of the server. */
  let gap: string[] = [];
  let started = false;
  let upgrading = false;

  const command = (line: string): void => {
    const verb = line.slice(0, 40);
    if (/[\0\r\n]/.test(line)) found.push(`bare CR, LF or NUL: ${JSON.stringify(verb)}`);
    if (!COMMAND.test(line) && !/^334/m.test(latest)) found.push(`no command: ${verb}`);
    if (/^(MAIL|RCPT|RSET|DATA|EHLO|HELO|QUIT)/.test(line) && line.length > 510 + 700)
      found.push(`too long: ${verb}`);
    const [before] = gap.slice(-1);
    if (before !== undefined && !/^250[- ]PIPELINING\b/im.test(said))
      found.push(`without PIPELINING, behind ${before}: ${verb}`);
    if (before !== undefined && LAST_OF_GROUP.test(before))
      found.push(`in one group behind ${before}: ${verb}`);
    gap.push(verb);
    if (line === 'DATA') sinceData = '';
    upgrading = line === 'STARTTLS';
    const [, octets] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? [];
    if (octets !== undefined) {
      mode = 'bdat';
      owed = Number(octets);
    }
  };
  const content = (text: string): void => {
    if (/\0|\r(?!\n)|(?<!\r)\n/.test(text)) found.push('content with bare CR, LF or NUL');
    for (const line of text.split('\r\n')) {
      if (line.startsWith('.') && !line.startsWith('..'))
        found.push(`a dot that is not doubled: ${line}`);
      if (line.length > 999) found.push('a line of content over 998 octets');
    }
  };
  const look = (): void => {
    for (;;) {
      if (mode === 'data') {
        const end = rest.startsWith('.\r\n') ? -2 : rest.indexOf('\r\n.\r\n');
        if (end === -1) return;
        content(rest.slice(0, end + 2));
        rest = rest.slice(end + 5);
        mode = 'command';
        gap.push('the final dot');
      } else if (mode === 'bdat') {
        if (rest.length < owed) return;
        rest = rest.slice(owed);
        mode = 'command';
      } else {
        const end = rest.indexOf('\r\n');
        if (end === -1) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        command(line);
      }
    }
  };

  for (const event of events) {
    if ('tls' in event) {
      if (rest || (started && !upgrading))
        found.push(`octets before the handshake: ${rest.slice(0, 40)}`);
      [rest, said, gap, started, upgrading] = ['', '', [], true, false];
    } else if ('server' in event) {
      started = true;
      said += event.server;
      latest = event.server;
      if (sinceData !== undefined) sinceData += event.server;
      gap = [];
    } else {
      // A ClientHello, where the server does not speak TLS.
      if (event.client.startsWith('\x16\x03')) break;
      if (!started) found.push(`before the greeting: ${event.client.slice(0, 40)}`);
      if (sinceData !== undefined && gap.length === 0) {
        // What was answered to DATA says what this is.
        if (/^354/m.test(sinceData)) mode = 'data';
        sinceData = undefined;
      }
      rest += event.client;
      look();
    }
  }
  if (mode === 'data') content(rest.replace(/\r$/, '').replace(/(^|\r\n)\.$/, ''));
  else if (mode === 'command' && rest)
    found.push(`half a command: ${JSON.stringify(rest.slice(0, 40))}`);
  return found;
}

/** What was said on a connection, in its order. */
class Witness {
  readonly events: Said[] = [];
  readonly #peer: Peer;
  #seen = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
    const raw = peer.raw.bind(peer);
    const startTls = peer.startTls.bind(peer);
    peer.raw = (octets) => {
      this.look();
      this.events.push({ server: Buffer.from(octets as string, 'latin1').toString('latin1') });
      return raw(octets);
    };
    peer.startTls = async (pair) => {
      this.look();
      this.events.push({ tls: true });
      await startTls(pair);
    };
  }

  /** Takes up what was heard since. */
  look(): void {
    for (; this.#seen < this.#peer.chunks.length; this.#seen += 1)
      this.events.push({ client: (this.#peer.chunks[this.#seen] as Buffer).toString('latin1') });
  }
}

/** As useServers(), and after each test every connection of it is judged. */
export function useJudgedServers(): (script: Script, host?: string) => Promise<ScriptedServer> {
  let records: Witness[] = [];
  // Hooks run in reverse: this one when every connection has come to its end.
  afterEach(() => {
    const played = records;
    records = [];
    for (const record of played) {
      record.look();
      expect(offences(record.events), 'what no client may do').toEqual([]);
    }
  });
  const start = useServers();
  return (script, host) =>
    start((peer, index) => {
      records.push(new Witness(peer));
      return script(peer, index);
    }, host);
}

/* ------------------------------------------------------------------------------------------ the good server */

/** Reads what a client says, in TLS and outside, as lines, as content, and as octets. Nothing else may read. */
export class Ear {
  readonly #peer: Peer;
  #at: number;

  constructor(peer: Peer) {
    this.#peer = peer;
    // What peer.hear() has taken before.
    this.#at = peer.lines.reduce((octets, line) => octets + line.length + 2, 0);
    this.#taken = this.#at;
  }
  readonly #taken: number;

  get #text(): string {
    return this.#peer.plain + this.#peer.secured;
  }

  /** The next line, without CR LF. */
  async line(): Promise<string> {
    return (await this.#to(() => this.#text.indexOf('\r\n', this.#at), 2)).slice(0, -2);
  }

  /** Mail data up to the final dot, which is left out. */
  async content(): Promise<string> {
    const data = await this.#to(() => {
      const text = this.#text;
      return text.startsWith('.\r\n', this.#at)
        ? this.#at - 2
        : text.indexOf('\r\n.\r\n', this.#at);
    }, 5);
    return data.slice(0, -3);
  }

  /** So many octets. */
  take(octets: number): Promise<string> {
    return this.#to(() => (this.#text.length >= this.#at + octets ? this.#at + octets : -1), 0);
  }

  async #to(find: () => number, behind: number): Promise<string> {
    for (;;) {
      const end = find();
      if (end !== -1) {
        const text = this.#text.slice(this.#at, end + behind);
        this.#at = end + behind;
        return text;
      }
      // This takes nothing from the peer, so all that came behind what was taken before counts.
      await this.#peer.octets(this.#text.length - this.#taken + 1);
    }
  }
}

/** A message as the server got it. */
export interface Got {
  readonly mail: string;
  readonly rcpt: readonly string[];
  /** Without the doubled dots. */
  readonly content: string;
  /** DATA, or each BDAT. */
  readonly by: readonly string[];
}

/** What a server has heard. */
export class Heard {
  /** Every command line, in order. */
  readonly commands: string[] = [];
  /** Messages that were answered by 2yz. */
  readonly messages: Got[] = [];
  /** The content of whatever came behind DATA or BDAT, accepted or not, as it was on the wire. */
  readonly contents: string[] = [];

  /** The command lines that begin so. */
  all(begin: string): string[] {
    return this.commands.filter((line) => line.startsWith(begin));
  }

  /** The verbs, in order. */
  get verbs(): string[] {
    return this.commands.map((line) => line.split(' ')[0] as string);
  }
}

/** What an answer may depend on. */
export interface Asked {
  readonly line: string;
  readonly peer: Peer;
  readonly ear: Ear;
  /** How many commands with this verb there were on the connection before. */
  readonly nth: number;
}

/** Lines to say; undefined: nothing is said. */
export type Answer = string | readonly string[] | undefined;
/** By the verb of the command; `dot` is what is said behind the content of DATA. */
export type Answers = {
  readonly [verb: string]: Answer | ((asked: Asked) => Answer | void | Promise<Answer | void>);
};

/** Answers commands until QUIT: well, but for what `answers` has. */
export async function converse(
  peer: Peer,
  keywords: readonly string[],
  answers: Answers = {},
  heard: Heard = new Heard(),
): Promise<void> {
  const ear = new Ear(peer);
  const counts = new Map<string, number>();
  let mail = '';
  let rcpt: string[] = [];
  let by: string[] = [];
  let content = '';
  /** The code that was said; 0: nothing was. */
  const answer = async (verb: string, line: string, otherwise: Answer): Promise<number> => {
    const nth = counts.get(verb) ?? 0;
    counts.set(verb, nth + 1);
    let said: Answer | void = otherwise;
    if (verb in answers) {
      const given = answers[verb];
      said = typeof given === 'function' ? await given({ line, peer, ear, nth }) : given;
    }
    if (said === undefined) return 0;
    const lines = [said].flat();
    peer.say(...lines);
    return Number(lines.at(-1)?.slice(0, 3));
  };
  const end = (code: number): void => {
    if (code >= 200 && code < 300) heard.messages.push({ mail, rcpt, content, by });
    [rcpt, by, content] = [[], [], ''];
  };
  for (;;) {
    const line = await ear.line();
    heard.commands.push(line);
    const verb = /^\w*/.exec(line)?.[0] as string;
    if (/^(EHLO|LHLO)$/.test(verb)) await answer(verb, line, offer(...keywords));
    else if (verb === 'QUIT') {
      if (await answer(verb, line, '221 bye')) peer.end();
      return;
    } else if (verb === 'DATA') {
      by.push(line);
      if ((await answer(verb, line, '354 go ahead')) !== 354) continue;
      const data = await ear.content();
      heard.contents.push(data);
      content = data.replace(/^\./gm, '');
      end(await answer('dot', line, '250 2.0.0 queued'));
    } else if (verb === 'BDAT') {
      by.push(line);
      const octets = await ear.take(Number(line.split(' ')[1]));
      heard.contents.push(octets);
      content += octets;
      const code = await answer(verb, line, '250 2.0.0 taken');
      if (/ LAST$/.test(line)) end(code);
    } else {
      if (verb === 'MAIL') [mail, rcpt, by, content] = [line, [], [], ''];
      const code = await answer(verb, line, verb === 'AUTH' ? '235 2.7.0 welcome' : '250 2.0.0 ok');
      if (verb === 'RCPT' && code >= 200 && code < 300) rcpt.push(line);
    }
  }
}

/** Greets, and converses. */
export const good =
  (keywords: readonly string[] = [], answers: Answers = {}, heard: Heard = new Heard()): Script =>
  async (peer) => {
    peer.say('220 mail.example.com ESMTP');
    await converse(peer, keywords, answers, heard);
  };

/** As good(), by STARTTLS; the keywords are those under TLS, where the greeting has none but STARTTLS. */
export const goodSecurely =
  (
    pair: () => KeyPair,
    keywords: readonly string[] = [],
    answers: Answers = {},
    heard: Heard = new Heard(),
  ): Script =>
  (peer) =>
    good(
      keywords,
      {
        EHLO: ({ nth }) => offer(...(nth ? keywords : ['STARTTLS'])),
        STARTTLS: async () => {
          peer.say('220 go ahead');
          await peer.startTls(pair());
        },
        ...answers,
      },
      heard,
    )(peer, 0);

/* ------------------------------------------------------------------------------------------------ the client */

/** A whole dealing without TLS: connect, send, close. */
export async function deal(
  server: ScriptedServer,
  message: Partial<OutgoingMessage> = {},
  to: Partial<ConnectOptions> = {},
  how?: SendOptions,
): Promise<Receipt> {
  const client = await within(6_000, connect(options(server, { tls: 'off', ...to })));
  try {
    return await within(6_000, client.send({ ...MESSAGE, ...message }, how));
  } finally {
    await within(6_000, client.close());
  }
}

/** The same, where it has to fail. */
export const refused = (
  server: ScriptedServer,
  message: Partial<OutgoingMessage> = {},
  to: Partial<ConnectOptions> = {},
  how?: SendOptions,
): Promise<SmtpError> => failureOf(deal(server, message, to, how), 15_000);

/** What is no client's doing but a time: a window in which something wrong might be said. */
export const silence = (ms = 60): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Octets one after the other, each in a write of its own. */
export async function drip(peer: Peer, octets: string): Promise<void> {
  for (const octet of octets) {
    peer.raw(octet);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The same as a script's way to speak: all that the peer says from here on. */
export function dripping(
  peer: Peer,
  cut: (text: string) => readonly string[] = (text) => [...text],
): void {
  const raw = peer.raw.bind(peer);
  let before = Promise.resolve();
  peer.raw = (octets) => {
    const text = typeof octets === 'string' ? octets : Buffer.from(octets).toString('latin1');
    before = before.then(async () => {
      for (const piece of cut(text)) {
        raw(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    return true;
  };
  const end = peer.end.bind(peer);
  peer.end = () => void before.then(end);
}

/* --------------------------------------------------------------------------------------------- certificates */

/** As CertificateKind, and one for the right host that names it in no subjectAltName. */
export type Kind = CertificateKind | 'no-san';

export interface Certificates {
  /** What to trust, in PEM. */
  ca: string;
  pair(kind?: Kind): KeyPair;
}

/** As much of @peculiar/x509 as is needed here; core does not depend on it, conformance does. */
interface X509 {
  readonly X509CertificateGenerator: {
    createSelfSigned(parameters: object): Promise<{ toString(format: 'pem'): string }>;
    create(parameters: object): Promise<{ toString(format: 'pem'): string }>;
  };
  readonly PemConverter: { encode(octets: ArrayBuffer, tag: string): string };
  readonly BasicConstraintsExtension: new (
    ca: boolean,
    length?: number,
    critical?: boolean,
  ) => object;
}

/** An authority with one leaf, for `CN=localhost` and without any subjectAltName. */
async function withoutSan(): Promise<KeyPair & { readonly ca: string }> {
  const load = createRequire(new URL('../../../conformance/package.json', import.meta.url));
  load('reflect-metadata');
  const x509 = load('@peculiar/x509') as X509;
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const generate = (): Promise<CryptoKeyPair> =>
    crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
  const [keys, own] = [await generate(), await generate()];
  const validity = {
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=No SAN CA',
    ...validity,
    keys,
    signingAlgorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: 'CN=localhost',
    issuer: 'CN=No SAN CA',
    ...validity,
    publicKey: own.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm,
    extensions: [],
  });
  return {
    ca: authority.toString('pem'),
    cert: leaf.toString('pem'),
    key: x509.PemConverter.encode(
      await crypto.subtle.exportKey('pkcs8', own.privateKey),
      'PRIVATE KEY',
    ),
  };
}

/** Makes certificates for the tests of a file, before the first of them. */
export function useCertificates(...kinds: readonly Kind[]): Certificates {
  const pairs = new Map<Kind, KeyPair>();
  const certificates: Certificates = {
    ca: '',
    pair: (kind = 'good') => pairs.get(kind) as KeyPair,
  };
  beforeAll(async () => {
    const authority = await createCertificateAuthority();
    certificates.ca = authority.ca;
    for (const kind of new Set<Kind>(['good', ...kinds])) {
      if (kind !== 'no-san') pairs.set(kind, await authority.issue(kind));
      else {
        const { ca, ...pair } = await withoutSan();
        certificates.ca += `\n${ca}`;
        pairs.set(kind, pair);
      }
    }
  });
  return certificates;
}

/* ------------------------------------------------------------------------------------------------- the clock */

/** Time that stands still until it is advanced: how slow the machine is makes no difference to a deadline. */
export class HandClock implements Clock {
  #now = 1_000;
  #last = 0;
  readonly timers: Map<number, { readonly at: number; readonly callback: () => void }> = new Map();
  readonly performance: Clock['performance'] = { now: () => this.#now };

  readonly setTimeout = (callback: () => void, ms: number): number => {
    this.#last += 1;
    this.timers.set(this.#last, { at: this.#now + ms, callback });
    return this.#last;
  };

  readonly clearTimeout = (timer: number): void => {
    this.timers.delete(timer);
  };

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at);
      if (!next || next[1].at > end) break;
      this.#now = Math.max(this.#now, next[1].at);
      this.timers.delete(next[0]);
      next[1].callback();
    }
    this.#now = end;
  }
}

/** Whether a promise has settled by now. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const see = (): void => {
    done = true;
  };
  promise.then(see, see);
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}
