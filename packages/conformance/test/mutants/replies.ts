/** Mutants for REP; those that say something else than they have done fail PIP as well. */
import {
  client,
  dyingOf,
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
} from './mutant.ts';

/** The last whole reply of what was read at once. */
const lastOf = (text: string): string =>
  /^(\d{3})(?:-[^\n]*\n\1)*-?[^\n]*\n$/.test(text)
    ? text
    : text.replace(/^[\s\S]*\n(?=\d{3}[ \r][^\n]*\n$)/, '');

export const REPLIES: readonly Mutant[] = [
  mutant(
    'takes-every-read-for-whole-lines',
    'waits for no line end',
    rewired((line) => ({
      incoming: (text) => line.deliver(text.endsWith('\n') ? text : `${text}\r\n`),
    })),
    ['REP-01', 'REP-02', 'REP-03'],
  ),
  mutant(
    'reads-the-last-reply-of-a-read',
    'forgets all replies but the last of those that came together',
    {
      options: (options, task) => ({
        ...(rewired((line) => ({ incoming: (text) => line.deliver(lastOf(text)) })).options?.(
          options,
          task,
        ) ?? options),
        // What was forgotten is waited for in vain.
        timeouts: { ...options.timeouts, mail: 400, rcpt: 400, data: 400 },
      }),
    },
    ['REP-02', 'REP-19', 'REP-24'],
  ),
  mutant(
    'takes-the-later-of-two-replies',
    'lets a second reply undo the first',
    reading(/^550 5\.1\.1 nobody\r\n(?=250 2\.1\.5 ok\r\n)/m, ''),
    ['REP-19'],
  ),
  mutant(
    'goes-by-the-first-line-of-a-reply',
    'looks at one line of a reply',
    reading(/^250-2\.0\.0 so far\r\n550/m, '250-2.0.0 so far\r\n250'),
    ['REP-05'],
  ),
  mutant(
    'turns-4yz-and-5yz-round',
    'takes 4yz for permanent and 5yz for temporary',
    withOutcome(({ temporary }) => (temporary === undefined ? {} : { temporary: !temporary })),
    ['REP-07', 'REP-14', 'REP-15', 'PIP-04', 'PIP-06', 'PIP-07', 'PIP-12'],
  ),
  mutant(
    'knows-registered-codes-only',
    'takes codes that it does not know for 500',
    reading(/^[45]98 /m, '500 '),
    ['REP-07'],
  ),
  mutant(
    'takes-unknown-codes-for-success',
    'takes a code that it does not know for 2yz, and goes on whatever DATA is answered',
    reading(/^(?:[45]98|503) /gm, (text) => (text === '503 ' ? '354 ' : '250 ')),
    ['REP-07'],
  ),
  mutant(
    'lists-nobody-who-was-refused',
    'reports no refused recipients',
    withOutcome(() => ({ rejected: [] })),
    ['REP-07', 'PIP-05'],
  ),
  mutant(
    'takes-a-code-out-of-range-for-250',
    'goes on where the first digit is none that there is',
    reading(/^(?:650 ok|199 wait|000)\r/m, '250 ok\r'),
    ['REP-08'],
  ),
  mutant(
    'is-lenient-with-codes',
    'reads a code that is none as 250',
    reading(/^(?:25 ok|2500 ok|25x ok)\r/m, '250 ok\r'),
    ['REP-09'],
  ),
  mutant('takes-blanks-off-replies', 'reads a code behind a blank', reading(/^ 250/m, '250'), [
    'REP-11',
  ]),
  mutant(
    'skips-lines-without-a-code',
    'overlooks the lines of a reply that have no code',
    reading(/^text\r\n/m, ''),
    ['REP-22'],
  ),
  mutant(
    'reports-success-of-anything',
    'says that all was sent',
    withOutcome(() => ({ outcome: 'resolve' })),
    [
      ...['REP-05', 'REP-07', 'REP-08', 'REP-09', 'REP-10', 'REP-11', 'REP-12', 'REP-15', 'REP-18'],
      ...['REP-19', 'REP-20', 'REP-21', 'REP-22', 'REP-24', 'PIP-04', 'PIP-06', 'PIP-07', 'PIP-09'],
      ...['PIP-10', 'PIP-12'],
    ],
  ),
  client(
    'reports-a-failure-at-once',
    'does not even connect',
    async ({ messages }) => ({
      outcome: 'done',
      messages: messages.map(() => ({ outcome: 'reject', kind: 'data', delivery: 'unknown' })),
    }),
    [
      ...['REP-01', 'REP-02', 'REP-03', 'REP-05', 'REP-16', 'REP-24'],
      ...['PIP-01', 'PIP-02', 'PIP-05', 'PIP-07', 'PIP-11', 'PIP-12'],
    ],
  ),
  client(
    'reports-success-at-once',
    'does not even connect, and says that all was sent',
    async ({ messages }) => ({
      outcome: 'done',
      messages: messages.map(() => ({ outcome: 'resolve' })),
    }),
    ['REP-10', 'REP-12', 'REP-14', 'REP-16', 'REP-20'],
  ),
  mutant('dies-of-a-tab', 'crashes at TAB behind a code', dyingOf(/^250\t/m), ['REP-10']),
  mutant('dies-of-a-bare-lf', 'crashes at a line that ends with LF alone', dyingOf(/[^\r]\n/), [
    'REP-12',
  ]),
  mutant('dies-of-an-empty-line', 'crashes at an empty line', dyingOf(/(?:^|\n)\r\n/), ['REP-20']),
  mutant(
    'begins-anew-behind-nul',
    'forgets what stands in front of NUL',
    reading(/^[^\0\n]*\0 (?=250 )/m, ''),
    ['REP-14'],
  ),
  mutant('dies-of-nul-in-a-reply', 'crashes at NUL', dyingOf(/\0/), ['REP-14']),
  mutant(
    'wants-ascii-in-replies',
    'takes a reply that is no ASCII for none',
    reading(/^[\s\S]*[\x80-\xff][\s\S]*$/, 'this was no ASCII\r\n'),
    ['REP-15'],
  ),
  mutant(
    'takes-odd-texts-for-success',
    'takes a refusal for 250 where it cannot read its text',
    reading(/^550(?=[^\n]*[^\t\r\n -~])/gm, '250'),
    ['REP-14', 'REP-15', 'REP-21'],
  ),
  mutant(
    'tells-every-failure-as-500',
    'keeps no code',
    withOutcome(() => ({ code: 500 })),
    [
      ...['REP-07', 'REP-14', 'REP-15', 'REP-21', 'REP-24'],
      ...['PIP-04', 'PIP-06', 'PIP-07', 'PIP-12'],
    ],
  ),
  mutant(
    'loses-enhanced-codes',
    'keeps no enhanced status code',
    withOutcome(() => ({ enhanced: undefined })),
    ['REP-14', 'REP-15'],
  ),
  mutant(
    'reads-lines-of-500-octets',
    'takes a line of 512 octets for none',
    reading(/^[^\n]{500,}\n/m, 'this was too long\r\n'),
    ['REP-16'],
  ),
  mutant(
    'reads-lines-of-1000-octets',
    'takes a line of 4,096 octets for none',
    reading(/^[^\n]{1000,}\n/m, 'this was too long\r\n'),
    ['REP-16'],
  ),
  mutant(
    'waits-long-for-rcpt',
    'has another limit than it was told',
    withOptions(({ timeouts }) => ({ timeouts: { ...timeouts, rcpt: 3_300 } })),
    ['REP-18'],
  ),
  mutant(
    'imagines-the-reply-to-rcpt',
    'goes on when it has waited for 0.2 s',
    rewired((line) => {
      let waiting: NodeJS.Timeout | undefined;
      return {
        outgoing: (text) => {
          line.write(text);
          if (text.startsWith('RCPT'))
            waiting = setTimeout(() => line.deliver('250 imagined\r\n'), 200);
        },
        incoming: (text) => {
          clearTimeout(waiting);
          line.deliver(text);
        },
      };
    }),
    ['REP-18'],
  ),
  mutant(
    'reports-everybody-as-accepted',
    'says that all recipients were accepted',
    withOutcome((_outcome, { messages: [message] }) => ({
      accepted: (message?.to ?? []).map((to) => (typeof to === 'string' ? to : to.address)),
    })),
    ['REP-19', 'PIP-04', 'PIP-05', 'PIP-07', 'PIP-10', 'PIP-12'],
  ),
  mutant(
    'stays-behind-what-is-no-reply',
    'keeps the connection on which it understands nothing',
    rewired(() => ({ ended: () => true, destroyed: () => true })),
    ['REP-08', 'REP-09', 'REP-11', 'REP-18', 'REP-22', 'PIP-09'],
  ),
  mutant(
    'shows-what-the-server-sends',
    'shows control characters',
    withOutcome(({ text }) => ({ text: `${text}\x1b[0m` })),
    ['REP-21'],
  ),
  mutant(
    'begins-anew-behind-cr',
    'forgets what stands in front of CR',
    reading(/^550 5\.1\.1 nobody\r(?=250)/m, ''),
    ['REP-21'],
  ),
  mutant(
    'takes-221-for-the-answer-to-the-dot',
    'says QUIT behind the dot, and takes what comes last for the answer',
    rewired((line) => {
      let quitting = false;
      return {
        outgoing: (text) => {
          if (quitting) {
            setImmediate(() => line.deliver('221 bye\r\n'));
            return;
          }
          quitting = text.endsWith('\r\n.\r\n');
          line.write(quitting ? `${text}QUIT\r\n` : text);
        },
        incoming: (text) => {
          if (!quitting) line.deliver(text);
          else if (/^221/m.test(text)) line.deliver('250 queued\r\n');
        },
      };
    }),
    ['REP-24'],
  ),
  mutant(
    'calls-it-the-sender-who-was-refused',
    'has one kind for every failure',
    withOutcome(() => ({ kind: 'sender' })),
    ['REP-05', 'REP-07', 'REP-08', 'REP-18', 'PIP-07', 'PIP-09', 'PIP-12'],
    ['REP-09', 'REP-11', 'REP-22', 'REP-24', 'PIP-06', 'PIP-10'],
  ),
  mutant(
    'says-that-nothing-left',
    'does not know that a message may have been taken',
    withOutcome(() => ({ delivery: 'not-sent' })),
    ['REP-05', 'REP-24'],
  ),
  mutant(
    'says-that-anything-may-have-left',
    'does not know that nothing was sent',
    withOutcome(() => ({ delivery: 'unknown' })),
    [
      ...['REP-07', 'REP-08', 'REP-09', 'REP-11', 'REP-18', 'REP-19', 'REP-22'],
      ...['PIP-04', 'PIP-06', 'PIP-07', 'PIP-09', 'PIP-10', 'PIP-12'],
    ],
  ),
];
