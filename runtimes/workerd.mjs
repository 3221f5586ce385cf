/** workerd with its workers: bundled as a user's are, with a configuration of its own, on free ports of the loopback. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

/** Of the runtime's behaviour, not of the packages: what a worker is deployed with. */
const COMPATIBILITY_DATE = '2026-01-01';
const START_LIMIT = 20_000;
const REQUEST_LIMIT = 30_000;

/** @throws Error where the bundle imports what the worker is not to have */
async function bundle(place, { name, entry, flags }) {
  const { metafile } = await build({
    absWorkingDir: place,
    entryPoints: [entry],
    outfile: join(place, `${name}.bundle.js`),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['node:*', 'cloudflare:*'],
    metafile: true,
    logLevel: 'silent',
  });
  const allowed = flags.includes('nodejs_compat') ? /^(cloudflare|node):/ : /^cloudflare:/;
  for (const { imports } of Object.values(metafile.outputs))
    for (const { path } of imports)
      if (!allowed.test(path)) throw new Error(`the worker ${name} imports ${path}`);
}

const quoted = (text) => JSON.stringify(text);

function configuration(workers, authorities) {
  const services = workers.map(
    ({ name, flags, bindings = {} }) => `    (name = ${quoted(name)}, worker = (
      modules = [(name = "worker.js", esModule = embed ${quoted(`${name}.bundle.js`)})],
      compatibilityDate = ${quoted(COMPATIBILITY_DATE)},
      compatibilityFlags = [${flags.map(quoted).join(', ')}],
      bindings = [${Object.entries(bindings)
        .map(([key, text]) => `(name = ${quoted(key)}, text = ${quoted(text)})`)
        .join(', ')}],
    )),`,
  );
  const sockets = workers.map(
    ({ name }) =>
      `    (name = ${quoted(name)}, address = "127.0.0.1:0", http = (), service = ${quoted(name)}),`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
${services.join('\n')}
    (name = "internet", network = (
      allow = ["private", "local", "public"],
      tlsOptions = (
        trustBrowserCas = false,
        trustedCertificates = [${authorities.map((name) => `embed ${quoted(name)}`).join(', ')}],
      ),
    )),
  ],
  sockets = [
${sockets.join('\n')}
  ],
);
`;
}

/**
 * @param workers - each with its name, its entry, its compatibility flags and its bindings
 * @param trusted - certificates of authorities, in PEM
 * @returns `ask(worker, body)`, what it answers to a POST; `close()`; what it has said
 */
export async function startWorkerd({ program, place, env, workers, trusted }) {
  for (const worker of workers) await bundle(place, worker);
  const authorities = trusted.map((pem, at) => {
    writeFileSync(join(place, `ca-${at}.pem`), pem);
    return `ca-${at}.pem`;
  });
  writeFileSync(join(place, 'config.capnp'), configuration(workers, authorities));
  // Says on its fourth descriptor where it listens.
  const child = spawn(program, ['serve', '--control-fd=3', 'config.capnp'], {
    cwd: place,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async () => {
    kill();
    await closed;
    process.off('exit', kill);
  };

  const ports = new Map();
  const listening = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`workerd does not listen within ${START_LIMIT / 1_000} s`)),
      START_LIMIT,
    );
    const over = (error) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    };
    child.once('error', over);
    child.once('exit', (code) => over(new Error(`workerd has ended with ${code}:\n${output}`)));
    createInterface({ input: child.stdio[3] }).on('line', (line) => {
      const { event, socket, port } = JSON.parse(line);
      if (event === 'listen') ports.set(socket, port);
      if (ports.size === workers.length) over();
    });
  });
  try {
    await listening;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async ask(worker, body) {
      const response = await fetch(`http://127.0.0.1:${ports.get(worker)}/`, {
        method: 'POST',
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_LIMIT),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`workerd answers ${response.status}: ${text}\n${output}`);
      return JSON.parse(text);
    },
    get output() {
      return output;
    },
    close,
  };
}
