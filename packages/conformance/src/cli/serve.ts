/** `smtp-conformance serve`: the provider's sandbox, until Ctrl-C. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../runner/select.ts';
import { isLoopback, type SandboxOptions } from '../sandbox/options.ts';
import { JournalError } from '../sandbox/platform/disk-journal.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { type Terminal, write } from './run.ts';
import { PASSWORD, type ServeWords, sandboxOptions } from './serve-options.ts';

/** Exit code for what could not be done. */
const BROKEN = 2;

/** Adds the command. */
export function addServe(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('serve')
    .description("the provider's sandbox: its rules over SMTP, and its pages; until Ctrl-C")
    .option('--profile <name>', 'devino (which is 2017-10), 2016, 2017-10, successor', 'devino')
    .option('--smtp <port>', 'of the STARTTLS server, as 587; 0: a free one', '2587')
    .option('--smtps <port>', 'of the server with TLS from the first octet, as 465', '2465')
    .option('--http <port>', 'of the pages and the REST interface', '2580')
    .option('--json', 'one line of JSON when it is ready, and nothing else')
    .option('--ca-file <file>', 'where the certificate to trust is written to, in PEM')
    .option('--data <folder>', 'keeps messages, lists, counts and the certificate authority there')
    .option('--retention <n>', 'how many messages are kept; default: 1000')
    .option('--bind <address>', 'where it listens; default: 127.0.0.1')
    .option('--unsafe-bind', 'allows an address that others can reach')
    .option('--public-url <url>', 'where its readers reach the pages; default: localhost')
    .option('--legacy-tls', 'admits TLS 1.0, as the .NET of Mono speaks it')
    .option(
      '--login <user:password...>',
      `who may log in; USER alone: the password is in the environment, as ${PASSWORD}`,
    )
    .option('--no-auth-required', 'accepts messages without a login')
    .option('--sender <address...>', 'confirmed senders; @domain: all of a domain')
    .option('--any-sender', 'every sender is confirmed')
    .option('--allow <ip...>', 'who may connect; default: everybody who can')
    .option('--tags <verdict>', 'what a missing tag costs: off, warn, reject')
    .option('--charset <verdict>', 'what another charset than UTF-8 costs: off, warn, reject')
    .option('--files <which>', 'none, any, or extensions that are refused: exe,com')
    .option('--max-size <octets>', 'of a message')
    .option('--further-recipients <how>', 'those behind the first: ignore, refuse')
    .option('--filtered <how>', 'who unsubscribed or bounced hard: accept, refuse')
    .option('--stage <reason=stage...>', 'where a 554 is given: auth, mail, rcpt, data')
    .option('--prefix <text>', "before each refusal's text")
    .option('--enhanced-status-codes', 'refusals carry them')
    .option('--announce-size', 'EHLO announces SIZE')
    .option('--hide <keyword...>', 'what EHLO does not offer')
    .option('--faults <file>', 'a fault plan, as JSON')
    .option('--deliver <how>', 'auto; manual: messages wait for events by REST')
    .option('--seed <text>', 'the same ids in each run')
    .option('--callback <url>', 'who is told of events')
    .option('--callback-format <format>', 'json, xml')
    .addHelpText(
      'after',
      `
Exit codes: 0 stopped, 2 it could not be started, 3 wrong usage.

Examples:
  $ smtp-conformance serve
  $ smtp-conformance serve --data ./sandbox --ca-file ca.pem --tags reject
  $ smtp-conformance serve --smtp 0 --smtps 0 --http 0 --json
  $ ${PASSWORD}=… smtp-conformance serve --login shop --sender news@example.com --callback http://localhost:8080/events`,
    )
    .action(async (words: ServeWords) => exit(await serve(words, terminal)));
}

async function serve(words: ServeWords, terminal: Terminal): Promise<number> {
  const options = await sandboxOptions(words, process.env);
  try {
    const sandbox = await startSandbox(options);
    try {
      await told(sandbox, words, options, terminal);
      await stopped(terminal.signal);
    } finally {
      await sandbox.close();
    }
    return 0;
  } catch (error) {
    const why = reason(error, words);
    if (why === undefined) throw error;
    terminal.stderr.write(`smtp-conformance: ${why}\n`);
    return BROKEN;
  }
}

/** Says that it is ready, and where. */
async function told(
  sandbox: Sandbox,
  { json, caFile, bind = '127.0.0.1' }: ServeWords,
  options: SandboxOptions,
  terminal: Terminal,
): Promise<void> {
  const ca = caFile === undefined ? null : resolve(caFile);
  if (ca !== null)
    await writeFile(ca, sandbox.ca).catch((error: Error) => {
      throw new UsageError(`--ca-file ${caFile}: ${error.message}`);
    });
  if (!isLoopback(bind))
    terminal.stderr.write(
      `warning: everybody who reaches ${bind} can send to this sandbox, and read and change what is in it\n`,
    );
  const { host, smtp, smtps, http, url } = sandbox;
  const line = JSON.stringify({ host, smtp, smtps, http, url, ca, pid: process.pid });
  await write(json ? `${line}\n` : text(sandbox, ca, options), undefined, terminal);
}

/** What people read. */
function text(
  { host, smtp, smtps, url }: Sandbox,
  ca: string | null,
  options: SandboxOptions,
): string {
  const { credentials, requireAuth, confirmedSenders, data } = options;
  // A password that was given is known to who gave it.
  const login = credentials
    ? Object.keys(credentials).join(', ')
    : '1website, with the password test';
  const senders =
    confirmedSenders === 'any'
      ? 'any'
      : (confirmedSenders ?? ['noreplay@devinotele.com']).join(', ');
  return `The sandbox is ready; Ctrl-C stops it.

SMTP     ${host}:${smtp} with STARTTLS, ${host}:${smtps} with TLS from the first octet
Login    ${requireAuth === false ? `not needed; ${login}` : login}
Sender   ${senders}
Inbox    ${url}/
Set-up   ${url}/setup
CA       ${ca ?? `${url}/ca.pem`}
Keeps    ${data === undefined ? 'everything in memory, until it stops' : `everything in ${data}`}
`;
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

/** Why it could not be started, in a sentence; nothing where that is a fault of the program. */
function reason(error: unknown, words: ServeWords): string | undefined {
  if (error instanceof JournalError) return error.message;
  const { syscall, code, port } = error as NodeJS.ErrnoException & { readonly port?: unknown };
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined;
  const { bind = '127.0.0.1' } = words;
  const flag = (['smtp', 'smtps', 'http'] as const).find((name) => Number(words[name]) === port);
  if (flag === undefined) return `Cannot listen at ${bind}: ${(error as Error).message}`;
  const why =
    code === 'EADDRINUSE'
      ? `another program does; --${flag} takes another port, 0 a free one`
      : (error as Error).message;
  return `Cannot listen at ${bind}:${port}: ${why}`;
}
