import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOneCase } from '../../src/server/command-line.ts';

test.each([
  ['ehlo Mail.Example', 'EHLO Mail.Example'],
  [
    'mail FROM:<Ann@Example.com> size=10 body=8bitmime',
    'MAIL FROM:<Ann@Example.com> SIZE=10 BODY=8BITMIME',
  ],
  ['Mail From:<a@b> ENVID=aBc smtpUtf8', 'MAIL FROM:<a@b> ENVID=aBc SMTPUTF8'],
  [
    'rcpt to:<Bob@B> notify=never,success orcpt=rfc822;Bob@B',
    'RCPT TO:<Bob@B> NOTIFY=NEVER,SUCCESS ORCPT=rfc822;Bob@B',
  ],
  ['bdat 12 last', 'BDAT 12 LAST'],
  ['auth plain dXNlcg==', 'AUTH PLAIN dXNlcg=='],
  ['data', 'DATA'],
  ['', ''],
  // Answers to challenges.
  ['AHRlc3Rlcg==', 'AHRlc3Rlcg=='],
  ['dGVzdGVy', 'dGVzdGVy'],
  ['data0w==', 'data0w=='],
  ['*', '*'],
  ['mail from:<a@b', 'MAIL FROM:<a@b'],
])('%j is %j', (line, expected) => {
  expect(inOneCase(line)).toBe(expected);
});

test('a line has one such form, of the same length, and in upper case it stays as it is', () => {
  fc.assert(
    fc.property(
      fc.tuple(
        fc.constantFrom('mail FROM:', 'RCPT to:', 'bdat 1 last', 'auth login', 'quit', ''),
        fc.string(),
      ),
      (parts) => {
        const once = inOneCase(parts.join(''));
        expect(inOneCase(once)).toBe(once);
        expect(once.toLowerCase()).toBe(parts.join('').toLowerCase());
      },
    ),
  );
});
