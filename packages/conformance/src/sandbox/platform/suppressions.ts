/** Addresses that nothing is sent to: those that unsubscribed, and those that bounced hard. */
import { domainToASCII } from 'node:url';
import type { BounceReason } from './events.ts';
import type { Journal, RecordKind } from './journal.ts';

/**
 * An address that unsubscribed.
 *
 * @example
 * ```ts
 * import type { Unsubscribed } from '@posthorn/conformance';
 *
 * const line = ({ address, source }: Unsubscribed): string => `${address} (${source})`;
 * ```
 */
export interface Unsubscribed {
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** By the page behind the link, by one click (RFC 8058), by a complaint, by a magic recipient, or by hand. */
  readonly source: 'page' | 'one-click' | 'complaint' | 'magic' | 'api';
  /** What the reader gave as the reason. */
  readonly comment?: string;
  /** The message whose link it was. */
  readonly messageId?: string;
}

/** An address that bounced hard; the example of `Unsubscribed` is alike. */
export interface HardBounced {
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: BounceReason;
  readonly messageId?: string;
}

/**
 * A list of addresses, each once: without case, and in either form of its domain.
 *
 * @example
 * ```ts
 * import { type Addresses, startSandbox, type Unsubscribed } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * const list: Addresses<Unsubscribed> = sandbox.unsubscribed;
 * list.put({ address: 'user@example.com', at: sandbox.clock.now(), source: 'api' });
 * console.log(list.get('USER@example.com')?.source, list.size); // api 1
 * await sandbox.close();
 * ```
 */
export interface Addresses<Entry extends { readonly address: string }> {
  /** As they came, the first first. */
  readonly all: readonly Entry[];
  readonly size: number;
  /** What is known of an address. */
  get(address: string): Entry | undefined;
  /** In the place of one that is there. */
  put(entry: Entry): void;
  /** Whether it was there. */
  delete(address: string): boolean;
  /** Takes all of them away. */
  clear(): void;
}

/** A list of addresses, each once; the latest entry counts. Addresses compare without case: nobody documents it. */
export class AddressList<Entry extends { readonly address: string }> implements Addresses<Entry> {
  readonly #entries = new Map<string, Entry>();
  readonly #journal: Journal;
  readonly #kind: RecordKind;

  constructor(journal: Journal, kind: RecordKind) {
    this.#journal = journal;
    this.#kind = kind;
    const kept = journal.entries<Entry>(kind);
    for (const [, entry] of kept) this.#entries.set(key(entry.address), entry);
  }

  /** In no order that means anything but to the eye: as they came. */
  get all(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  get size(): number {
    return this.#entries.size;
  }

  get(address: string): Entry | undefined {
    return this.#entries.get(key(address));
  }

  put(entry: Entry): void {
    const at = key(entry.address);
    this.#entries.delete(at);
    this.#entries.set(at, entry);
    this.#journal.put(this.#kind, at, entry);
  }

  /** Whether it was there. */
  delete(address: string): boolean {
    const at = key(address);
    if (!this.#entries.delete(at)) return false;
    this.#journal.delete(this.#kind, at);
    return true;
  }

  clear(): void {
    for (const at of this.#entries.keys()) this.#journal.delete(this.#kind, at);
    this.#entries.clear();
  }
}

/** A domain is the same in Unicode and as A-labels (RFC 5890 §2.3.2.1). */
function key(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  return `${address.slice(0, at).toLowerCase()}${domainToASCII(domain) || domain.toLowerCase()}`;
}
