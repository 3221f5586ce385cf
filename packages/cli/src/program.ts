/** The commands with options of our own, by commander. */
import { Command, CommanderError } from 'commander';
import { addCheck } from './commands/check.ts';
import type { CommandContext } from './commands/context.ts';
import { addSend } from './commands/send.ts';
import { EXIT } from './exit-code.ts';
import { write } from './say.ts';
import type { ConfigChoice } from './settings/read-settings.ts';
import type { Settings } from './settings/settings.ts';
import type { Surroundings } from './surroundings.ts';

export interface ProgramContext {
  readonly surroundings: Surroundings;
  settings(given: Settings, config: ConfigChoice): Promise<Settings>;
  /** Whether what is wrong with the words themselves is told as JSON too. */
  readonly json: boolean;
}

/**
 * @returns the exit code
 * @throws whatever a command fails with
 */
export async function runProgram(
  words: readonly string[],
  version: string,
  { surroundings, settings, json }: ProgramContext,
): Promise<number> {
  let code = EXIT.OK;
  let said = '';
  const program = new Command('posthorn')
    .description('Sends mail over SMTP, and says for certain what became of it.')
    .version(version)
    .option(
      '--config <file>',
      'the settings, in JSON; default: $POSTHORN_CONFIG, ~/.config/posthorn.json, /etc/posthorn.json',
    )
    .option('--no-config', 'no settings file')
    .exitOverride()
    .showHelpAfterError('(posthorn --help shows what there is)')
    .configureOutput({
      writeOut: (text) => void surroundings.stdout.write(text),
      writeErr: (text) => {
        said += text;
        surroundings.stderr.write(text);
      },
    })
    .addHelpText(
      'after',
      `
Examples:
  $ posthorn send --from me@example.com --to you@example.net --subject Hello --text 'Hi there'
  $ posthorn send --dry-run message.eml
  $ posthorn check --host mail.example.com
  $ posthorn sendmail -t -i < message.eml

Exit codes are those of sysexits.h: 0 accepted, 64 usage, 65 message, 66 no such file, 67 recipient, 68 no such server,
69 refused or not possible, 70 a mistake in this program, 74 input, 75 try again, 76 not known what became of it, 77 not
allowed, 78 settings.`,
    );
  const context: CommandContext = {
    surroundings,
    settings: (given) => {
      const { config } = program.opts<{ config?: string | boolean }>();
      return settings(given, typeof config === 'boolean' ? (config ? undefined : false) : config);
    },
    exit(value) {
      code = value;
    },
  };
  addSend(program, context);
  addCheck(program, context);
  program
    .command('sendmail')
    .description('send as sendmail(1) does: for PHP, cron, git and mail readers')
    .argument('[words...]');
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    command.showHelpAfterError(`(posthorn ${command.name()} --help shows what there is)`);
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.OK;
    if (json)
      await write(
        surroundings.stdout,
        `${JSON.stringify({ delivery: 'not-sent', exit: EXIT.USAGE, exitName: 'EX_USAGE', message: said.split('\n', 1)[0] })}\n`,
      );
    return EXIT.USAGE;
  }
}
