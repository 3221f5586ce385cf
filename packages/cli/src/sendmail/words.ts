/**
 * The arguments of sendmail(1), as Sendmail and Postfix take them, for programs that know no other way to send. Read by the rules of
 * getopt(3): letters together, values attached or behind, and everything behind the first recipient is one.
 */
import { CliError } from '../cli-error.ts';

export interface SendmailWords {
  readonly recipients: readonly string[];
  /** -t: recipients are read from the message. */
  readonly isFromFields: boolean;
  /** -i, -oi: a line of a lone dot is part of the message. */
  readonly isDotContent: boolean;
  /** -f, -r: the envelope sender; '' for the null path. */
  readonly sender?: string;
  /** -F */
  readonly fullName?: string;
  /** -v */
  readonly isVerbose: boolean;
  /** -n */
  readonly noAliases: boolean;
  readonly notify?: 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
  /** What there is to do when no message is to be sent: a queue to print, or nothing. */
  readonly instead?: 'print-queue' | 'nothing';
}

/** Those with a value. */
const WITH_VALUE = /^[ABCDFLNORVXbefhopr]$/;
/** Those with a value only where it is attached. */
const WITH_ATTACHED = /^[dq]$/;
/** Those that change nothing here: what they ask for is done always, or is about a queue and a log, of which there are none. */
const IGNORED = /^[AGDLOXUcdehmpsx]$/;

/** Modes of -b that want something that is not here. */
const REFUSED_MODES: Readonly<Record<string, string>> = {
  a: 'the ARPANET protocol is not spoken',
  d: 'there is no daemon',
  D: 'there is no daemon',
  h: 'no host status is kept',
  H: 'no host status is kept',
  P: 'there is no queue',
  s: 'no SMTP is spoken on standard input',
  t: 'there are no address rules to test',
  v: 'addresses cannot be verified without sending to them',
};

/** @throws CliError EX_USAGE */
export function parseSendmailWords(words: readonly string[]): SendmailWords {
  const found: { -readonly [Name in keyof SendmailWords]: SendmailWords[Name] } = {
    recipients: [],
    isFromFields: false,
    isDotContent: false,
    isVerbose: false,
    noAliases: false,
  };
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (word.startsWith('--'))
      throw new CliError('USAGE', `There is no option ${word} of sendmail`);
    for (let letter = 1; letter < word.length; letter += 1) {
      const option = word[letter] as string;
      const rest = word.slice(letter + 1);
      if (WITH_ATTACHED.test(option)) {
        take(found, option, rest);
        break;
      }
      if (!WITH_VALUE.test(option)) {
        take(found, option, '');
        continue;
      }
      if (rest === '') at += 1;
      const value = rest || words[at];
      if (value === undefined) throw new CliError('USAGE', `-${option} needs a value`);
      take(found, option, value);
      break;
    }
  }
  found.recipients = words.slice(at);
  return found;
}

function take(
  found: { -readonly [Name in keyof SendmailWords]: SendmailWords[Name] },
  option: string,
  value: string,
): void {
  switch (option) {
    case 't':
      found.isFromFields = true;
      break;
    case 'i':
      found.isDotContent = true;
      break;
    case 'o':
      // -oi; of -oem, -odb and others none means anything here: errors are told by the exit code, and nothing waits.
      if (value === 'i') found.isDotContent = true;
      break;
    case 'f':
    case 'r':
      found.sender = value;
      break;
    case 'F':
      found.fullName = value;
      break;
    case 'v':
      found.isVerbose = true;
      break;
    case 'n':
      found.noAliases = true;
      break;
    case 'B':
      // What a message is, is seen in it.
      if (!/^(7BIT|8BITMIME)$/i.test(value)) refuse('-B', value, '7BIT or 8BITMIME');
      break;
    case 'N':
      found.notify = notifyOf('-N', value);
      break;
    case 'R':
      if (!/^(full|hdrs)$/i.test(value)) refuse('-R', value, 'full or hdrs');
      found.ret = value.toUpperCase() as 'FULL';
      break;
    case 'V':
      found.envid = value;
      break;
    case 'C':
      // Web applications hand options of strangers to sendmail: a file that one of them has put there would say where the
      // password goes, and which command prints it.
      throw new CliError(
        'USAGE',
        '-C is not taken: name the settings file in POSTHORN_CONFIG, or by --config before `sendmail`',
      );
    case 'I':
      found.instead = 'nothing';
      break;
    case 'q':
      if (/^\d/.test(value)) throw new CliError('USAGE', `-q${value}: there is no daemon`);
      found.instead = 'nothing';
      break;
    case 'b':
      if (value === 'p') found.instead = 'print-queue';
      else if (value === 'i') found.instead = 'nothing';
      else if (value !== 'm')
        throw new CliError(
          'USAGE',
          `-b${value}: ${REFUSED_MODES[value] ?? 'there is no such mode'}`,
        );
      break;
    default:
      if (!IGNORED.test(option))
        throw new CliError('USAGE', `There is no option -${option} of sendmail`);
  }
}

/** @throws CliError EX_USAGE */
export function notifyOf(
  option: string,
  value: string,
): 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[] {
  const all = value.toUpperCase().split(',');
  if (all.length === 1 && all[0] === 'NEVER') return 'NEVER';
  if (!all.every((one) => /^(SUCCESS|FAILURE|DELAY)$/.test(one)))
    refuse(option, value, 'never, or some of success,failure,delay');
  return all as 'SUCCESS'[];
}

function refuse(option: string, value: string, meant: string): never {
  throw new CliError('USAGE', `${option} ${value}: ${meant} is meant`);
}
