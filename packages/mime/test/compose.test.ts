import { describe, expect, test } from 'vitest';
import {
  type Attachment,
  attachment,
  compose,
  flowed,
  type MimeError,
  type ReportSpec,
  report,
} from '../src/index.ts';
import { fromUtf8, octetText, readEntity, readUnstructured, treeOf, valuesOf } from './reader.ts';
import {
  composed,
  counting,
  expectMimeError,
  expectRefused,
  FIXED,
  parse,
  read,
  thrownBy,
} from './support.ts';

describe('header fields', () => {
  test('the smallest message is these octets', async () => {
    const message = compose({ from: 'a@example.com', to: 'b@example.net', text: 'Hello' }, FIXED);
    expect(await message.text()).toBe(
      [
        'From: a@example.com',
        'To: b@example.net',
        'Date: Tue, 02 Jan 2024 03:04:05 +0000',
        `Message-ID: ${message.messageId}`,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        '',
      ].join('\r\n'),
    );
  });

  test('every field has its exact octets', async () => {
    const message = composed({
      from: { name: 'Ann Author', address: 'ann@example.com' },
      sender: 'sec@example.com',
      replyTo: [{ name: 'Doe, J.', address: 'j@example.com' }, 'k@example.com'],
      to: ['b@example.net', 'Bob <bob@example.net>'],
      cc: { group: 'Team', members: ['x@example.org', { name: 'Y', address: 'y@example.org' }] },
      bcc: 'hidden@example.org',
      subject: 'Hello, World (v1.0) <x>',
      messageId: '<1@example.com>',
      inReplyTo: '<0@example.com>',
      references: ['<r1@example.com>', '<r2@example.com>'],
      headers: [
        ['X-One', '1'],
        ['X-Two', 'two words'],
      ],
      text: 'x',
    });
    const { head } = readEntity(await message.text());
    expect(head.split('\r\n').slice(0, -1)).toEqual([
      'From: Ann Author <ann@example.com>',
      'Sender: sec@example.com',
      'Reply-To: "Doe, J." <j@example.com>, k@example.com',
      'To: b@example.net, Bob <bob@example.net>',
      'Cc: Team: x@example.org, Y <y@example.org>;',
      'Subject: Hello, World (v1.0) <x>',
      'Date: Tue, 02 Jan 2024 03:04:05 +0000',
      'Message-ID: <1@example.com>',
      'In-Reply-To: <0@example.com>',
      'References: <r1@example.com> <r2@example.com>',
      'X-One: 1',
      'X-Two: two words',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 7bit',
    ]);
  });

  test('a given date is written in UTC', async () => {
    const entity = await read({ date: new Date('1999-12-31T23:59:59+02:00') });
    expect(valuesOf(entity, 'Date')).toEqual(['Fri, 31 Dec 1999 21:59:59 +0000']);
  });

  test.each([
    ['no date at all', new Date(Number.NaN)],
    ['a year before the first', new Date('-000001-12-31T00:00:00Z')],
  ])('%s is refused', (_, date) => {
    expectRefused({ date }, 'ERR_MIME_HEADER', 'date');
  });

  test('an empty subject is an empty field, none is no field', async () => {
    expect(valuesOf(await read({ subject: '' }), 'Subject')).toEqual(['']);
    expect(valuesOf(await read({}), 'Subject')).toEqual([]);
  });

  test('empty lists of addresses make no field', async () => {
    const { fields } = await read({ to: [], cc: [], bcc: [], replyTo: [], text: 'x' });
    expect(fields.map(({ name }) => name)).toEqual([
      'From',
      'Date',
      'Message-ID',
      'MIME-Version',
      'Content-Type',
      'Content-Transfer-Encoding',
    ]);
  });

  test('a long subject folds at its spaces, 78 at most, and unfolds to itself', async () => {
    const subject = Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ');
    const { head, fields } = await read({ subject });
    expect(fields.find(({ name }) => name === 'Subject')?.value).toBe(subject);
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });

  test('forty references fold between identifiers and none is cut', async () => {
    const references = Array.from(
      { length: 40 },
      (_, at) => `<${at}.${'a'.repeat(36)}@example.com>`,
    );
    const { head, fields } = await read({ references });
    expect(fields.find(({ name }) => name === 'References')?.value).toBe(references.join(' '));
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });

  test.each([
    'no angle brackets@example.com',
    '<no-at>',
    '<a b@example.com>',
    '<a@example.com',
    '<ä@example.com>',
    '<a@example.com><b@example.com>',
    ' ',
  ])('message identifier %j is refused', (id) => {
    expectRefused({ messageId: id }, 'ERR_MIME_HEADER', 'messageId');
  });

  test('no identifiers make no field, and an empty one is none', async () => {
    const { fields } = await read({ inReplyTo: [], references: [] });
    expect(fields.map(({ name }) => name)).not.toContain('References');
    expect(fields.map(({ name }) => name)).not.toContain('In-Reply-To');
    for (const key of ['messageId', 'inReplyTo', 'references'])
      expectRefused({ [key]: '' }, 'ERR_MIME_HEADER', key);
    expectRefused({ references: ['<a@example.com>', ''] }, 'ERR_MIME_HEADER', 'references');
  });

  test('what is no text is refused in every field, and never left out', () => {
    for (const bad of [undefined, null, 5, {}, [], true]) {
      const headers = [
        ['X-Good', 'x'],
        ['X-Bad', bad],
      ] as [string, string][];
      expectRefused({ headers }, 'ERR_MIME_HEADER', 'headers[1]');
      expectRefused(
        { headers: [[bad, 'x']] as unknown as [string, string][] },
        'ERR_MIME_HEADER',
        'headers[0]',
      );
      if (bad === undefined) continue;
      for (const key of ['subject', 'messageId', 'autoSubmitted', 'priority'])
        if (!Array.isArray(bad)) expectRefused({ [key]: bad }, 'ERR_MIME_HEADER', key);
    }
  });

  test('a message identifier is at most 490 on each side, so that its line is under 998', async () => {
    const id = (left: number, right: number): string =>
      `<${'a'.repeat(left)}@${'b'.repeat(right)}>`;
    const references = [id(490, 490), id(490, 490)];
    const entity = await read({ messageId: id(490, 490), inReplyTo: id(490, 490), references });
    expect(valuesOf(entity, 'References')).toEqual([references.join(' ')]);
    for (const messageId of [id(491, 1), id(1, 491)])
      expectRefused({ messageId }, 'ERR_MIME_HEADER', 'messageId');
  });

  test.each(['X Foo', 'X:Foo', 'Fóo', '', 'X-A: 1\r\nX-Evil', 'X\0'])(
    'field name %j is refused',
    (name) => {
      expectRefused(
        {
          headers: [
            ['X-Good', '1'],
            [name, '1'],
          ],
        },
        'ERR_MIME_HEADER',
        'headers[1]',
      );
    },
  );

  test.each([
    'From',
    'Sender',
    'Reply-To',
    'to',
    'CC',
    'Bcc',
    'Subject',
    'Date',
    'Message-ID',
    'In-Reply-To',
    'References',
    'MIME-Version',
    'Content-Type',
    'content-language',
  ])('field %s has a key of its own and is refused', (name) => {
    expectRefused({ headers: [[name, 'x']] }, 'ERR_MIME_HEADER', 'headers[0]');
  });
});

describe('who it is from and to', () => {
  test('Bcc is in the envelope and nowhere in the message', async () => {
    const message = composed({ cc: 'c@example.org', bcc: ['hidden@example.org', 'b@example.net'] });
    expect(message.to).toEqual(['b@example.net', 'c@example.org', 'hidden@example.org']);
    const text = await message.text();
    expect(text).not.toMatch(/bcc/i);
    expect(text).not.toContain('hidden');
  });

  test('a recipient in To, Cc and Bcc is in the envelope once', () => {
    const message = composed({
      to: 'b@example.net',
      cc: ['b@example.net', 'c@example.org'],
      bcc: ['c@example.org', 'd@example.org'],
    });
    expect(message.to).toEqual(['b@example.net', 'c@example.org', 'd@example.org']);
  });

  test('the reverse-path is the author, or the sender where there is one', () => {
    expect(composed({ from: 'Ann <ann@example.com>' }).from).toBe('ann@example.com');
    expect(composed({ sender: 'sec@example.com' }).from).toBe('sec@example.com');
  });

  test('several authors need a sender', () => {
    const from = ['a@example.com', 'b@example.com'];
    expectRefused({ from }, 'ERR_MIME_ADDRESS', 'from');
    expect(composed({ from, sender: 'a@example.com' }).from).toBe('a@example.com');
    const three = [...from, 'c@example.com'];
    expectRefused({ from: three }, 'ERR_MIME_ADDRESS', 'from');
    expect(composed({ from: three, sender: 's@example.com' }).from).toBe('s@example.com');
  });

  test('no author, and a sender that is several, are refused', () => {
    expectRefused({ from: [] }, 'ERR_MIME_ADDRESS', 'from');
    expectRefused({ from: [], sender: 'a@example.com' }, 'ERR_MIME_ADDRESS', 'from');
    const sender = { group: 'Two', members: ['a@example.com', 'b@example.com'] };
    expectRefused({ sender }, 'ERR_MIME_ADDRESS', 'from');
  });
});

describe('texts', () => {
  test('html alone is one text/html part', async () => {
    const entity = await read({ html: '<p>x</p>' });
    expect(treeOf(entity)).toBe('text/html');
    expect(entity.parameters.get('charset')).toBe('utf-8');
  });

  test('text and html are alternatives, text first, and keep their ends', async () => {
    const message = composed({ text: 'no newline', html: '<b>also none</b>' });
    const entity = readEntity(await message.text());
    expect(treeOf(entity)).toEqual(['multipart/alternative', ['text/plain', 'text/html']]);
    expect(entity.parts.map(({ content }) => content)).toEqual(['no newline', '<b>also none</b>']);
    expect([message.hasText, message.hasHtml]).toEqual([true, true]);
    expect(message.textParts).toEqual(['no newline', '<b>also none</b>']);
  });

  test('neither text nor html is an empty text', async () => {
    const message = composed();
    expect([message.hasText, message.hasHtml]).toEqual([false, false]);
    const entity = readEntity(await message.text());
    expect(entity.type).toBe('text/plain');
    expect(entity.content.trim()).toBe('');
  });

  test.each(['', 'x', 'x\r\n', 'x\n', 'ü', 'ü\n', '\0', 'a\r', ' '])(
    'a message with text %j ends in CRLF, once more only where it did not end',
    async (text) => {
      for (const transferEncoding of ['7bit', 'quoted-printable', 'base64'] as const) {
        const octets = octetText(await composed({ text }, { transferEncoding }).bytes());
        expect(octets.endsWith('\r\n')).toBe(true);
        const { content, encoding } = readEntity(octets);
        const canonical = text.replace(/\r\n?|\n/g, '\r\n');
        expect([canonical, `${canonical}\r\n`]).toContain(fromUtf8(content));
        if (encoding === '7bit' && canonical.endsWith('\r\n')) expect(content).toBe(canonical);
      }
    },
  );

  test('line ends of all kinds become CRLF', async () => {
    expect((await read({ text: 'a\rb\nc\r\nd\n\re' })).content).toBe(
      'a\r\nb\r\nc\r\nd\r\n\r\ne\r\n',
    );
  });

  test.each([
    ['ASCII', 'Hello', '7bit'],
    ['a line of 998', 'z'.repeat(998), '7bit'],
    ['a line of 999', 'z'.repeat(999), 'quoted-printable'],
    ['NUL', 'twelve characters\0', 'quoted-printable'],
    ['what could be a boundary', 'a=_b', 'quoted-printable'],
    ['mostly ASCII', 'Grüße aus der kleinen Stadt', 'quoted-printable'],
    ['mostly not ASCII', 'Привет', 'base64'],
    ['CJK', '漢字漢字', 'base64'],
  ])('by content, %s goes as it should', async (_, text, encoding) => {
    const entity = await read({ text });
    expect(entity.encoding).toBe(encoding);
    expect(fromUtf8(entity.content).trimEnd()).toBe(text);
  });

  test('the shorter of quoted-printable and base64 is taken', async () => {
    for (const text of [
      'ü'.repeat(9),
      'üa'.repeat(40),
      'ü    '.repeat(30),
      'aaaaü',
      '\0\0\0aaaaa',
    ]) {
      const sizes = { '': 0, 'quoted-printable': 0, base64: 0 };
      for (const transferEncoding of ['quoted-printable', 'base64'] as const)
        sizes[transferEncoding] = (await read({ text }, { transferEncoding })).body.length;
      const { encoding, body } = await read({ text });
      expect(body.trimEnd().length).toBeLessThanOrEqual(
        Math.min(sizes['quoted-printable'], sizes.base64),
      );
      expect(['quoted-printable', 'base64']).toContain(encoding);
    }
  });

  test('half a surrogate pair and what is no string are refused', () => {
    expectRefused({ text: 'a\ud800b' }, 'ERR_MIME_CONTENT', 'text');
    expectRefused({ html: '\udc00' }, 'ERR_MIME_CONTENT', 'html');
    expectRefused({ text: 5 as unknown as string }, 'ERR_MIME_CONTENT', 'text');
    expectRefused({ text: null as unknown as string }, 'ERR_MIME_CONTENT', 'text');
    expectRefused({ html: null as unknown as string }, 'ERR_MIME_CONTENT', 'html');
  });
});

describe('chance and time', () => {
  test('the same chance and time give the same octets', async () => {
    const build = (): Promise<Uint8Array> =>
      compose(
        { from: 'a@example.com', to: 'b@example.net', text: 'ü', html: '<b>ü</b>' },
        { random: counting, now: () => new Date(0) },
      ).bytes();
    expect(octetText(await build())).toBe(octetText(await build()));
  });

  test('a message gives the same octets each time it is read', async () => {
    const message = composed({ text: 'ü', html: 'x' });
    expect(await message.bytes()).toEqual(await message.bytes());
  });

  test('other chance gives another Message-ID and another boundary', async () => {
    const other = (octets: number): Uint8Array => new Uint8Array(octets).fill(61);
    const one = composed({ text: 'x', html: 'x' });
    const two = composed({ text: 'x', html: 'x' }, { random: other });
    expect(one.messageId).not.toBe(two.messageId);
    const boundaries = await Promise.all(
      [one, two].map(async (message) =>
        readEntity(await message.text()).parameters.get('boundary'),
      ),
    );
    expect(boundaries[0]).not.toBe(boundaries[1]);
  });

  test('the default Message-ID is random, at the domain of the author as A-labels', () => {
    const spec = { from: 'j@bücher.example', to: 'b@example.net' };
    const ids = new Set(Array.from({ length: 1000 }, () => compose(spec).messageId));
    expect(ids.size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^<[\da-f-]{36}@xn--bcher-kva\.example>$/);
  });

  test('the default date is now', async () => {
    const before = Math.floor(Date.now() / 1000);
    const message = compose({ from: 'a@example.com', to: 'b@example.net' });
    const [date = ''] = valuesOf(readEntity(await message.text()), 'Date');
    const time = Date.parse(date) / 1000;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now() / 1000);
  });
});

describe('maxSize', () => {
  test('exactly the size passes, one octet less says what is over', () => {
    const spec = { text: 'grüße\n'.repeat(50), html: '<p>ü</p>' };
    const { size } = composed(spec);
    if (size === undefined) throw new Error('the size is known');
    expect(composed(spec, { maxSize: size }).size).toBe(size);
    const error = thrownBy(() => composed(spec, { maxSize: size - 1 })) as MimeError;
    expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
    const { limit, actual, excess } = error;
    expect({ limit, actual, excess }).toEqual({ limit: size - 1, actual: size, excess: 1 });
  });

  test('a limit of nothing is refused by the whole size', () => {
    const { size } = composed({ text: 'x' });
    const { excess } = thrownBy(() => composed({ text: 'x' }, { maxSize: 0 })) as MimeError;
    expect(excess).toBe(size);
  });

  test.each([Number.NaN, -1])('a limit of %s lets nothing pass', (maxSize) => {
    expectRefused({ text: 'x' }, 'ERR_MIME_TOO_LARGE', 'maxSize', { maxSize });
  });

  test('other errors have none of the three numbers', () => {
    const error = thrownBy(() => composed({ subject: '\n' })) as MimeError;
    expect([error.limit, error.actual, error.excess]).toEqual([undefined, undefined, undefined]);
    expect(error).toBeInstanceOf(TypeError);
  });
});

test("the sample of the provider's page arrives as it was written", async () => {
  const html = 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>';
  const message = composed({
    from: 'noreplay@devinotele.com',
    to: 'test@devinotele.com',
    subject: 'Test from smtp',
    html,
  });
  const octets = await message.bytes();
  expect(message.size).toBe(octets.length);
  expect(message.content).toBeInstanceOf(Uint8Array);
  expect([message.body, message.smtpUtf8]).toEqual([undefined, false]);
  expect(octetText(octets)).toMatch(/^[\t\r\n -~]*$/);
  const parsed = await parse(octets);
  expect(parsed.from?.address).toBe('noreplay@devinotele.com');
  expect(parsed.to).toEqual([{ address: 'test@devinotele.com', name: '' }]);
  expect(parsed.subject).toBe('Test from smtp');
  expect(parsed.html?.trimEnd()).toBe(html);
  expect(parsed.text).toBeUndefined();
});

describe('attachments that are none', () => {
  test.each<[string, unknown[]]>([
    ['a description', [{ filename: 'a.txt', content: 'x' }]],
    ['a hole', [undefined]],
    ['null', [null]],
    ['a string', ['a.txt']],
  ])('%s is refused, first and second', (_, bad) => {
    expectRefused({ attachments: bad as Attachment[] }, 'ERR_MIME_CONTENT', 'attachments[0]');
    expectRefused(
      { attachments: [attachment('a', 'x'), ...bad] as Attachment[] },
      'ERR_MIME_CONTENT',
      'attachments[1]',
    );
    expectRefused(
      { attachments: [...bad, attachment('a', 'x')] as Attachment[] },
      'ERR_MIME_CONTENT',
      'attachments[0]',
    );
  });

  test('what is no list is no message', () => {
    const attachments = attachment('a', 'x') as unknown as Attachment[];
    expect(() => composed({ attachments })).toThrow(TypeError);
  });
});

describe('priority and Auto-Submitted', () => {
  test.each([
    ['high', '1'],
    ['normal', '3'],
    ['low', '5'],
  ] as const)('%s is X-Priority %s', async (priority, number) => {
    const entity = await read({ priority });
    expect(valuesOf(entity, 'X-Priority')).toEqual([number]);
    expect(valuesOf(entity, 'Importance')).toEqual([priority]);
  });

  test('another priority, and what is no keyword, is refused', () => {
    for (const value of ['urgent', '', '1x', '1\r\nX: y', '1é', '1'.repeat(2_000)])
      expectRefused({ priority: value as 'high' }, 'ERR_MIME_HEADER', 'priority');
    expectRefused({ autoSubmitted: 'auto generated' as 'no' }, 'ERR_MIME_HEADER', 'autoSubmitted');
    for (const value of ['no\r\nX: y', '', 'x'.repeat(2_000), 'é', 'no '])
      expectRefused({ autoSubmitted: value as 'no' }, 'ERR_MIME_HEADER', 'autoSubmitted');
  });

  test.each(['auto-generated', 'auto-replied', 'no'] as const)('%s is written', async (value) => {
    expect(valuesOf(await read({ autoSubmitted: value }), 'Auto-Submitted')).toEqual([value]);
  });
});

test('Bcc is kept where that is asked for', async () => {
  const message = composed({ bcc: 'Hidden <h@example.org>' }, { keepBcc: true });
  expect(valuesOf(readEntity(await message.text()), 'Bcc')).toEqual(['Hidden <h@example.org>']);
  expect(message.to).toEqual(['b@example.net', 'h@example.org']);
});

test('amp stands between text and HTML', async () => {
  const entity = await read({ text: 'a', amp: '<html amp4email></html>', html: '<p>a</p>' });
  expect(treeOf(entity)).toEqual([
    'multipart/alternative',
    ['text/plain', 'text/x-amp-html', 'text/html'],
  ]);
});

describe('a field', () => {
  test('with a long name has no line over 76 with an encoded-word', async () => {
    for (let length = 40; length <= 49; length += 1) {
      const name = 'X'.repeat(length);
      // The strict reader measures.
      for (const text of [
        'é'.repeat(40),
        '😀'.repeat(40),
        `a${'é '.repeat(3)}${'b'.repeat(60)}`,
        // In Q a character of four octets takes twelve, which is all the room there is.
        `${'a'.repeat(100)}😀${'b'.repeat(100)}`,
      ])
        expect(
          readUnstructured(valuesOf(await read({ headers: [[name, text]] }), name)[0] ?? ''),
        ).toBe(text);
    }
    for (const text of ['é', 'e'])
      expectRefused({ headers: [['X'.repeat(50), text]] }, 'ERR_MIME_HEADER', 'headers[0]');
  });
});

test('a quoted-printable line has 76 characters at most, where an escape is in the way of its break', async () => {
  for (const start of ['.', 'F', 'a'])
    for (let before = 60; before < 76; before += 1)
      for (let after = 0; after < 12; after += 1) {
        const text = `${start}${'a'.repeat(before)}=${'b'.repeat(after)}`;
        const { content } = await read({ text }, { transferEncoding: 'quoted-printable' });
        expect(content.trimEnd()).toBe(text);
      }
});

test('a text is no calendar and no tree', () => {
  for (const key of ['calendar', 'body'])
    expectRefused({ [key]: 'BEGIN:VCALENDAR' }, 'ERR_MIME_CONTENT', key);
  expectRefused({ text: 5 as unknown as string }, 'ERR_MIME_CONTENT', 'text', { flowed });
  expectMimeError(
    thrownBy(() => report({ text: 'x' } as ReportSpec)),
    'ERR_MIME_CONTENT',
    'status',
  );
});

test('a Message-ID is one identifier, with one @', () => {
  for (const messageId of ['<a@b> <c@d>', '<a@b@c>', ['<a@b>']])
    expectRefused({ messageId: messageId as string }, 'ERR_MIME_HEADER', 'messageId');
});

test('a local part has 64 characters at most (RFC 5321 §4.5.3.1.1)', () => {
  expect(composed({ to: `${'a'.repeat(64)}@example.net` }).to.length).toBe(1);
  expectRefused({ to: `${'a'.repeat(65)}@example.net` }, 'ERR_MIME_ADDRESS', 'to');
});

test('no line is the name of a field alone, however long its first word is', async () => {
  for (const length of [60, 70, 80, 500]) {
    const { head } = await read({ headers: [['X-Token', `${'a'.repeat(length)} b`]] });
    expect(head).toContain(`X-Token: ${'a'.repeat(length)}`);
  }
});
