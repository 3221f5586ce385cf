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
import { type Answer, ServerModel } from './server-model.ts';
import { OPEN } from './transcript.ts';

/** One message of a run: its lines, how it comes, and to whom. */
interface Plan {
  readonly lines: readonly string[];
  readonly streamed: boolean;
  readonly recipients: number;
}

interface Run {
  readonly plans: readonly Plan[];
  readonly pipelining: 'overlap' | 'envelope' | 'off';
  readonly offered: boolean;
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

const marker = (index: number): string => `this is the end of message ${index}`;

/** A session, a server, the octets under way between them, and what became of each task. */
class World {
  readonly session: Session;
  readonly server: ServerModel;
  readonly #run: Run;
  /** All that poll() has given to write. */
  written = '';
  replies = 0;
  closes = 0;
  readonly settled = new Map<string, { error: unknown; value: unknown; times: number }>();
  readonly tasks: (Task | undefined)[] = [];
  readonly aborted = new Set<number>();
  #toServer = '';
  #toClient = '220 mail.example.com\r\n';
  #content: Extract<Action, { type: 'await' }> | undefined;
  #started = 0;
  #opened = false;
  ended = false;

  constructor(run: Run) {
    this.#run = run;
    const answers = [...run.answers];
    this.session = createSession((direction) => {
      if (direction === 'server') this.replies += 1;
    });
    const keywords = run.offered ? ['PIPELINING', 'SIZE'] : ['SIZE'];
    this.server = new ServerModel(() => answers.shift() ?? 'yes', keywords);
    const options = { ...OPEN, pipelining: run.pipelining };
    this.#begin('open', open(this.session, options), (error) => {
      this.#opened = error === undefined;
    });
    // Nothing is read before there is a connection.
    this.pollAll();
  }

  contentOf(index: number): string {
    return [...(this.#run.plans[index]?.lines ?? []), marker(index)]
      .map((line) => `${line}\r\n`)
      .join('');
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
      this.settled.set(key, { error, value, times });
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
    const content = this.contentOf(index);
    const blocks = content.match(/[\s\S]{1,7}/g) ?? [];
    const source = {
      [Symbol.asyncIterator]: () => blocks.map((block) => latin1(block))[Symbol.iterator](),
    };
    const prepared = envelope(
      {
        from: `s@m${index}.example`,
        to: this.recipientsOf(index),
        content: plan.streamed ? (source as unknown as AsyncIterable<Uint8Array>) : latin1(content),
      },
      this.session.capabilities,
      {},
    );
    this.tasks[index] = this.#begin(
      'transaction',
      transaction(this.session, prepared, {}),
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

  /** Whether the last octet of a message was given to be written. */
  left(index: number): boolean {
    return this.written.includes(`${marker(index)}\r\n.\r\n`);
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

  // Only whole messages are ever accepted, each once, in their order.
  const indexOf = (content: string): number =>
    world.tasks.findIndex((_, index) => world.contentOf(index) === content);
  const order = server.delivered.map(({ content }) => indexOf(content));
  expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
  expect(order).not.toContain(-1);

  for (const [index, task] of world.tasks.entries()) {
    if (!task) continue;
    const outcome = settled.get(`message ${index}`);
    const accepted = server.delivered.find(({ content }) => content === world.contentOf(index));
    if (!outcome) throw new Error(`message ${index} has not settled`);
    if (outcome.error === undefined) {
      const { accepted: to, rejected, octets } = outcome.value as TransactionResult;
      expect({ index, to }).toEqual({ index, to: accepted?.recipients });
      expect([...to, ...rejected.map(({ address }) => address)].sort()).toEqual(
        world.recipientsOf(index),
      );
      expect(octets).toBe(world.contentOf(index).length);
      continue;
    }
    const { error } = outcome;
    if (!isSmtpError(error)) throw error;
    const { delivery, code } = error;
    if (accepted) expect({ index, delivery }).toEqual({ index, delivery: 'unknown' });
    if (delivery === 'unknown')
      expect({ index, left: world.left(index) }).toEqual({ index, left: true });
    if (delivery === 'not-sent')
      expect({ index, left: world.left(index) }).toEqual({ index, left: false });
    expect(code === 'ERR_SMTP_ABORTED').toBe(world.aborted.has(index));
  }
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
    'MAIL FROM:<x@x.example>',
    '250 ok',
    '. ',
  ],
  'x'.repeat(998),
);
const plan: fc.Arbitrary<Plan> = fc.record({
  lines: fc.array(line, { maxLength: 4 }),
  streamed: fc.boolean(),
  recipients: fc.integer({ min: 1, max: 3 }),
});
const answer = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Answer>('yes') },
  { weight: 3, arbitrary: fc.constantFrom<Answer>('later', 'never') },
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

const run: fc.Arbitrary<Run> = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 5 }),
  pipelining: fc.constantFrom('overlap', 'overlap', 'envelope', 'off'),
  offered: fc.oneof(
    { weight: 4, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  answers: fc.array(answer, { maxLength: 40 }),
  steps: fc.array(step, { maxLength: 120, size: 'max' }),
  command: fc.constantFrom(undefined, 'noop', 'reset'),
  quit: fc.boolean(),
});

describe('Session as a model', () => {
  test('Session tells the truth about every message when all is random', () => {
    fc.assert(fc.property(run, play), { numRuns: 6_000 });
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
        const world = new World({ ...given, answers: [] });
        for (const [name, count] of steps) world.step(name, count);
        world.settle();
        expect(world.server.delivered.map(({ content }) => content)).toEqual(
          given.plans.map((_, index) => world.contentOf(index)),
        );
        expect(world.server.violations).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
