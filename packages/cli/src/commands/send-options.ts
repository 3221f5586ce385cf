/** The options of `posthorn send` that are no settings: the message, its envelope, and what is told. */
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { type ComposeWords, dateOf } from '../message/compose-words.ts';
import type { EnvelopeOptions } from '../message/letter.ts';
import { notifyOf } from '../sendmail/words.ts';
import { choice, whole } from '../settings/kind.ts';
import { parser } from './setting-options.ts';

/** The options that are neither settings nor about the message itself. */
export interface SendOptions extends ComposeWords {
  readonly keepBcc?: boolean;
  readonly envelopeFrom?: string;
  readonly envelopeTo?: readonly string[];
  readonly dsnNotify?: string;
  readonly dsnRet?: 'FULL' | 'HDRS';
  readonly dsnEnvid?: string;
  readonly requireTls?: boolean;
  readonly smtpUtf8?: boolean;
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly priority?: number;
  readonly deliverBy?: string;
  readonly holdFor?: number;
  readonly holdUntil?: string;
  readonly dryRun?: boolean;
  readonly print?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly progress: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Makes options of one group. */
function grouped(command: Command, heading: string): (flags: string, about: string) => Option {
  return (flags, about) => {
    const made = new Option(flags, about).helpGroup(heading);
    command.addOption(made);
    return made;
  };
}

/** The message and its envelope. */
export function addMessageOptions(command: Command): void {
  const message = grouped(command, 'Message:');
  message('--from <address>', 'the author; default: the setting from');
  message('--sender <address>', 'who sends for several authors');
  for (const [name, about] of [
    ['to', 'a recipient, or several with commas between'],
    ['cc', 'the same, for a copy'],
    ['bcc', 'the same, hidden from all others'],
    ['reply-to', 'where answers go'],
  ])
    message(`--${name} <addresses>`, about as string).argParser(collect);
  message('--subject <text>', 'the subject');
  message('--text <text>', 'the plain text');
  message('--text-file <file>', 'the same from a file, in UTF-8; -: standard input');
  message('--html <html>', 'the HTML');
  message('--html-file <file>', 'the same from a file');
  message('--amp-file <file>', 'AMP for Email, from a file');
  message('--calendar-file <file>', 'an invitation, from a file (.ics)');
  message('--attach <file>', "a file: 'report.csv;type=text/csv;name=May.csv'").argParser(collect);
  message('--inline <file>', "a picture in the HTML: 'logo.png;cid=logo'").argParser(collect);
  message('--header <field>', "a further field: 'Name: value'").argParser(collect);
  message('--list-unsubscribe <uri>', 'how to leave the list').argParser(collect);
  message('--one-click', 'that URI does it by one POST (RFC 8058)');
  message('--auto-submitted <how>', 'no person sent it').choices([
    'auto-generated',
    'auto-replied',
    'no',
  ]);
  message('--importance <level>', 'for the reader').choices(['high', 'normal', 'low']);
  message('--date <date>', 'default: now');
  message('--message-id <id>', 'default: a random one');
  message('--in-reply-to <id>', 'the message that it answers').argParser(collect);
  message('--references <id>', 'the messages before it').argParser(collect);
  message('--transfer-encoding <how>', 'as-is uses 8BITMIME and BINARYMIME').choices([
    '7bit',
    'quoted-printable',
    'base64',
    'as-is',
  ]);
  message('--flowed', 'the text as format=flowed (RFC 3676)');
  message('--dkim <domain/selector/key-file>', 'sign it (RFC 6376)');
  message('--dkim-fields <names>', 'the fields to sign');
  message('--dkim-canonicalization <c>', 'default relaxed/relaxed');
  message('--keep-bcc', 'leave Bcc in the message');

  const envelope = grouped(command, 'Envelope:');
  envelope('--envelope-from <address>', "where failures are reported; '' for nowhere");
  envelope('--envelope-to <addresses>', 'who gets it, whatever its fields say').argParser(collect);
  envelope('--dsn-notify <when>', 'never, or some of success,failure,delay (RFC 3461)');
  envelope('--dsn-ret <how>', 'full or hdrs: what a report gives back').argParser(
    parser(choice('FULL', 'HDRS')),
  );
  envelope('--dsn-envid <id>', 'what reports name the message by');
  envelope('--require-tls', 'under TLS all the way (RFC 8689)');
  envelope('--smtp-utf8', 'addresses or fields outside ASCII (RFC 6531)');
  envelope('--body <kind>', 'default: what it is').argParser(
    parser(choice('7BIT', '8BITMIME', 'BINARYMIME')),
  );
  envelope('--priority <n>', '-9 to 9 (RFC 6710)').argParser(parser(whole('<n>', -9, 9)));
  envelope(
    '--deliver-by <seconds>',
    "'3600;R' returns it then, '3600;N' tells the sender (RFC 2852)",
  );
  envelope('--hold-for <seconds>', 'let it go later (RFC 4865)').argParser(
    parser(whole('<seconds>', 0, 999_999_999)),
  );
  envelope('--hold-until <date>', 'the same, by a date');
}

/** What is done and told. */
export function addOutputOptions(command: Command): void {
  const output = grouped(command, 'Output:');
  output('--dry-run', 'tell what would be sent, and send nothing');
  output('--print', 'write the message to standard output, and send nothing');
  output('--json', 'the result as JSON');
  output('-v, --verbose', 'the dialogue with the server, on standard error');
  output('--no-progress', 'no bar for large messages at a terminal');
}

/** @throws CliError EX_USAGE */
export function envelopeOptions(options: SendOptions): EnvelopeOptions {
  const [, seconds, mode = 'N', trace] =
    /^(-?\d{1,9})(?:;([NR])(T)?)?$/i.exec(options.deliverBy ?? '') ?? [];
  if (options.deliverBy !== undefined && seconds === undefined)
    throw new CliError(
      'USAGE',
      `--deliver-by ${options.deliverBy}: seconds are meant, as 3600;R or 3600;N`,
    );
  return {
    ...(options.dsnNotify !== undefined && { notify: notifyOf('--dsn-notify', options.dsnNotify) }),
    parameters: {
      ret: options.dsnRet,
      envid: options.dsnEnvid,
      requireTls: options.requireTls,
      smtpUtf8: options.smtpUtf8,
      body: options.body,
      priority: options.priority,
      holdFor: options.holdFor,
      ...(options.holdUntil !== undefined && {
        holdUntil: dateOf('--hold-until', options.holdUntil),
      }),
      ...(seconds !== undefined && {
        deliverBy: {
          seconds: Number(seconds),
          mode: mode.toUpperCase() as 'N',
          trace: trace !== undefined,
        },
      }),
    },
  };
}
