import { type ConnectOptions, connect, isSmtpError, type SmtpClient } from '@posthorn/core';
import { attachment, compose } from '@posthorn/mime';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { afterAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../src/index.ts';
import { FROM, left, PASS, TAGS, TO, USER, useBench, within } from './support.ts';

const { start } = useBench();

const SUBJECT = 'Test from smtp: привет';
const TEXT = `Привет! ${TAGS}`;
const HTML = `Привет! <a href="http://www.devinotele.com">Кликни меня</a> ${TAGS}`;
const OTHER = 'second@devinotele.com';
const ROUTES = ['starttls', 'implicit'] as const;
type Route = (typeof ROUTES)[number];

/** What has to be in the inbox after each client has sent the same message. */
const RECEIVED = {
  from: FROM,
  to: [TO, OTHER],
  notSentTo: [OTHER],
  subject: SUBJECT,
  attachments: [],
  secure: true,
  user: USER,
};

const clients: { destroy(): void }[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

describe.concurrent('@posthorn/core with @posthorn/mime', () => {
  async function client(
    sandbox: Sandbox,
    route: Route,
    more: Partial<ConnectOptions> = {},
  ): Promise<SmtpClient> {
    const made = await within(
      connect({
        host: sandbox.host,
        port: route === 'starttls' ? sandbox.smtp : sandbox.smtps,
        tls: route,
        tlsOptions: { ca: sandbox.ca },
        auth: { user: USER, pass: PASS },
        ...more,
      }),
      'connect()',
    );
    clients.push(made);
    return made;
  }

  test.each(ROUTES)('sends by %s what the inbox then holds, octet by octet', async (route) => {
    const sandbox = await start();
    const message = compose({
      from: FROM,
      to: [TO, OTHER],
      subject: SUBJECT,
      text: TEXT,
      html: HTML,
    });
    const smtp = await client(sandbox, route);
    expect(smtp.secure).toBe(true);
    const receipt = await within(smtp.send(message), 'send()');
    const [received] = sandbox.inbox.messages;
    expect(received).toMatchObject(RECEIVED);
    expect(received?.text?.trimEnd()).toBe(TEXT);
    expect(received?.html?.trimEnd()).toBe(HTML);
    expect(received?.size).toBe(message.size);
    expect(receipt.octets).toBe(message.size);
    expect(Buffer.from(received?.raw ?? [])).toEqual(Buffer.from(await message.bytes()));
    expect(receipt.accepted).toEqual([TO, OTHER]);
    expect(receipt.reply.text).toBe(`Ok: queued as ${received?.id}`);
    expect(received?.headers.find(({ name }) => name === 'message-id')?.value).toBe(
      message.messageId,
    );
    await within(smtp.close(), 'close()');
    await left(sandbox);
  });

  test('several messages by one connection', async () => {
    const sandbox = await start();
    const smtp = await client(sandbox, 'implicit');
    const messages = Array.from({ length: 5 }, (_, at) =>
      compose({ from: FROM, to: TO, subject: `${at}`, text: `.${at}\r\n..\r\n.` }),
    );
    await within(Promise.all(messages.map((message) => smtp.send(message))), 'send()');
    expect(sandbox.inbox.messages.map(({ subject, size }) => [subject, size])).toEqual(
      messages.map(({ size }, at) => [`${at}`, size]),
    );
    await within(smtp.close(), 'close()');
  });

  test('sees each documented refusal as it stands', async () => {
    const sandbox = await start();
    const file = attachment('setup.exe', new Uint8Array(3), {
      contentType: 'application/octet-stream',
    });
    const cases = [
      [{ to: '554+internal@devinotele.com' }, 'final', 'Internal server error'],
      [{ attachments: [file] }, 'final', 'Not allowed attachement type exe'],
      [{ text: 'x'.repeat(512_000) }, 'final', 'Message exceeds fixed size limit'],
      [{ to: 'a@b.invalid' }, 'rcpt', 'Invalid recipient address: a@b.invalid'],
      [{ from: 'a@example.com' }, 'mail', 'Disallowed source address: a@example.com'],
    ] as const;
    const smtp = await client(sandbox, 'implicit');
    for (const [more, phase, text] of cases) {
      const message = compose({ from: FROM, to: TO, text: TEXT, ...more });
      const error = await within(
        smtp.send(message).catch((caught: unknown) => caught),
        'send()',
      );
      if (!isSmtpError(error)) throw error;
      expect([error.code, error.phase, error.reply?.code, error.reply?.text]).toEqual([
        'ERR_SMTP_REPLY',
        phase,
        554,
        text,
      ]);
    }
    expect(sandbox.inbox.messages).toEqual([]);
    await within(smtp.close(), 'close()');
  });

  test('without login the sixth, with a wrong password an error of AUTH', async () => {
    const sandbox = await start();
    const anonymous = await client(sandbox, 'starttls', { auth: [] });
    await expect(anonymous.send(compose({ from: FROM, to: TO, text: TEXT }))).rejects.toMatchObject(
      {
        code: 'ERR_SMTP_REPLY',
        phase: 'mail',
        reply: { code: 554, text: 'Must authenticate before sending mail' },
      },
    );
    await within(anonymous.close(), 'close()');
    await expect(
      client(sandbox, 'implicit', { auth: { user: USER, pass: 'wrong' } }),
    ).rejects.toMatchObject({ code: 'ERR_SMTP_AUTH', reply: { code: 535 } });
  });

  test.each(ROUTES)('does not trust the sandbox without its CA, by %s', async (route) => {
    const sandbox = await start();
    await expect(client(sandbox, route, { tlsOptions: {} })).rejects.toMatchObject({
      code: 'ERR_SMTP_TLS',
    });
  });
});

describe.concurrent('nodemailer', () => {
  const LOGIN = { user: USER, pass: PASS };

  function transport(sandbox: Sandbox, route: Route, auth: object | undefined) {
    const made = createTransport({
      host: sandbox.host,
      port: route === 'starttls' ? sandbox.smtp : sandbox.smtps,
      secure: route === 'implicit',
      requireTLS: true,
      connectionTimeout: 10_000,
      socketTimeout: 10_000,
      tls: { ca: sandbox.ca },
      auth,
    });
    clients.push({ destroy: () => made.close() });
    return made;
  }
  const message = { from: FROM, to: [TO, OTHER], subject: SUBJECT, text: TEXT, html: HTML };

  test.each([
    ['starttls', 'PLAIN'],
    ['starttls', 'LOGIN'],
    ['implicit', 'PLAIN'],
    ['implicit', 'LOGIN'],
  ] as const)('sends by %s with AUTH %s', async (route, method) => {
    const sandbox = await start();
    const sending = transport(sandbox, route, { user: USER, pass: PASS, method });
    const info = await within(sending.sendMail(message), 'sendMail()');
    const [received] = sandbox.inbox.messages;
    expect(info.response).toBe(`250 Ok: queued as ${received?.id}`);
    expect(received).toMatchObject(RECEIVED);
    expect(received?.text?.trimEnd()).toBe(TEXT);
    expect(received?.html?.trimEnd()).toBe(HTML);
    expect(received?.size).toBe(received?.raw.length);
  });

  describe.each(ROUTES)('is told each documented refusal as it stands, by %s', (route) => {
    test.each<[string, string, { login?: boolean } & SendMailOptions]>([
      ['Must authenticate before sending mail', 'MAIL FROM', { login: false }],
      ['Internal server error', 'DATA', { to: '554+internal@devinotele.com' }],
      [
        'Not allowed attachement type zip',
        'DATA',
        { attachments: [{ filename: 'a.zip', content: 'x' }] },
      ],
      ['Message exceeds fixed size limit', 'DATA', { text: 'x'.repeat(512_000) }],
      ['Invalid recipient address: a@b.invalid', 'RCPT TO', { to: 'a@b.invalid' }],
      ['Disallowed source address: a@b.org', 'MAIL FROM', { from: 'a@b.org' }],
    ])('%s, at %s', async (text, command, { login = true, ...more }) => {
      const sandbox = await start();
      const sending = transport(sandbox, route, login ? LOGIN : undefined);
      await expect(
        within(sending.sendMail({ ...message, ...more }), 'sendMail()'),
      ).rejects.toMatchObject({ command, response: `554 ${text}`, responseCode: 554 });
      expect(sandbox.inbox.messages).toEqual([]);
    });
  });

  test('is told them where options put them', async () => {
    const sandbox = await start({
      stages: { 'not-authenticated': 'auth', 'sender-not-confirmed': 'data' },
    });
    const sending = transport(sandbox, 'starttls', { user: USER, pass: 'wrong' });
    await expect(within(sending.sendMail(message), 'sendMail()')).rejects.toMatchObject({
      code: 'EAUTH',
      response: '554 Must authenticate before sending mail',
    });
    await expect(
      within(
        transport(sandbox, 'implicit', LOGIN).sendMail({ ...message, from: 'a@b.org' }),
        'sendMail()',
      ),
    ).rejects.toMatchObject({
      command: 'DATA',
      response: '554 Disallowed source address: a@b.org',
    });
  });
});
