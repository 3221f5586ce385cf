/** Mutants for CHU. */
import {
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  writing,
} from './mutant.ts';
import { past, withContent, withMessages } from './other-content.ts';

export const CHUNKING: readonly Mutant[] = [
  mutant('chunks-unasked', 'takes another keyword for CHUNKING', reading(/XCHUNKING/, 'CHUNKING'), [
    'CHU-01',
  ]),
  mutant(
    'sends-no-chunk',
    'does not use CHUNKING',
    withOptions(() => ({ ignoreExtensions: ['CHUNKING'] })),
    ['CHU-02', 'CHU-05', 'CHU-06'],
  ),
  mutant(
    'says-that-no-chunk-was-taken',
    'reports failure whatever became of a message',
    withOutcome(() => ({ outcome: 'reject' })),
    ['CHU-01', 'CHU-02', 'CHU-04', 'CHU-05', 'CHU-07', 'CHU-10'],
  ),
  mutant(
    'says-that-all-chunks-were-taken',
    'reports success whatever became of a message',
    withOutcome(() => ({ outcome: 'resolve' })),
    ['CHU-04', 'CHU-06', 'CHU-08', 'CHU-09', 'CHU-10'],
  ),
  mutant(
    'doubles-dots-in-chunks',
    'takes BDAT for DATA',
    withContent((text) => text.replace(/^\./gm, '..')),
    ['CHU-02'],
  ),
  mutant(
    'counts-a-chunk-without-its-end',
    'announces less than it sends',
    writing(/^BDAT \d+/m, (line) => `BDAT ${Number(line.slice(5)) - 2}`),
    ['CHU-02', 'CHU-05'],
  ),
  mutant(
    'says-last-each-time',
    'takes each chunk for the last one',
    writing(/^BDAT \d+(?=\r\n)/m, '$& LAST'),
    ['CHU-02', 'CHU-05'],
  ),
  mutant(
    'says-last-never',
    'ends a message by what it sends next',
    writing(/^(BDAT \d+) LAST(?=\r\n)/m, '$1'),
    ['CHU-02', 'CHU-05'],
  ),
  mutant(
    'goes-on-without-rset',
    'begins a transaction where a chunk was refused',
    rewired((line) => ({
      outgoing: (text) => {
        const rest = text.replace(/^RSET\r\n/, '');
        if (rest) line.write(rest);
        if (rest !== text) setImmediate(() => line.deliver('250 2.0.0 imagined\r\n'));
      },
    })),
    ['CHU-04', 'CHU-10'],
  ),
  mutant(
    'goes-on-behind-a-refused-chunk',
    'looks only at the reply to the last chunk',
    reading(/^[45]\d\d (?=\S+ no room)/, '250 '),
    ['CHU-04'],
  ),
  mutant(
    'keeps-no-reply-to-a-chunk',
    'forgets code and text of what was answered to a chunk',
    withOutcome(() => ({ code: undefined, text: 'There was a reply' })),
    ['CHU-04', 'CHU-09', 'CHU-10'],
  ),
  mutant(
    'takes-the-wrong-digit-of-a-chunk',
    'tells 4yz and 5yz the wrong way round',
    withOutcome(({ temporary }) => ({ temporary: !temporary })),
    ['CHU-04', 'CHU-10'],
  ),
  mutant(
    'calls-a-refused-chunk-not-sent',
    'says of no message that it was rejected',
    withOutcome(() => ({ delivery: 'not-sent' })),
    ['CHU-10'],
  ),
  mutant(
    'calls-a-lost-chunk-rejected',
    'says of every message that it was rejected',
    withOutcome(() => ({ delivery: 'rejected', kind: 'data' })),
    ['CHU-06'],
  ),
  mutant(
    'forgets-the-message-behind-a-refusal',
    'says that the second message was sent as well',
    {
      run: async (task, signal, core) => {
        const outcome = await core({ ...task, messages: task.messages.slice(0, 1) }, signal);
        const sent = { outcome: 'resolve', code: 250, text: 'taken' } as const;
        return { ...outcome, messages: [...outcome.messages, sent] };
      },
    },
    ['CHU-04', 'CHU-10'],
  ),
  mutant(
    'imagines-a-reply-to-a-chunk',
    'does not wait for 250',
    rewired((line) => {
      let imagined = false;
      return {
        outgoing: (text) => {
          line.write(text);
          if (!imagined && /^BDAT/m.test(text))
            setTimeout(() => line.deliver('250 2.0.0 imagined\r\n'), 50);
          imagined ||= /^BDAT/m.test(text);
        },
      };
    }),
    ['CHU-06'],
  ),
  mutant(
    'counts-no-replies',
    'takes each reply for that to the command before, once a chunk was refused',
    rewired((line) => {
      let refused = false;
      return {
        incoming: (text) => {
          line.deliver(refused ? `250 2.0.0 imagined\r\n${text}` : text);
          refused = / no room\r\n/.test(text);
        },
      };
    }),
    ['CHU-10'],
  ),
  mutant(
    'declares-binary-as-8bitmime',
    'knows no BODY=BINARYMIME',
    withMessages(() => ({ body: '8BITMIME' })),
    ['CHU-07'],
  ),
  mutant(
    'sends-binary-by-data',
    'sends any BODY by DATA',
    writing(/^BDAT \d+ LAST(?=\r\n)/m, 'DATA'),
    ['CHU-07'],
  ),
  mutant('mends-binary', 'makes text of what is binary', writing(/\0/g, ' '), ['CHU-07']),
  mutant(
    'sends-binary-without-chunking',
    'looks for BINARYMIME, and not for CHUNKING',
    reading(/^250[- ]BINARYMIME\r\n/m, '250-CHUNKING\r\n$&'),
    ['CHU-08'],
  ),
  mutant(
    'sends-binary-as-lines',
    'sends binary content by DATA as if it were text',
    { ...withMessages(() => ({ body: '8BITMIME' })), ...past(/\0/g, '\0') },
    ['CHU-08'],
  ),
  mutant(
    'mixes-data-with-bdat',
    'tries DATA in the transaction whose BDAT was refused',
    rewired((line) => {
      let content = '';
      let asked = false;
      return {
        outgoing: (text) => {
          const [, chunk] = /^BDAT \d+(?: LAST)?\r\n([\s\S]*)$/.exec(text) ?? [];
          content += chunk ?? '';
          if (asked && chunk !== undefined) line.deliver('250 2.0.0 imagined\r\n');
          else line.write(text);
        },
        incoming: (text) => {
          if (/^500 /.test(text)) {
            asked = true;
            line.write('DATA\r\n');
          } else if (/^354 /.test(text)) line.write(`${content.replace(/^\./gm, '..')}\r\n.\r\n`);
          else line.deliver(text);
        },
      };
    }),
    ['CHU-09'],
  ),
  mutant(
    'takes-a-refused-chunk-for-sent',
    'looks at no reply to BDAT',
    reading(/^500 (?=\S+ what)/, '250 '),
    ['CHU-09'],
  ),
];
