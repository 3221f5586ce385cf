/** What nodemailer takes, and this does not, is told: nothing is dropped in silence, and nothing is sent. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../../test/growth.ts';
import { addressesOf } from '../../src/nodemailer/address-list.ts';
import { partType } from '../../src/nodemailer/body-part.ts';
import { ids } from '../../src/nodemailer/compose-mail.ts';
import { dataImages } from '../../src/nodemailer/data-image.ts';
import { fieldsOf } from '../../src/nodemailer/header-field.ts';
import { createTransport } from '../../src/nodemailer/index.ts';
import { everythingIn } from '../e2e/scripted-server.ts';
import type { Any } from './ways.ts';

const MESSAGE = { from: 'a@example.com', to: 'b@example.net', text: 'Hello' };

const compose = (data: Any): Promise<Any> =>
  createTransport({ streamTransport: true, buffer: true }).sendMail({ ...MESSAGE, ...data });

const failure = (data: Any): Promise<Any> =>
  compose(data).then(
    ({ message }) => {
      throw new Error(`it was composed: ${message}`);
    },
    (error) => error,
  );

const LF = 'Subject\nBcc: evil@example.org';

const REFUSED: readonly (readonly [name: string, data: Any, code: string, words: RegExp])[] = [
  ['a user for one message', { auth: { user: 'u', pass: 'p' } }, 'ECONFIG', /auth: /],
  ['a passcode', { otp: { code: '1', origin: 'https://a.example' } }, 'ECONFIG', /otp: .*headers/],
  ['a boundary', { baseBoundary: 'x' }, 'ECONFIG', /baseBoundary: /],
  ['the begin of a boundary', { boundaryPrefix: 'x' }, 'ECONFIG', /boundaryPrefix: /],
  ['another case for names', { normalizeHeaderKey: () => 'x' }, 'ECONFIG', /normalizeHeaderKey: /],
  ['options for SES', { ses: {} }, 'ECONFIG', /ses: /],
  ['a signal that is none', { signal: 5 }, 'ECONFIG', /signal: /],
  ['a type in headers', { headers: { 'Content-Type': 'text/html' } }, 'ECONFIG', /Content-Type/],
  ['MIME-Version in headers', { headers: { 'mime-version': '2.0' } }, 'ECONFIG', /mime-version/],
  [
    'a field twice',
    {
      headers: [
        { key: 'To', value: 'a@b.example' },
        { key: 'to', value: 'c@d.example' },
      ],
    },
    'ECONFIG',
    /to.*twice/,
  ],
  ['several keys for DKIM', { dkim: { keys: [{}, {}] } }, 'ECONFIG', /dkim\.keys: /],
  ['SHA-1 for DKIM', { dkim: { hashAlgo: 'sha1' } }, 'ECONFIG', /dkim\.hashAlgo: /],
  [
    'a key for DKIM that is none',
    { dkim: { domainName: 'a.example', keySelector: 's', privateKey: 'secret-key' } },
    'EMESSAGE',
    /./,
  ],
  ['DKIM for what is raw', { raw: 'A: b\r\n\r\n', dkim: {} }, 'ECONFIG', /dkim: /],
  [
    'a text that is written already',
    { text: { raw: 'A: b\r\n\r\nc' } },
    'ECONFIG',
    /text: .*alternatives/,
  ],
  [
    'HTML with fields of its own',
    { html: { content: 'x', headers: { 'X-A': 'b' } } },
    'ECONFIG',
    /html: /,
  ],
  [
    'an attachment in 7bit',
    { attachments: [{ content: 'x', contentTransferEncoding: '7bit' }] },
    'ECONFIG',
    /attachments\[0\]\.contentTransferEncoding: .*base64/,
  ],
  [
    'a URL',
    { attachments: [{ path: 'https://127.0.0.1:9/x' }] },
    'ESTREAM',
    /attachments\[0\]: nothing is fetched/,
  ],
  [
    'a URL as HTML',
    { html: { href: 'http://127.0.0.1:9/x' } },
    'ESTREAM',
    /html: nothing is fetched/,
  ],
  [
    'a data: URI that is none',
    { attachments: [{ path: 'data:text/plain' }] },
    'ESTREAM',
    /data: URI/,
  ],
  [
    'a stream that was read',
    { attachments: [{ content: ended() }] },
    'ESTREAM',
    /read or destroyed/,
  ],
  [
    'a raw part that is none',
    { attachments: [{ raw: 'no header' }] },
    'EMESSAGE',
    /attachments\[0\]\.raw: /,
  ],
  [
    'a raw part outside ASCII',
    { attachments: [{ raw: 'A: b\r\n\r\nö' }] },
    'EMESSAGE',
    /attachments\[0\]\.raw: /,
  ],
  [
    'a part that names its own type twice',
    { attachments: [{ content: 'x', headers: { 'Content-Type': 'a/b' } }] },
    'EMESSAGE',
    /attachments\[0\]\.headers: /,
  ],
  [
    'a part with a line break in a field',
    { attachments: [{ content: 'x', headers: { 'X-A': 'a\r\nB: c' } }] },
    'EMESSAGE',
    /attachments\[0\]\.headers: /,
  ],
  [
    'a message that is not 7bit, attached',
    { attachments: [{ contentType: 'message/rfc822', content: 'A: b\r\n\r\nö' }] },
    'EMESSAGE',
    /attachments\[0\]/,
  ],
  ['no author', { from: undefined }, 'EENVELOPE', /from/],
  ['two authors without a sender', { from: 'a@example.com, b@example.com' }, 'EENVELOPE', /from/],
  ['an address that is none', { to: 'not an address' }, 'EENVELOPE', /to: /],
  ['an address that looks like two', { to: 'a@example.net b@example.net' }, 'EENVELOPE', /to: /],
  [
    'an address within an address',
    { to: { name: '', address: 'x <b@example.net>' } },
    'EENVELOPE',
    /to/,
  ],
  ['a semicolon between addresses', { to: 'a@example.net; b@example.net' }, 'EENVELOPE', /to: /],
  ['a line break in an address', { cc: 'a@example.net\r\nBcc: c@example.org' }, 'EENVELOPE', /cc/],
  ['a line break in a name', { from: { name: LF, address: 'a@example.com' } }, 'EENVELOPE', /from/],
  [
    'a user of this machine',
    { envelope: { from: 'a@example.com', to: 'root' } },
    'EENVELOPE',
    /envelope\.to/,
  ],
  ['a line break in the subject', { subject: LF }, 'EMESSAGE', /subject/],
  ['a line break in a field', { headers: { 'X-A': LF } }, 'EMESSAGE', /headers\[0\]/],
  [
    'a line break in a name of a field',
    { headers: { 'X-A: b\r\nX-B': 'c' } },
    'EMESSAGE',
    /headers\[0\]/,
  ],
  [
    'a line break in a prepared field',
    { headers: { 'X-A': { prepared: true, value: LF } } },
    'EMESSAGE',
    /headers\[0\]/,
  ],
  ['a line break in the mailer', { xMailer: LF }, 'EMESSAGE', /headers\[0\]/],
  ['a line break in a list', { list: { help: LF } }, 'EMESSAGE', /list\.help/],
  [
    'a line break in a comment of a list',
    { list: { help: { url: 'a@example.com', comment: LF } } },
    'EMESSAGE',
    /list\.help/,
  ],
  [
    'a name of a list field that is none',
    { list: { 'a: b\r\nc': 'a@example.com' } },
    'EMESSAGE',
    /headers\[0\]/,
  ],
  ['a line break in an identifier', { inReplyTo: '<a@b\r\nX: y>' }, 'EMESSAGE', /inReplyTo/],
  ['an identifier without a side', { references: ['abc'] }, 'EMESSAGE', /references/],
  ['a date that is none', { date: 'yesterday or so' }, 'EMESSAGE', /date/],
  [
    'a line break in a file name',
    { attachments: [{ filename: LF, content: 'x' }] },
    'EMESSAGE',
    /attachments\[0\]\.filename/,
  ],
  [
    'a line break in a cid',
    { html: 'x', attachments: [{ cid: LF, content: 'x' }] },
    'EMESSAGE',
    /attachments\[0\]\.cid/,
  ],
  [
    'a line break in a type',
    { attachments: [{ contentType: `text/${LF}`, content: 'x' }] },
    'EMESSAGE',
    /attachments\[0\]\.contentType/,
  ],
  [
    'a method that is none',
    { icalEvent: { method: 'a; b=c', content: 'x' } },
    'EMESSAGE',
    /icalEvent\.method/,
  ],
];

function ended(): Readable {
  const stream = Readable.from(['x']);
  stream.destroy();
  return stream;
}

test.each(REFUSED)('%s', async (_, data, code, words) => {
  const error = await failure(data);
  expect(error).toMatchObject({ code, delivery: 'not-sent', retry: 'fix-first' });
  expect(error.message).toMatch(/^Cannot /);
  expect(error.message).toMatch(words);
  expect(everythingIn(error)).not.toMatch(/secret-key/);
});

test('a stream that was given is let go where the message is refused', async () => {
  const content = new Readable({ read: () => {} });
  await failure({ subject: LF, attachments: [{ filename: 'a', content }] });
  expect(content.destroyed).toBe(true);
});

test('what is kept of the data is not changed: the caller’s own stays as it was', async () => {
  const data = {
    ...MESSAGE,
    headers: { 'X-A': 'b' },
    attachments: [{ path: 'data:text/plain,x' }],
    html: '<img src="data:image/png;base64,AA==">',
    attachDataUrls: true,
  };
  const before = structuredClone(data);
  await createTransport(
    { streamTransport: true, buffer: true },
    { headers: { 'X-D': 'e' } },
  ).sendMail(data);
  expect(data).toEqual(before);
});

test('nothing that is given becomes a prototype', async () => {
  const data = JSON.parse(
    '{"__proto__": {"bcc": "evil@example.org"}, "headers": {"__proto__": "x"}, "envelope": {"from": "a@example.com", "to": "b@example.net", "__proto__": {"cc": "evil@example.org"}}}',
  );
  const { envelope, message } = await compose(data);
  expect(envelope.to).toEqual(['b@example.net']);
  expect(`${message}`).not.toContain('evil');
});

describe('one message never becomes another', () => {
  /** Whatever is given, a message has the fields of its header, and no others. */
  const own =
    /^(From|To|Subject|Date|Message-ID|X-A|X-Mailer|List-Help|MIME-Version|Content-[\w-]+): |^[ \t]/;
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(LF, 'a\r\n\r\nb', 'a\0b', '=?utf-8?q?a?='),
  );

  test('whatever stands in subjects, names and fields', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, text, async (subject, name, value) => {
        const data = {
          subject,
          from: { name, address: 'a@example.com' },
          headers: { 'X-A': value },
          xMailer: value,
          list: { help: { url: 'a@example.com', comment: name } },
        };
        const { message } = await compose(data).catch(() => ({ message: undefined }));
        if (!message) return;
        const [head = ''] = `${message}`.split('\r\n\r\n');
        for (const line of head.split('\r\n')) expect(line).toMatch(own);
      }),
      { numRuns: 200 },
    );
  });

  test('whatever is given as an address, nobody gets it who is not in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text, fc.string({ unit: fc.constantFrom(...'ab@.,;:<>"\\() \t[]') })),
        async (to) => {
          const { envelope } = await compose({ to }).catch(() => ({ envelope: { to: [] } }));
          for (const address of envelope.to) expect(to).toContain(address.replace(/@.*/, ''));
        },
      ),
      { numRuns: 400 },
    );
  });
});

test.each<readonly [name: string, run: (size: number) => unknown]>([
  ['images that are none', (size) => dataImages('<img src="data:text/plain;'.repeat(size))],
  ['tags that have no end', (size) => dataImages('<img src '.repeat(size))],
  ['spaces in tags', (size) => dataImages(`<img${' '.repeat(size)}src${' '.repeat(size)}=`)],
  ['types', (size) => partType(`a/b${'; name='.repeat(size)}${' '.repeat(size)}x`)],
  ['identifiers', (size) => ids('<a@b>  \n'.repeat(size))],
  ['addresses', (size) => addressesOf('a@example.net, '.repeat(size), 'to')],
  ['spaces between addresses', (size) => addressesOf(`a@example.net,${' '.repeat(size)}b@c`, 'to')],
  [
    'fields',
    (size) => fieldsOf(Array.from({ length: size }, () => ({ key: 'X', value: ['a', 'b'] }))),
  ],
])('%s take linear time', (_, run) => {
  const exponent = growthExponent((size) => () => run(size), [2_000, 4_000, 8_000, 16_000], 1.6);
  expect(exponent).toBeLessThan(1.6);
});
