/** What the variants of a table share: sinks and proxies, one for each kind that one of them asks for. */
import { inBareProcess, inFreshProcess } from './fresh.mjs';
import { startService } from './service.mjs';

const SINK = new URL('./sink.mjs', import.meta.url);
const PROXY = new URL('./proxy.mjs', import.meta.url);

let certificates;

/** A CA and a leaf that it has signed for localhost and 127.0.0.1, made once a run. */
async function makeCertificates() {
  const { createCertificateAuthority } = await import('@posthorn/conformance');
  const authority = await createCertificateAuthority();
  return { ca: authority.ca, leaf: await authority.issue() };
}

/**
 * @param pinned - what keeps a process on one core; the proxy is not pinned, as it is no part of what is measured
 * @returns `play()` and `close()`
 */
export function createContext(pinned) {
  const servers = new Map();

  const serve = async ({ latency, ...options }) => {
    certificates ??= makeCertificates();
    const { ca, leaf } = await certificates;
    const sink = await startService(SINK, { ...options, certificate: leaf }, pinned);
    const proxy =
      latency === undefined
        ? undefined
        : await startService(PROXY, { target: sink.port, latency }).catch((error) => {
            sink.stop();
            throw error;
          });
    return { ca, sink, proxy };
  };

  const serverOf = (options) => {
    const kind = JSON.stringify(options);
    if (!servers.has(kind)) servers.set(kind, serve(options));
    return servers.get(kind);
  };

  return {
    /**
     * Runs a job against a sink of this kind.
     *
     * @param server - the options of the sink; with `latency`, behind a proxy
     * @returns the job's sample; what the sink got, `gotMessages` and `gotOctets`; behind a proxy `waits` between the
     * job's marks 'begin' and 'end', for each of `sample.measured`
     */
    async play(server, job, bound) {
      const { ca, sink, proxy } = await serverOf(server);
      await sink.ask('reset');
      const marks = {};
      const connection = {
        host: '127.0.0.1',
        port: (proxy ?? sink).port,
        tls: server.tls ?? 'off',
        ca,
      };
      const sample = await inFreshProcess(
        {
          ...job,
          options: { ...job.options, connection: { ...connection, ...job.options.connection } },
        },
        {
          bound,
          pinned,
          onMark: async (mark) => {
            if (proxy) marks[mark] = await proxy.ask('waits');
          },
        },
      );
      const { messages, octets } = await sink.ask('counts');
      const waits = proxy ? { waits: (marks.end - marks.begin) / sample.measured } : {};
      return { ...sample, ...waits, gotMessages: messages, gotOctets: octets };
    },
    /** Runs a job that needs no server. */
    alone: (job, bound) => inFreshProcess(job, { bound, pinned }),
    /** Runs a program of jobs/ that has no channel to its parent. */
    bare: (program, args, execArgv) =>
      inBareProcess(new URL(`./jobs/${program}.mjs`, import.meta.url), args, { execArgv }),
    /** Sends one message to a sink of this kind from a process that has done nothing before. */
    async first(server, client) {
      const { ca, sink } = await serverOf(server);
      await sink.ask('reset');
      const connection = { host: '127.0.0.1', port: sink.port, tls: server.tls ?? 'off', ca };
      const sample = await this.bare('first-message', [client, JSON.stringify(connection)]);
      const { messages, octets } = await sink.ask('counts');
      return { ...sample, gotMessages: messages, gotOctets: octets };
    },
    async close() {
      for (const server of servers.values()) {
        const started = await server.catch(() => undefined);
        started?.proxy?.stop();
        started?.sink.stop();
      }
    },
  };
}
