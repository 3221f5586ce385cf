/**
 * `npm run demo`: the provider page's own sample, sent to the sandbox over STARTTLS and over implicit
 * TLS, and each of the six documented 554s provoked. With --host it is sent to a real server instead.
 */
import { readFileSync } from 'node:fs';
import { parseArgs, styleText } from 'node:util';
import { startSandbox } from '@posthorn/conformance';
import { connect, isSmtpError } from '@posthorn/core';
import { check, devino, explain } from '@posthorn/core/devino';
import { attachment, compose, MimeError } from '@posthorn/mime';

const USAGE = `Usage: npm run demo
       npm run demo -- --keep
       npm run demo -- --host HOST --from ADDRESS --to ADDRESS [--user USER --pass PASS]
                       [--port PORT] [--tls implicit|starttls] [--ca FILE]

Without options, the sample goes to the embedded sandbox on loopback; with --keep the sandbox and its pages
stay open until Ctrl-C. With --host it goes to that server:
on port 465 in TLS from the first octet, on any other (default 587) by STARTTLS, unless --tls says
otherwise. --ca trusts an authority of your own (PEM). npm prints the options that it is given: the
environment variable POSTHORN_PASS in place of --pass keeps the password off the screen.`;

/** For a person who waits: much shorter than what the RFC asks for. */
const TIMEOUTS = { connect: 10_000, tls: 10_000, greeting: 20_000, ehlo: 20_000, total: 60_000 };

// Node's own judgement of the terminal: NO_COLOR, FORCE_COLOR, TERM=dumb.
const coloured = process.stdout.isTTY && process.stdout.hasColors();
const style = (format, text) => (coloured ? styleText(format, text) : text);
const say = (text = '') => console.log(text);
const heading = (text) => say(`\n${style('bold', text)}\n`);

/** What the command line cannot mean: told in a sentence, with the usage. */
class UsageError extends Error {}

/** The sample of the provider's page, in our API. Shown as it stands here, but for `more`. */
const sample = (more = {}) =>
  compose({
    from: 'noreplay@devinotele.com',
    to: 'test@devinotele.com',
    subject: 'Test from smtp',
    html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
    ...more,
  });

/** The dialogue as it goes over the wire: C: is the client, S: the server. */
function transcript({ direction, text, secure }) {
  const mark = direction === 'client' ? style('cyan', 'C:') : style('green', 'S:');
  for (const line of text.split('\n'))
    say(`  ${secure ? ' ' : style('yellow', '!')} ${mark} ${line}`);
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
  say(`  accepted for ${receipt.accepted.join(', ')}`);
  say(`  round trips: ${before} to be ready, ${receipt.roundTrips} to send`);
}

function sayChecks(message) {
  heading("What the provider's rules say, before anything is sent");
  const problems = check(message);
  for (const { severity, rule, message: text } of problems)
    say(`  ${style(severity === 'error' ? 'red' : 'yellow', severity)} ${rule}\n    ${text}`);
  if (problems.length === 0) say('  nothing to object to');
}

async function againstSandbox(keep) {
  const sandbox = await startSandbox();
  try {
    heading('The sandbox: the provider on loopback, with a certificate authority of its own');
    say(`  localhost:${sandbox.smtp} in place of port 587, STARTTLS`);
    say(`  localhost:${sandbox.smtps} in place of port 465, TLS from the first octet`);
    say(`  ${sandbox.url}/ is its inbox${keep ? '' : ', while this runs; --keep leaves it open'}`);
    heading("The page's .NET sample, in our API …");
    for (const line of sample.toString().split('\n').slice(1))
      if (!line.includes('...more')) say(line);
    const message = sample();
    heading('… and what goes on the wire for it');
    for (const line of (await message.text()).trimEnd().split('\r\n'))
      say(`  ${style('dim', '|')} ${line}`);
    say();
    say(`  size predicted ${message.size} octets, before one is sent`);
    sayChecks(message);

    const common = {
      host: sandbox.host,
      tlsOptions: { ca: sandbox.ca },
      auth: { user: '1website', pass: 'test' },
    };
    const starttls = { ...devino.starttls, ...common, port: sandbox.smtp };
    const implicit = { ...devino.implicit, ...common, port: sandbox.smtps };
    heading(`Sending: STARTTLS, as on port 587   (${style('yellow', '!')} not encrypted yet)`);
    await deliver(message, starttls, sandbox.inbox);
    heading('Sending: TLS from the first octet, as on port 465');
    await deliver(message, implicit, sandbox.inbox);
    await provokeAll(starttls);
    sayStatistics(sandbox);
    heading('To send to a server of yours: npm run demo -- --help');
    if (keep) await untilStopped(sandbox);
  } finally {
    await sandbox.close();
  }
}

/** Sends, and compares what came with what was composed. */
async function deliver(message, route, inbox) {
  const known = new Set(inbox.messages.map(({ id }) => id));
  sayReceipt(await send(message, route));
  const captured = await inbox.waitFor(({ id }) => !known.has(id));
  const html = captured.html.trim();
  const equal = captured.size === message.size && html === message.textParts[0];
  const verdict = equal ? style('green', 'equal') : style('red', 'not equal');
  say(`  size predicted ${message.size}, received ${captured.size}: ${verdict}`);
  say(`  received: ${html}`);
  if (!equal) throw new Error('What was received is not what was composed.');
}

/** What the provider's account page says of all that. */
function sayStatistics({ statistics }) {
  heading('What the statistics of the account say now');
  for (const { title, count, share } of statistics())
    say(`  ${title.padEnd(20)}${String(count).padStart(4)}${share.padStart(10)}`);
}

/** Waits for Ctrl-C. */
async function untilStopped({ url, smtp, smtps }) {
  heading(`The inbox is open at ${url}/ until Ctrl-C`);
  say(`  SMTP on localhost:${smtp} (STARTTLS) and localhost:${smtps} (TLS), login 1website`);
  say(`  how to set up your client: ${url}/setup`);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
}

/** Each of the six documented refusals, by the rule that leads to it. */
async function provokeAll(route) {
  heading('The six documented 554s, each provoked and explained');
  const { auth, ...anonymous } = route;
  const file = attachment('setup.exe', new Uint8Array(3));
  const large = sample({ html: 'Привет! '.repeat(30_000) });
  const cases = [
    ['no login', sample(), anonymous],
    ['server fault', sample({ to: '554+internal@devinotele.com' }), route],
    ['a file', sample({ attachments: [file] }), route],
    [`${Math.round(large.size / 1000)} KB`, large, route],
    ['bad recipient', sample({ to: 'nobody@shop.invalid' }), route],
    ['other sender', sample({ from: 'other@devinotele.com' }), route],
  ];
  const rows = [];
  const kinds = new Set();
  for (const [provoked, message, options] of cases) {
    const error = await refusal(message, options);
    const { reason, address, extension, retry } = explain(error) ?? {};
    if (reason === undefined) throw error;
    const detail = address ?? extension;
    rows.push({
      cells: [provoked, error.phase, `${reason}${detail ? ` (${detail})` : ''}`, retry],
      reply: `${error.reply.code} ${error.reply.text}`,
    });
    kinds.add(`code ${error.code}, delivery '${error.delivery}'`);
  }
  table(['provoked by', 'phase', 'reason', 'retry'], rows);
  say(`\n  Each is an SmtpError, ${[...kinds].join('; ')}.`);
  say('  explain() of @posthorn/core/devino reads the reason out of it.');
}

async function refusal(message, options) {
  try {
    await send(message, options, () => {});
  } catch (error) {
    if (isSmtpError(error) && error.reply) return error;
    throw error;
  }
  throw new Error('The sandbox accepted what it should refuse.');
}

/** Two lines for each row, so that it fits 80 columns: its cells, and the server's words below them. */
function table(head, rows) {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[at].length)),
  );
  const line = (cells) =>
    `  ${cells.map((cell, at) => cell.padEnd(widths[at])).join('  ')}`.trimEnd();
  say(style('bold', line(head)));
  say(style('dim', line(widths.map((width) => '-'.repeat(width)))));
  for (const { cells, reply } of rows) {
    say(line(cells));
    say(`    ${style('green', 'S:')} ${style('red', reply)}`);
  }
}

async function againstServer({ host, port, tls, user, pass, from, to, ca }) {
  const message = sample({ from, to });
  sayChecks(message);
  heading(`Sending to ${host}`);
  say(`  size predicted ${message.size} octets\n`);
  const result = await send(message, {
    host,
    timeouts: TIMEOUTS,
    ...(port !== undefined && { port: Number(port) }),
    ...(tls !== undefined && { tls }),
    ...(user !== undefined && { auth: { user, pass } }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  });
  sayReceipt(result);
  say(`  size predicted ${message.size}, written ${result.receipt.octets}`);
}

/** The command line as options. @throws UsageError for what would be ignored, or fail later in other words */
function commandLine() {
  const text = { type: 'string' };
  const names = ['host', 'port', 'tls', 'user', 'pass', 'from', 'to', 'ca'];
  const { values, positionals } = parseArgs({
    options: {
      ...Object.fromEntries(names.map((name) => [name, text])),
      help: { type: 'boolean' },
      keep: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const demand = (holds, sentence) => {
    if (!holds) throw new UsageError(sentence);
  };
  const { host, port, tls, user, from, to, help, keep } = values;
  if (help) return values;
  // It may be half a password: it is not repeated.
  demand(
    positionals.length === 0,
    'Every argument needs its option, as in --host HOST; put what holds blanks in quotes.',
  );
  for (const name of names)
    demand(values[name] !== '' || name === 'pass', `--${name} needs a value.`);
  const others = Object.keys(values).filter((name) => name !== 'keep');
  demand(host !== undefined || others.length === 0, 'Options need --host HOST.');
  demand(host === undefined || !keep, '--keep is for the sandbox: there is none with --host.');
  if (host === undefined) return values;
  demand(from !== undefined, '--host needs --from ADDRESS.');
  demand(to !== undefined, '--host needs --to ADDRESS.');
  demand(
    port === undefined || (/^\d{1,5}$/.test(port) && port >= 1 && port <= 65_535),
    '--port has to be a whole number from 1 to 65535.',
  );
  demand([undefined, 'implicit', 'starttls'].includes(tls), '--tls is implicit or starttls.');
  const pass = values.pass ?? (user === undefined ? undefined : process.env.POSTHORN_PASS);
  demand(
    user === undefined || pass !== undefined,
    '--user needs --pass PASS, or POSTHORN_PASS in the environment.',
  );
  demand(user !== undefined || pass === undefined, '--pass needs --user USER.');
  return { ...values, pass, ca: authority(values.ca) };
}

function authority(file) {
  if (file === undefined) return undefined;
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca cannot be read: ${error.message}.`);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new UsageError('--ca has to be a file with certificates in PEM.');
}

/** In the API's words, and in those of this command line. */
const WORDS = [
  ["use tls: 'implicit'", 'use --tls implicit'],
  ["use tls: 'starttls'", 'use --tls starttls'],
];

/** What to do, by the provider's reason or by the code, where the message itself does not say it. */
const CURES = {
  'not-authenticated': 'check --user and --pass',
  'sender-not-confirmed': 'use a confirmed sender as --from',
  'invalid-recipient': 'check --to',
  'server-error': 'try again later',
  ERR_SMTP_AUTH: 'check --user and --pass',
  ERR_SMTP_CLOSED: 'check --port and --tls',
  ERR_SMTP_PROTOCOL: 'check that --port is one for mail submission',
  ERR_SMTP_TLS: 'check --port and --tls',
  ERR_SMTP_CONNECT: 'check --host, --port and the network',
  ERR_SMTP_TIMEOUT: 'check --host, --port and the network',
};

/** The error in one sentence, with the cure. */
function sentence({ code, message }, reason) {
  // OpenSSL ends its lines.
  const text = message
    .replace(/\s*\n\s*/g, ' ')
    .replace(/timeouts\.(\w+) passed/, 'the server did not answer in time ($1)');
  const said = WORDS.find(([words]) => text.includes(words));
  if (said) return text.replace(...said);
  const cure = /certificate|altname/i.test(text)
    ? 'to trust it, use --ca FILE'
    : (CURES[reason] ?? CURES[code]);
  return cure ? `${text}; ${cure}` : text;
}

async function main() {
  const values = commandLine();
  if (values.help) say(USAGE);
  else if (values.host === undefined) await againstSandbox(values.keep);
  else await againstServer(values);
}

/** What went wrong in a sentence; a stack only for what is our own fault. */
function sayFailure(error) {
  if (isSmtpError(error)) {
    const why = explain(error);
    console.error(`\n${error.code}: ${sentence(error, why?.reason)}`);
    console.error(`(delivery: ${error.delivery}, retry: ${why?.retry ?? error.retry})`);
  } else if (error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS'))
    console.error(`${error.message.split('. To ')[0]}\n\n${USAGE}`);
  // What compose() and connect() refuse: an address, a user name.
  else if (
    error instanceof MimeError ||
    (error instanceof TypeError && error.message.startsWith('Cannot '))
  )
    console.error(`\n${error.message}`);
  else console.error(error);
}

// Whoever reads has had enough, as `| head` has.
process.stdout.on('error', () => process.exit(1));

try {
  await main();
} catch (error) {
  sayFailure(error);
  process.exitCode = 1;
}
