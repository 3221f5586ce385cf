import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bodyHash, canonicalField } from '../src/dkim/canonical.ts';
import { type DkimOptions, dkim } from '../src/dkim/dkim.ts';
import { MimeError } from '../src/errors.ts';
import { asIs, attachment, compose, part } from '../src/index.ts';
import {
  cut,
  ed25519Key,
  NAMES,
  naiveBody,
  octets,
  prepare,
  rsaKey,
  sha256,
  signed,
  signerOf,
  sourceOf,
  type TestKey,
  verdict,
  verdicts,
  verifies,
} from './dkim-support.ts';
import { expectMimeError, thrownBy } from './support.ts';

const ALGORITHMS = ['relaxed', 'simple'] as const;
const CANONICALIZATIONS = [
  'relaxed/relaxed',
  'relaxed/simple',
  'simple/relaxed',
  'simple/simple',
] as const;

const RSA = rsaKey();
const ED25519 = ed25519Key();

const HEAD = [
  'Date: Tue, 02 Jan 2024 03:04:05 +0000',
  'From: "A  Sender" <a@example.com>',
  'To: b@example.net,\r\n c@example.net,\r\n\td@example.net',
  'Subject:  Two  spaces \r\n  and a fold\t',
  'Message-ID: <1@example.com>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 7bit',
  '',
].join('\r\n');
const BODY = 'Hello  world \r\n\r\n\tIndented\t\r\n \r\n\r\n';

const nodeSha256 = (message: string): Buffer =>
  createHash('sha256').update(octets(message)).digest();

async function hashOf(
  chunks: Iterable<Uint8Array>,
  algorithm: 'relaxed' | 'simple',
): Promise<Buffer> {
  return Buffer.from(await bodyHash([sourceOf(chunks)], algorithm === 'simple'));
}

function errorOf(work: () => unknown): MimeError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(MimeError);
    return error as MimeError;
  }
  return expect.fail('nothing was thrown');
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('nothing was rejected'),
    (error: unknown) => error,
  );
}

describe('createSha256()', () => {
  test('gives the digests of FIPS 180-4 examples', () => {
    const vectors: readonly [message: string, digest: string][] = [
      ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [
        'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
        '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      ],
      ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
    ];
    for (const [message, digest] of vectors) expect(sha256([octets(message)])).toBe(digest);
  });

  test('gives the digest of every length up to three blocks', () => {
    for (let length = 0; length <= 200; length += 1) {
      const message = Uint8Array.from({ length }, (_, at) => at * 7 + length);
      expect(sha256([message])).toBe(createHash('sha256').update(message).digest('hex'));
    }
  });

  // 545 MB take 6 s: with LARGE in the environment.
  test.runIf(process.env['LARGE'])('counts more than 2^32 bits', { timeout: 120_000 }, () => {
    const chunk = new Uint8Array(2 ** 24).fill(1);
    const chunks = Array.from({ length: 33 }, () => chunk);
    const expected = createHash('sha256');
    for (const one of chunks) expected.update(one);
    expect(sha256(chunks)).toBe(expected.digest('hex'));
  });
});

describe('canonicalField()', () => {
  test('gives what RFC 6376 §3.4.5 shows', () => {
    expect(canonicalField('A: X\r\n', false)).toBe('a:X\r\n');
    expect(canonicalField('B : Y\t\r\n\tZ  \r\n', false)).toBe('b:Y Z\r\n');
    expect(canonicalField('B : Y\t\r\n\tZ  \r\n', true)).toBe('B : Y\t\r\n\tZ  \r\n');
  });

  test('leaves what is no white space of RFC 5234', () => {
    expect(canonicalField('Subject: \u00a0x\u2003:\u2028 y\ufeff \r\n', false)).toBe(
      'subject:\u00a0x\u2003:\u2028 y\ufeff\r\n',
    );
  });

  test('keeps an empty value', () => {
    for (const field of ['Subject:\r\n', 'Subject : \t\r\n', 'Subject: \r\n \r\n'])
      expect(canonicalField(field, false)).toBe('subject:\r\n');
  });
});

describe('bodyHash()', () => {
  interface Vector {
    readonly check: string;
    readonly header: string;
    readonly relaxedHeader: string;
    readonly body: string;
    readonly relaxedBody: string;
    readonly simpleBody: string;
    readonly simple: string;
    readonly relaxed: string;
  }

  const vectors = JSON.parse(
    readFileSync(new URL('./data/mime-vectors.json', import.meta.url), 'utf8'),
  ) as { cases: { id: string; expect: Vector[] }[] };
  const vector = (id: string): Vector => {
    const [found] = vectors.cases.find((one) => one.id === id)?.expect ?? [];
    return found ?? expect.fail(`${id} is missing`);
  };

  test('gives what vector D02 and RFC 6376 §3.4.5 show', async () => {
    const { header, relaxedHeader, body, relaxedBody, simpleBody } = vector('D02');
    const fields = header.split(/(?<=\r\n)(?=\S)/);
    expect(fields.map((field) => canonicalField(field, false)).join('')).toBe(relaxedHeader);
    expect(await hashOf([octets(body)], 'relaxed')).toEqual(nodeSha256(relaxedBody));
    expect(await hashOf([octets(body)], 'simple')).toEqual(nodeSha256(simpleBody));
  });

  test('gives the hashes of an empty body in vector D03', async () => {
    const { body, relaxed, simple } = vector('D03');
    expect((await hashOf([octets(body)], 'relaxed')).toString('base64')).toBe(relaxed);
    expect((await hashOf([octets(body)], 'simple')).toString('base64')).toBe(simple);
  });

  test.each([
    ['', '', '\r\n'],
    ['\r\n', '', '\r\n'],
    ['\r\n\r\n\r\n', '', '\r\n'],
    [' ', '', ' \r\n'],
    [' \r\n\t\r\n', '', ' \r\n\t\r\n'],
    ['a\r\n \r\n\t\r\n', 'a\r\n', 'a\r\n \r\n\t\r\n'],
    ['a\r\n\r\n \t\r\n\r\n', 'a\r\n', 'a\r\n\r\n \t\r\n'],
    ['a', 'a\r\n', 'a\r\n'],
    ['a\r\n\r\n\r\nb', 'a\r\n\r\n\r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
    ['\r\n\r\na\r\n', '\r\n\r\na\r\n', '\r\n\r\na\r\n'],
    ['  a \t b\t \r\n', ' a b\r\n', '  a \t b\t \r\n'],
    ['a \r\n \r\nb ', 'a\r\n\r\nb\r\n', 'a \r\n \r\nb \r\n'],
    // CR and LF alone are octets like others.
    ['a \r b\n c \n\r\n', 'a \r b\n c \n\r\n', 'a \r b\n c \n\r\n'],
    ['\r', '\r\r\n', '\r\r\n'],
    ['\n\n', '\n\n\r\n', '\n\n\r\n'],
    ['a\r\n\r', 'a\r\n\r\r\n', 'a\r\n\r\r\n'],
    ['a \r\r\n', 'a \r\r\n', 'a \r\r\n'],
    ['a\r\n\r\n\n', 'a\r\n\r\n\n\r\n', 'a\r\n\r\n\n\r\n'],
  ])('%j is %j relaxed and %j simple, however it is cut', async (body, relaxed, simple) => {
    for (const sizes of [[body.length || 1], [1], [2], [0, 1, 3]]) {
      const chunks = cut(octets(body), sizes);
      expect(await hashOf(chunks, 'relaxed')).toEqual(nodeSha256(relaxed));
      expect(await hashOf(chunks, 'simple')).toEqual(nodeSha256(simple));
    }
    expect(naiveBody(body, 'relaxed')).toBe(relaxed);
    expect(naiveBody(body, 'simple')).toBe(simple);
  });

  test('holds back any number of line ends', async () => {
    const body = '\r\n'.repeat(500_000);
    for (const algorithm of ALGORITHMS) {
      expect(await hashOf([octets(body), octets('a')], algorithm)).toEqual(
        nodeSha256(`${body}a\r\n`),
      );
      expect(await hashOf([octets('a'), octets(body)], algorithm)).toEqual(nodeSha256('a\r\n'));
    }
  });

  test('gives the hash of every length about what is hashed at once', async () => {
    for (let length = 16_300; length < 16_400; length += 1) {
      const body = 'x'.repeat(length);
      expect(await hashOf([octets(body)], 'relaxed')).toEqual(nodeSha256(`${body}\r\n`));
    }
  });

  test('reads texts and octets in turn', async () => {
    const hash = await bodyHash(['a \r', sourceOf([octets('\nb'), octets(' ')]), 'ю'], false);
    expect(Buffer.from(hash)).toEqual(createHash('sha256').update('a\r\nb ю\r\n').digest());
  });
});

describe('RFC 8463 Appendix A', () => {
  /** The key of RFC 8032 §7.1, Test 1. */
  const SECRET = 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=';
  const RECORD = 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.from(SECRET, 'base64'),
  ]);
  const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  const FIELDS = [
    'From: Joe SixPack <joe@football.example.com>\r\n',
    'To: Suzie Q <suzie@shopping.example.net>\r\n',
    'Subject: Is dinner ready?\r\n',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n',
  ];
  const MESSAGE_BODY = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n';
  const SIGNATURE =
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n' +
    ' d=football.example.com; i=@football.example.com;\r\n' +
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n' +
    ' subject : date : message-id : from : subject : date;\r\n' +
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n' +
    ' b=';

  test('the canonical forms are those that its signature was made of', async () => {
    expect((await hashOf([octets(MESSAGE_BODY)], 'relaxed')).toString('base64')).toBe(
      '2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=',
    );
    const header = [...FIELDS, `${SIGNATURE}\r\n`]
      .map((field) => canonicalField(field, false))
      .join('')
      .slice(0, -2);
    const signature = Buffer.from(
      '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
      'base64',
    );
    const digest = createHash('sha256').update(header).digest();
    const publicKey = createPublicKey(createPrivateKey(pem));
    expect(verify(null, digest, publicKey, signature)).toBe(true);
  });

  test('dkim() signs with its key what its public key verifies', async () => {
    const signer = dkim({ domain: 'football.example.com', selector: 'brisbane', privateKey: pem });
    const message = await signed(signer, FIELDS.join(''), octets(MESSAGE_BODY));
    expect(message.toString()).toContain('bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;');
    const records = { 'brisbane._domainkey.football.example.com': RECORD };
    expect(await verdicts(message, records)).toEqual(['pass']);
  });
});

describe('dkim()', () => {
  const keys: readonly [name: string, key: TestKey][] = [
    ['RSA', RSA],
    ['Ed25519', ED25519],
  ];
  const cases = keys.flatMap(([name, key]) =>
    CANONICALIZATIONS.map((canonicalization) => ({ name, key, canonicalization })),
  );

  test.each(cases)('$name $canonicalization verifies, and no other message does', async (one) => {
    const { key, canonicalization } = one;
    const message = await signed(signerOf(key, { canonicalization }), HEAD, octets(BODY));
    const [header, body] = canonicalization.split('/');
    const changed = (from: string, to: string): Promise<string> => {
      const other = message.toString().replace(from, to);
      expect(other).not.toBe(message.toString());
      return verdict(Buffer.from(other), key);
    };
    expect(await verdict(message, key)).toBe('pass');
    expect(await changed('world', 'World')).not.toBe('pass');
    expect(await changed('Two', 'Too')).not.toBe('pass');
    expect(await changed('\r\nDate: ', '\r\nFrom: evil@example.net\r\nDate: ')).not.toBe('pass');
    expect(await changed('\r\n\r\nHello', '\r\nFrom: evil@example.net\r\n\r\nHello')).not.toBe(
      'pass',
    );
    expect(
      await changed('\r\nMIME-Version: ', '\r\nFrom: evil@example.net\r\nMIME-Version: '),
    ).not.toBe('pass');
    expect(await changed('t=1704164645', 't=1704164646')).not.toBe('pass');
    // White space on the way.
    const pass = (algorithm: string | undefined): string =>
      algorithm === 'relaxed' ? 'pass' : 'not';
    const orNot = async (result: Promise<string>): Promise<string> =>
      (await result) === 'pass' ? 'pass' : 'not';
    expect(await orNot(changed('Two  spaces', 'Two spaces'))).toBe(pass(header));
    expect(await orNot(changed('Hello  world', 'Hello world'))).toBe(pass(body));
    // Fields that are not signed may come and go.
    expect(await changed('\r\nDate: ', '\r\nX-Trace: 1\r\nDate: ')).toBe('pass');
  });

  test.each([1024, 1032, 2048])('signs with RSA of %i bits', async (bits) => {
    const key = rsaKey(bits);
    for (const pem of [key.pem, `\r\n${key.pem.replaceAll('\n', '\r\n')}\r\n`]) {
      const signer = signerOf(key, { privateKey: pem });
      const message = await signed(signer, HEAD, octets(BODY));
      expect(await verdict(message, key)).toBe('pass');
      const { length } = message;
      expect(prepare(signer, HEAD).size).toBe(length - HEAD.length - 2 - BODY.length);
    }
  });

  test.each([1025, 1031, 1535, 2040])('knows the signature of RSA of %i bits', async (bits) => {
    const prepared = prepare(dkim({ ...NAMES, privateKey: rsaKey(bits).pem }), HEAD);
    expect((await prepared.sign([])).length).toBe(prepared.size);
  });

  test('signs with a CryptoKey that cannot be exported', async () => {
    const { subtle } = crypto;
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    for (const [{ pem, record }, algorithm] of [
      [RSA, rsa],
      [ED25519, { name: 'Ed25519' }],
    ] as const) {
      const der = Buffer.from(pem.replace(/-.*-/g, ''), 'base64');
      const privateKey = await subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
      const message = await signed(dkim({ ...NAMES, privateKey }), HEAD, octets(BODY));
      expect(await verdicts(message, { 'mail._domainkey.example.com': record })).toEqual(['pass']);
    }
  });

  test('signs the default fields that are present, From once more', async () => {
    const names = [
      ...['From', 'Sender', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'To', 'Cc'],
      ...['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding', 'Content-ID'],
      ...['Content-Description', 'In-Reply-To', 'References', 'Auto-Submitted'],
      ...['List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Id'],
    ];
    const others = [
      'Received',
      'Return-Path',
      'X-From',
      'Bcc',
      'DKIM-Signature',
      'List-',
      'Listen',
    ];
    const head = [...names, ...others].map((name) => `${name}: x@example.com\r\n`).join('');
    const field = await prepare(signerOf(ED25519), head).sign([]);
    const [, list = ''] = /\bh=([^;]*)/.exec(field.replace(/\s/g, '')) ?? [];
    expect(list.split(':').sort()).toEqual([...names, 'From'].sort());
    expect(await verdict(await signed(signerOf(ED25519), head, octets(BODY)), ED25519)).toBe(
      'pass',
    );
  });

  test('no field can put a tag into the signature', async () => {
    const head = `${HEAD}List-x;d=evil.example;y: 1\r\n`;
    expect(await prepare(signerOf(ED25519), head).sign([])).not.toContain('evil');
  });

  test('signs the fields that are given, in any case, where they are present', async () => {
    const fields = ['FROM', 'subject', 'X-Custom', 'Comments'];
    const head = `${HEAD}X-Custom: 1\r\n`;
    const message = await signed(signerOf(RSA, { fields }), head, octets(BODY));
    expect(message.toString()).toContain(' h=X-Custom:Subject:From:From;');
    expect(await verdict(message, RSA)).toBe('pass');
    const other = Buffer.from(message.toString().replace('\r\nTo: b', '\r\nTo: x'));
    expect(await verdict(other, RSA)).toBe('pass');
  });

  test('takes names that are joined for several', async () => {
    const fields = ['From,Subject', 'To'];
    const message = await signed(signerOf(ED25519, { fields }), HEAD, octets(BODY));
    expect(message.toString()).toContain(' h=Subject:To:From:From;');
    expect(await verdict(message, ED25519)).toBe('pass');
  });

  test('signs fields of one name from the bottom up', async () => {
    const head = `Comments: 1\r\n${HEAD}Comments: 2\r\nComments: 3\r\n`;
    const fields = ['from', 'comments'];
    for (const canonicalization of CANONICALIZATIONS) {
      const signer = signerOf(ED25519, { fields, canonicalization });
      const message = await signed(signer, head, octets(BODY));
      expect(message.toString()).toContain(' h=Comments:Comments:From:Comments:From;');
      expect(await verdict(message, ED25519)).toBe('pass');
      const swapped = message.toString().replace('Comments: 2', 'Comments: 9');
      expect(await verdict(Buffer.from(swapped), ED25519)).not.toBe('pass');
    }
  });

  test('signs several messages, and one message several times', async () => {
    const prepared = prepare(signerOf(ED25519), HEAD);
    const first = await prepared.sign([octets(BODY)]);
    expect(await prepared.sign(cut(octets(BODY), [1]))).toBe(first);
    expect(await prepared.sign([octets('x')])).not.toBe(first);
  });

  test('two signatures verify, each by its own key', async () => {
    const ofRsa = dkim({ ...NAMES, selector: 'rsa', privateKey: RSA.pem });
    const once = await signed(signerOf(ED25519), HEAD, octets(BODY));
    const again = await prepare(ofRsa, HEAD).sign([octets(BODY)]);
    const records = {
      'mail._domainkey.example.com': ED25519.record,
      'rsa._domainkey.example.com': RSA.record,
    };
    const message = Buffer.concat([Buffer.from(again), once]);
    expect(await verdicts(message, records)).toEqual(['pass', 'pass']);
  });

  test('signs fields in UTF-8', async () => {
    const head = `From: Юля <юля@пример.рф>\r\nSubject: Привет, мир \u{1f600}\r\n${HEAD.replace(/(From|Subject).*\r\n( .*\r\n)*/g, '')}`;
    for (const canonicalization of CANONICALIZATIONS) {
      const message = await signed(signerOf(RSA, { canonicalization }), head, octets(BODY));
      expect(await verdict(message, RSA)).toBe('pass');
      // U+00A0 and U+2028 are text, and so are their octets.
      const odd = `Subject: \u00a0à\u2028  Р\u00a0 \r\n${HEAD.replace(/Subject.*\r\n .*\r\n/, '')}`;
      const other = await signed(signerOf(RSA, { canonicalization }), odd, octets(BODY));
      expect(verifies(other, RSA)).toBe(true);
      expect(verifies(Buffer.from(other.toString().replace('à', 'á')), RSA)).toBe(false);
    }
  });

  test('folds long lists and long names, no line over 78 octets', async () => {
    const head = `${HEAD}${Array.from({ length: 60 }, (_, at) => `List-${'x'.repeat(at)}${at}: ${at}\r\n`).join('')}`;
    for (const canonicalization of CANONICALIZATIONS) {
      const signer = signerOf(RSA, { canonicalization });
      const message = await signed(signer, head, octets(BODY));
      const field = await prepare(signer, head).sign([]);
      for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
      expect(
        field
          .trimEnd()
          .split('\r\n')
          .slice(1)
          .every((line) => /^ \S/.test(line)),
      ).toBe(true);
      expect(await verdict(message, RSA)).toBe('pass');
    }
    const fields = ['From', 'x'.repeat(70), 'y'.repeat(69)];
    const long = await signed(
      signerOf(RSA, { fields }),
      `${HEAD}${fields[1]}: 1\r\n${fields[2]}: 2\r\n`,
      octets(BODY),
    );
    expect(await verdict(long, RSA)).toBe('pass');
  });

  test('signs under a domain of 253 octets', async () => {
    const domain = `${`${'a'.repeat(49)}.`.repeat(5)}com`;
    expect(domain).toHaveLength(253);
    const message = await signed(signerOf(ED25519, { domain }), HEAD, octets(BODY));
    expect(await verdicts(message, { [`mail._domainkey.${domain}`]: ED25519.record })).toEqual([
      'pass',
    ]);
  });

  test('writes what it says', async () => {
    const field = await prepare(signerOf(ED25519), 'From: a@example.com\r\n').sign([]);
    expect(field).toMatch(
      /^DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed\/relaxed; t=1704164645;\r\n d=example.com;\r\n s=mail;\r\n h=From:From;bh=47DEQpj8HBSa\+\/TImW\+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n b=[\w+/]{74}\r\n [\w+/]{12}==\r\n$/,
    );
  });

  test('an error of the body is not an error of the key', async () => {
    const failure = new Error('the body failed');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield octets('a');
      throw failure;
    }
    expect(await rejectionOf(prepare(signerOf(RSA), HEAD).sign(body()))).toBe(failure);
  });
});

describe('dkim() refuses', () => {
  const refused = (options: Partial<Record<keyof DkimOptions, unknown>>): MimeError =>
    errorOf(() => dkim({ ...NAMES, privateKey: ED25519.pem, ...options } as DkimOptions));
  const whole = (error: unknown): string => {
    const { message, stack, ...rest } = error as MimeError;
    return `${message} ${stack} ${JSON.stringify(rest)} ${String((error as MimeError).cause)}`;
  };

  test.each([
    '',
    '.example.com',
    'example.com.',
    'example..com',
    '-a.example.com',
    'a-.example.com',
    'a_b.example.com',
    'пример.рф',
    'example.com; s=evil',
    'example.com\r\n',
    'example.com\n',
    'exam ple.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(126)}com`,
    '[192.0.2.1]',
    undefined,
    null,
    7,
    ['example.com'],
  ])('domain %j', (domain) => {
    const { code, path } = refused({ domain });
    expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.domain' });
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a;b',
    'a b',
    'a\r\n',
    '-a',
    'ключ',
    'a'.repeat(64),
    undefined,
    null,
    7,
  ])('selector %j', (selector) => {
    const { code, path } = refused({ selector });
    expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.selector' });
  });

  test.each([
    '',
    'relaxed',
    'simple/',
    'Simple/Simple',
    'relaxed/relaxed\n',
    'nofws/simple',
    null,
    1,
  ])('canonicalization %j', (canonicalization) => {
    const { code, path } = refused({ canonicalization });
    expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.canonicalization' });
  });

  test.each([
    '',
    'a:b',
    'a;b',
    'a b',
    'To\r\n',
    'DKIM-Signature',
    'dkim-signature',
    'Тема',
    '.*',
    'x'.repeat(71),
    null,
  ])('field name %j', (name) => {
    const { code, path } = refused({ fields: ['From', name] });
    expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.fields' });
  });

  test('fields without From', () => {
    for (const fields of [[], ['To', 'Subject'], ['X-From', 'From-X'], ['', 'From']]) {
      const { code, path } = refused({ fields });
      expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.fields' });
    }
  });

  test('names that are good', () => {
    for (const domain of [
      'example.com',
      'EXAMPLE.Com',
      'xn--e1afmkfd.xn--p1ai',
      'a.b.c.d',
      '1.example',
    ])
      expect(signerOf(ED25519, { domain })).toBeDefined();
    for (const selector of ['a', '2024-01', 'a.b', 'x'.repeat(63)])
      expect(signerOf(ED25519, { selector })).toBeDefined();
  });

  const base64 = (pem: string): string => pem.replace(/-----.*-----|\s/g, '');
  const wrapped = (label: string, content: string): string =>
    `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
  const rsa512 = rsaKey(512);
  const rsa1023 = rsaKey(1023);

  test.each<[name: string, key: unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['an empty text', ''],
    ['base64 alone', base64(RSA.pem)],
    [
      'PEM that is encrypted',
      RSA.privateKey.export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-128-cbc',
        passphrase: 'x',
      }),
    ],
    ['PEM with another end', RSA.pem.replace('END PRIVATE', 'END RSA PRIVATE')],
    ['PEM of PKCS#1', RSA.privateKey.export({ type: 'pkcs1', format: 'pem' })],
    ['PEM of something else', wrapped('PRIVATE KEY', btoa('something else that is no DER'))],
    ['PEM of nothing', wrapped('PRIVATE KEY', '')],
    ['PEM that is no base64', wrapped('PRIVATE KEY', `${base64(RSA.pem)}!`)],
    ['a public key', createPublicKey(RSA.privateKey).export({ type: 'spki', format: 'pem' })],
    ['RSA of 512 bits', rsa512.pem],
    ['RSA of 1023 bits', rsa1023.pem],
  ])('as key %s', (_, privateKey) => {
    const error = refused({ privateKey });
    expect({ code: error.code, path: error.path }).toEqual({
      code: 'ERR_MIME_DKIM',
      path: 'dkim.privateKey',
    });
    const material = base64(String(privateKey)).slice(0, 24);
    if (material.length > 20) expect(whole(error)).not.toContain(material);
  });

  test('keys of other kinds, and such as may not sign', async () => {
    const { subtle } = crypto;
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 1024,
      publicExponent: Uint8Array.of(1, 0, 1),
    };
    const ec = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const sha1 = await subtle.generateKey({ ...rsa, hash: 'SHA-1' }, true, ['sign', 'verify']);
    const pss = await subtle.generateKey({ ...rsa, name: 'RSA-PSS', hash: 'SHA-256' }, true, [
      'sign',
      'verify',
    ]);
    const good = await subtle.generateKey({ ...rsa, hash: 'SHA-256' }, true, ['sign', 'verify']);
    const small = await subtle.generateKey({ ...rsa, modulusLength: 512, hash: 'SHA-256' }, true, [
      'sign',
      'verify',
    ]);
    const pem = wrapped(
      'PRIVATE KEY',
      Buffer.from(await subtle.exportKey('pkcs8', ec.privateKey)).toString('base64'),
    );
    for (const privateKey of [
      ec.privateKey,
      sha1.privateKey,
      pss.privateKey,
      small.privateKey,
      pem,
    ]) {
      const { code, path } = refused({ privateKey });
      expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.privateKey' });
    }
    expect(dkim({ ...NAMES, privateKey: good.privateKey })).toBeDefined();
  });

  test('a key that WebCrypto refuses, when it signs', async () => {
    const octetsOf = (pem: string): Buffer => Buffer.from(base64(pem), 'base64');
    const broken = [RSA, ED25519].map(({ pem }) => octetsOf(pem).subarray(0, -9));
    for (const der of broken) {
      const privateKey = wrapped('PRIVATE KEY', der.toString('base64'));
      const prepared = prepare(dkim({ ...NAMES, privateKey }), HEAD);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const error = await rejectionOf(prepared.sign([]));
        expect(error).toBeInstanceOf(MimeError);
        const { code, path } = error as MimeError;
        expect({ code, path }).toEqual({ code: 'ERR_MIME_DKIM', path: 'dkim.privateKey' });
        expect(whole(error)).not.toContain(der.toString('base64').slice(0, 24));
        expect(whole(error)).not.toContain(der.toString('base64').slice(-24));
      }
    }
  });
});

test('a key in the wrong place is not shown', () => {
  const { pem } = rsaKey(1024);
  for (const key of ['domain', 'selector', 'canonicalization']) {
    const error = thrownBy(() => dkim({ ...NAMES, privateKey: pem, [key]: pem }));
    expectMimeError(error, 'ERR_MIME_DKIM', `dkim.${key}`);
    expect(String(error)).not.toContain(pem.slice(30, 50));
    expect(String(error)).not.toContain('PRIVATE');
  }
});

test('a stream of unknown length is hashed no further than maxSize', async () => {
  let pulled = 0;
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    // As good as endless, and yet a mistake is seen and not waited for.
    for (; pulled < 1_000; pulled += 1) yield new Uint8Array(65_536);
  };
  for (const onUnknownSize of ['guard', 'prebuffer'] as const) {
    const message = compose(
      { from: 'a@example.com', attachments: [attachment('a', { stream })] },
      { dkim: dkim({ ...NAMES, privateKey: rsaKey(1024).pem }), maxSize: 100_000, onUnknownSize },
    );
    expectMimeError(await rejectionOf(message.bytes()), 'ERR_MIME_TOO_LARGE', 'maxSize');
  }
  expect(pulled).toBeLessThan(10);
});

test('an endless stream of what is held back is hashed no further than maxSize', async () => {
  const signer = dkim({ ...NAMES, privateKey: rsaKey(1024).pem });
  for (const octets of ['\r\n', ' ']) {
    let pulled = 0;
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      for (; pulled < 1_000; pulled += 1) yield new TextEncoder().encode(octets.repeat(10_000));
    };
    const transferEncoding = asIs(new Set(['8BITMIME', 'BINARYMIME']));
    const message = compose(
      { from: 'a@example.com', body: part('application/x', { stream }, { transferEncoding }) },
      { dkim: signer, maxSize: 100_000, onUnknownSize: 'guard' },
    );
    expectMimeError(await rejectionOf(message.bytes()), 'ERR_MIME_TOO_LARGE', 'maxSize');
    expect(pulled).toBeLessThan(20);
  }
});
