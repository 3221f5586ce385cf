import { describe, expect, test } from 'vitest';
import { asIs, type ReportSpec, report } from '../src/index.ts';
import { leaves, treeOf, utf8 } from './reader.ts';
import { composed, expectMimeError, expectRefused, parse, read, thrownBy } from './support.ts';

const INNER = 'From: c@example.org\r\nSubject: inner\r\n\r\nhello\r\n';

const STATUS =
  'Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; b@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n';

const SPEC: ReportSpec = { text: 'Not delivered', status: STATUS };

describe('report()', () => {
  test.each([undefined, 'delivery-status', 'disposition-notification', 'feedback-report'] as const)(
    '%s is a multipart/report of it',
    async (type) => {
      const body = report({ ...SPEC, ...(type && { type }), original: INNER });
      const entity = await read({ body });
      const expected = type ?? 'delivery-status';
      expect(entity.parameters.get('report-type')).toBe(expected);
      expect(treeOf(entity)).toEqual([
        'multipart/report',
        ['text/plain', `message/${expected}`, 'message/rfc822'],
      ]);
      expect(leaves(entity).map(({ encoding, content }) => [encoding, content])).toEqual([
        ['7bit', 'Not delivered'],
        ['7bit', STATUS],
        ['7bit', INNER],
      ]);
    },
  );

  test('fields are groups with an empty line between them', async () => {
    const status = [
      [['Reporting-MTA', 'dns; mx.example.com']],
      [
        ['Final-Recipient', 'rfc822; b@example.net'],
        ['Action', 'failed'],
        ['Status', '5.1.1'],
      ],
    ] as const;
    const [, found] = leaves(await read({ body: report({ text: 'x', status }) }));
    expect(found?.content).toBe(STATUS);
  });

  test('lines end as they have to, once', async () => {
    for (const status of ['A: b\nC: d', 'A: b\rC: d\r', 'A: b\r\nC: d\r\n']) {
      const [, found] = leaves(await read({ body: report({ text: 'x', status }) }));
      expect(found?.content).toBe('A: b\r\nC: d\r\n');
    }
  });

  test('nothing in it is base64, in whatever script it is', async () => {
    const text = 'Не доставлено: почтовый ящик не существует'.repeat(5);
    const body = report({ text, status: STATUS, originalHeaders: `Subject: ${text}\n` });
    for (const transferEncoding of [undefined, 'base64', asIs()] as const) {
      const options = transferEncoding && { transferEncoding };
      const message = composed({ body }, options);
      const found = leaves(await read({ body }, options));
      expect(found.map(({ encoding }) => encoding)).toEqual([
        'quoted-printable',
        '7bit',
        'quoted-printable',
      ]);
      expect(found.map(({ type }) => type)).toEqual([
        'text/plain',
        'message/delivery-status',
        'text/rfc822-headers',
      ]);
      expect(found[2]?.content).toBe(utf8(`Subject: ${text}\r\n`));
      expect((await parse(await message.bytes())).text?.trim()).toContain('Не доставлено');
    }
  });

  test('nor is text that could hold a boundary', async () => {
    const [found] = leaves(await read({ body: report({ ...SPEC, text: '=_'.repeat(40) }) }));
    expect([found?.encoding, found?.content]).toEqual(['quoted-printable', '=_'.repeat(40)]);
  });

  test.each<[unknown, string]>([
    ['A: é', 'status'],
    ['A: b\0', 'status'],
    [`A: ${'x'.repeat(999)}`, 'status'],
    [[[['A', 'é']]], 'status[0][0]'],
    [
      [
        [['A', 'b']],
        [
          ['B', 'c'],
          ['C', 'd\r\nE: f'],
        ],
      ],
      'status[1][1]',
    ],
    [[[['A b', 'c']]], 'status[0][0]'],
    [[[['A: x\r\nB', 'c']]], 'status[0][0]'],
    [[[['A', 'x'.repeat(900)]]], 'status[0][0]'],
  ])('status %j is refused', (status, path) => {
    const error = thrownBy(() => report({ text: 'x', status: status as string }));
    expectMimeError(
      error,
      typeof status === 'string' ? 'ERR_MIME_CONTENT' : 'ERR_MIME_HEADER',
      path,
    );
  });

  test('an original that is not 7bit is refused, unless the server takes it', async () => {
    const body = report({ ...SPEC, original: `${INNER}é` });
    expectRefused({ body }, 'ERR_MIME_CONTENT', 'body.parts[2]');
    const message = composed({ body }, { transferEncoding: asIs(new Set(['8BITMIME'])) });
    expect(message.body).toBe('8BITMIME');
  });

  test('an unknown type is refused', () => {
    const body = report({ ...SPEC, type: 'x; a' as never });
    expectRefused({ body }, 'ERR_MIME_HEADER', 'body.contentType');
  });
});
