/** Mutants for LIM. */
import { createConnection } from 'node:net';
import { addressOf, pause } from '../../src/subjects/content.ts';
import type { MessageOutcome, Subject, TaskOutcome } from '../../src/task.ts';
import { client, type Mutant, mutant, reading, rewired, withOutcome } from './mutant.ts';

/**
 * A small client that holds whatever comes until it is a reply, of which it takes three digits for the code.
 *
 * @param again - it looks at all that it holds whenever something comes
 */
const boundless =
  (again: boolean): Subject['run'] =>
  (task, signal) =>
    new Promise<TaskOutcome>((resolve) => {
      const socket = createConnection(task.port, task.host);
      const { from, to, content } = task.messages[0] as (typeof task.messages)[0];
      const commands = [
        'EHLO client.example\r\n',
        `MAIL FROM:<${from}>\r\n`,
        ...to.map((recipient) => `RCPT TO:<${addressOf(recipient)}>\r\n`),
        'DATA\r\n',
        `${'octets' in content ? content.octets : ''}.\r\n`,
      ];
      let [held, tail, length, most] = [[] as string[], '', 0, 0];
      const done = (outcome: MessageOutcome): void => {
        socket.destroy();
        resolve({ outcome: 'done', messages: [outcome], memory: most });
      };
      socket.on('error', () => {});
      socket.on('close', () => done({ outcome: 'reject', kind: 'closed', delivery: 'not-sent' }));
      signal.addEventListener('abort', () => socket.destroy());
      socket.on('data', (octets) => {
        const text = octets.toString('latin1');
        held.push(text);
        length += text.length;
        most = Math.max(most, length);
        tail = (tail + text).slice(-1_000);
        if (again)
          /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n$/.test(Buffer.from(held.join('')).toString());
        const last = tail.slice(tail.lastIndexOf('\n', tail.length - 2) + 1);
        if (!last.endsWith('\n') || /^\d{3}-/.test(last)) return;
        const reply = held.join('');
        [held, tail, length] = [[], '', 0];
        if (/^[45]/.test(reply))
          return done({
            outcome: 'reject',
            kind: 'refused',
            code: Number(reply.slice(0, 3)),
            text: reply,
            delivery: 'rejected',
          });
        const command = commands.shift();
        if (command) socket.write(command);
        else done({ outcome: 'resolve', code: 250, accepted: to.map(addressOf) });
      });
    });

/** Another word on the memory that was held. */
const holding = (octets: number) => ({
  run: async (...[task, signal, core]: [...Parameters<Subject['run']>, Subject['run']]) => ({
    ...(await core(task, signal)),
    memory: octets,
  }),
});

export const LIMITS: readonly Mutant[] = [
  client('has-no-limits', 'holds and shows whatever a server sends', boundless(false), [
    'LIM-01',
    'LIM-02',
    'LIM-06',
    'LIM-08',
  ]),
  client(
    'begins-from-the-beginning',
    'looks at all that has come whenever an octet comes',
    boundless(true),
    ['LIM-04'],
  ),
  mutant('holds-a-flood', 'gives up, but holds what it has read', holding(64 * 1_048_576), [
    'LIM-01',
    'LIM-02',
    'LIM-09',
  ]),
  mutant(
    'has-no-name-for-a-limit',
    'does not say that the server breaks the protocol',
    withOutcome(({ kind }) => (kind === 'protocol' ? { kind: 'other' } : {})),
    ['LIM-01', 'LIM-02', 'LIM-03', 'LIM-06', 'LIM-08'],
  ),
  mutant(
    'overhears-what-it-did-not-ask-for',
    'passes over replies to no command',
    rewired((line) => {
      let rest = '';
      return {
        incoming: (text) => {
          const lines = (rest + text).split(/(?<=\n)/);
          rest = lines.at(-1)?.endsWith('\n') ? '' : (lines.pop() ?? '');
          const wanted = lines.filter((one) => !one.includes('unasked')).join('');
          if (wanted) line.deliver(wanted);
        },
      };
    }),
    ['LIM-03'],
  ),
  mutant(
    'is-slow-with-what-is-long',
    'needs long for what is long',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        await pause(3_200);
        return outcome;
      },
    },
    ['LIM-03', 'LIM-06'],
  ),
  mutant(
    'looks-for-addresses-by-the-square',
    'needs a time that grows with the square of what looks like an address',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        if (outcome.messages.some(({ text }) => text?.includes('<<<'))) await pause(3_200);
        return outcome;
      },
    },
    ['LIM-07'],
  ),
  mutant('takes-554-for-consent', 'goes on behind 554 as behind 250', reading(/^554/gm, '250'), [
    'LIM-07',
  ]),
  mutant(
    'takes-a-long-refusal-for-consent',
    'goes on behind a reply that is too long',
    rewired((line) => {
      let rest = '';
      return {
        incoming: (text) => {
          const lines = (rest + text).split(/(?<=\n)/);
          rest = lines.at(-1)?.endsWith('\n') ? '' : (lines.pop() ?? '');
          for (const one of lines)
            if (/^(550|554|2500)/.test(one)) {
              if (!one.startsWith('-', 3)) line.deliver('250 fine\r\n');
            } else line.deliver(one);
        },
      };
    }),
    ['LIM-06', 'LIM-07', 'LIM-08'],
  ),
  mutant(
    'shows-all-that-it-read',
    'writes whole replies into its messages for people',
    withOutcome(({ outcome }) => (outcome === 'reject' ? { text: 'x'.repeat(100_000) } : {})),
    ['LIM-06', 'LIM-07', 'LIM-08'],
  ),
  (() => {
    let read = 0;
    return mutant(
      'reads-ahead',
      'reads a whole stream before the first octet is written',
      {
        message: (outgoing) => ({
          ...outgoing,
          content: (async function* () {
            const all: Uint8Array[] = [];
            for await (const piece of outgoing.content as AsyncIterable<Uint8Array>) {
              all.push(piece);
              read += piece.length;
            }
            yield* all;
          })(),
        }),
        run: async (task, signal, core) => {
          read = 0;
          return { ...(await core(task, signal)), memory: read };
        },
      },
      ['LIM-09'],
    );
  })(),
];
