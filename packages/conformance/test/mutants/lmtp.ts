/** Mutants for LMT. */
import type { CoreBend } from '../../src/subjects/core.ts';
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

/** One bend of the options behind the other. */
const both = (first: CoreBend, second: CoreBend): CoreBend => ({
  ...first,
  ...second,
  options: (options, task) => {
    const bent = first.options?.(options, task) ?? options;
    return second.options?.(bent, task) ?? bent;
  },
});

/** Takes RCPT for accepted, whatever is said. */
const deafToRefusals = reading(/^550 5\.1\.1 [^\n]*\n/gm, '250 2.1.5 imagined\r\n');

export const LMTP: readonly Mutant[] = [
  mutant('says-ehlo-to-an-lmtp-server', 'takes LMTP for SMTP', writing(/^LHLO/, 'EHLO'), [
    'LMT-01',
  ]),
  mutant(
    'comes-back-with-ehlo',
    'tries SMTP where LHLO is refused',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        return outcome.messages[0]?.code === 500
          ? core({ ...task, protocol: 'smtp' }, signal)
          : outcome;
      },
    },
    ['LMT-01'],
  ),
  mutant(
    'reads-one-final-reply',
    'takes the first final reply for all of them',
    both(
      withTask(() => ({ protocol: 'smtp' })),
      writing(/^EHLO/, 'LHLO'),
    ),
    ['LMT-03', 'LMT-04', 'LMT-05'],
  ),
  mutant(
    'does-not-hear-that-rcpt-is-refused',
    'waits for a final reply for every recipient, and says DATA for none',
    both(
      deafToRefusals,
      withOptions(() => ({ timeouts: { final: 400 } })),
    ),
    ['LMT-04', 'LMT-06'],
  ),
  mutant(
    'sends-content-behind-503',
    'takes the 503 to DATA for 354',
    rewired((line) => ({
      incoming: (text) =>
        line.deliver(
          text
            .replace(/^550 5\.1\.1 [^\n]*\n/gm, '250 2.1.5 imagined\r\n')
            .replace(/^503 /m, '354 '),
        ),
    })),
    ['LMT-06'],
  ),
  mutant(
    'takes-the-second-of-two-for-the-same',
    'waits for one final reply where one address is given twice',
    withOutcome((outcome, { messages }) => {
      const [{ to } = { to: [] }] = messages;
      return new Set(to).size < to.length ? { ...outcome, rejected: [] } : {};
    }),
    ['LMT-05'],
  ),
  mutant(
    'counts-an-answer-that-never-came',
    'takes a recipient without a final reply for a success',
    withOutcome((_outcome, { messages }) => ({
      outcome: 'resolve',
      accepted: messages[0]?.to.map(String) ?? [],
      rejected: [],
    })),
    ['LMT-03', 'LMT-04', 'LMT-06'],
  ),
  mutant(
    'refuses-for-an-answer-that-never-came',
    'takes a recipient without a final reply for refused for good',
    withOutcome(() => ({ temporary: false })),
    ['LMT-03'],
  ),
  mutant(
    'forgets-who-has-the-message',
    'does not tell who was accepted',
    withOutcome(() => ({ accepted: [] })),
    ['LMT-04'],
    ['LMT-03'],
  ),
  mutant(
    'forgets-who-has-no-message',
    'does not tell who was refused',
    withOutcome(() => ({ rejected: [] })),
    ['LMT-04', 'LMT-05', 'LMT-06'],
  ),
  mutant(
    'forgets-why-by-lmtp',
    'does not tell the code',
    withOutcome(() => ({ code: undefined })),
    ['LMT-01', 'LMT-06'],
  ),
  mutant(
    'has-no-word-for-recipients',
    'tells refusals by nothing',
    withOutcome(() => ({ kind: 'other' })),
    ['LMT-06'],
  ),
  mutant(
    'hopes-for-recipients',
    'takes 550 for temporary',
    withOutcome(() => ({ temporary: true })),
    ['LMT-06'],
  ),
  mutant(
    'fears-for-what-was-refused-by-lmtp',
    'does not know that nothing was sent',
    withOutcome(() => ({ delivery: 'unknown' })),
    ['LMT-01', 'LMT-06'],
  ),
  mutant(
    'reports-success-by-lmtp',
    'says that everything was sent',
    withOutcome(() => ({ outcome: 'resolve' })),
    ['LMT-01', 'LMT-03', 'LMT-06'],
  ),
  mutant(
    'reports-failure-by-lmtp',
    'says that nothing was sent',
    withOutcome(() => ({ outcome: 'reject' })),
    ['LMT-01', 'LMT-05'],
  ),
  mutant(
    'sends-twice-by-lmtp',
    'sends each message again',
    {
      run: async (task, signal, core) => {
        await core(task, signal);
        return core(task, signal);
      },
    },
    ['LMT-01', 'LMT-03', 'LMT-04', 'LMT-05'],
  ),
];
