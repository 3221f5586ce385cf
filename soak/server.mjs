/**
 * The server, in a process of its own: for plain connections and STARTTLS, for TLS from the first octet, and for LMTP. It
 * keeps the record of what it has accepted until it is asked for it.
 */
import { createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { createCertificateAuthority } from '@posthorn/conformance';
import { isService, serve } from '../bench/service.mjs';
import { Conversation } from './conversation.mjs';
import { characterOf } from './faults.mjs';
import { seeded } from './random.mjs';

/** How long it is waited for clients that are to have left, in ms. */
const PATIENCE = 5_000;
const KINDS = ['good', 'wrong-host', 'expired', 'self-signed'];

/** @returns ports and the certificate to trust; `settled()`: all that has happened since it was asked last */
export async function startServer({ seed }) {
  const random = seeded(seed);
  const authority = await createCertificateAuthority();
  const contexts = {};
  for (const kind of KINDS) contexts[kind] = createSecureContext(await authority.issue(kind));
  const sockets = new Set();
  const timers = new Set();
  const nothing = () => ({ accepted: [], violations: [], faults: {}, connections: 0 });
  let since = nothing();

  const server = {
    contexts,
    accepted: (message) => since.accepted.push(message),
    violation: (text) => since.violations.push(text),
    fault: (name) => {
      since.faults[name] = (since.faults[name] ?? 0) + 1;
    },
    later: (ms, then) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        then();
      }, ms);
      timers.add(timer);
    },
  };
  const listen = async (kind) => {
    const listening = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      since.connections += 1;
      socket.on('close', () => sockets.delete(socket));
      new Conversation(server, socket, characterOf(random, kind), random);
    });
    await new Promise((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(0, '127.0.0.1', resolve);
    });
    return listening.address().port;
  };
  const ports = {
    plain: await listen({}),
    tls: await listen({ tls: true }),
    lmtp: await listen({ lmtp: true }),
    // For clients with the deadlines of the RFC, which are minutes.
    prompt: await listen({ stalls: false }),
  };

  return {
    port: { ...ports, ca: authority.ca },
    /** Waits until no connection is left. `left`: those that a client has not closed within PATIENCE. */
    settled: async () => {
      const until = performance.now() + PATIENCE;
      while (sockets.size > 0 && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 5));
      const left = sockets.size;
      for (const socket of sockets) socket.destroy();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      const told = { ...since, left };
      since = nothing();
      return told;
    },
  };
}

if (isService(import.meta.url)) serve(startServer);
