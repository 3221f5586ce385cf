/**
 * Where core is not as nodemailer is, by design: each is shown here over all three ways, and is a row of the table in
 * docs/migrating-from-nodemailer.md. A test holds all of it together.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import { eventually, greet, type Peer, type Script, takeMessages } from '../e2e/scripted-server.ts';
import type { MailServer } from './mail-server.ts';
import { file } from './message-cases.ts';
import type { Any, Way } from './ways.ts';

/** What a row needs to be shown. */
export interface Stage {
  /** The smtp-server package; `transport` are the options that lead to it. */
  mail(options?: SMTPServerOptions): Promise<MailServer & { readonly transport: Any }>;
  /** What a script says, without TLS. */
  script(script: Script): Promise<{ readonly transport: Any; readonly peers: readonly Peer[] }>;
  certificate(kind: 'no-san'): Promise<{ readonly cert: string; readonly key: string }>;
}

export interface Difference {
  /** What somebody does, as the first column of the table. */
  readonly what: string;
  readonly nodemailer: string;
  readonly plugin: string;
  readonly facade: string;
  show(way: Way, stage: Stage): Promise<string>;
}

const MESSAGE = { from: 'a@example.com', to: 'b@example.net', subject: 'x', text: 'Hello' };

/** What came of it: a word, or the code of the error. */
async function outcome(
  way: Way,
  options: Any,
  message: Any = {},
  told: (info: Any) => string = () => 'sent',
): Promise<string> {
  const transporter = way.createTransport(options);
  try {
    return told(await transporter.sendMail({ ...MESSAGE, ...message }));
  } catch (error) {
    return (error as Any).code;
  } finally {
    transporter.close({ force: true });
  }
}

const taking =
  (...keywords: string[]): Script =>
  async (peer) => {
    await greet(peer, ...keywords);
    await takeMessages(peer);
  };

/** The header of the last message. */
const headOf = ({ delivered }: MailServer): string =>
  delivered.at(-1)?.content.toString().split('\r\n\r\n')[0] ?? '';

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'a server that offers no STARTTLS',
    nodemailer: 'sent without TLS',
    plugin: 'ETLS',
    facade: 'ETLS',
    async show(way, { script }) {
      const { transport } = await script(taking('8BITMIME'));
      return outcome(way, transport, {}, () => 'sent without TLS');
    },
  },
  {
    what: '`auth`, and a server that offers no AUTH',
    nodemailer: 'sent without a login',
    plugin: 'EAUTH',
    facade: 'EAUTH',
    async show(way, { script }) {
      const { transport } = await script(taking('8BITMIME'));
      const options = { ...transport, ignoreTLS: true, auth: { user: 'u', pass: 'p' } };
      return outcome(way, options, {}, () => 'sent without a login');
    },
  },
  {
    what: '`auth` with an empty user and password, and a server that offers AUTH',
    nodemailer: 'EAUTH',
    plugin: 'sent without a login',
    facade: 'sent without a login',
    async show(way, { mail }) {
      const { transport } = await mail();
      return outcome(
        way,
        { ...transport, auth: { user: '', pass: '' } },
        {},
        () => 'sent without a login',
      );
    },
  },
  {
    what: 'a certificate that names its host in its common name alone',
    nodemailer: 'sent',
    plugin: 'ESOCKET',
    facade: 'ESOCKET',
    async show(way, { mail, certificate }) {
      const { transport } = await mail(await certificate('no-san'));
      return outcome(way, { ...transport, host: 'localhost' });
    },
  },
  {
    what: 'an address outside ASCII, and a server without SMTPUTF8',
    nodemailer: 'sent',
    plugin: 'EENVELOPE',
    facade: 'EENVELOPE',
    async show(way, { script }) {
      const { transport } = await script(taking('8BITMIME'));
      return outcome(way, { ...transport, ignoreTLS: true }, { to: 'π@example.net' });
    },
  },
  {
    what: 'domains outside ASCII beside a local part outside ASCII, in `accepted`',
    nodemailer: 'π@bücher.example',
    plugin: 'π@bücher.example',
    facade: 'π@xn--bcher-kva.example',
    async show(way, { script }) {
      const { transport } = await script(taking('SMTPUTF8', '8BITMIME'));
      const options = { ...transport, ignoreTLS: true };
      return outcome(way, options, { to: 'π@bücher.example' }, ({ accepted }) => accepted[0]);
    },
  },
  {
    what: "`to: 'a@example.net; b@example.net'`",
    nodemailer: 'two recipients',
    plugin: 'two recipients',
    facade: 'EENVELOPE',
    async show(way, { mail }) {
      const { transport } = await mail();
      const to = 'a@example.net; b@example.net';
      return outcome(way, transport, { to }, ({ accepted }) =>
        accepted[1] ? 'two recipients' : 'one',
      );
    },
  },
  {
    what: "`to: 'a@exa<mple.net'`",
    nodemailer: 'mple.net in RCPT',
    plugin: 'EENVELOPE',
    facade: 'EENVELOPE',
    async show(way, { script }) {
      const { transport, peers } = await script(taking('8BITMIME'));
      const options = { ...transport, ignoreTLS: true };
      return outcome(way, options, { to: 'a@exa<mple.net' }, () =>
        peers[0]?.lines.includes('RCPT TO:<mple.net>') ? 'mple.net in RCPT' : 'sent',
      );
    },
  },
  {
    what: 'no `from`',
    nodemailer: 'sent from nobody',
    plugin: 'sent from nobody',
    facade: 'EENVELOPE',
    async show(way, { mail }) {
      const { transport } = await mail();
      return outcome(way, transport, { from: undefined }, ({ envelope }) =>
        envelope.from ? 'sent' : 'sent from nobody',
      );
    },
  },
  {
    what: 'several authors and no `sender`',
    nodemailer: 'sent',
    plugin: 'sent',
    facade: 'EENVELOPE',
    async show(way, { mail }) {
      const { transport } = await mail();
      return outcome(way, transport, { from: 'a@example.com, b@example.com' });
    },
  },
  {
    what: 'a line break in a subject or another field',
    nodemailer: 'a space',
    plugin: 'a space',
    facade: 'EMESSAGE',
    async show(way, { mail }) {
      const server = await mail();
      return outcome(way, server.transport, { subject: 'one\ntwo' }, () =>
        headOf(server).includes('Subject: one two') ? 'a space' : 'sent',
      );
    },
  },
  {
    what: '`inReplyTo`, `references` or `messageId` without an `@`',
    nodemailer: 'sent',
    plugin: 'sent',
    facade: 'EMESSAGE',
    async show(way, { mail }) {
      const { transport } = await mail();
      return outcome(way, transport, { inReplyTo: 'first' });
    },
  },
  {
    what: 'content from an `http:` URL',
    nodemailer: 'fetched',
    plugin: 'fetched',
    facade: 'ESTREAM',
    async show(way, { mail }) {
      const server = await mail();
      const http = createServer((_, response) => response.end('from the web'));
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
      try {
        const href = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
        return await outcome(way, server.transport, { text: { href } }, () =>
          server.delivered[0]?.content.includes('from the web') ? 'fetched' : 'sent',
        );
      } finally {
        http.close();
        http.closeAllConnections();
      }
    },
  },
  {
    what: 'an attached message that is not ASCII',
    nodemailer: 'sent as 8bit',
    plugin: 'sent as 8bit',
    facade: 'EMESSAGE',
    async show(way, { mail }) {
      const server = await mail();
      const attachments = [
        { contentType: 'message/rfc822', content: 'Subject: a\r\n\r\nGrüße\r\n' },
      ];
      return outcome(way, server.transport, { attachments }, () =>
        server.delivered[0]?.content.includes('Content-Transfer-Encoding: 8bit')
          ? 'sent as 8bit'
          : 'sent',
      );
    },
  },
  {
    what: 'the name of an attachment that has none, and no type',
    nodemailer: 'attachment-1.*',
    plugin: 'attachment-1.*',
    facade: 'attachment-1.bin',
    async show(way, { mail }) {
      const server = await mail();
      return outcome(way, server.transport, { attachments: [{ content: 'x' }] }, () => {
        const [, name = ''] =
          /filename="?([^"\r\n]*)/.exec(`${server.delivered[0]?.content}`) ?? [];
        return name;
      });
    },
  },
  {
    what: 'the field `x-name` of `headers`',
    nodemailer: 'X-Name',
    plugin: 'X-Name',
    facade: 'x-name',
    async show(way, { mail }) {
      const server = await mail();
      return outcome(way, server.transport, { headers: { 'x-name': 'v' } }, () => {
        const [, name = ''] = /^(x-name): v/im.exec(headOf(server)) ?? [];
        return name;
      });
    },
  },
  {
    what: '`messageId` of a `raw` message',
    nodemailer: 'one that is not in it',
    plugin: 'one that is not in it',
    facade: 'that in it',
    async show(way, { mail }) {
      const { transport } = await mail();
      const raw = 'From: a@example.com\r\nMessage-ID: <own@example.com>\r\n\r\nHello\r\n';
      return outcome(way, transport, { raw }, ({ messageId }) =>
        messageId === '<own@example.com>' ? 'that in it' : 'one that is not in it',
      );
    },
  },
  {
    what: '`messageSize`',
    nodemailer: 'with dots and the end',
    plugin: 'octets of the content',
    facade: 'octets of the content',
    async show(way, { mail }) {
      const server = await mail();
      return outcome(way, server.transport, { text: '.\n.\nend' }, ({ messageSize }) =>
        messageSize === server.delivered[0]?.content.length
          ? 'octets of the content'
          : 'with dots and the end',
      );
    },
  },
  {
    what: 'the words of an error',
    nodemailer: 'Message failed: 554 5.7.1 message refused',
    plugin: 'Cannot send the message: server replied 554 5.7.1 message refused',
    facade: 'Cannot send the message: server replied 554 5.7.1 message refused',
    async show(way, { mail }) {
      const { transport } = await mail();
      const error = await way
        .createTransport(transport)
        .sendMail({ ...MESSAGE, headers: { 'X-Refuse': 'yes' } })
        .catch((error: Any) => error);
      return error.message;
    },
  },
  {
    what: '`delivery` of an error, where the connection is lost behind the content',
    nodemailer: 'none',
    plugin: 'unknown',
    facade: 'unknown',
    async show(way, { script }) {
      const { transport } = await script(async (peer) => {
        await greet(peer);
        for (const reply of ['250 ok', '250 ok', '354 go']) {
          await peer.hear();
          peer.say(reply);
        }
        await peer.content();
        peer.destroy();
      });
      const error = await way
        .createTransport({ ...transport, ignoreTLS: true })
        .sendMail(MESSAGE)
        .catch((error: Any) => error);
      return error.delivery ?? 'none';
    },
  },
  {
    what: 'with `pool`, a connection that is lost behind MAIL',
    nodemailer: 'ECONNECTION',
    plugin: 'sent by another one',
    facade: 'sent by another one',
    async show(way, { script }) {
      const { transport } = await script(async (peer, index) => {
        await greet(peer);
        if (index) await takeMessages(peer);
        else await peer.hear(/^MAIL/);
        peer.destroy();
      });
      const options = { ...transport, ignoreTLS: true, pool: true };
      return outcome(way, options, {}, () => 'sent by another one');
    },
  },
  {
    what: 'with `pool`, `close()` while messages wait',
    nodemailer: 'they fail',
    plugin: 'they are sent',
    facade: 'they are sent',
    async show(way, { mail }) {
      const { transport } = await mail();
      const transporter = way.createTransport({ ...transport, pool: true, maxConnections: 1 });
      const sending = Promise.allSettled([1, 2, 3].map(() => transporter.sendMail(MESSAGE)));
      // Until each of them has been composed.
      for (let turn = 0; turn < 20; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      transporter.close();
      const results = await sending;
      return results.some(({ status }) => status === 'rejected') ? 'they fail' : 'they are sent';
    },
  },
  {
    what: 'the event `clear` of a pool',
    nodemailer: 'emitted',
    plugin: 'never',
    facade: 'never',
    async show(way, { mail }) {
      const server = await mail();
      const transporter = way.createTransport({ ...server.transport, pool: true, idleTimeout: 20 });
      let seen = 'never';
      transporter.on('clear', () => {
        seen = 'emitted';
      });
      await transporter.sendMail(MESSAGE);
      await eventually(() => !server.open, 'the pool has left');
      for (let turn = 0; turn < 20 && seen === 'never'; turn += 1)
        await new Promise((resolve) => setTimeout(resolve, 5));
      transporter.close();
      return seen;
    },
  },
  {
    what: '`isIdle()` without `pool`',
    nodemailer: 'false',
    plugin: 'true',
    facade: 'true',
    async show(way, { mail }) {
      return `${way.createTransport((await mail()).transport).isIdle()}`;
    },
  },
  {
    what: 'the content of a file that grows while it is sent',
    nodemailer: 'sent',
    plugin: 'sent',
    facade: 'ESTREAM',
    async show(way, { mail }) {
      const { transport } = await mail();
      const path = file(`growing-${way.name}.txt`, 'small');
      const transporter = way.createTransport(transport);
      transporter.use('stream', (_: Any, done: () => void) => {
        file(`growing-${way.name}.txt`, 'larger than before');
        done();
      });
      return transporter.sendMail({ ...MESSAGE, attachments: [{ path }] }).then(
        () => 'sent',
        (error: Any) => error.code,
      );
    },
  },
];
