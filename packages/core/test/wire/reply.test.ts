import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeReply, makeReply } from '../../src/wire/reply.ts';
import { replyOf } from './cuts.ts';

describe('describeReply()', () => {
  test('describeReply() names code and text when the reply has several lines', () => {
    expect(describeReply(replyOf(550, ['5.1.1 No such user', '5.1.1 here']))).toBe(
      '550 5.1.1 No such user 5.1.1 here',
    );
  });

  test('describeReply() gives at most 500 characters when the reply is long', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 8 }),
        (lines) => {
          expect(describeReply(replyOf(250, lines)).length).toBeLessThanOrEqual(500);
        },
      ),
    );
  });
});

describe('makeReply()', () => {
  test('makeReply() gives an enhanced status code of the class of the reply code only', () => {
    const part = fc.integer({ min: 0, max: 1_200 });
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        fc.integer({ min: 0, max: 9 }),
        part,
        part,
        (code, status, subject, detail) => {
          const given = `${status}.${subject}.${detail}`;
          const reply = makeReply(`${code} ${given} text`);
          const own = status === Math.floor(code / 100) && status !== 3;
          const expected = own && subject < 1_000 && detail < 1_000;
          expect(reply.enhanced).toBe(expected ? given : undefined);
          expect(reply.text).toBe(expected ? 'text' : `${given} text`);
        },
      ),
      { numRuns: 500 },
    );
  });
});
