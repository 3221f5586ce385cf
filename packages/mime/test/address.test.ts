import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import { attachment, compose, type Message, type MessageSpec } from '../src/index.ts';
import { fromUtf8, octetText, readAddresses, readEntity, readMessage, valuesOf } from './reader.ts';
import { composed, expectRefused, read } from './support.ts';

/** The To field as it came, unfolded. */
async function toField(to: MessageSpec['to'], smtpUtf8 = false): Promise<string> {
  const spec = to === undefined ? {} : { to };
  const entity = readEntity(octetText(await composed(spec, { smtpUtf8 }).bytes()));
  return valuesOf(entity, 'To')[0] ?? '';
}

describe('an addr-spec', () => {
  test.each([
    'a@b',
    'a@example.com',
    'A.B-C_d+e@Example.COM',
    "!#$%&'*+-/=?^_`{|}~@example.com",
    'a@1.example.com',
    'a@xn--bcher-kva.example',
    'a@sub.sub.sub.example.com',
    'a@example-with-hyphens.com',
    `${'a'.repeat(64)}@example.com`,
    `a@${'b'.repeat(63)}.example`,
    'a@[192.0.2.1]',
    'a@[IPv6:2001:db8::1]',
    '"john doe"@example.com',
    '"a@b"@example.com',
    '"a\\"b\\\\c"@example.com',
    '"<x>,;:()[]"@example.com',
    '""@example.com',
    '".a..b."@example.com',
  ])('%s is taken as it is, in header and envelope', async (address) => {
    for (const to of [address, { address }]) {
      expect(composed({ to }).to).toEqual([address]);
      expect(await toField(to)).toBe(address);
    }
    expect(composed({ from: address }).from).toBe(address);
  });

  test.each([
    '',
    ' ',
    'a',
    '@',
    'a@',
    '@example.com',
    ' a@example.com',
    'a@example.com ',
    'a @example.com',
    'a@ example.com',
    'a b@example.com',
    'a@b@example.com',
    'a@exa mple.com',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
    'a@.example.com',
    'a@example.com.',
    'a@example..com',
    'a@-example.com',
    'a@example-.com',
    `a@${'b'.repeat(64)}.example`,
    'a(comment)@example.com',
    'a@example.com(comment)',
    'a@exam(x)ple.com',
    'a,b@example.com',
    'a;b@example.com',
    'a:b@example.com',
    'a<b@example.com',
    'a>b@example.com',
    'a[b@example.com',
    'a\\b@example.com',
    'a"b@example.com',
    '"a@example.com',
    'a"@example.com',
    '"a"b@example.com',
    '"a"."b"@example.com',
    '"a"b"@example.com',
    '"a\\"@example.com',
    '<a@example.com>',
    '<a@example.com',
    'a@example.com>',
    '@route.example:a@example.com',
    'a@[192.0.2.1',
    'a@192.0.2.1]',
    'a@[]',
    'a@[192.0.2.1]x',
    'a@[192.0.2.1] ',
    'a@[a b]',
    'a@exa%6dple.com',
    'a@example.com/evil',
    'a@example.com?x',
    'a@example.com#x',
    'a@example.com:25',
    'a@example.com\\x',
    'a@user:pass',
    'a@example.com, b@example.com',
    'a@example.com; b@example.com',
    'a@example.com b@example.com',
    'a@b.com>, <evil@example.org',
    `${'a'.repeat(320)}@example.com`,
  ])('%j is refused', (address) => {
    expectRefused({ to: { address } }, 'ERR_MIME_ADDRESS', 'to');
    expectRefused({ cc: ['b@example.net', { address }] }, 'ERR_MIME_ADDRESS', 'cc[1]');
    expectRefused({ from: { address } }, 'ERR_MIME_ADDRESS', 'from');
    // As a string, angle brackets around it are read; nothing else differs.
    if (!/^<[^<>]*>$/.test(address)) expectRefused({ to: address }, 'ERR_MIME_ADDRESS', 'to');
  });

  test.each([
    ['number', 5],
    ['null', null],
    ['object', {}],
    ['list in a list', ['a@example.com']],
  ])('a %s instead of text is refused', (_, address) => {
    expectRefused({ to: { address: address as unknown as string } }, 'ERR_MIME_ADDRESS', 'to');
  });
});

describe('a string with a display name', () => {
  test.each([
    ['<a@example.com>', '', 'a@example.com'],
    ['Bob <bob@example.com>', 'Bob', 'bob@example.com'],
    ['Bob<bob@example.com>', 'Bob', 'bob@example.com'],
    ['Bob van Doe <bob@example.com>', 'Bob van Doe', 'bob@example.com'],
    ['"Doe, Bob" <bob@example.com>', 'Doe, Bob', 'bob@example.com'],
    ['"Bob \\"B\\" Doe"<bob@example.com>', 'Bob "B" Doe', 'bob@example.com'],
    ['"a@b.com" <c@example.com>', 'a@b.com', 'c@example.com'],
    ['"<evil@example.org>" <c@example.com>', '<evil@example.org>', 'c@example.com'],
    ['Жёлудь <z@example.com>', 'Жёлудь', 'z@example.com'],
    ['Bob <"john doe"@example.com>', 'Bob', '"john doe"@example.com'],
    ['Bob <bob@bücher.example>', 'Bob', 'bob@xn--bcher-kva.example'],
  ])('%s is a name and an address', async (text, name, address) => {
    expect(composed({ to: text }).to).toEqual([address]);
    expect(readAddresses(await toField(text))).toEqual([[name, address]]);
  });

  test.each([
    'Joe Foo, PhD <joe@example.com>',
    'Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>',
    'a@b.com <c@example.com>',
    '"xclow3n@gmail.com x"@internal.domain <a@b.example>',
    'Bob <bob@example.com> x',
    'Bob <bob@example.com>, Eve <eve@example.com>',
    'Bob <bob@example.com',
    'Bob bob@example.com>',
    'Bob <<bob@example.com>>',
    'Bob <>',
    'Bob <bob>',
    'Bob: bob@example.com;',
    'Team: a@example.com, b@example.com;',
    '"Bob <bob@example.com>',
    '"Bob" Doe <bob@example.com>',
    'Bob "B" Doe <bob@example.com>',
    'Bob <bob@example.com > ',
    'user@victim.example <x> .allowed.example',
    'Bob <@route.example:bob@example.com>',
  ])('%s is refused', (text) => {
    expectRefused({ to: text }, 'ERR_MIME_ADDRESS', 'to');
  });
});

describe('a display name', () => {
  test.each([
    ['Bob', 'Bob <a@example.com>'],
    ['Bob van Doe', 'Bob van Doe <a@example.com>'],
    ['', 'a@example.com'],
    ['Doe, Bob', '"Doe, Bob" <a@example.com>'],
    ['O"Brien \\ Co, Ltd.', '"O\\"Brien \\\\ Co, Ltd." <a@example.com>'],
    ['Joe Q. Public', '"Joe Q. Public" <a@example.com>'],
    ['boss@corp.com', '"boss@corp.com" <a@example.com>'],
    ['<evil@example.org>', '"<evil@example.org>" <a@example.com>'],
    ['two  spaces', '"two  spaces" <a@example.com>'],
  ])('%j is written as %s', async (name, field) => {
    expect(await toField({ name, address: 'a@example.com' })).toBe(field);
  });

  test.each([
    'Jörg',
    'Müller, Jörg (Büro) "x"',
    '=?utf-8?Q?x?=',
    ' space before',
    'space behind ',
    'x'.repeat(200),
    '漢字仮名'.repeat(15),
    '😀',
    '\u202eevil',
  ])('%j is encoded, and comes back', async (name) => {
    const field = await toField({ name, address: 'a@example.com' });
    expect(field).toMatch(/^(=\?utf-8\?[qb]\?[^? ]*\?= )+<a@example\.com>$/);
    expect(readAddresses(field)).toEqual([[name, 'a@example.com']]);
  });
});

describe('a group', () => {
  test('of members, and without any', async () => {
    const members = ['c@a.test', { name: 'Joe', address: 'joe@where.test' }];
    expect(await toField({ group: 'A Group', members })).toBe(
      'A Group: c@a.test, Joe <joe@where.test>;',
    );
    expect(await toField({ group: 'Undisclosed recipients', members: [] })).toMatch(
      /^Undisclosed recipients: ?;$/,
    );
    const message = composed({ to: [{ group: 'A', members }, 'b@example.net'] });
    expect(message.to).toEqual(['c@a.test', 'joe@where.test', 'b@example.net']);
  });

  test('with a bad member is refused, with its place', () => {
    const members = ['a@example.com', 'b c@example.com'];
    expectRefused({ to: { group: 'G', members } }, 'ERR_MIME_ADDRESS', 'to.members[1]');
    expectRefused({ to: [{ group: 'G', members }] }, 'ERR_MIME_ADDRESS', 'to[0].members[1]');
  });

  test('in a group is refused', () => {
    const inner = { group: 'I', members: ['a@example.com'] } as unknown as string;
    expectRefused({ to: { group: 'O', members: [inner] } }, 'ERR_MIME_ADDRESS', 'to.members[0]');
  });
});

describe('a domain that is not ASCII', () => {
  test.each([
    ['user@bücher.example', 'user@xn--bcher-kva.example'],
    ['u2@BÜCHER.example', 'u2@xn--bcher-kva.example'],
    ['a@пример.испытание', 'a@xn--e1afmkfd.xn--80akhbyknj4f'],
    ['a@mail.пример.com', 'a@mail.xn--e1afmkfd.com'],
    ['a@例え.テスト', 'a@xn--r8jz45g.xn--zckzah'],
  ])('%s becomes %s', async (given, address) => {
    const message = composed({ from: given, to: [given, { name: 'N', address: given }] });
    expect([message.from, message.to, message.smtpUtf8, message.body]).toEqual([
      address,
      [address],
      false,
      undefined,
    ]);
    const entity = readMessage(await message.bytes());
    expect(readAddresses(valuesOf(entity, 'To')[0] ?? '')).toEqual([
      ['', address],
      ['N', address],
    ]);
  });

  // What a mapping could turn into another domain.
  test.each([
    'a@ex\u3002ample.com',
    'a@bü\uff0fcher.example',
    'a@bü\uff05cher.example',
    'a@bü/x.example',
    'a@bü%41.example',
    'a@bü@x.example',
    'a@bü:25',
    'a@bü?x',
    'a@bü#x',
    'a@bü\\x',
    'a@bü x.example',
    'a@bü..example',
    'a@.bü.example',
    'a@bü.example.',
    'a@①.2.3.4',
    'a@1.2.3.４',
    'a@bü\u00ad.example',
    'a@\u200d.example',
    'a@example\u2024com',
    'a@ｅxample.com',
    'a@[ü]',
    'a@ü\u2028.example',
    `a@${'ü'.repeat(64)}.example`,
  ])('%j is refused', (given) => {
    expectRefused({ to: given }, 'ERR_MIME_ADDRESS', 'to');
    expectRefused({ to: given }, 'ERR_MIME_ADDRESS', 'to', { smtpUtf8: true });
  });
});

describe('a domain that is not ASCII, in a process that runs for long', () => {
  // URL.canParse() of Node 20 gives wrong answers for hosts in Latin-1 once it is optimised.
  test('is mapped the ten thousandth time as the first', () => {
    for (let count = 0; count < 20_000; count += 1)
      expect(compose({ from: 'a@bücher.example', to: [], text: '' }).from).toBe(
        'a@xn--bcher-kva.example',
      );
  });
});

describe('a local part that is not ASCII', () => {
  test('is refused without the option', () => {
    for (const address of ['josé@example.com', '"jos é"@example.com', 'josé@bücher.example'])
      for (const to of [address, { address }])
        expectRefused({ to }, 'ERR_MIME_ADDRESS', 'to', { smtpUtf8: false });
  });

  test('is raw UTF-8 with the option, and says that it needs SMTPUTF8', async () => {
    const to = { name: 'José', address: 'josé@example.com' };
    const message = composed({ to }, { smtpUtf8: true });
    expect([message.to, message.smtpUtf8, message.body]).toEqual([
      ['josé@example.com'],
      true,
      undefined,
    ]);
    const octets = await message.bytes();
    expect(message.size).toBe(octets.length);
    const entity = readMessage(octets, { utf8: true });
    const field = fromUtf8(valuesOf(entity, 'To')[0] ?? '');
    expect(readAddresses(field)).toEqual([['José', 'josé@example.com']]);
  });

  test.each(['from', 'sender', 'to', 'cc', 'bcc', 'replyTo'] as const)('in %s is seen', (key) => {
    const message = composed({ [key]: 'josé@example.com' }, { smtpUtf8: true });
    expect([message.smtpUtf8, message.body]).toEqual([true, undefined]);
  });

  test('is not taken for one where only the domain is not ASCII, whatever the local part looks like', async () => {
    const message = composed({ to: 'a=?b@bücher.example' });
    expect([message.smtpUtf8, message.to]).toEqual([false, ['a=?b@xn--bcher-kva.example']]);
    expect(await message.text()).toContain('To: a=?b@xn--bcher-kva.example\r\n');
  });

  test('nor is a domain that is too long as A-labels', () => {
    for (const key of ['to', 'from'] as const)
      expectRefused({ [key]: `a@${'é.'.repeat(150)}com` }, 'ERR_MIME_ADDRESS', key);
  });

  test('is not needed where all addresses are ASCII', () => {
    const message = composed({ subject: 'é', text: 'é' }, { smtpUtf8: true });
    expect([message.smtpUtf8, message.body]).toEqual([false, undefined]);
  });

  test('of the author with a domain that is not ASCII leaves the Message-ID ASCII', () => {
    const { messageId } = composed({ from: 'josé@bücher.example' }, { smtpUtf8: true });
    expect(messageId).toMatch(/^<[!-~]+@xn--bcher-kva\.example>$/);
  });

  test('of the author with a line separator in it leaves the Message-ID its domain alone', () => {
    const { messageId } = composed({ from: '"a\u2028b"@example.com' }, { smtpUtf8: true });
    expect(messageId).toMatch(/^<[A-Za-z\d]+@example\.com>$/);
  });
});

describe('many recipients', () => {
  test('fold at the commas, 78 at most, in their order', async () => {
    const to = Array.from({ length: 100 }, (_, at) => ({
      name: `Recipient Number ${at}`,
      address: `recipient${at}@subdomain.example.com`,
    }));
    const { head, fields } = await read({ to });
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    const field = fields.find(({ name }) => name === 'To');
    expect(readAddresses(field?.value ?? '')).toEqual(
      to.map(({ name, address }) => [name, address]),
    );
  });
});

describe('hostile input takes time that grows with its length', () => {
  // What is quadratic shows at these as well: 16,000 squared are 0.26 s at 1 ns each, and what is linear takes some ms.
  const sizes = [2_000, 4_000, 8_000, 16_000];
  /** 1 is linear, 2 quadratic; the rest is noise. */
  const LINEAR = 1.6;

  const filled = (unit: string, size: number): string =>
    unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

  const attempt = (spec: Partial<MessageSpec>): (() => Message | undefined) => {
    return () => {
      try {
        return composed(spec, { smtpUtf8: true });
      } catch {
        return undefined;
      }
    };
  };

  const units = [
    'a',
    '"',
    '\\',
    '\\"',
    '<',
    '>',
    '(',
    ',',
    '@',
    '.',
    'a.',
    ' ',
    'a ',
    'é',
    '[',
    ':',
    '=?',
    '-',
    'a@',
    '" "',
  ];

  test.each(units)('an address or name of %j', (unit) => {
    const exponent = growthExponent(
      (size) => {
        const text = filled(unit, size);
        const works = [
          { to: text },
          { to: `${text}@example.com` },
          { to: `a@${text}` },
          { to: `"${text}` },
          { to: `"${text}" <a@example.com>` },
          { to: `${text} <a@example.com>` },
          { to: `x <${text}>` },
          { to: { name: text, address: 'a@example.com' } },
          { to: { name: `${text}x`, address: 'a@example.com' } },
        ].map(attempt);
        return () => {
          for (const work of works) work();
        };
      },
      sizes,
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });

  test.each(units)('a subject, a header, an identifier and a file name of %j', (unit) => {
    const exponent = growthExponent(
      (size) => {
        const text = filled(unit, size);
        const works = [
          { subject: text },
          { subject: `x ${text} x` },
          { headers: [['X-A', `${text}é`] as const] },
          { messageId: `<${text}@${text}>` },
          { references: `<${text}` },
          { text: 'x', attachments: [attachment(text, 'x')] },
          {
            text: 'x',
            attachments: [attachment('x', 'x', { contentType: `text/plain; a=${text}` })],
          },
          {
            text: 'x',
            attachments: [attachment('x', 'x', { contentType: `text/plain; a="${text}` })],
          },
          { html: 'x', attachments: [attachment('x', 'x', { cid: text })] },
        ].map(attempt);
        return () => {
          for (const work of works) work();
        };
      },
      sizes,
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });

  test.each([...units, '\r', '\n', '\r\n', '\0', '=', 'ü ', 'From '])('a text of %j', (unit) => {
    const exponent = growthExponent(
      (size) => {
        const text = filled(unit, size);
        const works = (['7bit', 'quoted-printable', 'base64'] as const).map(
          (transferEncoding) => () => composed({ text, html: `${text}é` }, { transferEncoding }),
        );
        return () => {
          for (const work of works) work();
        };
      },
      sizes,
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });

  test('and what is quadratic is seen to be that', () => {
    const quadratic = (size: number) => () => /a+$/.test(`${'a'.repeat(size)}b`);
    expect(growthExponent(quadratic, [2_000, 4_000, 8_000], LINEAR, 2)).toBeGreaterThan(LINEAR);
  });

  test('as many recipients', () => {
    const exponent = growthExponent(
      (size) => attempt({ to: Array.from({ length: size / 25 }, (_, at) => `a${at}@example.com`) }),
      sizes,
      LINEAR,
    );
    expect(exponent).toBeLessThan(LINEAR);
  });
});
