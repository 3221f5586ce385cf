/**
 * Those who send: pools that stay, pools that come and go, and single connections. Each call is noted when it is made, and
 * what came of it when it has settled.
 */
import { setMaxListeners } from 'node:events';
import { connect, isSmtpError } from '@posthorn/core';
import { createPool } from '@posthorn/core/pool';
import { isOwnFault, messageOf } from './message.mjs';

/** ms for each wait: longer than a busy server takes, and shorter than one that stalls. */
const TIMEOUT = 400;
const WAITS = [
  'connect',
  'tls',
  'greeting',
  'ehlo',
  'starttls',
  'auth',
  'idle',
  'mail',
  'rcpt',
  'data',
  'content',
  'final',
];
const TIMEOUTS = { ...Object.fromEntries(WAITS.map((name) => [name, TIMEOUT])), quit: 60 };
/** Gives nothing up, and is given to thousands of calls: each has to let go of it. */
export const shared = new AbortController();
// Node warns of more than ten at a time.
setMaxListeners(0, shared.signal);

export class Clients {
  #random;
  #seed;
  #port;
  #next = 0;
  /** Calls that have not settled: what they are. */
  pending = new Map();
  /** What was told of each message, by its number. */
  told = new Map();
  /** How often each code came, and each delivery; and clients and pools that were made. */
  counts = {};
  /** Errors of a kind that nobody should get. */
  strange = [];
  #lasting;
  #passing = [];
  /** Those that have the deadlines of the RFC. */
  #patient = new WeakSet();

  constructor(random, seed, port) {
    this.#random = random;
    this.#seed = seed;
    this.#port = port;
    this.#lasting = [
      this.#pool({ maxQueue: 20 }),
      this.#pool({ overflow: 'wait', maxQueue: 8 }),
      this.#pool({ maxConnections: 8 }),
    ];
  }

  get messages() {
    return this.#next;
  }

  /** One thing that somebody does. Never rejects. */
  async act() {
    const { below } = this.#random;
    const way = below(100);
    if (way < 2 || this.#passing.length < 4) await this.#replacePool();
    else if (way < 16) await this.#single();
    else await this.#send(this.#random.pick([...this.#lasting, ...this.#passing]));
  }

  /** Lets go of everything that would hold a connection: pools that stay keep none that is unused. */
  async rest() {
    const leaving = this.#passing.splice(0).map((pool) => this.#note('close()', pool.close()));
    await Promise.all([
      ...leaving,
      ...this.#lasting.map((pool) => this.#note('drain()', pool.drain())),
    ]);
  }

  /** Connections that pools still have. */
  get connections() {
    return this.#lasting.reduce((sum, { stats }) => sum + stats.connections + stats.connecting, 0);
  }

  async close() {
    await Promise.all(this.#lasting.map((pool) => this.#note('close()', pool.close())));
  }

  #count(name) {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** Awaits a call that never rejects, or may. */
  async #note(what, promise) {
    const key = Symbol(what);
    this.pending.set(key, what);
    try {
      return await promise;
    } finally {
      this.pending.delete(key);
    }
  }

  #options() {
    const { pick, once, below } = this.#random;
    const kind = pick(['plain', 'plain', 'starttls', 'opportunistic', 'tls', 'lmtp']);
    const { plain, tls, lmtp, prompt, ca } = this.#port;
    // A timer of minutes that is left behind is there when all is at rest; one of TIMEOUT has gone by then.
    const patient = once(3) && /plain|starttls|opportunistic/.test(kind);
    return {
      host: '127.0.0.1',
      port: patient ? prompt : ({ tls, lmtp }[kind] ?? plain),
      tls: { tls: 'implicit', starttls: kind, opportunistic: kind }[kind] ?? 'off',
      ...(kind === 'lmtp' && { protocol: 'lmtp' }),
      tlsOptions: { ca },
      name: 'client.example',
      pipelining: pick(['overlap', 'overlap', 'flight', 'envelope', 'off']),
      window: { transactions: 1 + below(8), octets: 1 + below(100_000) },
      ...(!patient && { timeouts: { ...TIMEOUTS, ...(once(4) && { total: 50 + below(1_000) }) } }),
      allowInsecureAuth: true,
      ...(once(3) && { auth: { user: '1website', pass: 'test' } }),
      ...(once(10) && { onTranscript: () => {} }),
    };
  }

  #pool(more = {}) {
    const { below, once, next, pick } = this.#random;
    this.#count('pools');
    const options = this.#options();
    const pool = createPool({
      ...options,
      maxConnections: 1 + below(4),
      maxMessages: 3 + below(40),
      maxInFlight: 1 + below(4),
      maxQueue: 4 + below(30),
      overflow: pick(['reject', 'wait']),
      probeAfter: 2,
      idleTimeout: 20,
      backoff: { initial: 1, max: 8 },
      closeTimeout: 1_500,
      random: next,
      ...(once(10) && { rate: { messages: 20, per: 20 } }),
      ...(once(4) && { queueTimeout: 400 }),
      ...(once(3) && { signal: shared.signal }),
      ...more,
    });
    if (!options.timeouts) this.#patient.add(pool);
    return pool;
  }

  async #replacePool() {
    const { once, below } = this.#random;
    const leaving = this.#passing.length < 4 ? undefined : this.#passing.splice(below(4), 1)[0];
    const giveUp = new AbortController();
    this.#passing.push(this.#pool(once(6) ? { signal: giveUp.signal } : {}));
    if (once(3)) this.#later(below(200), () => giveUp.abort());
    if (!leaving) return;
    if (once(3)) leaving.destroy(once(2) ? new Error('given up') : undefined);
    await this.#note('close()', leaving.close());
  }

  /** A connection of one's own, and some messages on it. */
  async #single() {
    const { once, below } = this.#random;
    this.#count('clients');
    const giveUp = new AbortController();
    const clear = once(8) ? this.#later(below(60), () => giveUp.abort()) : () => {};
    const options = { ...this.#options(), signal: giveUp.signal };
    let client;
    try {
      client = await this.#note('connect()', connect(options));
      if (!options.timeouts) this.#patient.add(client);
    } catch (error) {
      this.#failed(error);
      return;
    } finally {
      clear();
    }
    const sending = Array.from({ length: 1 + below(4) }, () => this.#send(client));
    if (once(4)) sending.push(this.#call('noop()', client.noop()));
    if (once(6)) sending.push(this.#call('reset()', client.reset()));
    if (once(6)) sending.push(this.#call('verify()', client.verify('a@example.com')));
    if (once(5)) this.#later(below(40), () => client.destroy());
    if (!once(4)) await Promise.all(sending);
    await this.#note('close()', client.close());
    await Promise.all(sending);
    await this.#note('closed', client.closed);
  }

  /** A call other than send(), which may fail. */
  async #call(what, promise) {
    try {
      await this.#note(what, promise);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Does something in a while; returns what calls that off. The timer is a call like others: it comes to its end. */
  #later(ms, then) {
    const key = Symbol('timer');
    this.pending.set(key, 'a timer');
    const timer = setTimeout(() => {
      this.pending.delete(key);
      then();
    }, ms);
    return () => {
      clearTimeout(timer);
      this.pending.delete(key);
    };
  }

  #failed(error) {
    if (isSmtpError(error)) this.#count(error.code);
    else if (isOwnFault(error)) this.#count(error.name);
    else this.strange.push(String(error?.stack));
  }

  async #send(sender) {
    const { once, below, pick } = this.#random;
    const id = this.#next;
    this.#next += 1;
    const made = messageOf(this.#seed, id);
    const one = { to: made.to, doomed: made.doomed, accepted: [], rejected: [], delivery: 'none' };
    this.told.set(id, one);
    const waits = made.waits && this.#patient.has(sender);
    const giveUp = once(12) || waits ? new AbortController() : undefined;
    const clear = giveUp ? this.#later(below(80), () => giveUp.abort()) : () => {};
    const how = {
      partial: once(10) ? 'abort' : 'send',
      onUnsupported: 'drop',
      ...pick([{}, {}, { signal: shared.signal }]),
      ...(giveUp && { signal: giveUp.signal }),
      ...(once(20) && { onProgress: () => {} }),
    };
    try {
      const receipt = await this.#note(`send() of ${id}`, sender.send(made.message, how));
      one.delivery = 'accepted';
      one.accepted = receipt.accepted;
      one.rejected = receipt.rejected.map(({ address }) => address);
      // In several transactions it is sent as often.
      one.octets = receipt.octets;
    } catch (error) {
      this.#failed(error);
      one.delivery = error?.delivery ?? (isOwnFault(error) ? 'never-begun' : 'none');
      one.accepted = error?.accepted ?? [];
      one.rejected = (error?.rejected ?? []).map(({ address }) => address);
    } finally {
      clear();
    }
    this.#count(`told ${one.delivery}`);
  }
}
