/** The program: which of its commands is meant, and what it ends with. Whatever is thrown ends here. */
import { isSmtpError } from '@posthorn/core';
import { EXIT } from './exit-code.ts';
import { failureJson, failureOf, failureText } from './report/outcome.ts';
import { write } from './say.ts';
import { NOT_KEPT, sendmail } from './sendmail/sendmail.ts';
import { parseSendmailWords } from './sendmail/words.ts';
import { type ConfigChoice, readSettings } from './settings/read-settings.ts';
import type { Settings } from './settings/settings.ts';
import { Stopped, type Surroundings } from './surroundings.ts';

/** What the program may be called by, and the words that stand for that name. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  sendmail: [],
  mailq: ['-bp'],
  newaliases: ['-bi'],
};

/**
 * Runs the program.
 *
 * @param words - the arguments, without the program's own name
 * @param name - the name it was started by, without folders
 * @param version - the package's
 * @returns the exit code; it does not throw
 */
export async function main(
  words: readonly string[],
  { name, version }: { readonly name: string; readonly version: string },
  surroundings: Surroundings,
): Promise<number> {
  const alias = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (alias) return runSendmail([...alias, ...words], undefined, version, surroundings);
  const { rest, config } = leading(words);
  if (rest[0] === 'sendmail') return runSendmail(rest.slice(1), config, version, surroundings);
  const run: Run = { settings: {}, isJson: isJson(words) };
  try {
    // Not loaded where the program is sendmail, and has to be quick.
    const { runProgram } = await import('./program.ts');
    return await runProgram(words, version, {
      surroundings,
      async settings(given, chosen) {
        run.settings = await readSettings(given, chosen, surroundings);
        return run.settings;
      },
      json: run.isJson,
    });
  } catch (error) {
    return tell(error, run, surroundings);
  }
}

/** `--config FILE` and `--no-config` in front of everything else. */
function leading(words: readonly string[]): { rest: readonly string[]; config: ConfigChoice } {
  let rest = words;
  let config: ConfigChoice;
  for (;;) {
    const [first = '', second] = rest;
    if (first === '--config' && second !== undefined) {
      config = second;
      rest = rest.slice(2);
    } else if (first.startsWith('--config=')) {
      config = first.slice('--config='.length);
      rest = rest.slice(1);
    } else if (first === '--no-config') {
      config = false;
      rest = rest.slice(1);
    } else return { rest, config };
  }
}

function isJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

async function runSendmail(
  words: readonly string[],
  config: ConfigChoice,
  version: string,
  surroundings: Surroundings,
): Promise<number> {
  const run: Run = { settings: {}, isJson: false, kept: NOT_KEPT };
  try {
    if (words[0] === '--help' || words[0] === '--version') {
      await write(surroundings.stdout, words[0] === '--help' ? HELP : `${version}\n`);
      return EXIT.OK;
    }
    const parsed = parseSendmailWords(words);
    run.settings = await readSettings({}, config, surroundings);
    return await sendmail(parsed, run.settings, surroundings);
  } catch (error) {
    return tell(error, run, surroundings);
  }
}

/** What is known when something fails. */
interface Run {
  settings: Settings;
  readonly isJson: boolean;
  readonly kept?: string;
}

async function tell(
  error: unknown,
  { settings, isJson: asJson, kept }: Run,
  { stdout, stderr, signal }: Surroundings,
): Promise<number> {
  const failure = failureOf(error, settings);
  const code = codeOf(error, failure.exit, settings, signal);
  if (asJson) await write(stdout, `${JSON.stringify(failureJson(failure, code))}\n`);
  await write(stderr, failureText(failure, kept));
  return code;
}

function codeOf(
  error: unknown,
  exit: keyof typeof EXIT,
  settings: Settings,
  signal: AbortSignal,
): number {
  const { reason } = signal as { reason: unknown };
  const isOurs = error === reason || (isSmtpError(error) && error.code === 'ERR_SMTP_ABORTED');
  // That nobody knows what became of the message is worth more than that it was stopped.
  if (exit !== 'PROTOCOL' && isOurs && reason instanceof Stopped) return reason.code;
  return exit === 'TEMPFAIL' ? (settings.temporaryFailure ?? EXIT.TEMPFAIL) : EXIT[exit];
}

const HELP = `Usage: posthorn sendmail [-t] [-i] [-f ADDRESS] [-F NAME] [-v] [RECIPIENT...]

Sends the message on standard input, as sendmail does. The server and the login come from the environment or a settings
file, which may be named in front: posthorn --config FILE sendmail -t -i. It also goes by the name of sendmail:
ln -s "$(command -v posthorn)" /usr/local/sbin/sendmail

  -t           recipients are those of To, Cc and Bcc, beside those that are named; Bcc is taken out
  -i, -oi      a line of a lone dot does not end the message
  -f, -r ADDR  the envelope sender; '' for none
  -F NAME      the author's name, where the message has no From
  -v           the dialogue with the server, on standard error
  -n           no aliases
  -N WHEN, -R full|hdrs, -V ID   delivery reports (RFC 3461)
  -bp          prints the queue: there is none
  -B, -o, -A, -D, -G, -L, -O, -X, -U, -d, -e, -h, -m, -p, -q, and others are taken, and change nothing
`;
