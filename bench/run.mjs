/**
 * `npm run bench [-- send|mime]`: our packages beside nodemailer, interleaved in one run, medians of
 * the rounds and ratios. Absolute figures belong to the machine; compare the ratios. Never a gate.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from '@posthorn/core';
import { compose } from '@posthorn/mime';

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
  const spec = {
    from: 'Отправитель <noreplay@example.com>',
    to: 'test@example.com',
    subject: 'Проверка связи',
    text: 'Привет! Это проверка.\n'.repeat(20),
    html: '<p>Привет! Это <a href="http://www.example.com">проверка</a>.</p>\n'.repeat(20),
  };
  const messages = 2_000;
  await compare('text + html, Cyrillic', 'messages/s', [
    [
      'nodemailer MailComposer',
      async () => {
        for (let built = 0; built < messages / 10; built += 1)
          await new MailComposer(spec).compile().build();
        return messages / 10;
      },
    ],
    [
      'posthorn compose',
      async () => {
        for (let built = 0; built < messages; built += 1) await compose(spec).bytes();
        return messages;
      },
    ],
  ]);
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
