/**
 * The page's own .NET program, compiled and run by Mono. Of its text only host and port are replaced. What a compiler
 * needs beside it stands in a file of its own: clients/SmtpClient.cs says why.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Sandbox, SandboxOptions } from '../../src/index.ts';
import { FROM, TO, USER, useBench } from '../support.ts';
import { installed, MONO, type Ran, run, shell, useFolders } from './clients/run.ts';

const LARGE = Boolean(process.env['LARGE']);

const here = (name: string): string => fileURLToPath(new URL(`./clients/${name}`, import.meta.url));
const PROGRAM = readFileSync(here('Program.cs'), 'utf8');
const TEXT = 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>';

const { start } = useBench();
const folder = useFolders();

/** Replaces what is there once. */
function replaced(text: string, was: string, is: string): string {
  const parts = text.split(was);
  if (parts.length !== 2) throw new Error(`${was} is there ${parts.length - 1} times`);
  return parts.join(is);
}

interface How extends SandboxOptions {
  /** What else is changed in the program. */
  readonly change?: (program: string) => string;
  /** Whether Mono is told to trust the sandbox; default true. */
  readonly trusted?: boolean;
}

/** Compiles the program for a sandbox of its own, and runs it. */
async function play({ change = (text) => text, trusted = true, ...options }: How = {}): Promise<{
  readonly sandbox: Sandbox;
  readonly ran: Ran;
}> {
  const sandbox = await start({ legacyTls: true, ...options });
  const place = folder();
  const named = replaced(PROGRAM, '"integrationapi.net"', `"${sandbox.host}"`);
  const program = replaced(named, 'Port = 587', `Port = ${sandbox.smtp}`);
  writeFileSync(join(place, 'Program.cs'), change(program));
  copyFileSync(here('SmtpClient.cs'), join(place, 'SmtpClient.cs'));
  const compiled = await run(place, ['mcs', 'Program.cs', 'SmtpClient.cs']);
  expect(compiled).toMatchObject({ code: 0 });
  if (trusted) await trust(place, sandbox.ca);
  return { sandbox, ran: await run(place, ['mono', 'Program.exe'], MONO) };
}

/** Mono looks for a CA by the hash of its name, in a folder below its user's home. */
async function trust(home: string, ca: string): Promise<void> {
  const store = join(home, '.config/.mono/new-certs/Trust');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, 'ca.pem'), ca);
  const { code, output } = await shell(
    store,
    'mv ca.pem "$(openssl x509 -hash -noout -in ca.pem).0"',
  );
  expect([code, output]).toEqual([0, '']);
}

/** The program swallows what goes wrong; this one says it. */
const saying = (program: string): string =>
  replaced(program, 'Trace.TraceError(ex.Message);', 'Console.Error.WriteLine(ex);');

test("the program is the page's, from its first line to its last", () => {
  expect(PROGRAM.startsWith('                using System;\n')).toBe(true);
  expect(PROGRAM.endsWith('\n                }\n')).toBe(true);
  expect(PROGRAM).toContain('smtpClient.Credentials = new NetworkCredential("1website", "test");');
  expect(PROGRAM).toContain(TEXT.replaceAll('"', '\\"'));
});

describe
  .skipIf(!LARGE || !installed('mcs', 'mono', 'openssl'))
  .concurrent('by Mono', { timeout: 60_000 }, () => {
    test('it is accepted, with two warnings for the tags that it lacks', async () => {
      const { sandbox, ran } = await play();
      expect(ran.output).toBe('');
      expect(sandbox.refused).toEqual([]);
      expect(sandbox.inbox.messages).toHaveLength(1);
      const [message] = sandbox.inbox.messages;
      expect(message).toMatchObject({
        from: FROM,
        to: [TO],
        subject: 'Test from smtp',
        text: TEXT,
        secure: true,
        user: USER,
        state: 'Delivered',
      });
      const warnings = message?.verdicts.filter(({ outcome }) => outcome !== 'pass');
      expect(warnings?.map(({ rule, outcome, detail }) => [rule, outcome, detail])).toEqual([
        ['tags', 'warn', 'the text has no [Unsubscribe]'],
        ['tags', 'warn', 'the text has no [WebVersion]'],
      ]);
      // Two steps, without an initial response.
      const said = message?.transcript.map(({ direction, text }) => `${direction} ${text}`);
      expect(said).toContain('client AUTH LOGIN');

      const page = await fetch(`${sandbox.url}/messages/${message?.id}`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('Привет!');
    });

    test('it is refused where the tags are demanded, and says nothing of it', async () => {
      const { sandbox, ran } = await play({ tags: 'reject' });
      expect(ran.output).toBe('');
      expect(sandbox.inbox.messages).toEqual([]);
      expect(sandbox.refused).toMatchObject([
        {
          stage: 'data',
          code: 554,
          text: 'Transaction failed: the text has no [Unsubscribe]',
          from: FROM,
          to: [TO],
        },
      ]);
    });

    test.each<[string, string, (program: string) => string, SandboxOptions?]>([
      [
        'Transaction failed: the text has no [Unsubscribe]',
        'data',
        (program) => program,
        { tags: 'reject' },
      ],
      [
        'Must authenticate before sending mail',
        'mail',
        (program) => program.replace(/smtpClient\.Credentials = .*;/, ''),
      ],
      [
        'Internal server error',
        'data',
        (program) => replaced(program, '"test@devinotele.com"', '"554+internal@devinotele.com"'),
      ],
      [
        'Not allowed attachement type exe',
        'data',
        (program) =>
          replaced(
            program,
            'smtpClient.Send(message);',
            'message.Attachments.Add(new Attachment("Program.exe")); smtpClient.Send(message);',
          ),
      ],
      [
        'Message exceeds fixed size limit',
        'data',
        (program) => replaced(program, 'Body = messageText', "Body = new String('x', 600000)"),
      ],
      [
        'Disallowed source address: a@b.org',
        'mail',
        (program) => replaced(program, '"noreplay@devinotele.com"', '"a@b.org"'),
      ],
    ])('a variant that says what goes wrong: %s', async (text, stage, change, options) => {
      const { sandbox, ran } = await play({
        change: (program) => change(saying(program)),
        ...options,
      });
      expect(ran.output).toContain('System.Net.Mail.SmtpException');
      expect(ran.output).toContain(text);
      expect(sandbox.inbox.messages).toEqual([]);
      expect(sandbox.refused).toMatchObject([{ code: 554, text, stage }]);
    });

    // Of a refused recipient Mono keeps the code, and not the text.
    test('a variant that says what goes wrong: Invalid recipient address', async () => {
      const { sandbox, ran } = await play({
        change: (program) =>
          replaced(
            replaced(program, '"test@devinotele.com"', '"a@b.invalid"'),
            'Trace.TraceError(ex.Message);',
            `foreach (var one in ((SmtpFailedRecipientsException)ex).InnerExceptions)
             Console.Error.WriteLine("{0} {1}", (int)one.StatusCode, one.FailedRecipient);`,
          ),
      });
      expect(ran.output).toMatch(/^554 <?a@b\.invalid>?\n$/);
      expect(sandbox.inbox.messages).toEqual([]);
      expect(sandbox.refused).toMatchObject([
        { code: 554, text: 'Invalid recipient address: a@b.invalid', stage: 'rcpt' },
      ]);
    });

    test('it is not trusted without its CA', async () => {
      const { sandbox, ran } = await play({ change: saying, trusted: false });
      expect(ran.output).toContain('CERTIFICATE_VERIFY_FAILED');
      expect(sandbox.inbox.messages).toEqual([]);
    });

    test('without legacyTls there is no version of TLS that both speak', async () => {
      const { sandbox, ran } = await play({ change: saying, legacyTls: false });
      expect(ran.output).toContain('MonoBtlsException');
      expect(sandbox.inbox.messages).toEqual([]);
    });

    test('it is accepted when it is run as docs/provider-set-up.md says', async () => {
      const text = readFileSync(here('../../../../../docs/provider-set-up.md'), 'utf8');
      const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
      const [commands = ''] = blocks.filter((code) => code.includes('mcs '));
      const sandbox = await start({ legacyTls: true });
      const place = folder();
      const program = PROGRAM.replace('integrationapi.net', 'localhost');
      writeFileSync(join(place, 'Program.cs'), program.replace('587', `${sandbox.smtp}`));
      const { output } = await shell(
        place,
        replaced(
          commands,
          'curl -o ca.pem http://localhost:2580',
          `curl -fsSo ca.pem ${sandbox.url}`,
        ),
        MONO,
      );
      expect(output).not.toContain('error');
      expect(sandbox.inbox.messages).toMatchObject([{ text: TEXT }]);
    });

    test('without the second file the compiler refuses it, as the document says', async () => {
      const place = folder();
      writeFileSync(join(place, 'Program.cs'), PROGRAM);
      const { code, output } = await run(place, ['mcs', 'Program.cs']);
      expect(code).toBe(1);
      expect(output).toContain('error CS0118');
    });
  });
