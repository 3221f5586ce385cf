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
  readonly #sockets = new Set<Socket>();

  constructor(plan: ScriptedPlan, around: Surroundings) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const log = new WireLog(around.started);
      const index = this.logs.push(log) - 1;
      const steps = plan.scripts[Math.min(index, plan.scripts.length - 1)] ?? [];
      const peer = new Peer(socket, log, around.delivery);
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

  /** Connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
