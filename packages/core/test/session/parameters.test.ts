/** The parameters of MAIL and RCPT: each as its RFC writes it, on the verb it names, and only where it is offered. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  envelope,
  isSmtpError,
  type OutgoingMessage,
  type SendOptions,
  type SmtpError,
} from '../../src/session/index.ts';
import { parseCapabilities } from '../../src/wire/extension.ts';
import { xtext } from '../../src/wire/mail-parameter.ts';
import { octetsOf, perOctet, replyOf, whole } from '../wire/cuts.ts';
import { greeting, message, opened, stream, tell } from './scenes.ts';
import { play } from './transcript.ts';

const EVERYTHING = [
  'PIPELINING',
  'SIZE 1000000',
  '8BITMIME',
  'SMTPUTF8',
  'CHUNKING',
  'BINARYMIME',
  'REQUIRETLS',
  'DSN',
  'DELIVERBY',
  'MT-PRIORITY',
  'FUTURERELEASE 1000000 2030-01-01T00:00:00Z',
];

/** Anything a caller without types may give. */
type Given = { [name in keyof OutgoingMessage]?: unknown };

/** The lines of the envelope: MAIL and each RCPT. */
function linesOf(
  change: Given,
  keywords: readonly string[] = [],
  options: SendOptions = {},
): string[] {
  const capabilities = parseCapabilities(replyOf(250, ['mail.example.com', ...keywords]));
  const given = { ...message().message, ...change } as OutgoingMessage;
  return envelope(given, capabilities, options).commands.map(({ line }) => line);
}

const mailOf = (...given: Parameters<typeof linesOf>): string => linesOf(...given)[0] ?? '';
const rcptOf = (...given: Parameters<typeof linesOf>): string => linesOf(...given)[1] ?? '';

function failure(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const MAIL = 'MAIL FROM:<a@client.example>';
const RCPT = 'RCPT TO:<b@example.com>';
const at = (date: string): Date => new Date(date);

interface MailCase {
  readonly change: Given;
  readonly keyword: string;
  readonly text: string;
  /** Whether onUnsupported: 'drop' may leave it out. */
  readonly dropped: boolean;
}

const MAIL_PARAMETERS: readonly MailCase[] = [
  { change: { body: '8BITMIME' }, keyword: '8BITMIME', text: 'BODY=8BITMIME', dropped: true },
  { change: { content: 'ж\r\n' }, keyword: '8BITMIME', text: 'BODY=8BITMIME', dropped: true },
  { change: { smtpUtf8: true }, keyword: 'SMTPUTF8', text: 'SMTPUTF8', dropped: false },
  { change: { requireTls: true }, keyword: 'REQUIRETLS', text: 'REQUIRETLS', dropped: false },
  { change: { ret: 'FULL' }, keyword: 'DSN', text: 'RET=FULL', dropped: true },
  { change: { ret: 'HDRS' }, keyword: 'DSN', text: 'RET=HDRS', dropped: true },
  { change: { envid: 'QQ314159' }, keyword: 'DSN', text: 'ENVID=QQ314159', dropped: true },
  { change: { envid: 'a b+c=d' }, keyword: 'DSN', text: 'ENVID=a+20b+2Bc+3Dd', dropped: true },
  { change: { envid: '<x>;"@\\~!' }, keyword: 'DSN', text: 'ENVID=<x>;"@\\~!', dropped: true },
  {
    change: { envid: 'x'.repeat(100) },
    keyword: 'DSN',
    text: `ENVID=${'x'.repeat(100)}`,
    dropped: true,
  },
  {
    change: { deliverBy: { seconds: 120, mode: 'R' } },
    keyword: 'DELIVERBY',
    text: 'BY=120;R',
    dropped: true,
  },
  {
    change: { deliverBy: { seconds: 120, mode: 'R', trace: true } },
    keyword: 'DELIVERBY',
    text: 'BY=120;RT',
    dropped: true,
  },
  {
    change: { deliverBy: { seconds: -120, mode: 'N' } },
    keyword: 'DELIVERBY',
    text: 'BY=-120;N',
    dropped: true,
  },
  {
    change: { deliverBy: { seconds: 0, mode: 'N', trace: true } },
    keyword: 'DELIVERBY',
    text: 'BY=0;NT',
    dropped: true,
  },
  {
    change: { deliverBy: { seconds: 999_999_999, mode: 'N', trace: false } },
    keyword: 'DELIVERBY',
    text: 'BY=999999999;N',
    dropped: true,
  },
  ...[-9, -1, 0, 3, 9].map((priority) => ({
    change: { priority },
    keyword: 'MT-PRIORITY',
    text: `MT-PRIORITY=${priority}`,
    dropped: true,
  })),
  { change: { holdFor: 0 }, keyword: 'FUTURERELEASE', text: 'HOLDFOR=0', dropped: false },
  {
    change: { holdFor: 999_999_999 },
    keyword: 'FUTURERELEASE',
    text: 'HOLDFOR=999999999',
    dropped: false,
  },
  {
    change: { holdUntil: at('2026-12-24T18:30:00Z') },
    keyword: 'FUTURERELEASE',
    text: 'HOLDUNTIL=2026-12-24T18:30:00Z',
    dropped: false,
  },
  {
    change: { holdUntil: at('2026-12-24T18:30:00.123+03:00') },
    keyword: 'FUTURERELEASE',
    text: 'HOLDUNTIL=2026-12-24T15:30:00Z',
    dropped: false,
  },
];

const RCPT_PARAMETERS: readonly (readonly [change: object, text: string])[] = [
  [{ notify: 'NEVER' }, 'NOTIFY=NEVER'],
  [{ notify: ['SUCCESS'] }, 'NOTIFY=SUCCESS'],
  [{ notify: ['SUCCESS', 'FAILURE', 'DELAY'] }, 'NOTIFY=SUCCESS,FAILURE,DELAY'],
  [{ notify: ['DELAY', 'FAILURE'] }, 'NOTIFY=DELAY,FAILURE'],
  [{ orcpt: 'b@example.com' }, 'ORCPT=rfc822;b@example.com'],
  [{ orcpt: 'rfc822;b@example.com' }, 'ORCPT=rfc822;b@example.com'],
  [{ orcpt: 'X400;/C=a/ x+y' }, 'ORCPT=X400;/C+3Da/+20x+2By'],
  [{ orcpt: 'a+b=c@example.com' }, 'ORCPT=rfc822;a+2Bb+3Dc@example.com'],
  [{ orcpt: '"a b"@example.com' }, 'ORCPT=rfc822;"a+20b"@example.com'],
];

describe('parameters of MAIL', () => {
  test.each(MAIL_PARAMETERS)(
    'envelope() writes $text on MAIL alone when $keyword is offered',
    ({ change, keyword, text }) => {
      expect(linesOf(change, [keyword])).toEqual([`${MAIL} ${text}\r\n`, `${RCPT}\r\n`]);
    },
  );

  test.each(MAIL_PARAMETERS)(
    'envelope() refuses the message before MAIL when $text is wanted and not offered',
    ({ change, keyword }) => {
      const others = EVERYTHING.filter((one) => one.split(' ')[0] !== keyword);
      for (const keywords of [[], others, [`X${keyword}`]]) {
        for (const onUnsupported of [undefined, 'error'] as const) {
          const error = failure(() =>
            linesOf(change, keywords, onUnsupported && { onUnsupported }),
          );
          expect(error).toMatchObject({
            name: 'SmtpError',
            code: 'ERR_SMTP_UNSUPPORTED',
            phase: 'mail',
            delivery: 'not-sent',
            retry: 'fix-first',
          });
          expect((error as SmtpError).message).toContain(keyword);
        }
      }
    },
  );

  test.each(MAIL_PARAMETERS.filter(({ dropped }) => dropped))(
    'envelope() leaves $text out when it is not offered and may be dropped',
    ({ change }) => {
      expect(linesOf(change, [], { onUnsupported: 'drop' })).toEqual([
        `${MAIL}\r\n`,
        `${RCPT}\r\n`,
      ]);
    },
  );

  test.each(MAIL_PARAMETERS.filter(({ dropped }) => !dropped))(
    'envelope() never drops $text',
    ({ change }) => {
      expect(failure(() => linesOf(change, [], { onUnsupported: 'drop' }))).toMatchObject({
        code: 'ERR_SMTP_UNSUPPORTED',
        delivery: 'not-sent',
      });
    },
  );

  test.each(MAIL_PARAMETERS)(
    "envelope() writes $text when it is offered and onUnsupported is 'drop'",
    ({ change, keyword, text }) => {
      expect(mailOf(change, [keyword], { onUnsupported: 'drop' })).toBe(`${MAIL} ${text}\r\n`);
    },
  );

  test('envelope() writes BODY=BINARYMIME when CHUNKING and BINARYMIME are offered, and never drops it', () => {
    const change = { body: 'BINARYMIME' } as const;
    expect(mailOf(change, ['CHUNKING', 'BINARYMIME'])).toBe(`${MAIL} BODY=BINARYMIME\r\n`);
    for (const keywords of [[], ['BINARYMIME'], ['CHUNKING'], ['CHUNKING', '8BITMIME']])
      expect(failure(() => linesOf(change, keywords, { onUnsupported: 'drop' }))).toMatchObject({
        code: 'ERR_SMTP_UNSUPPORTED',
      });
  });

  test('envelope() writes no parameter that was not asked for when everything is offered', () => {
    const keywords = EVERYTHING.filter((one) => !one.startsWith('SIZE'));
    expect(linesOf({}, keywords)).toEqual([`${MAIL}\r\n`, `${RCPT}\r\n`]);
    expect(
      linesOf(
        { smtpUtf8: false, requireTls: false, body: '7BIT', size: undefined, holdUntil: undefined },
        keywords,
      ),
    ).toEqual([`${MAIL}\r\n`, `${RCPT}\r\n`]);
  });

  test('envelope() writes all parameters in one line when all are asked for', () => {
    const [mail = '', rcpt = ''] = linesOf(
      {
        content: 'ж\r\n',
        to: { address: 'b@example.com', notify: ['FAILURE'], orcpt: 'c@example.com' },
        smtpUtf8: true,
        requireTls: true,
        ret: 'HDRS',
        envid: 'id',
        deliverBy: { seconds: 60, mode: 'N' },
        priority: 4,
        holdFor: 60,
      },
      EVERYTHING,
    );
    const parameters = mail.trimEnd().split(' ').slice(2);
    expect(mail.startsWith(`${MAIL} `)).toBe(true);
    expect(parameters.toSorted()).toEqual([
      'BODY=8BITMIME',
      'BY=60;N',
      'ENVID=id',
      'HOLDFOR=60',
      'MT-PRIORITY=4',
      'REQUIRETLS',
      'RET=HDRS',
      'SIZE=4',
      'SMTPUTF8',
    ]);
    expect(rcpt.trimEnd().split(' ').slice(2).toSorted()).toEqual([
      'NOTIFY=FAILURE',
      'ORCPT=rfc822;c@example.com',
    ]);
  });

  test.each<[change: Given]>([
    [{ ret: 'full' }],
    [{ ret: '' }],
    [{ ret: 'FULL ENVID=x' }],
    [{ ret: 'FULL\r\nRCPT TO:<x@y.example>' }],
    [{ ret: 'HDRS\n' }],
    [{ ret: 'HDRS>' }],
    [{ ret: true }],
    [{ ret: null }],
    [{ envid: '' }],
    [{ envid: 'x'.repeat(101) }],
    [{ envid: ' '.repeat(34) }],
    [{ envid: 'a\r\nDATA' }],
    [{ envid: 'a\n' }],
    [{ envid: 'a\tb' }],
    [{ envid: 'a\0' }],
    [{ envid: 'ж' }],
    [{ envid: '\x7f' }],
    [{ body: '8bitmime' }],
    [{ body: '' }],
    [{ body: '8BITMIME RET=FULL' }],
    [{ body: '8BITMIME\r\nRSET' }],
    [{ smtpUtf8: 'yes' }],
    [{ smtpUtf8: 1 }],
    [{ requireTls: 'true\r\nRSET' }],
    [{ requireTls: 1 }],
    [{ deliverBy: { seconds: 0, mode: 'R' } }],
    [{ deliverBy: { seconds: -1, mode: 'R' } }],
    [{ deliverBy: { seconds: 1_000_000_000, mode: 'N' } }],
    [{ deliverBy: { seconds: -1_000_000_000, mode: 'N' } }],
    [{ deliverBy: { seconds: 1.5, mode: 'N' } }],
    [{ deliverBy: { seconds: Number.NaN, mode: 'N' } }],
    [{ deliverBy: { seconds: Number.POSITIVE_INFINITY, mode: 'N' } }],
    [{ deliverBy: { seconds: 60, mode: 'X' } }],
    [{ deliverBy: { seconds: 60, mode: 'n' } }],
    [{ deliverBy: { seconds: 60, mode: 'R PRDR' } }],
    [{ deliverBy: { seconds: 60, mode: 'R\r\nRSET' } }],
    [{ deliverBy: { seconds: 60 } }],
    [{ deliverBy: { mode: 'R' } }],
    [{ deliverBy: 60 }],
    [{ priority: 10 }],
    [{ priority: -10 }],
    [{ priority: 0.5 }],
    [{ priority: Number.NaN }],
    [{ priority: '1 RET=FULL' }],
    [{ priority: '1\r\n' }],
    [{ priority: '+1' }],
    [{ holdFor: -1 }],
    [{ holdFor: 1.5 }],
    [{ holdFor: 1_000_000_000 }],
    [{ holdFor: Number.NaN }],
    [{ holdFor: '60 RET=FULL' }],
    [{ holdFor: '60\r\nRSET' }],
    [{ holdFor: 60, holdUntil: at('2026-12-24T18:30:00Z') }],
    [{ holdFor: 0, holdUntil: at('2026-12-24T18:30:00Z') }],
    [{ size: -1, content: stream('') }],
    [{ size: 1.5, content: stream('') }],
    [{ size: Number.NaN, content: stream('') }],
    [{ size: Number.POSITIVE_INFINITY, content: stream('') }],
    [{ size: '1 RET=FULL', content: stream('') }],
    [{ size: '1\r\nRSET', content: stream('') }],
    [{ content: undefined }],
    [{ content: null }],
    [{ content: 5 }],
    [{ content: {} }],
    [{ from: undefined }],
    [{ from: 'a@b.example> RET=FULL' }],
    [{ from: 'a@b.example SIZE=1' }],
    [{ from: 'a@b.example\r\nRCPT TO:<x@y.example>' }],
    [{ to: [] }],
    [{ to: undefined }],
    [{ to: [undefined] }],
    [{ to: '' }],
    [{ to: [{}] }],
    [{ to: 'a@b.example> NOTIFY=NEVER <x@y.example' }],
    [{ to: 'a@b.example NOTIFY=NEVER' }],
    [{ to: { address: 'a@b.example>\r\nDATA' } }],
  ])('envelope() throws TypeError when it is given %j', (change) => {
    for (const onUnsupported of ['error', 'drop'] as const)
      expect(failure(() => linesOf(change, EVERYTHING, { onUnsupported }))).toBeInstanceOf(
        TypeError,
      );
  });

  // What no server could be asked is the caller's fault, whatever this one offers.
  test.each<[change: Given]>([
    [{ ret: 'full' }],
    [{ priority: 10 }],
    [{ holdFor: -1 }],
    [{ deliverBy: { seconds: 0, mode: 'R' } }],
  ])('envelope() throws TypeError when it is given %j and nothing is offered', (change) => {
    for (const onUnsupported of ['error', 'drop'] as const)
      expect(failure(() => linesOf(change, [], { onUnsupported }))).toBeInstanceOf(TypeError);
  });

  // RFC 3339 §5.6: date-fullyear = 4DIGIT. A date of another form is no date-time.
  test.each([
    ['no date', new Date(Number.NaN)],
    ['a year of five digits', new Date(Date.UTC(12_026, 0, 1))],
    ['a year before 0', new Date(-1e14)],
  ])('envelope() throws for the caller when holdUntil is %s', (_name, holdUntil) => {
    const error = failure(() => linesOf({ holdUntil }, EVERYTHING));
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  });
});

describe('parameters of RCPT', () => {
  test.each(RCPT_PARAMETERS)(
    'envelope() writes %j on RCPT alone when DSN is offered',
    (change, text) => {
      const to = [{ address: 'b@example.com', ...change }, 'c@example.com'];
      expect(linesOf({ to }, ['DSN'])).toEqual([
        `${MAIL}\r\n`,
        `${RCPT} ${text}\r\n`,
        'RCPT TO:<c@example.com>\r\n',
      ]);
    },
  );

  test.each(RCPT_PARAMETERS)('envelope() refuses or drops %j when DSN is not offered', (change) => {
    const to = { address: 'b@example.com', ...change };
    expect(failure(() => linesOf({ to }))).toMatchObject({
      code: 'ERR_SMTP_UNSUPPORTED',
      delivery: 'not-sent',
    });
    expect(rcptOf({ to }, [], { onUnsupported: 'drop' })).toBe(`${RCPT}\r\n`);
  });

  test('envelope() gives each recipient its own parameters when they differ', () => {
    const to = [
      { address: 'b@example.com', notify: 'NEVER' as const },
      { address: 'c@example.com', notify: ['DELAY'] as const, orcpt: 'd@example.com' },
      { address: 'e@example.com', notify: undefined, orcpt: undefined },
    ];
    expect(linesOf({ to }, ['DSN']).slice(1)).toEqual([
      'RCPT TO:<b@example.com> NOTIFY=NEVER\r\n',
      'RCPT TO:<c@example.com> NOTIFY=DELAY ORCPT=rfc822;d@example.com\r\n',
      'RCPT TO:<e@example.com>\r\n',
    ]);
  });

  test('envelope() holds ORCPT to 500 characters with its name (RFC 3461 §4.2)', () => {
    const orcpt = (length: number): object => ({
      to: { address: 'b@example.com', orcpt: `x;${'y'.repeat(length - 'ORCPT=x;'.length)}` },
    });
    expect(rcptOf(orcpt(500), ['DSN'])).toHaveLength(`${RCPT} \r\n`.length + 500);
    expect(failure(() => rcptOf(orcpt(501), ['DSN']))).toBeInstanceOf(TypeError);
  });

  test.each<[change: object]>([
    [{ notify: ['NEVER', 'FAILURE'] }],
    [{ notify: ['SUCCESS', 'NEVER'] }],
    [{ notify: 'never' }],
    [{ notify: 'ALWAYS' }],
    [{ notify: [] }],
    [{ notify: '' }],
    [{ notify: ['SUCCESS', ''] }],
    [{ notify: ['', 'SUCCESS'] }],
    [{ notify: ['SUCCESS', 'X'] }],
    [{ notify: 'SUCCESSFAILURE' }],
    [{ notify: 'SUCCESS ORCPT=rfc822;x' }],
    [{ notify: 'NEVER\r\nDATA' }],
    [{ notify: ['SUCCESS\r\n'] }],
    [{ notify: 'NEVER>' }],
    [{ orcpt: '' }],
    [{ orcpt: 'a\r\nDATA' }],
    [{ orcpt: 'a\n' }],
    [{ orcpt: 'a\tb' }],
    [{ orcpt: 'ж@example.com' }],
  ])('envelope() throws TypeError when a recipient has %j', (change) => {
    const to = { address: 'b@example.com', ...change };
    for (const onUnsupported of ['error', 'drop'] as const)
      expect(failure(() => linesOf({ to }, ['DSN'], { onUnsupported }))).toBeInstanceOf(TypeError);
  });
});

describe('xtext()', () => {
  /** RFC 3461 §4: the reverse. */
  const decoded = (text: string): string =>
    text.replace(/\+([\dA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  const octet = fc.integer({ min: 0, max: 300 }).map((code) => String.fromCharCode(code));
  const printable = fc.string({
    unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  });

  test.each([
    ['', ''],
    ['abc', 'abc'],
    ['+', '+2B'],
    ['=', '+3D'],
    [' ', '+20'],
    ['a+b=c d', 'a+2Bb+3Dc+20d'],
    ['+2B', '+2B2B'],
    ['<>;,"\\@', '<>;,"\\@'],
  ])('xtext() encodes %j as %j', (text, encoded) => {
    expect(xtext(text)).toBe(encoded);
  });

  test('xtext() gives xtext, and decoding it gives the input, when that is printable ASCII', () => {
    fc.assert(
      fc.property(printable, (text) => {
        const encoded = xtext(text);
        expect(encoded).toMatch(/^([!-*,-<>-~]|\+[\dA-F]{2})*$/);
        expect(decoded(encoded)).toBe(text);
      }),
    );
  });

  test('envelope() writes ENVID as xtext that decodes to what was given, or throws TypeError', () => {
    fc.assert(
      fc.property(fc.oneof(printable, fc.string({ unit: octet, maxLength: 8 })), (envid) => {
        let mail: string;
        try {
          mail = mailOf({ envid }, ['DSN']);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          expect(envid === '' || /[^ -~]/.test(envid) || xtext(envid).length > 100).toBe(true);
          return;
        }
        const [, encoded = ''] =
          /^MAIL FROM:<a@client.example> ENVID=(\S{1,100})\r\n$/.exec(mail) ?? [];
        expect(decoded(encoded)).toBe(envid);
      }),
    );
  });
});

describe('REQUIRETLS', () => {
  const offered = (secure: boolean) => ({
    open: { connect: () => ({ secure }) },
    messages: [message({ requireTls: true })],
  });

  test('Session plays REQUIRETLS on MAIL when it is offered inside TLS (RFC 8689 §2)', () => {
    const { outcomes } = play(
      {
        ...offered(true),
        text: `${greeting('PIPELINING', 'REQUIRETLS')}
          C: MAIL FROM:<a@client.example> REQUIRETLS
          C: RCPT TO:<b@example.com>
          C: DATA
          S: 530 5.7.30 REQUIRETLS support required
          S: 503 no
          S: 503 no`,
      },
      perOctet,
    );
    expect(outcomes.map(tell)[1]).toMatch(/^transaction: ERR_SMTP_AUTH 530|ERR_SMTP_REPLY 530/);
  });

  test.each(['error', 'drop'] as const)(
    "Session plays no MAIL when REQUIRETLS is offered outside TLS and onUnsupported is '%s'",
    (onUnsupported) => {
      const { outcomes, session } = play(
        {
          ...offered(false),
          messages: [message({ requireTls: true }, { onUnsupported })],
          text: greeting('PIPELINING', 'REQUIRETLS'),
        },
        whole,
      );
      expect(session.capabilities.has('REQUIRETLS')).toBe(false);
      expect(outcomes.map(tell)[1]).toBe(
        'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
      );
    },
  );

  test('Session plays no MAIL when REQUIRETLS was offered before STARTTLS alone', () => {
    const { outcomes } = play(
      {
        open: { tls: 'starttls' },
        messages: [message({ requireTls: true })],
        text: `${greeting('STARTTLS', 'REQUIRETLS')}
          C: STARTTLS
          S: 220 go
          T: <TLS>
          C: EHLO client.example
          S: 250-mail.example.com
          S: 250 PIPELINING`,
      },
      whole,
    );
    expect(outcomes.map(tell)[1]).toBe(
      'envelope: ERR_SMTP_UNSUPPORTED at mail, not-sent, fix-first',
    );
  });

  test('Session plays REQUIRETLS when it is offered behind STARTTLS', () => {
    const { outcomes } = play(
      {
        open: { tls: 'starttls' },
        messages: [message({ requireTls: true })],
        text: `${greeting('STARTTLS')}
          C: STARTTLS
          S: 220 go
          T: <TLS>
          C: EHLO client.example
          S: 250-mail.example.com
          S: 250 REQUIRETLS
          C: MAIL FROM:<a@client.example> REQUIRETLS
          S: 550 no`,
      },
      whole,
    );
    expect(outcomes.map(tell)[1]).toBe('transaction: ERR_SMTP_REPLY 550 at mail, rejected, never');
  });
});

describe('SMTPUTF8', () => {
  test.each<[what: string, change: Given, path: string]>([
    ['a recipient', { to: 'жук@example.com' }, MAIL],
    ['one of the recipients', { to: ['b@example.com', 'жук@example.com'] }, MAIL],
    ['the sender', { from: 'жук@client.example' }, 'MAIL FROM:<жук@client.example>'],
    ['a recipient, and it is said not to be', { to: 'жук@example.com', smtpUtf8: false }, MAIL],
  ])(
    'envelope() asks for SMTPUTF8 when the local part of %s is not ASCII',
    (_what, change, path) => {
      expect(mailOf(change, ['SMTPUTF8', '8BITMIME'])).toBe(`${path} SMTPUTF8\r\n`);
      expect(failure(() => linesOf(change, ['8BITMIME'], { onUnsupported: 'drop' }))).toMatchObject(
        {
          code: 'ERR_SMTP_UNSUPPORTED',
        },
      );
    },
  );

  test('envelope() asks for nothing when only the domain is not ASCII: it goes as A-label', () => {
    expect(linesOf({ to: 'b@пример.рф' }, ['SMTPUTF8'])).toEqual([
      `${MAIL}\r\n`,
      'RCPT TO:<b@xn--e1afmkfd.xn--p1ai>\r\n',
    ]);
  });
});

describe('SIZE', () => {
  test.each<[what: string, change: Given, size: number]>([
    ['CR LF as it is', { content: 'a\r\nb\r\n' }, 6],
    ['bare LF as CR LF', { content: 'a\nb\n' }, 6],
    ['bare CR as CR LF', { content: 'a\rb\r' }, 6],
    ['the last CR LF that lacks', { content: 'a' }, 3],
    ['dots once', { content: '.\r\n..\r\n' }, 7],
    ['octets, not characters', { content: '€\r\n' }, 5],
    ['nothing when it is empty', { content: '' }, 0],
    ['content in octets', { content: octetsOf('a\n') }, 3],
    ['what was measured, whatever was declared', { content: 'a\r\n', size: 99 }, 3],
    ['what was declared of a stream', { content: stream('x'), size: 77 }, 77],
    ['what was made for the server', { content: () => 'abc\r\n' }, 5],
  ])('envelope() declares %s', (_what, change, size) => {
    expect(mailOf(change, ['SIZE', '8BITMIME'])).toMatch(new RegExp(` SIZE=${size}[ \\r]`));
    expect(mailOf(change, ['SIZE', '8BITMIME', 'CHUNKING'])).toMatch(
      new RegExp(` SIZE=${size}[ \\r]`),
    );
    expect(mailOf(change, ['8BITMIME'])).not.toContain('SIZE');
  });

  test('envelope() declares binary content as it is', () => {
    const change = { content: '\n.\r\0', body: 'BINARYMIME' };
    expect(mailOf(change, ['SIZE', 'CHUNKING', 'BINARYMIME'])).toContain(' SIZE=4 ');
  });

  test('envelope() declares no size when the source is of unknown size', () => {
    expect(mailOf({ content: stream('x') }, ['SIZE 1'])).toBe(`${MAIL}\r\n`);
  });

  test.each([
    ['SIZE 17', true],
    ['SIZE 18', false],
    ['SIZE', false],
    ['SIZE 0', false],
    ['SIZE abc', false],
    ['SIZE 99999999999999999999', false],
  ])('envelope() refuses 18 octets before MAIL when the server says %s: %s', (keyword, refused) => {
    const changes: Given[] = [{}, { content: stream('x'), size: 18 }];
    for (const change of changes) {
      if (!refused) expect(mailOf(change, [keyword])).toBe(`${MAIL} SIZE=18\r\n`);
      else
        expect(failure(() => linesOf(change, [keyword]))).toMatchObject({
          code: 'ERR_SMTP_TOO_LARGE',
          phase: 'mail',
          delivery: 'not-sent',
          retry: 'fix-first',
        });
    }
  });

  test('Session sends as many octets as it declares when the content is random', () => {
    const text = fc.string({
      unit: fc.constantFrom('.', '\r', '\n', 'a', 'ж', '\r\n.'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, fc.boolean(), (content, chunked) => {
        const keywords = ['PIPELINING', 'SIZE', '8BITMIME', ...(chunked ? ['CHUNKING'] : [])];
        const stage = opened(keywords);
        stage.send({ content });
        let written = stage.poll();
        const [, size = ''] = / SIZE=(\d+)[ \r]/.exec(written) ?? [];
        if (chunked) {
          expect(written).toContain(`BDAT ${size} LAST\r\n`);
          expect(written.split('LAST\r\n')[1]).toHaveLength(Number(size));
        } else {
          stage.hear('250 ok', '250 ok', '354 go');
          written = stage.poll();
          const unstuffed = written.replace(/\.\r\n$/, '').replace(/^\./gm, '');
          expect(unstuffed).toHaveLength(Number(size));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('PRDR', () => {
  const two = ['b@example.com', 'c@example.com'];

  test('envelope() asks for PRDR when it is offered and there are several recipients', () => {
    expect(mailOf({ to: two }, ['PRDR'])).toBe(`${MAIL} PRDR\r\n`);
    expect(mailOf({ to: two }, ['XPRDR'])).toBe(`${MAIL}\r\n`);
    expect(mailOf({ to: two.slice(1) }, ['PRDR'])).toBe(`${MAIL}\r\n`);
    expect(mailOf({ to: 'b@example.com' }, ['PRDR'])).toBe(`${MAIL}\r\n`);
  });
});

describe('command injection', () => {
  /** What may stand in a message where somebody else had a hand in it. */
  const nasty = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      true,
      false,
      0,
      1,
      -1,
      5,
      '',
      'FULL',
      'HDRS',
      'NEVER',
      'SUCCESS',
      '8BITMIME',
      'BINARYMIME',
      '7BIT',
      'FULL\r\nRCPT TO:<x@y.example>',
      'NEVER\nDATA',
      'x> RET=FULL',
      'a b',
      'a\rb',
      '\u2028',
      '\x85',
      'a\0b',
      ' SIZE=1',
      '8BITMIME REQUIRETLS',
      'a@b.example',
      'a@b.example> SIZE=1 <',
      '"a\r\nb"@c.example',
      '" RET=FULL "@c.example',
      '"a> SIZE=1"@c.example',
      'ж@b.example',
      '\u010a\u010d@b.example',
      'rfc822;x y',
      'x;\r\n',
    ),
    fc.string({
      unit: fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        ' ',
        '>',
        '<',
        '=',
        '+',
        ';',
        ',',
        '@',
        'a',
        '.',
        '"',
        '\\',
        '\0',
        '\u010a',
        'RSET',
        'SIZE=1',
      ),
      maxLength: 8,
    }),
    fc.integer(),
    fc.double(),
  );
  /** Mostly what is right: so that messages get through, each with one thing or two that are not. */
  const mostly = (...right: readonly unknown[]) =>
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(undefined, ...right) },
      { weight: 1, arbitrary: nasty },
    );
  const recipient = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<unknown>('b@example.com', '"> SIZE=1"@example.com') },
    { weight: 1, arbitrary: nasty },
    {
      weight: 6,
      arbitrary: fc.record({
        address: fc.constantFrom('b@example.com', 'жук@example.com'),
        notify: fc.oneof(mostly('NEVER', ['SUCCESS', 'DELAY']), fc.array(nasty, { maxLength: 2 })),
        orcpt: mostly('c@example.com', 'x;y z'),
      }),
    },
  );
  const anything = fc.record({
    from: mostly('a@client.example', '', '"a b> RET=FULL"@client.example').map(
      (from) => from ?? '',
    ),
    to: fc.oneof(recipient, fc.array(recipient, { maxLength: 3 })),
    body: mostly('8BITMIME', 'BINARYMIME', '7BIT'),
    smtpUtf8: mostly(true, false),
    requireTls: mostly(true, false),
    ret: mostly('FULL', 'HDRS'),
    envid: mostly('id', 'a b', '+=>'),
    deliverBy: fc.oneof(
      mostly({ seconds: 60, mode: 'N' }),
      fc.record({ seconds: mostly(60), mode: mostly('R', 'N'), trace: nasty }),
    ),
    priority: mostly(-9, 0, 9),
    holdFor: mostly(0, 60),
    holdUntil: mostly(),
    size: mostly(0, 9),
  });
  /** Each parameter by its name on the wire, and what asks for it. */
  const ASKED: { readonly [name: string]: (given: Given) => boolean } = {
    SIZE: () => true,
    SMTPUTF8: ({ smtpUtf8, from, to }) =>
      smtpUtf8 === true || /[^ -~]/.test(`${from}${JSON.stringify(to)}`),
    BODY: ({ body }) => body === '8BITMIME' || body === 'BINARYMIME',
    REQUIRETLS: ({ requireTls }) => requireTls === true,
    RET: ({ ret }) => ret !== undefined,
    ENVID: ({ envid }) => envid !== undefined,
    BY: ({ deliverBy }) => deliverBy !== undefined,
    'MT-PRIORITY': ({ priority }) => priority !== undefined,
    HOLDFOR: ({ holdFor }) => holdFor !== undefined,
    HOLDUNTIL: ({ holdUntil }) => holdUntil !== undefined,
  };
  // A path may hold what is quoted; what follows its `>` are parameters.
  const COMMAND =
    /^(?:MAIL FROM|RCPT TO):<((?:[^\s"<>]|"(?:[^"\\\r\n]|\\[ -~])*")*)>((?: [!-~]+)*)\r\n$/;

  test('envelope() makes one command line for each command and no parameter unasked, whatever the message holds', () => {
    let made = 0;
    fc.assert(
      fc.property(
        anything,
        fc.constantFrom('error', 'drop'),
        fc.subarray(EVERYTHING),
        (given, onUnsupported, keywords) => {
          let lines: string[];
          try {
            lines = linesOf(given as Given, keywords, { onUnsupported: onUnsupported as 'drop' });
          } catch (error) {
            expect(
              error instanceof TypeError || error instanceof RangeError || isSmtpError(error),
            ).toBe(true);
            return;
          }
          made += 1;
          expect(lines).toHaveLength(1 + [given.to].flat().length);
          lines.forEach((line, index) => {
            const match = COMMAND.exec(line);
            expect(match, JSON.stringify(line)).not.toBeNull();
            expect(line.startsWith(index === 0 ? 'MAIL' : 'RCPT')).toBe(true);
            const names = (match?.[2] ?? '')
              .split(' ')
              .slice(1)
              .map((one) => one.split('=')[0] ?? '');
            expect(new Set(names).size).toBe(names.length);
            for (const name of names) {
              if (index > 0) {
                const { notify, orcpt } = Object([given.to].flat()[index - 1]) as {
                  notify?: unknown;
                  orcpt?: unknown;
                };
                expect(
                  name === 'NOTIFY'
                    ? notify !== undefined
                    : name === 'ORCPT' && orcpt !== undefined,
                ).toBe(true);
              } else expect(ASKED[name]?.(given as Given), `${name} in ${line}`).toBe(true);
            }
          });
        },
      ),
      { numRuns: 1_000 },
    );
    expect(made).toBeGreaterThan(10);
  });

  test('Session writes the lines of the envelope and no others when a message holds one nasty value', () => {
    const names = [
      'ret',
      'envid',
      'body',
      'priority',
      'holdFor',
      'requireTls',
      'smtpUtf8',
      'deliverBy',
      'size',
      'from',
      'to',
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...names), nasty, (name, value) => {
        const stage = opened(EVERYTHING);
        try {
          stage.send({ content: 'x\r\n', [name]: value } as Partial<OutgoingMessage>, {
            onUnsupported: 'drop',
          });
        } catch (error) {
          expect(error instanceof TypeError || isSmtpError(error)).toBe(true);
          expect(stage.poll()).toBe('');
          return;
        }
        const lines = stage.poll().split('\r\n');
        expect(lines.map((line) => line.split(/[ :]/)[0])).toEqual([
          'MAIL',
          'RCPT',
          'BDAT',
          'x',
          '',
        ]);
      }),
      { numRuns: 400 },
    );
  });
});
