/** A message that is there already, from a file or a pipe, as a letter with the envelope that its fields say. */
import { CliError } from '../cli-error.ts';
import type { Settings } from '../settings/settings.ts';
import { asWritten, readHead } from './as-written.ts';
import type { Field } from './head.ts';
import type { Letter } from './letter.ts';
import { HIDDEN, readList, recipientsIn, senderIn, toCount, unique } from './recipients.ts';
import { openSource, type SourceSurroundings } from './source.ts';

export interface ExistingOptions {
  readonly keepBcc?: boolean;
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Given, the fields are not asked who sends it. */
  readonly envelopeFrom?: string;
  /** Given, the fields are not asked who gets it. */
  readonly envelopeTo?: readonly string[];
}

/** A message that is there: as it is, but for Bcc and a line of a mailbox file in front. */
export async function existing(
  path: string,
  options: ExistingOptions,
  settings: Settings,
  surroundings: SourceSurroundings,
): Promise<Letter> {
  const source = await openSource(path, surroundings, settings.timeout?.['input']);
  try {
    if (source.size === 0)
      throw new CliError('DATAERR', `There is no message: ${source.name} is empty`);
    const head = await readHead(source);
    if (!head.isWhole || head.fields.length === 0)
      throw new CliError(
        'DATAERR',
        `${source.name} is no message: line ${head.line} is no header field; to compose one of a text there is --text-file`,
      );
    const fields: readonly Field[] = options.keepBcc
      ? head.fields
      : head.fields.filter(({ name }) => !HIDDEN.includes(name));
    const to =
      options.envelopeTo === undefined
        ? unique(recipientsIn(head.fields).map((mailbox) => addressOf(mailbox)))
        : [];
    if (to.length === 0 && options.envelopeTo === undefined)
      throw new CliError(
        'DATAERR',
        `${source.name} has no recipients in To, Cc and Bcc: give --envelope-to`,
      );
    const sender = options.envelopeFrom === undefined ? senderIn(head.fields) : undefined;
    const [own] = settings.from === undefined ? [] : readList(settings.from, 'the setting from');
    if (options.envelopeFrom === undefined && !sender && !own)
      throw new CliError('DATAERR', `${source.name} has no author: give --envelope-from`);
    return await asWritten({
      source,
      head,
      fields,
      from: sender ? addressOf(sender) : own ? addressOf(own) : '',
      to,
      isBinary: options.body === 'BINARYMIME',
      drop: settings.onUnsupported === 'drop',
      toCount: toCount(head.fields),
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

export function addressOf({
  local,
  domain,
}: {
  readonly local: string;
  readonly domain?: string;
}): string {
  if (domain === undefined) throw new CliError('NOUSER', `The address ${local} has no domain`);
  return `${local}@${domain}`;
}
