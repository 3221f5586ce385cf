/** The program in this process, with streams that keep what is written, and folders and servers that go when the tests of a file end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Answers,
  type RunningScript,
  type Sandbox,
  type SandboxOptions,
  type Step,
  startSandbox,
  startScriptedServer,
  steps,
} from '@posthorn/conformance';
import { afterAll, beforeAll } from 'vitest';
import { main } from '../src/main.ts';
import type { Input, Surroundings } from '../src/surroundings.ts';

/** What a run came to. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** What comes by the pipe; none: a terminal. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Standard error is a terminal. */
  readonly isTTY?: boolean;
  readonly login?: string;
  readonly home?: string;
  readonly temporary?: string;
  /** What writing to standard output ends with. */
  readonly stdoutError?: NodeJS.ErrnoException;
}

/** A clock that stands still. */
export const NOW: Date = new Date('2026-02-03T04:05:06.000Z');

async function* pieces(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

export function surroundingsOf(options: RunOptions = {}): {
  readonly surroundings: Surroundings;
  readonly said: { out: string; err: string };
} {
  const said = { out: '', err: '' };
  const { stdin } = options;
  const given = typeof stdin === 'string' || stdin instanceof Uint8Array ? pieces(stdin) : stdin;
  return {
    said,
    surroundings: {
      stdin: (given ?? Object.assign(pieces(), { isTTY: true })) as Input,
      stdout: {
        write(text, done) {
          if (!options.stdoutError) said.out += Buffer.from(text as string).toString('utf8');
          done?.(options.stdoutError ?? null);
          return true;
        },
      },
      stderr: Object.assign(
        {
          write(text: string | Uint8Array, done?: (error?: Error | null) => void) {
            said.err += Buffer.from(text as string).toString('utf8');
            done?.();
            return true;
          },
        },
        // What a bar asks of a terminal.
        options.isTTY ? { isTTY: true, columns: 80, on() {}, once() {}, removeListener() {} } : {},
      ),
      // Nothing of the machine that runs the tests.
      env: { ...options.env },
      home: options.home ?? '',
      login: options.login ?? 'tester',
      temporary: options.temporary ?? tmpdir(),
      now: () => NOW,
      signal: options.signal ?? new AbortController().signal,
    },
  };
}

/** @param words - the arguments; no settings file is read unless one is named */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { surroundings, said } = surroundingsOf(options);
  const named =
    words[0] === '--config' || options.env?.['POSTHORN_CONFIG'] || options.home || options.name;
  const all = named ? words : ['--no-config', ...words];
  const program = { name: options.name ?? 'posthorn', version: '1.2.3' };
  const code = await main(all, program, surroundings);
  return { code, ...said };
}

/** A folder for the tests of a file. */
export function useFolder(): {
  path: string;
  file(name: string, content?: string | Uint8Array, mode?: number): string;
} {
  const folder = {
    path: '',
    file(name: string, content: string | Uint8Array = '', mode = 0o600): string {
      const path = join(folder.path, name);
      rmSync(path, { force: true });
      writeFileSync(path, content, { mode });
      return path;
    },
  };
  beforeAll(() => {
    folder.path = mkdtempSync(join(tmpdir(), 'posthorn cli '));
  });
  afterAll(() => rmSync(folder.path, { recursive: true, force: true }));
  return folder;
}

/** A sandbox that takes what it is given, if the options do not say otherwise; its CA is a file. */
export function useSandbox(options: SandboxOptions = {}): {
  sandbox: Sandbox;
  env: Record<string, string>;
} {
  const folder = useFolder();
  const used = { env: {} as Record<string, string> } as ReturnType<typeof useSandbox>;
  beforeAll(async () => {
    used.sandbox = await startSandbox({
      http: false,
      confirmedSenders: 'any',
      attachments: 'any',
      maxSize: 50_000_000,
      ...options,
    });
    used.env = {
      POSTHORN_HOST: used.sandbox.host,
      POSTHORN_PORT: String(used.sandbox.smtp),
      POSTHORN_CA: folder.file('ca.pem', used.sandbox.ca),
      POSTHORN_USER: '1website',
      POSTHORN_PASS: 'test',
    };
  });
  afterAll(() => used.sandbox?.close());
  return used;
}

/** A server that answers as it is told. */
export interface Scripted {
  readonly server: RunningScript;
  /** Names it, without TLS and without a login. */
  readonly env: Record<string, string>;
}

export interface Scripts {
  /** Greets, and answers every command well but for those that are given. */
  serve(answers?: Answers, offers?: readonly string[]): Promise<Scripted>;
  play(script: readonly Step[]): Promise<Scripted>;
}

export function useScripts(): Scripts {
  const servers: RunningScript[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });
  const play = async (script: readonly Step[]): Promise<Scripted> => {
    const server = await startScriptedServer(script);
    servers.push(server);
    const env = {
      POSTHORN_HOST: server.host,
      POSTHORN_PORT: String(server.port),
      POSTHORN_TLS: 'off',
    };
    return { server, env };
  };
  return {
    play,
    serve: (answers = {}, offers = ['PIPELINING', '8BITMIME']) =>
      play([steps.send('220 mail.example.com'), steps.converse({ answers, offers })]),
  };
}

/** What the client wrote, whatever connection it was on: commands and content. */
export function written(server: RunningScript): string {
  return server.transcript
    .flat()
    .flatMap((event) => (event.who === 'client' ? [event.text] : []))
    .join('');
}
