/** What a task asks of a client, so that a client that cannot do it is skipped and not failed. */
import type { ClientTask, Feature, TaskMessage } from '../task.ts';

const TLS: Readonly<Record<ClientTask['tls'], readonly Feature[]>> = {
  off: [],
  opportunistic: ['opportunistic-tls'],
  starttls: ['starttls'],
  implicit: ['implicit-tls'],
};

const MECHANISMS: Readonly<Record<string, Feature>> = {
  PLAIN: 'auth-plain',
  LOGIN: 'auth-login',
  'CRAM-MD5': 'auth-cram-md5',
  'SCRAM-SHA-1': 'auth-scram',
  'SCRAM-SHA-256': 'auth-scram',
  'SCRAM-SHA-512': 'auth-scram',
  EXTERNAL: 'auth-external',
  XOAUTH2: 'auth-xoauth2',
  OAUTHBEARER: 'auth-oauthbearer',
};

/** What a task needs: all of the first, and one of the second where there is any. */
export function needsOf(task: Partial<ClientTask>): readonly [Feature[], Feature[]] {
  const all = new Set<Feature>(TLS[task.tls ?? 'off']);
  const { auth, messages = [] } = task;
  if (task.protocol === 'lmtp') all.add('lmtp');
  if (task.name !== undefined) all.add('client-name');
  if (task.timeouts) all.add('timeouts');
  if (task.provider) all.add('provider');
  if (task.connections !== undefined) all.add('pool');
  else if (messages.length > 1) all.add('reuse');
  for (const message of messages) for (const feature of neededBy(message)) all.add(feature);
  const mechanisms =
    auth && (auth.mechanisms ?? (auth.token === undefined ? ['PLAIN', 'LOGIN'] : ['XOAUTH2']));
  return [[...all], [...new Set((mechanisms ?? []).flatMap((name) => MECHANISMS[name] ?? []))]];
}

function* neededBy(message: TaskMessage): Generator<Feature> {
  const { content } = message;
  if (message.from === '') yield 'null-sender';
  if (message.requireTls) yield 'requiretls';
  if (message.smtpUtf8) yield 'smtputf8';
  if (message.body === 'BINARYMIME') yield 'binarymime';
  if (message.abortAfter !== undefined) yield 'abort';
  if (message.ret || message.envid !== undefined) yield 'dsn';
  if (
    message.to.some(
      (recipient) =>
        typeof recipient !== 'string' && (recipient.notify || recipient.orcpt !== undefined),
    )
  )
    yield 'dsn';
  if ('fields' in content) yield 'compose';
  if ('pieces' in content || ('repeat' in content && content.stream)) yield 'streams';
}
