/** The content of a task as octets, or as pieces. */
import type { ClientTask, TaskContent, TaskMessage, TaskRecipient } from '../task.ts';

/** Octets for content that is whole; undefined for pieces, and for fields. */
export function octetsOf(content: TaskContent): Buffer | undefined {
  if ('text' in content) return Buffer.from(content.text, 'utf8');
  if ('octets' in content) return Buffer.from(content.octets, 'latin1');
  if ('repeat' in content && !content.stream)
    return Buffer.from(content.repeat.repeat(content.times), 'latin1');
  return undefined;
}

/** Content in pieces, with the waits and the failure that it has. */
export async function* piecesOf(content: TaskContent): AsyncGenerator<Uint8Array> {
  if ('repeat' in content) {
    // Each is one of its own, so that it takes memory to hold them.
    for (let time = 0; time < content.times; time += 1) yield Buffer.from(content.repeat, 'latin1');
    return;
  }
  if (!('pieces' in content)) {
    const octets = octetsOf(content);
    if (octets) yield octets;
    return;
  }
  for (const [at, piece] of content.pieces.entries()) {
    if (at === content.failsAfter) throw new Error('the source of the message failed');
    if (at > 0 && content.gap) await pause(content.gap);
    yield Buffer.from(piece, 'latin1');
  }
  if (content.failsAfter === content.pieces.length)
    throw new Error('the source of the message failed');
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export const addressOf = (recipient: string | TaskRecipient): string =>
  typeof recipient === 'string' ? recipient : recipient.address;

export const recipientsOf = (message: TaskMessage): string[] => message.to.map(addressOf);

/** The limit of one wait: its own, or that of commands. */
export const limitOf = (
  { timeouts = {} }: ClientTask,
  name: keyof NonNullable<ClientTask['timeouts']>,
): number | undefined => timeouts[name] ?? timeouts.command;
