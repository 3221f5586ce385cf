/** `smtp-conformance serve` as a process of its own, and a client that sends to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import type { Built } from '../built.ts';
import { Dialogue, FROM, mail, within } from '../dialogue.ts';

/** What it says when it is ready. */
export interface Ready {
  readonly host: string;
  readonly smtp: number;
  readonly smtps: number;
  readonly http: number;
  readonly url: string;
  readonly ca: string | null;
  readonly pid: number;
}

export interface Served {
  readonly ready: Ready;
  /** All that was written so far. */
  readonly out: string;
  readonly err: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
}

export const FREE: readonly string[] = ['--smtp', '0', '--smtps', '0', '--http', '0'];

/**
 * Starts it with free ports; what is still running behind the last test is ended.
 *
 * @param flags - of node
 */
export function useServed(
  built: Built,
  ...flags: readonly string[]
): (...words: readonly string[]) => Promise<Served> {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  return async (...words) => {
    const command = [process.execPath, ...flags, built.file('cli.js'), 'serve', '--json', ...FREE];
    // A file that grows over a limit is then an error, as a full disk is, and no signal that ends it.
    const child = spawn('sh', ['-c', `trap '' XFSZ; exec "$@"`, 'sh', ...command, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let [out, err] = ['', ''];
    child.stdout.on('data', (octets) => {
      out += octets;
    });
    child.stderr.on('data', (octets) => {
      err += octets;
    });
    const ended = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    });
    const first = new Promise<string>((resolve) =>
      createInterface({ input: child.stdout }).once('line', resolve),
    );
    const line = await within(
      Promise.race([first, ended.then((code) => `it ended with ${code}: ${err}`)]),
      'The start',
    );
    if (!line.startsWith('{')) throw new Error(line);
    return {
      ready: JSON.parse(line) as Ready,
      get out() {
        return out;
      },
      get err() {
        return err;
      },
      ended,
      kill: (signal) => void child.kill(signal),
    };
  };
}

/** A connection to its STARTTLS server that stays without TLS, behind EHLO. */
export async function greeted(port: number): Promise<Dialogue> {
  const socket = connect(port, '127.0.0.1');
  const dialogue = new Dialogue(socket);
  const greeting = await dialogue.reply();
  if (!greeting?.startsWith('220 ')) throw new Error(`greeting: ${greeting}`);
  await dialogue.ask('EHLO client.example');
  return dialogue;
}

/** Sends one message: its id, where it was accepted. */
export async function accepted(
  dialogue: Dialogue,
  to: string,
  body?: string,
): Promise<string | undefined> {
  const replies = await dialogue.send(mail(body), { from: FROM, to: [to] });
  return /^250 Ok: queued as (.*)$/.exec(replies.at(-1) ?? '')?.[1];
}
