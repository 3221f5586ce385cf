import { describe, expect, test } from 'vitest';
import { type DevinoContext, explain } from '../src/devino/index.ts';
import type { Reply } from '../src/wire/reply.ts';

function reply(code: number, ...lines: string[]): Reply {
  return { code, lines, text: lines.join(' ') };
}

describe('explain() reads the forbidden file kind (DEV-10)', () => {
  const rows: readonly [string, object][] = [
    [' .exe', { extension: 'exe' }],
    [' exe', { extension: 'exe' }],
    [' EXE', { extension: 'exe' }],
    [': exe', { extension: 'exe' }],
    [' "exe"', { extension: 'exe' }],
    [" '.exe'.", { extension: 'exe' }],
    [' <exe>', { extension: 'exe' }],
    [' .exe.', { extension: 'exe' }],
    [' tar.gz', { extension: 'tar.gz' }],
    [' «.ехе»', { extension: 'ехе' }],
    [' ДОК', { extension: 'док' }],
    [' Application/X-MSDownload', { type: 'application/x-msdownload' }],
  ];
  test.each(rows)('%s', (value, expected) => {
    const found = explain(reply(554, `Not allowed attachement type${value}`));
    expect(found).toEqual({
      reason: 'attachment-type',
      retry: 'fix-first',
      code: 554,
      text: `Not allowed attachement type${value}`,
      ...expected,
    });
  });

  test.each(['', ' ', ' .', ':', ' ""'])('names none when the value is %j', (value) => {
    const found = explain(reply(554, `Not allowed attachement type${value}`));
    expect(found?.reason).toBe('attachment-type');
    expect(found).not.toHaveProperty('extension');
    expect(found).not.toHaveProperty('type');
  });
});

describe('explain() reads the address (DEV-14, DEV-15)', () => {
  const at = (recipients?: readonly string[]): DevinoContext => ({ recipients });
  const rows: readonly [string, readonly string[], DevinoContext, string][] = [
    ['in angle brackets', [' <a@b>'], {}, 'a@b'],
    ['in angle brackets, with words behind', [' <a@b> (unknown <x@y>)'], {}, 'a@b'],
    ['in angle brackets, with a name before', [' A. Person <a@b>'], {}, 'a@b'],
    ['in angle brackets and a full stop', [' <a@b>.'], {}, 'a@b'],
    ['quoted with > in angle brackets', [' <"a>c"@b>'], {}, '"a>c"@b'],
    ['with a final full stop', [' a@b.'], {}, 'a@b'],
    ['with a final comma', [' a@b,'], {}, 'a@b'],
    ['in quotes', [' "a@b"'], {}, 'a@b'],
    ['in single quotes', [" 'a@b';"], {}, 'a@b'],
    ['without blank or colon', [' a@b'], {}, 'a@b'],
    ['with a colon in it', [' "a:b"@c'], {}, '"a:b"@c'],
    ['with blanks in it', [' "a b c"@d'], {}, '"a b c"@d'],
    ['with blanks that were sent doubled', [' "a  b"@d'], at(['"a  b"@d']), '"a  b"@d'],
    ['with one of two blanks', [' <"a b"@d>'], at(['"a  b"@d', '"a b"@d']), '"a b"@d'],
    ['at what is no domain', [' a@в_'], at(['a@б_']), 'a@в_'],
    ['in UTF-8', [' пример@почта.рф'], {}, 'пример@почта.рф'],
    ['that is no address', [' not an address'], {}, 'not an address'],
    ['in another case', [' TO@Example.COM'], at(['x@y', 'to@example.com']), 'to@example.com'],
    ['in another case, two in question', [' TO@b'], at(['To@b', 'to@b']), 'TO@b'],
    ['the domain in another case first', [' to@B'], at(['To@b', 'to@b']), 'to@b'],
    [
      'as U-label, sent as A-label',
      [' a@почта.рф'],
      at(['a@xn--80a1acny.xn--p1ai']),
      'a@xn--80a1acny.xn--p1ai',
    ],
    ['as A-label, sent as U-label', [' a@XN--80A1ACNY.xn--p1ai'], at(['a@почта.рф']), 'a@почта.рф'],
    ['not of the envelope', [' other@b'], at(['a@b']), 'other@b'],
    ['folded before it', ['', 'a@b'], {}, 'a@b'],
    ['folded inside it', [' a@exam', 'ple.com'], {}, 'a@example.com'],
    ['folded inside it in brackets', [' <a@exam', 'ple.com>'], {}, 'a@example.com'],
    ['folded over three lines', [' a', '@exam', 'ple.com'], {}, 'a@example.com'],
    ['folded with 5.1.1 on each line', [' a@exam', '5.1.1 ple.com'], {}, 'a@example.com'],
    ['folded at a quoted blank', [' "a', 'b"@c'], {}, '"a b"@c'],
    ['folded in a quoted word', [' "a wo', 'rd"@c'], at(['"a word"@c']), '"a word"@c'],
    ['with a further line that is a code alone', [' a@b', '5.1.1'], {}, 'a@b'],
    ['with a further line behind quotes', [' "a b"@c', 'Sorry'], {}, '"a b"@c'],
    ['with the closing parenthesis of the description', [' a@b)'], {}, 'a@b'],
    ['with the closing quote of the description', [' a@b"'], {}, 'a@b'],
    ['in brackets and the closing parenthesis', [' A. Person <a@b>)'], {}, 'a@b'],
    ['quoted, with a parenthesis that is not its own', [' "a"@b)'], {}, '"a"@b)'],
    ['quoted with < and without brackets', [' "a<b>"@c'], {}, '"a<b>"@c'],
    ['behind a no-break space', ['\u00a0a@b'], {}, 'a@b'],
    ['that begins like a code', [' 5.1.1@b', ''], {}, '5.1.1@b'],
    ['with another refusal behind', [' a@b', 'Message exceeds fixed size limit'], {}, 'a@b'],
    ['with one word behind, sent', [' a@b.com', 'Sorry'], at(['a@b.com']), 'a@b.com'],
    ['with a null recipient list', [' a@b'], at(undefined), 'a@b'],
  ];
  test.each(rows)('%s', (_, [first, ...more], context, address) => {
    const found = explain(reply(554, `Invalid recipient address:${first}`, ...more), context);
    expect(found).toMatchObject({ reason: 'invalid-recipient', address, retry: 'never' });
    expect(found).not.toHaveProperty('assumed');
  });

  test.each(['', ' ', ':', ': <>', ': .', ': ""'])(
    'assumes the one recipient when the value is %j',
    (value) => {
      const given = reply(554, `Invalid recipient address${value}`);
      expect(explain(given, at(['a@b']))).toMatchObject({ address: 'a@b', assumed: true });
      for (const recipients of [undefined, [], ['a@b', 'c@d']]) {
        const found = explain(given, at(recipients));
        expect(found?.reason).toBe('invalid-recipient');
        expect(found).not.toHaveProperty('address');
        expect(found).not.toHaveProperty('assumed');
      }
    },
  );

  test('assumes the sender, the null path too, when none is named', () => {
    const given = reply(554, 'Disallowed source address: <>');
    expect(explain(given, { sender: 'a@b' })).toMatchObject({ address: 'a@b', assumed: true });
    expect(explain(given, { sender: '' })).toMatchObject({ address: '', assumed: true });
    expect(explain(given)).not.toHaveProperty('address');
  });

  test('completes the address of a rejected recipient', () => {
    const rejected = { address: 'a@b', reply: reply(554, 'Invalid recipient address') };
    expect(explain(rejected)).toMatchObject({ address: 'a@b', assumed: true });
    expect(explain({ ...rejected, reply: reply(554, 'Invalid recipient address: A@B') })).toEqual({
      reason: 'invalid-recipient',
      address: 'a@b',
      retry: 'never',
      text: 'Invalid recipient address: A@B',
      code: 554,
    });
    expect(explain(rejected, at(['c@d']))).toMatchObject({ address: 'c@d' });
  });

  test('takes no recipient for a sender', () => {
    const given = reply(554, 'Disallowed source address: A@b');
    expect(explain(given, { recipients: ['a@b'] })).toMatchObject({ address: 'A@b' });
  });
});
