/** The HTTP server: how long it waits, for how many, and how it ends. Knows no routes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import { Problem, problemOf, problemText } from './problem.ts';
import { protectedResponse } from './security.ts';

/** Times in ms. What waits for a message is answered within 30 s, and streams say something each 15 s. */
const BOUNDS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const;
/** How long nothing may go either way, in ms. */
const IDLE = 60_000;
/** Further ones are dropped. */
const CONNECTIONS = 256;

/** A server that listens. */
export interface Serving {
  readonly port: number;
  /** Ends what is open, at once. */
  close(): Promise<void>;
}

/** Rejects with EADDRINUSE, EACCES, … where it cannot listen. */
export function serveApp(app: Hono, port: number, hostname: string): Promise<Serving> {
  const answer = getRequestListener(app.fetch, {
    // The program that starts a sandbox keeps its own Request and Response.
    overrideGlobalObjects: false,
    errorHandler: (error) =>
      protectedResponse(
        problemText(
          error instanceof RequestError
            ? new Problem(
                400,
                'Cannot read the request: its address or its Host field is malformed',
              )
            : problemOf(error),
        ),
      ),
  });
  const server = createServer(BOUNDS, (incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.maxConnections = CONNECTIONS;
  server.timeout = IDLE;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, hostname, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
