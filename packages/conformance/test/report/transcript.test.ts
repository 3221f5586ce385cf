import { describe, expect, test } from 'vitest';
import { octetPieces, printable } from '../../src/report/text.ts';
import {
  linesOf,
  type ReportedEvent,
  recorded,
  transcriptText,
} from '../../src/report/transcript.ts';
import { HOSTILE, LONG, SHOWN, UNSEEN, WIRE } from './runs.ts';

type Written = Extract<ReportedEvent, { readonly who: 'client' | 'server' }>;
const server = (text: string, at = 0): Written => ({ at, who: 'server', secure: false, text });
const client = (text: string, at = 0): Written => ({ at, who: 'client', secure: false, text });
const octets = (text: string): string =>
  octetPieces(text)
    .map((piece) => piece.text)
    .join('');

describe('printable()', () => {
  test('leaves text as it is, and writes what is not seen as escapes', () => {
    expect(printable(HOSTILE)).toBe(SHOWN);
    expect(printable(HOSTILE)).not.toMatch(UNSEEN);
    expect(printable('a\tb\\x1b')).toBe('a\\tb\\x1b');
    expect(printable(LONG)).toBe(LONG);
  });
});

describe('octetPieces()', () => {
  test('reads UTF-8, and shows what is none octet by octet', () => {
    expect(octets('220 ready')).toBe('220 ready');
    expect(octets('caf\xc3\xa9')).toBe('café');
    expect(octets('caf\xe9')).toBe('caf\\xe9');
    expect(octets('\xd0\x9f\xd1')).toBe('\\xd0\\x9f\\xd1');
    // A C1 control in UTF-8 is not the octet of the same number.
    expect([octets('\xc2\x9b'), octets('\x9b')]).toEqual(['\\u009b', '\\x9b']);
    expect(octets('\xef\xbb\xbfEHLO')).toBe('\\ufeffEHLO');
    expect(octets('\0\x1b\r')).toBe('\\x00\\x1b\\r');
  });

  test('tells an escape from what only looks like one', () => {
    expect(octetPieces('\\r\r')).toEqual([
      { text: '\\r', escaped: false },
      { text: '\\r', escaped: true },
    ]);
  });
});

describe('recorded()', () => {
  test('joins writes of one side, but not across TLS or the other side', () => {
    expect(recorded([client('EH', 1), client('LO x\r\n', 2), server('250 x\r\n', 3)])).toEqual([
      client('EHLO x\r\n', 1),
      server('250 x\r\n', 3),
    ]);
    const secure: Written = { at: 2, who: 'client', secure: true, text: 'b' };
    expect(recorded([client('a', 1), secure])).toEqual([client('a', 1), secure]);
  });

  test('keeps the beginning and the end of what is long, and counts the octets between', () => {
    const text = `${'a'.repeat(5_000)}${'b'.repeat(5_000)}\r\n.\r\n`;
    const pieces = text.match(/[\s\S]{1,700}/g) ?? [];
    const [head, tail, ...more] = recorded(pieces.map((piece, at) => client(piece, at)));
    expect(more).toEqual([]);
    expect(head).toMatchObject({ at: 0, text: 'a'.repeat(800), omitted: text.length - 1_000 });
    expect(tail).toMatchObject({ at: pieces.length - 1, text: text.slice(-200) });
  });

  test('counts what the record itself has not kept, and does not invent an end', () => {
    const flood: Written = { ...server('x'.repeat(16_384)), omitted: 1_000_000 };
    expect(recorded([flood])).toEqual([
      { ...server('x'.repeat(800)), omitted: 1_000_000 + 16_384 - 800 },
    ]);
    expect(recorded([flood, server('end\r\n', 5)])).toEqual([
      { ...server('x'.repeat(800)), omitted: 1_000_000 + 16_384 + 5 - 1_000 },
      server(`${'x'.repeat(195)}end\r\n`, 5),
    ]);
  });

  test('does not divide a character', () => {
    const text = Buffer.from(`x${'Я'.repeat(2_000)}`, 'utf8').toString('latin1');
    for (const event of recorded([client(text)]))
      if (event.who === 'client') expect(octets(event.text)).toMatch(/^x?Я+$/);
  });

  test('holds octets, even where a server was given text', () => {
    expect(recorded([server('554 Привет\r\n'), server('250 caf\xe9\r\n')])).toEqual([
      server(`554 ${Buffer.from('Привет').toString('latin1')}\r\n250 caf\xe9\r\n`),
    ]);
  });

  test('stays small whatever happens', () => {
    const talk = Array.from({ length: 20_000 }, (_, at) =>
      at % 2 ? server(LONG, at) : client(LONG, at),
    );
    const events = recorded(talk);
    expect(events).toHaveLength(201);
    expect(JSON.stringify(events).length).toBeLessThan(60_000);
    expect(events[180]).toMatchObject({ who: 'omitted' });
  });
});

describe('linesOf()', () => {
  test('has a line for each line, and notes between them', () => {
    expect(transcriptText([recorded(WIRE)]).split('\n')).toEqual([
      '     0 ms     S: 220 mail.example.com ESMTP',
      '     1 ms     C: EHLO <script>',
      '     1 ms     C: STARTTLS',
      '     2 ms     S: 220 2.0.0 go ahead',
      '     2 ms     -- TLS handshake',
      '    10 ms tls -- TLS: TLSv1.3, server name none',
      '    10 ms tls C: MAIL FROM:<a@example.com> # ]]>',
      '    10 ms tls C: NOOP \\x01\\n',
      '    11 ms tls S: 250-caf\\xe9 \\x1b[2J\\x00\\n',
      '    11 ms tls S: 250-Привет',
      '    11 ms tls S: 250 ',
      '    11 ms tls -- … 70000 more octets',
      `    13 ms tls C: ${'x'.repeat(800)}`,
      '    13 ms tls -- … 9005 more octets',
      `    13 ms tls C: ${'x'.repeat(195)}`,
      '    13 ms tls C: .',
      '    14 ms tls S: 250 no end (no line end)',
      '    15 ms tls -- the client resets the connection',
    ]);
  });

  test('shows every line end that is not CR LF', () => {
    const ends = linesOf([client('a\r\nb\nc\rd\r\r\n\r\n')]).map(({ pieces, open }) => [
      pieces.map(({ text }) => text).join(''),
      open ?? false,
    ]);
    expect(ends).toEqual([
      ['a', false],
      ['b\\n', false],
      ['c\\rd\\r', false],
      ['', false],
    ]);
  });

  test('numbers connections where there are several', () => {
    expect(transcriptText([[server('220 a\r\n')], [server('220 b\r\n')]])).toBe(
      'connection 1\n     0 ms     S: 220 a\nconnection 2\n     0 ms     S: 220 b',
    );
  });
});
