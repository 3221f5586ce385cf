import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePath } from '../../src/wire/path.ts';

/** The domain as it goes on the wire; undefined where it is refused. */
function mapDomain(domain: string): string | undefined {
  try {
    return parsePath(`a@${domain}`, 'address').slice(2);
  } catch {
    return undefined;
  }
}

import { octetsOf } from './cuts.ts';

/** The path's text, or undefined where it is refused, which only a TypeError may do. */
function parsed(address: string): string | undefined {
  try {
    return parsePath(address, 'to');
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return undefined;
  }
}

const label63 = 'a'.repeat(63);

describe('parsePath()', () => {
  test.each<[name: string, address: string]>([
    ['is usual', 'user@example.com'],
    ['has a tag', 'user+tag@example.com'],
    ['has every special character', "!#$%&'*+-/=?^_`{|}~@example.com"],
    ['has dots where some hosts allow them', '.a..b.@docomo.example'],
    ['has capitals', 'User@Example.COM'],
    ['has a quoted local part', '"a b"@example.com'],
    ['has an @ in a quoted local part', '"a@b"@example.com'],
    ['has angle brackets in a quoted local part', '"a<b>"@example.com'],
    ['has an escaped quote', '"a\\"b"@example.com'],
    ['has an escaped backslash', '"a\\\\"@example.com'],
    ['has an empty quoted local part', '""@example.com'],
    ['has an IPv4 literal', 'user@[192.0.2.1]'],
    ['has an IPv6 literal', 'user@[IPv6:2001:db8::1]'],
    ['has a domain of one label', 'user@localhost'],
    ['has a domain of digits', 'user@1.2'],
    ['has an underscore in a label', 'user@a_b.example'],
    ['has an A-label', 'user@xn--e1afmkfd.xn--p1ai'],
    ['has a label of 63', `user@${label63}.example`],
    ['has 254 octets', `${'a'.repeat(64)}@${label63}.${label63}.${'a'.repeat(61)}`],
  ])('parsePath() gives the address as it is when it %s', (_name, address) => {
    expect(parsePath(address, 'to')).toBe(address);
  });

  test.each<[name: string, address: string]>([
    ['is empty', ''],
    ['has no @', 'user'],
    ['has no local part', '@example.com'],
    ['has no domain', 'user@'],
    ['is an @', '@'],
    ['has two @', 'a@b@example.com'],
    ['has two @ at the end', 'a@@example.com'],
    ['is in angle brackets', '<user@example.com>'],
    ['has a display name', 'User <user@example.com>'],
    ['is two addresses', 'a@example.com,b@example.com'],
    ['is two addresses with a blank', 'a@example.com, b@example.com'],
    ['is two addresses with a semicolon', 'a@example.com;b@example.com'],
    ['ends its path early', 'a@example.com> SIZE=1'],
    ['has a parameter', 'a@example.com SIZE=1'],
    ['has CR LF behind it', 'a@example.com\r\nDATA'],
    ['ends with LF', 'a@example.com\n'],
    ['has CR LF in front', '\r\na@example.com'],
    ['has NUL', 'a\0@example.com'],
    ['has TAB', 'a\t@example.com'],
    ['has a blank in front', ' a@example.com'],
    ['has a blank at the end', 'a@example.com '],
    ['has a blank in an unquoted local part', 'a b@example.com'],
    ['has a source route', '@relay.example:user@example.com'],
    ['has a comment', 'user(comment)@example.com'],
    ['has an open quote', '"a@example.com'],
    ['has a quote in the middle', 'a"b"@example.com'],
    ['has text behind the quote', '"a"b@example.com'],
    ['has two quoted strings', '"a"."b"@example.com'],
    ['has a backslash outside quotes', 'a\\b@example.com'],
    ['ends its quoted string by an escape', '"a\\"@example.com'],
    ['has an empty label', 'user@example..com'],
    ['has a trailing dot', 'user@example.com.'],
    ['has a leading dot in the domain', 'user@.example.com'],
    ['has a label that begins with a hyphen', 'user@-example.com'],
    ['has a label that ends with a hyphen', 'user@example-.com'],
    ['has a label of 64', `user@${label63}a.example`],
    ['has a label of 64 with a hyphen', `user@a-${label63.slice(1)}.example`],
    ['has a label that begins with an underscore', 'user@_a.example'],
    ['has a label that ends with an underscore', 'user@a_.example'],
    ['has 255 octets', `${'a'.repeat(64)}@${label63}.${label63}.${'a'.repeat(62)}`],
    ['has an empty literal', 'user@[]'],
    ['has an open literal', 'user@[192.0.2.1'],
    ['has an @ in a literal', 'user@[a@b]'],
    ['has a blank in a literal', 'user@[a b]'],
    ['has text behind a literal', 'user@[192.0.2.1]x'],
    ['has a port', 'user@example.com:25'],
    ['has a path behind the domain', 'user@example.com/evil'],
    ['has percent encoding in the domain', 'user@exa%6dple.com'],
    ['is a percent hack with two @', 'a%b@c@example.com'],
    ['has two domains', 'user@victim.example .allowed.example'],
    ['has two domains with a TAB', 'user@victim.example\t.allowed.example'],
    ['has a fullwidth @', 'user\uff20example.com'],
    ['has a fullwidth @ behind the @', 'user@a\uff20example.com'],
  ])('parsePath() throws TypeError when the address %s', (_name, address) => {
    expect(() => parsePath(address, 'to[3]')).toThrow(TypeError);
    expect(() => parsePath(address, 'to[3]')).toThrow(/as to\[3\]: no mailbox/);
  });

  test.each([[undefined], [null], [42], [{}]])(
    'parsePath() throws TypeError when it is given no string: %j',
    (address) => {
      expect(() => parsePath(address as unknown as string, 'from')).toThrow(TypeError);
    },
  );

  test('parsePath() gives ASCII when the local part is ASCII', () => {
    expect(parsePath('почта@пример.рф', 'to')).toBe('почта@xn--e1afmkfd.xn--p1ai');
    expect(parsePath('mail@пример.рф', 'to')).toBe('mail@xn--e1afmkfd.xn--p1ai');
    expect(parsePath('"поч та"@example.com', 'to')).toBe('"поч та"@example.com');
  });

  test('parsePath() gives one split, no bracket, blank or control outside quotes when it accepts', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...['a', 'b.c', '@', '"', '\\', '<', '>', ' ', '\t', '\r', '\n', '\0', '.', '-', '_', '%'],
        ...[
          ',',
          ';',
          ':',
          '(',
          ')',
          '/',
          'é',
          'рф',
          '\uff20',
          '\uff0e',
          '\u3002',
          '\u2028',
          '\u0085',
        ],
        ...['example.com', '192.0.2.1', '👋', '\ud800'],
      ),
      fc.string({ maxLength: 3 }),
    );
    const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const domain = fc.oneof(
      fc.constantFrom('example.com', '[192.0.2.1]', 'пример.рф'),
      text.filter((given) => !given.includes('[')),
    );
    const address = fc.oneof(
      text,
      fc.tuple(text, domain).map(([local, host]) => `${local}@${host}`),
      fc.tuple(text, domain).map(([local, host]) => `"${local}"@${host}`),
    );
    let accepted = 0;
    fc.assert(
      fc.property(address, (given) => {
        const path = parsed(given);
        if (path === undefined) return;
        accepted += 1;
        // Read character by character, as a server would: quotes, escapes, and what stands outside.
        let quoted = false;
        let escaped = false;
        const splits: number[] = [];
        for (let at = 0; at < path.length; at += 1) {
          const character = path.charAt(at);
          if (escaped) escaped = false;
          else if (quoted && character === '\\') escaped = true;
          else if (character === '"') quoted = !quoted;
          else if (!quoted) {
            if (character === '@') splits.push(at);
            expect(character > ' ' && !/[<>\x7f]/.test(character)).toBe(true);
          }
        }
        expect({ quoted, escaped, splits: splits.length }).toEqual({
          quoted: false,
          escaped: false,
          splits: 1,
        });
        const at = splits[0] as number;
        expect(given.startsWith(path.slice(0, at + 1))).toBe(true);
        const host = given.slice(at + 1);
        expect(path.slice(at + 1)).toMatch(/^[!-~]+$/);
        if (/^[ -~]*$/.test(host)) expect(path.slice(at + 1)).toBe(host);
      }),
      { numRuns: 4_000 },
    );
    expect(accepted).toBeGreaterThan(400);
  });

  // The URL parser drops variation selectors: what is too long would be cut to another domain.
  test('parsePath() throws TypeError when an address is too long before it is mapped', () => {
    expect(parsed(`a@ä${'\ufe00'.repeat(252)}.bank.example`)).toBeUndefined();
    expect(parsed(`a@${'\ufe00'.repeat(252)}ä.example`)).toBeUndefined();
  });

  // RFC 5321 §4.5.3.1.3 counts octets.
  test('parsePath() counts octets when the local part is not ASCII', () => {
    const address = `${'я'.repeat(200)}@example.com`;
    expect(octetsOf(address).length).toBeGreaterThan(254);
    expect(parsed(address)).toBeUndefined();
  });

  // dcontent takes them in, and a lax server would see the end of the path there.
  test.each(['user@[a>]', 'user@[<a]', 'user@["]'])(
    'parsePath() throws TypeError when a literal holds a bracket or quote: %s',
    (address) => {
      expect(parsed(address)).toBeUndefined();
    },
  );

  // qtextSMTP is printable (RFC 5321 §4.1.2).
  test.each([
    '"a\r\nb"@example.com',
    '"\0"@example.com',
    '"a\tb"@example.com',
    '"\x7f"@example.com',
  ])(
    'parsePath() throws TypeError when a quoted local part holds a control character: %j',
    (address) => {
      expect(parsed(address)).toBeUndefined();
    },
  );
});

describe('mapDomain()', () => {
  test.each<[domain: string, mapped: string]>([
    ['пример.рф', 'xn--e1afmkfd.xn--p1ai'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['Bücher.Example', 'xn--bcher-kva.example'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['mail.пример.рф', 'mail.xn--e1afmkfd.xn--p1ai'],
    ['उदाहरण.परीक्षा', 'xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g'],
  ])('mapDomain() gives A-labels when it is given %s', (domain, mapped) => {
    expect(mapDomain(domain)).toBe(mapped);
  });

  test.each<[name: string, domain: string]>([
    ['a path', 'exämple.com/evil'],
    ['percent encoding', 'exä%6dple.com'],
    ['a user name', 'user:pass\uff20exämple.com'],
    ['a port', 'exämple.com:25'],
    ['a query', 'exämple.com?a'],
    ['a fragment', 'exämple.com#a'],
    ['a backslash', 'exämple.com\\evil'],
    ['a blank', 'victim.exämple .allowed.example'],
    ['a TAB, which a URL loses', 'exä\tmple.com'],
    ['a LF, which a URL loses', 'exämple.com\n'],
    ['a fullwidth dot', 'а\uff0eрф'],
    ['an ideographic dot', 'а\u3002рф'],
    ['a halfwidth ideographic dot', 'а\uff61рф'],
    ['a fullwidth slash', 'exämple.com\uff0fevil'],
    ['a zero-width joiner', 'a\u200db.example'],
    ['a zero-width non-joiner', 'a\u200cb.example'],
    ['a zero-width space', 'a\u200bb.example'],
    ['a word joiner', 'a\u2060b.example'],
    ['a byte order mark', '\ufeffexample.com'],
    ['a soft hyphen', 'a\u00adb.example'],
    ['a right-to-left override', 'a\u202eb.example'],
    ['a no-break space', 'a\u00a0b.example'],
    ['a line separator', 'a\u2028b.example'],
    ['NEL', 'a\u0085b.example'],
    ['half a surrogate pair', 'a\ud800b.example'],
    ['an emoji', '👋.example'],
    ['an ideograph of accountancy', '\u2100.example'],
    ['a digit with a full stop', 'ä\u2488b.example'],
    ['a digit in brackets', 'ä\u2474.example'],
    ['an empty label', 'ä..example'],
    ['a trailing dot', 'ä.example.'],
    ['a leading dot', '.ä.example'],
    ['fullwidth digits of an address', '\uff11\uff0e\uff12'],
    ['fullwidth digits with dots', '\uff11.\uff12'],
    ['a combining mark in front', '\u0301a.example'],
    ['a broken A-label', 'xn--a.ä'],
    ['an underscore beside a U-label', 'a_b.ä'],
    ['a label that becomes too long', `${'ä'.repeat(70)}.example`],
    ['an IPv6 literal without its tag', '[ä]'],
  ])('mapDomain() gives undefined when there is %s', (_name, domain) => {
    expect(mapDomain(domain)).toBeUndefined();
  });

  test('mapDomain() gives the domain itself or nothing when it is ASCII', () => {
    const ascii = fc.oneof(
      fc.stringMatching(/^[ -~]{0,30}$/),
      fc.stringMatching(/^[\w-]{1,10}(\.[\w-]{1,10}){0,4}$/),
      fc.constantFrom(
        '1.2',
        '0x7f.1',
        '127.1',
        '2130706433',
        'example.com/evil',
        'exa%6dple.com',
        'A.B',
      ),
    );
    fc.assert(
      fc.property(ascii, (domain) => {
        expect([undefined, domain]).toContain(mapDomain(domain));
      }),
      { numRuns: 2_000 },
    );
    expect(mapDomain('1.2')).toBe('1.2');
  });

  test('mapDomain() gives ASCII of as many labels when the domain is any Unicode', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (noise) => {
        for (const domain of [noise, `${noise}.example`, `ä${noise}.рф`, `user.${noise}.ä`]) {
          const mapped = mapDomain(domain);
          if (mapped === undefined) continue;
          expect(mapped).toMatch(/^[!-~]+$/);
          if (mapped.startsWith('[')) continue;
          expect(mapped.split('.')).toHaveLength(domain.split('.').length);
          expect(mapped).toMatch(/^[\w-]+(?:\.[\w-]+)*$/);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  // The URL parser drops or folds these.
  test.each([
    'exam\ufe00ple.com',
    'exam\u034fple.com',
    'exam\u180bple.com',
    '\u017fample.com',
    'ex\u2460.com',
  ])(
    'mapDomain() gives undefined when a label outside ASCII would become an ASCII one: %j',
    (domain) => {
      expect(mapDomain(domain)).toBeUndefined();
    },
  );
});
