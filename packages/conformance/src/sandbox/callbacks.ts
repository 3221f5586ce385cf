/** Tells another server of each event by HTTP, with a log of what was answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callbackBody } from './callback-body.ts';
import { type CallbackOptions, checkCallback } from './options.ts';
import type { MessageEvent } from './platform/events.ts';
import type { Platform } from './platform/platform.ts';
import { type Posted, post, reasonOf } from './post.ts';

/** One attempt to tell of an event. */
export interface CallbackDelivery {
  readonly id: string;
  readonly event: MessageEvent;
  /** Without the values of its query, which may be secrets. */
  readonly url: string;
  readonly format: 'json' | 'xml';
  /** What was sent; '' where nothing was. */
  readonly body: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly at: number;
  /** Which attempt it is, from 1; 0: none was made, since too many events were waiting. */
  readonly attempt: number;
  /** The status that was answered; undefined where none was. */
  readonly status: number | undefined;
  /** Why none was. */
  readonly error: string | undefined;
  /** How long it took, in ms. */
  readonly took: number;
}

/** How it is told: nobody documents it. For tests. */
export interface CallbackTuning {
  /** Of one attempt, in ms. */
  readonly timeout: number;
  /** Between attempts, in ms: one attempt more than there are pauses. */
  readonly pauses: readonly number[];
  /** How many events may wait. */
  readonly waiting: number;
  /** How many attempts the log holds. */
  readonly log: number;
}

const TUNING: CallbackTuning = {
  timeout: 5_000,
  pauses: [200, 1_000],
  waiting: 10_000,
  log: 1_000,
};

/**
 * Events go in order, one at a time. What fails is tried again: where no answer came, and where it was 429 or 5xx. What
 * waits is in memory alone.
 */
export class Callbacks {
  readonly #platform: Platform;
  readonly #given: CallbackOptions | undefined;
  readonly #tuning: CallbackTuning;
  readonly #unwatch: () => void;
  readonly #underWay = new Set<Promise<unknown>>();
  #options: CallbackOptions | undefined;
  #waiting: MessageEvent[] = [];
  #log: readonly CallbackDelivery[] = [];
  #count = 0;
  /** Ends what is under way; each reset begins with another. */
  #giveUp = new AbortController();
  #telling = false;
  #closed = false;

  /** What was set while an earlier sandbox ran on the same journal is kept, unless options are given now. */
  constructor(platform: Platform, options?: CallbackOptions, tuning: Partial<CallbackTuning> = {}) {
    this.#platform = platform;
    this.#given = options;
    this.#tuning = { ...TUNING, ...tuning };
    this.#options = options;
    for (const [key, kept] of platform.journal.entries<unknown>('callback'))
      if (key === KEY && options === undefined && isUsable(kept)) this.#options = kept ?? undefined;
    this.#unwatch = platform.watch((change) => {
      if (change.kind === 'event') this.#take(change.event);
    });
  }

  /** Who is told; nobody where undefined. Its address may hold a secret: `maskedUrl` is for pages. */
  get options(): CallbackOptions | undefined {
    return this.#options;
  }

  /**
   * What waits goes to who is told from now on; where that is nobody, it is forgotten.
   *
   * @throws TypeError for what cannot be used; nothing changes then
   */
  set(options: CallbackOptions | undefined): void {
    const why = options === undefined ? undefined : checkCallback(options);
    if (why !== undefined) throw new TypeError(`Cannot use this as callback: ${why}`);
    this.#options = options;
    if (options === undefined) this.#forget();
    this.#platform.journal.put('callback', KEY, options ?? null);
  }

  /** What was told, the latest first: the last 1,000 attempts. */
  get log(): readonly CallbackDelivery[] {
    return this.#log;
  }

  /** How many events are still to be told. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Tells again of what one delivery told of, to who is told now: at once, beside what waits, with one attempt.
   * Undefined where there is none such, and where nobody is told.
   */
  async replay(id: string): Promise<CallbackDelivery | undefined> {
    const known = this.#log.find((delivery) => delivery.id === id);
    return known && this.#track(this.#attempt(known.event, 1, this.#giveUp.signal));
  }

  /** As at the start: who is told then, an empty log, nothing waiting. */
  reset(): void {
    this.#forget();
    this.#options = this.#given;
    this.#log = [];
    this.#count = 0;
    this.#platform.journal.delete('callback', KEY);
  }

  /** Gives up what is under way. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.#forget();
    await Promise.all(this.#underWay);
  }

  #forget(): void {
    this.#waiting = [];
    this.#giveUp.abort();
    this.#giveUp = new AbortController();
  }

  #take(event: MessageEvent): void {
    const options = this.#options;
    if (!options || (options.events && !options.events.includes(event.type))) return;
    this.#waiting.push(event);
    const dropped = this.#waiting.length > this.#tuning.waiting ? this.#waiting.shift() : undefined;
    if (dropped)
      this.#note(dropped, options, {
        body: '',
        attempt: 0,
        status: undefined,
        error: `It was dropped: more than ${this.#tuning.waiting} events were waiting`,
        took: 0,
      });
    if (!this.#telling) void this.#track(this.#tellAll());
  }

  /** `close` waits for it. */
  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    // Who records an event does not wait for the first request to be made.
    await Promise.resolve();
    for (let event = this.#waiting.shift(); event; event = this.#waiting.shift())
      await this.#tell(event, this.#giveUp.signal);
    this.#telling = false;
  }

  async #tell(event: MessageEvent, signal: AbortSignal): Promise<void> {
    const { pauses } = this.#tuning;
    for (let attempt = 1; ; attempt += 1) {
      const delivery = await this.#attempt(event, attempt, signal);
      const pause = pauses[attempt - 1];
      if (!delivery || pause === undefined || !isWorthAnother(delivery)) return;
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Undefined where it was given up, or nobody is told any more. */
  async #attempt(
    event: MessageEvent,
    attempt: number,
    signal: AbortSignal,
  ): Promise<CallbackDelivery | undefined> {
    const options = this.#options;
    if (!options || signal.aborted || this.#closed) return undefined;
    const begun = performance.now();
    const { timeout } = this.#tuning;
    const { body, ...posted } = await send(event, options, timeout, signal);
    if (signal.aborted) return undefined;
    const took = Math.round(performance.now() - begun);
    return this.#note(event, options, { body, attempt, took, ...posted });
  }

  #note(
    event: MessageEvent,
    { url, format = 'json' }: CallbackOptions,
    what: Pick<CallbackDelivery, 'body' | 'attempt' | 'status' | 'error' | 'took'>,
  ): CallbackDelivery {
    this.#count += 1;
    const delivery: CallbackDelivery = {
      id: String(this.#count),
      event,
      url: maskedUrl(url),
      format,
      at: this.#platform.clock.now(),
      ...what,
    };
    this.#log = [delivery, ...this.#log.slice(0, this.#tuning.log - 1)];
    return delivery;
  }
}

const KEY = 'options';

/** Never rejects. */
async function send(
  event: MessageEvent,
  { url, format = 'json' }: CallbackOptions,
  timeout: number,
  signal: AbortSignal,
): Promise<Posted & { readonly body: string }> {
  try {
    const { contentType, body } = callbackBody(event, format);
    return { body, ...(await post({ url, contentType, body, timeout, signal })) };
  } catch (error) {
    return { body: '', status: undefined, error: reasonOf(error) };
  }
}

function isUsable(kept: unknown): kept is CallbackOptions | null {
  return kept === null || checkCallback(kept) === undefined;
}

function isWorthAnother({ status }: CallbackDelivery): boolean {
  return status === undefined || status === 429 || status >= 500;
}

/** An address that can be shown: where its query has values, there are dots. */
export function maskedUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  const masked = search.replace(/[^?&]+/g, (part) =>
    part.includes('=') ? `${part.slice(0, part.indexOf('='))}=…` : '…',
  );
  return `${origin}${pathname}${masked}`;
}
