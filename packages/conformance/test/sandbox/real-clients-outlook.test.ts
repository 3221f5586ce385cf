/**
 * An ordinary mail client, set up as the page's Outlook section says: a server, a port, encryption, login and password.
 * Its author knew nothing of the provider: the sandbox has to take it as it is.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { FROM, TAGS, TO, USER, useBench } from '../support.ts';
import { installed, type Ran, shell, useFolders } from './clients/run.ts';

const LARGE = Boolean(process.env['LARGE']);
const TEXT = `Привет! ${TAGS}`;

const { start } = useBench();
const folder = useFolders();

describe.skipIf(!LARGE || !installed('s-nail')).concurrent('s-nail', () => {
  async function send(sandbox: Sandbox, settings: readonly string[]): Promise<Ran> {
    const place = folder();
    writeFileSync(join(place, 'ca.pem'), sandbox.ca);
    const set = [
      // A message that was not sent is not put into a file.
      ...['v15-compat', 'sendwait', 'nosave', 'ttycharset=utf-8', 'hostname=desktop'],
      ...['smtp-auth=login', `user=${USER}`, 'password=test'],
      ...['tls-ca-file=ca.pem', 'tls-verify=strict', `from=${FROM}`],
      ...settings,
    ];
    const words = set.map((one) => `-S '${one}'`).join(' ');
    return shell(place, `printf '%s\\n' '${TEXT}' | s-nail -:/ ${words} -s 'Проверка связи' ${TO}`);
  }

  test('sends by STARTTLS, with AUTH LOGIN in two steps and a bare name in EHLO', async () => {
    const sandbox = await start();
    const ran = await send(sandbox, [
      `mta=smtp://${sandbox.host}:${sandbox.smtp}`,
      'smtp-use-starttls',
    ]);
    expect(ran).toEqual({ code: 0, output: '' });
    const [message] = sandbox.inbox.messages;
    expect(message).toMatchObject({
      from: FROM,
      to: [TO],
      subject: 'Проверка связи',
      secure: true,
      user: USER,
    });
    expect(message?.text?.trimEnd()).toBe(TEXT);
    const lines = message?.transcript ?? [];
    const said = lines.filter(({ direction }) => direction === 'client');
    expect(said.map(({ text, secure }) => `${secure ? 'TLS' : 'plain'} ${text}`)).toEqual([
      'plain EHLO desktop',
      'plain STARTTLS',
      'TLS EHLO desktop',
      'TLS AUTH LOGIN',
      'TLS <secret>',
      'TLS <secret>',
      `TLS MAIL FROM:<${FROM}>`,
      `TLS RCPT TO:<${TO}>`,
      'TLS DATA',
      `TLS <${message?.size} octets of content>`,
      'TLS .',
    ]);
    expect(lines.filter(({ text }) => text.startsWith('334'))).toHaveLength(2);
  });

  test('sends by TLS from the first octet', async () => {
    const sandbox = await start();
    const ran = await send(sandbox, [`mta=smtps://${sandbox.host}:${sandbox.smtps}`]);
    expect(ran).toEqual({ code: 0, output: '' });
    expect(sandbox.inbox.messages).toMatchObject([{ subject: 'Проверка связи', secure: true }]);
  });

  test.each([
    ['Disallowed source address: a@b.org', 'mail', ['from=a@b.org']],
    ['Must authenticate before sending mail', 'mail', ['smtp-auth=none']],
  ])('shows: 554 %s', async (text, stage, settings) => {
    const sandbox = await start();
    const ran = await send(sandbox, [
      `mta=smtp://${sandbox.host}:${sandbox.smtp}`,
      'smtp-use-starttls',
      ...settings,
    ]);
    expect(ran.code).not.toBe(0);
    expect(ran.output).toContain(`554 ${text}`);
    expect(sandbox.refused).toMatchObject([{ code: 554, text, stage }]);
  });

  test('does not trust the sandbox without its CA', async () => {
    const [sandbox, other] = [await start(), await start()];
    const ran = await send({ ...sandbox, ca: other.ca }, [
      `mta=smtps://${sandbox.host}:${sandbox.smtps}`,
    ]);
    expect(ran.output).toContain('certificate verify failed');
    expect(sandbox.inbox.messages).toEqual([]);
  });
});
