/** `posthorn send`: a message that is there, or one composed of options, sent, printed, or only looked at. */
import { Argument, type Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { connectionOf } from '../connection.ts';
import { EXIT } from '../exit-code.ts';
import { canonical } from '../message/canonical.ts';
import { COMPOSE_WORDS } from '../message/compose-words.ts';
import { composed } from '../message/composed.ts';
import { addressOf, existing } from '../message/existing.ts';
import { everything, type Letter } from '../message/letter.ts';
import { readList, unique } from '../message/recipients.ts';
import { receiptJson, receiptText } from '../report/outcome.ts';
import { progressOn } from '../report/progress.ts';
import { needsOf, rehearsalJson, rehearsalText } from '../report/rehearsal.ts';
import { transcriptTo } from '../report/transcript.ts';
import { warn, write } from '../say.ts';
import { optionName, type Settings } from '../settings/settings.ts';
import type { Surroundings } from '../surroundings.ts';
import { inspect, planOf, transmit } from '../transmit.ts';
import type { CommandContext } from './context.ts';
import {
  addMessageOptions,
  addOutputOptions,
  envelopeOptions,
  type SendOptions,
} from './send-options.ts';
import { addSettings, givenSettings } from './setting-options.ts';

export function addSend(program: Command, context: CommandContext): void {
  const command = program
    .command('send')
    .description('send a message: a file, standard input, or one composed of options')
    .addArgument(
      new Argument(
        '[file]',
        'a message with its header (.eml), sent as it is; - or a pipe: standard input',
      ),
    );
  addMessageOptions(command);
  addSettings(command, ['from']);
  addOutputOptions(command);
  command.addHelpText(
    'after',
    `
Examples:
  $ posthorn send message.eml
  $ posthorn send --from me@example.com --to you@example.net --subject Hello --text 'Hi there' --attach report.pdf
  $ posthorn send --dry-run --profile devino --html-file news.html --from shop@example.com --to user@example.com
  $ dmesg | posthorn send --to ops@example.com --subject dmesg --text-file -`,
  );
  command.action(async (file: string | undefined, options: SendOptions) => {
    const settings = await context.settings(givenSettings(command));
    context.exit(await send(file, options, settings, context.surroundings));
  });
}

async function send(
  file: string | undefined,
  options: SendOptions,
  settings: Settings,
  surroundings: Surroundings,
): Promise<number> {
  const { stdout, stderr, signal } = surroundings;
  const asked = envelopeOptions(options);
  const made = await letterOf(file, options, settings, surroundings);
  const letter: Letter = {
    ...made,
    ...(options.envelopeFrom !== undefined && { from: pathOf(options.envelopeFrom) }),
    ...(options.envelopeTo && { to: envelopeTo(options.envelopeTo) }),
  };
  try {
    if (letter.to.length === 0)
      throw new CliError('USAGE', 'There are no recipients: give --to, --cc or --bcc');
    const plan = planOf(letter, asked, settings);
    if (options.print) return await print(letter, settings, surroundings);
    const isLookedAt = options.dryRun || settings.profile !== undefined;
    const { parts, problems } = isLookedAt
      ? await inspect(letter, settings)
      : { parts: [], problems: [] };
    const refusals = problems.filter(({ severity }) => severity === 'error');
    if (options.dryRun) {
      const needs = needsOf(letter, asked, settings);
      const rehearsal = { letter, plan, parts, problems, needs, settings };
      const code = refusals.length > 0 ? EXIT.DATAERR : EXIT.OK;
      await write(
        stdout,
        options.json
          ? `${JSON.stringify({ exit: code, ...rehearsalJson(rehearsal) })}\n`
          : rehearsalText(rehearsal),
      );
      return code;
    }
    for (const { severity, rule, message } of problems)
      if (severity === 'warning') warn(stderr, `${rule}: ${message}`);
    if (refusals.length > 0)
      throw new CliError(
        'DATAERR',
        `The rules of the provider forbid it: ${refusals.map(({ rule, message }) => `${rule}: ${message}`).join('; ')}`,
      );
    const connection = await connectionOf(settings, surroundings);
    const isWatched = options.progress && !options.verbose;
    const bar = isWatched ? await progressOn(stderr, letter.size) : undefined;
    try {
      const receipt = await transmit(letter, asked, settings, connection, {
        signal,
        ...(options.verbose && { onTranscript: transcriptTo(stderr) }),
        ...(bar && { onProgress: (octets) => bar.tell(octets) }),
        async onReceipt(accepted) {
          bar?.stop();
          const exit = accepted.rejected.length > 0 ? EXIT.UNAVAILABLE : EXIT.OK;
          await write(
            stdout,
            options.json
              ? `${JSON.stringify({ exit, ...receiptJson(accepted, letter.messageId) })}\n`
              : receiptText(accepted),
          );
        },
      });
      return receipt.rejected.length > 0 ? EXIT.UNAVAILABLE : EXIT.OK;
    } finally {
      bar?.stop();
    }
  } finally {
    await letter.close();
  }
}

async function letterOf(
  file: string | undefined,
  options: SendOptions,
  settings: Settings,
  surroundings: Surroundings,
): Promise<Letter> {
  const inputTimeout = settings.timeout?.['input'];
  const words = COMPOSE_WORDS.filter((name) => options[name] !== undefined);
  if (words[0] === undefined) {
    if (file === undefined && surroundings.stdin.isTTY)
      throw new CliError(
        'USAGE',
        'There is no message: name a file, pipe one in, or compose it by --to, --subject and --text',
      );
    return existing(file ?? '-', options, settings, surroundings);
  }
  if (file !== undefined)
    throw new CliError(
      'USAGE',
      `${file} is sent as it is, and ${optionName(words[0])} is for a message that is composed: there are --envelope-from and --envelope-to`,
    );
  return composed(
    options,
    {
      from: settings.from,
      smtpUtf8: options.smtpUtf8,
      keepBcc: options.keepBcc,
      maxSize: settings.maxSize,
      inputTimeout,
    },
    surroundings,
  );
}

const pathOf = (word: string): string => {
  if (word === '' || word === '<>') return '';
  const [mailbox, second] = readList(word, '--envelope-from');
  if (!mailbox || second) throw new CliError('USAGE', '--envelope-from is one address');
  return addressOf(mailbox);
};

const envelopeTo = (words: readonly string[]): string[] =>
  unique(words.flatMap((word) => readList(word, '--envelope-to').map(addressOf)));

/** @returns EX_OK, also where whoever reads has seen enough */
async function print(
  letter: Letter,
  settings: Settings,
  { stdout }: Surroundings,
): Promise<number> {
  const { content, body } = letter.content(everything(settings.ignoreExtension));
  const chunks = content instanceof Uint8Array ? [content] : (content as AsyncIterable<Uint8Array>);
  for await (const chunk of body === 'BINARYMIME' ? chunks : canonical(chunks)) {
    const error = (await write(stdout, chunk)) as NodeJS.ErrnoException | undefined;
    if (error?.code === 'EPIPE') break;
    if (error) throw new CliError('IOERR', `Cannot write the message: ${error.message}`, error);
  }
  return EXIT.OK;
}
