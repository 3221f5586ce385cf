/**
 * `npm run demo`: the provider page's own sample, sent to the sandbox over STARTTLS and over implicit
 * TLS, and each of the six documented 554s provoked. With --host it is sent to a real server instead.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs, styleText } from 'node:util';
import { startSandbox } from '@posthorn/conformance';
import { connect, isSmtpError } from '@posthorn/core';
import { check, devino, explain } from '@posthorn/core/devino';
import { attachment, compose } from '@posthorn/mime';

const USAGE = `Usage: npm run demo
       npm run demo -- --host HOST --from ADDRESS --to ADDRESS [--port PORT] [--user USER --pass PASS] [--ca FILE]

Without options, the sample goes to the embedded sandbox on loopback. With --host, to that server: on port
465 in TLS from the first octet, on any other by STARTTLS. --ca trusts an authority of your own (PEM).`;

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (format, text) => (coloured ? styleText(format, text) : text);
const say = (text = '') => console.log(text);
const heading = (text) => say(`\n${style('bold', text)}\n`);

/** The dialogue as it goes over the wire: C: is the client, S: the server. */
function transcript({ direction, text, secure }) {
  const mark = direction === 'client' ? style('cyan', 'C:') : style('green', 'S:');
  for (const line of text.split('\n'))
    say(`  ${secure ? ' ' : style('yellow', '!')} ${mark} ${line}`);
}

/** The sample of the provider's page, in our API. */
function sample(from, to, more = {}) {
  return compose({
    from,
    to,
    subject: 'Test from smtp',
    html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
    ...more,
  });
}

async function send(message, options, onTranscript = transcript) {
  const client = await connect({ ...options, onTranscript });
  try {
    const before = client.roundTrips;
    return { receipt: await client.send(message), before };
  } finally {
    await client.close();
  }
}

function sayReceipt({ receipt, before }) {
  say();
  say(`  accepted for ${receipt.accepted.join(', ')}: ${receipt.reply.text}`);
  say(`  waited for the server ${before} times to be ready, ${receipt.roundTrips} times to send`);
}

function sayChecks(message) {
  heading("What the provider's rules say, before anything is sent");
  const problems = check(message);
  for (const { severity, message: text } of problems) {
    say(`  ${style(severity === 'error' ? 'red' : 'yellow', severity)}: ${text}`);
  }
  if (problems.length === 0) say('  nothing to object to');
}

async function againstSandbox() {
  heading('The sandbox: the provider on loopback, with a certificate authority of its own');
  const sandbox = await startSandbox();
  try {
    say(`  localhost:${sandbox.smtp} in place of port 587, STARTTLS`);
    say(`  localhost:${sandbox.smtps} in place of port 465, TLS from the first octet`);
    const message = sample('noreplay@devinotele.com', 'test@devinotele.com');
    heading("The page's .NET sample, in our API");
    for (const line of (await message.text()).trimEnd().split('\r\n'))
      say(`  ${style('dim', '|')} ${line}`);
    say();
    say(`  text ${message.textParts.join(' ')}`);
    say(`  size predicted ${message.size} octets, before one is sent`);
    sayChecks(message);

    const common = {
      host: sandbox.host,
      tlsOptions: { ca: sandbox.ca },
      auth: { user: '1website', pass: 'test' },
    };
    const routes = [
      ['STARTTLS, as on port 587', { ...devino.starttls, ...common, port: sandbox.smtp }],
      [
        'TLS from the first octet, as on port 465',
        { ...devino.implicit, ...common, port: sandbox.smtps },
      ],
    ];
    for (const [title, route] of routes) {
      heading(
        `Sending: ${title}${route === routes[0][1] ? `   (${style('yellow', '!')} not encrypted yet)` : ''}`,
      );
      sayReceipt(await send(message, route));
      const captured = await sandbox.inbox.waitFor();
      sandbox.inbox.clear();
      const equal = captured.size === message.size && captured.html.trim() === message.textParts[0];
      say(
        `  size predicted ${message.size}, received ${captured.size}: ${equal ? style('green', 'equal') : style('red', 'not equal')}`,
      );
      say(`  received ${captured.html.trim()}`);
      if (!equal) throw new Error('What was received is not what was composed.');
    }
    await provokeAll(routes[0][1]);
  } finally {
    await sandbox.close();
  }
}

/** Each of the six documented refusals, by the rule that leads to it. */
async function provokeAll(route) {
  heading('The six documented 554s, each provoked and explained');
  const from = 'noreplay@devinotele.com';
  const to = 'test@devinotele.com';
  const { auth, ...anonymous } = route;
  const exe = attachment('setup.exe', new Uint8Array(3), {
    contentType: 'application/octet-stream',
  });
  const cases = [
    ['no login', sample(from, to), anonymous],
    ['a server fault', sample(from, '554+internal@devinotele.com'), route],
    ['a file', sample(from, to, { attachments: [exe] }), route],
    ['600 KB', sample(from, to, { html: 'Привет! '.repeat(40_000) }), route],
    ['a bad recipient', sample(from, '554+invalid@devinotele.com'), route],
    ['a sender not confirmed', sample('other@devinotele.com', to), route],
  ];
  const rows = [];
  for (const [provoked, message, options] of cases) {
    try {
      await send(message, options, () => {});
      throw new Error(`The sandbox accepted what it should refuse: ${provoked}`);
    } catch (error) {
      if (!isSmtpError(error) || !error.reply) throw error;
      const { reason, address, extension, retry } = explain(error) ?? {};
      rows.push([
        provoked,
        error.phase,
        `${error.reply.code} ${error.reply.text}`,
        `${reason}${(address ?? extension) ? ` (${address ?? extension})` : ''}`,
        retry,
        error.delivery,
      ]);
    }
  }
  table(['provoked by', 'phase', 'reply', 'reason', 'retry', 'delivery'], rows);
}

function table(head, rows) {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at].length)),
  );
  const line = (cells) =>
    `  ${cells.map((cell, at) => cell.padEnd(widths[at])).join('  ')}`.trimEnd();
  say(style('bold', line(head)));
  say(style('dim', line(widths.map((width) => '-'.repeat(width)))));
  for (const row of rows) say(line(row));
}

async function againstServer({ host, port, user, pass, from, to, ca }) {
  const message = sample(from, to);
  sayChecks(message);
  heading(`Sending to ${host}`);
  say(`  size predicted ${message.size} octets\n`);
  const result = await send(message, {
    host,
    ...(port && { port: Number(port) }),
    ...(user !== undefined && { auth: { user, pass: pass ?? '' } }),
    ...(ca && { tlsOptions: { ca: await readFile(ca, 'utf8') } }),
  });
  sayReceipt(result);
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      host: text,
      port: text,
      user: text,
      pass: text,
      from: text,
      to: text,
      ca: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) say(USAGE);
  else if (values.host === undefined) await againstSandbox();
  else if (values.from === undefined || values.to === undefined)
    throw new TypeError('--host needs --from and --to');
  else await againstServer(values);
}

main().catch((error) => {
  // What went wrong in a sentence; a stack only for what is our own fault.
  if (isSmtpError(error))
    console.error(
      `\n${error.code}: ${error.message}\n(delivery: ${error.delivery}, retry: ${error.retry})`,
    );
  else if (error instanceof TypeError || error.code?.startsWith('ERR_'))
    console.error(`\n${error.message}\n\n${USAGE}`);
  else console.error(error);
  process.exitCode = 1;
});
