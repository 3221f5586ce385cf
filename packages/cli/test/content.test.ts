/** Content before it is sent: its head, its size, its end, its encoding, all for any cutting into chunks. */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { envelope } from '@posthorn/core/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical } from '../src/message/canonical.ts';
import { fieldValue, isUtf8, makeField, parseHead, writeHead } from '../src/message/head.ts';
import { everything } from '../src/message/letter.ts';
import { createMeasure } from '../src/message/measure.ts';
import { keep, openSource } from '../src/message/source.ts';
import { base64Lines } from '../src/sendmail/base64-lines.ts';
import { untilDot } from '../src/sendmail/until-dot.ts';
import { surroundingsOf, useFolder } from './support.ts';

const folder = useFolder();

/** Cuts at places. */
async function* cut(octets: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    const end = place % (octets.length + 1);
    if (end > at) {
      yield octets.slice(at, end);
      at = end;
    }
  }
  yield octets.slice(at);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
}

const lines = fc
  .array(fc.constantFrom('a', '.', '\r', '\n', '\r\n', 'ü', 'bcd', '..', '.\n', '\n.\r\n', ' '), {
    maxLength: 30,
  })
  .map((parts) => Buffer.from(parts.join('')));
const places = fc.array(fc.nat(60), { maxLength: 8 });

describe('createMeasure()', () => {
  const measured = (octets: Uint8Array): ReturnType<ReturnType<typeof createMeasure>['end']> => {
    const measure = createMeasure();
    measure.push(octets);
    return measure.end();
  };

  test('gives the size that core sends, and knows 8-bit octets as it does', async () => {
    await fc.assert(
      fc.asyncProperty(lines, places, async (octets, cuts) => {
        const measure = createMeasure();
        for await (const chunk of cut(octets, cuts)) measure.push(chunk);
        const found = measure.end();
        const message = { from: 'a@example.com', to: 'b@example.com', content: octets };
        const { size, commands } = envelope(message, everything(), {});
        expect(found.octets).toBe(size);
        expect(found.raw).toBe(octets.length);
        expect(found.isEightBit).toBe(commands[0]?.line.includes('8BITMIME'));
        expect(measured(octets)).toEqual(found);
      }),
    );
  });

  test('finds the first line that is too long, and the first NUL', () => {
    const fits = 'x'.repeat(998);
    expect(measured(Buffer.from(`a\n${fits}\r\n${fits}y\r${fits}zz`)).longLine).toEqual({
      line: 3,
      octets: 999,
    });
    expect(measured(Buffer.from(`a\n${fits}\r\nb`)).longLine).toBeUndefined();
    expect(measured(Buffer.from(`a\n${fits}zz`)).longLine).toEqual({ line: 2, octets: 1_000 });
    expect(measured(Buffer.from('a\r\n\rb\0\n\0')).nulLine).toBe(3);
  });
});

test('canonical() gives what core would send', async () => {
  await fc.assert(
    fc.asyncProperty(lines, places, async (octets, cuts) => {
      const text = octets.toString('latin1').replace(/\r\n?|\n/g, '\r\n');
      const expected = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
      expect((await all(canonical(cut(octets, cuts)))).toString('latin1')).toBe(expected);
    }),
  );
});

test('base64Lines() gives lines of 76 that decode to what was given', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), places, async (octets, cuts) => {
      const text = (await all(base64Lines(cut(octets, cuts)))).toString('latin1');
      expect(Buffer.from(text, 'base64')).toEqual(Buffer.from(octets));
      expect(text).toMatch(/^([A-Za-z0-9+/]{76}\r\n)*([A-Za-z0-9+/=]{1,76}\r\n)?$/);
    }),
  );
});

describe('untilDot()', () => {
  test('ends at the first line of a lone dot, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(lines, places, async (octets, cuts) => {
        const text = octets.toString('latin1');
        const found = /(?:^|\n)(\.\r?(?:\n|$))/.exec(text);
        const expected = found
          ? text.slice(0, found.index + found[0].length - (found[1] as string).length)
          : text;
        expect((await all(untilDot(cut(octets, cuts)))).toString('latin1')).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test('does not ask for more then', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('Hi\n.\n');
      await new Promise(() => {});
    }
    expect(String(await all(untilDot(endless())))).toBe('Hi\n');
  });
});

describe('parseHead()', () => {
  const parse = (text: string): ReturnType<typeof parseHead> =>
    parseHead(Buffer.from(text, 'latin1'), true);

  test.each(['\n', '\r\n', '\r'])('reads fields whose lines end with %j', (end) => {
    const text = [
      'From: a@example.com',
      'To: b@example.com,',
      '\tc@example.com',
      'X-Empty:',
      'Subject : old',
      '',
      'Body: no',
    ].join(end);
    const head = parse(text);
    expect(head?.fields.map((field) => [field.name, fieldValue(field)])).toEqual([
      ['from', 'a@example.com'],
      ['to', 'b@example.com,\tc@example.com'],
      ['x-empty', ''],
      ['subject', 'old'],
    ]);
    expect([head?.isWhole, text.slice(head?.bodyAt)]).toEqual([true, 'Body: no']);
    expect(
      Buffer.from(writeHead(head?.fields ?? []))
        .toString('latin1')
        .replace(/\r\n$/, end),
    ).toBe(text.slice(0, head?.bodyAt));
  });

  test.each([
    ['Hello there\nmore', [], 'Hello there\nmore', 1],
    ['From: a\nno field\n\nx', ['from'], 'no field\n\nx', 2],
    [' begins with a blank\n', [], ' begins with a blank\n', 1],
    ['From a@b Mon\nFrom: a\n\nx', ['from'], 'x', 3],
    ['From: a', ['from'], '', 2],
    ['\nbody', [], 'body', 1],
    ['', [], '', 1],
    ['no colon', [], 'no colon', 1],
    ['Ü: a\n', [], '\u00dc: a\n', 1],
  ])('%j', (text, names, body, line) => {
    const head = parse(text);
    expect(head?.fields.map(({ name }) => name)).toEqual(names);
    expect(text.slice(head?.bodyAt)).toBe(body);
    expect(head?.line).toBe(line);
  });

  test.each(['\n', '\r\n', '\r'])('asks for more where the end may be still to come: %j', (end) => {
    const text = ['From: a@example.com', 'Subject: x', ' folded', '', 'the body', ''].join(end);
    const octets = Buffer.from(text);
    const whole = parseHead(octets, true);
    for (let at = 0; at < octets.length; at += 1) {
      const part = parseHead(octets.subarray(0, at), false);
      if (at <= (whole?.bodyAt ?? 0) - 1) expect([at, part]).toEqual([at, undefined]);
      else if (part) expect([at, part]).toEqual([at, whole]);
    }
  });

  test('text in fields is UTF-8 where it can be', () => {
    const field = makeField('Subject', 'Grüße');
    expect([fieldValue(field), isUtf8(field.raw)]).toEqual(['Grüße', true]);
    const latin1 = { name: 'subject', raw: 'Subject: Gr\xfc\xdfe\r\n' };
    expect([fieldValue(latin1), isUtf8(latin1.raw)]).toEqual(['Gr\xfc\xdfe', false]);
  });
});

describe('openSource()', () => {
  const around = () => ({ ...surroundingsOf().surroundings, temporary: folder.path });

  test('reads a file from any place, as often as one likes, and by the name it had', async () => {
    const content = Buffer.from('0123456789'.repeat(20_000));
    const source = await openSource(folder.file('a.bin', content), around());
    // Its name is now another file's.
    folder.file('a.bin', 'other');
    expect(source.size).toBe(content.length);
    for (const from of [0, 1, 70_000, content.length])
      expect((await all(source.read(from))).equals(content.subarray(from))).toBe(true);
    await source.close();
  });

  test('a file that is cut while it is read is an error, and so is one that grows for who counts', async () => {
    const path = folder.file('b.bin', Buffer.alloc(200_000));
    const source = await openSource(path, around());
    truncateSync(path, 100_000);
    await expect(all(source.read())).rejects.toThrow('b.bin was cut while it was read');
    await source.close();
    const grown = await openSource(path, around());
    appendFileSync(path, 'more');
    expect((await all(grown.read())).length).toBe(100_000);
    await grown.close();
  });

  test('keeps what a pipe gives: the small in memory, the large in a file that has no name', async () => {
    for (const size of [0, 1_000, 1_048_576, 1_048_577, 2_500_000]) {
      const content = Buffer.alloc(size, '0123456789');
      const source = await keep(cut(content, [1, 5_000, 1_048_570]), { name: 'x', ...around() });
      expect(readdirSync(folder.path).filter((name) => name.startsWith('posthorn-'))).toEqual([]);
      expect([size, source.size]).toEqual([size, content.length]);
      for (const from of [0, 77, size])
        expect((await all(source.read(from))).equals(content.subarray(from))).toBe(true);
      await source.close();
    }
  });

  test('a folder where nothing can be kept is an error', async () => {
    const broken = keep(cut(Buffer.alloc(2_000_000), []), {
      name: 'x',
      ...around(),
      temporary: '/no/such',
    });
    await expect(broken).rejects.toThrow('Cannot keep x: ENOENT');
  });

  test('a named pipe of a shell is read as one', async () => {
    const path = join(folder.path, 'fifo');
    execFileSync('mkfifo', [path]);
    const writer = spawn('sh', ['-c', `printf 'by a pipe' > "${path}"`]);
    const closed = new Promise((resolve) => writer.on('close', resolve));
    const source = await openSource(path, around());
    expect(String(await all(source.read()))).toBe('by a pipe');
    await closed;
  });
});
