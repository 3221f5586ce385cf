/** What probe() finds, what it leaves alone, and how it ends with servers that do not behave. */
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type ProbeOptions, type ProbeReport, probe } from '../../src/probe/probe.ts';
import type { SandboxOptions } from '../../src/sandbox/options.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { CREDENTIALS } from '../../src/server/credentials.ts';
import { good, honest, implicit, type ServerPlan, script } from '../../src/server/plan.ts';
import type { PlayServer } from '../../src/server/start-server.ts';
import {
  close,
  drain,
  flood,
  expect as line,
  nth,
  raw,
  type Step,
  send,
  silence,
  starttls,
  type TlsSituation,
} from '../../src/server/steps.ts';
import type { Delivery } from '../../src/server/wire-log.ts';
import { marks, saidBy, useBench } from '../server/bench.ts';
import { until } from '../server/plain-client.ts';

const { user, pass } = CREDENTIALS;
/** What may not be seen where a password may not. */
const SECRETS = [
  pass,
  ...[pass, `\0${user}\0${pass}`].map((text) => Buffer.from(text).toString('base64')),
];

// smtp-server greets each connection 100 ms late, and servers that hang take their time: they run at once.
vi.setConfig({ maxConcurrency: 12 });
const bench = useBench('file');
const sandboxes: Sandbox[] = [];
afterAll(() => Promise.all(sandboxes.map((sandbox) => sandbox.close())));

/** What is asked, of a server on this machine. */
const at = (port: number, options: Partial<ProbeOptions> = {}): ProbeOptions => ({
  host: '127.0.0.1',
  port,
  tls: 'auto',
  timeout: 6_000,
  ca: bench.ca,
  signal: new AbortController().signal,
  ...options,
});
const LOGIN: Partial<ProbeOptions> = { user, pass };
const ALL: Partial<ProbeOptions> = {
  ...LOGIN,
  from: 'sender@example.com',
  to: 'recipient@example.org',
};

interface Looked {
  readonly server: PlayServer;
  readonly report: ProbeReport;
  /** All that was said to the server, in TLS and outside. */
  readonly said: string;
}

async function look(
  plan: ServerPlan,
  options: Partial<ProbeOptions> = {},
  delivery: Delivery = 'whole',
): Promise<Looked> {
  const server = await bench.play(plan, { delivery });
  const report = await probe(at(server.port, options));
  return { server, report, said: saidBy('client', server).join('') };
}

/** The error that a probe ends with, and the ms that it took. */
async function failing(
  plan: readonly Step[] | ServerPlan,
  options: Partial<ProbeOptions> = {},
): Promise<{ readonly error: Error; readonly took: number; readonly server: PlayServer }> {
  const server = await bench.play(plan);
  const started = performance.now();
  const error = await probe(at(server.port, options)).then(
    (report) => new Error(`it ended well: ${JSON.stringify(report)}`),
    (reason: Error) => reason,
  );
  const took = performance.now() - started;
  await until(() => server.open === 0, 'the probe to have left');
  expect([error.name, server.errors]).toEqual(['ProbeError', []]);
  expect(error.message).toContain(`127.0.0.1:${server.port}: `);
  return { error, took, server };
}

/** A server with STARTTLS and AUTH that has these answers. */
const secured = (
  answers: Record<string, string | Step | readonly Step[]> = {},
  keywords = ['AUTH PLAIN'],
) => good({ offers: ['SIZE 1000'], secure: ['SIZE 1000', ...keywords], answers });
const verbs = (said: string): string[] => said.match(/^[A-Z]{4}\w*/gm) ?? [];

describe('what is offered', () => {
  test.concurrent.each<Delivery>(['whole', 'line', 'byte'])(
    'STARTTLS, delivery %s',
    async (delivery) => {
      const { report, said, server } = await look(
        good({
          offers: ['SIZE 1000', '8BITMIME'],
          secure: ['SIZE 2000', 'AUTH PLAIN LOGIN', 'LIMITS RCPTMAX=5 MAILMAX=1'],
        }),
        {},
        delivery,
      );
      expect(report).toMatchObject({
        host: '127.0.0.1',
        port: server.port,
        greeting: '220 mail.example.com ESMTP',
        mode: 'starttls',
        plain: ['STARTTLS', 'SIZE 1000', '8BITMIME'],
        secure: ['SIZE 2000', 'AUTH PLAIN LOGIN', 'LIMITS RCPTMAX=5 MAILMAX=1'],
        auth: ['PLAIN', 'LOGIN'],
        size: 2_000,
        limits: 'RCPTMAX=5 MAILMAX=1',
        refusals: [],
        problems: [],
      });
      expect(report.tls).toMatchObject({
        protocol: 'TLSv1.3',
        trusted: true,
        subject: 'CN=localhost',
      });
      expect(report.tls?.names).toContain('DNS:localhost');
      expect(report.tls?.cipher).toMatch(/^TLS_/);
      expect(Date.parse(report.tls?.validTo ?? '')).toBeGreaterThan(Date.now());
      expect(report.tls).not.toHaveProperty('why');
      expect(report).not.toHaveProperty('login');
      expect(verbs(said)).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'QUIT']);
    },
  );

  test.concurrent('TLS from the first octet', async () => {
    const { report, said } = await look(implicit(good({ offers: ['AUTH LOGIN'] })), {
      tls: 'implicit',
    });
    expect(report).toMatchObject({
      mode: 'implicit',
      plain: [],
      secure: ['AUTH LOGIN'],
      auth: ['LOGIN'],
      tls: { trusted: true },
    });
    expect(report).not.toHaveProperty('size');
    expect(verbs(said)).toEqual(['EHLO', 'QUIT']);
  });

  test.concurrent('no TLS, where there is none', async () => {
    const { report } = await look(good({ offers: ['SIZE'] }));
    expect(report).toMatchObject({
      mode: 'none',
      plain: ['SIZE'],
      secure: [],
      auth: [],
      size: 0,
      problems: [],
    });
    expect(report).not.toHaveProperty('tls');
  });

  test.concurrent('no TLS, where none is wanted', async () => {
    const { report, said } = await look(secured(), { tls: 'off' });
    expect([report.mode, report.problems, verbs(said)]).toEqual(['none', [], ['EHLO', 'QUIT']]);
  });

  test.concurrent('the server name is that of the host, and none for an address', async () => {
    const server = await bench.play(secured());
    expect((await probe(at(server.port, { host: 'localhost' }))).tls?.trusted).toBe(true);
    expect((await probe(at(server.port))).tls?.trusted).toBe(true);
    const names = [0, 1].map((one) => marks(server, one).find(({ who }) => who === 'tls'));
    expect(names).toMatchObject([{ servername: 'localhost' }, { servername: undefined }]);
  });

  test.concurrent.each([
    [
      'STARTTLS that is not offered',
      good(),
      { tls: 'starttls' } as const,
      'STARTTLS is not offered',
    ],
    [
      'STARTTLS that is refused',
      secured({ STARTTLS: '454-4.7.0 not\n454 4.7.0 now' }),
      {},
      'STARTTLS is offered and answered 454 4.7.0 not 4.7.0 now',
    ],
  ])('%s is a problem', async (_what, plan, options, problem) => {
    const { report, said } = await look(plan, { ...options, ...LOGIN });
    expect(report.mode).toBe('none');
    expect(report.problems).toEqual([problem, 'no credentials are sent outside TLS']);
    expect(said).not.toContain('AUTH');
  });

  test.concurrent('a server that knows no EHLO is asked by HELO', async () => {
    const { report, said } = await look(good({ answers: { EHLO: '502 5.5.1 no' } }));
    expect(report).toMatchObject({ mode: 'none', plain: [], auth: [], problems: [] });
    expect(verbs(said)).toEqual(['EHLO', 'HELO', 'QUIT']);
  });

  test.concurrent('keywords of old and of odd forms are read', async () => {
    const { report } = await look(
      implicit(good({ offers: ['size=512000', 'AUTH=LOGIN PLAIN', 'XSIZE 5', 'limits'] })),
      { tls: 'implicit' },
    );
    expect(report).toMatchObject({ size: 512_000, auth: ['LOGIN', 'PLAIN'], limits: '' });
  });

  test.concurrent('what is behind the reply to STARTTLS, outside TLS, is a problem and no reply', async () => {
    const injected = '250-evil.example\r\n250 AUTH PLAIN\r\n';
    const { report, said } = await look(
      secured({ STARTTLS: [raw(`220 go\r\n${injected}`, true), starttls()] }, ['8BITMIME']),
      LOGIN,
    );
    expect(report.secure).toEqual(['SIZE 1000', '8BITMIME']);
    expect(report.problems[0]).toBe(
      `${injected.length} character(s) behind the reply to STARTTLS, outside TLS`,
    );
    expect(said).not.toContain('AUTH');
  });

  test.concurrent('text in UTF-8 is read, however it is cut', async () => {
    const text = Buffer.from('Привет, мир').toString('latin1');
    const { report } = await look(
      script(send(`220 ${text}`), ...good().scripts.flat().slice(1)),
      {},
      'byte',
    );
    expect(report.greeting).toBe('220 Привет, мир');
  });
});

describe('certificates', () => {
  const BAD: readonly (readonly [TlsSituation, RegExp])[] = [
    ['wrong-host', /ALTNAME_INVALID/],
    ['expired', /CERT_HAS_EXPIRED/],
    ['self-signed', /SELF_SIGNED/],
    ['unknown-ca', /UNABLE_TO|SIGNATURE/],
    ['no-san', /ALTNAME_INVALID/],
  ];
  const ways = (
    situation: TlsSituation,
  ): readonly (readonly [ServerPlan, Partial<ProbeOptions>])[] => [
    [
      good({
        secure: ['AUTH PLAIN'],
        answers: { STARTTLS: [send('220 go'), starttls(situation)] },
      }),
      {},
    ],
    [implicit(good({ offers: ['AUTH PLAIN'] }), situation), { tls: 'implicit' }],
  ];

  test.concurrent.each(BAD)('%s is told, and no credentials go there', async (situation, why) => {
    for (const [plan, options] of ways(situation)) {
      const { report, said } = await look(plan, { ...ALL, ...options, send: true });
      expect(report.tls).toMatchObject({ trusted: false, why: expect.stringMatching(why) });
      expect(report.problems).toEqual([
        'no credentials are sent to a server whose certificate is not trusted',
      ]);
      expect(report).not.toHaveProperty('login');
      expect(said).not.toMatch(/AUTH|DATA/);
      for (const secret of SECRETS) expect(said).not.toContain(secret);
    }
  });

  test.concurrent.each(BAD)(
    '%s: insecure gives the credentials all the same',
    async (situation) => {
      for (const [plan, options] of ways(situation)) {
        const { report, said } = await look(plan, { ...LOGIN, ...options, insecure: true });
        expect(report.tls?.trusted).toBe(false);
        expect([report.login?.code, report.problems]).toEqual([235, []]);
        expect(said).toContain(`AUTH PLAIN ${SECRETS[2]}\r\n`);
      }
    },
  );

  test.concurrent('outside TLS no credentials go out, be it insecure', async () => {
    for (const plan of [
      good({ offers: ['AUTH PLAIN LOGIN'] }),
      honest({ auth: ['PLAIN', 'LOGIN'] }),
      secured({ STARTTLS: '454 no' }),
    ]) {
      const { report, said } = await look(plan, { ...ALL, insecure: true, send: true });
      expect(report.problems).toContain('no credentials are sent outside TLS');
      expect(said).not.toMatch(/AUTH|DATA/);
      for (const secret of SECRETS) expect(said).not.toContain(secret);
    }
  });

  test.concurrent('without certificates to trust, those of the runtime are meant', async () => {
    const { report } = await look(secured(), { ca: undefined });
    expect(report.tls).toMatchObject({
      trusted: false,
      why: expect.stringMatching(/UNABLE|SELF_SIGNED/),
    });
  });
});

describe('the login', () => {
  test.concurrent.each([
    ['PLAIN', ['AUTH LOGIN PLAIN'], 'PLAIN'],
    ['plain in lower case', ['AUTH plain'], 'PLAIN'],
    ['LOGIN, where there is no PLAIN', ['AUTH CRAM-MD5 LOGIN'], 'LOGIN'],
  ])('by %s', async (_what, keywords, mechanism) => {
    const { report, said } = await look(secured({}, keywords), LOGIN);
    expect(report.login).toEqual({ mechanism, code: 235, text: '2.7.0 welcome' });
    expect(said.match(/^AUTH \w+/gm)).toEqual([`AUTH ${mechanism}`]);
  });

  test.concurrent('by neither is a problem', async () => {
    const { report, said } = await look(secured({}, ['AUTH CRAM-MD5']), LOGIN);
    expect(report.problems).toEqual(['neither AUTH PLAIN nor AUTH LOGIN is offered: CRAM-MD5']);
    expect(said).not.toContain('AUTH');
    const none = await look(secured({}, []), LOGIN);
    expect(none.report.problems).toEqual([
      'neither AUTH PLAIN nor AUTH LOGIN is offered: nothing is',
    ]);
  });

  test.concurrent.each([['AUTH PLAIN'], ['AUTH LOGIN']])(
    'that fails is told, and nothing is tried behind it: %s',
    async (keyword) => {
      const { report, said } = await look(secured({}, [keyword]), { ...ALL, pass: 'another' });
      expect(report.login).toMatchObject({ code: 535 });
      expect(report.refusals.map(({ reason }) => reason)).toEqual(['not-authenticated']);
      expect(said.match(/^MAIL/gm)).toHaveLength(1);
      expect(said).not.toContain('DATA');
    },
  );

  test.concurrent('a server that leaves behind its last reply is reported all the same', async () => {
    const { report } = await look(
      secured({ AUTH: [send('421 4.7.0 bye'), close('reset')] }),
      LOGIN,
    );
    expect(report).toMatchObject({
      login: { code: 421 },
      tls: { trusted: true, subject: 'CN=localhost' },
    });
  });

  test.concurrent('LOGIN stops at the user where that is refused', async () => {
    const { report, said } = await look(
      secured({ AUTH: [send('334 VXNlcm5hbWU6'), line(/./), send('535 5.7.8 no')] }, [
        'AUTH LOGIN',
      ]),
      LOGIN,
    );
    expect(report.login).toEqual({ mechanism: 'LOGIN', code: 535, text: '5.7.8 no' });
    for (const secret of SECRETS) expect(said).not.toContain(secret);
  });
});

describe('refusals, by the sandbox', () => {
  const provider = async (options: SandboxOptions = {}): Promise<Sandbox> => {
    const sandbox = await startSandbox(options);
    sandboxes.push(sandbox);
    return sandbox;
  };
  const asked: Partial<ProbeOptions> = {
    host: 'localhost',
    user: '1website',
    pass: 'test',
    from: 'noreplay@devinotele.com',
    to: 'test@devinotele.com',
  };
  const told = ({ refusals }: ProbeReport): Record<string, unknown> =>
    Object.fromEntries(
      refusals.map(({ reason, code, documented }) => [reason, [code, documented]]),
    );

  test.concurrent('by STARTTLS: those that need no message are found, and none is sent', async () => {
    const sandbox = await provider({ stages: { 'too-large': 'mail' } });
    const report = await probe(at(sandbox.smtp, { ...asked, ca: sandbox.ca }));
    expect(report).toMatchObject({
      mode: 'starttls',
      tls: { trusted: true },
      login: { mechanism: 'PLAIN', code: 235 },
      problems: [],
    });
    expect(report.plain).toContain('STARTTLS');
    expect(report.secure).not.toContain('STARTTLS');
    expect(told(report)).toEqual({
      'not-authenticated': [554, true],
      'sender-not-confirmed': [554, true],
      'invalid-recipient': [554, true],
      'too-large': [554, true],
      'server-error': [undefined, false],
      'attachment-type': [undefined, false],
    });
    expect(report.refusals.find(({ reason }) => reason === 'attachment-type')?.why).toBe(
      'nothing is sent without --send',
    );
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test.concurrent('under TLS from the first octet, with a prefix and enhanced codes, as its own authority', async () => {
    const sandbox = await provider({ prefix: 'Transaction failed: ', enhancedStatusCodes: true });
    const report = await probe(at(sandbox.smtps, { ...asked, tls: 'implicit', ca: sandbox.ca }));
    expect([report.mode, report.login?.code]).toEqual(['implicit', 235]);
    expect(told(report)).toMatchObject({
      'not-authenticated': [554, true],
      'sender-not-confirmed': [554, true],
      'invalid-recipient': [554, true],
      // It is given behind the content here.
      'too-large': [250, false],
    });
    expect(report.refusals[1]?.text).toBe(
      '5.7.1 Transaction failed: Disallowed source address: nobody@domain.invalid',
    );
  });

  test.concurrent('with send a message with a file is refused as documented', async () => {
    const sandbox = await provider();
    const report = await probe(at(sandbox.smtp, { ...asked, ca: sandbox.ca, send: true }));
    expect(report.refusals.at(-1)).toMatchObject({
      reason: 'attachment-type',
      by: 'a message with a file .exe',
      code: 554,
      text: 'Not allowed attachement type exe',
      documented: true,
    });
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test.concurrent('with send one message arrives where files are allowed', async () => {
    const sandbox = await provider({ profile: '2016' });
    const other = await probe(at(sandbox.smtp, { ...asked, ca: sandbox.ca }));
    expect(told(other)['attachment-type']).toEqual([undefined, false]);
    const report = await probe(
      at(sandbox.smtp, { ...asked, ca: sandbox.ca, send: true, to: 'someone@devinotele.com' }),
    );
    // By the rules of 2016 an .exe is refused too.
    expect(told(report)['attachment-type']).toEqual([554, true]);
  });

  test.concurrent('a wrong password is told', async () => {
    const sandbox = await provider({ stages: { 'not-authenticated': 'auth' } });
    const report = await probe(at(sandbox.smtp, { ...asked, ca: sandbox.ca, pass: 'wrong' }));
    expect(report.login).toEqual({
      mechanism: 'PLAIN',
      code: 554,
      text: 'Must authenticate before sending mail',
    });
  });

  test.concurrent('an authority that is not known is not trusted, and gets nothing', async () => {
    const sandbox = await provider();
    const report = await probe(at(sandbox.smtp, asked));
    expect(report.tls?.trusted).toBe(false);
    expect(report.problems).toHaveLength(1);
    expect(told(report)).toEqual({ 'not-authenticated': [554, true] });
  });
});

describe('what is sent', () => {
  test.concurrent('nothing without send: each transaction ends by RSET before DATA', async () => {
    const { report, said } = await look(secured(), ALL);
    expect(said).not.toMatch(/DATA|BDAT|Subject/);
    expect(said.match(/^MAIL/gm)).toHaveLength(4);
    expect(said.match(/^RSET/gm)).toHaveLength(4);
    expect(said).toMatch(/QUIT\r\n$/);
    // A server that takes everything gives no documented refusal.
    expect(report.refusals.filter(({ documented }) => documented)).toEqual([]);
    expect(report.refusals.map(({ code }) => code)).toEqual([
      250,
      250,
      250,
      250,
      undefined,
      undefined,
    ]);
  });

  test.concurrent('one message with send, from and to as they were given', async () => {
    const { report, server, said } = await look(secured({ dot: '250 2.0.0 queued' }), {
      ...ALL,
      send: true,
    });
    expect(said.match(/^DATA\r\n/gm)).toHaveLength(1);
    expect(said.match(/^\.\r\n/gm)).toHaveLength(1);
    const message = said.slice(said.indexOf('DATA\r\n') + 6, said.indexOf('\r\n.\r\n'));
    expect(message).toMatch(/^From: <sender@example\.com>\r\nTo: <recipient@example\.org>\r\n/);
    expect(message).toContain('filename="probe.exe"');
    expect(message.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(said).toMatch(
      /MAIL FROM:<sender@example\.com>\r\nRCPT TO:<recipient@example\.org>\r\nDATA\r\n/,
    );
    expect(report.refusals.at(-1)).toMatchObject({
      code: 250,
      text: '2.0.0 queued',
      documented: false,
    });
    expect(server.findings).toEqual([]);
  });

  test.concurrent.each([
    ['MAIL', { MAIL: nth('250 ok', '250 ok', '250 ok', '250 ok', '554 Internal server error') }],
    ['RCPT', { RCPT: nth('250 ok', '250 ok', '554 no') }],
    ['DATA', { DATA: '554 no' }],
  ])('none where %s is refused', async (_verb, answers) => {
    const { report, said } = await look(secured(answers), { ...ALL, send: true });
    expect(report.refusals.at(-1)).toMatchObject({ reason: 'attachment-type', code: 554 });
    expect(said).not.toContain('Subject');
    expect(said).toMatch(/RSET\r\nQUIT\r\n$/);
  });

  test.concurrent('not without from and to, and what is not tried says why', async () => {
    const { report, said } = await look(secured(), { ...LOGIN, send: true });
    expect(said).not.toContain('DATA');
    expect(report.refusals.map(({ reason, why }) => [reason, why])).toEqual([
      ['not-authenticated', undefined],
      ['sender-not-confirmed', undefined],
      ['invalid-recipient', '--from names none'],
      ['too-large', '--from names none'],
      ['server-error', 'nobody can ask for it'],
      ['attachment-type', '--send needs --from and --to'],
    ]);
  });

  test.concurrent('nothing is tried without credentials', async () => {
    const { report, said } = await look(secured(), { from: 'a@b', to: 'c@d', send: true });
    expect([report.refusals, said.includes('MAIL')]).toEqual([[], false]);
  });
});

describe('passwords', () => {
  const shown = (report: unknown): string => JSON.stringify(report);

  test.concurrent('stand nowhere in a report', async () => {
    for (const keyword of ['AUTH PLAIN', 'AUTH LOGIN']) {
      const { report } = await look(secured({}, [keyword]), { ...ALL, send: true });
      expect(report.login?.code).toBe(235);
      for (const secret of SECRETS) expect(shown(report)).not.toContain(secret);
    }
  });

  test.concurrent('nor where the server repeats what it was told', async () => {
    const echo = SECRETS.join(' ');
    const { report } = await look(
      secured({ AUTH: `235-${echo}\n235 ${echo}`, RCPT: `550 you, ${echo}` }),
      { ...ALL },
    );
    expect(report.login).toEqual({ mechanism: 'PLAIN', code: 235, text: '… … … … … …' });
    expect(report.refusals[1]?.text).toBe('you, … … …');
    for (const secret of SECRETS) expect(shown(report)).not.toContain(secret);
  });

  test.concurrent('nor in an error, be it cut off in the middle', async () => {
    for (const before of ['', 'x'.repeat(70)]) {
      const { error } = await failing(
        secured({ AUTH: raw(`${before}${SECRETS[2]} what?\r\n`) }),
        LOGIN,
      );
      expect(error.message).toContain('AUTH PLAIN: this is no reply');
      for (const secret of SECRETS) expect(error.message).not.toContain(secret.slice(0, 8));
    }
  });
});

describe('servers that hang', () => {
  const TIMEOUT = 250;
  type Hang = [when: string, stage: string, readonly Step[] | ServerPlan, Partial<ProbeOptions>?];
  const HANGS: readonly Hang[] = [
    ['the greeting', 'the greeting', [drain()]],
    ['half a greeting', 'the greeting', [raw('220 hel'), drain()]],
    ['a greeting without an end', 'the greeting', [send('220-hello'), drain()]],
    ['EHLO', 'EHLO probe.invalid', good({ answers: { EHLO: silence() } })],
    ['HELO', 'HELO probe.invalid', good({ answers: { EHLO: '500 no', HELO: silence() } })],
    ['STARTTLS', 'STARTTLS', secured({ STARTTLS: silence() })],
    [
      'the handshake',
      'the TLS handshake',
      secured({ STARTTLS: [send('220 go'), starttls('stall'), drain()] }),
    ],
    ['TLS from the first octet', 'the TLS handshake', [drain()], { tls: 'implicit' }],
    ['the greeting under TLS', 'the greeting', implicit(script(drain())), { tls: 'implicit' }],
    [
      'EHLO under TLS',
      'EHLO probe.invalid',
      secured({ EHLO: nth('250-a\n250 STARTTLS', silence()) }),
    ],
    ['MAIL', 'MAIL FROM:<sender@example.com>', secured({ MAIL: silence() })],
    ['RSET', 'RSET', secured({ RSET: silence() })],
    ['AUTH PLAIN', 'AUTH PLAIN', secured({ AUTH: silence() })],
    ['AUTH LOGIN', 'AUTH LOGIN', secured({ AUTH: silence() }, ['AUTH LOGIN'])],
    ['the user', 'the user name', secured({ AUTH: [send('334 '), drain()] }, ['AUTH LOGIN'])],
    [
      'the password',
      'the password',
      secured({ AUTH: [send('334 '), line(/./), send('334 '), drain()] }, ['AUTH LOGIN']),
    ],
    ['RCPT', 'RCPT TO:<recipient@example.org>', secured({ RCPT: silence() })],
    ['DATA', 'DATA', secured({ DATA: silence() })],
    ['the message', 'the message', secured({ dot: silence() })],
  ];

  test.concurrent.each(HANGS)(
    'at %s end it in time, and the error says where',
    async (_when, stage, plan, options) => {
      const { error, took } = await failing(plan, {
        ...ALL,
        send: true,
        timeout: TIMEOUT,
        ...options,
      });
      expect(error.message).toMatch(
        stage === 'the greeting' && options?.tls !== 'implicit'
          ? /: nothing came within 250 ms; does it speak TLS at once \(--tls implicit\)\?$/
          : /: nothing came within 250 ms$/,
      );
      expect(error.message).toContain(`: ${stage}: `);
      expect(took).toBeGreaterThan(TIMEOUT - 5);
      expect(took).toBeLessThan(4_000);
      for (const secret of SECRETS) expect(error.message).not.toContain(secret);
    },
  );

  test.concurrent('at QUIT alone are reported', async () => {
    const { report, server } = await look(good({ answers: { QUIT: silence() } }), {
      timeout: TIMEOUT,
    });
    expect(report.mode).toBe('none');
    await until(() => server.open === 0, 'the probe to have left');
  });
});

describe('servers that do not behave', () => {
  const ENDLESS = 200_000;
  /** Octets that a server has written on its first connection. */
  const written = (server: PlayServer): number =>
    (server.logs[0]?.events ?? [])
      .map((event) => (event.who === 'server' ? event.text.length + (event.omitted ?? 0) : 0))
      .reduce((sum, octets) => sum + octets, 0);

  test.concurrent('so is what answers what nobody asked', async () => {
    const replies = flood('250 ok\r\n'.repeat(100), ENDLESS);
    const server = await bench.play(good({ answers: { EHLO: replies } }));
    await Promise.allSettled([probe(at(server.port, ALL))]);
    await until(() => server.open === 0, 'the probe to have left');
    expect(written(server)).toBeLessThan(40_000_000);
  });

  test.concurrent.each<[string, string, readonly Step[] | ServerPlan, Partial<ProbeOptions>?]>([
    ['a greeting in lines', 'the greeting', [flood(`220-${'x'.repeat(996)}\r\n`, ENDLESS)]],
    ['a greeting in one line', 'the greeting', [raw('220 '), flood('x'.repeat(1_000), ENDLESS)]],
    [
      'a reply to EHLO',
      'EHLO probe.invalid',
      good({ answers: { EHLO: flood(`250-${'x'.repeat(996)}\r\n`, ENDLESS) } }),
    ],
    ['octets that are no reply', 'the greeting', [flood('x'.repeat(1_000), ENDLESS)]],
    [
      'a reply under TLS',
      'AUTH PLAIN',
      secured({ AUTH: flood(`235-${'x'.repeat(996)}\r\n`, ENDLESS) }),
    ],
  ])('flooding with %s is bounded', async (_what, stage, plan, options) => {
    const { error, server, took } = await failing(plan, { ...LOGIN, ...options });
    expect(error.message).toContain(stage);
    expect(took).toBeLessThan(6_000);
    expect(written(server)).toBeLessThan(40_000_000);
  });

  test.concurrent.each<[string, string, readonly Step[] | ServerPlan, Partial<ProbeOptions>?]>([
    ['at once', 'the greeting', [close()]],
    ['behind the greeting', 'EHLO probe.invalid', [send('220 hello'), close()]],
    [
      'behind EHLO',
      'STARTTLS',
      [send('220 a'), line(/^EHLO/), send('250-a', '250 STARTTLS'), close()],
    ],
    ['in the handshake', 'the TLS handshake', secured({ STARTTLS: [send('220 go'), close()] })],
    ['in the handshake from the first octet', 'the TLS handshake', [close()], { tls: 'implicit' }],
    ['at AUTH', 'AUTH PLAIN', secured({ AUTH: close() })],
    ['in the message', 'the message', secured({ dot: close('reset') })],
  ])('leaving %s is an error that says where', async (_when, stage, plan, options) => {
    const { error } = await failing(plan, { ...ALL, send: true, ...options });
    expect(error.message).toContain(`: ${stage}: `);
    expect(error.message).not.toMatch(/: $|undefined/);
  });

  test.concurrent('leaving at once by RST is an error, which connecting may see already', async () => {
    const { error } = await failing([close('reset')]);
    expect(error.message).toMatch(/: (connecting to \S+|the greeting): .*ECONNRESET/);
  });

  test.concurrent.each<[string, readonly Step[] | ServerPlan, string]>([
    ['a line that is no reply', [send('hello'), drain()], 'the greeting: this is no reply: "hello'],
    [
      'a line without a code between others',
      [send('220-a', 'b', '220 c'), drain()],
      'this is no reply',
    ],
    ['an HTTP server', [send('HTTP/1.1 400 Bad Request', ''), drain()], 'this is no reply'],
    [
      'neither EHLO nor HELO',
      good({ answers: { EHLO: '500 no', HELO: '550 never' } }),
      'EHLO was answered 500 no, HELO 550 never',
    ],
    [
      'a greeting that refuses',
      [
        send('554 no service'),
        line(/^EHLO/),
        send('503 no'),
        line(/^HELO/),
        send('503 no'),
        line(/^QUIT/),
        close(),
      ],
      'EHLO was answered 503 no',
    ],
    [
      'octets that are no TLS',
      secured({ STARTTLS: [send('220 go'), starttls('garbage'), drain()] }),
      'the TLS handshake: ',
    ],
  ])('%s: an error that shows it', async (_what, plan, message) => {
    expect((await failing(plan)).error.message).toContain(message);
  });

  test.concurrent('plain text where TLS is wanted from the first octet is an error', async () => {
    const { error } = await failing(good(), { tls: 'implicit' });
    expect(error.message).toContain('the TLS handshake: ');
  });

  test.concurrent.each(['127.0.0.1', 'localhost'])(
    'nobody listens: an error that says so, at %s',
    async (host) => {
      const { port } = await bench.play({ engine: 'none' });
      await expect(probe(at(port, { host }))).rejects.toMatchObject({
        name: 'ProbeError',
        message: expect.stringMatching(/: connecting to \S+: .*ECONNREFUSED/),
      });
    },
  );
});

describe('the signal', () => {
  const aborting = async (
    plan: readonly Step[] | ServerPlan,
    when: (server: PlayServer) => boolean,
    options: Partial<ProbeOptions> = {},
  ): Promise<void> => {
    const server = await bench.play(plan);
    const controller = new AbortController();
    const started = performance.now();
    const running = probe(
      at(server.port, { signal: controller.signal, timeout: 60_000, ...options }),
    ).catch((error: Error) => error);
    await until(() => when(server), 'the probe to be there');
    controller.abort();
    expect(await running).toMatchObject({
      name: 'ProbeError',
      message: expect.stringMatching(/abort/i),
    });
    await until(() => server.open === 0, 'the probe to have left');
    expect(performance.now() - started).toBeLessThan(6_000);
  };

  test.concurrent('ends it while it waits for the greeting', () =>
    aborting([drain()], ({ open }) => open === 1));

  test.concurrent('ends it in the handshake', () =>
    aborting([drain()], (server) => saidBy('client', server).length > 0, { tls: 'implicit' }));

  test.concurrent('ends it under TLS', () =>
    aborting(
      secured({ AUTH: silence() }),
      (server) => saidBy('client', server).join('').includes('AUTH'),
      LOGIN,
    ));

  test.concurrent('that was given before ends it at once', async () => {
    const server = await bench.play([drain()]);
    await expect(probe(at(server.port, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      name: 'ProbeError',
      message: expect.stringMatching(/abort/i),
    });
    await until(() => server.open === 0, 'the probe to have left');
  });
});
