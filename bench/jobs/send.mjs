/** What is measured of sending, each in a process of its own. Durations are in ms. */
import { peakMemory } from './memory-use.mjs';

const load = (client) => import(`../clients/${client}.mjs`);

/** Octets of content in lines of 76 characters, none of which begins with a dot. */
function contentOf(octets) {
  const head = 'Subject: bench\r\n\r\n';
  const line = `${'x'.repeat(76)}\r\n`;
  const content = Buffer.alloc(octets, line);
  content.write(head, 'latin1');
  content.write('\r\n', octets - 2, 'latin1');
  return content;
}

/** @returns what sends so many messages; `onEach` is called with the number of those that are done */
function batches(client, message, mode) {
  if (client.batches) return client.batches(message, mode);
  const send = client.sender(message);
  if (mode === 'awaited') {
    return async (count, onEach) => {
      for (let sent = 1; sent <= count; sent += 1) {
        await send();
        onEach?.(sent);
      }
    };
  }
  return (count, onEach) => {
    if (!onEach) return Promise.all(Array.from({ length: count }, send));
    let done = 0;
    return Promise.all(
      Array.from({ length: count }, () =>
        send().then(() => {
          done += 1;
          onEach(done);
        }),
      ),
    );
  };
}

/** Time and CPU since now. */
function stopwatch() {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  return {
    elapsed: () => performance.now() - begun,
    cpu() {
      const { user, system } = process.cpuUsage(cpu);
      return user + system;
    },
  };
}

const recipients = (count) => Array.from({ length: count }, (_, at) => `b${at}@example.com`);

/**
 * Sends as many messages as fit into a time. They are sent in batches, all of a batch queued at once, and the size of a
 * batch is found while it warms up.
 */
export async function rate(options) {
  const {
    client: name,
    mode = 'queued',
    octets,
    warm,
    minimum,
    largestBatch,
    connection,
  } = options;
  const client = await (await load(name)).open(connection);
  const message = {
    from: 'a@example.com',
    to: recipients(options.recipients ?? 1),
    content: contentOf(octets),
  };
  const run = batches(client, message, mode);
  const window = connection.window?.transactions ?? connection.window ?? 1;
  let sent = 0;
  let batch = window;
  const warming = stopwatch();
  while (warming.elapsed() < warm) {
    const one = stopwatch();
    await run(batch);
    sent += batch;
    if (one.elapsed() < minimum / 8 && batch * 2 <= largestBatch) batch *= 2;
  }
  let measured = 0;
  const watch = stopwatch();
  while (watch.elapsed() < minimum) {
    await run(batch);
    measured += batch;
  }
  const [elapsed, cpu] = [watch.elapsed(), watch.cpu()];
  await client.close();
  return {
    rate: (measured / elapsed) * 1_000,
    megabytes: (measured * octets) / elapsed / 1_000,
    cpu: cpu / measured,
    rss: peakMemory(),
    measured,
    messages: sent + measured,
    octets: (sent + measured) * octets,
  };
}

/**
 * Sends a number of messages that are all queued at once, behind others that warm the connection up: what is measured
 * begins when the last of those is done, and nothing is idle in between.
 */
export async function queued(options, mark) {
  const { client: name, octets, warm, count, connection } = options;
  const client = await (await load(name)).open(connection);
  const message = {
    from: 'a@example.com',
    to: recipients(options.recipients),
    content: contentOf(octets),
  };
  const run = batches(client, message, 'queued');
  let watch;
  let marked;
  await run(warm + count, (done) => {
    if (done !== warm) return;
    watch = stopwatch();
    marked = mark('begin');
  });
  const [elapsed, cpu] = [watch.elapsed(), watch.cpu()];
  await marked;
  await mark('end');
  await client.close();
  return {
    rate: (count / elapsed) * 1_000,
    cpu: cpu / count,
    rss: peakMemory(),
    measured: count,
    messages: warm + count,
    octets: (warm + count) * octets,
  };
}

/** Makes a connection ready, once and cold. */
export async function setUp({ client: name, connection }, mark) {
  const { open } = await load(name);
  await mark('begin');
  const watch = stopwatch();
  const client = await open(connection);
  const ready = watch.elapsed();
  await mark('end');
  await client.close();
  return { ready, measured: 1, messages: 0, octets: 0 };
}

const CHUNK = 65_536;

/** So many octets in chunks of 64 KiB, or of lines where they are content that is ready. */
function stream(size, asContent) {
  return async function* () {
    const chunk = asContent
      ? Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(CHUNK / 64))
      : new Uint8Array(CHUNK).fill(1);
    for (let at = 0; at < size; at += CHUNK) yield chunk.subarray(0, Math.min(CHUNK, size - at));
  };
}

/**
 * Sends one message from a stream: a file that is composed (`attach`), or content that is ready (`stream`). The base64 of a
 * file is a third longer, and MB/s count the file.
 */
export async function streamed({ client: name, how, size, connection }) {
  const client = await (await load(name)).open(connection);
  const envelope = { from: 'a@example.com', to: recipients(1) };
  const send = (octets) =>
    client[how]({ ...envelope, size: octets, chunks: stream(octets, how === 'stream') });
  const watch = stopwatch();
  const octets = await send(size);
  const [elapsed, cpu] = [watch.elapsed(), watch.cpu()];
  await client.close();
  return {
    megabytes: size / elapsed / 1_000,
    seconds: elapsed / 1_000,
    cpu: cpu / 1e6,
    rss: peakMemory(),
    messages: 1,
    // A peer does not say how many they were.
    ...(octets !== undefined && { octets }),
  };
}
