/** Starts a server in a folder of its own, on free ports of the loopback interface, and knows how to end it. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createCertificateAuthority } from '@posthorn/conformance';
import { accounts } from './accounts.mjs';
import { accountOf } from './install.mjs';
import { createMaildir } from './maildir.mjs';
import { PATIENCE, until } from './until.mjs';

/**
 * What each port is for: STARTTLS; TLS from the first octet; no TLS; no SMTPUTF8; a certificate for another name, and one
 * that has expired; a client that may show a certificate; a server that does not wait, and one that takes few messages.
 */
const PORTS = [
  ...['starttls', 'implicit', 'plain', 'ascii'],
  ...['elsewhere', 'expired', 'certified', 'hasty', 'frugal'],
];

/** Ends the server when what has started it is gone, whatever way that went. */
const WATCHED = `exec 3<&0
"$0" "$@" </dev/null 3<&- & server=$!
{ read _ <&3; kill $server; } & reader=$!
wait $server; code=$?
kill $reader
exit $code`;

/**
 * @param server - of servers.mjs
 * @param programs - the folder where the packages are unpacked
 * @param place - a new folder for all that it writes
 * @throws Error with what it said, where it does not answer
 */
export async function start(server, programs, place) {
  const account = accountOf(server.account);
  const ports = await freePorts();
  const trust = await certificates(place, account);
  const certificate = (kind) => join(place, 'certificates', `${kind}.pem`);
  const around = { place, programs, ports, account, certificate };
  server.write(around);
  passwords(around);
  const [program, ...args] = server.command(around);
  const environment = { PATH: process.env.PATH, LANG: 'C', ...server.environment(around) };
  let said = '';
  const child = spawn('sh', ['-c', WATCHED, join(programs, program), ...args], {
    cwd: place,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let ended;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it has ended with ${signal ?? code}`;
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  const running = {
    name: server.name,
    version: server.version((name, words) => {
      const { stdout } = spawnSync(join(programs, name), words, {
        env: environment,
        encoding: 'utf8',
        timeout: PATIENCE,
      });
      return stdout?.trim();
    }),
    server,
    place,
    host: 'localhost',
    ports,
    ...trust,
    maildir: createMaildir(join(place, 'box'), server.added),
    /** Whether it has nothing to do: each connection behind a mark is over, and no message is queued that was not then. */
    isQuiet({ log = 0, queued = 0 } = {}) {
      if (ended !== undefined) throw new Error(ended);
      const processes = endAll(programs, 0);
      return (
        server.queued(around) <= queued && server.isQuiet({ log: running.log(log), processes })
      );
    },
    /** The length of the log, and of the queue. */
    mark: () => ({ log: sizeOf(join(place, server.log)), queued: server.queued(around) }),
    /** What is in the log behind a place. */
    log: (from = 0) => readFrom(join(place, server.log), from),
    /** Why it is not there any more, or undefined. */
    ended: () => ended,
    queued: () => server.queued(around),
    panics: () => server.panics(around),
    stop: () => stop(child, programs),
  };
  const answered = await until(
    async () => ended !== undefined || ((await answers(ports.starttls)) && running.isQuiet()),
  );
  if (!answered || ended !== undefined) {
    await running.stop();
    throw new Error(`${server.name} does not answer: ${ended ?? ''}\n${said}${running.log()}`);
  }
  return running;
}

/** Ends whatever is running of the programs in a folder. Only what was started from there has its program there. */
export function endAll(programs, signal = 'SIGKILL') {
  const found = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/exe`).startsWith(`${programs}/`);
    } catch {
      return false;
    }
  });
  for (const pid of found)
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It is gone by itself.
    }
  return found.length;
}

/** Whether it went by itself when it was told to. */
async function stop(child, programs) {
  child.stdin.destroy();
  const gone = await until(() => child.exitCode !== null || child.signalCode !== null);
  const clean = gone && (await until(() => endAll(programs, 0) === 0));
  await until(() => endAll(programs) === 0);
  return clean;
}

/** Ports that nobody listens on: all are asked for before one of them is given back. */
async function freePorts() {
  const held = await Promise.all(
    PORTS.map(
      () =>
        new Promise((resolve, reject) => {
          const holder = createServer();
          holder.once('error', reject);
          holder.listen(0, '127.0.0.1', () => resolve(holder));
        }),
    ),
  );
  const ports = held.map((holder) => holder.address().port);
  await Promise.all(held.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return Object.fromEntries(PORTS.map((name, at) => [name, ports[at]]));
}

/** Certificates in files that the server's user can read, and nobody else. */
async function certificates(place, { uid, gid }) {
  const folder = join(place, 'certificates');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, uid, gid);
  const authority = await createCertificateAuthority();
  const files = {};
  for (const kind of ['good', 'wrong-host', 'expired']) {
    const { cert, key } = await authority.issue(kind);
    files[kind] = `${key}\n${cert}\n`;
  }
  const client = clientCertificate(folder);
  files.client = client.cert;
  for (const [kind, pem] of Object.entries(files)) {
    const file = join(folder, `${kind}.pem`);
    writeFileSync(file, pem, { mode: 0o600 });
    chownSync(file, uid, gid);
  }
  const stranger = await createCertificateAuthority();
  return { ca: authority.ca, otherCa: stranger.ca, client };
}

/** What a client shows of itself: signed by itself, and trusted as it is. */
function clientCertificate(folder) {
  const [key, cert] = ['own-key.pem', 'own.pem'].map((name) => join(folder, name));
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...words.split(' '),
      ...['-subj', '/CN=client', '-addext', 'extendedKeyUsage=clientAuth'],
      ...['-keyout', key, '-out', cert],
    ],
    { encoding: 'utf8', timeout: PATIENCE },
  );
  if (status !== 0) throw new Error(`openssl req failed: ${stderr}`);
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** The passwords as Cyrus SASL reads them. */
function passwords({ place, programs, account }) {
  const file = join(place, 'passwords');
  for (const { user, pass } of accounts) {
    const at = user.lastIndexOf('@');
    const { status, stderr } = spawnSync(
      join(programs, 'usr/sbin/saslpasswd2'),
      ['-p', '-c', '-f', file, '-u', user.slice(at + 1), user.slice(0, at)],
      { input: pass, encoding: 'utf8', timeout: PATIENCE },
    );
    if (status !== 0) throw new Error(`saslpasswd2 failed: ${stderr}`);
  }
  chownSync(file, account.uid, account.gid);
  // Where the messages are delivered to.
  mkdirSync(join(place, 'box'));
  chownSync(join(place, 'box'), account.uid, account.gid);
}

/** Whether a port greets whoever connects. */
const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (greets) => {
      resolve(greets);
      socket.destroy();
    };
    socket.once('data', (octets) => settle(octets.toString('latin1').startsWith('220')));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.setTimeout(PATIENCE, () => settle(false));
  });

const sizeOf = (file) => (existsSync(file) ? statSync(file).size : 0);

function readFrom(file, from) {
  if (!existsSync(file)) return '';
  const descriptor = openSync(file, 'r');
  try {
    const octets = Buffer.alloc(Math.max(fstatSync(descriptor).size - from, 0));
    return octets.toString('utf8', 0, readSync(descriptor, octets, 0, octets.length, from));
  } finally {
    closeSync(descriptor);
  }
}
