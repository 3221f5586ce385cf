import { describe, expect, test, vi } from 'vitest';
import {
  type Action,
  createSession,
  envelope,
  noop,
  type OpenOptions,
  type OutgoingMessage,
  open,
  type Procedure,
  type ProcedureName,
  quit,
  reset,
  SmtpError,
  type Task,
  transaction,
  verify,
} from '../../src/session/index.ts';
import { binary, octetsOf } from '../wire/cuts.ts';
import { describeOutcome, OPEN, type Outcome } from './transcript.ts';

const TEXT = 'Subject: a\r\n\r\nHi\r\n';
const ABORTED = new SmtpError('ERR_SMTP_ABORTED', 'Cannot go on: aborted', { phase: 'idle' });

/** A session driven by hand: what it writes is given out only when the test polls. */
class Stage {
  readonly session = createSession();
  readonly outcomes: Outcome[] = [];
  closes = 0;
  #asked: Extract<Action, { type: 'await' }> | undefined;

  run<T>(name: ProcedureName | 'open', procedure: Procedure<T>): Task {
    return this.session.start(name, procedure, (error, value) => {
      this.outcomes.push({ name, error, value });
    });
  }

  send(change: Partial<OutgoingMessage> = {}): Task {
    const message = { from: 'a@client.example', to: 'b@example.com', content: TEXT, ...change };
    const prepared = envelope(message, this.session.capabilities, {});
    return this.run('transaction', transaction(this.session, prepared, {}));
  }

  /** Performs what is wanted and answers at once, but for content; returns what was written. */
  poll(): string {
    let written = '';
    for (let action = this.session.poll(); action; action = this.session.poll()) {
      if (action.type === 'write') written += binary(action.octets);
      else if (action.type === 'close') this.closes += 1;
      else if (action.type === 'start-tls') this.session.answer(action, undefined);
      else if (action.phase === 'content') this.#asked = action;
      else this.session.answer(action, action.ask());
    }
    return written;
  }

  /** The next block of content. */
  give(block: string | undefined): void {
    if (!this.#asked) throw new Error('no content was asked for');
    const value = block === undefined ? undefined : octetsOf(block);
    this.session.answer(this.#asked, { done: block === undefined, value });
  }

  hear(...lines: readonly string[]): void {
    this.session.receive(octetsOf(lines.map((line) => `${line}\r\n`).join('')));
  }

  get told(): readonly string[] {
    return this.outcomes.map(describeOutcome);
  }
}

function opened(
  keywords: readonly string[] = ['PIPELINING'],
  options: Partial<OpenOptions> = {},
): Stage {
  const stage = new Stage();
  stage.run('open', open(stage.session, { ...OPEN, ...options }));
  stage.poll();
  stage.hear('220 mail.example.com');
  stage.poll();
  stage.hear(
    ...['mail.example.com', ...keywords].map(
      (line, at) => `250${at < keywords.length ? '-' : ' '}${line}`,
    ),
  );
  stage.poll();
  expect(stage.told).toEqual(['open: ok']);
  stage.outcomes.length = 0;
  return stage;
}

/** Content that comes when the test gives it. */
const slow = (): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
});

const GROUP = 'MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n';
const ACCEPTED = ['250 ok', '250 ok', '354 go'] as const;

describe('Session.abort()', () => {
  test('abort() of what waits holds up nothing behind it', () => {
    const stage = opened(['PIPELINING', 'CHUNKING'], { pipelining: 'flight' });
    stage.send();
    stage.poll();
    const waiting = stage.run('noop', noop(stage.session));
    stage.send();
    expect(stage.poll()).toBe('');
    stage.session.abort(waiting, ABORTED);
    expect(stage.poll()).toMatch(/^RSET\r\nMAIL /);
  });

  test('abort() settles one task only when it has not begun', () => {
    const stage = opened();
    stage.send();
    const second = stage.send();
    stage.session.abort(second, ABORTED);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at idle, not-sent, reconnect']);
    expect(stage.poll()).toBe(GROUP);
    stage.hear(...ACCEPTED);
    expect(stage.poll()).toBe(`${TEXT}.\r\n`);
    stage.hear('250 queued');
    expect(stage.told[1]).toBe('transaction: 250 for b@example.com, in 2');
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
  });

  test('abort() closes without the dot when content is owed', () => {
    const stage = opened();
    const task = stage.send({ content: slow() });
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.give('Subject: a\r\n');
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at content, not-sent, reconnect']);
  });

  test('abort() closes when commands were written', () => {
    const stage = opened();
    const task = stage.send();
    stage.poll();
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at mail, not-sent, reconnect']);
  });

  test('abort() leaves the connection as it is when the last octet has left', () => {
    const stage = opened();
    const first = stage.send();
    stage.send();
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.session.abort(first, ABORTED);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_ABORTED at final, unknown, unknown']);
    stage.hear('250 queued', ...ACCEPTED);
    expect(stage.poll()).toBe(`${TEXT}.\r\n`);
    stage.hear('250 queued');
    expect(stage.told[1]).toMatch(/^transaction: 250 for b@example.com/);
    expect(stage.closes).toBe(0);
  });

  test('abort() waits for the reply that another task awaits when it closes', () => {
    const stage = opened();
    stage.send();
    const second = stage.send();
    stage.poll();
    stage.hear(...ACCEPTED);
    expect(stage.poll()).toBe(`${TEXT}.\r\n${GROUP}`);
    stage.session.abort(second, ABORTED);
    expect([stage.poll(), stage.closes]).toEqual(['', 0]);
    stage.hear('250 queued');
    stage.poll();
    expect(stage.closes).toBe(1);
    expect(stage.told).toEqual([
      'transaction: ERR_SMTP_ABORTED at mail, not-sent, reconnect',
      'transaction: 250 for b@example.com, in 2',
    ]);
  });

  test('abort() takes back what was not given to the transport when another task has written before', () => {
    const stage = opened();
    stage.send();
    const second = stage.send();
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.session.abort(second, ABORTED);
    expect(stage.poll()).toBe(`${TEXT}.\r\n`);
    stage.hear('250 queued');
    stage.poll();
    expect([stage.told[1], stage.closes]).toEqual(['transaction: 250 for b@example.com, in 2', 1]);
  });

  test('abort() settles or keeps the task behind when the last octets have not left', () => {
    const stage = opened();
    const first = stage.send();
    stage.send();
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.session.abort(first, ABORTED);
    const written = stage.poll();
    expect(stage.outcomes.length === 2 || written.includes(GROUP)).toBe(true);
  });

  test('abort() does nothing when the task has settled', () => {
    const stage = opened();
    const task = stage.run('noop', noop(stage.session));
    stage.poll();
    stage.hear('250 ok');
    stage.session.abort(task, ABORTED);
    expect([stage.poll(), stage.closes, stage.session.phase]).toEqual(['', 0, 'ready']);
  });
});

describe('Session', () => {
  test('Session knows no capability when TLS is up and EHLO not yet answered', () => {
    const stage = new Stage();
    stage.run('open', open(stage.session, { ...OPEN, tls: 'starttls' }));
    stage.poll();
    stage.hear('220 mail.example.com');
    stage.poll();
    stage.hear('250-mail.example.com', '250-STARTTLS', '250-ENHANCEDSTATUSCODES', '250 AUTH PLAIN');
    expect(stage.poll()).toBe('STARTTLS\r\n');
    stage.hear('220 go');
    expect(stage.poll()).toBe('EHLO client.example\r\n');
    expect([...stage.session.capabilities.keywords]).toEqual([]);
    expect(stage.session.secure).toBe(true);
  });

  test('Session refuses the message and closes when it is refused before its end', () => {
    const stage = opened();
    stage.send({ content: slow() });
    stage.send();
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.give('Subject: a\r\n');
    stage.poll();
    stage.hear('552 too large');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual([
      'transaction: ERR_SMTP_REPLY 552 at content, rejected, never',
      'transaction: ERR_SMTP_PROTOCOL 552 at idle, not-sent, reconnect',
    ]);
  });

  test('Session closes and sends nothing more when 250 comes before the end of the content', () => {
    const stage = opened();
    stage.send({ content: slow() });
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.give('Subject: a\r\n');
    stage.poll();
    stage.hear('250 queued');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told[0]).toMatch(/^transaction: ERR_SMTP_PROTOCOL 250 at content, not-sent/);
  });

  test('Session closes when 421 comes before the end of the content', () => {
    const stage = opened();
    stage.send({ content: slow() });
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.hear('421 down');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_REPLY 421 at content, rejected, later']);
  });

  test.each(['250 queued', '552 too large'])(
    'Session closes when %j stands behind the 354, before an octet of content has left',
    (early) => {
      const stage = opened();
      stage.send();
      stage.poll();
      stage.hear(...ACCEPTED, early);
      stage.poll();
      expect(stage.closes).toBe(1);
      expect(stage.outcomes[0]?.error).toBeInstanceOf(SmtpError);
    },
  );

  test('Session closes when the reply to EHLO comes with the greeting', () => {
    const stage = new Stage();
    stage.run('open', open(stage.session, OPEN));
    stage.poll();
    stage.hear('220 mail.example.com', '250 mail.example.com');
    stage.poll();
    expect(stage.outcomes[0]?.error).toBeInstanceOf(SmtpError);
  });

  // The lone dot would end an empty message, and the envelope is valid.
  test('Session sends no lone dot when RSET was refused and the envelope accepted', () => {
    const stage = opened();
    stage.send();
    stage.poll();
    stage.hear('250 ok', '250 ok', '451 later');
    stage.send();
    expect(stage.poll()).toBe(`RSET\r\n${GROUP}`);
    stage.hear('502 unknown', ...ACCEPTED);
    expect(stage.poll()).not.toContain('.\r\n');
  });

  // 3yz to MAIL or RCPT neither accepts nor refuses: the server may hold the envelope as valid.
  test.each([
    ['MAIL', ['354 what', '250 ok', '354 go'], 'mail'],
    ['the only RCPT', ['250 ok', '334 what', '354 go'], 'rcpt'],
  ])('Session sends no lone dot and closes when %s is answered 3yz', (_name, replies, phase) => {
    const stage = opened();
    stage.send();
    stage.poll();
    stage.hear(...replies);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told[0]).toBe(
      `transaction: ERR_SMTP_PROTOCOL ${replies[0]?.startsWith('354') ? 354 : 334} at ${phase}, not-sent, reconnect`,
    );
  });

  test('Session fails the message when one RCPT of two is answered 3yz', () => {
    const stage = opened();
    stage.send({ to: ['b@example.com', 'c@example.com'] });
    stage.poll();
    stage.hear('250 ok', '354 what', '550 nobody', '354 go');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told[0]).toBe('transaction: ERR_SMTP_PROTOCOL 354 at rcpt, not-sent, reconnect');
  });

  test('Session releases the source when the task is given up while it runs', () => {
    const stage = opened();
    let released = 0;
    const content = {
      [Symbol.asyncIterator]: () => ({
        // The player takes a value for a promise of it.
        next: () => ({ value: octetsOf('Subject: a\r\n') }) as never,
        async return() {
          released += 1;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const message = { from: 'a@client.example', to: 'b@example.com', content };
    const prepared = envelope(message, stage.session.capabilities, {});
    const task: Task = stage.run(
      'transaction',
      transaction(stage.session, prepared, {
        onProgress: () => stage.session.abort(task, ABORTED),
      }),
    );
    stage.poll();
    stage.hear(...ACCEPTED);
    const asked = stage.session.poll();
    if (asked?.type !== 'await') throw new Error('no content was asked for');
    stage.session.answer(asked, asked.ask());
    stage.poll();
    expect([stage.told, stage.closes, released]).toEqual([
      ['transaction: ERR_SMTP_ABORTED at idle, not-sent, reconnect'],
      1,
      1,
    ]);
  });

  // Nobody knows whether such a server reads content now.
  test('Session writes no further command when DATA is answered 250', () => {
    const stage = opened();
    stage.send();
    stage.send();
    stage.poll();
    stage.hear('250 ok', '250 ok', '250 ok');
    expect(stage.poll()).toBe('');
  });

  test('Session fails with ERR_SMTP_CONTENT when the source cannot be opened', () => {
    const stage = opened();
    stage.send({
      content: {
        [Symbol.asyncIterator]: () => {
          throw new TypeError('the stream is locked');
        },
      },
    });
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    expect(stage.told[0]).toMatch(/^transaction: ERR_SMTP_CONTENT at content, not-sent/);
  });

  test('Session closes without the dot when the content fails half-way', () => {
    for (const block of ['a\0b', 'x'.repeat(999)]) {
      const stage = opened();
      stage.send({ content: slow() });
      stage.send();
      stage.poll();
      stage.hear(...ACCEPTED);
      stage.poll();
      stage.give('Subject: a\r\n');
      stage.poll();
      stage.give(block);
      expect([stage.poll(), stage.closes]).toEqual(['', 1]);
      expect(stage.told).toHaveLength(2);
      expect(stage.told).toContain('transaction: ERR_SMTP_CONTENT at content, not-sent, fix-first');
      expect(stage.told).toContain('transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect');
    }
  });

  test('Session closes without the dot when the content has another size than declared', () => {
    const stage = opened(['PIPELINING', 'SIZE']);
    stage.send({ content: slow(), size: 20 });
    stage.poll();
    stage.hear(...ACCEPTED);
    stage.poll();
    stage.give('Subject: a\r\n');
    stage.poll();
    stage.give(undefined);
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    expect(stage.told).toEqual(['transaction: ERR_SMTP_CONTENT at content, not-sent, fix-first']);
  });

  test('Session writes U+010A and U+760D as UTF-8 when they are in an address', () => {
    const stage = opened(['PIPELINING', 'SMTPUTF8', '8BITMIME']);
    stage.send({ to: 'a\u010a\u760d@example.com' });
    const written = stage.poll();
    expect(written).toContain('RCPT TO:<a\xc4\x8a\xe7\x98\x8d@example.com>\r\n');
    expect(written.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  test('envelope() takes little memory when content in memory is all line ends', () => {
    const content = new Uint8Array(4_000_000).fill(10);
    // In KiB, at the worst moment so far.
    const before = process.resourceUsage().maxRSS;
    expect(
      envelope({ from: '', to: 'b@example.com', content }, createSession().capabilities, {}).size,
    ).toBe(8_000_000);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200_000);
  });

  test('Session gives large content in writes of about 64 KiB when it is in memory', () => {
    const stage = opened();
    const content = 'x'.repeat(98).concat('\r\n').repeat(3_000);
    stage.send({ content });
    stage.poll();
    stage.hear(...ACCEPTED);
    const sizes: number[] = [];
    for (let action = stage.session.poll(); action; action = stage.session.poll()) {
      if (action.type === 'write') sizes.push(action.octets.length);
      else if (action.type === 'await') stage.session.answer(action, action.ask());
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(content.length + 3);
    expect(Math.max(...sizes)).toBeLessThan(2 * 65_536);
    expect(sizes.length).toBeGreaterThan(3);
  });

  test('Session runs a command only when nothing is awaited', () => {
    const stage = opened();
    stage.send();
    stage.run('noop', noop(stage.session));
    stage.run('verify', verify(stage.session, 'b@example.com'));
    stage.run('reset', reset(stage.session));
    stage.run('quit', quit(stage.session));
    expect(stage.poll()).toBe(GROUP);
    stage.hear(...ACCEPTED);
    expect(stage.poll()).toBe(`${TEXT}.\r\n`);
    for (const command of ['NOOP\r\n', 'VRFY b@example.com\r\n', 'RSET\r\n', 'QUIT\r\n']) {
      stage.hear('250 ok');
      expect(stage.poll()).toBe(command);
    }
    stage.hear('221 bye');
    expect([stage.poll(), stage.closes, stage.session.phase]).toEqual(['', 1, 'closed']);
    expect(stage.told.slice(1)).toEqual(['noop: ok', 'verify: ok', 'reset: ok', 'quit: ok']);
  });

  test('Session settles a task at once when it is started behind the end', () => {
    const stage = opened();
    stage.session.end();
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
    stage.send();
    expect(stage.told).toEqual(['transaction: ERR_SMTP_CLOSED at idle, not-sent, reconnect']);
    stage.session.end();
    stage.session.fail(ABORTED);
    stage.hear('250 ok');
    expect([stage.poll(), stage.closes]).toEqual(['', 1]);
  });

  test('Session keeps a procedure waiting when it is not open yet', () => {
    const stage = new Stage();
    stage.run('noop', noop(stage.session));
    expect([stage.poll(), stage.told]).toEqual(['', []]);
    stage.run('open', open(stage.session, OPEN));
    stage.poll();
    stage.hear('220 mail.example.com');
    stage.poll();
    stage.hear('250 mail.example.com');
    expect(stage.poll()).toBe('NOOP\r\n');
  });

  test('Session fails what waits for it to open when that is refused and it ends', () => {
    const stage = new Stage();
    stage.run('open', open(stage.session, OPEN));
    stage.run('noop', noop(stage.session));
    stage.poll();
    stage.hear('554 no');
    expect(stage.poll()).toBe('');
    stage.run('quit', quit(stage.session));
    expect(stage.poll()).toBe('QUIT\r\n');
    stage.hear('221 bye');
    expect(stage.told).toEqual([
      'open: ERR_SMTP_REPLY 554 at greeting, not-sent, never',
      'quit: ok',
      'noop: ERR_SMTP_CLOSED at idle, not-sent, reconnect',
    ]);
  });

  test('Session ignores an answer when it is late or not to its question', () => {
    const stage = opened();
    stage.send({ content: slow() });
    stage.poll();
    stage.hear(...ACCEPTED);
    const asked = stage.session.poll();
    if (asked?.type !== 'await') throw new Error('no content was asked for');
    stage.session.end();
    stage.session.answer(asked, { done: true });
    stage.session.refuse(asked, new Error('late'));
    expect(stage.told).toEqual(['transaction: ERR_SMTP_CLOSED at content, not-sent, reconnect']);
  });

  test('Session holds nothing when octets come behind its end', () => {
    const stage = opened();
    stage.session.end();
    const copy = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype), 'set');
    for (let count = 0; count < 4; count += 1) stage.session.receive(octetsOf('x'.repeat(4_096)));
    const copies = copy.mock.calls.length;
    copy.mockRestore();
    expect(copies).toBe(0);
  });
});
