/** A process of its own: whatever a client can do to a sandbox that is not to its liking, and then its end. */
import { connect } from 'node:net';
import { startSandbox } from '../src/index.ts';
import { FROM, knock, left, mail, TO, talk, until } from './dialogue.ts';

function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${actual} in place of ${expected}`);
}

async function mischief(): Promise<void> {
  const sandbox = await startSandbox({
    invalidRecipient: (address) => {
      if (address.startsWith('broken@')) throw new Error('broken predicate');
      return false;
    },
  });
  const soon = await knock(sandbox, 'plain');
  soon.write('EHLO too soon\r\n');
  same(await soon.reply(), '421 sandbox.localhost You talk too soon');

  const garbage = connect({ port: sandbox.smtps, host: '127.0.0.1' });
  garbage.on('error', () => {});
  garbage.end('this is no ClientHello\r\n'.repeat(10));

  const halfway = await talk(sandbox, { route: 'plain', login: false });
  same(await halfway.ask('STARTTLS'), '220 Ready to start TLS');
  halfway.write('nor is this\r\n');

  const sudden = await talk(sandbox);
  for (const line of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) await sudden.ask(line);
  sudden.write('Subject: half a mess');
  sudden.destroy();

  const refused = await talk(sandbox, { route: 'starttls' });
  const replies = await refused.send(mail(), { to: ['broken@b.example'] });
  same(replies.at(-1), '554 Internal server error (broken predicate)');
  same(await refused.ask('X'.repeat(20_000)), '421 Error: Command line too long');

  for (const dialogue of [soon, halfway]) dialogue.destroy();
  await left(sandbox);
  const good = await talk(sandbox);
  await good.send();
  same(sandbox.inbox.messages.length, 1);

  sandbox.plan({ at: 'mail', action: { stall: 600_000 } });
  good.write(`MAIL FROM:<${FROM}>\r\n`);
  const waiting = sandbox.inbox.waitFor(() => false, 600_000).catch(({ message }) => message);
  const closing = sandbox.close();
  same(await waiting, 'The sandbox was closed');
  await closing;
  await until(() => good.ended, 'The connection has ended');
}

// It has to end by itself: what rejects here fails the process.
mischief().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
