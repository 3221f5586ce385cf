/** The program by the name of sendmail: what PHP, cron, git and mail readers start. Silent where all went well; keeps no queue. */

import { CliError } from '../cli-error.ts';
import { connectionOf } from '../connection.ts';
import { EXIT } from '../exit-code.ts';
import { keep } from '../message/source.ts';
import { transcriptTo } from '../report/transcript.ts';
import { warn, write } from '../say.ts';
import type { Settings } from '../settings/settings.ts';
import type { Surroundings } from '../surroundings.ts';
import { inspect, planOf, transmit } from '../transmit.ts';
import { submission } from './submission.ts';
import { untilDot } from './until-dot.ts';
import type { SendmailWords } from './words.ts';

/** What is said beside a failure: nothing waits for a better time here. */
export const NOT_KEPT = 'it is kept nowhere: whoever gave it here has to give it again';

/**
 * @returns the exit code
 * @throws CliError, SmtpError
 */
export async function sendmail(
  words: SendmailWords,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const { stdin, stdout, stderr, signal, temporary } = surroundings;
  if (words.instead === 'print-queue') await write(stdout, 'Mail queue is empty\n');
  if (words.instead) return EXIT.OK;
  const source = await keep(words.isDotContent ? stdin : untilDot(stdin), {
    name: 'standard input',
    signal,
    temporary,
    timeout: settings.timeout?.['input'],
  });
  try {
    const letter = await submission(source, words, settings, surroundings);
    const asked = {
      ...(words.notify && { notify: words.notify }),
      parameters: { ret: words.ret, envid: words.envid },
    };
    planOf(letter, asked, settings);
    if (settings.profile) {
      const { problems } = await inspect(letter, settings);
      for (const { severity, rule, message } of problems) {
        if (severity === 'error')
          throw new CliError('DATAERR', `The rules of the provider forbid it: ${rule}: ${message}`);
        if (words.isVerbose) warn(stderr, `${rule}: ${message}`);
      }
    }
    const connection = await connectionOf(settings, surroundings);
    const { accepted, rejected } = await transmit(letter, asked, settings, connection, {
      signal,
      ...(words.isVerbose && { onTranscript: transcriptTo(stderr) }),
    });
    if (rejected.length === 0) return EXIT.OK;
    warn(
      stderr,
      `accepted for ${accepted.join(', ')}; refused for ${rejected.map(({ address }) => address).join(', ')}`,
    );
    return EXIT.UNAVAILABLE;
  } finally {
    await source.close();
  }
}
