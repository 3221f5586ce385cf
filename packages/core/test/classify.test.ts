import { classify, SmtpError, type SmtpErrorDetails } from '@posthorn/core';
import { explain } from '@posthorn/core/devino';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from '../src/pool/failure.ts';
import { makeReply } from '../src/wire/reply.ts';

const refused = (reply: string, details: Partial<SmtpErrorDetails> = {}): SmtpError =>
  new SmtpError('ERR_SMTP_REPLY', 'Cannot send it', {
    phase: 'rcpt',
    delivery: 'rejected',
    reply: makeReply(reply),
    ...details,
  });

describe('classify()', () => {
  it.each([
    ['450 4.2.0 mailbox busy', 'transient', 60_000],
    ['451 4.7.1 Greylisted, try again in 300 seconds', 'transient', 300_000],
    ['450 4.7.1 Greylisted for 5 minutes', 'transient', 300_000],
    ['451-4.7.1 Greylisted\n451 4.7.1 come back in 20 minutes', 'transient', 1_200_000],
    ['451 try again in 999999999999 s', 'transient', 60_000],
    ['452 4.5.3 Too many recipients', 'transient', 60_000],
    ['421 mail.example.com closing', 'slow-down', 60_000],
    ['421 4.7.0 Try again later, in 90 s', 'slow-down', 90_000],
    ['451 4.3.2 System not accepting messages', 'slow-down', 60_000],
    ['451 4.4.5 congested', 'slow-down', 60_000],
    ['450 4.7.28 unusual volume', 'slow-down', 60_000],
    ['454 Throttling failure: Maximum sending rate exceeded', 'slow-down', 60_000],
    ['452 4.3.1 Slow down', 'slow-down', 60_000],
    ['450 4.7.0 too many messages, wait 10 s', 'slow-down', 10_000],
    ['450 generated separately, for 3 recipients', 'transient', 60_000],
  ])('reads %s as %s', (reply, kind, retryAfter) => {
    expect(classify(refused(reply))).toEqual({ kind, retryAfter });
  });

  it.each([
    '550 5.1.1 No such user',
    '550 5.4.5 Daily sending rate exceeded, try again in 5 minutes',
    '554 5.3.2 not accepting mail',
  ])('does not try %s again', (reply) => {
    expect(classify(refused(reply))).toEqual({ kind: 'permanent' });
  });

  it('holds what may have been accepted, whatever the reply says', () => {
    const lost = new SmtpError('ERR_SMTP_CLOSED', 'Cannot go on', {
      phase: 'final',
      delivery: 'unknown',
    });
    expect(classify(lost)).toEqual({ kind: 'unknown' });
    expect(classify(refused('421 closing', { delivery: 'unknown' }))).toEqual({ kind: 'unknown' });
  });

  it('tries again soon where no reply is the reason', () => {
    for (const code of [
      'ERR_SMTP_CONNECT',
      'ERR_SMTP_CLOSED',
      'ERR_SMTP_TIMEOUT',
      'ERR_SMTP_ABORTED',
    ] as const)
      expect(classify(new SmtpError(code, 'Cannot', { phase: 'connect' }))).toEqual({
        kind: 'transient',
        retryAfter: 1_000,
      });
  });

  it('lets the queue wait when the pool is full', () => {
    expect(classify(refusal('QUEUE_FULL', '5 messages are waiting'))).toEqual({
      kind: 'slow-down',
      retryAfter: 1_000,
    });
  });

  it('does not try again what has to be mended first', () => {
    for (const code of [
      'ERR_SMTP_AUTH',
      'ERR_SMTP_TLS',
      'ERR_SMTP_TOO_LARGE',
      'ERR_SMTP_UNSUPPORTED',
      'ERR_SMTP_CONTENT',
    ] as const)
      expect(classify(new SmtpError(code, 'Cannot', { phase: 'auth' }))).toEqual({
        kind: 'permanent',
      });
  });

  it('tries again when one recipient is refused for now', () => {
    const rejected = ['550 5.1.1 no', '450 4.2.2 full, in 10 minutes'].map((reply, at) => ({
      address: `${at}@example.com`,
      reply: makeReply(reply),
    }));
    const error = new SmtpError('ERR_SMTP_REPLY', 'Cannot', {
      phase: 'rcpt',
      delivery: 'rejected',
      rejected,
      reply: rejected[0]?.reply,
    });
    expect(classify(error)).toEqual({ kind: 'transient', retryAfter: 60_000 });
  });

  it('takes the word of a provider for its texts', () => {
    const error = refused('554 Internal server error');
    expect(classify(error)).toEqual({ kind: 'permanent' });
    expect(classify(error, explain)).toEqual({ kind: 'transient', retryAfter: 60_000 });
    expect(classify(refused('554 Invalid recipient address: a@b'), explain)).toEqual({
      kind: 'permanent',
    });
    expect(classify(refused('554 something else'), explain)).toEqual({ kind: 'permanent' });
  });

  it('holds what fails for a reason that it does not know', () => {
    for (const error of [new Error('what?'), 'text', undefined, null, 7])
      expect(classify(error)).toEqual({ kind: 'unknown' });
    expect(classify(new TypeError('bad address'))).toEqual({ kind: 'permanent' });
  });

  it('names a time that timers can count, where it names one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 400, max: 599 }),
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^(4\.\d\.\d )?.*(in|for|wait) \d{1,20} ?[smh].*$/),
        ),
        (code, text) => {
          const { kind, retryAfter } = classify(refused(`${code} ${text}`));
          if (kind === 'permanent') expect(retryAfter).toBeUndefined();
          else expect(retryAfter).toSatisfy((ms: number) => ms >= 0 && ms < 2 ** 31);
          expect(kind === 'permanent').toBe(code >= 500);
        },
      ),
    );
  });
});
