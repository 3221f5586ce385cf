/** What goes wrong at a server, as whoever started the program sees it: exit code, sentences, JSON. */
import { steps } from '@posthorn/conformance';
import { expect, test } from 'vitest';
import { Stopped } from '../src/surroundings.ts';
import {
  type Ended,
  run,
  type Scripted,
  useFolder,
  useSandbox,
  useScripts,
  written,
} from './support.ts';

const scripts = useScripts();
const folder = useFolder();
const WORDS = ['--from', 'a@example.com', '--to', 'b@example.net', '--text', 'Hi'];

const send = ({ env }: Scripted, ...more: readonly string[]): Promise<Ended> =>
  run(['send', ...WORDS, ...more], { env });

test('a recipient that is refused', async () => {
  const served = await scripts.serve({ RCPT: '550 5.1.1 No such user' });
  const { code, err, out } = await send(served);
  expect([code, out]).toEqual([67, '']);
  expect(err).toBe(
    'posthorn: Cannot send RCPT TO:<b@example.net>: server replied 550 5.1.1 No such user\n' +
      'posthorn: refused for b@example.net: 550 5.1.1 No such user\n' +
      'posthorn: The message was refused.\n',
  );
});

test('behind a sender that is refused nothing is said of recipients', async () => {
  const served = await scripts.serve({ MAIL: '550 5.1.8 no', RCPT: '503 5.5.1 MAIL first' });
  const { code, err, out } = await send(served, '--json');
  expect([code, err]).toEqual([77, expect.not.stringContaining('refused for')]);
  expect(JSON.parse(out)).not.toHaveProperty('rejected');
});

test('one of two recipients: nobody gets it, or by choice the other', async () => {
  const answers = { RCPT: steps.match([[/bad@/, '550 5.1.1 No such user']], '250 ok') };
  const nobody = await scripts.serve(answers);
  const first = await send(nobody, '--to', 'bad@example.net', '--json');
  expect([first.code, JSON.parse(first.out)]).toMatchObject([
    67,
    {
      exit: 67,
      delivery: 'rejected',
      rejected: [{ address: 'bad@example.net', reply: { code: 550 } }],
    },
  ]);
  expect(written(nobody.server)).not.toContain('Hi\r\n');
  const other = await scripts.serve(answers);
  const second = await send(other, '--to', 'bad@example.net', '--partial', 'send', '--json');
  // Not what anybody sends again after: that would be to both.
  expect([second.code, JSON.parse(second.out)]).toMatchObject([
    69,
    {
      exit: 69,
      delivery: 'partial',
      accepted: ['b@example.net'],
      rejected: [{ address: 'bad@example.net' }],
    },
  ]);
  expect(written(other.server)).toContain('Hi\r\n');
});

test('a refusal for now is what callers try again after', async () => {
  const { code, out } = await send(
    await scripts.serve({ RCPT: '450 4.2.0 Greylisted, try again in 300 seconds' }),
    '--json',
  );
  expect([code, JSON.parse(out)]).toMatchObject([75, { retry: 'later', retryAfter: 300_000 }]);
});

test('nobody there, and by another code where the settings say so', async () => {
  const env = { POSTHORN_HOST: '127.0.0.1', POSTHORN_PORT: '1', POSTHORN_TLS: 'off' };
  const { code, err } = await run(['send', ...WORDS], { env });
  expect(code).toBe(75);
  expect(err).toMatch(
    /^posthorn: Cannot go on: 127.0.0.1:1: .*ECONNREFUSED.*\nposthorn: The message was not sent.\n$/,
  );
  const other = await run(['send', ...WORDS], {
    env: { ...env, POSTHORN_TEMPORARY_FAILURE: '69' },
  });
  expect(other.code).toBe(69);
});

test('no answer to the content is told apart from everything else', async () => {
  const served = await scripts.serve({ dot: steps.close() });
  const { code, err, out } = await send(served, '--json');
  expect(code).toBe(76);
  expect(err).toContain('it may have been delivered. Do not send it again before you have looked.');
  expect(JSON.parse(out)).toMatchObject({
    exit: 76,
    exitName: 'EX_PROTOCOL',
    delivery: 'unknown',
    retry: 'unknown',
  });
});

test('a connection that is lost before is not', async () => {
  const { code, err } = await send(await scripts.serve({ DATA: steps.close() }));
  expect([code, err]).toEqual([75, expect.stringContaining('The message was not sent.')]);
});

test('a deadline is named by its option', async () => {
  const { code, err } = await send(
    await scripts.play([steps.delay(60_000)]),
    '--timeout',
    'greeting=50',
  );
  expect(code).toBe(75);
  expect(err).toMatch(/the deadline --timeout greeting=… passed; use --tls implicit\?/);
});

test('a server that speaks no SMTP', async () => {
  const served = await scripts.play([steps.send('HTTP/1.1 400 Bad Request')]);
  expect((await send(served)).code).toBe(69);
});

test('8-bit content and a server without 8BITMIME', async () => {
  const served = await scripts.serve({}, ['PIPELINING']);
  const file = folder.file('8bit.eml', 'From: a@example.com\nTo: b@example.net\n\nПривет\n');
  const refused = await run(['send', file], { env: served.env });
  expect([refused.code, refused.err]).toEqual([
    69,
    expect.stringContaining('the server offers no 8BITMIME'),
  ]);
  const sent = await run(['send', file, '--on-unsupported', 'drop'], { env: served.env });
  expect(sent.code).toBe(0);
});

test('a message over SIZE is not begun', async () => {
  const served = await scripts.serve({}, ['SIZE 100']);
  expect([(await send(served)).code, written(served.server)]).toEqual([
    65,
    expect.not.stringContaining('MAIL'),
  ]);
});

test('what a server says cannot move the cursor, or turn the text around', async () => {
  const served = await scripts.serve({ RCPT: '550 \u001b[2J\u00e2\u0080\u00aereversed' });
  const { err } = await send(served, '-v');
  expect(err).toMatch(/550 \ufffd\[2J\ufffdreversed/);
  expect(err.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
});

test('no login goes out without TLS, if it is not asked for', async () => {
  const served = await scripts.serve({}, ['AUTH PLAIN']);
  const env = {
    ...served.env,
    POSTHORN_USER: 'tester@example.com',
    POSTHORN_PASS: 'correct horse battery',
  };
  const refused = await run(['send', ...WORDS, '-v', '--json'], { env });
  expect([refused.code, refused.err]).toEqual([78, expect.stringContaining('PLAIN needs TLS')]);
  const asked = await run(
    ['send', ...WORDS, '-v', '--allow-insecure-auth', '--mechanism', 'login,plain'],
    { env },
  );
  expect(asked.code).toBe(0);
  for (const { out, err } of [refused, asked]) {
    expect(out + err).not.toContain('correct horse battery');
    expect(out + err).not.toContain(
      Buffer.from('\0tester@example.com\0correct horse battery').toString('base64'),
    );
  }
});

test('Ctrl-C before the end is 130, and behind it what is not known', async () => {
  const before = await scripts.play([
    steps.send('220 x'),
    steps.converse({ answers: { RCPT: steps.delay(60_000) } }),
  ]);
  const after = await scripts.serve({ dot: steps.delay(60_000) });
  const stop = async (served: Scripted, when: string): Promise<Ended> => {
    const controller = new AbortController();
    const ended = run(['send', ...WORDS], { env: served.env, signal: controller.signal });
    while (!written(served.server).includes(when))
      await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new Stopped('SIGINT'));
    return ended;
  };
  const first = await stop(before, 'RCPT');
  expect([first.code, first.err]).toEqual([
    130,
    expect.stringContaining('The message was not sent.'),
  ]);
  const second = await stop(after, '\r\n.\r\n');
  expect([second.code, second.err]).toEqual([
    76,
    expect.stringContaining('it may have been delivered'),
  ]);
});

test('Ctrl-C behind the acceptance changes nothing, and is not waited for', async () => {
  const served = await scripts.serve({ QUIT: steps.delay(60_000) });
  const controller = new AbortController();
  const ended = run(['send', ...WORDS, '--timeout', 'quit=60000'], {
    env: served.env,
    signal: controller.signal,
  });
  while (!written(served.server).includes('QUIT'))
    await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Stopped('SIGINT'));
  expect(await ended).toEqual({ code: 0, out: expect.stringContaining('Accepted for'), err: '' });
});

test('Ctrl-C while a pipe is silent', async () => {
  const controller = new AbortController();
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('From: a@example.com\n');
    controller.abort(new Stopped('SIGTERM'));
    await new Promise(() => {});
  }
  const { code, err } = await run(['send', '-'], { stdin: silent(), signal: controller.signal });
  expect([code, err]).toEqual([143, 'posthorn: stopped by SIGTERM\n']);
});

test('a pipe that stays silent is given up', async () => {
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('From: a@example.com\n');
    await new Promise(() => {});
  }
  const { code, err } = await run(['send', '--timeout', 'input=30'], { stdin: silent() });
  expect([code, err]).toEqual([
    74,
    'posthorn: Cannot go on: nothing came from standard input for 30 ms\n',
  ]);
});

test('LMTP is spoken over a Unix domain socket, with an answer for each recipient', async () => {
  const { createServer } = await import('node:net');
  const path = `${folder.path}/lmtp.sock`;
  const lines: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {}).write('220 x\r\n');
    socket.setEncoding('latin1').on('data', (text) => {
      for (const line of String(text).split('\r\n')) {
        lines.push(line);
        if (/^LHLO/.test(line)) socket.write('250-x\r\n250 PIPELINING\r\n');
        else if (/^(MAIL|RCPT|RSET)/.test(line)) socket.write('250 ok\r\n');
        else if (line === 'DATA') socket.write('354 go\r\n');
        else if (line === '.') socket.write('250 delivered\r\n452 4.2.2 full\r\n');
        else if (line === 'QUIT') socket.end('221 bye\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const { code, out } = await run([
      'send',
      ...WORDS,
      '--to',
      'c@example.net',
      '--lmtp',
      '--tls',
      'off',
      '--socket',
      path,
      '--json',
    ]);
    expect(lines[0]).toMatch(/^LHLO /);
    expect([code, JSON.parse(out)]).toMatchObject([
      69,
      {
        delivery: 'partial',
        accepted: ['b@example.net'],
        rejected: [{ address: 'c@example.net' }],
      },
    ]);
  } finally {
    server.close();
  }
});

test("the provider's refusals are explained with its profile", async () => {
  const served = await scripts.serve({ RCPT: '554 Internal server error' });
  const plain = await send(served);
  expect(plain.code).toBe(67);
  const explained = await send(served, '--profile', 'devino', '--tags', 'off', '--json');
  expect([explained.code, JSON.parse(explained.out)]).toMatchObject([
    75,
    { reason: 'server-error' },
  ]);
  expect(explained.err).toContain('posthorn: the provider has trouble: send it later\n');
});

const used = useSandbox({ confirmedSenders: ['noreplay@devinotele.com'] });

test('check tells what a server offers, and a login that is wrong', async () => {
  const right = await run(['check'], { env: used.env });
  expect([right.code, right.err]).toEqual([0, '']);
  expect(right.out).toMatch(/^Greeting {4}220 /m);
  expect(right.out).toMatch(/^TLS {9}yes$/m);
  expect(right.out).toMatch(/^Login {7}accepted$/m);
  expect(right.out).toMatch(/AUTH LOGIN PLAIN/);
  expect(used.sandbox.inbox.messages).toEqual([]);
  const json = await run(['check', '--json'], { env: used.env });
  expect(JSON.parse(json.out)).toMatchObject({
    exit: 0,
    secure: true,
    isLoggedIn: true,
    auth: ['LOGIN', 'PLAIN'],
  });
  const wrong = await run(['check'], { env: { ...used.env, POSTHORN_PASS: 'no' } });
  expect([wrong.code, wrong.err]).toEqual([
    77,
    expect.stringContaining('Cannot authenticate: PLAIN: server replied 535'),
  ]);
  const { POSTHORN_USER: _, POSTHORN_PASS: __, ...env } = used.env;
  expect((await run(['check'], { env })).out).toMatch(/^Login {7}none was tried$/m);
});

test('a sender that is not confirmed', async () => {
  const { code, err } = await run(['send', ...WORDS, '--profile', 'devino', '--tags', 'off'], {
    env: used.env,
  });
  expect(code).toBe(77);
  expect(err).toContain('Disallowed source address');
  expect(err).toContain('posthorn: the provider has to confirm the sender first\n');
});
