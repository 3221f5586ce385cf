/**
 * The provider behind its SMTP servers: what it has taken, whom it does not send to, what happened to each message, and
 * who is told. Knows nothing of SMTP and of HTTP.
 */
import type { CapturedMessage, TranscriptLine } from '../inbox.ts';
import { Inbox } from '../inbox.ts';
import { rewrite } from '../rewrite.ts';
import { Clock } from './clock.ts';
import {
  type BounceReason,
  type EventType,
  HARD_REASONS,
  type MessageEvent,
  stateAfter,
} from './events.ts';
import { Ids } from './ids.ts';
import type { Journal } from './journal.ts';
import { magicOf } from './magic.ts';
import type { Change, ConfirmedSender, Refused, Trouble } from './records.ts';
import { Statistics } from './statistics.ts';
import { AddressList, type HardBounced, type Unsubscribed } from './suppressions.ts';

export type { Change, ConfirmedSender, Refused, Trouble } from './records.ts';

/** What the platform does that nobody documents. */
export interface PlatformOptions {
  readonly retention: number;
  readonly retentionOctets: number;
  readonly seed?: string | undefined;
  /** Whether recipients such as `open@` make things happen. */
  readonly magic: boolean;
  /** 'manual': accepted messages stay NotSent until they are told otherwise. */
  readonly deliver: 'auto' | 'manual';
  /** Whether what is refused behind its content is counted as Rejected. */
  readonly countRefused: boolean;
  readonly confirmedSenders: readonly string[];
  /** Whether these senders are but a default: then they do not go beside those that were kept. */
  readonly isDefault?: boolean;
}

/** What is known of an event beside its type. */
export type EventDetails = Partial<
  Pick<MessageEvent, 'reason' | 'isHardbounce' | 'url' | 'comment'>
>;

const REFUSALS_KEPT = 500;
const TROUBLES_KEPT = 200;
const EVENTS_KEPT = 10_000;
/** Of one message: who clicks without end fills no memory. */
const EVENTS_OF_MESSAGE = 200;

export class Platform {
  readonly clock: Clock = new Clock();
  readonly ids: Ids;
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly statistics: Statistics;
  readonly unsubscribed: AddressList<Unsubscribed>;
  readonly hardBounced: AddressList<HardBounced>;
  readonly senders: AddressList<ConfirmedSender>;
  readonly #options: PlatformOptions;
  readonly #watchers = new Set<(change: Change) => void>();
  #refused: readonly Refused[] = [];
  #troubles: readonly Trouble[] = [];
  #events: MessageEvent[] = [];
  /** Not of the ids: what clients do wrong must not change those of a seed. */
  #troubleNumber = 0;
  /** Those behind whose acceptance nothing has been done yet. */
  readonly #waiting = new Set<string>();
  /** Which message came how many after the first: times can be equal. */
  readonly #orders = new Map<string, number>();
  #order = 0;
  /** Another one after each reset. */
  #era = 0;

  constructor(options: PlatformOptions, journal: Journal) {
    this.#options = options;
    this.journal = journal;
    this.ids = new Ids(options.seed);
    this.inbox = new Inbox({
      messages: options.retention,
      octets: options.retentionOctets,
      forgotten: (id) => {
        this.#forget(id);
        this.#tell({ kind: 'forgotten', id });
      },
    });
    this.statistics = new Statistics(journal);
    this.unsubscribed = new AddressList(journal, 'unsubscribed');
    this.hardBounced = new AddressList(journal, 'hard-bounce');
    this.senders = new AddressList(journal, 'sender');
    this.#restore();
    for (const address of options.confirmedSenders)
      if (!options.isDefault || this.senders.size === 0) this.senders.put({ address });
  }

  /** What was refused, the latest first. */
  get refused(): readonly Refused[] {
    return this.#refused;
  }

  /** What went wrong beside that, the latest first: the last 200. */
  get troubles(): readonly Trouble[] {
    return this.#troubles;
  }

  /** What happened, the first first: the last 10,000. */
  get events(): readonly MessageEvent[] {
    return this.#events.slice(-EVENTS_KEPT);
  }

  /** Another one after each reset: what began before one belongs to it no more. */
  get era(): number {
    return this.#era;
  }

  /** Does what was left undone when the process before this one ended. To be called when those who watch are there. */
  resume(): void {
    for (const id of [...this.#waiting]) this.inbox.together(() => this.#deliver(id));
  }

  /** Calls back at each change, until what it gives back is called. */
  watch(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Why nothing is sent to an address, if so. */
  filtered(address: string): 'unsubscribed' | 'hard-bounced' | undefined {
    if (this.unsubscribed.get(address)) return 'unsubscribed';
    return this.hardBounced.get(address) ? 'hard-bounced' : undefined;
  }

  /**
   * Takes a message. Ends when it is safe: it may be answered with 250 then. What follows - the filter, the outbox -
   * comes behind that.
   */
  async accept(
    taken: Omit<CapturedMessage, 'id' | 'token' | 'state' | 'events' | 'receivedAt'> & {
      readonly id: string;
    },
    era: number = this.#era,
  ): Promise<CapturedMessage> {
    if (era !== this.#era) throw new Error('the sandbox was reset meanwhile');
    const message: CapturedMessage = {
      ...taken,
      token: this.ids.next().replaceAll('-', ''),
      state: 'NotSent',
      events: [],
      receivedAt: new Date(this.clock.now()),
    };
    this.#waiting.add(message.id);
    // One batch of the journal: all of it is there after a crash, or nothing.
    this.journal.put('raw', message.id, message.raw);
    this.#keep(message);
    this.statistics.count(message.receivedAt.getTime(), message.state);
    try {
      await this.journal.flush();
    } catch (error) {
      // It is refused: it must not come back with what is written later.
      this.#forget(message.id);
      if (era === this.#era) this.statistics.uncount(message.receivedAt.getTime(), message.state);
      throw error;
    }
    // All was forgotten meanwhile, and this with it.
    if (era !== this.#era) {
      this.#forget(message.id);
      return message;
    }
    // Who waits for it sees it as who looks for it later.
    this.inbox.together(() => {
      this.inbox.add(message);
      this.#tell({ kind: 'message', message });
      this.#deliver(message.id);
    });
    return this.inbox.get(message.id) ?? message;
  }

  /** Keeps what was refused. */
  refuse(refused: Omit<Refused, 'id' | 'at'>): void {
    const one: Refused = { id: this.ids.next(), at: this.clock.now(), ...refused };
    this.#refused = [one, ...this.#refused].slice(0, REFUSALS_KEPT);
    if (refused.stage === 'data' && this.#options.countRefused)
      this.statistics.count(one.at, 'Rejected');
    this.#tell({ kind: 'refused', refused: one });
  }

  /** Keeps what went wrong on a connection. */
  trouble(trouble: Omit<Trouble, 'id' | 'at'>): void {
    this.#troubleNumber += 1;
    const one = { id: String(this.#troubleNumber), at: this.clock.now(), ...trouble };
    this.#troubles = [one, ...this.#troubles].slice(0, TROUBLES_KEPT);
    this.#tell({ kind: 'trouble', trouble: one });
  }

  /** Puts what was said in the place of what had been said when the message was taken. */
  amend(messageId: string, transcript: readonly TranscriptLine[]): void {
    const message = this.inbox.get(messageId);
    if (!message) return;
    const amended = { ...message, transcript };
    this.inbox.replace(amended);
    this.#keep(amended);
  }

  /**
   * Lets something happen to a message: its state, the statistics and the lists follow.
   *
   * @returns the event; nothing where the message is not kept any more
   */
  record(messageId: string, type: EventType, details: EventDetails = {}): MessageEvent | undefined {
    const message = this.inbox.get(messageId);
    if (!message) return undefined;
    const recipient = message.to[0] ?? '';
    const reason = type === 'BOUNCED' ? (details.reason ?? 'other') : undefined;
    const hard = details.isHardbounce ?? (reason !== undefined && HARD_REASONS.includes(reason));
    const event: MessageEvent = {
      id: this.ids.next(),
      type,
      at: this.clock.now(),
      messageId,
      recipient,
      ...(reason !== undefined && { reason, isHardbounce: hard }),
      ...(type === 'CLICKED' && details.url !== undefined && { url: details.url }),
      ...(details.comment !== undefined && { comment: details.comment }),
    };
    const state = stateAfter(message.state, type);
    const changed: CapturedMessage = {
      ...message,
      state,
      events: [...message.events, event].slice(-EVENTS_OF_MESSAGE),
    };
    this.inbox.replace(changed);
    this.#keep(changed);
    this.statistics.count(message.receivedAt.getTime(), state, message.state);
    if (reason !== undefined && hard)
      this.hardBounced.put({ address: recipient, at: event.at, reason, messageId });
    this.#events.push(event);
    if (this.#events.length > 1.1 * EVENTS_KEPT) this.#events = this.#events.slice(-EVENTS_KEPT);
    this.#tell({ kind: 'event', event, message: changed });
    return event;
  }

  /** As record(), where somebody says so by hand: who unsubscribes or complains goes on the list, who comes back goes off it. */
  happen(messageId: string, type: EventType, details: EventDetails = {}): MessageEvent | undefined {
    const before = this.inbox.get(messageId)?.events.length ?? 0;
    if (type === 'UNSUBSCRIBED') this.unsubscribe(messageId, 'api', details.comment);
    else if (type === 'SUBSCRIBED') this.subscribe(messageId);
    else {
      const event = this.record(messageId, type, details);
      if (type === 'COMPLAINED') this.unsubscribe(messageId, 'complaint');
      return event;
    }
    const { events = [] } = this.inbox.get(messageId) ?? {};
    return events.length > before ? events.at(-1) : undefined;
  }

  /** Unsubscribes the recipient of a message, and lets that happen to it. Once: a second time changes nothing. */
  unsubscribe(messageId: string, source: Unsubscribed['source'], comment?: string): void {
    const address = this.inbox.get(messageId)?.to[0];
    if (address === undefined || this.unsubscribed.get(address)) return;
    this.unsubscribed.put({
      address,
      at: this.clock.now(),
      source,
      messageId,
      ...(comment !== undefined && { comment }),
    });
    this.record(messageId, 'UNSUBSCRIBED', comment === undefined ? {} : { comment });
  }

  /** Takes the recipient of a message off the list again. */
  subscribe(messageId: string): void {
    const address = this.inbox.get(messageId)?.to[0];
    if (address === undefined || !this.unsubscribed.delete(address)) return;
    this.record(messageId, 'SUBSCRIBED');
  }

  /** As new: no messages, no lists, no counts, the real clock; the senders are those of the options. */
  async reset(): Promise<void> {
    this.#era += 1;
    this.inbox.clear();
    this.statistics.reset();
    this.unsubscribed.clear();
    this.hardBounced.clear();
    this.senders.clear();
    for (const address of this.#options.confirmedSenders) this.senders.put({ address });
    this.#refused = [];
    this.#troubles = [];
    this.#events = [];
    this.clock.set(undefined);
    this.ids.reset();
    this.#tell({ kind: 'reset' });
    await this.journal.flush();
  }

  /** The filter, then the outbox, then what a magic recipient asks for. */
  #deliver(id: string): void {
    this.#waiting.delete(id);
    const message = this.inbox.get(id);
    if (message) this.#keep(message);
    const recipient = this.inbox.get(id)?.to[0] ?? '';
    if (this.unsubscribed.get(recipient)) {
      this.record(id, 'BOUNCED', { reason: 'already_unsubscribed', isHardbounce: false });
      return;
    }
    const before = this.hardBounced.get(recipient);
    if (before) {
      this.record(id, 'BOUNCED', { reason: before.reason, isHardbounce: true });
      return;
    }
    if (this.#options.deliver === 'manual') return;
    const magic = this.#options.magic ? magicOf(recipient) : undefined;
    for (const { type, ...details } of magic ?? ORDINARY) {
      if (type === 'UNSUBSCRIBED') this.unsubscribe(id, 'magic');
      else if (type === 'CLICKED') this.record(id, type, this.#firstLink(id));
      else this.record(id, type, details);
      if (type === 'COMPLAINED') this.unsubscribe(id, 'complaint');
    }
  }

  #firstLink(id: string): EventDetails {
    const message = this.inbox.get(id);
    const url = message && rewrite(message, '').links[0];
    return url === undefined ? {} : { url };
  }

  #keep({ raw: _raw, ...message }: CapturedMessage): void {
    const { id } = message;
    let order = this.#orders.get(id);
    if (order === undefined) {
      this.#order += 1;
      order = this.#order;
      this.#orders.set(id, order);
    }
    this.journal.put('message', id, { ...message, order, waiting: this.#waiting.has(id) });
  }

  #forget(id: string): void {
    this.#orders.delete(id);
    this.#waiting.delete(id);
    this.journal.delete('message', id);
    this.journal.delete('raw', id);
  }

  #restore(): void {
    const raws = new Map(this.journal.entries<Uint8Array>('raw'));
    type Stored = CapturedMessage & { readonly order: number; readonly waiting: boolean };
    const kept = [...this.journal.entries<Stored>('message')]
      .map(([, message]) => message)
      .sort((a, b) => a.order - b.order);
    for (const { order, waiting, ...stored } of kept) {
      const message = { ...stored, receivedAt: new Date(stored.receivedAt) };
      this.#orders.set(message.id, order);
      this.#order = order;
      if (waiting) this.#waiting.add(message.id);
      const raw = raws.get(message.id);
      if (raw) this.inbox.add({ ...message, raw });
    }
    this.#events = this.inbox.messages
      .flatMap(({ events }) => [...events])
      .sort((a, b) => a.at - b.at)
      .slice(-EVENTS_KEPT);
  }

  #tell(change: Change): void {
    for (const watcher of [...this.#watchers]) watcher(change);
  }
}

const ORDINARY: readonly { readonly type: EventType; readonly reason?: BounceReason }[] = [
  { type: 'SENT' },
  { type: 'DELIVERED' },
];
