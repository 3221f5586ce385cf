/** Mutants for SIZ. */
import type { CoreBend } from '../../src/subjects/core.ts';
import {
  client,
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  writing,
} from './mutant.ts';

/** Another limit than the one that the server has said. */
const limit = (change: (value: string) => string): CoreBend =>
  reading(/(?<=^250[- ]SIZE )\S+/m, change);

const LIMITED = ['SIZ-04', 'SIZ-05', 'SIZ-06', 'SIZ-07'];

export const SIZE: readonly Mutant[] = [
  mutant(
    'asks-for-no-limit',
    'does not look at SIZE',
    withOptions(() => ({ ignoreExtensions: ['SIZE'] })),
    ['SIZ-01'],
  ),
  mutant(
    'counts-a-line-end-as-one',
    'measures a message as it is given, and declares nothing',
    rewired((line) => ({
      incoming: (text) => line.deliver(text.replace('SIZE 512000', 'SIZE 520000')),
      outgoing: (text) => line.write(text.replace(/ SIZE=\d+/, '')),
    })),
    ['SIZ-01'],
  ),
  mutant(
    'says-that-any-size-was-sent',
    'reports success whatever became of a message',
    withOutcome(() => ({ outcome: 'resolve' })),
    ['SIZ-01', 'SIZ-08', 'SIZ-10'],
  ),
  mutant(
    'says-that-no-size-was-sent',
    'reports failure whatever became of a message',
    withOutcome(() => ({ outcome: 'reject', accepted: [] })),
    [...LIMITED, 'SIZ-09'],
  ),
  client(
    'sends-nothing-of-any-size',
    'reports success without a word to the server',
    async () => ({ outcome: 'done', messages: [{ outcome: 'resolve' }] }),
    [...LIMITED, 'SIZ-09'],
  ),
  mutant(
    'knows-no-failure-of-size',
    'tells no kind of failure from another',
    withOutcome(() => ({ kind: 'other' })),
    ['SIZ-01', 'SIZ-08', 'SIZ-10'],
  ),
  mutant(
    'knows-nothing-of-delivery-by-size',
    'calls everything unknown',
    withOutcome(() => ({ delivery: 'unknown' })),
    ['SIZ-01', 'SIZ-08', 'SIZ-10'],
  ),
  mutant(
    'keeps-no-reply-about-size',
    'forgets code and text of a reply',
    withOutcome(() => ({ code: undefined, text: 'There was a reply' })),
    ['SIZ-08', 'SIZ-10'],
  ),
  mutant(
    'takes-the-wrong-digit-of-size',
    'tells 4yz and 5yz the wrong way round',
    withOutcome(({ temporary }) => ({ temporary: !temporary })),
    ['SIZ-08', 'SIZ-10'],
  ),
  mutant(
    'declares-too-little',
    'declares less than it sends',
    writing(/(?<= SIZE=)\d+/, (size) => `${Number(size) - 1}`),
    ['SIZ-02'],
  ),
  mutant(
    'takes-no-number-for-a-small-one',
    'takes SIZE without a number, or with 0, for a limit',
    reading(/(?<=^250[- ]SIZE)( 0)?(?=\r\n)/m, ' 1'),
    ['SIZ-04'],
  ),
  mutant(
    'takes-any-keyword-for-size',
    'looks for SIZE in the keywords, not for SIZE',
    reading(/XSIZE|SIZES/g, 'SIZE'),
    ['SIZ-05'],
  ),
  mutant(
    'always-declares-a-size',
    'says SIZE= to a server that does not offer it',
    writing(/^MAIL FROM:<[^>]*>/m, '$& SIZE=200000'),
    ['SIZ-05'],
  ),
  mutant(
    'counts-in-32-bits',
    'keeps the last 32 bits of a limit',
    limit((value) => `${BigInt.asUintN(32, BigInt(value))}`),
    ['SIZ-06'],
  ),
  mutant(
    'counts-in-63-bits',
    'takes what has more than 63 bits for less than nothing',
    limit((value) => (BigInt.asIntN(64, BigInt(value)) < 0n ? '1' : value)),
    ['SIZ-06'],
  ),
  mutant(
    'reads-five-digits',
    'keeps the first digits of a limit',
    limit((value) => value.slice(0, 5)),
    ['SIZ-06'],
  ),
  mutant(
    'takes-no-number-for-nothing',
    'takes a value that is none for 0 octets',
    limit((value) => (/^\d+$/.test(value) ? value : '1')),
    ['SIZ-07'],
  ),
  mutant(
    'takes-the-begin-of-a-number',
    'reads a value up to what is no digit',
    limit((value) => `${Number.parseInt(value, 10) || 0}`),
    ['SIZ-07'],
  ),
  mutant(
    'goes-on-behind-a-refused-size',
    'takes a refused MAIL for accepted',
    reading(/^[45]52 (?=\S+ (message size|insufficient))/m, '250 '),
    ['SIZ-08'],
  ),
  mutant(
    'says-mail-again-at-once',
    'tries again in the same session, without RSET',
    rewired((line) => {
      let mail = '';
      return {
        outgoing: (text) => {
          mail ||= /^MAIL .*\r\n/m.exec(text)?.[0] ?? '';
          line.write(text);
        },
        incoming: (text) => {
          if (/^[45]52 /.test(text) && mail) line.write(mail);
          mail &&= /^[45]52 /.test(text) ? '' : mail;
          line.deliver(text);
        },
      };
    }),
    ['SIZ-08'],
  ),
  mutant(
    'takes-who-has-no-room-for-accepted',
    'tells all recipients as accepted, and none as refused',
    withOutcome((_outcome, { messages: [message] }) => ({
      accepted: message?.to.map(String),
      rejected: [],
    })),
    ['SIZ-09'],
  ),
  mutant(
    'gives-each-refusal-one-code',
    'keeps one code for all recipients that were refused',
    withOutcome(({ rejected }) => ({
      rejected: rejected?.map((refused) => ({ ...refused, code: 552 })),
    })),
    ['SIZ-09'],
  ),
  mutant(
    'takes-a-large-message-for-sent',
    'looks at no reply to the final dot',
    reading(/^552 (?=\S+ message too)/, '250 '),
    ['SIZ-10'],
  ),
];
