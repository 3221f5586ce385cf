/** Options by the names of nodemailer: what they are here, and what is refused. */
import { parseConnectionUrl } from 'nodemailer/lib/shared';
import wellKnown from 'nodemailer/lib/well-known';
import services from 'nodemailer/lib/well-known/services.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { connectionUrl } from '../../src/nodemailer/connection-url.ts';
import { createTransport } from '../../src/nodemailer/create-transport.ts';
import { posthornTransport } from '../../src/nodemailer/index.ts';
import { serviceOf } from '../../src/nodemailer/service.ts';
import { poolOptions, type SmtpTransportOptions } from '../../src/nodemailer/transport-options.ts';
import type { Any } from './ways.ts';

const options = (given: SmtpTransportOptions): Any =>
  poolOptions(
    given,
    () => undefined,
    () => {},
  );

/** What the pool gets, of these names. */
const MAPPED: readonly (readonly [given: SmtpTransportOptions, expected: Any])[] = [
  [{}, { host: 'localhost', port: 587, tls: 'starttls', auth: [], allowInsecureAuth: false }],
  [
    { host: 'mail.example.com', port: 25 },
    { host: 'mail.example.com', port: 25, tls: 'starttls' },
  ],
  [{ secure: true }, { port: 465, tls: 'implicit' }],
  [{ port: '465' }, { port: 465, tls: 'implicit' }],
  [
    { port: 465, secure: false },
    { port: 465, tls: 'starttls' },
  ],
  [
    { port: 2465, secure: true },
    { port: 2465, tls: 'implicit' },
  ],
  [{ ignoreTLS: true }, { tls: 'off', allowInsecureAuth: true }],
  [
    { ignoreTLS: true, allowInsecureAuth: false },
    { tls: 'off', allowInsecureAuth: false },
  ],
  [{ opportunisticTLS: true }, { tls: 'opportunistic', allowInsecureAuth: false }],
  [
    { ignoreTLS: true, requireTLS: true },
    { tls: 'starttls', allowInsecureAuth: false },
  ],
  [{ opportunisticTLS: true, requireTLS: true }, { tls: 'starttls' }],
  [
    { secure: true, ignoreTLS: true },
    { tls: 'implicit', allowInsecureAuth: false },
  ],
  [
    { tls: { rejectUnauthorized: false }, servername: 'a.example' },
    { tlsOptions: { rejectUnauthorized: false, servername: 'a.example' } },
  ],
  [
    { servername: 'a.example', tls: { servername: 'b.example' } },
    { tlsOptions: { servername: 'b.example' } },
  ],
  [
    { name: 'client.example', localAddress: '127.0.0.1' },
    { name: 'client.example', localAddress: '127.0.0.1' },
  ],
  [{ lmtp: true }, { protocol: 'lmtp', port: 587 }],
  [{ connectionTimeout: 5 }, { timeouts: { connect: 5, tls: 5 } }],
  [{ greetingTimeout: 6 }, { timeouts: { greeting: 6 } }],
  [
    { socketTimeout: 7 },
    {
      timeouts: Object.fromEntries(
        ['ehlo', 'starttls', 'auth', 'idle', 'mail', 'rcpt', 'data', 'content', 'final'].map(
          (phase) => [phase, 7],
        ),
      ),
    },
  ],
  [
    {},
    { maxConnections: Infinity, maxMessages: 1, maxAttempts: 1, maxQueue: Infinity, timeouts: {} },
  ],
  [{ maxConnections: 3 }, { maxConnections: Infinity }],
  [
    { pool: true },
    { maxConnections: 5, maxMessages: 100, rate: undefined, maxAttempts: undefined },
  ],
  [
    { pool: true, maxConnections: 2, maxMessages: 7, maxRequeues: 0 },
    { maxConnections: 2, maxMessages: 7, maxAttempts: 1 },
  ],
  [{ pool: true, maxRequeues: -1 }, { maxAttempts: Infinity }],
  [{ pool: true, rateLimit: 3 }, { rate: { messages: 3, per: 1_000 } }],
  [{ pool: true, rateLimit: 3, rateDelta: 500 }, { rate: { messages: 3, per: 500 } }],
  [{ pool: true, idleTimeout: 0 }, { idleTimeout: Infinity }],
  [{ pool: true, idleTimeout: 900 }, { idleTimeout: 900 }],
  [{ onUnsupported: 'error' }, { onUnsupported: 'error' }],
  [
    { service: 'Gmail', host: 'elsewhere.example' },
    { host: 'smtp.gmail.com', port: 465, tls: 'implicit' },
  ],
  [
    { service: 'maildev', host: '127.0.0.1' },
    { host: '127.0.0.1', port: 1025, tls: 'off' },
  ],
  [{ service: 'devino' }, { host: 'integrationapi.net', port: 587, tls: 'starttls' }],
  // What wrappers add for themselves is nobody's business.
  [{ fromName: 'x', secureConnection: true } as SmtpTransportOptions, { tls: 'starttls' }],
];

describe('options', () => {
  test.each(MAPPED)('%o', (given, expected) => {
    expect({ ...expected, ...pick(options(given), Object.keys(expected)) }).toEqual(expected);
  });
  const pick = (all: Any, names: readonly string[]): Any =>
    Object.fromEntries(names.map((name) => [name, all[name]]));
});

describe('auth', () => {
  const mechanisms = (given: SmtpTransportOptions): string[] =>
    options(given)
      .auth.sort((a: Any, b: Any) => b.strength - a.strength)
      .map(({ name }: Any) => name);
  const auth = { user: 'u', pass: 'p' };

  test.each([
    [{ auth }, ['PLAIN', 'LOGIN', 'CRAM-MD5']],
    [{ auth: { ...auth, type: 'login' } }, ['PLAIN', 'LOGIN', 'CRAM-MD5']],
    [{ auth, authMethod: 'login' }, ['LOGIN']],
    [{ auth: { ...auth, method: ' cram-md5 ' }, authMethod: 'PLAIN' }, ['CRAM-MD5']],
    [{ auth: { user: '', pass: '' } }, []],
    [{ auth: {} }, []],
    [{ auth: false as const }, []],
    [{ auth: null }, []],
    [{ auth: { type: 'OAuth2', user: 'u', accessToken: 't' } }, ['XOAUTH2']],
    [
      { auth: { type: 'oauth2', user: 'u', refreshToken: 'r', provisionCallback: () => {} } },
      ['XOAUTH2'],
    ],
  ])('%o is %o', (given, expected) => {
    expect(mechanisms(given)).toEqual(expected);
  });
});

/** What is refused, and the words that have to be in the error: its name, and what to do. */
const REFUSED: readonly (readonly [given: Any, words: RegExp])[] = [
  [{ proxy: 'http://127.0.0.1:3128' }, /proxy: .*socketTransport/],
  [{ getSocket: () => {} }, /getSocket: .*socketTransport/],
  [{ socket: {} }, /socket: .*socketTransport/],
  [{ connection: {} }, /connection: .*socketTransport/],
  [{ secured: true }, /secured: /],
  [{ customAuth: { NTLM: () => {} } }, /customAuth: .*SaslMechanism/],
  [{ maxResponseSize: 10 }, /maxResponseSize: /],
  [{ sendmail: true }, /sendmail: /],
  [{ SES: {} }, /SES: .*service/],
  [{ direct: true }, /direct: /],
  [{ normalizeHeaderKey: () => 'X' }, /normalizeHeaderKey: /],
  [{ tls: 'starttls' }, /tls: .*secure/],
  [{ service: 'nobody knows' }, /service: .*host/],
  [
    { auth: { type: 'OAuth2', user: 'u', refreshToken: 'r', accessToken: 't' } },
    /auth\.refreshToken: .*provisionCallback/,
  ],
  [
    { auth: { type: 'OAuth2', user: 'u', privateKey: 'k' } },
    /auth\.privateKey: .*provisionCallback/,
  ],
  [{ auth: { type: 'OAuth2', serviceClient: 'c' } }, /auth\.serviceClient: .*provisionCallback/],
  [
    { auth: { type: 'custom', method: 'NTLM', user: 'u', pass: 'p' } },
    /auth\.type: .*posthornTransport/,
  ],
  [{ auth: { user: 'u', pass: 'p' }, authMethod: 'NTLM' }, /authMethod: .*PLAIN, LOGIN, CRAM-MD5/],
  ['ftp://mail.example.com', /ftp:.*smtps:/],
  ['direct:?name=a', /direct:.*smtps:/],
  ['no url at all', /connection URL/],
  [{ url: 'smtp://[' }, /connection URL/],
];

test.each(REFUSED)('createTransport() refuses %o', (given, words) => {
  expect(() => createTransport(given)).toThrow(words);
  expect(() => createTransport(given)).toThrow(expect.objectContaining({ code: 'ECONFIG' }));
});

test.each([
  ['secure', true],
  ['requireTLS', true],
  ['ignoreTLS', true],
  ['opportunisticTLS', false],
  ['url', 'smtp://127.0.0.1'],
  ['service', 'gmail'],
  ['authMethod', 'PLAIN'],
  ['pool', true],
  ['rateLimit', 1],
  ['connectionTimeout', 1],
  ['socketTimeout', 1],
  ['logger', true],
  ['proxy', 'x'],
  ['dkim', {}],
  ['tls', { rejectUnauthorized: false }],
])('posthornTransport() takes no %s of nodemailer', (name, value) => {
  expect(() => posthornTransport({ host: '127.0.0.1', [name]: value } as Any)).toThrow(
    new RegExp(`^Cannot use ${name}: `),
  );
});

test('posthornTransport() takes no auth of nodemailer', () => {
  const auth = { type: 'OAuth2', user: 'u', accessToken: 't' };
  expect(() => posthornTransport({ host: '127.0.0.1', auth } as Any)).toThrow('auth.type');
});

test('posthornTransport() looks at its limits at once', () => {
  expect(() => posthornTransport({ host: '127.0.0.1', maxConnections: 0 })).toThrow(TypeError);
});

describe('a connection URL is what nodemailer takes it for', () => {
  test.each([
    'smtp://mail.example.com',
    'smtps://user%40example.com:p%3Ass%2F@mail.example.com:2465/?pool=true&maxConnections=3',
    'smtp://user@mail.example.com',
    'smtp://:pass@mail.example.com',
    'smtps://mail.example.com/?tls.rejectUnauthorized=false&tls.minVersion=TLSv1.2&name=client.example',
    'smtp://[::1]:2525',
    'smtp://127.0.0.1:2525/?ignoreTLS=true&rateDelta=20000&rateLimit=5&empty=',
    'smtp:mail.example.com:25',
    ' smtp://mail.example.com\n',
    'smtp://mail.example.com/?secure=true&host=other.example&auth.type=login',
    'smtp://mail.example.com/?service=Gmail',
    'smtp://bücher.example',
    'smtp://user:50%@mail.example.com',
  ])('%s', (url) => {
    expect(connectionUrl(url)).toEqual(parseConnectionUrl(url));
  });

  test('nothing of it becomes a prototype', () => {
    const found = connectionUrl(
      'smtp://a.example/?__proto__=x&tls.__proto__=y&constructor=z',
    ) as Any;
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(found.polluted).toBeUndefined();
  });

  test('it goes before the options beside it', () => {
    const { options } = createTransport({
      url: 'smtp://b.example:26',
      host: 'a.example',
      name: 'c.example',
    });
    expect(options).toMatchObject({ host: 'b.example', port: 26, name: 'c.example' });
  });
});

describe('services', () => {
  const names = Object.entries(services as Any).flatMap(
    ([name, { aliases = [], domains = [] }]: Any) => [name, ...aliases, ...domains],
  );

  test.each(names)('%s leads where it leads with nodemailer, or nowhere', (name) => {
    const found = serviceOf(name);
    const { host, port = 587, secure, ignoreTLS } = wellKnown(name) as Any;
    if (found)
      expect(found).toEqual(
        host ? { host, port: +port, secure: !!secure || +port === 465 } : { port, ignoreTLS },
      );
  });

  test('those that many use are known, and by the domain of an address', () => {
    const wanted =
      'Gmail GmailWorkspace Outlook365 Hotmail iCloud Yahoo FastMail Zoho Yandex Mail.ru QQ 163 SendGrid Mailgun Mailjet Mandrill Mailtrap Postmark Resend Brevo SendinBlue SparkPost SMTP2GO SES SES-EU-WEST-1 SES-US-GOV-WEST-1 ElasticEmail MailerSend Ethereal Maildev someone@googlemail.com'.split(
        ' ',
      );
    expect(wanted.filter((name) => !serviceOf(name))).toEqual([]);
    expect(names.filter((name) => serviceOf(name)).length).toBeGreaterThan(80);
  });
});
