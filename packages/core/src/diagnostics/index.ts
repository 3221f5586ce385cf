/**
 * `connect()` that tells node:diagnostics_channel what happens: to whoever subscribes, without the application's
 * further doing. A module of its own, so that who does not want it does not carry it.
 *
 * Channels: `tracing:posthorn:connect:*` and `tracing:posthorn:transaction:*` (TracingChannel), `posthorn:reply`.
 */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { Receipt, SmtpClient } from '../client.ts';
import { connect as plain } from '../connect.ts';
import { nodeTransport } from '../driver/node-transport.ts';
import { type ConnectOptions, resolveOptions, type TranscriptEvent } from '../options.ts';
import type { OutgoingMessage } from '../session/envelope.ts';

/** What is traced, and where. Secrets are never in it. */
export interface TraceContext {
  readonly host: string;
  readonly port: number;
  /** The message of a transaction. */
  readonly message?: OutgoingMessage;
  /** What it came to: the client, or the receipt. */
  readonly result?: SmtpClient | Receipt;
  /** What it failed with: an SmtpError, or a TypeError. */
  readonly error?: unknown;
}

/** What `posthorn:reply` publishes. */
export type ReplyEvent = TranscriptEvent & Pick<TraceContext, 'host' | 'port'>;

const replies = channel('posthorn:reply');
const connecting = tracingChannel('posthorn:connect');
const sending = tracingChannel('posthorn:transaction');

/** Runs what it is given, traced where anybody subscribes. A runtime that cannot say so traces always. */
const trace = <T>(
  tracing: typeof connecting,
  context: TraceContext,
  run: () => Promise<T>,
): Promise<T> =>
  tracing.hasSubscribers === false ? run() : tracing.tracePromise(run, { ...context });

/**
 * As `connect()` of `@posthorn/core`, and told to the channels.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * import { connect } from '@posthorn/core/diagnostics';
 *
 * const codes: string[] = [];
 * subscribe('posthorn:reply', (event) => codes.push((event as { text: string }).text.slice(0, 3)));
 * const client = await connect({ host, port, tlsOptions: { ca } });
 * await client.close();
 * console.log(codes.join()); // 220,250,220,250,221
 * ```
 */
export async function connect(options: ConnectOptions): Promise<SmtpClient> {
  const { host, port } = resolveOptions(options, nodeTransport);
  const onTranscript = (event: TranscriptEvent): void => {
    options.onTranscript?.(event);
    if (event.direction === 'server') replies.publish({ host, port, ...event });
  };
  const client = await trace(connecting, { host, port }, () => plain({ ...options, onTranscript }));
  const send: SmtpClient['send'] = (message, how) =>
    trace(sending, { host, port, message }, () => client.send(message, how));
  return Object.assign(Object.create(client), { send });
}
