import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Action,
  createSession,
  envelope,
  isSmtpError,
  noop,
  open,
  type Procedure,
  type ProcedureName,
  quit,
  reset,
  type Session,
  SmtpError,
  type Task,
  type TransactionResult,
  transaction,
} from '../../src/session/index.ts';
import { binary, latin1 } from '../wire/cuts.ts';
import { type Answer, type Character, ServerModel } from './server-model.ts';
import { OPEN } from './transcript.ts';

/** One message of a run: its lines, how it comes, and to whom. */
interface Plan {
  readonly lines: readonly string[];
  /** So many lines of 1,000 octets before the others. */
  readonly long: number;
  readonly how: 'memory' | 'stream' | 'stream of known size';
  readonly recipients: number;
  readonly partial: 'send' | 'abort';
}

interface Run {
  readonly plans: readonly Plan[];
  readonly pipelining: 'flight' | 'overlap' | 'envelope' | 'off';
  readonly window: { readonly transactions: number; readonly octets: number };
  readonly character: Character;
  readonly answers: readonly Answer[];
  /** What happens next, each with how much of it. */
  readonly steps: readonly (readonly [step: Step, amount: number])[];
  readonly command: 'noop' | 'reset' | undefined;
  readonly quit: boolean;
}

type Step =
  | 'poll'
  | 'poll all'
  | 'server'
  | 'client'
  | 'content'
  | 'start'
  | 'abort'
  | 'disconnect';

interface Settled {
  readonly error: unknown;
  readonly value: unknown;
  readonly times: number;
  /** Octets that the client had heard by then. */
  readonly heard: number;
}

const GREETING = '220 mail.example.com\r\n';
const LONG = `${'y'.repeat(998)}\r\n`;
const marker = (index: number): string => `this is the end of message ${index}`;
const senderOf = (index: number): string => `s@m${index}.example`;

/** A session, a server, the octets under way between them, and what became of each task. */
class World {
  readonly session: Session;
  readonly server: ServerModel;
  readonly #run: Run;
  /** All that poll() has given to write; and for each write, where it began, and what the client had heard by then. */
  written = '';
  readonly writes: { readonly at: number; readonly replies: number; readonly heard: number }[] = [];
  replies = 0;
  heard = 0;
  closes = 0;
  readonly settled = new Map<string, Settled>();
  readonly tasks: (Task | undefined)[] = [];
  readonly aborted = new Set<number>();
  readonly #contents: string[];
  #toServer = '';
  #toClient = GREETING;
  #content: Extract<Action, { type: 'await' }> | undefined;
  #started = 0;
  #opened = false;
  ended = false;

  constructor(run: Run) {
    this.#run = run;
    this.#contents = run.plans.map(
      ({ lines, long }, index) =>
        LONG.repeat(long) + [...lines, marker(index)].map((line) => `${line}\r\n`).join(''),
    );
    const answers = [...run.answers];
    this.session = createSession((direction) => {
      if (direction === 'server') this.replies += 1;
    });
    this.server = new ServerModel(() => answers.shift() ?? 'yes', run.character, GREETING);
    const options = {
      ...OPEN,
      pipelining: run.pipelining,
      window: run.window,
      protocol: run.character.lmtp ? ('lmtp' as const) : ('smtp' as const),
    };
    this.#begin('open', open(this.session, options), (error) => {
      this.#opened = error === undefined;
    });
    // Nothing is read before there is a connection.
    this.pollAll();
  }

  contentOf(index: number): string {
    return this.#contents[index] as string;
  }

  recipientsOf(index: number): string[] {
    const count = this.#run.plans[index]?.recipients ?? 0;
    return Array.from({ length: count }, (_, at) => `r${at}@m${index}.example`);
  }

  #begin<T>(
    name: ProcedureName | 'open',
    procedure: Procedure<T>,
    then: (error: unknown) => void,
    key: string = name,
  ): Task {
    return this.session.start(name, procedure, (error, value) => {
      const times = (this.settled.get(key)?.times ?? 0) + 1;
      this.settled.set(key, { error, value, times, heard: this.heard });
      then(error);
    });
  }

  /** Starts the next message, or what comes behind the messages. */
  start(): void {
    const index = this.#started;
    if (!this.#opened || index > this.#run.plans.length) return;
    this.#started += 1;
    const plan = this.#run.plans[index];
    if (!plan) {
      const { command } = this.#run;
      if (command === 'noop') this.#begin('noop', noop(this.session), () => {});
      if (command === 'reset') this.#begin('reset', reset(this.session), () => {});
      if (this.#run.quit) this.#begin('quit', quit(this.session), () => {});
      return;
    }
    const { how, long, partial } = plan;
    const content = this.contentOf(index);
    const blocks = content.match(long ? /[\s\S]{1,40000}/g : /[\s\S]{1,7}/g) ?? [];
    const source = {
      [Symbol.asyncIterator]: () => blocks.map((block) => latin1(block))[Symbol.iterator](),
    };
    const prepared = envelope(
      {
        from: senderOf(index),
        to: this.recipientsOf(index),
        content:
          how === 'memory' ? latin1(content) : (source as unknown as AsyncIterable<Uint8Array>),
        size: how === 'stream of known size' ? content.length : undefined,
      },
      this.session.capabilities,
      {},
    );
    this.tasks[index] = this.#begin(
      'transaction',
      transaction(this.session, prepared, { partial }),
      () => {},
      `message ${index}`,
    );
  }

  /** One action; false where there was none. */
  poll(): boolean {
    const closed = this.session.phase === 'closed';
    const action = this.session.poll();
    if (!action) return false;
    if (this.closes > 0) throw new Error(`${action.type} behind close`);
    if (closed && action.type !== 'close') throw new Error(`${action.type} when it is closed`);
    if (action.type === 'write') {
      const octets = binary(action.octets);
      this.writes.push({ at: this.written.length, replies: this.replies, heard: this.heard });
      this.written += octets;
      this.#toServer += octets;
    } else if (action.type === 'close') this.closes += 1;
    else if (action.type === 'await' && action.phase === 'content') this.#content = action;
    else this.session.answer(action, action.type === 'await' ? action.ask() : undefined);
    return true;
  }

  pollAll(): boolean {
    let polled = false;
    while (this.poll()) polled = true;
    return polled;
  }

  serverReads(amount: number): boolean {
    const octets = this.#toServer.slice(0, amount);
    this.#toServer = this.#toServer.slice(amount);
    this.#toClient += this.server.read(octets);
    return octets !== '';
  }

  clientReads(amount: number): boolean {
    const octets = this.#toClient.slice(0, amount);
    this.#toClient = this.#toClient.slice(amount);
    if (octets === '' || this.ended) return false;
    this.heard += octets.length;
    this.session.receive(latin1(octets));
    // The greeting answers nothing.
    expect(this.replies).toBeLessThanOrEqual(this.server.answered + 1);
    return true;
  }

  giveContent(): boolean {
    const asked = this.#content;
    this.#content = undefined;
    if (!asked || this.session.phase === 'closed') return false;
    this.session.answer(asked, asked.ask());
    return true;
  }

  /** Gives up one message. */
  abort(index: number): void {
    const task = this.tasks[index];
    if (!task || this.settled.has(`message ${index}`)) return;
    this.aborted.add(index);
    this.session.abort(
      task,
      new SmtpError('ERR_SMTP_ABORTED', 'Cannot go on: aborted', { phase: 'idle' }),
    );
  }

  disconnect(): void {
    if (!this.ended) this.session.end();
    this.ended = true;
  }

  step(step: Step, amount: number): void {
    if (step === 'poll') this.poll();
    else if (step === 'poll all') this.pollAll();
    else if (step === 'server') this.serverReads(amount);
    else if (step === 'client') this.clientReads(amount);
    else if (step === 'content') this.giveContent();
    else if (step === 'start') this.start();
    else if (step === 'abort') this.abort(amount % this.#run.plans.length);
    else this.disconnect();
  }

  /** Everything takes its course until nothing is left to do. */
  settle(): void {
    for (;;) {
      this.start();
      const polled = this.pollAll();
      const given = this.giveContent();
      const read = this.serverReads(Number.POSITIVE_INFINITY);
      const heard = this.clientReads(Number.POSITIVE_INFINITY);
      if (!polled && !given && !read && !heard) return;
    }
  }

  /** How often a message was tried. */
  tries(index: number): number {
    return this.written.split(`MAIL FROM:<${senderOf(index)}>`).length - 1;
  }

  /** Whether the last octet of a message was given to be written, when it was tried last. */
  left(index: number): boolean {
    const begin = this.written.lastIndexOf(`MAIL FROM:<${senderOf(index)}>`);
    const last = `${marker(index)}\r\n`;
    const end = this.written.indexOf(last, begin) + last.length;
    if (begin < 0 || end < last.length) return false;
    if (!this.session.capabilities.has('CHUNKING')) return this.written.startsWith('.\r\n', end);
    // The chunk that ends here is the last one, or a last one of nothing follows.
    const chunks = [...this.written.slice(begin, end).matchAll(/BDAT (\d+)( LAST)?\r\n/g)];
    const chunk = chunks.find(
      ([text, octets], at) =>
        begin + (chunks[at]?.index ?? 0) + text.length + Number(octets) === end,
    );
    return chunk?.[2] !== undefined || this.written.startsWith('BDAT 0 LAST\r\n', end);
  }

  /** Whether a whole message was refused, and its refusal heard, before it was tried again. */
  refused(index: number, heard: number): boolean {
    const begin = this.written.lastIndexOf(`MAIL FROM:<${senderOf(index)}>`);
    const next = this.written.indexOf('MAIL FROM:<s@', begin + 1);
    const attempt = this.server.attempts.find(({ to }) => to > begin && (next < 0 || to <= next));
    return attempt !== undefined && attempt.verdict <= heard;
  }

  /** The write that an octet was part of. */
  writeOf(offset: number): World['writes'][number] {
    return this.writes.findLast(({ at }) => at <= offset) as World['writes'][number];
  }
}

/** Whether commands and content were sent no earlier than they may be. */
function checkOrder(run: Run, world: World): void {
  const { heard, attempts } = world.server;
  const { keywords } = run.character;
  const offered = keywords.includes('PIPELINING');
  const mode = offered ? run.pipelining : 'off';
  const ends =
    mode === 'envelope' || (mode === 'overlap' && keywords.includes('CHUNKING'))
      ? /MAIL|RSET|NOOP|QUIT/
      : /NOOP|QUIT/;
  for (const { verb, before, from, said } of heard) {
    // How many replies were to come when it was written.
    const ahead = said + 1 - world.writeOf(from).replies;
    if (mode === 'off' || (ends.test(verb) && before !== 'RSET'))
      expect({ verb, before, ahead }).toEqual({ verb, before, ahead: 0 });
  }
  const small = (sender: string | undefined): boolean =>
    run.plans.some(
      ({ how, long }, at) => how === 'memory' && long === 0 && senderOf(at) === sender,
    );
  // Without CHUNKING, flight is overlap: content waits for the verdict on the content before it.
  const flight = mode === 'flight' && keywords.includes('CHUNKING');
  const most = flight ? run.window.transactions : 1;
  for (const [at, { to }] of attempts.entries()) {
    const by = world.writeOf(to - 1).heard;
    const flying = attempts.slice(0, at + 1).filter(({ verdict }) => verdict > by);
    expect(flying.length).toBeLessThanOrEqual(most);
  }
  for (const { from } of heard.filter(({ verb }) => flight && verb === 'MAIL')) {
    const by = world.writeOf(from).heard;
    // What goes in many writes was answered, up to its last one, before more can be ahead of it.
    const afloat = attempts
      .filter(({ to, first, sender }) => to <= from && first > by && small(sender))
      .reduce((sum, { octets }) => sum + octets, 0);
    expect(afloat).toBeLessThan(run.window.octets);
  }
}

/** Whether the callers were told the truth. */
function checkOutcomes(run: Run, world: World): void {
  const { server, settled } = world;
  const { lmtp, keywords } = run.character;
  for (const [index, task] of world.tasks.entries()) {
    if (!task) continue;
    const outcome = settled.get(`message ${index}`);
    const content = world.contentOf(index);
    const kept = server.delivered.find((one) => one.content === content)?.recipients;
    if (!outcome) throw new Error(`message ${index} has not settled`);
    const recipients = world.recipientsOf(index);
    // Where each recipient gets a verdict behind the content, nobody can promise all or nothing.
    if (kept && run.plans[index]?.partial === 'abort' && !lmtp && !keywords.includes('PRDR'))
      expect({ index, kept }).toEqual({ index, kept: recipients });
    if (outcome.error === undefined) {
      const { accepted, rejected, octets, replies } = outcome.value as TransactionResult;
      expect({ index, accepted }).toEqual({ index, accepted: kept });
      expect([...accepted, ...rejected.map(({ address }) => address)].sort()).toEqual(recipients);
      expect(octets).toBe(content.length);
      if (replies) expect(replies.map(({ code }) => code)).toEqual(accepted.map(() => 250));
      continue;
    }
    const { error } = outcome;
    if (!isSmtpError(error)) throw error;
    const { delivery, code, phase, accepted = [], rejected = [] } = error;
    const left = world.left(index);
    if (kept) expect({ index, delivery }).toEqual({ index, delivery: 'unknown' });
    if (delivery === 'unknown') expect({ index, left }).toEqual({ index, left: true });
    if (
      delivery === 'not-sent' &&
      !(run.pipelining === 'flight' && world.refused(index, outcome.heard))
    )
      expect({ index, left }).toEqual({ index, left: false });
    expect(code === 'ERR_SMTP_ABORTED').toBe(world.aborted.has(index));
    // Who is said to have it has it, and whose verdict was heard is said to.
    expect(kept ?? []).toEqual(expect.arrayContaining([...accepted]));
    for (const { address } of rejected) expect(kept ?? []).not.toContain(address);
    if (lmtp && !keywords.includes('PRDR') && delivery === 'unknown' && phase === 'final') {
      const told = server.verdicts.filter(
        (one) => one.content === content && one.end <= outcome.heard,
      );
      // What is no reply at all ends the session; one that means nothing leaves the others to be heard.
      const garbage = told.findIndex(({ answer }) => answer === 'garbage');
      const to = told
        .slice(0, garbage === -1 ? told.length : garbage)
        .flatMap(({ answer, address }) => (answer === 'yes' ? [address] : []));
      expect(accepted).toEqual(expect.arrayContaining(to));
    }
  }
}

function play(run: Run): void {
  const world = new World(run);
  for (const [step, amount] of run.steps) world.step(step, amount);
  world.settle();
  const { server, session, settled } = world;
  // A server that answers everything, or is gone, leaves nobody waiting.
  if (!world.ended && !server.closed) {
    for (const [index, task] of world.tasks.entries()) {
      if (task) expect([index, settled.has(`message ${index}`)]).toEqual([index, true]);
    }
    if (session.phase !== 'closed') expect(world.replies).toBe(server.answered + 1);
  }
  world.disconnect();
  world.settle();
  world.pollAll();

  expect(server.violations).toEqual([]);
  expect(session.phase).toBe('closed');
  expect(world.closes).toBe(1);
  expect(session.poll()).toBeUndefined();
  for (const [key, { times }] of settled) expect([key, times]).toEqual([key, 1]);

  // Only whole messages are ever accepted, each once, in their order; but in flight the next ones are under way
  // when a message has to be said again.
  const indexOf = (content: string): number =>
    world.tasks.findIndex((_, index) => world.contentOf(index) === content);
  const order = server.delivered.map(({ content }) => indexOf(content));
  expect(order).not.toContain(-1);
  expect(new Set(order).size).toBe(order.length);
  if (run.pipelining !== 'flight' || order.every((index) => world.tries(index) === 1))
    expect(order).toEqual([...order].sort((a, b) => a - b));
  checkOrder(run, world);
  checkOutcomes(run, world);
}

const line = fc.constantFrom(
  ...[
    '',
    '.',
    '..',
    '.x',
    'text',
    'QUIT',
    'DATA',
    'RSET',
    'BDAT 3 LAST',
    'MAIL FROM:<x@x.example>',
    '250 ok',
    '. ',
  ],
  'x'.repeat(998),
);
const plan: fc.Arbitrary<Plan> = fc.record({
  lines: fc.array(line, { maxLength: 4 }),
  long: fc.oneof(
    { weight: 400, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.constant(66) },
    { weight: 1, arbitrary: fc.constant(270) },
  ),
  how: fc.constantFrom('memory', 'memory', 'stream', 'stream of known size'),
  recipients: fc.integer({ min: 1, max: 3 }),
  partial: fc.constantFrom('send', 'send', 'abort'),
});
const answer = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Answer>('yes') },
  { weight: 3, arbitrary: fc.constantFrom<Answer>('later', 'never', 'sequence') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Answer>('intermediate', 'odd-yes', 'garbage', 'shutdown'),
  },
);
const amount = fc.oneof(
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
);
const step = fc.tuple(
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom<Step>('poll', 'poll all') },
    { weight: 40, arbitrary: fc.constantFrom<Step>('server', 'client') },
    { weight: 24, arbitrary: fc.constantFrom<Step>('content', 'content', 'start') },
    { weight: 1, arbitrary: fc.constantFrom<Step>('abort', 'disconnect') },
  ),
  amount,
);
const character: fc.Arbitrary<Character> = fc.record({
  keywords: fc
    .tuple(fc.nat(3), fc.boolean(), fc.boolean(), fc.boolean())
    .map(([pipelining, chunking, size, prdr]) => [
      ...(pipelining ? ['PIPELINING'] : []),
      ...(chunking ? ['CHUNKING'] : []),
      ...(size ? ['SIZE'] : []),
      ...(prdr ? ['PRDR'] : []),
    ]),
  lmtp: fc.nat(2).map((one) => one === 0),
  strict: fc.boolean(),
  alone: fc.nat(3).map((one) => one === 0),
  failed: fc.constantFrom('refuses', 'keeps'),
});

const run: fc.Arbitrary<Run> = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 5 }),
  pipelining: fc.constantFrom('flight', 'flight', 'overlap', 'overlap', 'envelope', 'off'),
  window: fc.record({
    transactions: fc.constantFrom(32, 32, 1, 2, 3),
    octets: fc.constantFrom(1_048_576, 1_048_576, 1, 60, 200),
  }),
  character,
  answers: fc.array(answer, { maxLength: 40 }),
  steps: fc.array(step, { maxLength: 120, size: 'max' }),
  command: fc.constantFrom(undefined, 'noop', 'reset'),
  quit: fc.boolean(),
});

/** What is too rare for random runs to be sure to meet it. */
const RARE: Run[] = [
  // PRDR: one recipient accepted, a reply to the next that means nothing. The first has nothing yet.
  {
    plans: [{ lines: [], long: 0, how: 'memory', recipients: 3, partial: 'send' }],
    pipelining: 'flight',
    window: { transactions: 32, octets: 1_048_576 },
    character: {
      keywords: ['CHUNKING', 'PRDR'],
      lmtp: false,
      strict: false,
      alone: true,
      failed: 'refuses',
    },
    answers: ['yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'intermediate', 'yes', 'later'],
    steps: [],
    command: undefined,
    quit: false,
  },
  // LMTP in flight: the first of three final replies means nothing, and the other two are no answer to what comes next.
  {
    plans: [
      { lines: [], long: 0, how: 'memory', recipients: 3, partial: 'abort' },
      { lines: [], long: 0, how: 'memory', recipients: 1, partial: 'send' },
    ],
    pipelining: 'flight',
    window: { transactions: 32, octets: 1_048_576 },
    character: {
      keywords: ['PIPELINING', 'CHUNKING'],
      lmtp: true,
      strict: false,
      alone: false,
      failed: 'refuses',
    },
    answers: ['yes', 'yes', 'yes', 'yes', 'yes', 'intermediate', 'yes', 'later', 'later'],
    steps: [],
    command: undefined,
    quit: false,
  },
];

describe('Session as a model', () => {
  test('Session tells the truth about every message when all is random', () => {
    fc.assert(fc.property(run, play), {
      numRuns: process.env['LARGE'] ? 2_500 : 400,
      examples: RARE.map((each) => [each]),
    });
  });

  test('Session tells the truth about every message when nothing is refused', () => {
    fc.assert(
      fc.property(run, (given) => play({ ...given, answers: [] })),
      { numRuns: 500 },
    );
  });

  test('Session delivers every message when nothing is refused, given up or lost', () => {
    fc.assert(
      fc.property(run, (given) => {
        const steps = given.steps.filter(([name]) => name !== 'abort' && name !== 'disconnect');
        // What had begun when it came behind content and what had not must be refused alike.
        const strict = given.character.strict || given.character.alone;
        const alone = given.character.alone && given.pipelining !== 'flight';
        const kind = { ...given, answers: [], character: { ...given.character, strict, alone } };
        const world = new World(kind);
        for (const [name, count] of steps) world.step(name, count);
        world.settle();
        const delivered = world.server.delivered.map((one) => [one.content, one.recipients]);
        const inOrder = given.plans.map((_, index) => [
          world.contentOf(index),
          world.recipientsOf(index),
        ]);
        if (given.pipelining === 'flight') {
          delivered.sort();
          inOrder.sort();
        }
        expect(delivered).toEqual(inOrder);
        expect(world.server.violations).toEqual([]);
        checkOrder(kind, world);
        checkOutcomes(kind, world);
      }),
      { numRuns: 500 },
    );
  });
});
