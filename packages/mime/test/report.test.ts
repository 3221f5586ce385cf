import { describe, expect, test } from 'vitest';
import { asIs, type ReportSpec, report } from '../src/index.ts';
import { leaves, treeOf, utf8 } from './reader.ts';
import { composed, expectRefused, parse, read } from './support.ts';

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
        ['quoted-printable', 'Not delivered'],
        ['7bit', STATUS],
        ['7bit', INNER],
      ]);
    },
  );

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

  test('nor is text that looks like a boundary', async () => {
    const [found] = leaves(await read({ body: report({ ...SPEC, text: '=_'.repeat(40) }) }));
    expect([found?.encoding, found?.content]).toEqual(['quoted-printable', '=_'.repeat(40)]);
  });

  test.each(['A: é', 'A: b\0', `A: ${'x'.repeat(999)}`])('status %j is refused', (status) => {
    const body = report({ text: 'x', status });
    expectRefused({ body }, 'ERR_MIME_CONTENT', 'body.parts[1]');
    const transferEncoding = asIs(new Set(['8BITMIME', 'BINARYMIME']));
    expectRefused({ body }, 'ERR_MIME_CONTENT', 'body.parts[1]', { transferEncoding });
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
