/** Scripts on raw sockets of node:net and node:tls, each connection judged by what its client writes. */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocketOptions } from 'node:tls';
import { Peer } from './peer.ts';
import type { ScriptedPlan } from './plan.ts';
import { type Finding, playScript } from './play-script.ts';
import type { Credentials } from './sasl-server.ts';
import type { TlsSituation } from './steps.ts';
import { type Delivery, WireLog } from './wire-log.ts';

interface Surroundings {
  readonly credentials: Credentials;
  readonly delivery: Delivery;
  readonly started: number;
  readonly slow: number;
  tls(situation: TlsSituation): TLSSocketOptions;
}

export class ScriptedServer {
  readonly logs: WireLog[] = [];
  readonly findings: Finding[] = [];
  /** What went wrong in a script: the harness is at fault, not the client. */
  readonly errors: unknown[] = [];
  readonly #server: Server;
  readonly #peers = new Map<Socket, Peer>();

  constructor(plan: ScriptedPlan, around: Surroundings) {
    this.#server = createServer((socket) => {
      socket.on('close', () => this.#peers.delete(socket));
      const log = new WireLog(around.started);
      const index = this.logs.push(log) - 1;
      const steps = plan.scripts[Math.min(index, plan.scripts.length - 1)] ?? [];
      const peer = new Peer(socket, log, around.delivery);
      this.#peers.set(socket, peer);
      playScript(
        peer,
        plan.implicit ? [{ do: 'starttls', situation: plan.implicit }, ...steps] : steps,
        { ...around, found: (finding) => this.findings.push(finding) },
      ).catch((error: unknown) => {
        this.errors.push(error);
        peer.destroy();
      });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', () => {
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  /** Connections that are open, and whose end could be seen: of those that are not read it cannot. */
  get open(): number {
    return [...this.#peers.values()].filter(({ paused }) => !paused).length;
  }

  async close(): Promise<void> {
    const closed = [...this.#peers].map(
      ([socket, peer]) =>
        new Promise((resolve) => {
          socket.once('close', resolve);
          peer.destroy();
        }),
    );
    await Promise.all([...closed, new Promise((resolve) => this.#server.close(resolve))]);
  }
}
