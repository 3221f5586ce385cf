import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import {
  asIs,
  attachment,
  type BodyPart,
  type PartOptions,
  part,
  quotedPrintable,
} from '../src/index.ts';
import { leaves, octetText, readMessage, treeOf, utf8, valuesOf } from './reader.ts';
import { composed, expectMimeError, expectRefused, parse, read, thrownBy } from './support.ts';

const OCTETS = Uint8Array.from({ length: 300 }, (_, at) => at % 256);

const INNER = 'From: c@example.org\r\nSubject: inner\r\n\r\nhello\r\n';

const asAny = (value: unknown): never => value as never;

describe('a tree', () => {
  test('is written as it is given', async () => {
    const body = part('multipart/mixed', [
      part('multipart/alternative', [part('text/plain', 'a'), part('text/html', '<p>a</p>')]),
      part('multipart/digest', [part('message/rfc822', INNER)]),
      attachment('a.bin', OCTETS),
      part('multipart/parallel', [part('multipart/mixed', [part('image/png', OCTETS)])]),
    ]);
    const message = composed({ body });
    const octets = await message.bytes();
    expect(message.size).toBe(octets.length);
    const entity = readMessage(octets);
    expect(treeOf(entity)).toEqual([
      'multipart/mixed',
      [
        ['multipart/alternative', ['text/plain', 'text/html']],
        ['multipart/digest', ['message/rfc822']],
        'application/octet-stream',
        ['multipart/parallel', [['multipart/mixed', ['image/png']]]],
      ],
    ]);
    expect(leaves(entity).map(({ content }) => content)).toEqual([
      'a',
      '<p>a</p>',
      INNER,
      octetText(OCTETS),
      octetText(OCTETS),
    ]);
    expect(body.depth).toBe(3);
  });

  test('parameters of a multipart, and what is said of it, are in its header', async () => {
    const body = part(
      'multipart/related; type="text/html"; start="<a@b>"',
      [part('text/html', 'x')],
      {
        cid: 'r@example.com',
        disposition: 'inline',
      },
    );
    const entity = await read({ body });
    expect(entity.parameters.get('type')).toBe('text/html');
    expect(entity.parameters.get('start')).toBe('<a@b>');
    expect(valuesOf(entity, 'Content-ID')).toEqual(['<r@example.com>']);
    expect(entity.disposition).toBe('inline');
  });

  test('of 100 levels is written, and of 101 or 100,000 refused', async () => {
    let deep: BodyPart = part('text/plain', 'x');
    for (let level = 0; level < 100; level += 1) deep = part('multipart/mixed', [deep]);
    const octets = await composed({ body: deep }).bytes();
    expect(leaves(readMessage(octets))[0]?.content.trim()).toBe('x');
    expectMimeError(
      thrownBy(() => part('multipart/mixed', [part('text/plain', 'x'), deep])),
      'ERR_MIME_CONTENT',
      'parts',
    );
  });

  test('of many parts is written in time', async () => {
    const one = part('text/plain', 'x');
    const body = part(
      'multipart/mixed',
      Array.from({ length: 200_000 }, () => one),
    );
    expect(composed({ body }).size).toBeGreaterThan(200_000 * 100);
  });

  test.each([
    ['a string', 'text/plain', 'parts'],
    ['nothing', undefined, 'parts'],
    ['an object', {}, 'parts'],
    ['a list', [], 'parts'],
  ])('with %s among its parts is refused', (_, bad, path) => {
    const parts = [part('text/plain', 'a'), asAny(bad)];
    expectMimeError(
      thrownBy(() => part('multipart/mixed', parts)),
      'ERR_MIME_CONTENT',
      path,
    );
  });

  test.each([
    ['multipart/mixed', 'nothing', [], 'parts'],
    ['multipart/mixed', 'text', 'text', 'parts'],
    ['multipart/mixed', 'octets', OCTETS, 'parts'],
    ['multipart/mixed', 'undefined', undefined, 'parts'],
    ['Multipart/Mixed', 'text', 'text', 'parts'],
    ['text/plain', 'a part', [part('text/plain', 'x')], 'content'],
    ['text/plain', 'no part', [], 'content'],
  ])('%s with %s is refused', (contentType, _, content, path) => {
    expectMimeError(
      thrownBy(() => part(contentType, asAny(content))),
      'ERR_MIME_CONTENT',
      path,
    );
  });

  test('says where in it something is wrong', () => {
    const body = part('multipart/mixed', [
      part('multipart/mixed', [part('text/plain', 'x', { cid: 'a b' })]),
    ]);
    expectRefused({ body }, 'ERR_MIME_HEADER', 'body.parts[0].parts[0].cid');
    const broken = part('multipart/mixed', [part('text', 'x')]);
    expectRefused(
      { attachments: [broken] },
      'ERR_MIME_HEADER',
      'attachments[0].parts[0].contentType',
    );
  });
});

describe('content', () => {
  test('of text is text: line breaks, charset, and the encoding that is shorter', async () => {
    const entity = await read({ body: part('text/plain', 'a\nb\rc\r\nd é'.repeat(9)) });
    expect(entity.parameters.get('charset')).toBe('utf-8');
    expect(entity.encoding).toBe('quoted-printable');
    expect(entity.content.trim()).toBe(utf8('a\r\nb\r\nc\r\nd é'.repeat(9)));
    expect((await read({ body: part('text/plain', '') })).encoding).toBe('7bit');
  });

  test.each([
    'text/plain; charset=utf-8',
    'text/plain; charset="UTF-8"',
    'TEXT/plain; x=y; Charset=Utf-8',
  ])('%s keeps its charset', async (contentType) => {
    const { parameters } = await read({ body: part(contentType, 'é') });
    expect(parameters.get('charset')?.toLowerCase()).toBe('utf-8');
  });

  test('a string in another charset is refused, octets are not', async () => {
    const contentType = 'text/plain; charset=koi8-r';
    expectMimeError(
      thrownBy(() => part(contentType, 'x')),
      'ERR_MIME_CONTENT',
      'content',
    );
    expectMimeError(
      thrownBy(() => part(contentType, '')),
      'ERR_MIME_CONTENT',
      'content',
    );
    const entity = await read({ body: part(contentType, OCTETS) });
    expect(entity.parameters.get('charset')).toBe('koi8-r');
    expect(entity.content).toBe(octetText(OCTETS));
  });

  test('that is no text is octets, in base64', async () => {
    const entity = await read({ body: part('application/json', '{"é":\n1}') });
    expect([entity.encoding, entity.content]).toEqual(['base64', utf8('{"é":\n1}')]);
    expect(entity.parameters.has('charset')).toBe(false);
    for (const content of [
      OCTETS,
      new Blob([OCTETS]),
      { stream: () => new Blob([OCTETS]).stream() },
    ]) {
      const body = part('text/plain', content);
      expect((await read({ body })).content).toBe(octetText(OCTETS));
      expect(body.size).toBe('stream' in content && !('size' in content) ? undefined : 300);
    }
  });

  test.each<[unknown, PartOptions['transferEncoding'], string]>([
    ['Hi', 'base64', 'base64'],
    ['Hi', 'quoted-printable', 'quoted-printable'],
    ['Hi', '7bit', '7bit'],
    ['Hi', quotedPrintable, 'quoted-printable'],
    ['Hi', asIs(), '7bit'],
    [OCTETS, 'base64', 'base64'],
    [OCTETS, quotedPrintable, 'quoted-printable'],
    [new Uint8Array([65]), asIs(), '7bit'],
  ])('%j in %j is %s', async (content, transferEncoding, expected) => {
    const body = part('text/plain', asAny(content), {
      ...(transferEncoding && { transferEncoding }),
    });
    expect((await read({ body })).encoding).toBe(expected);
  });

  test('an option of its own wins over that of the message', async () => {
    const transferEncoding = asIs(new Set(['BINARYMIME', '8BITMIME']));
    const parts = [part('a/b', OCTETS, { transferEncoding: 'base64' }), part('a/b', OCTETS)];
    const message = composed({ body: part('multipart/mixed', parts) }, { transferEncoding });
    const found = leaves(readMessage(await message.bytes(), { body: message.body }));
    expect(found.map(({ encoding }) => encoding)).toEqual(['base64', 'binary']);
  });

  test.each([
    ['text/plain', OCTETS, '7bit', 'base64'],
    ['text/plain', OCTETS, 'quoted-printable', 'base64'],
    ['application/json', '{}', '7bit', 'base64'],
    ['message/rfc822', INNER, 'base64', '7bit'],
    ['message/rfc822', INNER, quotedPrintable, '7bit'],
  ])('of %s gets what it can have', async (contentType, content, transferEncoding, encoding) => {
    const body = part(contentType, content, { transferEncoding: asAny(transferEncoding) });
    const entity = await read({ text: 'x', attachments: [body] });
    const found = leaves(entity).at(-1);
    expect([found?.encoding, found?.content]).toEqual([
      encoding,
      typeof content === 'string' ? content : octetText(content),
    ]);
  });

  test.each([5, {}, null, undefined, new ArrayBuffer(3)])('%j is refused', (content) => {
    expectMimeError(
      thrownBy(() => part('a/b', asAny(content))),
      'ERR_MIME_CONTENT',
      'content',
    );
  });

  test('half a surrogate pair is refused', () => {
    expectMimeError(
      thrownBy(() => part('text/plain', 'a\ud800')),
      'ERR_MIME_CONTENT',
      'content',
    );
  });
});

describe('message/*', () => {
  test('is never encoded', async () => {
    const message = composed({
      text: 'x',
      attachments: [part('message/rfc822', INNER, { filename: 'm.eml' })],
    });
    const octets = await message.bytes();
    const [, inner] = leaves(readMessage(octets));
    expect([inner?.type, inner?.encoding, inner?.content]).toEqual([
      'message/rfc822',
      '7bit',
      INNER,
    ]);
    const [found] = (await simpleParser(Buffer.from(octets))).attachments;
    expect(found?.content.toString()).toBe(INNER);
    expect((await parse(octets)).attachments[0]?.filename).toBe('m.eml');
  });

  test('that is not 7bit is refused, unless the server takes it', async () => {
    const body = part('message/rfc822', `${INNER}é\r\n`);
    expectRefused({ body }, 'ERR_MIME_CONTENT', 'body');
    expectRefused({ body }, 'ERR_MIME_CONTENT', 'body', { transferEncoding: quotedPrintable });
    const transferEncoding = asIs(new Set(['8BITMIME']));
    const message = composed({ body }, { transferEncoding });
    expect(message.body).toBe('8BITMIME');
    expect(readMessage(await message.bytes(), { body: message.body }).encoding).toBe('8bit');
  });

  test('message/global may be encoded (RFC 6532 §3.7)', async () => {
    expect((await read({ body: part('message/global', `${INNER}é`) })).encoding).toBe('base64');
  });
});

describe('what is said of a part', () => {
  test.each([
    'text',
    'text/plain;',
    'text/plain; name=x',
    'text/plain; a=b; Name="x"',
    'text/plain; boundary=x',
    'text/plain\r\nX: y',
    `text/plain; a=${'x'.repeat(900)}`,
  ])('contentType %j is refused', (contentType) => {
    expectRefused({ body: part(contentType, 'x') }, 'ERR_MIME_HEADER', 'body.contentType');
  });

  test.each([
    'multipart/',
    'multipart/mixed; boundary="x"',
    'multipart/mixed; BOUNDARY=x',
    'multipart/mixed\r\nX: y',
  ])('contentType %j is refused', (contentType) => {
    const body = part(contentType, [part('text/plain', 'x')]);
    expectRefused({ body }, 'ERR_MIME_HEADER', 'body.contentType');
  });

  test.each<[string, object]>([
    ['filename', { filename: 'a\r\nb' }],
    ['filename', { filename: 5 }],
    ['cid', { cid: '<a>' }],
  ])('%s of %j is refused', (path, options) => {
    const body = part('text/plain', 'x', options);
    expectRefused({ body }, 'ERR_MIME_HEADER', `body.${path}`);
  });

  test('all of it is written', async () => {
    const entity = await read({
      body: part('text/plain', 'x', {
        filename: 'é.txt',
        cid: 'a@b',
        disposition: 'attachment',
      }),
    });
    expect(entity.disposition).toBe('attachment');
    expect(entity.dispositionParameters.get('filename')).toBe('é.txt');
    expect(valuesOf(entity, 'Content-ID')).toEqual(['<a@b>']);
  });

  test.each<[string | undefined, PartOptions]>([
    [undefined, {}],
    ['attachment', { filename: 'a' }],
    ['inline', { cid: 'a@b' }],
    ['inline', { filename: 'a', cid: 'a@b' }],
    ['inline', { filename: 'a', disposition: 'inline' }],
    [undefined, { filename: '' }],
    ['attachment', { disposition: 'attachment' }],
  ])('the disposition is %s with %j', async (expected, options) => {
    expect((await read({ body: part('text/plain', 'x', options) })).disposition).toBe(expected);
  });
});

describe('places of a part', () => {
  test('it is an attachment, beside the HTML where it has a cid', async () => {
    const entity = await read({
      html: '<img src="cid:a@b">',
      attachments: [part('image/png', OCTETS, { cid: 'a@b' }), part('text/csv', 'a,b')],
    });
    expect(treeOf(entity)).toEqual([
      'multipart/mixed',
      [['multipart/related', ['text/html', 'image/png']], 'text/csv'],
    ]);
  });

  test('it is an alternative', async () => {
    const entity = await read({
      text: 'x',
      calendar: part('text/calendar; method=REQUEST', 'METHOD:REQUEST'),
    });
    expect(treeOf(entity)).toEqual(['multipart/alternative', ['text/plain', 'text/calendar']]);
  });

  test('one may stand in several messages and several places', async () => {
    const one = part('text/plain', 'x');
    const body = part('multipart/mixed', [one, one]);
    const first = await composed({ body }).text();
    expect(await composed({ body }).text()).toBe(first);
  });
});
