/**
 * What a program gives to sendmail(1), as a letter: recipients found, names completed, and the fields put in that each message
 * has to have. The body is left as it is, but for lines that no server takes.
 */
import { CliError } from '../cli-error.ts';
import type { ListedMailbox } from '../message/address-list.ts';
import { asWritten, readHead } from '../message/as-written.ts';
import type { Letter } from '../message/letter.ts';
import {
  HIDDEN,
  readList,
  recipientsIn,
  senderIn,
  toCount,
  unique,
} from '../message/recipients.ts';
import type { Source } from '../message/source.ts';
import type { Settings } from '../settings/settings.ts';
import type { Surroundings } from '../surroundings.ts';
import { suitable } from './body.ts';
import { completed, nameOf, withMissing } from './fields.ts';
import type { SendmailWords } from './words.ts';

/** Fields with the addresses of authors. */
const AUTHORS = /^(resent-)?(from|sender|reply-to)$/;

/**
 * @throws CliError EX_USAGE, EX_DATAERR, EX_NOUSER, EX_CONFIG
 */
export async function submission(
  source: Source,
  words: SendmailWords,
  settings: Settings,
  { login, now }: Pick<Surroundings, 'login' | 'now'>,
): Promise<Letter> {
  const head = await readHead(source);
  const aliases = words.noAliases ? {} : (settings.aliases ?? {});
  const { domain } = settings;
  const [given] = settings.from === undefined ? [] : readList(settings.from, 'the setting from');
  const own = given && complete(given, 'the setting from', domain);
  if (settings.forceFrom && !own) throw new CliError('CONFIG', 'forceFrom needs the setting from');

  const to = unique(
    [
      ...words.recipients.flatMap((word) => readList(word, word)),
      ...(words.isFromFields ? recipientsIn(head.fields) : []),
    ].flatMap((mailbox) => expand(mailbox, aliases, domain)),
  );
  if (to.length === 0)
    throw new CliError(
      'USAGE',
      words.isFromFields
        ? 'There are no recipients in To, Cc and Bcc of the message'
        : 'There are no recipients: name them, or read them from the message by -t',
    );

  const user = /^[\w.+-]+$/.test(login) ? login : 'nobody';
  const author = senderIn(head.fields);
  const sender = (): string => {
    if (words.sender !== undefined) return senderWord(words.sender, domain);
    if (own) return own;
    const isWhole = author && (author.domain ?? domain) !== undefined;
    return isWhole
      ? complete(author, 'The author', domain)
      : complete({ local: user }, `The login ${user}`, domain);
  };
  const from = settings.forceFrom && own ? own : sender();

  const shown = from || own || complete({ local: user }, `The login ${user}`, domain);
  const fields = completed(
    head.fields.filter(({ name }) => !HIDDEN.includes(name) && name !== 'return-path'),
    (mailbox, field) => {
      if (domain) return `${mailbox.local}@${domain}`;
      return AUTHORS.test(field) ? shown : aliasOf(mailbox, aliases)?.join(', ');
    },
  );
  const suited = await suitable(source, head, fields);
  return asWritten({
    source,
    head,
    fields: withMissing(suited.fields, {
      from: shown,
      name: words.fullName ?? (given ? nameOf(given) : ''),
      isForced: settings.forceFrom ?? false,
      now: now(),
    }),
    from,
    to,
    body: suited.body,
    drop: settings.onUnsupported === 'drop',
    toCount: toCount(head.fields),
  });
}

type Bare = Pick<ListedMailbox, 'local' | 'domain'>;

const address = ({ local, domain }: Bare): string => `${local}@${domain}`;

function complete(mailbox: Bare, what: string, domain: string | undefined): string {
  if (mailbox.domain) return address(mailbox);
  if (domain) return `${mailbox.local}@${domain}`;
  throw new CliError('CONFIG', `${what} has no domain: set domain, or from with one`);
}

/** `a@example.com`, `Name <a@example.com>`, `<>`. */
function senderWord(word: string, domain: string | undefined): string {
  if (word === '' || word === '<>') return '';
  const [mailbox, second] = readList(word, 'the envelope sender');
  if (!mailbox || second) throw new CliError('USAGE', `-f ${word}: one address is meant`);
  return complete(mailbox, `The envelope sender ${mailbox.local}`, domain);
}

function aliasOf(
  { local }: Bare,
  aliases: NonNullable<Settings['aliases']>,
): readonly string[] | undefined {
  for (const name of [local, local.toLowerCase(), '*'])
    if (Object.hasOwn(aliases, name)) return aliases[name];
  return undefined;
}

function expand(
  mailbox: ListedMailbox,
  aliases: NonNullable<Settings['aliases']>,
  domain: string | undefined,
): readonly string[] {
  if (mailbox.domain) return [address(mailbox)];
  const alias = aliasOf(mailbox, aliases);
  if (alias)
    return alias.flatMap((one) =>
      readList(one, `the alias of ${mailbox.local}`).map((member) =>
        complete(member, `The alias ${member.local} of ${mailbox.local}`, domain),
      ),
    );
  if (domain) return [`${mailbox.local}@${domain}`];
  throw new CliError(
    'NOUSER',
    `The recipient ${mailbox.local} has no domain: set domain or aliases in the settings file`,
  );
}
