/** What the command line says of a message to what `compose()` takes. Texts, which are short, are read here; files are not. */
import { basename } from 'node:path';
import {
  type Attachment,
  attachment,
  type ComposeOptions,
  calendar,
  dkim,
  flowed,
  type HeaderField,
  listUnsubscribe,
  type MessageSpec,
  MimeError,
  parseAddresses,
} from '@posthorn/mime';
import { because, CliError } from '../cli-error.ts';
import { readPrivate } from '../settings/secret.ts';
import type { Surroundings } from '../surroundings.ts';
import { mediaType } from './media-type.ts';
import type { Source } from './source.ts';

/** The options that compose a message, as the command line has them. */
export interface ComposeWords {
  readonly from?: string;
  readonly sender?: string;
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly replyTo?: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly textFile?: string;
  readonly html?: string;
  readonly htmlFile?: string;
  readonly ampFile?: string;
  readonly calendarFile?: string;
  readonly attach?: readonly string[];
  readonly inline?: readonly string[];
  readonly header?: readonly string[];
  readonly listUnsubscribe?: readonly string[];
  readonly oneClick?: boolean;
  readonly autoSubmitted?: 'auto-generated' | 'auto-replied' | 'no';
  readonly importance?: 'high' | 'normal' | 'low';
  readonly date?: string;
  readonly messageId?: string;
  readonly inReplyTo?: readonly string[];
  readonly references?: readonly string[];
  readonly transferEncoding?: '7bit' | 'quoted-printable' | 'base64' | 'as-is';
  readonly flowed?: boolean;
  readonly dkim?: string;
  readonly dkimFields?: string;
  readonly dkimCanonicalization?: string;
}

export const COMPOSE_WORDS: readonly (keyof ComposeWords)[] = [
  'from',
  'sender',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'text',
  'textFile',
  'html',
  'htmlFile',
  'ampFile',
  'calendarFile',
  'attach',
  'inline',
  'header',
  'listUnsubscribe',
  'oneClick',
  'autoSubmitted',
  'importance',
  'date',
  'messageId',
  'inReplyTo',
  'references',
  'transferEncoding',
  'flowed',
  'dkim',
  'dkimFields',
  'dkimCanonicalization',
];

/** A text is held in memory, twice: what is larger is a file to attach. */
const LARGEST_TEXT = 33_554_432;

/** What is known beside the options. */
export interface ComposeSettings {
  readonly from?: string | undefined;
  readonly smtpUtf8?: boolean | undefined;
  readonly keepBcc?: boolean | undefined;
  readonly maxSize?: number | undefined;
  /** How long a pipe may be silent, in ms. */
  readonly inputTimeout?: number | undefined;
}

/** @throws CliError, MimeError */
export async function specOf(
  words: ComposeWords,
  settings: ComposeSettings,
  read: (path: string) => Promise<Source>,
): Promise<MessageSpec> {
  const smtpUtf8 = settings.smtpUtf8 ?? false;
  const list = (option: string, given: readonly string[]): ReturnType<typeof parseAddresses> =>
    given.flatMap((text) => {
      try {
        return parseAddresses(text, { smtpUtf8 });
      } catch (error) {
        throw new CliError(
          'DATAERR',
          `Cannot read the addresses of ${option}: ${because(error).replace(/^addresses: /, '')}`,
        );
      }
    });
  const from = words.from ?? settings.from;
  if (from === undefined)
    throw new CliError('USAGE', 'The message has no author: give --from, or set from');
  const [sender, second] = words.sender === undefined ? [] : list('--sender', [words.sender]);
  if (second) throw new CliError('USAGE', '--sender is one mailbox');
  const text = await textOf('--text', words.text, words.textFile, read);
  const html = await textOf('--html', words.html, words.htmlFile, read);
  const amp = await textOf('--amp', undefined, words.ampFile, read);
  const invitation = await textOf('--calendar', undefined, words.calendarFile, read);
  const attachments: Attachment[] = [];
  for (const word of words.attach ?? []) attachments.push(await fileOf('--attach', word, read));
  for (const word of words.inline ?? []) attachments.push(await fileOf('--inline', word, read));
  if (words.oneClick && !words.listUnsubscribe)
    throw new CliError('USAGE', '--one-click needs --list-unsubscribe');
  return {
    from: list('--from', [from]),
    ...(sender && { sender }),
    ...(words.to && { to: list('--to', words.to) }),
    ...(words.cc && { cc: list('--cc', words.cc) }),
    ...(words.bcc && { bcc: list('--bcc', words.bcc) }),
    ...(words.replyTo && { replyTo: list('--reply-to', words.replyTo) }),
    ...(words.subject !== undefined && { subject: words.subject }),
    ...(words.date !== undefined && { date: dateOf('--date', words.date) }),
    ...(words.messageId !== undefined && { messageId: identifier(words.messageId) }),
    ...(words.inReplyTo && { inReplyTo: words.inReplyTo.map(identifier) }),
    ...(words.references && { references: words.references.map(identifier) }),
    headers: (words.header ?? []).map(headerField),
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    ...(amp !== undefined && { amp }),
    ...(invitation !== undefined && { calendar: calendar(invitation) }),
    attachments,
    ...(words.listUnsubscribe && {
      listUnsubscribe: listUnsubscribe(words.listUnsubscribe, {
        oneClick: words.oneClick ?? false,
      }),
    }),
    ...(words.autoSubmitted && { autoSubmitted: words.autoSubmitted }),
    ...(words.importance && { priority: words.importance }),
  };
}

/** @throws CliError, MimeError */
export async function optionsOf(
  words: ComposeWords,
  { smtpUtf8, keepBcc, maxSize }: ComposeSettings,
  surroundings: Surroundings,
): Promise<ComposeOptions> {
  const base: ComposeOptions = {
    ...(smtpUtf8 && { smtpUtf8 }),
    ...(keepBcc && { keepBcc }),
    ...(maxSize !== undefined && { maxSize }),
    ...(words.flowed && { flowed }),
  };
  if (words.dkim === undefined) {
    if (words.dkimFields ?? words.dkimCanonicalization)
      throw new CliError('USAGE', '--dkim-fields and --dkim-canonicalization need --dkim');
    return base;
  }
  const [, domain = '', selector = '', path] = /^([^/]+)\/([^/]+)\/(.+)$/s.exec(words.dkim) ?? [];
  if (path === undefined) throw new CliError('USAGE', '--dkim has to be domain/selector/key-file');
  return {
    ...base,
    dkim: dkim({
      domain,
      selector,
      privateKey: await readPrivate(`the key of --dkim from ${path}`, path, surroundings),
      ...(words.dkimFields !== undefined && { fields: words.dkimFields.split(',') }),
      ...(words.dkimCanonicalization !== undefined && {
        canonicalization: words.dkimCanonicalization as 'relaxed/relaxed',
      }),
    }),
  };
}

/** @throws CliError EX_DATAERR where it is no UTF-8 */
async function textOf(
  option: string,
  given: string | undefined,
  path: string | undefined,
  read: (path: string) => Promise<Source>,
): Promise<string | undefined> {
  if (given !== undefined && path !== undefined)
    throw new CliError('USAGE', `There are ${option} and ${option}-file: give one`);
  if (path === undefined) return given;
  const source = await read(path);
  if (source.size > LARGEST_TEXT)
    throw new CliError(
      'DATAERR',
      `${source.name} has ${source.size} octets, and a text may have ${LARGEST_TEXT}: use --attach`,
    );
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for await (const chunk of source.read()) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('DATAERR', `${source.name} is no UTF-8: use --attach`);
  }
}

/** `FILE;type=text/csv;name=report.csv`, as curl writes it. What is no such key is part of the file's name. */
export function parseFileWord(word: string): {
  path: string;
  type?: string;
  name?: string;
  cid?: string;
} {
  const [path = '', ...pairs] = word.split(/;(?=(?:type|name|cid)=)/);
  return {
    path,
    ...Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
  };
}

async function fileOf(
  option: '--attach' | '--inline',
  word: string,
  read: (path: string) => Promise<Source>,
): Promise<Attachment> {
  const { path, type, name, cid } = parseFileWord(word);
  if (option === '--inline' && !cid)
    throw new CliError('USAGE', `--inline ${word}: it needs ;cid=…, by which the HTML names it`);
  if (path === '-' && !name)
    throw new CliError('USAGE', `${option} ${word}: what comes from standard input needs ;name=…`);
  const source = await read(path);
  const filename = name ?? basename(path);
  try {
    return attachment(
      filename,
      { stream: () => source.read(), size: source.size },
      { contentType: type ?? mediaType(filename), ...(cid && { cid }) },
    );
  } catch (error) {
    if (!(error instanceof MimeError)) throw error;
    throw new CliError(
      'DATAERR',
      `Cannot attach ${path}: a file has less than 4,294,967,296 octets`,
    );
  }
}

function headerField(word: string): HeaderField {
  const at = word.indexOf(':');
  if (at < 1) throw new CliError('USAGE', `--header ${word}: it has to be 'Name: value'`);
  return [word.slice(0, at).trim(), word.slice(at + 1).trim()];
}

/** With its angle brackets, which are a nuisance in a shell. */
function identifier(word: string): string {
  return /^<.*>$/.test(word) ? word : `<${word}>`;
}

/** @throws CliError EX_USAGE */
export function dateOf(option: string, word: string): Date {
  const date = new Date(word);
  if (Number.isNaN(date.getTime()))
    throw new CliError('USAGE', `${option} ${word}: a date is meant, as 2026-01-31T12:00:00Z`);
  return date;
}
