/** Mutants for POO. */
import { createConnection } from 'node:net';
import type { ConnectOptions } from '@posthorn/core';
import type { CoreBend } from '../../src/subjects/core.ts';
import type { ClientTask, MessageOutcome, Subject } from '../../src/task.ts';
import { type Mutant, mutant, reading, rewired, withOutcome, withTask, writing } from './mutant.ts';

/** Core that gives up where a pool would try another connection. */
const onceOnly = (bend: CoreBend = {}): CoreBend => ({
  ...bend,
  options: (options, task) =>
    ({ ...(bend.options?.(options, task) ?? options), maxAttempts: 1 }) as ConnectOptions,
});

/** What is asked before each MAIL but the first; the answer is not shown to core. */
const before = (command: (task: ClientTask) => string): CoreBend =>
  rewired((line, task) => {
    let mails = 0;
    let held: string | undefined;
    return {
      outgoing: (text) => {
        if (!text.startsWith('MAIL') || mails++ === 0) return line.write(text);
        held = text;
        line.write(`${command(task)}\r\n`);
      },
      incoming: (text) => {
        if (held === undefined) return line.deliver(text);
        if (!/^\d{3} [^\n]*\n/m.test(text)) return;
        line.write(held);
        held = undefined;
      },
    };
  });

/** Each message by a client of its own. */
const apart = async (
  { connections: _, ...task }: ClientTask,
  signal: AbortSignal,
  core: Subject['run'],
): Promise<MessageOutcome[]> => {
  const outcomes: MessageOutcome[] = [];
  for (const message of task.messages)
    outcomes.push(...(await core({ ...task, messages: [message] }, signal)).messages);
  return outcomes;
};

export const POOL: readonly Mutant[] = [
  mutant(
    'connects-for-each-message',
    'uses no connection for a second message',
    {
      run: async (task, signal, core) => ({
        outcome: 'done',
        messages: await apart(task, signal, core),
      }),
    },
    ['POO-01', 'POO-10'],
  ),
  mutant(
    'says-ehlo-for-each-message',
    'says EHLO before each message',
    before(() => 'EHLO client.example'),
    [],
    ['POO-01'],
  ),
  mutant(
    'logs-in-for-each-message',
    'says AUTH before each message',
    before(() => 'AUTH PLAIN AHRlc3RlcgB0ZXN0ZXI='),
    ['POO-01'],
  ),
  mutant(
    'sends-the-first-message-for-all',
    'has one place for the content of all messages',
    withTask(({ messages }) => ({
      messages: messages.map(() => messages[0] ?? messages[1]) as [],
    })),
    ['POO-01', 'POO-03', 'POO-04', 'POO-06', 'POO-07', 'POO-08', 'POO-09', 'POO-11'],
  ),
  mutant(
    'says-mail-inside-a-transaction',
    'begins a transaction before the other is over',
    writing(/^(MAIL [^\r]*\r\n)(RCPT [^\r]*\r\n)/m, '$1$2$1'),
    ['POO-01', 'POO-08'],
  ),
  mutant(
    'trusts-an-idle-connection',
    'sees only when it writes that the connection is over, and tries no other',
    onceOnly(
      rewired((line) => {
        let over = false;
        return {
          closed: () => {
            over = true;
            return true;
          },
          outgoing: (text) => {
            if (over) setImmediate(() => line.close());
            else line.write(text);
          },
        };
      }),
    ),
    ['POO-03'],
  ),
  mutant(
    'takes-an-idle-421-for-an-answer',
    'reads what came while it was idle as the answer to MAIL',
    onceOnly(
      rewired((line) => {
        let held = '';
        return {
          closed: () => held !== '',
          incoming: (text) => {
            if (text.startsWith('421')) held = text;
            else line.deliver(text);
          },
          outgoing: (text) => {
            if (held) setImmediate(() => line.deliver(held));
            else line.write(text);
          },
        };
      }),
    ),
    ['POO-04'],
  ),
  mutant(
    'connects-once-too-often',
    'makes a connection that it does not need',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        await new Promise<void>((resolve) => {
          const socket = createConnection(task.port, task.host, () => socket.end('QUIT\r\n'));
          socket.resume().on('error', () => {});
          socket.on('close', () => resolve());
        });
        return outcome;
      },
    },
    ['DIS-03', 'DIS-09', 'DIS-13', 'DIS-16', 'POO-01', 'POO-03', 'POO-04', 'POO-07', 'POO-11'],
  ),
  mutant(
    'overlooks-mailmax',
    'does not know how many messages a connection takes',
    reading(/LIMITS MAILMAX=1/, 'HELP'),
    ['POO-06'],
  ),
  mutant(
    'takes-a-refused-rset-for-consent',
    'goes on behind a refusal of RSET',
    reading(/^4\d1 (?=4\.3\.[02] (not now|shutting down))/m, '250 '),
    ['POO-07'],
  ),
  mutant(
    'makes-a-connection-more',
    'makes one connection more than it may',
    withTask(({ connections }) =>
      connections === undefined ? {} : { connections: connections + 1 },
    ),
    ['POO-08'],
  ),
  mutant('takes-a-refused-login-for-consent', 'goes on behind 535', reading(/^535 /m, '235 '), [
    'POO-10',
  ]),
  mutant(
    'takes-a-refused-login-for-temporary',
    'says that trying later helps where the password is wrong',
    withOutcome(({ code }) => (code === 535 ? { temporary: true } : {})),
    ['POO-10'],
  ),
  mutant(
    'sends-the-second-message-again',
    'sends a message again on a new connection, whatever became of it',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        const second = task.messages[1];
        if (second) await core({ ...task, messages: [second] }, signal);
        return outcome;
      },
    },
    ['POO-03', 'POO-04', 'POO-09', 'POO-11'],
  ),
  mutant(
    'loses-what-it-did-not-send',
    'reports success for a message that was lost with its connection',
    onceOnly(withOutcome(() => ({ outcome: 'resolve' }))),
    ['POO-09', 'POO-11'],
  ),
  mutant(
    'does-not-know-what-it-did-not-send',
    'cannot tell what became of a message whose MAIL was not answered',
    onceOnly(withOutcome(({ kind }) => (kind === 'closed' ? { delivery: 'unknown' } : {}))),
    ['POO-11'],
  ),
];
