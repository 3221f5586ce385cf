/** Steps through an exchange, be it an iterator or an async one, with text for octets. */
import type { SaslContext, SaslExchange, SaslMechanism } from '../../src/sasl/index.ts';
import { octetsOf } from '../wire/cuts.ts';

/** What a mechanism says, and whether that was all. */
export interface Step {
  readonly done: boolean;
  /** undefined where it waits for the server to speak. */
  readonly said: string | undefined;
}

/** Resumes an exchange with a challenge; without one: with the server's success. */
export async function step(exchange: SaslExchange, challenge?: string): Promise<Step> {
  const given = challenge === undefined ? undefined : octetsOf(challenge);
  const { done, value } = await exchange.next(given);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return { done: !!done, said: value ? text.decode(value) : undefined };
}

/** A connection: what its server offers, and its binding. */
export const offering = (auth: readonly string[], channelBinding?: Uint8Array): SaslContext => ({
  capabilities: { auth: new Set(auth) },
  channel: channelBinding && {
    getProtocol: () => 'TLSv1.3',
    exportKeyingMaterial: () => channelBinding,
  },
});

/** Begins an exchange, as the session does it. */
export async function begin(
  mechanism: SaslMechanism,
  context?: SaslContext,
): Promise<{ readonly exchange: SaslExchange; readonly first: Step }> {
  const exchange = ((context && mechanism.bind?.(context)) ?? mechanism).start();
  return { exchange, first: await step(exchange, '') };
}
