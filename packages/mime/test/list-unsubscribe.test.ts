import { describe, expect, test } from 'vitest';
import { type ListUnsubscribeOptions, listUnsubscribe } from '../src/index.ts';
import { encodedWordsOf, valuesOf } from './reader.ts';
import { expectMimeError, read, thrownBy } from './support.ts';

const fieldsOf = async (uris: string | readonly string[], options?: ListUnsubscribeOptions) => {
  const entity = await read({ text: 'x', listUnsubscribe: listUnsubscribe(uris, options) });
  return ['List-Unsubscribe', 'List-Unsubscribe-Post'].map((name) => valuesOf(entity, name));
};

describe('listUnsubscribe()', () => {
  test('writes what is given, in its order', async () => {
    expect(await fieldsOf('mailto:a@example.com?subject=x')).toEqual([
      ['<mailto:a@example.com?subject=x>'],
      [],
    ]);
    expect(
      await fieldsOf(['http://example.com/a', 'https://example.com/?a=b&c=%20'], {
        oneClick: true,
      }),
    ).toEqual([
      ['<http://example.com/a>, <https://example.com/?a=b&c=%20>'],
      ['List-Unsubscribe=One-Click'],
    ]);
  });

  test('is never encoded, however long and whatever it looks like', async () => {
    const uris = Array.from(
      { length: 5 },
      (_, at) => `https://example.com/${at}${'x'.repeat(870)}`,
    );
    expect((await fieldsOf(uris))[0]).toEqual([uris.map((uri) => `<${uri}>`).join(', ')]);
    const [[value = ''] = []] = await fieldsOf('https://example.com/?=?utf-8?q?x?=');
    expect(value).toBe('<https://example.com/?=?utf-8?q?x?=>');
    expect(encodedWordsOf(value)).toHaveLength(1);
  });

  test.each([
    'ftp://example.com',
    'javascript:alert(1)',
    'example.com',
    'https:',
    'https:/example.com',
    'mailto:',
    '',
    '<https://example.com>',
    'https://example.com/a b',
    'https://example.com/a,b',
    'https://example.com/"',
    'https://example.com/`',
    'https://example.com/é',
    'https://example.com/\r\nX: y',
    'https://example.com/\n',
    `https://example.com/${'x'.repeat(900)}`,
    5 as never,
    undefined as never,
  ])('%j is refused', (uri) => {
    const error = thrownBy(() => listUnsubscribe(['mailto:a@example.com', uri]));
    expectMimeError(error, 'ERR_MIME_HEADER', 'listUnsubscribe');
  });

  test.each([
    ['none', [], false],
    ['none in a list', [[]], false],
    ['none for one click', [], true],
    ['one click by mail', 'mailto:a@example.com', true],
    ['one click without TLS', ['http://example.com/', 'mailto:https:@example.com'], true],
  ])('%s is refused', (_, uris, oneClick) => {
    const error = thrownBy(() => listUnsubscribe(uris as string[], { oneClick }));
    expectMimeError(error, 'ERR_MIME_HEADER');
  });
});
