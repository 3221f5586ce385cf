/** A scripted server for whoever wants one outside the catalogue. */
import { CREDENTIALS } from './credentials.ts';
import type { ScriptedPlan } from './plan.ts';
import type { Finding } from './play-script.ts';
import type { Credentials } from './sasl-server.ts';
import { createSituations } from './situations.ts';
import { startServer } from './start-server.ts';
import type { Step } from './steps.ts';
import type { Delivery, WireEvent } from './wire-log.ts';

/** How a script is played. */
export interface ScriptedServerOptions {
  /** How what is said is cut; default 'whole'. */
  readonly delivery?: Delivery;
  /** What a client has to know; default: those of the catalogue. */
  readonly credentials?: Credentials;
  /** Every wait of the script is so many times as long; default 1. */
  readonly slow?: number;
}

/** A server that plays; on 127.0.0.1. */
export interface RunningScript {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The certificate to trust, in PEM. */
  readonly ca: string;
  /** What was said by now, a record for each connection. */
  readonly transcript: readonly (readonly WireEvent[])[];
  /** What a client did that the script did not expect. */
  readonly findings: readonly Finding[];
  /** Ends its connections, and the server. */
  close(): Promise<void>;
}

/**
 * Plays a script to every client that connects.
 *
 * @param script - steps for every connection, or a plan with a script for each
 * @throws whatever stands in the way of listening on a free port of 127.0.0.1
 *
 * @example
 * ```ts
 * import { connect } from '@posthorn/core';
 * import { startScriptedServer, steps } from '@posthorn/conformance';
 *
 * const server = await startScriptedServer([
 *   steps.send('220 mail.example.com'),
 *   steps.converse({ answers: { MAIL: '451 4.3.0 not now' } }),
 * ]);
 * const client = await connect({ host: server.host, port: server.port, tls: 'off' });
 * const sent = client.send({ from: 'a@example.com', to: 'b@example.com', content: 'Hello' });
 * console.log(await sent.catch((error) => error.reply.code)); // 451
 * await client.close();
 * await server.close();
 * ```
 */
export async function startScriptedServer(
  script: readonly Step[] | ScriptedPlan,
  options: ScriptedServerOptions = {},
): Promise<RunningScript> {
  const situations = await createSituations();
  const server = await startServer(
    'engine' in script ? script : { engine: 'scripted', scripts: [script] },
    {
      delivery: options.delivery ?? 'whole',
      credentials: options.credentials ?? CREDENTIALS,
      slow: options.slow ?? 1,
      tls: situations.tls,
    },
  ).catch(async (error: unknown) => {
    await situations.close();
    throw error;
  });
  return {
    host: '127.0.0.1',
    port: server.port,
    ca: situations.ca,
    get transcript() {
      return server.logs.map(({ events }) => [...events]);
    },
    get findings() {
      return [...server.findings];
    },
    async close() {
      await server.close();
      await situations.close();
    },
  };
}
