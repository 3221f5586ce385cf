/** What goes wrong beside the rules is told of, and what is told is true. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Fault, Sandbox } from '../../src/index.ts';
import { FROM, mail, TO, until, useBench } from '../support.ts';

const { start, knock, talk } = useBench();

const told = (sandbox: Sandbox): string[] =>
  sandbox.troubles.map(({ kind, port, what }) => `${kind} ${port}: ${what}`).reverse();

describe.concurrent('troubles', () => {
  test('a client that does not trust the authority', async () => {
    const sandbox = await start();
    const socket = connectTls({ host: '127.0.0.1', port: sandbox.smtps, servername: 'localhost' });
    socket.on('error', () => {});
    await until(() => sandbox.troubles.length > 0, 'The alert');
    expect(told(sandbox)[0]).toMatch(
      /^connection implicit: .*does the client trust the sandbox's authority\?\)$/,
    );
    expect(sandbox.troubles[0]?.remoteAddress).toBe('127.0.0.1');
  });

  test('SMTP where TLS is spoken', async () => {
    const sandbox = await start();
    const socket = connectTcp({ host: '127.0.0.1', port: sandbox.smtps });
    socket.on('error', () => {});
    socket.write('EHLO client.example\r\n');
    await until(() => sandbox.troubles.length > 0, 'The fault');
    expect(told(sandbox)[0]).toMatch(/^connection implicit: .*speaks TLS from the first octet/);
  });

  test('a client that is too old', async () => {
    const sandbox = await start();
    const socket = connectTls({
      host: '127.0.0.1',
      port: sandbox.smtps,
      ca: sandbox.ca,
      servername: 'localhost',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    socket.on('error', () => {});
    await until(() => sandbox.troubles.length > 0, 'The fault');
    expect(told(sandbox)[0]).toMatch(/^connection implicit: .*an old client needs legacyTls\)$/);
  });

  test('AUTH before TLS, a command that there is not, an address without brackets', async () => {
    const sandbox = await start();
    const plain = await talk(sandbox, { route: 'plain', login: false });
    await plain.ask('AUTH PLAIN AHgAeQ==');
    const dialogue = await talk(sandbox);
    await dialogue.ask('NONSENSE');
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    await dialogue.ask('RCPT TO:a@example.com');
    expect(told(sandbox)).toEqual([
      'reply starttls: 538 Error: Must issue a STARTTLS command first',
      'reply implicit: 500 Error: command not recognized',
      'reply implicit: 501 Error: Bad recipient address syntax',
    ]);
    expect(JSON.stringify(sandbox.troubles)).not.toContain('AHgAeQ');
    expect(sandbox.troubles[0]?.transcript.at(-1)?.text).toBe(
      '501 Error: Bad recipient address syntax',
    );
    expect(sandbox.refused).toEqual([]);
  });

  test('what the rules refuse is none, what a fault does is', async () => {
    const sandbox = await start({ faults: [{ at: 'rcpt', action: { code: 451, text: 'Later' } }] });
    const dialogue = await talk(sandbox);
    await dialogue.ask('MAIL FROM:<a@example.com>');
    await dialogue.ask(`MAIL FROM:<${FROM}>`);
    await dialogue.ask(`RCPT TO:<${TO}>`);
    expect(told(sandbox)).toEqual(['fault implicit: fault at rcpt: 451 Later']);
    expect(sandbox.refused).toHaveLength(1);
    // What comes behind it is one again.
    await dialogue.ask('NONSENSE');
    expect(told(sandbox)).toHaveLength(2);
  });

  test('200 at the most, and none behind a reset', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    for (let at = 0; at < 201; at += 1) await dialogue.ask('RCPT TO:<a@b.example>');
    expect(sandbox.troubles).toHaveLength(200);
    await sandbox.reset();
    expect(sandbox.troubles).toEqual([]);
  });
});

describe.concurrent('the transcript of a message ends as its dialogue did', () => {
  const last = async (faults: readonly Fault[]): Promise<string | undefined> => {
    const sandbox = await start({ faults });
    const dialogue = await knock(sandbox, 'implicit');
    dialogue.destroy();
    await (await talk(sandbox)).send(mail());
    return sandbox.inbox.messages[0]?.transcript.at(-1)?.text;
  };

  test.each<[string, readonly Fault[], RegExp]>([
    ['usually', [], /^250 Ok: queued as /],
    [
      'taken without a word',
      [{ at: 'final-dot', action: 'accept-then-close-before-reply' }],
      /^<closed without a reply>$/,
    ],
    ['closed behind it', [{ at: 'after-accept', action: 'close' }], /^<closed without a reply>$/],
    [
      'another reply',
      [{ at: 'after-accept', action: { code: 451, text: 'Not now' } }],
      /^451 Not now$/,
    ],
    ['late', [{ at: 'after-accept', action: { stall: 50 } }], /^250 Ok: queued as /],
  ])('%s', async (_, faults, text) => {
    expect(await last(faults)).toMatch(text);
  });

  test('what the rules refuse is refused, also where it was to be taken without a word', async () => {
    const sandbox = await start({
      tags: 'reject',
      faults: [{ at: 'final-dot', action: 'accept-then-close-before-reply' }],
    });
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(mail('no tag'))).at(-1)).toMatch(/^554 Transaction failed/);
    expect((await dialogue.send(mail())).at(-1)).toBeUndefined();
    expect(sandbox.inbox.messages).toHaveLength(1);
  });
});

test('an address is on a list by either form of its domain', async () => {
  const sandbox = await start();
  const dialogue = await talk(sandbox);
  await dialogue.send(mail(), { to: ['unsub@xn--e1afmkfd.xn--p1ai'] });
  await dialogue.ask(`MAIL FROM:<${FROM}> SMTPUTF8`);
  await dialogue.ask('RCPT TO:<unsub@ПРИМЕР.рф>');
  await dialogue.ask('DATA');
  dialogue.write(mail());
  await dialogue.ask('.');
  expect(sandbox.inbox.messages.map(({ state }) => state)).toEqual(['Read', 'Bounced']);
});

test('click@ clicks the first link', async () => {
  const sandbox = await start();
  const body = '<a href="https://shop.example/1?a&amp;b">one</a> <a href="https://shop.example/2">';
  const dialogue = await talk(sandbox);
  await dialogue.send(mail(body, 'Content-Type: text/html'), { to: ['click@example.com'] });
  await dialogue.send(mail('no link'), { to: ['click@example.com'] });
  const urls = sandbox.inbox.messages.map(({ events }) => events.at(-1)?.url);
  expect(urls).toEqual(['https://shop.example/1?a&b', undefined]);
});
