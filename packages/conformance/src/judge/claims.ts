/** What has to be seen on the wire, as values: each says what is expected, and finds out what was. */
import type { Level } from '../case.ts';
import type { WireEvent } from '../server/wire-log.ts';
import { octetsOf } from '../subjects/content.ts';
import type { ClientTask, TaskOutcome } from '../task.ts';
import { type CommandLine, Dialogue, type Transaction } from './dialogue.ts';

/** All connections of a play. */
export class Wire {
  readonly dialogues: readonly Dialogue[];

  constructor(records: readonly (readonly WireEvent[])[]) {
    this.dialogues = records.map((events) => new Dialogue(events));
  }

  get commands(): CommandLine[] {
    return this.dialogues.flatMap(({ commands }) => commands);
  }

  get verbs(): string[] {
    return this.commands.map(({ verb }) => verb);
  }

  get responses(): CommandLine[] {
    return this.dialogues.flatMap(({ responses }) => responses);
  }

  get transactions(): Transaction[] {
    return this.dialogues.flatMap(({ transactions }) => transactions);
  }

  /** Messages whose last octet was written. */
  get messages(): Transaction[] {
    return this.transactions.filter(({ complete }) => complete);
  }

  get plain(): string {
    return this.dialogues.map(({ plain }) => plain).join('');
  }

  get secured(): string {
    return this.dialogues.map(({ secured }) => secured).join('');
  }
}

/** What a claim may look at beside the wire. */
export interface ClaimContext {
  readonly task: ClientTask;
  readonly outcome: TaskOutcome | undefined;
}

/** Something that has to be true of the wire. */
export interface Claim {
  /** What is expected, as people say it. */
  readonly says: string;
  /** Default: the level of the case. */
  readonly level?: Level;
  /** true, or what was seen. */
  readonly holds: (wire: Wire, context: ClaimContext) => true | string;
}

/** Anything else. */
export const that = (says: string, holds: Claim['holds'], level?: Level): Claim => ({
  says,
  holds,
  ...(level ? { level } : {}),
});

/** The same claim at another level. */
export const at = (level: Level, claim: Claim): Claim => ({ ...claim, level });

/** Where a command stands. */
export type Where = 'plain' | 'tls' | 'any';

const inside =
  (where: Where) =>
  (command: CommandLine): boolean =>
    where === 'any' || command.secure === (where === 'tls');
const shown = (lines: readonly { readonly line: string }[]): string =>
  lines.length === 0
    ? 'none'
    : lines.map(({ line }) => JSON.stringify(line.slice(0, 120))).join(', ');

/** No command is like this. */
export const never = (pattern: RegExp, says: string, where: Where = 'any'): Claim => ({
  says,
  holds: (wire) => {
    const found = wire.commands.filter(inside(where)).filter(({ line }) => pattern.test(line));
    return found.length === 0 || shown(found);
  },
});

/** So many commands are like this; one at least, where no number is said. */
export const says = (
  pattern: RegExp,
  expected: string,
  times: number | readonly [number, number] = [1, Number.POSITIVE_INFINITY],
  where: Where = 'any',
): Claim => ({
  says: expected,
  holds: (wire) => {
    const all = wire.commands.filter(inside(where));
    const found = all.filter(({ line }) => pattern.test(line));
    const [least, most] = typeof times === 'number' ? [times, times] : times;
    if (found.length >= least && found.length <= most) return true;
    const verb = /^\^?\(?([A-Z]{4})/.exec(pattern.source)?.[1];
    const near = verb ? all.filter((command) => command.verb === verb) : all;
    return `${found.length}: ${shown(found.length ? found : near)}`;
  },
});

/** The verbs of a connection are like this, joined by blanks: /^EHLO MAIL RCPT DATA/. */
export const dialogue = (pattern: RegExp, expected: string, connection = 0): Claim => ({
  says: expected,
  holds: (wire) => {
    const verbs = wire.dialogues[connection]?.verbs.join(' ') ?? '';
    return pattern.test(verbs) || verbs || 'nothing was said';
  },
});

/** No mail data was written at all. */
export const noContent = (says = 'no mail data is written'): Claim => ({
  says,
  holds: (wire) => {
    const octets = wire.transactions.reduce((sum, { wire: text }) => sum + text.length, 0);
    const sent = wire.messages.length;
    return (octets === 0 && sent === 0) || `${octets} octets, ${sent} messages`;
  },
});

/** No line of the message was written, as content or otherwise; a lone dot may have been (RFC 2920 §3.1). */
export const noMessage = (says = 'nothing of the message is written'): Claim => ({
  says,
  holds: (wire, { task }) => {
    const written = wire.dialogues.map(({ plain, secured }) => `${plain}${secured}`).join('');
    const lines = task.messages.flatMap(({ content }) =>
      (octetsOf(content)?.toString('latin1') ?? '').split('\r\n').filter(Boolean),
    );
    const found = lines.find((line) => `\n${written}`.includes(`\n${line}\r\n`));
    return found === undefined || JSON.stringify(found);
  },
});

/** So many messages were written to their last octet, over all connections. */
export const messages = (count: number, says = `${count} message(s) on the wire`): Claim => ({
  says,
  holds: (wire) => wire.messages.length === count || `${wire.messages.length}`,
});

/** Mail data, without its doubled dots, is exactly this. */
export const content = (text: string, expected: string, message = 0): Claim => ({
  says: expected,
  holds: (wire) => {
    const got = wire.messages[message]?.text;
    if (got === text) return true;
    if (got === undefined) return 'there is no such message';
    let same = 0;
    while (same < text.length && got[same] === text[same]) same += 1;
    return `${got.length} octets in place of ${text.length}, other from octet ${same}: ${JSON.stringify(got.slice(same, same + 40))}`;
  },
});

/** The same claim of what is sent; nothing has to be, where the client reports a failure. */
export const unlessRefused = (claim: Claim): Claim => ({
  ...claim,
  says: `${claim.says}, or it is refused`,
  holds: (wire, context) => {
    if (wire.messages.length > 0) return claim.holds(wire, context);
    return context.outcome?.messages[0]?.outcome !== 'resolve' || 'success, and nothing was sent';
  },
});

/** No more connections than this. */
export const connections = (most: number, least = 0): Claim => ({
  says: least === most ? `${most} connection(s)` : `at most ${most} connection(s)`,
  holds: ({ dialogues: { length } }) => (length <= most && length >= least) || `${length}`,
});

/** The client says nothing but what is like this: /^QUIT$/. */
export const only = (pattern: RegExp, says: string): Claim => ({
  says,
  holds: (wire) => {
    const found = wire.commands.filter(({ line }) => !pattern.test(line));
    return found.length === 0 || shown(found);
  },
});

/**
 * Behind what the server says like this, the client says nothing but what is allowed. For servers that offer no
 * PIPELINING: what is on its way when they speak would be taken for an offence.
 */
export const nothingBehind = (
  said: RegExp,
  expected: string,
  allowed: RegExp = /^QUIT$/i,
): Claim => ({
  says: expected,
  holds: ({ dialogues }) => {
    const found = dialogues.flatMap(({ events, commands }) => {
      let heard = '';
      const at = events.findIndex((event) => {
        if (event.who !== 'server') return false;
        heard += event.text;
        return said.test(heard);
      });
      return commands.filter(({ event, line }) => at !== -1 && event > at && !allowed.test(line));
    });
    return found.length === 0 || shown(found);
  },
});

/** The client closes its side of every connection, within so many ms of the last that the server said or did. */
export const leaves = (within?: number): Claim => ({
  says:
    within === undefined
      ? 'the client closes its side'
      : `the client closes its side within ${within} ms`,
  holds: (wire) => {
    for (const { events, left } of wire.dialogues) {
      if (!left) return 'it did not';
      const before = events
        .filter((event) => event.who === 'server' || (event.who === 'end' && event.by === 'server'))
        .filter((event) => event.at <= left.at)
        .at(-1);
      if (within !== undefined && before && left.at - before.at > within)
        return `after ${Math.round(left.at - before.at)} ms`;
    }
    return wire.dialogues.length > 0 || 'there was no connection';
  },
});

/** What base64 was sent: the initial responses of AUTH lines and the answers to challenges, decoded as UTF-8. */
export const responsesOf = (wire: Wire): string[] => [
  ...wire.dialogues.flatMap(({ commands, responses }) =>
    [...commands.filter(({ verb }) => verb === 'AUTH'), ...responses]
      .sort((a, b) => a.event - b.event)
      .map(({ line }) => /^AUTH \S+ (\S+)$/i.exec(line)?.[1] ?? line)
      .filter((text) => !/^AUTH /i.test(text))
      .map((text) =>
        text === '*' || text === '=' ? text : Buffer.from(text, 'base64').toString('utf8'),
      ),
  ),
];
