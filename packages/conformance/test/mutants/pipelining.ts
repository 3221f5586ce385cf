/** Mutants for PIP. What they say of it is bent by those for REP. */
import { type Mutant, mutant, reading, rewired, withOutcome, withTask } from './mutant.ts';

/** How many commands a group has. */
const commandsIn = (text: string): number => text.match(/^(?:MAIL|RCPT|DATA)\b/gm)?.length ?? 0;

export const PIPELINING: readonly Mutant[] = [
  mutant(
    'pipelines-unasked',
    'groups commands where PIPELINING is not offered',
    reading(/^250([- ])(mail\.example\.com[^\r\n]*)\r\n/m, '250-$2\r\n250$1PIPELINING\r\n'),
    ['PIP-01'],
  ),
  mutant(
    'writes-content-with-the-group',
    'waits for no reply to the group, and not for 354',
    rewired((line) => {
      let overlooked = 0;
      return {
        outgoing: (text) => {
          line.write(text);
          if (!text.endsWith('DATA\r\n')) return;
          overlooked = commandsIn(text);
          const imagined = `${'250 imagined\r\n'.repeat(overlooked - 1)}354 imagined\r\n`;
          setImmediate(() => line.deliver(imagined));
        },
        incoming: (text) => {
          const rest = text.replace(/^\d{3} [^\n]*\n/gm, (reply) => {
            overlooked -= 1;
            return overlooked < 0 ? reply : '';
          });
          if (rest) line.deliver(rest);
        },
      };
    }),
    ['PIP-02', 'PIP-10'],
  ),
  mutant(
    'believes-354',
    'takes 354 for the consent of everybody',
    reading(/^(?:550 5\.7\.1|503 5\.5\.1)/gm, '250'),
    ['PIP-04'],
  ),
  mutant(
    'gives-up-where-one-is-refused',
    'sends to all or to nobody',
    {
      ...reading(/^250 2\.1\.5 ok/gm, '550 5.1.1 nobody'),
      ...withOutcome(({ rejected = [] }) => ({ rejected: rejected.slice(1, 2) })),
    },
    [],
    ['PIP-05'],
  ),
  mutant(
    'says-the-contrary',
    'calls success a failure, and failure a success',
    withOutcome(({ outcome }) => ({ outcome: outcome === 'resolve' ? 'reject' : 'resolve' })),
    ['PIP-06'],
  ),
  mutant(
    'takes-a-part-for-nothing',
    'says of nobody that the message was sent, where one was refused',
    withOutcome(({ rejected = [] }) =>
      rejected.length > 0 ? { outcome: 'reject', accepted: [] } : {},
    ),
    ['PIP-05'],
  ),
  mutant(
    'takes-an-unsent-message-for-sent',
    'sends to nobody where one is refused, and calls it a success',
    {
      ...reading(/^250 2\.1\.5 ok/gm, '550 5.1.1 nobody'),
      ...withOutcome(({ rejected = [] }) => ({
        outcome: 'resolve',
        rejected: rejected.slice(1, 2),
      })),
    },
    ['PIP-05'],
  ),
  mutant(
    'writes-content-whatever-data-is-answered',
    'does not look at the reply to DATA',
    reading(/^(?:451|554) \d\.3\.0 not now/m, '354 go ahead'),
    ['PIP-06'],
  ),
  mutant(
    'hears-no-refusal-of-recipients',
    'takes every reply to RCPT for 250, and every reply to DATA for 354',
    reading(/^(?:550|503)(?=[ -])/gm, (code) => (code === '550' ? '250' : '354')),
    ['PIP-07', 'PIP-12'],
  ),
  mutant(
    'counts-lines-as-replies',
    'takes each line of a reply for one',
    rewired((line) => ({
      incoming: (text) =>
        line.deliver(/PIPELINING/.test(text) ? text : text.replace(/^(\d{3})-/gm, '$1 ')),
    })),
    ['PIP-07'],
  ),
  mutant(
    'makes-up-for-a-missing-reply',
    'takes silence for 354',
    rewired((line) => {
      let waiting: NodeJS.Timeout | undefined;
      const wait = (): void => {
        clearTimeout(waiting);
        waiting = setTimeout(() => line.deliver('354 imagined\r\n'), 200);
      };
      return {
        outgoing: (text) => {
          line.write(text);
          if (text.endsWith('DATA\r\n')) wait();
        },
        incoming: (text) => {
          clearTimeout(waiting);
          line.deliver(text);
          if (/^250 2\.1\.5/m.test(text)) wait();
        },
      };
    }),
    ['PIP-09'],
  ),
  mutant(
    'knows-the-reply-to-data-by-its-code',
    'takes 354 for the reply to DATA wherever it stands',
    rewired((line) => {
      let owed = 0;
      return {
        outgoing: (text) => {
          owed += commandsIn(text);
          line.write(text);
        },
        incoming: (text) =>
          line.deliver(
            text.replace(/^(\d{3}) [^\n]*\n/gm, (reply, code) => {
              owed = Math.max(0, owed - 1);
              return code === '354' ? `${'250 overlooked\r\n'.repeat(owed)}${reply}` : reply;
            }),
          ),
      };
    }),
    ['PIP-09'],
  ),
  mutant(
    'reads-no-more-than-200-kilobytes',
    'has no room for the replies of a large group',
    {
      options: (options, task) => ({
        ...(rewired((line) => {
          let read = 0;
          return {
            incoming: (text) => {
              read += text.length;
              if (read < 200_000) line.deliver(text);
            },
          };
        }).options?.(options, task) ?? options),
        timeouts: { ...options.timeouts, rcpt: 400 },
      }),
    },
    ['PIP-11'],
  ),
  mutant(
    'goes-by-the-text',
    'reads refusals and consent from the text',
    reading(/^(?:250(?= .*refused)|550(?= .*ok))/gm, (code) => (code === '250' ? '550' : '250')),
    ['PIP-12'],
  ),
  mutant(
    'forgets-the-last-recipient',
    'leaves one recipient out',
    withTask(({ messages }) => ({
      messages: messages.map((message) => ({ ...message, to: message.to.slice(0, -1) })),
    })),
    ['PIP-01', 'PIP-07', 'PIP-11', 'PIP-12'],
  ),
  mutant(
    'writes-other-content',
    'changes the message',
    {
      message: (message) => ({ ...message, content: 'Subject: Another\r\n\r\nOther.\r\n' }),
    },
    ['PIP-01', 'PIP-02', 'PIP-05', 'PIP-07', 'PIP-11', 'PIP-12'],
  ),
  mutant(
    'calls-it-the-recipient-who-was-refused',
    'says that the recipient was refused where it was the sender',
    withOutcome(() => ({ kind: 'recipient' })),
    [],
    ['PIP-04'],
  ),
];
