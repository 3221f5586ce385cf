/** What a client says became of a task, read before it is relied on: a client in JavaScript may say anything. */
import { inspect } from 'node:util';
import type { MessageOutcome, TaskOutcome } from '../task.ts';

type Fits = (value: unknown) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isString: Fits = (value) => typeof value === 'string';
const isNumber: Fits = (value) => typeof value === 'number';
const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.every(fits);

const MESSAGE: Readonly<Record<keyof MessageOutcome, Fits>> = {
  outcome: (value) => value === 'resolve' || value === 'reject',
  kind: isString,
  code: isNumber,
  enhanced: isString,
  replyText: isString,
  text: isString,
  temporary: (value) => typeof value === 'boolean',
  delivery: isString,
  accepted: listOf(isString),
  rejected: listOf((value) => isObject(value) && isString(value['address'])),
  reason: isString,
  stage: isString,
  address: isString,
  extension: isString,
  native: isString,
};
const TASK: Readonly<Record<keyof TaskOutcome, Fits>> = {
  outcome: (value) => value === 'done' || value === 'unimplemented',
  messages: listOf(isObject),
  log: isString,
  memory: isNumber,
  why: isString,
};

/** @throws Error that names what is no part of an outcome, or is missing */
export function outcomeOf(said: unknown): TaskOutcome {
  const look = (value: unknown, shape: Readonly<Record<string, Fits>>, where: string): void => {
    if (!isObject(value)) throw new Error(`run() gave ${shown(value)} in place of an outcome`);
    for (const [name, fits] of Object.entries(shape)) {
      const part = value[name];
      const needed = name === 'outcome' || name === 'messages';
      if ((needed || (part !== undefined && part !== null)) && !fits(part))
        throw new Error(`run() gave an outcome whose ${where}${name} is ${shown(part)}`);
    }
  };
  look(said, TASK, '');
  const outcome = said as TaskOutcome;
  for (const [at, message] of outcome.messages.entries())
    look(message, MESSAGE, `messages[${at}].`);
  return outcome;
}

/** The words of whatever was thrown: of an error its message, where it has one. */
export function wordsOf(thrown: unknown): string {
  const message = isObject(thrown) ? thrown['message'] : thrown;
  return typeof message === 'string' && message !== '' ? message : shown(thrown);
}

const shown = (value: unknown): string => inspect(value, { depth: 1, breakLength: Infinity });
