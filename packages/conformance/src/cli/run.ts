/** `smtp-conformance run`: one client or several over the catalogue, and a report. */
import { access, constants, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { cases } from '../cases/index.ts';
import { commandSubject } from '../drivers/command.ts';
import { htmlReport } from '../report/html.ts';
import { junitReport } from '../report/junit.ts';
import { type Report, reportOf } from '../report/report.ts';
import { tapReport } from '../report/tap.ts';
import { terminalReport } from '../report/terminal.ts';
import { AbsentError } from '../runner/absent-error.ts';
import { runSuite } from '../runner/run-suite.ts';
import { select, UsageError } from '../runner/select.ts';
import type { Delivery } from '../server/wire-log.ts';
import { findSubject, type MakeSubject, READY } from '../subjects/ready.ts';
import type { Feature } from '../task.ts';
import { knownFeature } from './features.ts';
import { Progress } from './progress.ts';

/** What the environment of the command line is: so that tests need no process. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

interface RunOptions {
  readonly subject?: readonly string[];
  readonly client?: readonly string[];
  readonly name?: string;
  readonly features?: string;
  readonly case?: readonly string[];
  readonly tag?: readonly string[];
  readonly delivery: string;
  readonly jobs: string;
  readonly slow: string;
  readonly strict?: boolean;
  readonly known?: string;
  readonly report: string;
  readonly out?: string;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** The kinds of report that are of several clients too. */
const OF_SEVERAL = /^(terminal|html)$/;

export const REPORTS = ['terminal', 'json', 'junit', 'html', 'tap'] as const;
const DELIVERIES: readonly Delivery[] = ['whole', 'line', 'byte'];

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Adds the command. */
export function addRun(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('run')
    .description('play the catalogue with a client, and report')
    .option(
      '--subject <name>',
      `a client that is known here: ${READY.join(', ')}; or the path of a module`,
      collect,
    )
    .option(
      '--client <command>',
      'any program, by a command template; it is run without a shell',
      collect,
    )
    .option('--name <name>', 'what the program of --client is called in reports')
    .option(
      '--features <list>',
      'what the program of --client can do beside what its template shows; with - in front what it cannot: starttls,-auth-login',
    )
    .option(
      '--case <selection>',
      "ids, with *: 'DEV-*,!DEV-28'; also tag:, level:, group:, clause:",
      collect,
    )
    .option('--tag <tag>', 'the cases with this tag', collect)
    .option('--delivery <list>', 'how replies are cut: whole, line, byte, or all', 'whole')
    .option('--jobs <n>', 'clients at a time', String(Math.min(8, 2 * availableParallelism())))
    .option('--slow <factor>', 'every deadline is so many times as long', '1')
    .option('--strict', 'a SHOULD that is broken is a failure')
    .option(
      '--known <file>',
      'JSON: {"AUT-01": "why it fails"}; these count as XFAIL, and to pass is a failure',
    )
    .option('--report <kind>', REPORTS.join(', '), 'terminal')
    .option('--out <file>', 'where the report goes; default: standard output')
    .option('--verbose', 'passed cases too, and the wire of those that did not pass')
    .option('--no-color', 'no colours in the terminal report')
    .addHelpText(
      'after',
      `
Exit codes: 0 every MUST holds, 1 some do not, 2 something could not be run, 3 wrong usage.

Examples:
  $ smtp-conformance run --subject core
  $ smtp-conformance run --subject nodemailer --delivery all --report junit --out junit.xml
  $ smtp-conformance run --case 'TLS-*,!level:INFO' --subject curl --verbose
  $ smtp-conformance run --client 'python3 send.py {host} {port} {from} {to} {file}'
  $ smtp-conformance run --client 'curl --url smtp://{host}:{port} --mail-from {from} {*to:--mail-rcpt {to}} -T {file}'

Templates: {host} {port} {user} {pass} {from} {to} {file} {ca} {name} {tls} {mech} {timeout} {token} {auth} {insecure}
{lmtp}; parts that depend: {?auth:-u {user}:{pass}} {!auth:…} {tls=starttls|implicit:--ssl-reqd} {*to:--rcpt {to}}
{,to}; < {file} at the end is standard input. The program's exit code tells: 0 sent, 89 not implemented, any other not
sent.`,
    )
    .action(async (options: RunOptions) => exit(await runCommand(options, terminal)));
}

async function runCommand(options: RunOptions, terminal: Terminal): Promise<number> {
  if (!(REPORTS as readonly string[]).includes(options.report))
    throw new UsageError(
      `there is no report ${JSON.stringify(options.report)}: there are ${REPORTS.join(', ')}`,
    );
  const selected = select(
    cases,
    [...(options.case ?? []), ...(options.tag ?? []).map((tag) => `tag:${tag}`)].join(','),
  );
  if (selected.length === 0) throw new UsageError('nothing is selected');
  const deliveries = deliveriesOf(options.delivery);
  const jobs = from1('--jobs', options.jobs);
  const slow = from1('--slow', options.slow);
  const known = options.known === undefined ? {} : await knownOf(options.known);
  const { found, absent } = await subjectsOf(options);
  for (const why of absent) terminal.stderr.write(`${why}\n`);
  if (found.length === 0 && absent.length > 0) return 2;
  // What would be refused at the end is refused before a client is played with.
  if (found.length > 1 && !OF_SEVERAL.test(options.report)) throw ofOne(options.report);
  await writable(options.out);
  const reports: Report[] = [];
  for (const make of found) {
    const progress = new Progress(terminal.stderr);
    try {
      reports.push(
        reportOf(
          await runSuite(make, {
            cases: selected,
            deliveries,
            jobs,
            slow,
            strict: options.strict ?? false,
            known,
            signal: terminal.signal,
            onResult: (result, done, total) => progress.tell(result, done, total),
          }),
        ),
      );
    } catch (error) {
      if (!(error instanceof AbsentError)) throw error;
      terminal.stderr.write(`it cannot be run: ${error.message}\n`);
      return 2;
    } finally {
      progress.end();
    }
  }
  const color =
    options.out === undefined &&
    (options.color ?? true) &&
    terminal.stdout.isTTY === true &&
    !process.env['NO_COLOR'];
  await write(
    render(options.report, reports, { color, verbose: options.verbose ?? false }),
    options.out,
    terminal,
  );
  return Math.max(...reports.map(({ exitCode }) => exitCode));
}

/** The text of a report of one kind. */
export function render(
  kind: string,
  reports: readonly Report[],
  options: { readonly color: boolean; readonly verbose: boolean },
): string {
  const [only] = reports;
  if (kind === 'html') return htmlReport(reports);
  if (kind === 'terminal')
    return reports.map((report) => terminalReport(report, options)).join('\n');
  if (!only || reports.length > 1) throw ofOne(kind);
  if (kind === 'json') return `${JSON.stringify(only, null, 2)}\n`;
  return kind === 'junit' ? junitReport(only) : tapReport(only);
}

const ofOne = (kind: string): UsageError =>
  new UsageError(`a report of the kind ${kind} is of one client`);

/** @throws UsageError where a report cannot be written: neither is there such a file, nor a folder for it */
async function writable(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  await access(file, constants.W_OK)
    .catch(() => access(dirname(file), constants.W_OK))
    .catch((error: Error) => {
      throw new UsageError(`--out ${file}: ${error.message}`);
    });
}

/** Writes to a file, or to standard output. */
export async function write(
  text: string,
  file: string | undefined,
  { stdout }: Terminal,
): Promise<void> {
  if (file !== undefined)
    await writeFile(file, text).catch((error: Error) => {
      throw new UsageError(`--out ${file}: ${error.message}`);
    });
  else await new Promise<void>((resolve) => stdout.write(text, () => resolve()));
}

function deliveriesOf(list: string): Delivery[] {
  const named =
    list === 'all' ? [...DELIVERIES] : list.split(',').map((one) => one.trim() as Delivery);
  for (const one of named)
    if (!DELIVERIES.includes(one))
      throw new UsageError(
        `there is no delivery ${JSON.stringify(one)}: there are ${DELIVERIES.join(', ')}, all`,
      );
  return named;
}

function from1(option: string, text: string): number {
  const number = Number(text);
  if (!(number >= 1) || number > 1_000)
    throw new UsageError(`${option} ${text}: a number from 1 to 1000 is meant`);
  return number;
}

async function knownOf(file: string): Promise<Record<string, string>> {
  let known: unknown;
  try {
    known = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--known ${file}: ${(error as Error).message}`);
  }
  const ids = cases.map(({ id }) => id);
  if (typeof known !== 'object' || known === null || Array.isArray(known))
    throw new UsageError(`--known ${file}: an object is meant, {"AUT-01": "why"}`);
  for (const [id, why] of Object.entries(known)) {
    if (!ids.includes(id))
      throw new UsageError(`--known ${file}: there is no case ${JSON.stringify(id)}`);
    if (typeof why !== 'string' || why.trim() === '')
      throw new UsageError(`--known ${file}: ${id} has no reason`);
  }
  return known as Record<string, string>;
}

async function subjectsOf(
  options: RunOptions,
): Promise<{ found: MakeSubject[]; absent: string[] }> {
  const found: MakeSubject[] = [];
  const absent: string[] = [];
  for (const name of options.subject ?? []) {
    try {
      found.push(await findSubject(name));
    } catch (error) {
      if (!(error instanceof AbsentError)) throw error;
      absent.push(error.message);
    }
  }
  const features: Feature[] = [];
  const without: Feature[] = [];
  for (const one of (options.features ?? '').split(/[\s,]+/).filter(Boolean))
    if (one.startsWith('-')) without.push(knownFeature(one.slice(1)));
    else features.push(knownFeature(one));
  for (const command of options.client ?? []) {
    const about = {
      ...(options.name === undefined ? {} : { name: options.name }),
      features,
      without,
    };
    // What is wrong with a template is told before anything is played.
    commandSubject(command, about);
    found.push(async () => commandSubject(command, about));
  }
  if (found.length === 0 && absent.length === 0)
    throw new UsageError(
      "no client is named: --subject core, or --client 'send.py {host} {port} {from} {to} {file}'",
    );
  return { found, absent };
}
