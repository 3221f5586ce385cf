/**
 * The soak itself, in a process of its own with --expose-gc. Rounds: a while of everything at once, then nothing any more, until
 * every call has settled and every connection is closed; what was told is held against the server's record, and what the
 * process holds is measured. `run.mjs` starts it, and bounds its time.
 *
 *     node --expose-gc soak/soak.mjs '{"minutes":5,"seed":1}'
 */
import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startService } from '../bench/service.mjs';
import { Clients, shared } from './clients.mjs';
import { ALL } from './faults.mjs';
import { growth, measure, ROOM, resources, surplus } from './gauge.mjs';
import { lies } from './ledger.mjs';
import { messageOf, sources } from './message.mjs';
import { seeded } from './random.mjs';

/** Who act at the same time. */
const ACTORS = 96;
/** ms that it takes until all has settled: the longest deadline of a client, and what the machine adds. */
const PATIENCE = 15_000;
/** ms at the end of each round without anything new. */
const REST = 700;
/** Of the messages that were accepted, one of so many is made again, and compared octet by octet. */
const COMPARED = 10;
/** By so many messages, whatever can happen has happened. */
const MANY = 20_000;
/** Sentences that are shown of each kind. */
const MOST_SHOWN = 10;

const { minutes, seed, json } = JSON.parse(process.argv[2]);

/** What went wrong, by the check that it is about. */
const wrong = {
  'every call settles': [],
  'what is told of a message is true': [],
  'what is accepted is whole': [],
  'no error of an unknown kind': [],
  'no unhandled rejection, no uncaught exception': [],
  'no warning': [],
  'the client breaks no rule of the protocol': [],
  'each connection is closed': [],
  'nothing keeps the process alive at rest': [],
  'no listener is left, and no source unreleased': [],
};
const note = (check, ...sentences) => wrong[check].push(...sentences);

process.on('unhandledRejection', (reason) =>
  note('no unhandled rejection, no uncaught exception', `rejection: ${reason?.stack ?? reason}`),
);
process.on('uncaughtException', (error) =>
  note('no unhandled rejection, no uncaught exception', `exception: ${error?.stack ?? error}`),
);
process.on('warning', (warning) => note('no warning', String(warning.stack)));

const random = seeded(seed);
const service = await startService(new URL('./server.mjs', import.meta.url), { seed: seed + 1 });
const clients = new Clients(random, seed, service.port);
const totals = { faults: {}, connections: 0, accepted: 0, compared: 0 };
const samples = [];
const total = minutes * 60_000;
const rounds = Math.min(60, Math.max(8, Math.round(total / 5_000)));
// Both are there from now on, and are no surplus later.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const listeners = () => getEventListeners(shared.signal, 'abort').length;
const before = { resources: resources(), listeners: listeners() };

const say = (text) => {
  if (!json) console.log(text);
};

/** Waits until something holds; whether it does in the end. */
async function until(holds, ms) {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) return false;
    await sleep(5);
  }
  return true;
}

async function round(length) {
  const end = performance.now() + length;
  const actor = async () => {
    while (performance.now() < end) {
      await clients.act();
      // A call that fails at once leaves the others their turn.
      await sleep(0);
    }
  };
  const all = Promise.all(Array.from({ length: ACTORS }, actor)).then(() => clients.rest());
  let done = false;
  void all.then(() => {
    done = true;
  });
  await until(() => done, length + PATIENCE);
  await until(() => clients.pending.size === 0, 1_000);
  if (!done || clients.pending.size > 0) {
    const left = [...clients.pending.values()];
    note('every call settles', `${left.length} have not: ${left.slice(0, MOST_SHOWN).join(', ')}`);
    return false;
  }
  return true;
}

/** With nothing under way: whether everything is as it was before. */
async function rest() {
  const quiet = await until(
    () => clients.connections === 0 && surplus(before.resources, resources()).length === 0,
    5_000,
  );
  if (!quiet)
    note(
      'nothing keeps the process alive at rest',
      `${clients.connections} connections of pools, ${surplus(before.resources, resources())}`,
    );
  const more = listeners() - before.listeners;
  const open = sources.opened - sources.released;
  if (more !== 0 || open !== 0)
    note(
      'no listener is left, and no source unreleased',
      `${more} listeners, ${open} of ${sources.opened} sources`,
    );
}

async function reckon() {
  const { accepted, violations, faults, connections, left } = await service.ask('settled');
  if (left > 0) note('each connection is closed', `the server has ${left} that nobody has closed`);
  note('the client breaks no rule of the protocol', ...violations);
  note('what is told of a message is true', ...lies(clients.told, accepted));
  note('no error of an unknown kind', ...clients.strange.splice(0));
  totals.connections += connections;
  totals.accepted += accepted.length;
  for (const [name, times] of Object.entries(faults))
    totals.faults[name] = (totals.faults[name] ?? 0) + times;
  for (const { id, digest } of accepted) {
    if (id % COMPARED !== 0) continue;
    const octets = await messageOf(seed, id).octets?.();
    if (!octets) continue;
    totals.compared += 1;
    if (createHash('sha1').update(octets).digest('base64') !== digest)
      note('what is accepted is whole', `${id} is not what was sent`);
  }
  clients.told.clear();
}

const started = performance.now();
try {
  for (let at = 0; at < rounds; at += 1) {
    const end = started + ((at + 1) * total) / rounds;
    const settled = await round(Math.max(200, end - performance.now() - REST));
    // What waits in vain, again and again, takes its time.
    if (!settled || performance.now() > started + total + PATIENCE) break;
    await rest();
    await reckon();
    samples.push({ messages: clients.messages, ...(await measure()) });
    const { messages, heap, rss } = samples.at(-1);
    if (at % 5 === 4 || at === rounds - 1)
      say(`${megabytes(heap)} heap, ${megabytes(rss)} RSS behind ${messages} messages`);
  }
} catch (error) {
  note('no error of an unknown kind', `the soak itself: ${error.stack}`);
}
await Promise.race([clients.close(), sleep(PATIENCE, undefined, { ref: false })]);
service.stop();
report();

function megabytes(octets) {
  return `${(octets / 2 ** 20).toFixed(1)} MiB`;
}

function report() {
  const seconds = (performance.now() - started) / 1000;
  const memory = {};
  for (const kind of ['heap', 'outside']) {
    const found = growth(
      samples.map((sample) => [sample.messages, sample[kind]]),
      ROOM[kind],
    );
    memory[kind] = found;
    const name =
      kind === 'heap' ? 'the heap does not grow' : 'memory outside the heap does not grow';
    wrong[name] =
      samples.length < 4
        ? [`${samples.length} samples`]
        : found.growth > found.most
          ? [
              `${found.growth.toFixed(0)} octets in ${found.messages} messages, and may be ${found.most.toFixed(0)}`,
            ]
          : [];
  }
  const { counts } = clients;
  // So that nothing of this is true for want of an occasion. What is rare takes its time.
  const often = ['told accepted', 'told rejected', 'told not-sent', 'told unknown', 'compared'];
  const rare = ['PROTOCOL', 'TIMEOUT', 'CLOSED', 'ABORTED', 'CONTENT', 'TLS', 'AUTH'];
  const many = clients.messages >= MANY;
  const wanted = many ? [...often, ...rare.map((code) => `ERR_SMTP_${code}`)] : often;
  const kinds = Object.keys(totals.faults).length;
  wrong['everything has happened'] = [
    ...wanted.filter((name) => !{ ...counts, ...totals }[name]).map((name) => `${name}: never`),
    ...(kinds < (many ? ALL.length - 5 : 15) ? [`${kinds} kinds of fault of ${ALL.length}`] : []),
  ];
  const figures = {
    seed,
    seconds: Math.round(seconds),
    rounds: samples.length,
    messages: clients.messages,
    acceptedByTheServer: totals.accepted,
    compared: totals.compared,
    connections: totals.connections,
    counts,
    faults: totals.faults,
    memory,
    rss: {
      first: samples[0]?.rss,
      last: samples.at(-1)?.rss,
      most: Math.max(...samples.map(({ rss }) => rss)),
    },
    samples,
  };
  const checks = Object.entries(wrong);
  const failed = checks.filter(([, sentences]) => sentences.length > 0);
  if (json) console.log(JSON.stringify({ ...figures, wrong: Object.fromEntries(failed) }));
  else {
    const faults = Object.values(totals.faults).reduce((sum, times) => sum + times, 0);
    console.log(
      `\nseed ${seed}: ${figures.messages} messages on ${totals.connections} connections in ${figures.seconds} s, ${faults} faults of ${Object.keys(totals.faults).length} kinds`,
    );
    console.log(
      Object.entries(counts)
        .sort()
        .map(([name, times]) => `${name} ${times}`)
        .join(', '),
    );
    for (const kind of ['heap', 'outside']) {
      const { slope, messages } = memory[kind];
      console.log(
        `${kind}: ${megabytes(samples[0]?.[kind] ?? 0)} at first, ${megabytes(samples.at(-1)?.[kind] ?? 0)} at last; ${(slope * 1000).toFixed(0)} octets for 1,000 messages over the last ${messages}`,
      );
    }
    console.log(
      `RSS: ${megabytes(figures.rss.first ?? 0)} at first, ${megabytes(figures.rss.most)} at most, ${megabytes(figures.rss.last ?? 0)} at last\n`,
    );
    for (const [name, sentences] of checks) {
      console.log(`${sentences.length > 0 ? 'FAILED' : 'ok    '}  ${name}`);
      for (const sentence of sentences.slice(0, MOST_SHOWN))
        console.error(sentence.replace(/^/gm, '        '));
      if (sentences.length > MOST_SHOWN)
        console.error(`        … and ${sentences.length - MOST_SHOWN} more`);
    }
    console.log(`${checks.length - failed.length} passed, ${failed.length} failed`);
  }
  process.exit(failed.length > 0 ? 1 : 0);
}
