import { describe, expect, test } from 'vitest';
import { asIs } from '../src/as-is.ts';
import { MessageBuilder } from '../src/builder.ts';
import { calendar } from '../src/calendar.ts';
import { dkim } from '../src/dkim/dkim.ts';
import { quotedPrintable } from '../src/encoding/quoted-printable-octets.ts';
import { attachment, compose, flowed, type MimeError } from '../src/index.ts';
import { listUnsubscribe } from '../src/list-unsubscribe.ts';
import { part } from '../src/own-part.ts';
import type { Context, EncodeContent } from '../src/part.ts';
import type { Given } from '../src/source.ts';
import { ed25519Key, NAMES } from './dkim-support.ts';
import { readMessage, treeOf, valuesOf } from './reader.ts';
import { expectMimeError, FIXED, thrownBy, watched } from './support.ts';

const INVITATION = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n';

function started(options = {}): MessageBuilder {
  return new MessageBuilder({ ...FIXED, ...options }).from('a@example.com').to('b@example.net');
}

describe('MessageBuilder', () => {
  test('builds the message of compose() from calls of every kind', async () => {
    const unsubscribe = listUnsubscribe('https://example.com/u', { oneClick: true });
    const invitation = calendar(INVITATION);
    const file = attachment('a.txt', 'Hello');
    const builder = new MessageBuilder(FIXED)
      .sender('s@example.com')
      .from('a@example.com')
      .from({ name: 'B', address: 'b@example.com' })
      .to('c@example.net')
      .to(['d@example.net', { group: 'G', members: ['e@example.net'] }])
      .cc('f@example.net')
      .bcc('g@example.net')
      .replyTo('h@example.net')
      .subject('old')
      .subject('Grüße')
      .date(new Date(0))
      .messageId('<left@right>')
      .inReplyTo('<a@b>')
      .references(['<a@b>', '<c@d>'])
      .header('X-One', '1')
      .header('X-Two', '<2>')
      .text('Text')
      .html('<p>HTML</p>')
      .amp('<html amp4email></html>')
      .calendar(invitation)
      .attach(file)
      .attach('b.txt', new Uint8Array(3), { cid: 'b@example.com' })
      .listUnsubscribe(unsubscribe)
      .autoSubmitted('auto-generated')
      .priority('high');
    const message = compose(
      {
        from: ['a@example.com', { name: 'B', address: 'b@example.com' }],
        sender: 's@example.com',
        to: ['c@example.net', 'd@example.net', { group: 'G', members: ['e@example.net'] }],
        cc: 'f@example.net',
        bcc: 'g@example.net',
        replyTo: 'h@example.net',
        subject: 'Grüße',
        date: new Date(0),
        messageId: '<left@right>',
        inReplyTo: '<a@b>',
        references: ['<a@b>', '<c@d>'],
        headers: [
          ['X-One', '1'],
          ['X-Two', '<2>'],
        ],
        text: 'Text',
        html: '<p>HTML</p>',
        amp: '<html amp4email></html>',
        calendar: invitation,
        attachments: [file, attachment('b.txt', new Uint8Array(3), { cid: 'b@example.com' })],
        listUnsubscribe: unsubscribe,
        autoSubmitted: 'auto-generated',
        priority: 'high',
      },
      FIXED,
    );
    const built = builder.build();
    expect(await built.text()).toBe(await message.text());
    expect(built.to).toEqual(message.to);
    expect([builder.size, builder.minimumSize]).toEqual([message.size, message.size]);
  });

  test('with a body of its own', async () => {
    const body = part('multipart/parallel', [part('text/plain', 'Grüße'), part('text/html', 'x')]);
    const builder = started().text('old').body(body).attach('a', 'x');
    const message = builder.build();
    expect(message.size).toBe(builder.size);
    expect(treeOf(readMessage(await message.bytes()))).toEqual([
      'multipart/mixed',
      [
        [
          'multipart/alternative',
          ['text/plain', ['multipart/parallel', ['text/plain', 'text/html']]],
        ],
        'application/octet-stream',
      ],
    ]);
  });

  test('goes on after build(), and each message has a Message-ID of its own', async () => {
    const builder = new MessageBuilder().from('a@example.com').text('1');
    const first = builder.build();
    const second = builder.attach('a.txt', 'x').build();
    expect(first.attachments).toEqual([]);
    expect(first.size).toBe((await first.bytes()).length);
    expect(second.attachments).toHaveLength(1);
    expect(second.size).toBe(builder.size);
    expect(second.messageId).not.toBe(first.messageId);
    expect(builder.messageId('<a@b>').build().messageId).toBe(builder.build().messageId);
  });

  test('with octets as they are that hold the name of its boundaries', async () => {
    const { messageId } = compose({ from: 'a@example.com' }, FIXED);
    const transferEncoding = asIs(new Set(['8BITMIME']));
    const builder = started({ transferEncoding })
      .text(`é -${messageId.slice(1, messageId.indexOf('@'))}`)
      .attach('a', 'x')
      .attach('b', 'x');
    const message = builder.build();
    expect(await message.text()).toContain('boundary="=_1-x128129');
    expect((await message.bytes()).length).toBe(builder.size);
    expect(builder.text('x').size).toBe(builder.build().size);
  });
});

test('what is measured is what is built, whatever random gives', () => {
  const random = (octets: number): Uint8Array => crypto.getRandomValues(new Uint8Array(octets));
  for (let run = 0; run < 50; run += 1) {
    const builder = started({ random }).text('x').html('y').attach('a', new Uint8Array(3));
    expect(builder.build().size).toBe(builder.size);
  }
});

describe('before the authors are known', () => {
  test('the shortest is counted, size is not told, and build() refuses', () => {
    const builder = new MessageBuilder(FIXED).text('x');
    const { minimumSize } = builder;
    expect(minimumSize).toBe(compose({ from: 'a@b', text: 'x' }, FIXED).size);
    expect(builder.size).toBeUndefined();
    expectMimeError(
      thrownBy(() => builder.build()),
      'ERR_MIME_ADDRESS',
      'from',
    );
    expect(builder.from('a@b').size).toBe(minimumSize);
    expect(builder.build().size).toBe(minimumSize);
  });

  test('several are refused before their sender is', () => {
    for (const from of [['a@b', 'c@d'], { group: 'G', members: ['a@b', 'c@d'] }]) {
      const builder = new MessageBuilder(FIXED);
      expectMimeError(
        thrownBy(() => builder.from(from)),
        'ERR_MIME_ADDRESS',
        'from',
      );
      expect(builder.size).toBeUndefined();
      expect(builder.sender('s@example.com').from(from).size).toBe(builder.build().size);
    }
  });
});

describe('what compose() refuses', () => {
  test.each<[string, string, (builder: MessageBuilder) => unknown]>([
    ['ERR_MIME_ADDRESS', 'to[1]', (builder) => builder.to('c d@example.net')],
    ['ERR_MIME_ADDRESS', 'cc[0]', (builder) => builder.cc('x')],
    ['ERR_MIME_ADDRESS', 'from[1]', (builder) => builder.from('x')],
    ['ERR_MIME_ADDRESS', 'sender', (builder) => builder.sender('')],
    ['ERR_MIME_ADDRESS', 'replyTo[0]', (builder) => builder.replyTo(['x'])],
    ['ERR_MIME_HEADER', 'subject', (builder) => builder.subject('a\r\nBcc: x@y')],
    ['ERR_MIME_HEADER', 'headers[1]', (builder) => builder.header('X-A', '\n')],
    ['ERR_MIME_HEADER', 'headers[1]', (builder) => builder.header('Subject', 'x')],
    ['ERR_MIME_HEADER', 'messageId', (builder) => builder.messageId('x')],
    ['ERR_MIME_HEADER', 'references', (builder) => builder.references('x')],
    ['ERR_MIME_HEADER', 'date', (builder) => builder.date(new Date(Number.NaN))],
    ['ERR_MIME_HEADER', 'priority', (builder) => builder.priority('x' as 'high')],
    ['ERR_MIME_CONTENT', 'text', (builder) => builder.text('\ud800')],
    ['ERR_MIME_CONTENT', 'html', (builder) => builder.html(5 as unknown as string)],
    ['ERR_MIME_HEADER', 'attachments[1].filename', (builder) => builder.attach('\n', 'x')],
    ['ERR_MIME_CONTENT', 'content', (builder) => builder.attach('a', 5 as unknown as string)],
    ['ERR_MIME_CONTENT', 'content', (builder) => builder.attach('a' as never)],
    ['ERR_MIME_CONTENT', 'attachments[1]', (builder) => builder.attach(5 as never)],
    ['ERR_MIME_CONTENT', 'attachments[1]', (builder) => builder.attach(undefined as never)],
    ['ERR_MIME_CONTENT', 'attachments[1]', (builder) => builder.attach({} as never)],
  ])('%s %s changes nothing', (code, path, call) => {
    const builder = started().header('X-A', '1').text('Hello').attach('a', 'x');
    const { size } = builder;
    expectMimeError(
      thrownBy(() => call(builder)),
      code as 'ERR_MIME_ADDRESS',
      path,
    );
    expect(builder.size).toBe(size);
    const message = builder.build();
    expect([message.size, message.to, message.attachments.length]).toEqual([
      size,
      ['b@example.net'],
      1,
    ]);
  });
});

describe('maxSize', () => {
  test.each([512_000, 500_000])('of %i: the largest attachment that fits is found', (maxSize) => {
    for (const options of [{}, { cid: 'x@example.com' }])
      for (const html of ['', '<img src="cid:x@example.com">'])
        for (const before of [0, 1, 2, 3]) {
          const builder = started({ maxSize });
          if (html) builder.html(html);
          for (let at = 0; at < before; at += 1) builder.attach(`${at}.txt`, 'x', options);
          const file = (octets: number) =>
            attachment('a.bin', new Blob([new Uint8Array(octets)]), options);
          let [fit, over] = [0, maxSize];
          while (over - fit > 1) {
            const middle = (fit + over) >> 1;
            if (builder.fits(file(middle))) fit = middle;
            else over = middle;
          }
          const measured = [builder.size, builder.minimumSize, builder.remaining];
          const error = thrownBy(() => builder.attach(file(over))) as MimeError;
          expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
          expect([builder.size, builder.minimumSize, builder.remaining]).toEqual(measured);
          const { size = 0 } = builder.attach(file(fit));
          expect(size).toBeLessThanOrEqual(maxSize);
          expect(builder.remaining).toBe(maxSize - size);
          // Four octets for three, and a line break in 76.
          expect(error.actual).toBeGreaterThan(maxSize);
          expect((error.actual ?? 0) - size).toBeLessThanOrEqual(6);
          expect(error.excess).toBe((error.actual ?? 0) - maxSize);
          expect(error.limit).toBe(maxSize);
          expect(builder.build().size).toBe(size);
        }
  });

  test('counts what is certain of streams that do not tell their size', () => {
    const { open, opened } = watched([new Uint8Array(10)]);
    const builder = started({ maxSize: 10_000 }).attach('a', { stream: open });
    expect(builder.size).toBeUndefined();
    expect(builder.remaining).toBe(10_000 - builder.minimumSize);
    expect(builder.fits(attachment('b', { stream: open, size: 20_000 }))).toBe(false);
    expect(builder.attach('b', { stream: open, size: 2_000 }).minimumSize).toBe(
      builder.build().minimumSize,
    );
    expect(opened()).toBe(0);
  });

  test('is Infinity where there is none, and refuses the constructor below every message', () => {
    expect(started().remaining).toBe(Number.POSITIVE_INFINITY);
    expectMimeError(
      thrownBy(() => new MessageBuilder({ maxSize: 10 })),
      'ERR_MIME_TOO_LARGE',
      'maxSize',
    );
  });
});

describe('options', () => {
  test('a stream that can be read once is opened by the message alone', async () => {
    const { open, opened } = watched([new TextEncoder().encode('Hello')]);
    const builder = started().attach('a', { stream: open(), size: 5 }).subject('x').html('y');
    builder.fits(attachment('b', 'x'));
    const message = builder.build();
    expect(opened()).toBe(0);
    expect((await message.bytes()).length).toBe(builder.size);
    expect(opened()).toBe(1);
  });

  test('the field of dkim is counted, and it refuses a stream that can be read once', () => {
    const signer = dkim({ ...NAMES, privateKey: ed25519Key().pem });
    const builder = started({ dkim: signer }).text('x');
    const stream = watched([]).open();
    const { size } = builder;
    const error = thrownBy(() => builder.attach('a', { stream, size: 0 })) as MimeError;
    expectMimeError(error, 'ERR_MIME_STREAM', 'dkim');
    expect(builder.size).toBe(size);
    for (const name of ['List-Id', 'X-A', 'List-Post']) builder.header(name, 'x');
    expect(builder.attach('a', 'x').attach('b', 'x').size).toBe(builder.build().size);
  });

  test('keepBcc, flowed and transferEncoding', async () => {
    const eightBit = asIs(new Set(['8BITMIME']));
    const builder = started({ keepBcc: true, flowed, transferEncoding: eightBit })
      .bcc('hidden@example.net')
      .attach('1', 'x', { cid: 'x@example.com' })
      .attach(part('multipart/mixed', [part('text/plain', 'x')]))
      .text(`é ${'word '.repeat(50)}`)
      .html('é');
    const message = builder.build();
    const octets = await message.bytes();
    expect([octets.length, message.body]).toEqual([builder.size, '8BITMIME']);
    const text = Buffer.from(octets).toString('latin1');
    expect(text).toContain('Bcc: hidden@example.net');
    expect(text).toContain('format=flowed');
  });
});

describe('of many attachments', () => {
  test('the sum is that of the message', () => {
    const builder = new MessageBuilder().from('a@example.com').html('x');
    for (let at = 0; at < 300; at += 1)
      builder.attach(`${at}`, 'x'.repeat(at % 100), at % 3 ? {} : { cid: `${at}@x` });
    expect(builder.size).toBe(builder.build().size);
    expect(builder.text('é').size).toBe(builder.build().size);
  });

  test('and with header fields, no text is encoded again', () => {
    let encoded = 0;
    const counted = (text: string): string => {
      // The empty text of a message without any is encoded too.
      if (text) encoded += 1;
      return text;
    };
    const builder = new MessageBuilder({ flowed: counted }).from('a@example.com').text('x');
    for (let at = 0; at < 20; at += 1) builder.attach('a', 'x').header('X-A', `${at}`);
    expect(encoded).toBe(1);
    builder.build();
    expect(encoded).toBe(2);
  });

  test('nor an attachment, but with another text', () => {
    let encoded = 0;
    const transferEncoding = {
      content: (given: Given, path: string, context: Context) => {
        encoded += 1;
        return (quotedPrintable.content as EncodeContent)(given, path, context);
      },
    };
    const builder = started().attach('a', 'é', { transferEncoding });
    for (let at = 0; at < 20; at += 1) builder.attach('b', 'x').header('X-A', `${at}`);
    expect(encoded).toBe(1);
    expect(builder.text('é').size).toBe(builder.build().size);
    expect(encoded).toBe(3);
  });
});

test('the fields that listUnsubscribe() makes are in the message', async () => {
  const builder = started().listUnsubscribe(listUnsubscribe('https://example.com/u'));
  const entity = readMessage(await builder.build().bytes());
  expect(valuesOf(entity, 'List-Unsubscribe')).toEqual(['<https://example.com/u>']);
});
