/**
 * `npm run bench [-- send|mime]`: our packages beside nodemailer, interleaved in one run, medians of
 * the rounds and ratios. Absolute figures belong to the machine; compare the ratios. Never a gate.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connect } from '@posthorn/core';
import { attachment, compose, quotedPrintable } from '@posthorn/mime';

const nodemailer = createRequire(new URL('../packages/conformance/package.json', import.meta.url))(
  'nodemailer',
);
const ROUNDS = 9;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Runs every variant once a round, so that a slow moment of the machine meets all of them. */
async function compare(title, unit, variants) {
  const rates = new Map(variants.map(([name]) => [name, []]));
  for (const [, run] of variants) await run();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of variants) {
      const begun = performance.now();
      const done = await run();
      rates.get(name).push((done / (performance.now() - begun)) * 1_000);
    }
  }
  const base = median(rates.get(variants[0][0]));
  console.log(`\n${title}`);
  for (const [name, values] of rates) {
    const rate = median(values);
    console.log(
      `  ${name.padEnd(34)} ${Math.round(rate).toLocaleString('en').padStart(12)} ${unit}   ${(rate / base).toFixed(2)}x`,
    );
  }
}

async function send() {
  const sink = fork(new URL('./sink.mjs', import.meta.url));
  const [port] = await once(sink, 'message');
  const content = `Subject: bench\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(26)}`;
  const envelope = { from: 'a@example.com', to: ['b@example.com'] };
  const client = await connect({ host: '127.0.0.1', port, tls: 'off' });
  const pool = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
    secure: false,
    ignoreTLS: true,
  });
  const messages = 1_000;
  try {
    await compare('2 KB messages on one connection, PIPELINING, loopback', 'messages/s', [
      [
        'nodemailer pool, all at once',
        async () => {
          await Promise.all(
            Array.from({ length: messages }, () => pool.sendMail({ envelope, raw: content })),
          );
          return messages;
        },
      ],
      [
        'posthorn, all at once (overlap)',
        async () => {
          await Promise.all(
            Array.from({ length: messages }, () => client.send({ ...envelope, content })),
          );
          return messages;
        },
      ],
      [
        'posthorn, one awaited at a time',
        async () => {
          for (let sent = 0; sent < messages; sent += 1)
            await client.send({ ...envelope, content });
          return messages;
        },
      ],
    ]);
    const large = new TextEncoder().encode(
      `Subject: bench\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(260_000)}`,
    );
    const megabytes = large.length / 1e6;
    await compare('20 MB content by DATA', 'MB/s', [
      [
        'nodemailer pool',
        async () => {
          await pool.sendMail({ envelope, raw: Buffer.from(large.buffer) });
          return megabytes;
        },
      ],
      [
        'posthorn',
        async () => {
          await client.send({ ...envelope, content: large });
          return megabytes;
        },
      ],
    ]);
  } finally {
    pool.close();
    await client.close();
    sink.disconnect();
  }
}

const plain = { from: 'shop@example.com', to: 'test@example.com', subject: 'Test' };

const mailComposer = () =>
  createRequire(new URL('../packages/conformance/package.json', import.meta.url))(
    'nodemailer/lib/mail-composer',
  );

const drained = async (stream) => {
  for await (const chunk of stream) if (chunk.length < 0) break;
};

/** Whole messages, `count` in a round; nodemailer makes a tenth of these. */
function messages(title, spec, count) {
  const MailComposer = mailComposer();
  return compare(title, 'messages/s', [
    [
      'nodemailer MailComposer',
      async () => {
        for (let built = 0; built < count / 10; built += 1)
          await new MailComposer(spec).compile().build();
        return count / 10;
      },
    ],
    [
      'posthorn compose',
      async () => {
        for (let built = 0; built < count; built += 1) await compose(spec).bytes();
        return count;
      },
    ],
  ]);
}

/** One attachment from a stream of these chunks. */
function attached(title, chunks, megabytes, nodemailerEncoding, transferEncoding) {
  const MailComposer = mailComposer();
  return compare(title, 'MB/s', [
    [
      'nodemailer MailComposer',
      async () => {
        const file = { filename: 'a.bin', content: Readable.from(chunks()) };
        const attachments = [{ ...file, contentTransferEncoding: nodemailerEncoding }];
        await drained(new MailComposer({ ...plain, attachments }).compile().createReadStream());
        return megabytes;
      },
    ],
    [
      'posthorn compose',
      async () => {
        const stream = async function* () {
          yield* chunks();
        };
        const attachments = [attachment('a.bin', { stream }, { transferEncoding })];
        await drained(compose({ ...plain, attachments }));
        return megabytes;
      },
    ],
  ]);
}

function quoted(title, line) {
  const html = new TextEncoder().encode(line.repeat(64_000));
  const chunks = Array.from({ length: Math.ceil(html.length / 65_536) }, (_, at) =>
    html.subarray(at * 65_536, (at + 1) * 65_536),
  );
  return attached(title, () => chunks, html.length / 1e6, 'quoted-printable', quotedPrintable);
}

/** Each runs in a process of its own: what one has made of the heap and of the optimizer is nothing to the next. */
const mimeParts = {
  'text-html': () =>
    messages(
      'small text + html, Cyrillic (2.7 KB)',
      {
        ...plain,
        from: 'Отправитель <noreplay@example.com>',
        subject: 'Проверка связи',
        text: 'Привет! Это проверка.\n'.repeat(12),
        html: '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n'.repeat(12),
      },
      3_000,
    ),
  minimal: () => messages('minimal text', { ...plain, text: 'Hello' }, 5_000),
  words: () =>
    messages(
      'encoded-words: a message with a subject of 2 KB, Cyrillic',
      { ...plain, text: 'Hello', subject: 'Проверка связи и всего остального '.repeat(33) },
      2_000,
    ),
  base64: () => {
    const chunk = Uint8Array.from({ length: 65_536 }, (_, at) => (at * 7) % 256);
    const chunks = function* () {
      for (let at = 0; at < 1_600; at += 1) yield chunk;
    };
    return attached(
      '100 MB attachment from a stream, base64',
      chunks,
      (1_600 * chunk.length) / 1e6,
      'base64',
    );
  },
  'quoted-cyrillic': () =>
    quoted(
      '5 MB of Cyrillic HTML from a stream, quoted-printable',
      '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n',
    ),
  'quoted-ascii': () =>
    quoted(
      '5 MB of ASCII HTML from a stream, quoted-printable',
      '<p>Hello! This is <a href="http://www.example.com">a check</a>.</p>\n',
    ),
};

async function mime() {
  for (const name of Object.keys(mimeParts)) {
    const child = fork(fileURLToPath(import.meta.url), [`mime/${name}`]);
    const [code] = await once(child, 'exit');
    if (code !== 0) process.exitCode = 1;
  }
  console.log('\nmemory, each in a process of its own');
  for (const what of ['1 GB from a stream', '200 MB in memory']) {
    const child = fork(new URL('./memory.mjs', import.meta.url), [what]);
    const [{ before, peak, seconds }] = await once(child, 'message');
    console.log(
      `  ${what.padEnd(34)} peak RSS ${peak} MiB, ${peak - before} more than before; ${seconds.toFixed(1)} s`,
    );
  }
}

const all = { send, mime };
const chosen = process.argv.slice(2);
const part = mimeParts[chosen[0]?.replace('mime/', '')];
const unknown = chosen.filter((name) => !Object.hasOwn(all, name));
if (part) await part();
else if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Choose of ${Object.keys(all).join(', ')}.`);
  process.exitCode = 2;
} else {
  console.log(
    `Node ${process.version}, nodemailer ${nodemailer.createTransport({}).transporter.version ?? ''}, ${ROUNDS} rounds, medians`,
  );
  for (const name of chosen.length > 0 ? chosen : Object.keys(all)) await all[name]();
}
