/** Mutants for DEV. */
import { RECIPIENT, SENDER } from '../../src/runner/run-case.ts';
import { REFUSALS, type RefusalReason } from '../../src/sandbox/profile.ts';
import type { ClientTask, MessageOutcome } from '../../src/task.ts';
import { client, type Mutant, mutant, reading, rewired, withOutcome } from './mutant.ts';

const REASONS = Object.keys(REFUSALS) as readonly RefusalReason[];

/** What core shows is a sentence of its own with the reply at its end. */
const reply = ({ text = '' }: MessageOutcome): string =>
  text.replace(/^.*?server replied \d\d\d /s, '');

/** Core, but with this for a refusal by the server only. */
const ofRefusals = (change: (outcome: MessageOutcome) => Partial<MessageOutcome>) =>
  withOutcome((outcome) => (outcome.code === undefined ? {} : change(outcome)));

/** A reason only where the reply is like this, and all of its reasons then. */
const explaining = (knows: (outcome: MessageOutcome, reason: RefusalReason) => boolean) =>
  ofRefusals((outcome) =>
    outcome.reason === undefined || knows(outcome, outcome.reason as RefusalReason)
      ? {}
      : { reason: undefined, address: undefined, extension: undefined },
  );

/** What stands behind the documented text. */
const behind = (outcome: MessageOutcome): string =>
  reply(outcome).split(REFUSALS[outcome.reason as RefusalReason]?.text ?? ' ')[1] ?? '';

/** Where core's phases are in the words of the sandbox. */
const LIKELY = { connect: 'greeting', auth: 'AUTH', mail: 'MAIL', rcpt: 'RCPT', data: 'dot' };

const octetsOf = ({ messages: [message] }: ClientTask): number =>
  message && 'octets' in message.content ? message.content.octets.length : 0;

export const PROVIDER: readonly Mutant[] = [
  mutant(
    'says-that-the-provider-took-all',
    'never says that the provider has refused',
    withOutcome(() => ({ outcome: 'resolve' })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-05',
      'DEV-06',
      'DEV-07',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-21',
      'DEV-25',
      'DEV-26',
      'DEV-27',
    ],
  ),
  mutant(
    'knows-no-texts',
    'takes no text of the provider for what it is',
    explaining(() => false),
    ['DEV-01', 'DEV-03', 'DEV-06', 'DEV-08', 'DEV-10', 'DEV-13', 'DEV-15', 'DEV-17', 'DEV-24'],
  ),
  mutant(
    'knows-texts-in-their-places',
    'knows each text at one stage only',
    explaining(({ stage }, reason) => stage === LIKELY[REFUSALS[reason].stage]),
    ['DEV-04', 'DEV-05', 'DEV-06', 'DEV-11', 'DEV-14', 'DEV-16'],
  ),
  mutant(
    'wants-the-text-first',
    'knows a text at the very beginning of the reply only',
    explaining((outcome, reason) => reply(outcome).startsWith(REFUSALS[reason].text)),
    ['DEV-01', 'DEV-08', 'DEV-11', 'DEV-13', 'DEV-14', 'DEV-18'],
  ),
  mutant(
    'reads-one-line-of-the-provider',
    'reads the first line of a refusal only',
    reading(/^(554)-([^\r]*)\r\n(?:554[- ][^\n]*\n)+/, '$1 $2\r\n'),
    ['DEV-01', 'DEV-04', 'DEV-05', 'DEV-06', 'DEV-16', 'DEV-20'],
  ),
  mutant(
    'joins-no-lines',
    'takes the address from the line of the text only',
    ofRefusals((outcome) =>
      outcome.reason === 'invalid-recipient' && !reply(outcome).includes(RECIPIENT)
        ? { address: RECIPIENT.slice(0, 14) }
        : {},
    ),
    ['DEV-20'],
  ),
  mutant(
    'compares-letter-by-letter',
    'knows a text in its documented spelling only',
    explaining((outcome, reason) => reply(outcome).includes(REFUSALS[reason].text)),
    ['DEV-10', 'DEV-22'],
  ),
  mutant(
    'wants-554',
    'knows a text with the documented code only',
    explaining(({ code }) => code === 554),
    ['DEV-03', 'DEV-23'],
  ),
  mutant(
    'forgets-the-code-for-the-text',
    'takes a temporary refusal for good because of its text',
    ofRefusals(({ reason }) => (reason ? { temporary: false } : {})),
    ['DEV-23'],
  ),
  mutant(
    'takes-any-text-anywhere',
    'takes the first documented text that stands anywhere in the reply',
    ofRefusals((outcome) => ({
      reason: REASONS.find((reason) => reply(outcome).includes(REFUSALS[reason].text)),
    })),
    ['DEV-24'],
  ),
  mutant(
    'blames-the-server',
    'takes every failure for a fault of the server',
    withOutcome(() => ({ reason: 'server-error' })),
    ['DEV-01', 'DEV-04', 'DEV-07', 'DEV-11', 'DEV-16', 'DEV-21', 'DEV-26'],
  ),
  mutant(
    'names-somebody',
    'names an address and an extension that nobody has named',
    ofRefusals(({ address, extension }) => ({
      address: address ?? RECIPIENT,
      extension: extension ?? 'exe',
    })),
    ['DEV-10', 'DEV-21'],
  ),
  mutant(
    'names-the-envelope',
    'takes its own addresses for those of the text',
    ofRefusals(({ address, reason }) =>
      address === undefined ? {} : { address: reason === 'invalid-recipient' ? RECIPIENT : SENDER },
    ),
    ['DEV-15', 'DEV-17', 'DEV-24'],
  ),
  mutant(
    'names-nobody',
    'reads no address',
    ofRefusals(() => ({ address: undefined })),
    ['DEV-13', 'DEV-14', 'DEV-16', 'DEV-17', 'DEV-20', 'DEV-24'],
  ),
  mutant(
    'unwraps-no-address',
    'leaves brackets and full stops on an address',
    ofRefusals((outcome) =>
      outcome.address === undefined ? {} : { address: behind(outcome).trim() || undefined },
    ),
    ['DEV-15'],
  ),
  mutant(
    'unwraps-no-extension',
    'leaves quotes and dots on an extension',
    ofRefusals((outcome) =>
      outcome.extension === undefined ? {} : { extension: behind(outcome).trim() },
    ),
    ['DEV-08', 'DEV-10'],
  ),
  mutant(
    'names-no-extension',
    'reads no extension',
    ofRefusals(() => ({ extension: undefined })),
    ['DEV-08', 'DEV-10'],
  ),
  mutant(
    'forgets-where-it-was',
    'tells no stage',
    ofRefusals(() => ({ stage: undefined })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-05',
      'DEV-06',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-21',
      'DEV-23',
    ],
  ),
  mutant(
    'tells-every-refusal-as-550',
    'keeps no code of the provider',
    ofRefusals(() => ({ code: 550 })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-05',
      'DEV-06',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-21',
      'DEV-23',
    ],
  ),
  mutant(
    'tries-the-provider-for-ever',
    'takes every failure for temporary',
    withOutcome(() => ({ temporary: true })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-21',
      'DEV-25',
      'DEV-26',
      'DEV-27',
    ],
  ),
  mutant(
    'never-tries-again',
    'takes every failure for good',
    withOutcome(() => ({ temporary: false })),
    ['DEV-07', 'DEV-23'],
  ),
  mutant(
    'shows-the-code-only',
    'keeps no text of the provider',
    ofRefusals(({ code }) => ({ text: `The server replied ${code}` })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-05',
      'DEV-06',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-21',
    ],
  ),
  mutant(
    'is-certain-of-nothing',
    'says of every failure that nobody knows what became of the message',
    withOutcome(() => ({ delivery: 'unknown' })),
    [
      'DEV-01',
      'DEV-03',
      'DEV-04',
      'DEV-05',
      'DEV-06',
      'DEV-07',
      'DEV-08',
      'DEV-11',
      'DEV-13',
      'DEV-14',
      'DEV-16',
      'DEV-25',
      'DEV-26',
      'DEV-27',
    ],
  ),
  mutant(
    'is-certain-of-everything',
    'says behind the final dot that nothing was sent',
    withOutcome(() => ({ delivery: 'not-sent' })),
    ['DEV-07', 'DEV-08', 'DEV-14'],
  ),
  mutant(
    'calls-every-failure-other',
    'tells no kind of failure',
    withOutcome(() => ({ kind: 'other' })),
    ['DEV-03', 'DEV-07', 'DEV-21', 'DEV-25', 'DEV-26', 'DEV-27'],
  ),
  mutant(
    'lists-no-refused-recipients',
    'tells no refused recipients',
    withOutcome(() => ({ rejected: [] })),
    ['DEV-04', 'DEV-05', 'DEV-13', 'DEV-16', 'DEV-23', 'DEV-24'],
  ),
  mutant(
    'goes-on-after-a-refusal',
    'takes a refused MAIL, RCPT or DATA for accepted',
    rewired((line) => {
      let verb = '';
      return {
        outgoing: (text) => {
          verb = /^[A-Z]{4}(?= |$)/.exec(text.split('\r\n').at(-2) ?? '')?.[0] ?? verb;
          line.write(text);
        },
        incoming: (text) => {
          const code = /^DATA/.test(verb) ? '354' : /^(MAIL|RCPT)/.test(verb) ? '250' : '554';
          line.deliver(text.replace(/^554(?=[- ])/gm, code));
        },
      };
    }),
    ['DEV-01', 'DEV-04', 'DEV-05', 'DEV-11', 'DEV-13', 'DEV-16'],
  ),
  mutant(
    'goes-on-without-a-login',
    'sends mail although its login was refused',
    rewired((line) => {
      let asked = false;
      return {
        outgoing: (text) => {
          asked = /^AUTH /.test(text) || (asked && !/^[A-Z]{4} /.test(text));
          line.write(text);
        },
        incoming: (text) => line.deliver(asked ? text.replace(/^5\d\d(?=[- ])/gm, '235') : text),
      };
    }),
    ['DEV-03', 'DEV-04', 'DEV-05'],
  ),
  mutant(
    'speaks-to-a-server-with-a-fault',
    'takes a refusal in place of a greeting for a greeting',
    reading(/^554(?=[- ])/gm, '220'),
    ['DEV-06'],
  ),
  mutant(
    'checks-no-rules',
    'sends what the provider does not take',
    { task: ({ provider: _, ...task }) => task },
    ['DEV-25', 'DEV-26', 'DEV-27'],
  ),
  mutant(
    'checks-when-it-is-too-late',
    'holds the rules of the provider against what it has sent',
    {
      run: async ({ provider, ...task }, signal, core) => {
        const sent = await core(task, signal);
        return provider ? core({ ...task, provider }, signal) : sent;
      },
    },
    ['DEV-25', 'DEV-26', 'DEV-27'],
  ),
  mutant(
    'takes-512-KiB',
    'takes 500 KB for 524,288 octets',
    {
      task: ({ provider, ...task }) =>
        octetsOf(task) <= 524_288 || provider === undefined ? task : { ...task, provider },
    },
    ['DEV-26'],
  ),
  client(
    'sends-nothing-to-the-provider',
    'refuses what breaks no rule',
    async ({ messages }) => ({
      outcome: 'done',
      messages: messages.map(() => ({
        outcome: 'reject',
        kind: 'invalid',
        temporary: false,
        delivery: 'not-sent',
      })),
    }),
    ['DEV-25', 'DEV-26', 'DEV-27'],
  ),
  mutant(
    'dies-of-a-lost-connection',
    'does not survive what it did not ask for',
    withOutcome(({ kind }) => {
      if (kind === 'closed' || kind === 'protocol') throw new Error('Cannot go on');
      return {};
    }),
    ['DEV-07', 'DEV-28'],
  ),
];
