/** Mutants for DIS. */
import { type Mutant, mutant, reading, rewired, withOptions, withOutcome } from './mutant.ts';

export const DISCONNECTS: readonly Mutant[] = [
  mutant(
    'takes-a-lost-connection-for-permanent',
    'says that trying later does not help where the connection is lost',
    withOutcome(({ kind }) => (kind === 'closed' ? { temporary: false } : {})),
    ['DIS-01'],
  ),
  mutant(
    'has-no-name-for-a-lost-connection',
    'does not say that the connection is lost',
    withOutcome(({ kind }) => (kind === 'closed' ? { kind: 'other' } : {})),
    ['DIS-01', 'DIS-03', 'LIM-09', 'POO-09'],
  ),
  mutant(
    'never-knows-what-was-sent',
    'says of every failure that the message may have been delivered',
    withOutcome(({ outcome }) => (outcome === 'reject' ? { delivery: 'unknown' } : {})),
    [
      'DIS-01',
      'DIS-04',
      'DIS-05',
      'DIS-06',
      'DIS-07',
      'DIS-13',
      'DIS-14',
      'LIM-01',
      'LIM-02',
      'LIM-03',
      'LIM-07',
      'LIM-08',
      'LIM-09',
      'POO-10',
    ],
  ),
  mutant(
    'is-sure-that-nothing-was-sent',
    'says of every failure that the message was not delivered',
    withOutcome(({ delivery }) => (delivery === 'unknown' ? { delivery: 'not-sent' } : {})),
    ['DIS-03', 'DIS-07', 'POO-09'],
  ),
  mutant(
    'sends-again-what-may-have-arrived',
    'sends a message again when it does not know what became of it',
    {
      run: async (task, signal, core) => {
        const first = await core(task, signal);
        const messages = [...first.messages];
        for (const [at, { delivery }] of messages.entries()) {
          const message = task.messages[at];
          if (delivery !== 'unknown' || !message) continue;
          const again = await core({ ...task, messages: [message] }, signal);
          messages[at] = again.messages[0] ?? { outcome: 'reject' };
        }
        return { ...first, messages };
      },
    },
    ['DIS-03', 'DIS-07', 'POO-09'],
  ),
  mutant(
    'takes-421-for-permanent',
    'tells 421 from 521 by nothing',
    withOutcome(({ code }) => (code === 421 ? { temporary: false } : {})),
    ['DIS-04', 'DIS-05', 'DIS-06'],
  ),
  mutant(
    'keeps-reply-codes-to-itself',
    'does not say which reply was the reason',
    withOutcome(() => ({ code: undefined })),
    ['DIS-04', 'DIS-05', 'DIS-06', 'DIS-13', 'LIM-07', 'POO-07', 'POO-10'],
  ),
  mutant(
    'says-that-it-failed',
    'has the same words for every failure',
    withOutcome(({ outcome }) => (outcome === 'reject' ? { text: 'it failed' } : {})),
    ['DIS-04', 'DIS-05', 'DIS-06', 'DIS-13', 'DIS-14', 'POO-10'],
  ),
  mutant(
    'has-one-kind-of-failure',
    'gives all failures the same name',
    withOutcome(({ outcome }) => (outcome === 'reject' ? { kind: 'other' } : {})),
    ['DIS-04', 'DIS-05', 'DIS-06', 'DIS-07', 'DIS-13', 'DIS-14', 'LIM-06', 'POO-10'],
  ),
  mutant('takes-421-for-consent', 'goes on behind 421 as behind 250', reading(/^421 /m, '250 '), [
    'DIS-04',
    'DIS-05',
    'DIS-06',
  ]),
  mutant(
    'takes-421-for-a-refused-recipient',
    'goes on with the next recipient behind 421',
    reading(/^421 /m, '450 '),
    ['DIS-05'],
  ),
  mutant(
    'ends-what-it-has',
    'writes the final dot behind a part of a message',
    rewired((line) => ({
      incoming: (text) => {
        if (/^421 /m.test(text)) line.write('\r\n.\r\n');
        line.deliver(text);
      },
    })),
    ['DIS-06'],
  ),
  mutant(
    'listens-behind-the-dot',
    'sends all of a message before it looks at 421',
    rewired((line) => {
      let [held, ended] = ['', false];
      return {
        incoming: (text) => {
          if (text.startsWith('421 ') && !ended) held = text;
          else line.deliver(text);
        },
        outgoing: (text) => {
          line.write(text);
          ended ||= /(^|\n)\.\r\n$/.test(text);
          if (ended && held) setTimeout(() => line.deliver(held), 5);
        },
      };
    }),
    [],
    ['DIS-06'],
  ),
  mutant(
    'hears-the-end-first',
    'loses a reply that comes with the end of the connection',
    rewired((line) => ({
      incoming: (text) => void setTimeout(() => line.deliver(text), 30),
    })),
    ['DIS-09'],
  ),
  mutant(
    'waits-for-ever-behind-the-dot',
    'has no limit for the final reply',
    withOptions(({ timeouts }) => ({ timeouts: { ...timeouts, final: 60_000 } })),
    ['DIS-07'],
  ),
  mutant(
    'waits-longer-than-it-is-told',
    'does not keep to the limits of EHLO and QUIT',
    withOptions(({ timeouts }) => ({ timeouts: { ...timeouts, ehlo: 4_500, quit: 4_500 } })),
    ['DIS-07', 'DIS-11'],
  ),
  mutant(
    'has-one-limit-for-all',
    'waits no longer for the final reply than for any other',
    withOptions(({ timeouts }) => ({
      timeouts: { ...timeouts, ...(timeouts?.mail ? { final: timeouts.mail } : {}) },
    })),
    ['DIS-16'],
  ),
  mutant(
    'takes-every-silence-for-permanent',
    'says that trying later does not help where a limit is over',
    withOutcome(({ kind }) => (kind === 'timeout' ? { temporary: false } : {})),
    ['DIS-07'],
  ),
  mutant(
    'never-hangs-up',
    'closes no connection',
    rewired(() => ({ ended: () => true, destroyed: () => true })),
    ['DIS-04', 'DIS-05', 'DIS-06', 'DIS-07', 'DIS-11', 'DIS-15', 'LIM-03'],
  ),
  mutant(
    'needs-a-goodbye',
    'takes an unanswered QUIT for a failure of the message',
    withOutcome(({ outcome }, { timeouts }) =>
      outcome === 'resolve' && timeouts?.quit ? { outcome: 'reject', kind: 'timeout' } : {},
    ),
    ['DIS-11'],
  ),
  mutant(
    'hangs-up-without-quit',
    'closes the connection without QUIT',
    rewired((line) => ({
      outgoing: (text) => {
        if (text !== 'QUIT\r\n') return line.write(text);
        line.end();
        line.close();
      },
    })),
    ['DIS-13'],
  ),
  mutant(
    'takes-550-for-temporary',
    'tells 4yz and 5yz apart by nothing',
    withOutcome(({ code }) => (code === 550 ? { temporary: true } : {})),
    ['DIS-13'],
  ),
  mutant(
    'does-everything-twice',
    'sends each message once more',
    {
      run: async (task, signal, core) => {
        await core(task, signal);
        return core(task, signal);
      },
    },
    ['DIS-09', 'DIS-11', 'DIS-13', 'DIS-15', 'DIS-16'],
  ),
  mutant(
    'forgets-its-recipients',
    'does not say who has accepted the message',
    withOutcome(() => ({ accepted: [] })),
    [
      'DIS-09',
      'DIS-16',
      'POO-01',
      'POO-03',
      'POO-04',
      'POO-06',
      'POO-07',
      'POO-08',
      'POO-09',
      'POO-11',
    ],
  ),
  mutant(
    'believes-in-success',
    'reports success whatever the server does',
    withOutcome(() => ({ outcome: 'resolve' })),
    [
      'DIS-01',
      'DIS-03',
      'DIS-04',
      'DIS-05',
      'DIS-06',
      'DIS-07',
      'DIS-13',
      'DIS-14',
      'LIM-01',
      'LIM-02',
      'LIM-03',
      'LIM-06',
      'LIM-07',
      'LIM-08',
      'LIM-09',
      'POO-07',
      'POO-10',
    ],
  ),
  mutant(
    'believes-in-failure',
    'reports failure whatever the server does',
    withOutcome(() => ({ outcome: 'reject' })),
    [
      'DIS-09',
      'DIS-11',
      'DIS-15',
      'DIS-16',
      'POO-01',
      'POO-03',
      'POO-04',
      'POO-06',
      'POO-07',
      'POO-08',
      'POO-09',
      'POO-11',
    ],
  ),
];
