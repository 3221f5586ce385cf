/** Messages by the keys of nodemailer's data: what it makes of each is what createTransport() of core has to make of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { SendMailOptions } from 'nodemailer';

export interface MessageCase {
  readonly name: string;
  /** Made anew for each composer: streams are read once. */
  readonly data: () => SendMailOptions;
  /** Fields that are given, and so have to be the same. */
  readonly kept?: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'posthorn-nodemailer-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A file that there is while the tests run. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const report = file('report.pdf', Buffer.from('%PDF-1.4 \xff\xfe', 'latin1'));
const page = file('page.html', '<p>Grüße from a file</p>');

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const from = 'Shop <shop@example.com>';
const to = 'jane@example.net';
const event = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'UID:1@example.com',
  'SUMMARY:Lunch',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

const given = (name: string, more: SendMailOptions, kept?: readonly string[]): MessageCase => ({
  name,
  data: () => ({ from, to, subject: name, ...more }),
  ...(kept && { kept }),
});

export const MESSAGES: readonly MessageCase[] = [
  given('text', { text: 'Hello\nthere' }),
  given('nothing but an envelope', {}),
  given('text and html', { text: 'Hello', html: '<p>Hello</p>' }),
  given('text outside ASCII, and a subject', { subject: 'Привет, мир ✓', text: 'Grüße\n\n…' }),
  given('long lines', { text: `${'word '.repeat(400)}end`, html: `<p>${'x'.repeat(3_000)}</p>` }),
  given('octets as texts', { text: Buffer.from('Grüße'), html: Buffer.from('<b>Grüße</b>') }),
  {
    name: 'streams as texts',
    data: () => ({
      from,
      to,
      text: Readable.from(['Hel', 'lo']),
      html: Readable.from([Buffer.from('<i>ö</i>')]),
    }),
  },
  given('texts from files and data: URIs', {
    html: { path: page },
    text: { path: 'data:text/plain;base64,SGVsbG8=' },
  }),
  given('text in another encoding', { text: { content: 'SGVsbG8=', encoding: 'base64' } }),
  given('a text that is empty', { text: '', html: '<p>Hello</p>' }),
  given('texts in BASE64', { text: 'Hello', encoding: 'BASE64' }),
  given('texts in base64', { text: 'Hello', html: '<p>Hello</p>', encoding: 'base64' }),
  given('AMP', {
    text: 'Hello',
    amp: '<!doctype html><html ⚡4email></html>',
    html: '<p>Hello</p>',
  }),
  given('HTML for a watch', { text: 'Hello', watchHtml: '<b>Hello</b>', html: '<p>Hello</p>' }),
  given('one alternative', {
    text: 'Hello',
    alternatives: [{ contentType: 'text/x-web-markdown', content: '**Hello**' }],
  }),
  given('several alternatives, with an image beside the HTML', {
    text: 'Hello',
    html: '<img src="cid:logo@example.com">',
    alternatives: [
      { contentType: 'text/x-web-markdown', content: '**Hello**' },
      { contentType: 'text/x-other; charset=utf-8', content: 'Grüße' },
    ],
    attachments: [
      { filename: 'logo.png', content: Buffer.from(pixel, 'base64'), cid: 'logo@example.com' },
      { filename: 'a.txt', content: 'a' },
    ],
  }),
  given('an invitation', { text: 'Lunch?', icalEvent: { method: 'request', content: event } }),
  given('an invitation with a name, as text', {
    text: 'Lunch?',
    html: '<p>Lunch?</p>',
    icalEvent: { method: 'CANCEL', filename: 'lunch.ics', content: event },
  }),
  given('an invitation as a string', { text: 'Lunch?', icalEvent: event }),
  given('attachments of all forms', {
    text: 'See the files',
    attachments: [
      { filename: 'text.txt', content: 'Grüße\nthere' },
      { filename: 'octets.bin', content: Buffer.from([0, 1, 2, 255]) },
      { filename: 'encoded.png', content: pixel, encoding: 'base64' },
      { filename: 'hex.bin', content: '00ff', encoding: 'hex' },
      { path: report },
      { path: report, filename: 'Bericht für Jürgen.pdf' },
      { filename: 'data.txt', path: 'data:text/plain;base64,SGVsbG8=' },
      { path: 'data:text/csv,a%2Cb' },
      { path: 'data:text/csv,100%' },
      { filename: 'typed', content: 'x', contentType: 'application/x-own; version=1' },
      { content: '{}', contentType: 'application/json' },
      { filename: false, content: 'no name at all', contentType: 'text/plain' },
      { filename: 'inline.txt', content: 'shown', contentDisposition: 'inline' },
    ],
  }),
  {
    name: 'an attachment from a stream',
    data: () => ({
      from,
      to,
      text: 'See the file',
      attachments: [
        {
          filename: 'a.bin',
          content: Readable.from([Buffer.alloc(100_000, 7), Buffer.from('end')]),
        },
      ],
    }),
  },
  given('an empty attachment', {
    text: 'x',
    attachments: [{ filename: 'a.txt', content: Buffer.alloc(0) }],
  }),
  given('one attachment and no text', { attachments: [{ filename: 'a.txt', content: 'alone' }] }),
  given('two attachments and no text', {
    attachments: [
      { filename: 'a.txt', content: 'one' },
      { filename: 'b.txt', content: 'two' },
    ],
  }),
  given('a message as an attachment', {
    text: 'As it was',
    attachments: [
      {
        contentType: 'message/rfc822',
        content: 'From: a@example.com\r\nSubject: inner\r\n\r\nHello\r\n',
      },
    ],
  }),
  given('an image in HTML', {
    html: 'Logo: <img src="cid:logo@example.com">',
    attachments: [
      { filename: 'logo.png', content: pixel, encoding: 'base64', cid: '<logo@example.com>' },
    ],
  }),
  given('cid without HTML', {
    text: 'Logo',
    attachments: [
      { filename: 'logo.png', content: pixel, encoding: 'base64', cid: 'logo@example.com' },
    ],
  }),
  given('an attachment with fields of its own', {
    text: 'See',
    attachments: [
      {
        filename: 'a.txt',
        content: 'a',
        headers: { 'X-Attachment-Id': 'f_1', 'Content-Description': 'A file' },
      },
    ],
  }),
  given('an attachment that is written already', {
    text: 'See',
    attachments: [
      {
        raw: 'Content-Type: text/x-raw\r\nContent-Disposition: attachment; filename="r.txt"\r\n\r\nas it is',
      },
    ],
  }),
  given('addresses of all forms', {
    from: { name: 'Doe, "J"', address: 'doe@example.com' },
    sender: 'robot@example.com',
    to: [
      'a@example.net, "B, b" <b@example.net>',
      { name: 'Jürgen Groß', address: 'c@example.net' },
      'D <d@example.net>',
    ],
    cc: 'Team: e@example.net, F <f@example.net>;',
    bcc: ['g@example.net', 'a@example.net'],
    replyTo: ['r1@example.com', { name: 'R', address: 'r2@example.com' }],
    text: 'x',
  }),
  given('domains and local parts outside ASCII', {
    from: 'a@bücher.example',
    to: ['π@example.net', 'b@bücher.example'],
    text: 'x',
  }),
  given('no recipients in the header', {
    to: undefined,
    bcc: 'a@example.net, b@example.net',
    text: 'x',
  }),
  given('an envelope of its own', {
    text: 'x',
    envelope: {
      from: 'Bounces <bounce@example.com>',
      to: 'x@example.org, Y <y@example.org>',
      cc: 'z@example.org',
    },
  }),
  given('an envelope from nobody', { text: 'x', envelope: { from: '', to: ['x@example.org'] } }),
  given(
    'identifiers and date',
    {
      text: 'x',
      messageId: '<own@example.com>',
      inReplyTo: 'first@example.com',
      references: ['<first@example.com>', 'second@example.com'],
      date: new Date('2026-01-02T03:04:05Z'),
    },
    ['message-id', 'date'],
  ),
  given(
    'identifiers in headers',
    {
      text: 'x',
      headers: {
        'Message-ID': '<h@example.com>',
        'In-Reply-To': '<i@example.com>',
        References: '<i@example.com>',
      },
    },
    ['message-id'],
  ),
  given('fields by name', {
    text: 'x',
    headers: {
      'X-One': 'one',
      'x-two': ['first', 'second'],
      'X-Number': 5 as never,
      'X-Umlaut': 'Grüße',
      'X-Empty': '',
      'X-Long': 'word '.repeat(60).trim(),
      'X-Prepared': { prepared: true, value: 'as it\r\n is' },
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  }),
  given('fields in a list', {
    text: 'x',
    headers: [
      { key: 'X-One', value: 'one' },
      { key: 'X-One', value: 'two' },
    ],
  }),
  given('list fields', {
    text: 'x',
    list: {
      help: 'help@example.com?subject=help',
      unsubscribe: { url: 'https://example.com/u?t=1', comment: 'Leave (now)' },
      subscribe: ['admin@example.com', { url: 'https://example.com/s', comment: 'Grüße' }],
      post: [['https://example.com/p', { url: 'post@example.com', comment: 'by mail' }]],
      id: { url: 'list.example.com', comment: 'The "list"' },
    },
  }),
  given('high priority', { text: 'x', priority: 'high' }),
  given('low priority', { text: 'x', priority: 'low' }),
  given('normal priority', { text: 'x', priority: 'normal' }),
  given('a mailer', { text: 'x', xMailer: 'Shop 1.0' }),
  given('no mailer', { text: 'x', xMailer: false }),
  given('an encoding for headers', { text: 'x', subject: 'Grüße', textEncoding: 'base64' }),
  given('images in data: URIs', {
    html: `<p><img alt="a" src="data:image/png;base64,${pixel}"> and <img src='cid:x'></p>`,
    attachDataUrls: true,
  }),
  given('a message as it is', {
    raw: 'From: raw@example.com\r\nSubject: raw\r\nMessage-ID: <raw@example.com>\r\n\r\nAs it is\r\n',
    envelope: { from: 'raw@example.com', to: 'x@example.org' },
  }),
  given('a message as it is, in octets, with addresses beside it', {
    raw: Buffer.from('Subject: raw\r\n\r\nAs it is\r\n'),
  }),
];
