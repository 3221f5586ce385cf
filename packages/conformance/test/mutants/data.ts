/** Mutants for DAT. */
import type { TaskMessage } from '../../src/task.ts';
import {
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  withTask,
  writing,
} from './mutant.ts';
import { past, withContent, withMessages } from './other-content.ts';

export const DATA: readonly Mutant[] = [
  mutant(
    'doubles-no-dot',
    'writes the dots of the content as they are',
    writing(/\n\.\./g, '\n.'),
    ['DAT-01'],
  ),
  mutant(
    'doubles-no-dot-in-front',
    'takes the first octet of a write for no begin of a line',
    writing(/^\.\./, '.'),
    ['DAT-01', 'DAT-19'],
  ),
  mutant(
    'doubles-two-dots',
    'doubles each dot at the begin of a line',
    writing(/\n\.\.\./g, '\n....'),
    ['DAT-01'],
  ),
  mutant(
    'takes-pieces-for-lines',
    'doubles a dot at the begin of a piece, wherever it stands in its line',
    withContent((text) => text.replace(/^\.(?!\r)/, '..')),
    ['DAT-01', 'DAT-19'],
  ),
  mutant(
    'forgets-a-cr-between-pieces',
    'takes CR | LF for two line ends',
    withContent((text) => text.replace(/^\n/, '\r\n').replace(/\r$/, '\r\n')),
    ['DAT-05', 'DAT-19'],
  ),
  mutant('writes-bare-lf', 'leaves LF as it is', past(/(?<!\r)\n/g, '\n'), ['DAT-02']),
  mutant('writes-bare-cr', 'leaves CR as it is', past(/\r(?!\n)/g, '\r'), ['DAT-02']),
  mutant(
    'leaves-out-bare-lf',
    'writes nothing for LF',
    withContent((text) => text.replace(/(?<!\r)\n/g, '')),
    ['DAT-02'],
  ),
  mutant(
    'mends-line-ends-behind-the-dots',
    'doubles dots before it makes LF into CR LF',
    past(/(?<!\r)\n(?=\.)/g, '\r\n'),
    ['DAT-02'],
  ),
  mutant(
    'adds-an-empty-line',
    'ends what has no CR LF by two',
    withContent((text) => (/\n$/.test(text) || !/end$/.test(text) ? text : `${text}\r\n\r\n`)),
    ['DAT-04'],
  ),
  mutant(
    'always-adds-cr-lf',
    'adds CR LF to what has it',
    withContent((text) => (text.endsWith('\n') ? `${text}\r\n` : text)),
    ['DAT-01', 'DAT-05', 'DAT-06'],
  ),
  mutant(
    'leaves-out-the-empty-line',
    'sends no empty line behind the header where the body is empty',
    withContent((text) => text.replace(/\r\n\r\n$/, '\r\n')),
    ['DAT-05', 'DAT-06'],
  ),
  mutant('writes-long-lines', 'sends any line as it is', past(/x{2000}/, 'x'.repeat(2_000)), [
    'DAT-07',
  ]),
  mutant(
    'cuts-long-lines',
    'makes two lines of one that is too long',
    withContent((text) => text.replace(/x{900}(?=x)/g, '$&\r\n')),
    ['DAT-07'],
  ),
  mutant(
    'says-that-all-was-sent',
    'reports success whatever became of it',
    withOutcome(() => ({ outcome: 'resolve' })),
    [
      'DAT-07',
      'DAT-09',
      'DAT-10',
      'DAT-11',
      'DAT-13',
      'DAT-15',
      'DAT-17',
      'DAT-18',
      'DAT-20',
      'DAT-21',
    ],
  ),
  mutant(
    'says-that-nothing-was-sent',
    'reports failure whatever became of it',
    withOutcome(() => ({ outcome: 'reject' })),
    ['DAT-01', 'DAT-05', 'DAT-06', 'DAT-09', 'DAT-14', 'DAT-19'],
  ),
  mutant(
    'sends-everything-twice',
    'begins a message anew that was accepted',
    {
      run: async (task, signal, core) => {
        await core(task, signal);
        return core(task, signal);
      },
    },
    ['DAT-01', 'DAT-05', 'DAT-06', 'DAT-09', 'DAT-14', 'DAT-19'],
  ),
  mutant(
    'declares-no-8bitmime',
    'sends octets above 127 without BODY',
    withMessages(() => ({ body: '7BIT' })),
    ['DAT-09'],
  ),
  mutant(
    'declares-8bitmime-unasked',
    'says BODY=8BITMIME to a server that does not offer it',
    reading(/^250 (?=PIPELINING)/m, '250-8BITMIME\r\n250 '),
    ['DAT-09'],
  ),
  mutant(
    'takes-the-eighth-bit-away',
    'makes 7 bits of 8',
    writing(/[\x80-\xff]/g, (octet) => String.fromCharCode(octet.charCodeAt(0) & 127)),
    ['DAT-09'],
  ),
  mutant('writes-nul', 'sends NUL', past(/\0/g, '\0'), ['DAT-10']),
  mutant(
    'leaves-out-nul',
    'sends the content without its NUL',
    withContent((text) => text.replace(/\0/g, '')),
    ['DAT-10'],
  ),
  mutant(
    'sends-content-unasked',
    'takes any reply to DATA for 354',
    reading(/^\d\d\d (?=\S+ no data)/m, '354 '),
    ['DAT-11'],
  ),
  mutant(
    'takes-a-refused-message-for-sent',
    'looks at no reply to the final dot',
    reading(/^\d\d\d (?=\S+ not this one)/, '250 '),
    ['DAT-13'],
  ),
  mutant(
    'takes-the-wrong-digit',
    'tells 4yz and 5yz the wrong way round',
    withOutcome(({ temporary }) => ({ temporary: !temporary })),
    ['DAT-11', 'DAT-13'],
  ),
  mutant(
    'keeps-no-reply',
    'forgets code and text of what was answered to mail data',
    withOutcome(() => ({ code: undefined, text: 'There was a reply' })),
    ['DAT-11', 'DAT-13', 'DAT-14'],
  ),
  mutant(
    'keeps-the-last-line',
    'forgets all lines of a reply but the last',
    reading(/^(250-(?!PIPELINING|8BITMIME|SIZE)[^\r]*\r\n)+(?=250 2\.0\.0 bye)/, ''),
    ['DAT-14'],
  ),
  mutant(
    'has-one-kind-of-failure-of-data',
    'tells no kind of failure from another',
    withOutcome(() => ({ kind: 'other' })),
    ['DAT-11', 'DAT-13', 'DAT-15', 'DAT-17', 'DAT-20'],
  ),
  mutant(
    'knows-nothing-of-delivery',
    'calls everything unknown',
    withOutcome(() => ({ delivery: 'unknown' })),
    ['DAT-11', 'DAT-13', 'DAT-15', 'DAT-18', 'DAT-20'],
  ),
  mutant(
    'believes-that-nothing-was-sent',
    'calls everything not sent',
    withOutcome(() => ({ delivery: 'not-sent' })),
    ['DAT-13', 'DAT-17'],
  ),
  mutant(
    'waits-for-mail-data-for-ever',
    'has no limit for a block of mail data',
    // Once is enough for the suite's own tests: a client that hangs costs them time.
    withOptions((_options, { messages: [message] }) =>
      message && 'stream' in message.content ? {} : { timeouts: {} },
    ),
    ['DAT-15'],
  ),
  mutant(
    'reads-all-of-a-source',
    'has the whole content in memory before it is written',
    {
      run: async (task, signal, core) => ({
        ...(await core(task, signal)),
        memory: 'repeat' in (task.messages[0]?.content ?? {}) ? 268_435_456 : 0,
      }),
    },
    ['DAT-15'],
  ),
  mutant(
    'sends-again-behind-a-timeout',
    'takes no reply to the final dot for a message that was not sent',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        return outcome.messages[0]?.kind === 'timeout' ? core(task, signal) : outcome;
      },
    },
    ['DAT-17'],
  ),
  mutant(
    'ends-what-has-failed',
    'takes a source that fails for one that ends',
    {
      message: (message) => ({
        ...message,
        content: (async function* () {
          try {
            yield* message.content as AsyncIterable<Uint8Array>;
          } catch {}
        })(),
      }),
    },
    ['DAT-18'],
  ),
  mutant(
    'says-quit-in-mail-data',
    'ends a session in the middle of a message as any other',
    rewired((line) => ({
      destroyed: () => {
        line.write('QUIT\r\n');
        line.end();
        return true;
      },
    })),
    ['DAT-18', 'DAT-20'],
  ),
  mutant(
    'leaves-connections-open',
    'gives a message up and keeps the connection',
    rewired(() => ({ destroyed: () => true })),
    ['DAT-18', 'DAT-20'],
  ),
  mutant(
    'gives-nothing-up',
    'has no ear for who gives a message up',
    withTask((task) => ({
      messages: task.messages.map(({ abortAfter, ...message }) => message),
    })),
    ['DAT-20'],
  ),
  mutant(
    'believes-its-fields',
    'writes a field as it was given, line ends and all',
    {
      ...withMessages(({ content }) =>
        'fields' in content
          ? {
              content: JSON.parse(
                JSON.stringify(content).replace(/((?:\\[rn])+)X-/g, 'KEPTX-'),
              ) as TaskMessage['content'],
            }
          : {},
      ),
      ...writing(/KEPT(?=X-)/g, '\r\n'),
    },
    ['DAT-21'],
  ),
];
