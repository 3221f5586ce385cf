/**
 * How programs that are built on nodemailer call it: what each of them gives, in which order, and what it reads of the
 * answer. In words of our own, after their sources in 2025 and 2026.
 */
import { Readable } from 'node:stream';
import { file } from './message-cases.ts';
import type { Any, Way } from './ways.ts';

/** A server that there is. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly user: string;
  readonly pass: string;
}

export interface Wrapper {
  readonly name: string;
  /** Uses it as the wrapper does; gives what the wrapper gives its own users. */
  run(nodemailer: Way, place: Place): Promise<unknown>;
}

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** As a wrapper's configuration has them. */
const smtp = ({ host, port, ca, user, pass }: Place): Any => ({
  host,
  port,
  secure: false,
  auth: { user, pass },
  tls: { ca },
});

const failed = async (sending: Promise<Any>): Promise<Any> =>
  sending.then(
    () => {
      throw new Error('it was sent');
    },
    (error: Any) => error,
  );

export const WRAPPERS: readonly Wrapper[] = [
  {
    // A transporter with defaults; templates are rendered by a plugin of the step compile; it is verified at start.
    name: 'NestJS: @nestjs-modules/mailer',
    async run(nodemailer, place) {
      const transporter = nodemailer.createTransport(smtp(place), {
        from: '"No Reply" <noreply@example.com>',
        headers: { 'X-App': 'nest' },
      });
      transporter.use('compile', (mail: Any, callback: (error?: Error) => void) => {
        if (mail.data.html) return callback();
        mail.data.html = `<p>Hello ${mail.data.context.name}</p>`;
        callback();
      });
      const ready = transporter.verify ? await Promise.resolve(transporter.verify()) : true;
      const rendered = await transporter.sendMail({
        to: 'jane@example.net',
        subject: 'Welcome',
        template: './welcome',
        context: { name: 'Jane' },
        text: 'Hello Jane',
      });
      const given = await transporter.sendMail({
        from: 'other@example.com',
        to: ['a@example.net', 'b@example.net'],
        subject: 'Ready made',
        html: '<p>Ready made</p>',
      });
      return { ready, rendered, given };
    },
  },
  {
    // Picks the fields that it knows, text and HTML stand in for each other, files and URLs are forbidden.
    name: 'Strapi: @strapi/provider-email-nodemailer',
    async run(nodemailer, place) {
      const transporter = nodemailer.createTransport({ ...smtp(place), pool: true });
      const send = (options: Any): Promise<Any> =>
        transporter.sendMail({
          from: options.from || 'strapi@example.com',
          to: options.to,
          cc: options.cc,
          bcc: options.bcc,
          replyTo: options.replyTo || 'reply@example.com',
          subject: options.subject,
          text: options.text || options.html,
          html: options.html || options.text,
          headers: options.headers,
          priority: options.priority,
          attachments: options.attachments,
          icalEvent: options.icalEvent,
          list: options.list,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      const verified = await transporter.verify();
      const idle = transporter.isIdle();
      const info = await send({
        to: 'jane@example.net',
        cc: 'Chris <chris@example.net>',
        bcc: 'hidden@example.net',
        subject: 'Strapi',
        text: 'Only text',
        headers: { 'X-Strapi': '1' },
        priority: 'high',
        list: { unsubscribe: { url: 'https://example.com/u', comment: 'Unsubscribe' } },
      });
      const denied = await failed(
        send({
          to: 'jane@example.net',
          subject: 'no',
          text: 'x',
          attachments: [{ path: file('secret', 'x') }],
        }),
      );
      const fetched = await failed(
        send({
          to: 'jane@example.net',
          subject: 'no',
          text: 'x',
          attachments: [{ href: 'http://127.0.0.1:9/x' }],
        }),
      );
      transporter.close();
      return { verified, idle, info, denied, fetched };
    },
  },
  {
    // Verifies and goes on whatever comes of it; the sender's name is put before the address.
    name: 'Payload: @payloadcms/email-nodemailer',
    async run(nodemailer, place) {
      const transport = nodemailer.createTransport(smtp(place));
      let trouble: unknown;
      try {
        await transport.verify();
      } catch (error) {
        trouble = error;
      }
      const message = { to: 'jane@example.net', subject: 'Payload', html: '<p>Hi</p>' };
      const info = await transport.sendMail({
        from: `${'My Site'} <${'info@example.com'}>`,
        ...message,
      });
      const wrong = nodemailer.createTransport({
        ...smtp(place),
        auth: { user: place.user, pass: 'wrong' },
      });
      return { trouble, info, wrong: await failed(wrong.verify()) };
    },
  },
  {
    // Options from the environment, strings among them; verify() with a callback; an object as sender.
    name: 'Directus: MailService',
    async run(nodemailer, place) {
      const mailer = nodemailer.createTransport({
        name: undefined,
        pool: undefined,
        host: place.host,
        port: String(place.port),
        secure: false,
        ignoreTLS: undefined,
        auth: { user: place.user, pass: place.pass },
        tls: { ca: place.ca },
      });
      const verified = await new Promise((resolve) => {
        mailer.verify((error: Error | null, success: unknown) => resolve(error ?? success));
      });
      const info = await mailer.sendMail({
        to: 'jane@example.net',
        subject: 'Directus',
        from: { name: 'Directus "Project"', address: 'project@example.com' },
        html: ['<h1>Reset</h1>', '<p>Überraschung</p>'].join('\n'),
      });
      return { verified, info };
    },
  },
  {
    // A URL; a transporter for each message; who was refused is looked for, and pending is not there.
    name: 'Auth.js: Nodemailer provider',
    async run(nodemailer, place) {
      const { host, port, user, pass } = place;
      const server = `smtp://${user}:${encodeURIComponent(pass)}@${host}:${port}/?tls.rejectUnauthorized=false`;
      const request = async (identifier: string): Promise<Any> => {
        const transport = nodemailer.createTransport(server);
        const result = await transport.sendMail({
          to: identifier,
          from: 'Auth.js <no-reply@example.com>',
          subject: 'Sign in to example.com',
          text: 'Sign in to example.com\nhttps://example.com/?token=1\n\n',
          html: '<body><a href="https://example.com/?token=1">Sign in</a></body>',
        });
        const failures = result.rejected.concat(result.pending).filter(Boolean);
        return failures.length ? `Email (${failures.join(', ')}) could not be sent` : result;
      };
      return {
        accepted: await request('jane@example.net'),
        partly: await request('jane@example.net, refused@example.net'),
        refused: await failed(request('refused@example.net')),
      };
    },
  },
  {
    // A transporter for each item; attachments are buffers with cid; the whole info goes on as JSON.
    name: 'n8n: Send Email node',
    async run(nodemailer, place) {
      const connection = nodemailer.createTransport({
        ...smtp(place),
        tls: { rejectUnauthorized: false },
      });
      let status: string;
      try {
        await connection.verify();
        status = 'Connection successful!';
      } catch (error) {
        status = (error as Error).message;
      } finally {
        connection.close();
      }
      const info = await nodemailer.createTransport(smtp(place)).sendMail({
        from: 'admin@example.com',
        to: 'jane@example.net, Bob <bob@example.net>',
        cc: undefined,
        bcc: '',
        subject: 'n8n',
        replyTo: undefined,
        text: 'Text\n\n---\nThis email was sent automatically with n8n\nhttps://n8n.io',
        html: '<img src="cid:image_1">',
        attachments: [
          { filename: 'photo.png', content: pixel, cid: 'image_1' },
          { filename: 'unknown', content: Buffer.from('data'), cid: 'data' },
        ],
      });
      const json = JSON.parse(
        JSON.stringify({
          accepted: info.accepted,
          rejected: info.rejected,
          response: info.response,
        }),
      );
      const error = await failed(
        nodemailer
          .createTransport({ ...smtp(place), tls: {} })
          .sendMail({ from: 'a@example.com', to: 'b@example.net', text: '' }),
      );
      delete error.cert;
      return { status, info, json, error };
    },
  },
  {
    // Options are cloned and changed; base64 for the texts; the error's words are shown to the owner of the site.
    name: 'Ghost: GhostMailer',
    async run(nodemailer, place) {
      const options = { ...smtp(place), secureConnection: false, service: undefined };
      const transport = nodemailer.createTransport(options);
      const message = {
        from: '"Ghost at example.com" <noreply@example.com>',
        to: 'jane@example.net',
        subject: 'You have been invited',
        html: '<p>Willkommen</p>',
        text: 'Willkommen',
        generateTextFromHTML: true,
        encoding: 'base64',
        headers: { 'X-Msys-Api': JSON.stringify({ options: { transactional: true } }) },
      };
      const response = await transport.sendMail(message);
      const error = await failed(
        transport.sendMail({ ...message, headers: { 'X-Refuse': 'yes' } }),
      );
      return { response, error, reason: typeof error.message };
    },
  },
  {
    // Made at the first message; addresses are objects in arrays; the response is kept as it is, and the transporter closed.
    name: 'AdonisJS: @adonisjs/mail, SMTP transport',
    async run(nodemailer, place) {
      const transporter = nodemailer.createTransport({
        ...smtp(place),
        pool: true,
        maxConnections: 2,
      });
      const original = await transporter.sendMail({
        from: { address: 'adonis@example.com', name: 'Adonis' },
        to: [{ address: 'jane@example.net', name: 'Jane' }, { address: 'bob@example.net' }],
        cc: [{ address: 'chris@example.net' }],
        bcc: [{ address: 'hidden@example.net', name: 'Hidden' }],
        replyTo: [{ address: 'reply@example.com' }],
        subject: 'Adonis',
        html: '<p>Hi</p>',
        text: 'Hi',
        references: ['<1@example.com>', '<2@example.com>'],
        inReplyTo: '<2@example.com>',
        headers: [{ key: 'X-Adonis', value: 'yes' }],
        attachments: [
          { path: file('invoice.pdf', '%PDF'), filename: 'invoice.pdf' },
          { content: Readable.from([Buffer.from('from a stream')]), filename: 'stream.txt' },
        ],
        icalEvent: {
          method: 'PUBLISH',
          content: 'BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n',
        },
        priority: 'low',
      });
      transporter.close();
      return { messageId: original.messageId, envelope: original.envelope, original };
    },
  },
  {
    // The example of nodemailer's own documentation: messages are given as long as the pool has room.
    name: 'a queue of one’s own, by the event idle',
    async run(nodemailer, place) {
      const transporter = nodemailer.createTransport({
        ...smtp(place),
        pool: true,
        maxConnections: 2,
        maxMessages: 3,
      });
      const messages = Array.from({ length: 9 }, (_, at) => ({
        from: 'queue@example.com',
        to: `reader${at}@example.net`,
        subject: `Message ${at}`,
        text: 'x',
      }));
      const sent: string[] = [];
      await new Promise<void>((resolve, reject) => {
        let waiting = messages.length;
        transporter.on('idle', () => {
          while (transporter.isIdle() && messages.length)
            transporter.sendMail(messages.shift(), (error: Error | null, info: Any) => {
              if (error) return reject(error);
              sent.push(...info.accepted);
              waiting -= 1;
              if (!waiting) resolve();
            });
        });
      });
      transporter.close();
      return sent.sort();
    },
  },
];
