import { describe, expect, test } from 'vitest';
import { calendar } from '../src/index.ts';
import { leaves, readMessage, treeOf, utf8 } from './reader.ts';
import { composed, expectMimeError, parse, read, thrownBy } from './support.ts';

const content = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');

describe('calendar()', () => {
  test('is the last alternative, with the method of its content', async () => {
    const entity = await read({
      text: 'a',
      html: 'b',
      calendar: calendar(content('METHOD:REQUEST', 'SUMMARY:Обед')),
    });
    expect(treeOf(entity)).toEqual([
      'multipart/alternative',
      ['text/plain', 'text/html', 'text/calendar'],
    ]);
    const found = leaves(entity).at(-1);
    expect([...(found?.parameters ?? [])]).toEqual([
      ['charset', 'utf-8'],
      ['method', 'REQUEST'],
    ]);
    expect(found?.disposition).toBeUndefined();
    expect(found?.content).toBe(utf8(content('METHOD:REQUEST', 'SUMMARY:Обед')));
  });

  test.each([
    ['CANCEL', content('METHOD:CANCEL')],
    ['CANCEL', content('METHOD:CANCEL').replaceAll('\r\n', '\n')],
    ['reply', content('method:reply')],
    ['REQUEST', content('MET', ' HOD:REQ', '\tUEST')],
    ['REQUEST', content('METHOD;X-A="b";X-B=d:REQUEST')],
    ['X-a', content('METHOD:X-a')],
    ['ADD', `${content('METHOD:ADD')}${content('METHOD:add')}`],
  ])('reads %s from %j', (method, text) => {
    expect(calendar(text).contentType).toBe(`text/calendar; charset=utf-8; method=${method}`);
  });

  test('takes the method that is given, in upper or lower case', () => {
    expect(calendar(content('METHOD:REQUEST'), { method: 'request' }).contentType).toMatch(
      /=REQUEST$/,
    );
  });

  test.each<[string, string | undefined]>([
    [content(), undefined],
    [content(), 'REQUEST'],
    [content('METHOD:REQUEST'), 'CANCEL'],
    [content('METHOD:REQUEST'), ''],
    [content('METHOD:'), ''],
    [content('METHOD:A B'), undefined],
    [content('METHOD:A;b=c'), undefined],
    [content('X-METHOD:REQUEST'), undefined],
    [content('SUMMARY:a', ' METHOD:REQUEST'), undefined],
    [`${content('METHOD:ADD')}${content('METHOD:CANCEL')}`, undefined],
    ['', undefined],
  ])('%j with %j is refused', (text, method) => {
    const error = thrownBy(() => calendar(text, method === undefined ? {} : { method }));
    expectMimeError(error, 'ERR_MIME_CONTENT', 'calendar');
  });

  test('what is no string is refused', () => {
    expectMimeError(
      thrownBy(() => calendar(5 as never)),
      'ERR_MIME_CONTENT',
      'calendar',
    );
  });

  test('has a name where it is given one, and stays inline', async () => {
    const message = composed({
      text: 'a',
      calendar: calendar(content('METHOD:ADD'), { filename: 'é.ics' }),
    });
    const octets = await message.bytes();
    const found = leaves(readMessage(octets)).at(-1);
    expect([found?.disposition, found?.dispositionParameters.get('filename')]).toEqual([
      'inline',
      'é.ics',
    ]);
    expect((await parse(octets)).attachments[0]?.method).toBe('ADD');
  });

  test('a long hostile content is read in time', () => {
    const text = content(
      `METHOD${';"'.repeat(50_000)}`,
      ...Array<string>(20_000).fill('METHOD;"'),
      'METHOD:ADD',
    );
    expect(calendar(text).contentType).toMatch(/=ADD$/);
  });
});
