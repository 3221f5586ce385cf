/** The modules of examples/queue, as the tests see them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OutgoingMessage, Receipt } from '@posthorn/core';
import type { Message } from '@posthorn/mime';
import { root } from '../temporary-tree.ts';

export type State = 'open' | 'sending' | 'sent' | 'failed' | 'held';

export interface Entry {
  readonly state: State;
  readonly lease?: string;
  readonly note?: string;
  readonly tries: number;
}

export interface Ledger {
  take(id: string): Promise<Entry>;
  sending(id: string, lease: string): Promise<void>;
  settle(id: string, lease: string, state: State, note: string): Promise<Entry>;
}

export interface Mail {
  readonly id: string;
  readonly since: number;
  readonly to: string;
  readonly message: () => Message;
}

export type Outcome =
  | { readonly state: 'sent' | 'failed' | 'held'; readonly note?: string }
  | {
      readonly state: 'open';
      readonly note?: string;
      readonly wait: number;
      readonly slowDown: boolean;
    };

export interface Delivery {
  readonly ledger: Ledger;
  readonly send: (message: OutgoingMessage) => Promise<Receipt>;
  readonly backoff?: number;
  readonly giveUpAfter?: number;
}

export const load = (name: string): Promise<unknown> =>
  import(/* @vite-ignore */ pathToFileURL(join(root, 'examples/queue', name)).href);

type DeliverModule = { deliver(delivery: Delivery, mail: Mail): Promise<Outcome> };
type HoldBackModule = {
  holdBack(message: Message, allow: () => Promise<void>, to?: string): OutgoingMessage;
};

export const deliver: DeliverModule['deliver'] = ((await load('deliver.mjs')) as DeliverModule)
  .deliver;

export const holdBack: HoldBackModule['holdBack'] = (
  (await load('hold-back.mjs')) as HoldBackModule
).holdBack;
