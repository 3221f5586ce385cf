/** What the sandbox has accepted, in order. Bounded: the oldest messages go first. */
import type { Verdict } from './rules.ts';

/** One accepted message. */
export interface CapturedMessage {
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
  readonly subject: string | undefined;
  readonly text: string | undefined;
  readonly html: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
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
  readonly receivedAt: Date;
}

/** The messages of a sandbox. */
export class Inbox {
  readonly #retention: number;
  #messages: CapturedMessage[] = [];
  readonly #waiting = new Set<(closed?: Error) => void>();

  /** @param retention - how many messages are kept at the most */
  constructor(retention: number) {
    this.#retention = retention;
  }

  /** All messages, the oldest first. */
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

  /** Ends every wait. @internal */
  close(): void {
    for (const look of [...this.#waiting]) look(new Error('The sandbox was closed'));
  }

  /**
   * The first message that fits, now or as soon as it comes.
   *
   * @param fits - default: any message
   * @param timeout - in ms; default 5,000
   * @throws Error where none came in time, or the sandbox was closed; and what `fits` throws
   */
  waitFor(
    fits: (message: CapturedMessage) => boolean = () => true,
    timeout = 5_000,
  ): Promise<CapturedMessage> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (closed?: Error): void => {
        // What a predicate throws is for who waits, not for the message that came.
        try {
          if (closed) throw closed;
          const found = this.#messages.find((message) => fits(message));
          if (!found) return;
          resolve(found);
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
