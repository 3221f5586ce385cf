/** What the sandbox has accepted, in order. Bounded: the oldest messages go first. */
import type { Verdict } from './rules.ts';

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
  /** What the rules said, in the order in which they were asked. */
  readonly verdicts: readonly Verdict[];
  /** Whether it came under TLS. */
  readonly secure: boolean;
  /** The SMTP login. */
  readonly user: string | undefined;
  /** When it was accepted. */
  readonly receivedAt: Date;
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
  readonly #retention: number;
  #messages: CapturedMessage[] = [];
  #closed = false;
  readonly #waiting = new Set<() => void>();

  /** @param retention - how many messages are kept at the most */
  constructor(retention: number) {
    this.#retention = retention;
  }

  /** All messages, the oldest first. A list that was read does not change when more come. */
  get messages(): readonly CapturedMessage[] {
    return this.#messages;
  }

  /** Forgets all messages. */
  clear(): void {
    this.#messages = [];
  }

  /** @internal */
  add(message: CapturedMessage): void {
    this.#messages = [...this.#messages, message].slice(-this.#retention);
    for (const look of [...this.#waiting]) look();
  }

  /** Ends every wait: no more messages come. @internal */
  close(): void {
    this.#closed = true;
    for (const look of [...this.#waiting]) look();
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
          const found = this.#messages.find((message) => fits(message));
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
            `No such message came within ${timeout} ms; the inbox holds ${this.#messages.length}`,
          ),
        );
      }, timeout);
      this.#waiting.add(look);
      look();
    });
  }
}
