/** Core that never sees what it would refuse. */
import { type CoreBend, coreSubject } from '../../src/subjects/core.ts';
import type { TaskMessage } from '../../src/task.ts';
import { writing } from './mutant.ts';

/** Keeps a text from core, which gets a word in its place: as an address, or as the value of a parameter. */
export interface Keep {
  address(text: string): string;
  value(text: string): string;
}

/**
 * Core with a message in which words stand for other texts; on the wire the texts stand for the words again.
 *
 * @param put - what becomes of a text on the wire; default: it is written as it is, in UTF-8
 */
export const smuggling = (
  hide: (message: TaskMessage, keep: Keep) => Partial<TaskMessage>,
  put: (text: string) => string = (text) => text,
): CoreBend => ({
  run: (task, signal) => {
    const kept: string[] = [];
    const value = (text: string): string => `KEPT${kept.push(text) - 1}`;
    const keep: Keep = { value, address: (text) => `${value(text)}@kept.example` };
    const restored = (word: string): string => {
      const text = put(kept[Number(/\d+/.exec(word)?.[0])] ?? '');
      return Buffer.from(text, 'utf8').toString('latin1');
    };
    const messages = task.messages.map((message) => ({ ...message, ...hide(message, keep) }));
    return coreSubject(writing(/KEPT\d+(@kept\.example)?/g, restored)).run(
      { ...task, messages },
      signal,
    );
  },
});

/** Both addresses of a message, and all of its recipients, are kept from core. */
export const anyAddress = ({ from, to }: TaskMessage, keep: Keep): Partial<TaskMessage> => ({
  from: from && keep.address(from),
  to: to.map((recipient) =>
    typeof recipient === 'string'
      ? keep.address(recipient)
      : { ...recipient, address: keep.address(recipient.address) },
  ),
});

/** ENVID and ORCPT are kept from core; the type of ORCPT stays. */
export const anyParameter = ({ envid, to }: TaskMessage, keep: Keep): Partial<TaskMessage> => ({
  ...(envid === undefined ? {} : { envid: keep.value(envid) }),
  to: to.map((recipient) =>
    typeof recipient === 'string' || recipient.orcpt === undefined
      ? recipient
      : { ...recipient, orcpt: `rfc822;${keep.value(recipient.orcpt.replace(/^rfc822;/, ''))}` },
  ),
});
