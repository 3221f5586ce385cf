import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mailbox } from '../src/index.ts';
import { address, headerText, longHeaderText } from './arbitraries.ts';
import {
  encodedWordsOf,
  readAddresses,
  readEncodedWord,
  readMessage,
  readUnstructured,
  unfold,
  valuesOf,
} from './reader.ts';
import { composed, parse, read } from './support.ts';

const RUNS = { numRuns: 400 };

/** postal-mime drops a byte order mark at the start of a word: no fault of the message. */
const fairToPostalMime = (text: string): boolean => !text.includes('\ufeff');

/** Lines of at most 78, but where one word alone is longer. */
function expectLines(head: string): void {
  expect(head).toMatch(/^[\t\r\n -~]*$/);
  for (const line of head.split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998);
    if (line.length > 78) expect(line.replace(/^[^ :]+: +| +/, '')).not.toMatch(/[^ ] +[^ ]/);
  }
}

describe('a subject', () => {
  test('of any text is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(longHeaderText, async (subject) => {
        const octets = await composed({ subject }).bytes();
        const message = readMessage(octets);
        expectLines(message.head);
        const field = message.fields.find(({ name }) => name === 'Subject');
        // The field as it came, but for its one space after the colon.
        const value = unfold(field?.folded ?? '').replace(/^ /, '');
        expect(readUnstructured(value)).toBe(subject);
        if (fairToPostalMime(subject)) expect((await parse(octets)).subject ?? '').toBe(subject);
      }),
      RUNS,
    );
  });

  test('of ASCII has no encoded-word unless it needs one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 300 }), async (subject) => {
        const [value = ''] = valuesOf(await read({ subject }), 'Subject');
        const needs = /^ | $|=\?/.test(subject);
        expect(encodedWordsOf(value).length > 0).toBe(needs);
      }),
      RUNS,
    );
  });

  test.each([
    ['70 emoji', '😀'.repeat(70)],
    ['a BMP ideograph before supplementary ones', `一${'𠀀'.repeat(7)}`],
    ['families of emoji', `Family ${'👨‍👩‍👧‍👦'.repeat(6)} end`],
    ['runs of spaces', 'a  é  b   ü   c'],
    ['spaces at both ends', '  lead and trail  '],
    ['spaces alone', '    '],
    ['what looks like an encoded-word', 'see =?utf-8?Q?a b?= here'],
    ['characters whose low octets are CR and LF', '\u760d\u760aX: \u010d\u010a'],
    ['line separators', 'a\u2028b\u0085c\u2029d'],
    ['a byte order mark', '\ufeffa\ufeff'],
  ])('of %s is read as it was written', async (_, subject) => {
    const [value = ''] = valuesOf(await read({ subject }), 'Subject');
    expect(readUnstructured(value)).toBe(subject);
    for (const word of encodedWordsOf(value)) expect(readEncodedWord(word)).not.toContain('\ufffd');
  });

  test('is cut at each column without cutting a character', async () => {
    for (let column = 0; column < 80; column++) {
      for (const character of ['é', '漢', '😀']) {
        const subject = `${'x'.repeat(column)}${character.repeat(3)}`;
        const [value = ''] = valuesOf(await read({ subject }), 'Subject');
        expect(readUnstructured(value)).toBe(subject);
      }
    }
  });

  test('is in Q or B, whichever is shorter', async () => {
    const forms = async (subject: string): Promise<Set<string | undefined>> =>
      new Set(
        encodedWordsOf(valuesOf(await read({ subject }), 'Subject')[0] ?? '').map((word) =>
          word[8]?.toLowerCase(),
        ),
      );
    expect(await forms('Grüße aus der kleinen Stadt am Meer')).toEqual(new Set(['q']));
    expect(await forms('漢字'.repeat(30))).toEqual(new Set(['b']));
  });
});

describe('a custom header', () => {
  test('of any text is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(longHeaderText, async (text) => {
        const message = await read({ headers: [['X-Any', text]] });
        expectLines(message.head);
        const field = message.fields.find(({ name }) => name === 'X-Any');
        expect(readUnstructured(unfold(field?.folded ?? '').replace(/^ /, ''))).toBe(text);
      }),
      RUNS,
    );
  });

  test('of 998 octets on one line stays, of 999 is encoded', async () => {
    for (const [length, words] of [
      [989, 0],
      [990, 1],
    ] as const) {
      const text = 'A'.repeat(length);
      const [value = ''] = valuesOf(await read({ headers: [['X-Token', text]] }), 'X-Token');
      expect(encodedWordsOf(value).length > 0 ? 1 : 0).toBe(words);
      expect(readUnstructured(value)).toBe(text);
    }
  });
});

describe('a display name', () => {
  const mailbox = fc.record({ name: headerText, address });

  test('of any text is read as it was written, in every field', async () => {
    await fc.assert(
      fc.asyncProperty(
        mailbox,
        fc.array(mailbox, { minLength: 1, maxLength: 4 }),
        async (from, people) => {
          const octets = await composed({
            from,
            sender: from,
            to: people,
            cc: people,
            replyTo: people,
          }).bytes();
          const message = readMessage(octets);
          expectLines(message.head);
          const pairs = (list: readonly Mailbox[]): string[][] =>
            list.map(({ name = '', address: at }) => [name, at]);
          expect(readAddresses(valuesOf(message, 'From')[0] ?? '')).toEqual(pairs([from]));
          expect(readAddresses(valuesOf(message, 'Sender')[0] ?? '')).toEqual(pairs([from]));
          for (const name of ['To', 'Cc', 'Reply-To'])
            expect(readAddresses(valuesOf(message, name)[0] ?? '')).toEqual(pairs(people));
          const parsed = await parse(octets);
          if (people.every(({ name }) => fairToPostalMime(name)))
            expect(parsed.to?.map(({ name, address: at }) => [name.trim(), at])).toEqual(
              pairs(people).map(([name, at]) => [name?.trim(), at]),
            );
        },
      ),
      RUNS,
    );
  });

  test('of a group is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        headerText.filter((text) => text !== ''),
        fc.array(mailbox, { maxLength: 3 }),
        async (group, members) => {
          const first = 'first@example.com';
          const message = await read({
            to: [{ group, members: [first, ...members] }, 'last@example.com'],
          });
          expectLines(message.head);
          const [to = ''] = valuesOf(message, 'To');
          expect(readAddresses(to)).toEqual([
            ['', first],
            ...members.map(({ name, address: at }) => [name, at]),
            ['', 'last@example.com'],
          ]);
        },
      ),
      RUNS,
    );
  });

  // RFC 2047 §5 (3): it "MUST be separated from any adjacent 'word', 'text' or 'special' by 'linear-white-space'".
  test('of the first member of a group stands apart from the colon', async () => {
    const members = [{ name: 'é', address: 'a@example.com' }];
    const [to = ''] = valuesOf(await read({ to: { group: 'G', members } }), 'To');
    expect(to).toMatch(/^G: +=\?utf-8/);
  });

  test('in Q has only the letters that RFC 2047 allows in a phrase', async () => {
    await fc.assert(
      fc.asyncProperty(headerText, async (name) => {
        const [from = ''] = valuesOf(
          await read({ from: { name, address: 'a@example.com' } }),
          'From',
        );
        for (const word of encodedWordsOf(from))
          if (/\?q\?/i.test(word)) expect(word).toMatch(/\?[A-Za-z0-9!*+/=_-]*\?=$/);
        // Never inside a quoted-string, where it would be text.
        expect(from).not.toMatch(/"=\?/);
      }),
      RUNS,
    );
  });
});
