/**
 * A TCP proxy that makes a line long: what it takes leaves `latency` ms later, in order, however much it is. And it counts
 * how often each client has waited, by a clock that has no time: octets of the client carry the number of the round they
 * were sent in; octets of the server carry the highest number that had reached it before. The first octets of the server
 * that answer the client's round begin its next one: that is one wait. Further ones that answer the same round are none,
 * and so is a greeting, for which the client has sent nothing.
 */
import { connect, createServer } from 'node:net';
import { isService, serve } from './service.mjs';

/**
 * @param options.target - the port on 127.0.0.1 that is behind it
 * @param options.latency - ms each way: half of the round trip. Default 0
 * @returns the port on 127.0.0.1; `waits()`, of all connections so far; `perConnection()`, the same for each in the order
 * in which they came; `close()`
 */
export async function startProxy({ target, latency = 0 }) {
  const connections = [];
  const sockets = new Set();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({
      host: '127.0.0.1',
      port: target,
      noDelay: true,
      allowHalfOpen: true,
    });
    const state = { round: 0, reached: -1 };
    connections.push(state);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    const toServer = delayed(latency, upstream, (round) => {
      state.reached = Math.max(state.reached, round);
    });
    const toClient = delayed(latency, client, (answered) => {
      if (answered >= state.round) state.round = answered + 1;
    });
    client.on('data', (chunk) => toServer(chunk, state.round));
    client.on('end', () => toServer(undefined, state.round));
    upstream.on('data', (chunk) => toClient(chunk, state.reached));
    upstream.on('end', () => toClient(undefined, -1));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const perConnection = () => connections.map(({ round }) => round);
  return {
    port: server.address().port,
    perConnection,
    waits: () => perConnection().reduce((sum, waits) => sum + waits, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * A line to a socket, `latency` ms long.
 *
 * @param onArrival - called with the round of what arrives, before it is written
 * @returns what puts a chunk and its round into the line; undefined is the end of the stream
 */
function delayed(latency, socket, onArrival) {
  let line = [];
  let armed = false;
  const arrive = ({ chunk, round }) => {
    onArrival(round);
    if (socket.destroyed) return;
    if (chunk === undefined) socket.end();
    else socket.write(chunk);
  };
  const arm = () => {
    armed = true;
    setTimeout(deliver, Math.max(1, Math.ceil(line[0].due - performance.now())));
  };
  const deliver = () => {
    armed = false;
    const now = performance.now();
    const still = line.findIndex(({ due }) => due > now);
    const here = still < 0 ? line : line.slice(0, still);
    line = still < 0 ? [] : line.slice(still);
    socket.cork();
    for (const one of here) arrive(one);
    socket.uncork();
    if (line.length > 0) arm();
  };
  return (chunk, round) => {
    if (latency === 0) return arrive({ chunk, round });
    line.push({ chunk, round, due: performance.now() + latency });
    if (!armed) arm();
  };
}

if (isService(import.meta.url)) serve(startProxy);
