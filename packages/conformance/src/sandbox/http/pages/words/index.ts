/** Everything that pages say, in both languages. Names of protocols, and what a program said, stay as they are. */
import { ADVICE_TEXTS } from './advice.ts';
import { LIST_TEXTS } from './lists.ts';
import { MESSAGE_TEXTS } from './message.ts';
import { SET_UP_TEXTS } from './set-up.ts';
import { SHELL_TEXTS } from './shell.ts';
import { STATE_TEXTS } from './states.ts';
import { TROUBLE_TEXTS } from './trouble.ts';
import { UNSUBSCRIBE_TEXTS } from './unsubscribe.ts';

/** One text in each language; `{name}` stands for a value. */
export interface Pair {
  readonly en: string;
  readonly ru: string;
}

/** The name of a text. */
export type Word =
  | keyof typeof ADVICE_TEXTS
  | keyof typeof LIST_TEXTS
  | keyof typeof MESSAGE_TEXTS
  | keyof typeof SET_UP_TEXTS
  | keyof typeof SHELL_TEXTS
  | keyof typeof STATE_TEXTS
  | keyof typeof TROUBLE_TEXTS
  | keyof typeof UNSUBSCRIBE_TEXTS;

export const WORDS: Readonly<Record<Word, Pair>> = {
  ...ADVICE_TEXTS,
  ...LIST_TEXTS,
  ...MESSAGE_TEXTS,
  ...SET_UP_TEXTS,
  ...SHELL_TEXTS,
  ...STATE_TEXTS,
  ...TROUBLE_TEXTS,
  ...UNSUBSCRIBE_TEXTS,
};

/** Puts values in their places; a name without a value stays. */
export function fill(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
