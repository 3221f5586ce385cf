/** Clients that people have, as they are: what they send arrives, and each documented refusal is told to them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { FROM, mail, mailWithFile, TAGS, TO, USER, useBench } from '../support.ts';
import { CLIENTS, type Sending } from './clients/real-clients.ts';
import { installed, run, useFolders } from './clients/run.ts';

const LARGE = Boolean(process.env['LARGE']);

const TEXT = `Привет! ${TAGS}`;
const CONTENT = mail(
  TEXT,
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit',
);
const WAYS = [
  ['starttls', 'PLAIN'],
  ['starttls', 'LOGIN'],
  ['implicit', 'PLAIN'],
  ['implicit', 'LOGIN'],
] as const;
const ROUTES = ['starttls', 'implicit'] as const;

const REFUSALS: readonly [text: string, stage: string, provoked: Partial<Sending>][] = [
  ['Must authenticate before sending mail', 'mail', { login: false }],
  ['Internal server error', 'data', { to: '554+internal@devinotele.com' }],
  ['Not allowed attachement type zip', 'data', { content: mailWithFile('a.zip') }],
  [
    'Message exceeds fixed size limit',
    'data',
    { content: mail(`${'x'.repeat(70)}\r\n`.repeat(8_000)) },
  ],
  ['Invalid recipient address: a@b.invalid', 'rcpt', { to: 'a@b.invalid' }],
  ['Disallowed source address: a@b.org', 'mail', { from: 'a@b.org' }],
];

const { start } = useBench();
const folder = useFolders();

describe.skipIf(!LARGE).concurrent.each(CLIENTS)('$name', (client) => {
  const ways = client.installed ? test : test.skip;

  ways.each(WAYS)('sends by %s with AUTH %s', async (route, method) => {
    const sandbox = await start();
    const how = { route, method, content: CONTENT };
    const { sent, said } = await client.send(sandbox, how, folder());
    expect(sent, said).toBe(true);
    expect(sandbox.refused).toEqual([]);
    expect(sandbox.inbox.messages).toHaveLength(1);
    const [message] = sandbox.inbox.messages;
    expect(message).toMatchObject({
      from: FROM,
      to: [TO],
      subject: 'Test from smtp',
      secure: true,
      user: USER,
    });
    expect(message?.text?.trimEnd()).toBe(TEXT);
    expect(message?.verdicts.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    const lines = message?.transcript ?? [];
    const commands = lines.filter(({ direction }) => direction === 'client');
    expect(commands.some(({ text }) => text === 'STARTTLS')).toBe(route === 'starttls');
    expect(commands.find(({ text }) => text.startsWith('AUTH '))?.text).toMatch(
      new RegExp(`^AUTH ${method}( <secret>)?$`),
    );
  });

  describe.each(ROUTES)('by %s', (route) => {
    ways.each(REFUSALS)('is told: 554 %s', async (text, stage, provoked) => {
      const sandbox = await start();
      const { sent, said } = await client.send(
        sandbox,
        { route, method: 'LOGIN', content: CONTENT, ...provoked },
        folder(),
      );
      expect(sent).toBe(false);
      expect(said).toContain('554');
      expect(said).toContain(text);
      expect(sandbox.inbox.messages).toEqual([]);
      expect(sandbox.refused.map(({ code, text: refusal }) => `${code} ${refusal}`)).toEqual([
        `554 ${text}`,
      ]);
      expect(sandbox.refused[0]?.stage).toBe(stage);
    });
  });

  ways('does not trust the sandbox without its CA', async () => {
    const [sandbox, other] = [await start(), await start()];
    const place: Sandbox = { ...sandbox, ca: other.ca };
    const { sent } = await client.send(
      place,
      { route: 'starttls', method: 'LOGIN', content: CONTENT },
      folder(),
    );
    expect(sent).toBe(false);
    expect(sandbox.inbox.messages).toEqual([]);
  });
});

// Python from 3.13 asks for what RFC 5280 demands of each certificate; what is older can be told to.
test.skipIf(!LARGE || !installed('python3'))('its certificates are strictly right', async () => {
  const sandbox = await start();
  const place = folder();
  writeFileSync(join(place, 'ca.pem'), sandbox.ca);
  const lines = [
    'import smtplib, ssl',
    'context = ssl.create_default_context(cafile="ca.pem")',
    'context.verify_flags |= ssl.VERIFY_X509_STRICT',
    `with smtplib.SMTP_SSL("${sandbox.host}", ${sandbox.smtps}, context=context) as client:`,
    '    print(client.noop())',
  ];
  const { output } = await run(place, ['python3', '-c', lines.join('\n')]);
  expect(output).toMatch(/^\(250, /);
});
