/** Each rule of the provider, met by our client and by one that is not ours. */
import { connect, isSmtpError } from '@posthorn/core';
import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import type { SandboxOptions } from '../../src/index.ts';
import { FROM, mail, mailWithFile, PASS, TAGS, TO, USER, useBench, within } from '../support.ts';

const { start } = useBench();

interface Sending {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly content?: string;
  readonly pass?: string;
  readonly anonymous?: boolean;
}

type Place = { readonly host: string; readonly smtps: number; readonly ca: string };
/** Gives the reply to the message, or the one that refused it. */
type Client = (place: Place, sending: Sending) => Promise<string>;

const posthorn: Client = async ({ host, smtps, ca }, sending) => {
  const { from = FROM, to = [TO], content = mail(), pass = PASS, anonymous = false } = sending;
  try {
    const client = await connect({
      host,
      port: smtps,
      tls: 'implicit',
      tlsOptions: { ca },
      ...(anonymous ? {} : { auth: { user: USER, pass } }),
    });
    try {
      const { reply } = await client.send({ from, to: [...to], content });
      return `${reply.code} ${reply.text}`;
    } finally {
      client.destroy();
    }
  } catch (error) {
    if (!isSmtpError(error) || !error.reply) throw error;
    const { code, enhanced, text } = error.reply;
    return [code, ...(enhanced === undefined ? [] : [enhanced]), text].join(' ');
  }
};

const nodemailer: Client = async ({ host, smtps, ca }, sending) => {
  const { from = FROM, to = [TO], content = mail(), pass = PASS, anonymous = false } = sending;
  const transport = createTransport({
    host,
    port: smtps,
    secure: true,
    tls: { ca },
    ...(anonymous ? {} : { auth: { user: USER, pass } }),
  });
  try {
    const { response } = await transport.sendMail({
      envelope: { from, to: [...to] },
      raw: content,
    });
    return response;
  } catch (error) {
    const { response } = error as { response?: string };
    if (response === undefined) throw error;
    return response;
  } finally {
    transport.close();
  }
};

const OK = /^250 Ok: queued as [\da-f-]{36}$/;
/** A message of exactly so many octets, in lines that any client takes. */
const sized = (octets: number): string => {
  const message = mail(TAGS);
  const rest = octets - message.length;
  const lines = `${'x'.repeat(78)}\r\n`.repeat(Math.floor(rest / 80) - 1);
  return `${message}${lines}${'x'.repeat(rest - lines.length - 2)}\r\n`;
};

/** A rule, the options that matter, what is sent, and what is answered. */
const RULES: readonly (readonly [string, SandboxOptions, Sending, string | RegExp])[] = [
  [
    'the address is not on the list',
    { allowedAddresses: ['192.0.2.1'] },
    {},
    '554 127.0.0.1 is not allowed to connect',
  ],
  ['the address is on the list', { allowedAddresses: ['127.0.0.1'] }, {}, OK],
  ['no login', {}, { anonymous: true }, '554 Must authenticate before sending mail'],
  ['no login is needed', { requireAuth: false }, { anonymous: true }, OK],
  ['a wrong password', {}, { pass: 'wrong' }, '535 Authentication failure'],
  [
    'a wrong password, by the page',
    { stages: { 'not-authenticated': 'auth' } },
    { pass: 'wrong' },
    '554 Must authenticate before sending mail',
  ],
  [
    'a sender that is not confirmed',
    {},
    { from: 'a@example.com' },
    '554 Disallowed source address: a@example.com',
  ],
  ['any sender', { confirmedSenders: 'any' }, { from: 'a@example.com' }, OK],
  ['a bad recipient', {}, { to: ['a@b.invalid'] }, '554 Invalid recipient address: a@b.invalid'],
  ['512,000 octets', {}, { content: sized(512_000) }, OK],
  ['one more', {}, { content: sized(512_001) }, '554 Message exceeds fixed size limit'],
  [
    '500 KB read as 500,000',
    { maxSize: 500_000 },
    { content: sized(500_001) },
    '554 Message exceeds fixed size limit',
  ],
  ['a file', {}, { content: mailWithFile('a.exe') }, '554 Not allowed attachement type exe'],
  ['a file by option', { attachments: 'any' }, { content: mailWithFile('a.exe') }, OK],
  ['files but these', { attachments: ['zip'] }, { content: mailWithFile('a.exe') }, OK],
  ['a further recipient', {}, { to: [TO, 'b@example.com'] }, OK],
  ['another charset', {}, { content: mail(TAGS, 'Content-Type: text/plain; charset=koi8-r') }, OK],
  [
    'another charset, refused',
    { charset: 'reject' },
    { content: mail(TAGS, 'Content-Type: text/plain; charset=koi8-r') },
    '554 Transaction failed: a part is in koi8-r, not in UTF-8',
  ],
  ['no tags', {}, { content: mail('none') }, OK],
  [
    'no tags, refused',
    { tags: 'reject' },
    { content: mail('none') },
    '554 Transaction failed: the text has no [Unsubscribe]',
  ],
  ['a fault of the server', {}, { to: ['554+internal@example.com'] }, '554 Internal server error'],
  [
    'the words before each text',
    { prefix: 'Transaction failed: ', enhancedStatusCodes: true },
    { from: 'a@example.com' },
    '554 5.7.1 Transaction failed: Disallowed source address: a@example.com',
  ],
];

describe.concurrent.each<[string, Client]>([
  ['@posthorn/core', posthorn],
  ['nodemailer', nodemailer],
])('%s', (_, client) => {
  test.each(RULES)('%s', async (_rule, options, sending, reply) => {
    const sandbox = await start(options);
    const said = await within(client(sandbox, sending), 'The client');
    if (reply instanceof RegExp) {
      expect(said).toMatch(reply);
      expect(sandbox.inbox.messages).toHaveLength(1);
      expect(sandbox.refused).toEqual([]);
    } else {
      expect(said).toBe(reply);
      expect(sandbox.inbox.messages).toEqual([]);
      expect(sandbox.refused).toHaveLength(1);
      expect(`${sandbox.refused[0]?.code} ${sandbox.refused[0]?.text}`).toBe(reply);
    }
  });

  test('who unsubscribed and who bounced hard is filtered', async () => {
    const sandbox = await start();
    for (const to of ['unsub@example.com', 'bounce+bad-mailbox@example.com'])
      for (const _time of [1, 2])
        expect(await within(client(sandbox, { to: [to] }), 'The client')).toMatch(OK);
    const last = sandbox.inbox.messages.map(({ state, events }) => [state, events.at(-1)?.reason]);
    expect(last).toEqual([
      ['Read', undefined],
      ['Bounced', 'already_unsubscribed'],
      ['Bounced', 'bad-mailbox'],
      ['Bounced', 'bad-mailbox'],
    ]);
  });
});
