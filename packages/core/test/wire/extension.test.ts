import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Capabilities, parseCapabilities } from '../../src/wire/extension.ts';
import { replyOf } from './cuts.ts';

const capabilities = (lines: readonly string[], ignore?: readonly string[]): Capabilities =>
  parseCapabilities(replyOf(250, ['mail.example.com', ...lines]), ignore);

describe('parseCapabilities()', () => {
  test('parseCapabilities() gives keywords and parameters when the reply is usual', () => {
    const { keywords, auth, size, has } = capabilities([
      'PIPELINING',
      'SIZE 35882577',
      'AUTH PLAIN LOGIN',
      '8BITMIME',
    ]);
    expect([...keywords]).toEqual([
      ['PIPELINING', []],
      ['SIZE', ['35882577']],
      ['AUTH', ['PLAIN', 'LOGIN']],
      ['8BITMIME', []],
    ]);
    expect([...auth]).toEqual(['PLAIN', 'LOGIN']);
    expect(size).toBe(35_882_577);
    expect([has('PIPELINING'), has('8BITMIME'), has('STARTTLS')]).toEqual([true, true, false]);
  });

  test('parseCapabilities() offers nothing when there is no reply', () => {
    const { keywords, auth, size } = parseCapabilities(undefined);
    expect([keywords.size, auth.size, size]).toEqual([0, 0, undefined]);
  });

  test('parseCapabilities() takes no keyword from the greeting line when it names one', () => {
    expect(parseCapabilities(replyOf(250, ['STARTTLS'])).keywords.size).toBe(0);
    expect(parseCapabilities(replyOf(250, ['host STARTTLS', 'DSN'])).has('STARTTLS')).toBe(false);
  });

  test.each([
    'XSTARTTLS',
    'STARTTLSX',
    'NO-STARTTLS',
    'X STARTTLS',
    'STARTTLS=1',
    '-STARTTLS',
    'START TLS',
    '"STARTTLS"',
  ])('parseCapabilities() does not offer STARTTLS when the line is %s', (line) => {
    expect(capabilities([line]).has('STARTTLS')).toBe(false);
  });

  test.each(['STARTTLS', 'starttls', 'StartTLS', 'STARTTLS ', 'STARTTLS unexpected parameter'])(
    'parseCapabilities() offers STARTTLS when the line is %j',
    (line) => {
      expect(capabilities([line]).has('STARTTLS')).toBe(true);
    },
  );

  test.each<[lines: string[], mechanisms: string[]]>([
    [['AUTH PLAIN LOGIN'], ['PLAIN', 'LOGIN']],
    [['auth plain Login'], ['PLAIN', 'LOGIN']],
    [['AUTH=LOGIN'], ['LOGIN']],
    [['AUTH=LOGIN PLAIN'], ['LOGIN', 'PLAIN']],
    [['auth=login'], ['LOGIN']],
    [
      ['AUTH PLAIN', 'AUTH=LOGIN'],
      ['PLAIN', 'LOGIN'],
    ],
    [
      ['AUTH=LOGIN PLAIN', 'AUTH LOGIN PLAIN'],
      ['LOGIN', 'PLAIN'],
    ],
    [['AUTH  PLAIN   LOGIN'], ['PLAIN', 'LOGIN']],
    [['AUTH\tPLAIN'], ['PLAIN']],
    [['AUTH'], []],
    [['XAUTH PLAIN'], []],
    [['XAUTH=PLAIN'], []],
    [['X AUTH=PLAIN'], []],
    [['AUTH SCRAM-SHA-256-PLUS XOAUTH2'], ['SCRAM-SHA-256-PLUS', 'XOAUTH2']],
  ])('parseCapabilities() gives the mechanisms when the lines are %j', (lines, mechanisms) => {
    expect([...capabilities(lines).auth]).toEqual(mechanisms);
  });

  test.each<[lines: string[], size: number | undefined]>([
    [['SIZE'], undefined],
    [['SIZE 0'], undefined],
    [['SIZE 000'], undefined],
    [['SIZE 1'], 1],
    [['size 512000'], 512_000],
    [['SIZE 99999999999999999999'], 1e20],
    [['SIZE abc'], undefined],
    [['SIZE -1'], undefined],
    [['SIZE 1e3'], undefined],
    [['SIZE 0x10'], undefined],
    [['SIZE 10 20'], 10],
    [['SIZE=512000'], undefined],
    [['SIZE 10', 'SIZE 20'], 10],
    [['SIZE 20', 'SIZE 10'], 20],
    [['XSIZE 10'], undefined],
    [['SIZE \u0661\u0662'], undefined],
  ])('parseCapabilities() gives the size when the lines are %j', (lines, size) => {
    expect(capabilities(lines).size).toBe(size);
  });

  test('parseCapabilities() gives no smaller limit than declared when the number is huge', () => {
    expect(capabilities([`SIZE ${'9'.repeat(400)}`]).size).toBe(Number.POSITIVE_INFINITY);
  });

  test('parseCapabilities() treats keywords as absent when they are to be ignored', () => {
    const { has, auth, size } = capabilities(
      ['PIPELINING', 'AUTH PLAIN', 'AUTH=LOGIN', 'SIZE 10', 'DSN'],
      ['pipelining', 'AUTH', 'Size'],
    );
    expect([has('PIPELINING'), has('AUTH'), has('SIZE'), has('DSN')]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect([auth.size, size]).toEqual([0, undefined]);
  });

  test('parseCapabilities() keeps unknown keywords when the server offers them', () => {
    const { has, keywords } = capabilities(['X-EXPS GSSAPI NTLM', 'VRFY', 'ETRN', '', '   ']);
    expect([has('X-EXPS'), has('VRFY'), has('ETRN')]).toEqual([true, true, true]);
    expect(keywords.get('X-EXPS')).toEqual(['GSSAPI', 'NTLM']);
  });

  test.each([
    '__PROTO__',
    'CONSTRUCTOR',
    'TOSTRING',
    'HASOWNPROPERTY',
    'GET',
    'SIZE',
    '__proto__',
    'constructor',
  ])('parseCapabilities() does not offer %s when nothing is offered', (name) => {
    expect(capabilities([]).has(name)).toBe(false);
    expect(capabilities([]).keywords.get(name)).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'parseCapabilities() touches no prototype when %s is offered',
    (name) => {
      const found = capabilities([`${name} polluted`, 'DSN']);
      expect(found.has('DSN')).toBe(true);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    },
  );

  test('parseCapabilities() offers exactly the first tokens when the lines are random', () => {
    const token = fc.stringMatching(/^[A-Za-z\d][A-Za-z\d-]{0,8}$/);
    const lines = fc.array(fc.array(token, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
    fc.assert(
      fc.property(lines, (given) => {
        const { keywords, has } = capabilities(given.map((tokens) => tokens.join(' ')));
        const expected = new Set(given.map(([first = '']) => first.toUpperCase()));
        expect(new Set(keywords.keys())).toEqual(expected);
        for (const tokens of given) {
          for (const one of tokens) {
            expect(has(one.toUpperCase())).toBe(expected.has(one.toUpperCase()));
          }
        }
      }),
    );
  });

  // In upper case they are S, ST and I; RFC 5321 §4.1.1.1 has keywords in ASCII.
  test.each(['\u017ftarttls', '\ufb06arttls', 'P\u0131PEL\u0131N\u0131NG'])(
    'parseCapabilities() offers nothing known when a keyword is not ASCII: %j',
    (line) => {
      const { has } = capabilities([line]);
      expect([has('STARTTLS'), has('PIPELINING')]).toEqual([false, false]);
    },
  );

  // ehlo-line = ehlo-keyword *( SP ehlo-param ): \s is more than SP.
  test.each(['STARTTLS\u00a0X', 'STARTTLS\u2028X', 'STARTTLS\u3000X'])(
    'parseCapabilities() ends a keyword only at a blank when there is %j',
    (line) => {
      expect(capabilities([line]).has('STARTTLS')).toBe(false);
    },
  );

  test('parseCapabilities() gives the limits as they are when LIMITS is offered', () => {
    expect(capabilities(['limits RcptMax=20', 'LIMITS MAILMAX=x']).limits).toEqual([
      'RCPTMAX=20',
      'MAILMAX=X',
    ]);
    expect(capabilities(['RCPTMAX=5']).limits).toEqual([]);
    expect(capabilities(['LIMITS RCPTMAX=20'], ['limits']).limits).toEqual([]);
  });

  // RFC 3030 §3: a server that offers BINARYMIME must offer CHUNKING too.
  test.each<[lines: string[], ignore: string[], offered: boolean]>([
    [['BINARYMIME', 'CHUNKING'], [], true],
    [['BINARYMIME'], [], false],
    [['BINARYMIME', 'CHUNKING'], ['chunking'], false],
    [['BINARYMIME', 'CHUNKING'], ['binarymime'], false],
    [['CHUNKING'], [], false],
  ])(
    'parseCapabilities() offers BINARYMIME only with CHUNKING when the lines are %j without %j',
    (lines, ignore, offered) => {
      expect(capabilities(lines, ignore).has('BINARYMIME')).toBe(offered);
    },
  );
});
