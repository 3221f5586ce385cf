/** What the sandbox has accepted, in order. Bounded: the oldest messages go first. */
import type { MessageEvent, MessageState } from './platform/events.ts';
import type { Verdict } from './rules.ts';

/**
 * One part of a message's MIME tree (RFC 2045, RFC 2046).
 *
 * @example
 * ```ts
 * import type { MessagePart } from '@posthorn/conformance';
 *
 * const kinds = ({ contentType, children }: MessagePart): string[] => [contentType, ...children.flatMap(kinds)];
 * const leaf = { charset: undefined, encoding: '7bit', disposition: undefined, filename: undefined, size: 2, isUtf8: true, text: 'Hi' };
 * console.log(kinds({ ...leaf, contentType: 'text/plain', children: [] })); // [ 'text/plain' ]
 * ```
 */
export interface MessagePart {
  /** Without parameters, in lower case. */
  readonly contentType: string;
  /** As the field has it. */
  readonly charset: string | undefined;
  /** Content-Transfer-Encoding in lower case; '7bit' where there is none. */
  readonly encoding: string;
  readonly disposition: string | undefined;
  readonly filename: string | undefined;
  /** Octets of the decoded content; 0 of a multipart. */
  readonly size: number;
  /** Whether that content is UTF-8, as ASCII is. */
  readonly isUtf8: boolean;
  /** The decoded text of text/plain and text/html that is no attachment. */
  readonly text: string | undefined;
  readonly children: readonly MessagePart[];
}

/** One line of what was said on the connection; `CapturedMessage` has its messages'. */
export interface TranscriptLine {
  readonly direction: 'client' | 'server';
  /** Without its line end. Passwords are left out; of content there is the number of octets. */
  readonly text: string;
  /** Whether it was under TLS. */
  readonly secure: boolean;
}

/**
 * One accepted message. Sizes are octets.
 *
 * @example
 * ```ts
 * import { type CapturedMessage, startSandbox } from '@posthorn/conformance';
 *
 * const warnings = ({ verdicts }: CapturedMessage): string[] =>
 *   verdicts.filter(({ outcome }) => outcome === 'warn').map(({ detail }) => detail);
 * const sandbox = await startSandbox();
 * console.log(sandbox.inbox.messages.map(warnings)); // []
 * await sandbox.close();
 * ```
 */
export interface CapturedMessage {
  /** As in the reply: `250 Ok: queued as <id>`. */
  readonly id: string;
  /** The reverse-path; '' is the null path. */
  readonly from: string;
  /** The forward-paths, as RCPT had them. */
  readonly to: readonly string[];
  /** Those of `to` that the provider would not send to: all but the first. */
  readonly notSentTo: readonly string[];
  /** The content as received: dots unstuffed, CR LF line ends. */
  readonly raw: Uint8Array;
  /** Its octets. */
  readonly size: number;
  /** Decoded, as are `text` and `html`. */
  readonly subject: string | undefined;
  readonly text: string | undefined;
  readonly html: string | undefined;
  /** The header fields in their order: names in lower case, values unfolded and not decoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** The parts that are no text to be shown. `size` is that of the decoded content. */
  readonly attachments: readonly {
    readonly filename: string | undefined;
    readonly contentType: string;
    readonly size: number;
  }[];
  /** The tree of its parts, the message itself first. */
  readonly structure: MessagePart;
  /** What the rules said, in the order in which they were asked. */
  readonly verdicts: readonly Verdict[];
  /** Whether it came under TLS. */
  readonly secure: boolean;
  /** The SMTP login. */
  readonly user: string | undefined;
  /** When it was accepted, by the sandbox's clock. */
  readonly receivedAt: Date;
  /** Where it came from. */
  readonly remoteAddress: string;
  /** The dialogue of its connection until its reply: 200 lines at the most. */
  readonly transcript: readonly TranscriptLine[];
  /** In the addresses of its links, which are where the sandbox's pages are; the name of nothing else. */
  readonly token: string;
  /** Where it is now. A message that was read before stays as it was then. */
  readonly state: MessageState;
  /** What has happened to it, the first first. */
  readonly events: readonly MessageEvent[];
}

/** How much is kept. The oldest go first. */
export interface Retention {
  readonly messages: number;
  /** Of their raw content. */
  readonly octets: number;
  /** Is told of each that goes. */
  readonly forgotten?: (id: string) => void;
}

/** setTimeout() takes no longer one: it would fire at once. */
const LONGEST_WAIT = 2_147_483_647;

/**
 * The messages of a sandbox.
 *
 * @example
 * ```ts
 * import { type Inbox, startSandbox } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * const inbox: Inbox = sandbox.inbox;
 * const coming = inbox.waitFor(({ subject }) => subject === 'Test from smtp', 100);
 * console.log(await coming.catch((error: Error) => error.message));
 * // No such message came within 100 ms; the inbox holds 0
 * await sandbox.close();
 * ```
 */
export class Inbox {
  readonly #retention: Retention;
  /** By their ids, the oldest first. */
  readonly #byId = new Map<string, CapturedMessage>();
  readonly #idOf = new Map<string, string>();
  #octets = 0;
  #all: readonly CapturedMessage[] | undefined;
  #closed = false;
  #held = false;
  readonly #waiting = new Set<() => void>();

  /** @internal */
  constructor(retention: Retention) {
    this.#retention = retention;
  }

  /** All messages, the oldest first. A list that was read does not change when more come. */
  get messages(): readonly CapturedMessage[] {
    this.#all ??= [...this.#byId.values()];
    return this.#all;
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** The message of this id, if it is kept. */
  get(id: string): CapturedMessage | undefined {
    return this.#byId.get(id);
  }

  /** The message whose links have this token, if it is kept. */
  ofToken(token: string): CapturedMessage | undefined {
    return this.#byId.get(this.#idOf.get(token) ?? '');
  }

  /** Forgets all messages. */
  clear(): void {
    for (const message of this.messages) this.#forget(message);
  }

  /** Forgets one; whether it was there. */
  delete(id: string): boolean {
    const message = this.#byId.get(id);
    if (message) this.#forget(message);
    return message !== undefined;
  }

  /** @internal */
  add(message: CapturedMessage): void {
    this.#byId.set(message.id, message);
    this.#idOf.set(message.token, message.id);
    this.#octets += message.raw.length;
    this.#all = undefined;
    const { messages, octets } = this.#retention;
    for (const oldest of this.#byId.values()) {
      if (this.#byId.size <= messages && this.#octets <= octets) break;
      // The one that just came is kept, however large.
      if (oldest !== message) this.#forget(oldest);
    }
    this.#wake();
  }

  /** Puts a later version of a message in its place. @internal */
  replace(message: CapturedMessage): void {
    if (!this.#byId.has(message.id)) return;
    this.#byId.set(message.id, message);
    this.#all = undefined;
    this.#wake();
  }

  /** Tells nobody of what comes and changes until it is done. @internal */
  together(act: () => void): void {
    this.#held = true;
    try {
      act();
    } finally {
      this.#held = false;
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#held) return;
    for (const look of [...this.#waiting]) look();
  }

  #forget({ id, token, raw }: CapturedMessage): void {
    this.#byId.delete(id);
    this.#idOf.delete(token);
    this.#octets -= raw.length;
    this.#all = undefined;
    this.#retention.forgotten?.(id);
  }

  /** Ends every wait: no more messages come. @internal */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * The first message that fits, now or as soon as it comes.
   *
   * @param fits - default: any message
   * @param timeout - in ms; default 5,000
   * @throws Error where none came in time, or none is there and the sandbox was closed; and what `fits` throws
   * @throws TypeError for a timeout that is no number of ms from 0 to 2,147,483,647
   */
  waitFor(
    fits: (message: CapturedMessage) => boolean = () => true,
    timeout = 5_000,
  ): Promise<CapturedMessage> {
    return new Promise((resolve, reject) => {
      if (!(timeout >= 0 && timeout <= LONGEST_WAIT))
        throw new TypeError(
          `Cannot wait for ${timeout} ms: it has to be a number from 0 to ${LONGEST_WAIT}`,
        );
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        // What a predicate throws is for who waits, not for the message that came.
        try {
          const found = this.messages.find((message) => fits(message));
          if (found) resolve(found);
          else if (this.#closed) throw new Error('The sandbox was closed');
          else return;
        } catch (error) {
          reject(error);
        }
        leave();
      };
      const timer = setTimeout(() => {
        leave();
        reject(
          new Error(
            `No such message came within ${timeout} ms; the inbox holds ${this.#byId.size}`,
          ),
        );
      }, timeout);
      this.#waiting.add(look);
      look();
    });
  }
}
