/** What the pool keeps of each message and of each connection. */
import type { Receipt, SmtpClient } from '../client.ts';
import type { SendOptions } from '../session/envelope.ts';
import type { Replay } from './replay.ts';

/** One call of send(). */
export interface Job extends Replay {
  readonly id: number;
  readonly how: SendOptions;
  /** How often it was tried in vain. */
  attempts: number;
  /** When it may last begin. */
  due: number;
  begun?: boolean;
  timer?: unknown;
  /** Without a receipt it has failed. */
  settle(error: unknown, receipt?: Receipt): void;
}

/** One open connection. */
export interface Connection {
  readonly client: SmtpClient;
  /** Messages under way. */
  load: number;
  /** Messages that may still begin; 0 where it is to be left, less where it was. */
  left: number;
  /** When it was last used. */
  since: number;
  /** It has answered to a message. */
  proven?: boolean;
  /** It is being asked whether it is still there. */
  probed?: boolean;
  timer?: unknown;
}
