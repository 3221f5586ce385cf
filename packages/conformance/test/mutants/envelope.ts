/** Mutants for ENV. */
import { recipientsOf } from '../../src/subjects/content.ts';
import type { TaskMessage } from '../../src/task.ts';
import {
  client,
  type Mutant,
  mutant,
  reading,
  rewired,
  withOutcome,
  withTask,
  writing,
} from './mutant.ts';
import { anyAddress, anyParameter, smuggling } from './smuggling.ts';

/** Every message of the task, changed. */
const withMessages = (change: (message: TaskMessage) => Partial<TaskMessage>) =>
  withTask(({ messages }) => ({
    messages: messages.map((message) => ({ ...message, ...change(message) })),
  }));

/** Every address of a message, changed. */
const withAddresses = (change: (address: string) => string) =>
  withMessages((message) => ({
    from: change(message.from),
    to: recipientsOf(message).map(change),
  }));

export const ENVELOPE: readonly Mutant[] = [
  mutant(
    'calls-what-was-sent-a-failure',
    'reports failure whatever became of a message',
    withOutcome(() => ({ outcome: 'reject' })),
    [
      ...['ENV-01', 'ENV-02', 'ENV-04', 'ENV-12', 'ENV-17'],
      ...['UTF-02', 'UTF-03', 'UTF-05', 'UTF-06'],
    ],
    ['ENV-03', 'ENV-18', 'ENV-19', 'ENV-20', 'ENV-23', 'UTF-04'],
  ),
  mutant(
    'calls-what-was-refused-a-success',
    'reports success whatever became of a message',
    withOutcome(() => ({ outcome: 'resolve' })),
    ['ENV-06', 'ENV-10', 'ENV-11', 'ENV-13', 'ENV-15', 'ENV-16', 'UTF-08'],
    ['ENV-07', 'DSN-03', 'DSN-04'],
  ),
  mutant(
    'tells-no-kind',
    'does not say what was refused',
    withOutcome(() => ({ kind: 'other' })),
    ['ENV-10', 'ENV-11', 'ENV-13', 'ENV-15', 'ENV-16'],
  ),
  mutant(
    'tells-no-code',
    'does not say by which code',
    withOutcome(() => ({ code: undefined })),
    ['ENV-10', 'ENV-11', 'ENV-13', 'ENV-15', 'ENV-16'],
  ),
  mutant(
    'cannot-tell-what-became-of-it',
    'does not know whether a refused message was sent',
    withOutcome(() => ({ delivery: 'unknown' })),
    ['ENV-06', 'ENV-10', 'ENV-11', 'ENV-15', 'UTF-08'],
  ),
  mutant(
    'puts-blanks-around-the-colon',
    'writes MAIL FROM: <…> and RCPT TO: <…>',
    writing(/^(MAIL FROM|RCPT TO):/gm, '$1: '),
    ['ENV-01'],
  ),
  mutant(
    'fills-the-null-sender',
    'puts an address in place of the null sender',
    writing(/^MAIL FROM:<>/m, 'MAIL FROM:<postmaster@example.com>'),
    ['ENV-02'],
  ),
  mutant(
    'takes-quotes-off-local-parts',
    'writes quoted local parts without their quotes',
    writing(/<"(.*)"@/gm, '<$1@'),
    ['ENV-03'],
  ),
  mutant(
    'writes-addresses-in-lower-case',
    'does not keep the case of local parts',
    writing(/:<[^>]*>/g, (path) => path.toLowerCase()),
    ['ENV-04'],
  ),
  mutant(
    'takes-any-address',
    'writes what it is given as an address as it is',
    smuggling(anyAddress),
    ['ENV-06', 'ENV-07', 'UTF-08'],
    ['ENV-23'],
  ),
  mutant(
    'mends-addresses',
    'takes line breaks out of addresses',
    withAddresses((address) => address.replace(/[\r\n]/g, '')),
    ['ENV-06'],
  ),
  mutant(
    'takes-what-is-in-front-of-a-blank',
    'cuts what is no address until it is one',
    withAddresses((address) => address.replace(/[> ].*/s, '')),
    ['ENV-06'],
    ['ENV-07'],
  ),
  mutant('takes-any-parameter', 'writes ENVID and ORCPT as they are', smuggling(anyParameter), [
    'ENV-08',
    'ENV-23',
    'DSN-04',
    'DSN-05',
  ]),
  mutant(
    'takes-any-size',
    'writes the size that it is given as it is',
    {
      ...rewired((line, task) => ({
        outgoing: (text) => {
          const { size } = task.messages[0] ?? {};
          line.write(text.replace(/^(MAIL FROM:<.*?>)( SIZE=\d+)?/m, `$1 SIZE=${size}`));
        },
      })),
      // Core itself is told of none.
      message: ({ size: _, ...message }) => message,
    },
    ['ENV-08'],
  ),
  mutant(
    'takes-a-refusal-for-an-acceptance',
    'does not look at the codes of MAIL and RCPT',
    reading(/^[45]\d\d /gm, '250 '),
    ['ENV-10', 'ENV-11', 'ENV-13', 'ENV-15', 'ENV-16'],
    ['ENV-14'],
  ),
  mutant(
    'calls-the-failure-permanent',
    'gives up for good',
    withOutcome(() => ({ temporary: false })),
    ['ENV-11', 'ENV-16'],
  ),
  mutant(
    'calls-the-failure-temporary',
    'tries again for ever',
    withOutcome(() => ({ temporary: true })),
    ['ENV-10', 'ENV-13', 'ENV-15'],
  ),
  mutant(
    'tells-one-code-for-all',
    'has one code for every recipient that was refused',
    withOutcome(({ rejected = [] }) => ({
      rejected: rejected.map(({ address }) => ({ address, code: rejected[0]?.code })),
    })),
    ['ENV-11'],
  ),
  mutant(
    'forgets-who-was-refused',
    'does not say which recipients were refused',
    withOutcome(() => ({ rejected: [] })),
    ['ENV-10', 'ENV-11', 'ENV-13', 'ENV-14'],
  ),
  mutant(
    'counts-refused-ones-as-accepted',
    'says that every recipient was accepted',
    withOutcome((_, { messages: [message] }) => ({
      accepted: message ? recipientsOf(message) : [],
    })),
    ['ENV-10', 'ENV-14'],
  ),
  mutant('refuses-25x', 'takes 250 alone for an acceptance', reading(/^25[12] /gm, '550 '), [
    'ENV-12',
  ]),
  mutant(
    'counts-forwarded-ones-as-refused',
    'says that recipients behind the first were refused',
    withOutcome((_, { messages: [message] }) => ({
      accepted: [],
      rejected: message ? recipientsOf(message).map((address) => ({ address })) : [],
    })),
    ['ENV-12', 'ENV-17'],
    ['ENV-18'],
  ),
  mutant(
    'follows-551',
    'sends to the address that 551 names',
    rewired((line) => ({
      incoming: (text) => {
        const [, other] = /^551 .*<([^>]*)>/m.exec(text) ?? [];
        // One command for each reply, so that the next one is that to RCPT.
        if (other === undefined) line.deliver(text.replace('PIPELINING', 'XPIPELINING'));
        else line.write(`RCPT TO:<${other}>\r\n`);
      },
    })),
    ['ENV-13'],
  ),
  mutant(
    'leaves-at-552',
    'gives up the whole message for one recipient',
    rewired((line) => ({
      incoming: (text) => {
        if (/^552 /m.test(text)) line.end();
        else line.deliver(text);
      },
    })),
    ['ENV-14'],
  ),
  mutant(
    'calls-552-permanent',
    'fails for good where there are too many recipients',
    withOutcome(({ rejected = [] }) =>
      rejected.length > 0 ? { outcome: 'reject', temporary: false } : {},
    ),
    ['ENV-14'],
  ),
  mutant(
    'says-who-has-a-blind-copy',
    'keeps Bcc in the header',
    writing(/^To: /m, 'Bcc: hidden@example.net\r\nTo: '),
    ['ENV-17'],
  ),
  mutant(
    'forgets-blind-copies',
    'takes recipients from the header alone',
    writing(/^RCPT TO:<(hidden|secret)@example\.net>/gm, 'RCPT TO:<recipient@example.org>'),
    ['ENV-17'],
  ),
  mutant(
    'stops-at-100-recipients',
    'sends to the first 100 recipients',
    withMessages(({ to }) => ({ to: to.slice(0, 100) })),
    ['ENV-18'],
  ),
  mutant(
    'writes-domains-in-utf-8',
    'writes U-labels where SMTPUTF8 is not offered',
    writing(/xn--(bcher-kva|e1afmkfd)/g, (label) =>
      Buffer.from(/bcher/.test(label) ? 'b\u00fccher' : '\u043f\u0440\u0438').toString('latin1'),
    ),
    ['ENV-19', 'UTF-04'],
  ),
  mutant(
    'transliterates-domains',
    'writes another domain in ASCII',
    writing(/xn--(bcher-kva|e1afmkfd)/g, 'buecher'),
    ['ENV-19', 'UTF-04'],
  ),
  mutant(
    'refuses-domains-outside-ascii',
    'has no IDNA',
    withAddresses((address) => address.replace(/@.*[^ -~].*/, '@')),
    [],
    ['ENV-19', 'UTF-04'],
  ),
  mutant(
    'takes-address-literals-for-names',
    'takes the brackets off address literals',
    writing(/@\[(?:IPv6:)?([^\]]*)\]/g, '@$1'),
    ['ENV-20'],
  ),
  mutant(
    'cuts-long-addresses',
    'cuts local parts to 64 octets, and addresses to 254',
    withAddresses((address) =>
      address
        .replace(/^.{64}(.*)@/, (local) => `${local.slice(0, 64)}@`)
        .slice(0, 250)
        .replace(/\.$/, ''),
    ),
    ['ENV-21'],
  ),
  client(
    'dies-of-one-recipient-twice',
    'does not expect an address a second time',
    async () => {
      throw new Error('it is there already');
    },
    ['ENV-22'],
  ),
  mutant(
    'writes-mail-without-end',
    'says more in MAIL than a line holds',
    writing(/^MAIL FROM:.*(?=\r)/m, (line) => `${line} X-NOTE=${'x'.repeat(500)}`),
    ['ENV-23'],
  ),
  mutant(
    'encodes-all-of-xtext',
    'writes each octet of ENVID as a hexchar',
    writing(/ ENVID=\S+/, (parameter) =>
      parameter.replace(/=.*/, (value) => `=${value.slice(1).replace(/./g, '+3D')}`),
    ),
    ['ENV-23'],
  ),
  mutant('does-not-encode-xtext', 'writes what is to be encoded as it is', writing(/\+3D/g, '='), [
    'ENV-23',
  ]),
];
