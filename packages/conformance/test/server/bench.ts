/** Servers and clients for a file of tests. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { CREDENTIALS } from '../../src/server/credentials.ts';
import type { ServerPlan } from '../../src/server/plan.ts';
import { createSituations, type Situations } from '../../src/server/situations.ts';
import { type PlayServer, type ServerOptions, startServer } from '../../src/server/start-server.ts';
import type { Step } from '../../src/server/steps.ts';
import type { WireEvent } from '../../src/server/wire-log.ts';
import { PlainClient } from './plain-client.ts';

export interface Bench {
  /** The authority of the servers, in PEM. */
  readonly ca: string;
  /** A server that plays steps on every connection, or a plan. */
  play(script: readonly Step[] | ServerPlan, options?: Partial<ServerOptions>): Promise<PlayServer>;
  /** A client that is connected to it. */
  call(server: PlayServer): Promise<PlainClient>;
  /** Both. */
  meet(
    script: readonly Step[] | ServerPlan,
    options?: Partial<ServerOptions>,
  ): Promise<{ readonly server: PlayServer; readonly client: PlainClient }>;
}

/** @param until - closes them behind each test, or behind all of them, where they run at once */
export function useBench(until: 'test' | 'file' = 'test'): Bench {
  let situations: Situations;
  let servers: PlayServer[] = [];
  let clients: PlainClient[] = [];
  beforeAll(async () => {
    situations = await createSituations();
  });
  const closeAll = async (): Promise<void> => {
    for (const client of clients) client.destroy();
    await Promise.all(servers.map((server) => server.close()));
    [servers, clients] = [[], []];
  };
  if (until === 'test') afterEach(closeAll);
  afterAll(async () => {
    await closeAll();
    await situations.close();
  });
  const play: Bench['play'] = async (script, options = {}) => {
    const plan: ServerPlan =
      'engine' in script ? script : { engine: 'scripted', scripts: [script] };
    const server = await startServer(plan, {
      delivery: 'whole',
      credentials: CREDENTIALS,
      slow: 1,
      tls: situations.tls,
      ...options,
    });
    servers.push(server);
    return server;
  };
  const call: Bench['call'] = async ({ port }) => {
    const client = await PlainClient.open(port);
    clients.push(client);
    return client;
  };
  return {
    get ca() {
      return situations.ca;
    },
    play,
    call,
    async meet(script, options) {
      const server = await play(script, options);
      return { server, client: await call(server) };
    },
  };
}

/** What one side said on a connection, write for write. */
export const saidBy = (who: 'client' | 'server', server: PlayServer, connection = 0): string[] =>
  (server.logs[connection]?.events ?? []).flatMap((event) =>
    event.who === who ? [event.text] : [],
  );

/** The events of a connection that are no octets. */
export const marks = (server: PlayServer, connection = 0): WireEvent[] =>
  (server.logs[connection]?.events ?? []).filter(({ who }) => who !== 'client' && who !== 'server');
