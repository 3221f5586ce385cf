/** Mutants for GRE, and those that fail cases of GRE and EHL alike. */
import { pause } from '../../src/subjects/content.ts';
import {
  dyingOf,
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  withTask,
  writing,
} from './mutant.ts';

export const GREETING: readonly Mutant[] = [
  mutant(
    'speaks-before-the-greeting',
    'waits for no greeting',
    rewired((line) => {
      let greeted = false;
      return {
        connected: () => line.deliver('220 imagined\r\n'),
        incoming: (text) => {
          // The real greeting is swallowed.
          const rest = greeted ? text : text.replace(/^(220-[^\n]*\n)*220 [^\n]*\n/, '');
          greeted = true;
          if (rest) line.deliver(rest);
        },
      };
    }),
    ['GRE-01', 'GRE-02', 'GRE-05', 'GRE-06', 'GRE-07'],
  ),
  mutant(
    'says-no-ehlo',
    'begins with MAIL',
    rewired((line) => ({
      outgoing: (text) =>
        text.startsWith('EHLO ') ? line.deliver('250 imagined\r\n') : line.write(text),
    })),
    ['GRE-01', 'GRE-02', 'GRE-05', 'GRE-06', 'GRE-11'],
  ),
  mutant(
    'says-ehlo-twice',
    'repeats EHLO, and goes by the second reply',
    rewired((line) => {
      let again = '';
      return {
        outgoing: (text) => {
          if (text.startsWith('EHLO ')) again = text;
          line.write(text);
        },
        incoming: (text) => {
          const repeated = again;
          again = '';
          if (repeated) line.write(repeated);
          else line.deliver(text);
        },
      };
    }),
    ['GRE-02', 'EHL-19'],
  ),
  mutant(
    'says-helo',
    'does not know EHLO',
    writing(/^EHLO /, 'HELO '),
    ['GRE-11', 'EHL-19'],
    ['GRE-01', 'GRE-02', 'GRE-05', 'GRE-06'],
  ),
  mutant(
    'speaks-smtp-to-lmtp',
    'says EHLO where LHLO is due',
    withTask(() => ({ protocol: 'smtp' })),
    ['GRE-01'],
  ),
  mutant(
    'sends-twice',
    'sends every message two times',
    withTask(({ messages }) => ({ messages: [...messages, ...messages] })),
    ['GRE-01', 'GRE-02', 'GRE-05', 'GRE-06', 'GRE-11', 'EHL-02', 'EHL-06', 'EHL-12', 'EHL-19'],
  ),
  mutant(
    'says-it-failed',
    'reports failure of what was accepted',
    withOutcome(() => ({ outcome: 'reject' })),
    [
      ...['GRE-01', 'GRE-02', 'GRE-05', 'GRE-06', 'GRE-11'],
      ...['EHL-02', 'EHL-06', 'EHL-07', 'EHL-12', 'EHL-19'],
    ],
  ),
  mutant(
    'says-it-was-sent',
    'reports success of what was refused',
    withOutcome(() => ({ outcome: 'resolve' })),
    [
      ...['GRE-03', 'GRE-04', 'GRE-07', 'GRE-09', 'GRE-14', 'GRE-15', 'GRE-17', 'GRE-18'],
      ...['EHL-04', 'EHL-05', 'EHL-16'],
    ],
    ['GRE-13'],
  ),
  mutant(
    'takes-any-greeting',
    'goes on whatever the code of the greeting is',
    reading(/^(354|421|554)[ -].*$/s, '220 welcome\r\n'),
    ['GRE-03', 'GRE-04', 'GRE-09', 'GRE-13'],
  ),
  mutant(
    'says-554-is-temporary',
    'tells 4yz and 5yz apart by nothing',
    withOutcome(() => ({ temporary: true })),
    ['GRE-03', 'EHL-04'],
  ),
  mutant(
    'says-421-is-permanent',
    'tells 4yz and 5yz apart by nothing, the other way about',
    withOutcome(() => ({ temporary: false })),
    ['GRE-04', 'EHL-05'],
  ),
  mutant(
    'keeps-the-code-to-itself',
    'reports no reply code',
    withOutcome(() => ({ code: undefined })),
    ['GRE-03', 'GRE-04', 'EHL-04', 'EHL-05'],
    ['GRE-13'],
  ),
  mutant(
    'keeps-the-text-to-itself',
    'reports no text of the server, and no hint',
    withOutcome(() => ({ text: 'It failed.' })),
    ['GRE-18'],
    ['GRE-03', 'EHL-04'],
  ),
  mutant(
    'knows-no-reason',
    'does not say what kind of failure it was',
    withOutcome(() => ({ kind: 'other' })),
    ['GRE-04', 'GRE-07', 'GRE-09', 'GRE-14', 'GRE-15', 'GRE-17', 'GRE-18', 'EHL-05'],
  ),
  mutant(
    'doubts-what-was-sent',
    'is not certain where nothing was sent',
    withOutcome(() => ({ delivery: 'unknown' })),
    [
      ...['GRE-03', 'GRE-04', 'GRE-07', 'GRE-09', 'GRE-14', 'GRE-15', 'GRE-17', 'GRE-18'],
      ...['EHL-04', 'EHL-05', 'EHL-16'],
    ],
  ),
  mutant(
    'leaves-without-quit',
    'ends a connection without QUIT',
    rewired((line) => ({
      outgoing: (text) => (text === 'QUIT\r\n' ? line.end() : line.write(text)),
    })),
    [],
    ['GRE-03'],
  ),
  mutant(
    'stays-connected',
    'does not end a connection that is of no use',
    rewired((line) => ({
      outgoing: (text) =>
        text === 'QUIT\r\n' ? line.deliver('221 imagined\r\n') : line.write(text),
      ended: () => true,
      destroyed: () => true,
    })),
    ['GRE-03', 'GRE-07', 'GRE-09'],
  ),
  mutant(
    'tries-again-at-once',
    'repeats what failed without a pause',
    {
      run: async (task, signal, core) => {
        const { messages, ...rest } = await core(task, signal);
        return messages[0]?.temporary ? core(task, signal) : { messages, ...rest };
      },
    },
    ['GRE-04'],
  ),
  mutant(
    'waits-for-ever',
    'has no limits',
    withOptions(() => ({ timeouts: {} })),
    ['GRE-07', 'GRE-18'],
  ),
  mutant(
    'takes-its-time',
    'reports what has happened 3.7 s later',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        await pause(3_700);
        return outcome;
      },
    },
    ['GRE-07', 'GRE-14', 'EHL-15'],
  ),
  mutant(
    'dies-of-an-odd-greeting',
    'crashes on 250, and on LF alone',
    dyingOf(/^250 hello|^220[^\r]*\n$/),
    ['GRE-10', 'GRE-16'],
  ),
  mutant(
    'dies-of-control-characters',
    'crashes on octets that are no text',
    dyingOf(/[^\P{Cc}\r\n]/u),
    ['GRE-13'],
  ),
  mutant(
    'shows-control-characters',
    'passes on what a terminal obeys',
    withOutcome(({ text = '' }) => ({ text: `${text}\x1b[2J` })),
    [],
    ['GRE-13'],
  ),
  mutant('wants-a-text', 'takes no code that stands alone', reading(/^220 ?\r\n$/, '?\r\n'), [
    'GRE-11',
  ]),
  mutant(
    'dies-of-a-close',
    'crashes when the connection breaks',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        for (const { kind } of outcome.messages)
          if (kind === 'closed' || kind === 'connect') throw new Error('read ECONNRESET');
        return outcome;
      },
    },
    ['GRE-14', 'GRE-15'],
  ),
  mutant(
    'falls-back-to-plain-text',
    'comes back without TLS where TLS fails',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        return outcome.messages[0]?.kind === 'tls'
          ? core({ ...task, tls: 'off' }, signal)
          : outcome;
      },
    },
    ['GRE-17'],
  ),
];
