/** A message composed of what the command line says, as a letter. Files are streamed from the disk. */
import { asIs, type ComposeOptions, compose, type Message } from '@posthorn/mime';
import { CliError } from '../cli-error.ts';
import type { Surroundings } from '../surroundings.ts';
import { type ComposeSettings, type ComposeWords, optionsOf, specOf } from './compose-words.ts';
import type { Letter } from './letter.ts';
import { openSource, type Source } from './source.ts';

/**
 * @throws CliError EX_NOINPUT, EX_DATAERR, EX_USAGE
 * @throws MimeError for what cannot be put into a message
 */
export async function composed(
  words: ComposeWords,
  settings: ComposeSettings,
  surroundings: Surroundings,
): Promise<Letter> {
  const sources: Source[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sources.map((source) => source.close()));
  };
  const read = async (path: string): Promise<Source> => {
    if (path === '-' && sources.some(({ name }) => name === 'standard input'))
      throw new CliError('USAGE', 'Standard input, -, can be read once');
    const source = await openSource(path, surroundings, settings.inputTimeout);
    sources.push(source);
    return source;
  };
  try {
    const spec = await specOf(words, settings, read);
    const now = surroundings.now();
    const options = { ...(await optionsOf(words, settings, surroundings)), now: () => now };
    const { transferEncoding: word } = words;
    const make = (
      transferEncoding: ComposeOptions['transferEncoding'],
      messageId = spec.messageId,
    ): Message =>
      compose(
        { ...spec, ...(messageId !== undefined && { messageId }) },
        { ...options, ...(transferEncoding && { transferEncoding }) },
      );
    const message = make(word === 'as-is' ? asIs() : word);
    const { from, to, messageId } = message;
    return {
      from,
      to,
      // Each of its parts has a size.
      size: message.size as number,
      messageId,
      toCount: mailboxes(spec.to),
      content(capabilities) {
        // The same message, but for its encodings.
        const made = word === 'as-is' ? make(asIs(capabilities), messageId) : message;
        return {
          content: made.content,
          size: made.size,
          body: made.body,
          smtpUtf8: made.smtpUtf8,
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How many mailboxes a field has: those of groups are counted. */
function mailboxes(addresses: Parameters<typeof compose>[0]['to']): number {
  return [addresses ?? []]
    .flat()
    .reduce(
      (count, one) =>
        count + (typeof one === 'object' && 'members' in one ? one.members.length : 1),
      0,
    );
}
