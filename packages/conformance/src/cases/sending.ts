/** What the cases about envelopes and mail data share: a task of one message, plays of one kind, and domains outside ASCII. */
import type { Play, TaskPlan } from '../case.ts';
import { at, type Claim, messages, never, that } from '../judge/claims.ts';
import { MESSAGE, RECIPIENT, SENDER } from '../runner/run-case.ts';
import type { TaskMessage } from '../task.ts';
import { literal } from './literal.ts';

/** The header of the plain message, with the empty line behind it. */
export const HEADER: string = MESSAGE.slice(0, MESSAGE.indexOf('\r\n\r\n') + 4);

/** A message as it was given, but for fields that a client adds and empty lines at its end, which DAT is about. */
export const isMessage = (text: string, given: string): boolean => {
  const [header = '', ...body] = text.split('\r\n\r\n');
  const [wanted = '', ...rest] = given.split('\r\n\r\n');
  const fields = `\r\n${header}\r\n`;
  return (
    wanted.split('\r\n').every((field) => fields.includes(`\r\n${field}\r\n`)) &&
    body.join('\r\n\r\n').trimEnd() === rest.join('\r\n\r\n').trimEnd()
  );
};

/** One plain message, but for what is said of it. */
export const sending = (message: Partial<TaskMessage>): TaskPlan => ({
  messages: [{ from: SENDER, to: [RECIPIENT], content: { octets: MESSAGE }, ...message }],
});

/**
 * What people are shown has this in it, where they are shown anything: RFC 5321 §4.2 lets a client discard the text of a
 * reply, and a program need not print.
 */
export const tells = (pattern: RegExp, says: string): Claim =>
  at(
    'SHOULD',
    that(says, (_wire, { outcome }) => {
      const { text } = outcome?.messages[0] ?? {};
      return !text || pattern.test(text) || JSON.stringify(text.slice(0, 200));
    }),
  );

/** One play for each variant. */
export function playsOf<T>(
  variants: readonly T[],
  play: (variant: T) => Play,
): readonly [Play, ...Play[]] {
  const [first, ...more] = variants.map((variant) => play(variant));
  if (!first) throw new TypeError('A case has one play at least');
  return [first, ...more];
}

/** A path is said as it is, or the command is not. */
export const wholeOrNot = (verb: 'MAIL' | 'RCPT', address: string): Claim =>
  never(
    new RegExp(`^${verb} (?!\\w+:<${literal(address).source}>( |$))`, 'i'),
    `${verb} with <${address.length > 60 ? `${address.slice(0, 50)}…` : address}>, or none`,
  );

/**
 * Paths whose domains are outside ASCII, where SMTPUTF8 is not offered: in A-labels, or not at all. RFC 6531 §3.2 lets a
 * client refuse the message; §3.7 says that A-labels SHOULD be used.
 */
export const inALabels = ({ from, to }: { from?: string; to?: string }): readonly Claim[] => [
  never(/[^ -~]/, 'no command has octets outside ASCII'),
  ...(from === undefined ? [] : [wholeOrNot('MAIL', from)]),
  ...(to === undefined ? [] : [wholeOrNot('RCPT', to)]),
  at('SHOULD', messages(1, 'the message is sent')),
];
