import { attachment, compose } from '@posthorn/mime';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, type DevinoMessage } from '../src/devino/index.ts';
import type { OutgoingMessage } from '../src/session/envelope.ts';

const HTML =
  '<p>Привет! <a href="[WebVersion]">Открыть</a> <a href="[Unsubscribe]">Отписаться</a></p>';

describe('check() takes a message', () => {
  const sample = {
    from: 'noreplay@devinotele.com',
    to: 'test@devinotele.com',
    html: 'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
  };
  const rules = (message: DevinoMessage): string[] => check(message).map(({ rule }) => rule);

  test('as compose() returns it', () => {
    expect(rules(compose(sample))).toEqual(['tag-missing', 'tag-missing']);
    expect(rules(compose({ ...sample, html: HTML }))).toEqual([]);
    const file = attachment('a.exe', new Uint8Array(600_000), { contentType: 'image/png' });
    const bad = compose({ ...sample, html: HTML, cc: 'b@example.com', attachments: [file] });
    expect(rules(bad)).toEqual(['recipient-count', 'attachments', 'too-large']);
    expect(check(bad)[2]?.actual).toBe(bad.size);
  });

  test('as compose() returns it where a stream does not tell its size', () => {
    const file = attachment(
      'a.png',
      { stream: new ReadableStream<Uint8Array>() },
      { contentType: 'image/png' },
    );
    const message = compose({ ...sample, html: HTML, attachments: [file] });
    expect(rules(message)).toEqual(['attachments', 'size-unknown']);
  });

  test('as send() takes it', () => {
    const message: OutgoingMessage = {
      from: 'shop@example.com',
      to: [{ address: 'user@example.com' }],
      content: `Subject: x\r\n\r\n${'x'.repeat(512_000)}`,
    };
    expect(rules(message)).toEqual(['too-large', 'tags-unknown']);
    expect(rules({ ...message, content: 'Subject: x\r\n\r\nx' })).toEqual(['tags-unknown']);
  });
});

describe('check() as a whole', () => {
  test('lists every problem, in a fixed order', () => {
    const found = check(
      { from: '', to: ['a', 'b@c'], toCount: 2, size: 600_000, attachments: [{}], textParts: [''] },
      { tags: 'reject' },
    );
    expect(found.map(({ rule }) => rule)).toEqual([
      'recipient-count',
      'invalid-recipient',
      'sender-not-confirmed',
      'attachments',
      'too-large',
      'tag-missing',
      'tag-missing',
    ]);
    expect(found.every(({ severity }) => severity === 'error')).toBe(true);
  });

  test('never throws for a bad message', () => {
    const message = fc.record(
      {
        from: fc.anything(),
        to: fc.oneof(fc.anything(), fc.array(fc.anything())),
        toCount: fc.anything(),
        size: fc.anything(),
        minimumSize: fc.anything(),
        attachments: fc.oneof(fc.anything(), fc.array(fc.anything())),
        content: fc.oneof(fc.anything(), fc.uint8Array()),
        textParts: fc.oneof(fc.anything(), fc.array(fc.anything())),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(message, (bad) => {
        for (const problem of check(bad as DevinoMessage)) {
          expect(problem.message).not.toBe('');
          expect(typeof (problem.address ?? '')).toBe('string');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
