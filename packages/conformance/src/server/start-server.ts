/** One server for one play, whichever kind it is. */
import { createServer } from 'node:net';
import type { TLSSocketOptions } from 'node:tls';
import { HonestServer } from './honest-server.ts';
import type { ServerPlan } from './plan.ts';
import type { Finding } from './play-script.ts';
import type { Credentials } from './sasl-server.ts';
import { ScriptedServer } from './scripted-server.ts';
import type { TlsSituation } from './steps.ts';
import type { Delivery, WireLog } from './wire-log.ts';

/** What every server of a run shares. */
export interface ServerOptions {
  readonly delivery: Delivery;
  readonly credentials: Credentials;
  readonly slow: number;
  tls(situation: TlsSituation): TLSSocketOptions;
}

/** A server that plays. */
export interface PlayServer {
  readonly port: number;
  /** One for each connection, in their order. */
  readonly logs: readonly WireLog[];
  readonly findings: readonly Finding[];
  readonly errors: readonly unknown[];
  readonly open: number;
  close(): Promise<void>;
}

export async function startServer(plan: ServerPlan, options: ServerOptions): Promise<PlayServer> {
  const around = { ...options, started: performance.now() };
  if (plan.engine === 'none') {
    const port = await freePort();
    return { port, logs: [], findings: [], errors: [], open: 0, close: async () => {} };
  }
  const server =
    plan.engine === 'scripted'
      ? new ScriptedServer(plan, around)
      : new HonestServer(plan, { ...around, tls: options.tls(plan.situation ?? 'good') });
  const port = await server.listen();
  return {
    port,
    logs: server.logs,
    findings: server instanceof ScriptedServer ? server.findings : [],
    errors: server instanceof ScriptedServer ? server.errors : [],
    get open() {
      return server.open;
    },
    close: () => server.close(),
  };
}

/** A port on which nobody listens at the moment. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
