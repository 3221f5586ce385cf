/** Core with other content, or other messages, than what was asked. */
import type { OutgoingMessage } from '@posthorn/core';
import type { CoreBend } from '../../src/subjects/core.ts';
import type { ClientTask, TaskMessage } from '../../src/task.ts';
import { withTask, writing } from './mutant.ts';

type Content = Exclude<OutgoingMessage['content'], (...given: never) => unknown>;

/** Other content than what was asked, piece by piece where it comes in pieces. */
export const withContent = (change: (text: string) => string): CoreBend => ({
  message: (message) => ({ ...message, content: changed(message.content as Content, change) }),
});

function changed(content: Content, change: (text: string) => string): Content {
  const octets = (piece: string | Uint8Array): Buffer =>
    Buffer.from(
      change(typeof piece === 'string' ? piece : Buffer.from(piece).toString('latin1')),
      'latin1',
    );
  if (typeof content === 'string' || content instanceof Uint8Array) return octets(content);
  return (async function* () {
    for await (const piece of content as AsyncIterable<Uint8Array>) yield octets(piece);
  })();
}

/** What core would mend or refuse stands for itself again on the wire. */
export const past = (pattern: RegExp, by: string): CoreBend => ({
  ...withContent((text) => text.replace(pattern, 'KEPT')),
  ...writing(/KEPT/g, by),
});

/** Other messages than what was asked. */
export const withMessages = (
  change: (message: TaskMessage, task: ClientTask) => Partial<TaskMessage>,
): CoreBend =>
  withTask((task) => ({
    messages: task.messages.map((message) => ({ ...message, ...change(message, task) })),
  }));
