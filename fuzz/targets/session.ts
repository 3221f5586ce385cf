/**
 * Whole sessions against a server that says anything at any time (RFC 5321 §3, 2033, 2920, 3030, 3207, 4954): nothing but
 * an SmtpError comes of it, everything settles, and what is told of each message agrees with a second reading of the octets.
 */
import { cramMd5, login, plain } from '../../packages/core/src/sasl/index.ts';
import {
  envelope,
  isSmtpError,
  noop,
  quit,
  reset,
  transaction,
  verify,
} from '../../packages/core/src/session/index.ts';
import { latin1 } from '../../packages/core/test/wire/cuts.ts';
import { claim, thrown } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';
import { judge, judgeAgain, type Plan } from '../session-truth.ts';
import { World } from '../session-world.ts';

export const maxLength = 1_200;

const SECRET = 'h0rse-battery';
const KEYWORDS = [
  'PIPELINING',
  'CHUNKING',
  'STARTTLS',
  'AUTH PLAIN LOGIN CRAM-MD5',
  'SIZE 1000000',
  '8BITMIME',
  'PRDR',
  'LIMITS RCPTMAX=1',
];

export const tokens: readonly string[] = [
  '\r\n',
  '\n',
  '220 ',
  '250 ',
  '250-',
  '250 ok\r\n',
  '354 go\r\n',
  '334 \r\n',
  '334 VXNlcg==\r\n',
  '235 ok\r\n',
  '221 bye\r\n',
  '353 each\r\n',
  '421 ',
  '451 ',
  '503 ',
  '504 ',
  '535 ',
  '550 ',
  ...KEYWORDS.map((keyword) => `250-${keyword}\r\n`),
  'ENHANCEDSTATUSCODES',
  'XSTARTTLS',
  'AUTH=PLAIN',
  '\xff\xfe',
  '\x00',
];

/** What is said in place of what should be. */
const ODD = [421, 503, 353, 334, 354, 250, 221, 554, 530, 535, 504, 451, 550] as const;

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const plans = [0, ...reader.list(3, (at) => at + 1)].map((at) => planOf(reader, at));
  const auth = reader.pick([
    [],
    [],
    [plain({ user: 'user', pass: SECRET }), login({ user: 'user', pass: SECRET })],
    [cramMd5({ user: 'user', pass: SECRET }), login({ user: 'user', pass: SECRET })],
  ]);
  const tls = reader.pick(['off', 'starttls', 'opportunistic', 'implicit']);
  const world = new World({
    auth,
    allowInsecureAuth: reader.flag(),
    connects: reader.octet() !== 255,
    secure: reader.octet() > 250,
    secret: SECRET,
    tls,
    name: 'client.example',
    pipelining: reader.pick(['flight', 'overlap', 'envelope', 'off']),
    protocol: reader.below(4) === 3 ? 'lmtp' : 'smtp',
    window: { transactions: 1 + reader.below(4), octets: 1 + 64 * reader.octet() },
    ignoreExtensions: reader.list(2, () => reader.pick(['PIPELINING', 'CHUNKING', 'PRDR', 'SIZE'])),
  });
  let keywords = reader.octet();
  let started = 0;
  /** Nothing is polled while the transport is full. */
  let full = false;
  const look = (): void => {
    for (const settled of world.newlySettled()) {
      judge(world, settled, plans);
      // As the driver does.
      if (settled.key === 'open' && settled.error !== undefined && !world.closed)
        world.begin('leave', 'quit', quit(world.session));
    }
  };
  const say = (octets: string): void => {
    world.receive(octets);
    look();
  };
  /** The reply that is due, as it should be. */
  const due = (): string | undefined => {
    const to = world.pairing.next;
    if (to === undefined) return undefined;
    if (to !== 'hello') {
      const code = { greeting: 220, starttls: 220, auth: 235, data: 354, final: 250, other: 250 }[
        to
      ];
      return `${code} ok\r\n`;
    }
    const offered = KEYWORDS.filter((_, at) => (keywords >> at) & 1);
    return ['mail.example.com', ...offered]
      .map((word, at) => `250${at < offered.length ? '-' : ' '}${word}\r\n`)
      .join('');
  };
  const start = (): void => {
    const plan = plans[started];
    if (!plan || !world.opened || world.closed) return;
    started += 1;
    const error = thrown(() => {
      const prepared = envelope(plan.message, world.session.capabilities, {});
      const { partial } = plan;
      world.begin(plan.key, 'transaction', transaction(world.session, prepared, { partial }));
    });
    claim(error === undefined || isSmtpError(error), 'a refusal is an SmtpError', String(error));
    look();
  };
  const other = (): void => {
    const { session } = world;
    const key = `other ${world.tasks.size}`;
    // Before it is open nobody has it: but for who leaves.
    const way = world.opened ? reader.below(4) : 3;
    if (way === 0) world.begin(key, 'noop', noop(session));
    else if (way === 1) world.begin(key, 'reset', reset(session));
    else if (way === 2) world.begin(key, 'verify', verify(session, 'a@example.com'));
    else world.begin(key, 'quit', quit(session));
    look();
  };

  world.pollAll(look);
  while (reader.left > 0) {
    const way = reader.below(16);
    if (way < 3) say(due() ?? '');
    else if (way === 3) say(`${reader.pick(ODD)}${reader.flag() ? '-a\r\n' : ' a\r\n'}`);
    else if (way === 4) say(reader.wire(tokens, 3_000));
    else if (way === 5) {
      const whole = due() ?? '250 ok\r\n';
      const cut = reader.octet();
      say(whole.slice(0, cut));
      if (!full) world.poll(look);
      say(whole.slice(cut));
    } else if (way === 6) say(`535 ${world.lastLine}\r\n`);
    else if (way === 7) {
      if (!full) world.poll(look);
    } else if (way === 15) full = !full;
    else if (way === 8) {
      world.reply(reader.octet() > 200);
      look();
    } else if (way === 9 || way === 10) start();
    else if (way === 11) other();
    else if (way === 12) {
      keywords = reader.octet();
      full = false;
      settleAll();
    } else if (way === 13 && reader.flag()) {
      world.abort(`message ${reader.below(plans.length)}`);
      look();
    } else if (way === 14 && reader.below(8) === 7) {
      if (reader.flag()) world.fail();
      else world.session.end(reader.flag() ? new Error('reset') : undefined);
      look();
    }
    if (way !== 7 && !full) world.pollAll(look);
    explore(
      0,
      (world.pairing.next ?? 'nothing').charCodeAt(0) * 8 + Math.min(7, world.pairing.due),
    );
  }
  full = false;
  settleAll();
  if (!world.closed)
    for (const [key] of world.tasks)
      claim(world.settled.has(key), 'where all is answered nobody waits', key);
  world.finish(look);
  judgeAgain(world, plans);

  /** All that is due is said, and all that is asked is given, until nothing is. */
  function settleAll(): void {
    for (let turn = 0; ; turn += 1) {
      claim(turn < 1_000, 'an end');
      const polled = world.pollAll(look);
      const given = world.reply(false);
      look();
      const reply = world.closed ? undefined : due();
      if (reply !== undefined) say(reply);
      if (!polled && !given && reply === undefined) return;
    }
  }
}

/** A message, and what a server has of it when all of it has come. */
function planOf(reader: OctetReader, at: number): Plan {
  const count = 1 + reader.below(3);
  const form = reader.pick(['memory', 'memory', 'stream', 'sized', 'wrong size', 'failing']);
  const long = reader.octet() === 0xa7 ? 70 : 0;
  const lines = reader.list(4, () => reader.pick(['', '.', '..x', 'QUIT', 'text', '250 ok']));
  const content = [...Array(long).fill('y'.repeat(998)), ...lines, `the end of ${at}`]
    .map((line) => `${line}\r\n`)
    .join('');
  const octets = latin1(content);
  const block = long ? 40_000 : 7;
  async function* unread(): AsyncGenerator<Uint8Array> {}
  const chunks = function* (): Generator<Uint8Array> {
    for (let from = 0; from < octets.length; from += block) {
      if (form === 'failing' && from >= octets.length / 2) throw new Error('the source failed');
      yield octets.subarray(from, from + block);
    }
  };
  // Synchronous: the world answers at once with what next() returns.
  const source = Object.assign(unread(), {
    [Symbol.asyncIterator]: () => chunks() as unknown as AsyncIterator<Uint8Array>,
  });
  const sizes = { sized: octets.length, 'wrong size': octets.length + 3 - reader.below(6) };
  return {
    key: `message ${at}`,
    content,
    partial: reader.flag() ? 'abort' : 'send',
    message: {
      from: `s@m${at}.example`,
      to: Array.from({ length: count }, (_, rcpt) => `r${rcpt}@m${at}.example`),
      content: form === 'memory' ? octets : source,
      size: sizes[form as 'sized'],
    },
  };
}
