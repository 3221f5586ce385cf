/**
 * `npm run bench [-- send|mime]`: our packages beside nodemailer, interleaved in one run, medians of
 * the rounds and ratios. Absolute figures belong to the machine; compare the ratios. Never a gate.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { connect } from '@posthorn/core';
import { attachment, compose, quotedPrintable } from '@posthorn/mime';

const nodemailer = createRequire(new URL('../packages/conformance/package.json', import.meta.url))(
  'nodemailer',
);
const ROUNDS = 5;
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

async function mime() {
  const MailComposer = createRequire(
    new URL('../packages/conformance/package.json', import.meta.url),
  )('nodemailer/lib/mail-composer');
  const drained = async (stream) => {
    for await (const chunk of stream) if (chunk.length < 0) break;
  };
  /** Both make whole messages, `count` in a round: nodemailer a tenth of these. */
  const messages = (title, spec, count) =>
    compare(title, 'messages/s', [
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
  const plain = { from: 'shop@example.com', to: 'test@example.com', subject: 'Test' };
  await messages(
    'small text + html, Cyrillic (4 KB)',
    {
      ...plain,
      from: 'Отправитель <noreplay@example.com>',
      subject: 'Проверка связи',
      text: 'Привет! Это проверка.\n'.repeat(20),
      html: '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n'.repeat(20),
    },
    3_000,
  );
  await messages('minimal text', { ...plain, text: 'Hello' }, 5_000);
  await messages(
    'encoded-words: a message with a subject of 2 KB, Cyrillic',
    { ...plain, text: 'Hello', subject: 'Проверка связи и всего остального '.repeat(33) },
    2_000,
  );

  const chunk = Uint8Array.from({ length: 65_536 }, (_, at) => (at * 7) % 256);
  async function* octets() {
    for (let at = 0; at < 1_600; at += 1) yield chunk;
  }
  const megabytes = (1_600 * chunk.length) / 1e6;
  await compare('100 MB attachment from a stream, base64', 'MB/s', [
    [
      'nodemailer MailComposer',
      async () => {
        const content = Readable.from(octets());
        await drained(
          new MailComposer({ ...plain, attachments: [{ filename: 'a.bin', content }] })
            .compile()
            .createReadStream(),
        );
        return megabytes;
      },
    ],
    [
      'posthorn compose',
      async () => {
        const attachments = [attachment('a.bin', { stream: octets() })];
        await drained(compose({ ...plain, attachments }));
        return megabytes;
      },
    ],
  ]);

  for (const [title, line] of [
    ['Cyrillic', '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n'],
    ['ASCII', '<p>Hello! This is <a href="http://www.example.com">a check</a>.</p>\n'],
  ]) {
    const html = new TextEncoder().encode(line.repeat(64_000));
    const chunks = Array.from({ length: Math.ceil(html.length / 65_536) }, (_, at) =>
      html.subarray(at * 65_536, (at + 1) * 65_536),
    );
    await compare(`5 MB of ${title} HTML from a stream, quoted-printable`, 'MB/s', [
      [
        'nodemailer MailComposer',
        async () => {
          const file = {
            filename: 'a.html',
            content: Readable.from(chunks),
            contentTransferEncoding: 'quoted-printable',
          };
          await drained(
            new MailComposer({ ...plain, attachments: [file] }).compile().createReadStream(),
          );
          return html.length / 1e6;
        },
      ],
      [
        'posthorn compose',
        async () => {
          const stream = () => ReadableStream.from(chunks);
          const attachments = [
            attachment('a.html', { stream }, { transferEncoding: quotedPrintable }),
          ];
          await drained(compose({ ...plain, attachments }));
          return html.length / 1e6;
        },
      ],
    ]);
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
const unknown = chosen.filter((name) => !Object.hasOwn(all, name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Choose of ${Object.keys(all).join(', ')}.`);
  process.exitCode = 2;
} else {
  console.log(
    `Node ${process.version}, nodemailer ${nodemailer.createTransport({}).transporter.version ?? ''}, ${ROUNDS} rounds, medians`,
  );
  for (const name of chosen.length > 0 ? chosen : Object.keys(all)) await all[name]();
}
