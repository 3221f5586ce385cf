/** Each message as nodemailer composes it, and as createTransport() of core does: a parser has to see the same. */
import nodemailer from 'nodemailer';
import { expect, test } from 'vitest';
import { createTransport, type SendMailOptions } from '../../src/nodemailer/index.ts';
import { MESSAGES } from './message-cases.ts';
import { seenIn } from './seen.ts';

test.each(MESSAGES)('$name', async ({ data, kept }) => {
  const control = await nodemailer
    .createTransport({ streamTransport: true, buffer: true })
    .sendMail(data());
  const own = await createTransport({ streamTransport: true, buffer: true }).sendMail(
    data() as SendMailOptions,
  );
  expect(await seenIn(own.message, kept)).toEqual(await seenIn(control.message as Buffer, kept));
  const { from, to } = control.envelope;
  expect({ from: own.envelope.from, to: own.envelope.to }).toEqual({ from, to });
});

test('a string that is attached says its charset, octets say none', async () => {
  const data = {
    from: 'a@example.com',
    to: 'b@example.net',
    text: 'x',
    attachments: [
      { filename: 'a.txt', content: 'Grüße' },
      { filename: 'b.txt', content: Buffer.from('Grüße') },
      {
        filename: 'c.txt',
        content: 'x',
        contentType: 'text/plain; charset=us-ascii; name="d.txt"',
      },
    ],
  };
  const types = async (nodemailer: {
    // biome-ignore lint/suspicious/noExplicitAny: the same call of two libraries
    createTransport(options: any): any;
  }): Promise<string[]> => {
    const { message } = await nodemailer
      .createTransport({ streamTransport: true, buffer: true })
      .sendMail(data);
    return `${message}`
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .filter((line) => /^Content-Type: text\/plain.*name=/.test(line))
      .map((line) => /charset=[\w-]+/.exec(line)?.[0] ?? 'none');
  };
  const own = await types({ createTransport });
  expect(own).toEqual(['charset=utf-8', 'none', 'charset=us-ascii']);
  expect(await types(nodemailer)).toEqual(own);
});
