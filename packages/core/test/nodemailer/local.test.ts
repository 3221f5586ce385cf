/** Transports that send nothing: what they tell is what nodemailer's tell. */
import { Readable } from 'node:stream';
import nodemailer from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { createTransport } from '../../src/nodemailer/index.ts';
import { MESSAGES } from './message-cases.ts';
import type { Any } from './ways.ts';

/** What JSON says of a message, but for a Message-ID that nobody gave, and names that chance gave. */
const plain = (info: Any): Any =>
  JSON.parse(
    JSON.stringify({
      ...info,
      message: typeof info.message === 'string' ? JSON.parse(info.message) : info.message,
    }).replace(/<[\w-]{36}@[\w.-]+>|[\w-]{20,36}@localhost/g, 'chance'),
  );

/** Where nodemailer tells what it keeps for itself. */
function withoutOwn(info: Any): Any {
  const { message } = info;
  for (const part of [
    message.icalEvent,
    ...(message.alternatives ?? []),
    ...(message.attachments ?? []),
  ])
    for (const key of ['_resolve', 'path', 'href', 'encoding', 'raw']) delete part?.[key];
  for (const key of ['text', 'html', 'watchHtml', 'amp'])
    if (message[key]?.content !== undefined) message[key] = message[key].content;
  return info;
}

describe('the JSON transport', () => {
  // What is written already has its own test: nodemailer's tells it in forms of its own.
  test.each(MESSAGES.filter(({ name }) => !/as it is|written already/.test(name)))(
    '$name',
    async ({ data }) => {
      const control = await nodemailer.createTransport({ jsonTransport: true }).sendMail(data());
      const own = await createTransport({ jsonTransport: true }).sendMail(data() as Any);
      expect(typeof own.message).toBe('string');
      expect(withoutOwn(plain(own))).toEqual(withoutOwn(plain(control)));
    },
  );

  test('tells what is written already as it is', async () => {
    const transporter = createTransport({ jsonTransport: true, skipEncoding: true });
    const { message, messageId }: Any = await transporter.sendMail({
      from: 'a@example.com',
      to: 'b@example.net',
      raw: Buffer.from('Message-ID: <own@example.com>\r\n\r\nHello\r\n'),
    });
    expect([message.messageId, messageId]).toEqual(['<own@example.com>', '<own@example.com>']);
    const { message: other }: Any = await transporter.sendMail({
      from: 'a@example.com',
      to: 'b@example.net',
      attachments: [{ raw: 'X-A: 1\r\n\r\nb' }],
    });
    expect(other.attachments).toEqual([{ raw: 'X-A: 1\r\n\r\nb' }]);
  });

  test('with skipEncoding gives the object, and nothing of the caller’s signal', async () => {
    const { signal } = new AbortController();
    const { message }: Any = await createTransport({
      jsonTransport: true,
      skipEncoding: true,
    }).sendMail({
      from: 'a@example.com',
      to: 'b@example.net',
      text: 'x',
      signal,
    });
    expect(Object.keys(message).sort()).toEqual(['from', 'headers', 'messageId', 'text', 'to']);
  });
});

describe('the stream transport', () => {
  const MESSAGE = {
    from: 'a@example.com',
    to: 'b@example.net',
    bcc: 'c@example.net',
    text: 'one\ntwo',
  };

  test('gives a stream, or octets; with Bcc, for it is no delivery', async () => {
    const { message, envelope, messageId } = await createTransport({
      streamTransport: true,
    }).sendMail(MESSAGE);
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain('Bcc: c@example.net\r\n');
    expect(text).toContain(`Message-ID: ${messageId}\r\n`);
    expect(envelope).toEqual({ from: 'a@example.com', to: ['b@example.net', 'c@example.net'] });
    const { message: octets } = await createTransport({
      streamTransport: true,
      buffer: true,
    }).sendMail(MESSAGE);
    expect(octets).toBeInstanceOf(Buffer);
  });

  test.each([
    ['unix', 'one\ntwo'],
    ['windows', 'one\r\ntwo'],
  ])('ends lines as it is told: %s', async (newline, expected) => {
    for (const [options, data] of [
      [{ newline }, {}],
      [{}, { newline }],
    ]) {
      const { message } = await createTransport({
        streamTransport: true,
        buffer: true,
        ...options,
      }).sendMail({ ...MESSAGE, ...data });
      expect(message.toString()).toContain(expected);
      expect(message.includes('\r')).toBe(newline === 'windows');
    }
  });

  test('destroys its sources where the reader goes away', async () => {
    const content = new Readable({ read: () => {} });
    content.push('begun');
    const { message } = await createTransport({ streamTransport: true }).sendMail({
      ...MESSAGE,
      attachments: [{ filename: 'a', content }],
    });
    for await (const _ of message) break;
    expect(message.destroyed).toBe(true);
  });
});
