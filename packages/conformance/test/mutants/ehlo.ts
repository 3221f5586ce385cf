/** Mutants for EHL. */
import { coreSubject } from '../../src/subjects/core.ts';
import type { Subject } from '../../src/task.ts';
import {
  client,
  deafTo,
  dyingOf,
  type Mutant,
  mutant,
  reading,
  rewired,
  withTask,
  writing,
} from './mutant.ts';

/** Core, with the name that it is given written as it is. */
const writesTheName: Subject['run'] = ({ name, ...task }, signal) => {
  if (name === undefined) return coreSubject().run(task, signal);
  const octets = Buffer.from(name).toString('latin1');
  return coreSubject(writing(/(?<=^(EHLO|HELO) )stand-in\.example/, () => octets)).run(
    { ...task, name: 'stand-in.example' },
    signal,
  );
};

export const EHLO: readonly Mutant[] = [
  mutant(
    'knows-no-helo',
    'gives up where EHLO is not known',
    reading(/^50[02] (?=5\.5\.1 (there is no such command|not implemented))/, '550 '),
    ['EHL-02'],
  ),
  mutant(
    'declares-a-size-to-anybody',
    'uses SIZE where it is not offered',
    writing(/^(MAIL FROM:<[^>]*>)/m, '$1 SIZE=100'),
    ['EHL-02', 'EHL-06'],
  ),
  mutant(
    'asks-anybody-for-notifications',
    'uses DSN where it is not offered',
    writing(/^(RCPT TO:<[^>]*>)/m, '$1 NOTIFY=SUCCESS'),
    ['EHL-02', 'EHL-06'],
  ),
  mutant(
    'believes-in-extensions',
    'uses 8BITMIME and DSN where they are not offered',
    reading(/^250 mail\.example\.com\r\n$/, '250-mail.example.com\r\n250-8BITMIME\r\n250 DSN\r\n'),
    ['EHL-06'],
  ),
  mutant(
    'authenticates-to-anybody',
    'says AUTH where it is not offered',
    reading(/^250 mail\.example\.com\r\n$/, '250-mail.example.com\r\n250 AUTH PLAIN\r\n'),
    ['EHL-06'],
  ),
  mutant(
    'groups-commands-for-anybody',
    'uses PIPELINING where it is not offered',
    reading(/^250 mail\.example\.com\r\n$/, '250-mail.example.com\r\n250 PIPELINING\r\n'),
    ['EHL-06'],
  ),
  mutant(
    'takes-a-refusal-for-consent',
    'goes on where EHLO is refused',
    reading(/^55[04] (?=5\.7\.1 you are not|no\r\n)/m, '250 '),
    ['EHL-04', 'EHL-16'],
  ),
  mutant(
    'says-helo-after-421',
    'takes any refusal of EHLO for a command that is not known',
    reading(/^421 (?=4\.3\.2)/, '500 '),
    ['EHL-05'],
  ),
  mutant('has-no-name', 'says EHLO without an argument', writing(/^(EHLO|HELO) [^\r]*/, '$1'), [
    'EHL-07',
  ]),
  mutant(
    'has-a-name-with-an-underscore',
    'introduces itself by what is no domain',
    writing(/^(EHLO|HELO) [^\r]*/, '$1 my_host.example.com'),
    ['EHL-07'],
  ),
  mutant(
    'has-an-odd-address',
    'introduces itself by what is no address literal',
    writing(/^(EHLO|HELO) \[127[^\r]*/, '$1 [127.0.0.256]'),
    ['EHL-07'],
  ),
  mutant(
    'has-a-short-name',
    'introduces itself by a name that is not qualified',
    writing(/^(EHLO|HELO) \[127[^\r]*/, '$1 localhost'),
    [],
    ['EHL-07'],
  ),
  mutant(
    'takes-no-name',
    'introduces itself by its address whatever name it is given',
    { task: ({ name: _, ...task }) => task },
    ['EHL-07'],
    ['EHL-09'],
  ),
  client('takes-any-name', 'writes the name that it is given as it is', writesTheName, [
    'EHL-07',
    'EHL-08',
    'EHL-09',
  ]),
  mutant(
    'sends-unauthenticated',
    'sends without AUTH where it does not see AUTH',
    { task: ({ auth: _, ...task }) => task },
    ['EHL-10'],
  ),
  mutant(
    'chokes-on-unknown-keywords',
    'reads no reply with a keyword that it does not know',
    reading(/^250-XUNKNOWN/m, '550-XUNKNOWN'),
    ['EHL-12'],
  ),
  mutant(
    'says-what-it-has-heard',
    'uses keywords that it does not know as parameters',
    writing(/^(MAIL FROM:<[^>]*>)/m, '$1 XUNKNOWN=a'),
    ['EHL-12'],
  ),
  mutant(
    'dies-of-an-odd-size',
    'crashes on SIZE where it is not what is usual',
    dyingOf(/SIZE \d.*SIZE \d|SIZE=/s),
    ['EHL-13', 'EHL-17'],
  ),
  mutant(
    'knows-no-limits',
    'sends to any number of recipients in one transaction',
    { task: ({ connections: _, ...task }) => task },
    ['EHL-14'],
  ),
  mutant(
    'forgets-the-rest',
    'sends to as many recipients as are allowed, and reports success',
    withTask(({ messages }) => ({
      messages: messages.map((message) => ({ ...message, to: message.to.slice(0, 2) })),
    })),
    ['EHL-14'],
  ),
  mutant(
    'hoards',
    'holds 64 MiB more than before',
    {
      run: async (task, signal, core) => ({ ...(await core(task, signal)), memory: 67_108_864 }),
    },
    ['EHL-15'],
  ),
  mutant(
    'hangs-on-an-empty-line',
    'waits for ever where a reply has an empty line',
    deafTo(/\n\r\n250 /),
    ['EHL-18'],
  ),
  mutant(
    'knows-what-was-said-before-tls',
    'does not say EHLO under TLS',
    rewired((line) => ({
      outgoing: (text) =>
        line.secure && text.startsWith('EHLO ')
          ? line.deliver('250 imagined\r\n')
          : line.write(text),
    })),
    ['EHL-19'],
  ),
];
