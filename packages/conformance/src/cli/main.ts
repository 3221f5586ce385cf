/** The command line: its commands, its errors, its exit codes. */
import { Command, CommanderError } from 'commander';
import { ProbeError } from '../probe/probe.ts';
import { printable } from '../report/text.ts';
import { UsageError } from '../runner/select.ts';
import { addList } from './list.ts';
import { addProbe } from './probe.ts';
import { addRun, type Terminal } from './run.ts';
import { addServe } from './serve.ts';

/** Exit code for what was not understood. */
const USAGE = 3;
/** Exit code for what could not be done. */
const BROKEN = 2;
/** Exit code for Ctrl-C, as shells have it. */
const INTERRUPTED = 130;

/**
 * Runs the command line.
 *
 * @param words - the arguments, without the program's own name
 * @param version - the package's
 * @returns the exit code; it does not throw
 */
export async function main(
  words: readonly string[],
  version: string,
  terminal: Terminal,
): Promise<number> {
  let code = 0;
  const exit = (value: number): void => {
    code = value;
  };
  const program = new Command('smtp-conformance')
    .description(
      "Holds an SMTP client to the standards: a server that is good or bad, and a verdict for each case; and a provider's sandbox.",
    )
    .version(version)
    .exitOverride()
    .showHelpAfterError('(smtp-conformance --help shows what there is)')
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .addHelpText(
      'after',
      `
Examples:
  $ smtp-conformance list
  $ smtp-conformance run --subject core
  $ smtp-conformance run --client 'python3 send.py {host} {port} {from} {to} {file}'
  $ smtp-conformance serve`,
    );
  addRun(program, terminal, exit);
  addList(program, terminal);
  addProbe(program, terminal);
  addServe(program, terminal, exit);
  for (const command of program.commands) {
    command.exitOverride();
    command.copyInheritedSettings(program);
    command.showHelpAfterError(`(smtp-conformance ${command.name()} --help shows what there is)`);
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (terminal.signal.aborted) {
      terminal.stderr.write('smtp-conformance: stopped, without a report\n');
      return INTERRUPTED;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    const usage = error instanceof UsageError;
    const known = usage || error instanceof ProbeError;
    // A server's words are in the errors of the probe.
    const told = known
      ? printable((error as Error).message)
      : String((error as Error | undefined)?.stack ?? error);
    terminal.stderr.write(`smtp-conformance: ${told}\n`);
    return usage ? USAGE : BROKEN;
  }
}
