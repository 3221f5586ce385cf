/**
 * Reads what one connection's record holds: commands, answers to challenges, mail data, and what no client may do in
 * any case. It can miss an offence, but does not invent one.
 */
import { inOneCase } from '../server/command-line.ts';
import type { WireEvent } from '../server/wire-log.ts';

/** A line that a client wrote. */
export interface CommandLine {
  /** Its verb and keywords in upper case, whatever they were in. An answer to a challenge is as it was. */
  readonly line: string;
  /** In upper case. */
  readonly verb: string;
  readonly secure: boolean;
  /** ms since the play began. */
  readonly at: number;
  /** Its place among the events of the record. */
  readonly event: number;
}

/** One mail transaction: what came behind MAIL. */
export interface Transaction {
  readonly mail: string;
  readonly rcpt: string[];
  readonly by: ('DATA' | 'BDAT')[];
  /** Octets of each BDAT. */
  readonly chunks: number[];
  /** How often BDAT said LAST. */
  last: number;
  /** Mail data as it was on the wire, without the final dot. */
  wire: string;
  /** Mail data without the doubled dots of DATA. */
  text: string;
  /** Its end was written: the final dot, or the last octet of a chunk that is LAST. */
  complete: boolean;
}

/** What no client may do. */
export interface Offence {
  readonly rule:
    | 'before-greeting'
    | 'before-handshake'
    | 'command-line'
    | 'command-length'
    | 'group'
    | 'pipelining'
    | 'content'
    | 'line-length'
    | 'nul'
    | 'endless';
  readonly actual: string;
}

/** A client that has waited for a reply for so long, in ms, may have given up. */
const PATIENCE = 250;

/**
 * RFC 2920 §3.1: what "can only appear as the last command in a group", and what changes the session. AUTH is none of
 * them where PLAIN or EXTERNAL stands with its initial response (RFC 4954 §4).
 */
const LAST_OF_GROUP =
  /^(EHLO|HELO|LHLO|STARTTLS|AUTH(?! (PLAIN|EXTERNAL) \S)|DATA|VRFY|QUIT|NOOP)\b/i;
const COMMAND =
  /^(EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL|RCPT|DATA|BDAT|RSET|VRFY|EXPN|HELP|QUIT|NOOP)\b/i;
/** RFC 5321 §4.5.3.1.4, and what extensions add: SIZE, BODY, AUTH, RET, ENVID, ORCPT, NOTIFY and more. */
const LONGEST_COMMAND = 510 + 700;

/** One connection, read. */
export class Dialogue {
  readonly events: readonly WireEvent[];
  readonly commands: CommandLine[] = [];
  /** Lines that answered 334. */
  readonly responses: CommandLine[] = [];
  readonly transactions: Transaction[] = [];
  readonly offences: Offence[] = [];
  /** The client began TLS with a server that speaks none. */
  unaskedTls = false;
  /** All that was written outside TLS. */
  readonly plain: string;
  /** All that was written inside TLS. */
  readonly secured: string;

  constructor(events: readonly WireEvent[]) {
    this.events = events;
    const said = (secure: boolean): string =>
      events
        .map((event) => (event.who === 'client' && event.secure === secure ? event.text : ''))
        .join('');
    this.plain = said(false);
    this.secured = said(true);
    this.#read();
  }

  /** The verbs, in order. */
  get verbs(): string[] {
    return this.commands.map(({ verb }) => verb);
  }

  /** The server name of TLS. */
  get servername(): string | undefined {
    for (const event of this.events) if (event.who === 'tls') return event.servername;
    return undefined;
  }

  /** When the client left, and how; undefined: it was still there. */
  get left(): Extract<WireEvent, { who: 'end' }> | undefined {
    return this.events.find(
      (event): event is Extract<WireEvent, { who: 'end' }> =>
        event.who === 'end' && event.by === 'client',
    );
  }

  #read(): void {
    const found = (rule: Offence['rule'], actual: string): void => {
      this.offences.push({ rule, actual });
    };
    let mode = 'command' as 'command' | 'data' | 'bdat';
    /** What the client has said and was not looked at yet. */
    let rest = '';
    let owed = 0;
    /** What the server has said in this TLS state, since DATA, and last. */
    let said = '';
    /** Whether it offers PIPELINING; undefined: not looked at since it was said. */
    let pipelining: boolean | undefined;
    let sinceData: string | undefined;
    let latest = '';
    /** Whether that is a challenge; undefined: not looked at since it was said. */
    let challenged: boolean | undefined;
    let spoken = false;
    /** What stands in this gap between two writes of the server. */
    let gap: string[] = [];
    /** Replies that are due by now, with the greeting; those that there were; and the line that has no end yet. */
    let asked = 1;
    let answered = 0;
    let part = '';
    let started = false;
    /** What was said before the greeting. */
    let early = '';
    let upgrading = false;
    /** The server has ended its side. */
    let left = false;
    /** When the client wrote its last command. */
    let askedAt = 0;
    /** This is not what TLS has brought, whatever the state is. */
    let plain = true;
    let lmtp = false;
    /** The end of a message was written, and no command behind it. */
    let ended = false;
    let at = 0;
    let index = 0;

    const command = (text: string): void => {
      const line = inOneCase(text.replace(/\r?\n$/, ''));
      const shown = line.slice(0, 60);
      const verb = (/^[A-Za-z]*/.exec(line)?.[0] ?? '').toUpperCase();
      const entry = { line, verb, secure: !plain, at, event: index };
      if (!text.endsWith('\r\n') || /[\0\r\n]/.test(line))
        found('command-line', `bare CR, LF or NUL in ${JSON.stringify(text.slice(0, 60))}`);
      challenged ??= /^334/m.test(latest);
      if (challenged) {
        this.responses.push({ ...entry, line: text.replace(/\r?\n$/, '') });
        latest = '';
        challenged = false;
        gap.push('an answer to a challenge');
        asked += 1;
        return;
      }
      if (!COMMAND.test(line)) found('command-line', `${JSON.stringify(shown)} is no command`);
      if (line.length > LONGEST_COMMAND)
        found('command-length', `${line.length + 2} octets: ${shown}…`);
      // A server that says more than it was asked has answered before its time, as the client sees it.
      // But under LMTP there is a reply for each recipient (RFC 2033 §4.2).
      if (ended && lmtp) answered = Math.min(answered, asked);
      ended = false;
      // RFC 5321 §4.1.1.10: whoever gives up says QUIT, and so do those that are left.
      const leaving = verb === 'QUIT' && (left || at - askedAt >= PATIENCE);
      const [before] = answered < asked && !leaving ? gap.slice(-1) : [];
      askedAt = at;
      asked += 1;
      if (before !== undefined) pipelining ??= /^250[- ]PIPELINING\b/im.test(said);
      if (before !== undefined && !pipelining)
        found('pipelining', `${JSON.stringify(shown)} behind ${JSON.stringify(before)}`);
      else if (before !== undefined && LAST_OF_GROUP.test(before))
        found('group', `${JSON.stringify(shown)} behind ${JSON.stringify(before)} in one group`);
      gap.push(shown);
      this.commands.push(entry);
      const transaction = this.transactions.at(-1);
      if (verb === 'LHLO') lmtp = true;
      if (verb === 'MAIL') {
        this.transactions.push({
          mail: line,
          rcpt: [],
          by: [],
          chunks: [],
          last: 0,
          wire: '',
          text: '',
          complete: false,
        });
      } else if (verb === 'RCPT') transaction?.rcpt.push(line);
      else if (verb === 'DATA') {
        transaction?.by.push('DATA');
        sinceData = '';
      } else if (verb === 'BDAT') {
        const [, octets, last] = /^BDAT (\d+)( LAST)?$/i.exec(line) ?? [];
        if (octets === undefined) {
          found('command-line', `no BDAT: ${shown}`);
          return;
        }
        mode = 'bdat';
        owed = Number(octets);
        transaction?.by.push('BDAT');
        transaction?.chunks.push(owed);
        if (last && transaction) transaction.last += 1;
      }
      upgrading = verb === 'STARTTLS';
    };
    const content = (text: string, complete: boolean): void => {
      if (/\r(?!\n)|(?<!\r)\n/.test(text)) found('content', 'bare CR or LF in mail data');
      if (text.includes('\0')) found('nul', 'NUL in mail data');
      for (const line of text.split('\r\n')) {
        if (line.startsWith('.') && !line.startsWith('..'))
          found('content', `a dot that is not doubled: ${JSON.stringify(line.slice(0, 60))}`);
        // RFC 5321 §4.5.3.1.6: "not counting the leading dot duplicated for transparency"
        const length = line.startsWith('.') ? line.length - 1 : line.length;
        if (length > 998) found('line-length', `a line of ${length} octets`);
      }
      const transaction = this.transactions.at(-1);
      if (!transaction) return;
      transaction.wire += text;
      transaction.text += text.replace(/(^|\r\n)\./g, '$1');
      transaction.complete ||= complete;
    };
    const chunk = (octets: string, whole: boolean): void => {
      const transaction = this.transactions.at(-1);
      if (!transaction) return;
      transaction.wire += octets;
      transaction.text += octets;
      ended = whole && transaction.last > 0;
      transaction.complete ||= ended;
    };
    const look = (): void => {
      for (;;) {
        if (mode === 'data') {
          const end = rest.startsWith('.\r\n') ? -2 : rest.indexOf('\r\n.\r\n');
          if (end === -1) return;
          content(rest.slice(0, end + 2), true);
          rest = rest.slice(end + 5);
          mode = 'command';
          gap.push('the final dot');
          asked += 1;
          ended = true;
        } else if (mode === 'bdat') {
          if (rest.length < owed) return;
          chunk(rest.slice(0, owed), true);
          rest = rest.slice(owed);
          mode = 'command';
        } else {
          if (plain && rest.startsWith('\x16\x03')) {
            // A ClientHello, where the server does not speak TLS.
            this.unaskedTls = true;
            if (answered < asked && /^STARTTLS/i.test(gap.at(-1) ?? ''))
              found('group', 'a ClientHello behind "STARTTLS" in one group');
            return;
          }
          const end = rest.indexOf('\n');
          if (end === -1) return;
          const line = rest.slice(0, end + 1);
          rest = rest.slice(end + 1);
          command(line);
        }
      }
    };

    // Pieces of mail data that is long are joined once, not one by one: its end is looked for in the last octets.
    let held: string[] = [];
    let tail = '';
    const settle = (): void => {
      if (held.length === 0) return;
      rest += held.join('');
      held = [];
      look();
    };
    const greeted = (): void => {
      // RFC 5321 §4.1.1.10: QUIT may be said at any time, by a client that has waited long enough too.
      const [text = ''] = early.split('\x16\x03');
      if (text && !/^QUIT\r\n$/i.test(text))
        found('before-greeting', JSON.stringify(text.slice(0, 60)));
      early = '';
    };
    for (const [place, event] of this.events.entries()) {
      if (event.who !== 'client') settle();
      if (this.unaskedTls) break;
      index = place;
      at = event.at;
      left ||= event.who === 'end' && event.by === 'server';
      if (event.who === 'handshake') {
        greeted();
        if (rest || (started && !upgrading))
          found('before-handshake', JSON.stringify(rest.slice(0, 60)));
        [rest, said, gap, upgrading] = ['', '', [], false];
        [answered, part, pipelining] = [Math.min(answered, asked), '', undefined];
      } else if (event.who === 'server') {
        said += event.text;
        [pipelining, challenged] = [undefined, undefined];
        latest = spoken ? latest + event.text : event.text;
        spoken = true;
        if (sinceData !== undefined) sinceData += event.text;
        gap = [];
        part += event.text;
        if (event.text.includes('\n')) {
          const lines = part.split('\n');
          part = lines.pop() ?? '';
          // A line that is no reply may have been taken for one.
          answered += lines.filter((line) => !/^\d{3}-/.test(line)).length;
          started ||= answered > 0;
          if (started) greeted();
        }
      } else if (event.who === 'client') {
        spoken = false;
        plain = !event.secure;
        if (event.omitted) found('endless', `${event.omitted} octets more in one write`);
        if (!started) early += event.text;
        if (sinceData !== undefined && gap.length === 0) {
          // What was answered to DATA says what this is.
          if (/^354/m.test(sinceData)) mode = 'data';
          sinceData = undefined;
          if (mode === 'data' && rest)
            found('group', `${JSON.stringify(rest.slice(0, 60))} behind "DATA" in one group`);
          tail = `\r\n${rest}`.slice(-4);
        }
        // A line that does not end is looked at once, not for each of its pieces.
        if (mode === 'command' && (event.text.includes('\n') || !(rest || held.length))) {
          held.push(event.text);
          settle();
        } else {
          held.push(event.text);
          const last = tail + event.text;
          if (mode === 'bdat' || last.includes('\r\n.\r\n')) settle();
          tail = last.slice(-4);
        }
      }
    }
    settle();
    greeted();
    if (mode === 'bdat') chunk(rest, false);
    else if (mode === 'data') content(rest.replace(/\r$/, '').replace(/(^|\r\n)\.$/, '$1'), false);
    // Where the server has left first, the rest of a line may have been under way.
    else if (mode === 'command' && rest && !this.unaskedTls && !left && !this.left?.reset)
      found('command-line', `half a command: ${JSON.stringify(rest.slice(0, 60))}`);
  }
}
