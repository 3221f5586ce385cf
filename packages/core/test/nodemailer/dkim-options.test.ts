/** DKIM by the options of nodemailer: keys of all kinds, and which fields are signed. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import nodemailer from 'nodemailer';
import { expect, test } from 'vitest';
import { createTransport } from '../../src/nodemailer/index.ts';
import type { Any } from './ways.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (type: 'pkcs1' | 'pkcs8', more: object = {}): string =>
  `${privateKey.export({ type, format: 'pem', ...more } as never)}`;
const secret = { cipher: 'aes-256-cbc', passphrase: 'open' };

const signature = async (nodemailer: Any, dkim: Any): Promise<string> => {
  const { message } = await nodemailer
    .createTransport({ streamTransport: true, buffer: true })
    .sendMail({
      from: 'a@example.com',
      to: 'b@example.net',
      subject: 'x',
      text: 'Hello',
      date: new Date(0),
      messageId: '<a@example.com>',
      dkim: { domainName: 'example.com', keySelector: 's', ...dkim },
    });
  return `${message}`.replace(/\r\n[ \t]+/g, ' ').split('\r\n')[0] ?? '';
};
const tag = (name: string, field: string): string | undefined =>
  new RegExp(`[; ]${name}=([^;]*)`).exec(field)?.[1]?.replace(/\s/g, '');

test.each([
  ['PKCS #1', pem('pkcs1')],
  ['PKCS #8', pem('pkcs8')],
  ['octets', Buffer.from(pem('pkcs8'))],
  ['a KeyObject', createPrivateKey(pem('pkcs8'))],
  ['an encrypted key', { key: pem('pkcs8', secret), passphrase: 'open' }],
])('a key as %s', async (_, key) => {
  const field = await signature({ createTransport }, { privateKey: key });
  expect(field).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256;/);
  expect([tag('d', field), tag('s', field)]).toEqual(['example.com', 's']);
});

test('a key of Ed25519', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  expect(await signature({ createTransport }, { privateKey })).toMatch(/a=ed25519-sha256/);
});

test('one key in keys', async () => {
  const keys = [{ domainName: 'other.example', keySelector: 't', privateKey }];
  const field = await signature({ createTransport }, { keys });
  expect([tag('d', field), tag('s', field)]).toEqual(['other.example', 't']);
});

test.each([
  [{ headerFieldNames: 'from:to:subject' }],
  [{ headerFieldNames: 'From: To : message-id' }],
  [{ headerFieldNames: 'from:to:date', skipFields: 'date' }],
])('fields are those that nodemailer signs: %o', async (options) => {
  const signed = (field: string): string[] => [
    ...new Set((tag('h', field) ?? '').toLowerCase().split(':')),
  ];
  const own = await signature({ createTransport }, { privateKey, ...options });
  const control = await signature(nodemailer, { privateKey: pem('pkcs8'), ...options });
  expect(signed(own).sort()).toEqual(signed(control).sort());
});

test('what is skipped is not signed, and all else is', async () => {
  const field = await signature({ createTransport }, { privateKey, skipFields: 'message-id:date' });
  const names = (tag('h', field) ?? '').toLowerCase().split(':');
  expect(names).toEqual(expect.arrayContaining(['from', 'to', 'subject', 'content-type']));
  expect(names.filter((name) => /^(message-id|date)$/.test(name))).toEqual([]);
});
