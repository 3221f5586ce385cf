import { expect, test } from 'vitest';
import { needsOf } from '../../src/runner/needs.ts';
import type { ClientTask, TaskMessage } from '../../src/task.ts';

const MESSAGE: TaskMessage = { from: 'a@b', to: ['c@d'], content: { text: 'Hi' } };
const with_ = (change: Partial<TaskMessage>): Partial<ClientTask> => ({
  messages: [{ ...MESSAGE, ...change }],
});

test.each<[string, Partial<ClientTask>, string[], string[]]>([
  ['one plain message', { messages: [MESSAGE] }, [], []],
  ['TLS from the first octet', { tls: 'implicit' }, ['implicit-tls'], []],
  ['STARTTLS', { tls: 'starttls' }, ['starttls'], []],
  ['STARTTLS where it is there', { tls: 'opportunistic' }, ['opportunistic-tls'], []],
  ['LMTP', { protocol: 'lmtp' }, ['lmtp'], []],
  ['a name', { name: 'a.example' }, ['client-name'], []],
  ['limits', { timeouts: {} }, ['timeouts'], []],
  ['a provider', { provider: 'devino' }, ['provider'], []],
  ['two messages', { messages: [MESSAGE, MESSAGE] }, ['reuse'], []],
  ['connections', { messages: [MESSAGE, MESSAGE], connections: 2 }, ['pool'], []],
  ['a password', { auth: { user: 'u', pass: 'p' } }, [], ['auth-plain', 'auth-login']],
  ['a token', { auth: { user: 'u', token: 't' } }, [], ['auth-xoauth2']],
  [
    'mechanisms',
    { auth: { user: 'u', pass: 'p', mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'EXTERNAL'] } },
    [],
    ['auth-scram', 'auth-external'],
  ],
  ['the null path', with_({ from: '' }), ['null-sender'], []],
  ['REQUIRETLS', with_({ requireTls: true }), ['requiretls'], []],
  ['SMTPUTF8', with_({ smtpUtf8: true }), ['smtputf8'], []],
  ['BINARYMIME', with_({ body: 'BINARYMIME' }), ['binarymime'], []],
  ['8BITMIME', with_({ body: '8BITMIME' }), [], []],
  ['to give up', with_({ abortAfter: 5 }), ['abort'], []],
  ['RET', with_({ ret: 'full' }), ['dsn'], []],
  ['an ENVID that is empty', with_({ envid: '' }), ['dsn'], []],
  ['NOTIFY', with_({ to: [{ address: 'c@d', notify: ['never'] }] }), ['dsn'], []],
  ['a recipient with nothing beside', with_({ to: [{ address: 'c@d' }] }), [], []],
  ['fields', with_({ content: { fields: {} } }), ['compose'], []],
  ['pieces', with_({ content: { pieces: [] } }), ['streams'], []],
  ['a stream', with_({ content: { repeat: 'x', times: 2, stream: true } }), ['streams'], []],
  ['the same over and over, in memory', with_({ content: { repeat: 'x', times: 2 } }), [], []],
])('%s', (_name, task, all, any) => {
  expect(needsOf(task)).toEqual([all, any]);
});
