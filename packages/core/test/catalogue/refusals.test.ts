/** LMT, ERR and DEV: verdicts for each recipient, enhanced codes, and what the refusals of Devino mean. */
import { describe, expect, test } from 'vitest';
import {
  check,
  type DevinoContext,
  type DevinoExplanation,
  explain,
} from '../../src/devino/index.ts';
import type { ConnectOptions, SmtpError } from '../../src/index.ts';
import { eventually, MESSAGE, PASS, USER, verdict } from '../e2e/scripted-server.ts';
import { type Answers, deal, good, Heard, refused, useJudgedServers } from './support.ts';

const serve = useJudgedServers();

describe('LMTP', () => {
  const LMTP = { protocol: 'lmtp' } as const;
  const TO = ['b@example.com', 'c@example.com', 'd@example.com'];
  const three = ['250 2.0.0 b', '250 2.0.0 c', '250 2.0.0 d'];

  test('LMT-01 LHLO, and nothing to fall back to', async () => {
    const heard = new Heard();
    await deal(await serve(good([], { dot: three }, heard)), { to: TO }, LMTP);
    expect(heard.verbs.join()).toBe('LHLO,MAIL,RCPT,RCPT,RCPT,DATA,QUIT');
    for (const code of [500, 502, 550]) {
      const other = new Heard();
      const server = await serve(good([], { LHLO: `${code} what?` }, other));
      expect(verdict(await refused(server, {}, LMTP))).toBe(
        'ERR_SMTP_REPLY in ehlo, not-sent, never',
      );
      await eventually(() => server.open === 0, 'the client leaves');
      expect(other.verbs.join()).toMatch(/^LHLO(,QUIT)?$/);
    }
  });

  test('LMT-03 two replies of three, then the end: the third is no success', async () => {
    for (const keywords of [[], ['PIPELINING']]) {
      const server = await serve(
        good(keywords, {
          dot: ({ peer }) => {
            peer.say(...three.slice(0, 2));
            peer.end();
          },
        }),
      );
      const error = await refused(server, { to: TO }, LMTP);
      expect(verdict(error)).toBe('ERR_SMTP_CLOSED in final, unknown, unknown');
      expect(error.accepted).toEqual(TO.slice(0, 2));
    }
  });

  test('LMT-04 a recipient that was refused before gets no reply', async () => {
    for (const keywords of [[], ['PIPELINING']]) {
      const server = await serve(
        good(keywords, {
          RCPT: ({ line }) => (line.includes('<c@') ? '550 5.1.1 nobody' : '250 ok'),
          dot: ['250 2.0.0 for b', '452 4.2.2 for d'],
        }),
      );
      const receipt = await deal(server, { to: TO }, LMTP);
      expect(receipt).toMatchObject({
        accepted: ['b@example.com'],
        replies: [{ text: 'for b' }],
      });
      expect(
        Object.fromEntries(receipt.rejected.map(({ address, reply }) => [address, reply.code])),
      ).toEqual({ 'c@example.com': 550, 'd@example.com': 452 });
    }
  });

  test('LMT-05 one address twice: two replies', async () => {
    const heard = new Heard();
    const server = await serve(good([], { dot: ['250 one', '250 two'] }, heard));
    const receipt = await deal(server, { to: [MESSAGE.to, MESSAGE.to] }, LMTP);
    expect(receipt).toMatchObject({
      accepted: [MESSAGE.to, MESSAGE.to],
      replies: [{ text: 'one' }, { text: 'two' }],
    });
    expect(heard.all('RCPT')).toHaveLength(2);
    // The second of them counts: it is not taken for the reply to QUIT.
    const other = await serve(good([], { dot: ['250 one', '550 5.2.1 two'] }));
    expect(await deal(other, { to: [MESSAGE.to, MESSAGE.to] }, LMTP)).toMatchObject({
      accepted: [MESSAGE.to],
      rejected: [{ address: MESSAGE.to, reply: { code: 550 } }],
    });
  });

  test('LMT-06 no recipient accepted: no DATA', async () => {
    const heard = new Heard();
    const server = await serve(good([], { RCPT: '550 5.1.1 nobody' }, heard));
    const error = await refused(server, { to: TO }, LMTP);
    expect(verdict(error)).toBe('ERR_SMTP_REPLY in rcpt, rejected, never');
    expect(heard.verbs.join()).toBe('LHLO,MAIL,RCPT,RCPT,RCPT,QUIT');
  });
});

describe('enhanced codes', () => {
  const replyOf = async (
    said: string | readonly string[],
    ...keywords: readonly string[]
  ): Promise<SmtpError> => refused(await serve(good(keywords, { MAIL: said })));

  test('ERR-01 code, enhanced code and text', async () => {
    const { reply } = await replyOf('550 5.1.1 No such user: x', 'ENHANCEDSTATUSCODES');
    expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1', text: 'No such user: x' });
    const { reply: long } = await replyOf('452 4.123.45 x', 'ENHANCEDSTATUSCODES');
    expect(long).toMatchObject({ code: 452, enhanced: '4.123.45', text: 'x' });
  });

  test('ERR-02 550 4.2.1: the code counts', async () => {
    const error = await replyOf('550 4.2.1 x', 'ENHANCEDSTATUSCODES');
    expect(error.retry).toBe('never');
    expect(error.reply?.enhanced).toBeUndefined();
  });

  test('ERR-03 what looks like an enhanced code, and is none', async () => {
    for (const text of [
      '5.7.1234 x',
      '10.1.1.1 listed',
      '5.7 x',
      '5.7.1.2 x',
      '5.7.1x',
      '3.1.1 x',
    ]) {
      const { reply } = await replyOf(`554 ${text}`, 'ENHANCEDSTATUSCODES');
      expect(reply).toMatchObject({ code: 554, text });
      expect(reply?.enhanced).toBeUndefined();
    }
  });

  test('ERR-04 on each line: one enhanced code, and the text without it', async () => {
    const { reply } = await replyOf(
      ['550-5.1.1 No such', '550-5.1.1 user', '550 5.1.1 here'],
      'ENHANCEDSTATUSCODES',
    );
    expect(reply).toMatchObject({ code: 550, enhanced: '5.1.1', text: 'No such user here' });
  });

  test('ERR-05 not offered: the text is there as it came', async () => {
    const error = await replyOf('550 5.1.1 No such user');
    expect(error.reply?.code).toBe(550);
    expect(error.reply?.lines).toEqual(['5.1.1 No such user']);
    expect(error.message).toContain('550 5.1.1 No such user');
  });
});

describe('Devino', () => {
  const TO = MESSAGE.to;
  const FROM = MESSAGE.from;
  /** What that platform offers. */
  const OFFERED = ['AUTH PLAIN LOGIN CRAM-MD5 ANONYMOUS', 'SIZE=512000', '8BITMIME'];
  const STAGES = { MAIL: 'mail', RCPT: 'rcpt', dot: 'final' } as const;
  type Stage = keyof typeof STAGES;

  /** A message that is refused so at a stage, and what that means. */
  const refusal = async (
    stage: Stage,
    said: string | readonly string[],
    context?: DevinoContext,
  ): Promise<{ error: SmtpError; why: DevinoExplanation | undefined }> => {
    const answers: Answers = { [stage]: said };
    const error = await refused(await serve(good(OFFERED, answers)));
    expect(error.phase).toBe(STAGES[stage]);
    expect(error.delivery).toBe('rejected');
    return { error, why: explain(error, context) };
  };
  const AUTH: Partial<ConnectOptions> = {
    auth: { user: USER, pass: PASS },
    allowInsecureAuth: true,
  };

  test('DEV-01 no credentials, 554 to MAIL: not authenticated', async () => {
    const { error, why } = await refusal('MAIL', '554 Must authenticate before sending mail');
    expect(error.reply?.code).toBe(554);
    expect(why).toMatchObject({ reason: 'not-authenticated', code: 554, retry: 'fix-first' });
  });

  test('DEV-03 535 to AUTH: not authenticated, and no MAIL', async () => {
    const heard = new Heard();
    const server = await serve(good(OFFERED, { AUTH: '535 Authentication failure' }, heard));
    const error = await refused(server, {}, AUTH);
    expect(verdict(error)).toBe('ERR_SMTP_AUTH in auth, not-sent, fix-first');
    expect(explain(error)).toMatchObject({ reason: 'not-authenticated', code: 535 });
    await eventually(() => server.open === 0, 'the client leaves');
    expect(heard.all('MAIL')).toEqual([]);
  });

  test('DEV-04 the same text at RCPT, behind the dot, and to AUTH', async () => {
    const text = '554 Must authenticate before sending mail';
    for (const stage of ['RCPT', 'dot'] as const)
      expect((await refusal(stage, text)).why).toMatchObject({ reason: 'not-authenticated' });
    const error = await refused(await serve(good(OFFERED, { AUTH: text })), {}, AUTH);
    expect(error).toMatchObject({ code: 'ERR_SMTP_AUTH', phase: 'auth', delivery: 'not-sent' });
    expect(explain(error)).toMatchObject({ reason: 'not-authenticated', code: 554 });
  });

  test('DEV-05 Internal server error at any stage: their fault, worth another try', async () => {
    for (const stage of ['MAIL', 'RCPT', 'dot'] as const) {
      const { error, why } = await refusal(stage, '554 Internal server error');
      // By its code it is permanent.
      expect(error.retry).toBe('never');
      expect(why).toMatchObject({ reason: 'server-error', code: 554, retry: 'later' });
    }
  });

  test('DEV-06 Internal server error in place of a greeting', async () => {
    const server = await serve((peer) => peer.say('554 Internal server error'));
    const error = await refused(server);
    expect(error).toMatchObject({ phase: 'greeting', delivery: 'not-sent', reply: { code: 554 } });
    expect(explain(error)).toMatchObject({ reason: 'server-error', retry: 'later' });
  });

  test('DEV-07 the end in place of a reply: closed, temporary', async () => {
    const server = await serve(good(OFFERED, { RCPT: ({ peer }) => peer.end() }));
    const error = await refused(server);
    expect(verdict(error)).toBe('ERR_SMTP_CLOSED in rcpt, not-sent, reconnect');
    expect(explain(error)).toBeUndefined();
  });

  test('DEV-08 a file that is not allowed: its extension', async () => {
    const { why } = await refusal('dot', '554 Not allowed attachement type .exe');
    expect(why).toMatchObject({ reason: 'attachment-type', extension: 'exe', code: 554 });
  });

  test('DEV-10 the extension in other spellings', async () => {
    for (const [text, kind] of [
      ['Not allowed attachment type .exe', { extension: 'exe' }],
      ['Not allowed attachement type "exe"', { extension: 'exe' }],
      ['Not allowed attachement type EXE', { extension: 'exe' }],
      ['Not allowed attachement type tar.gz', { extension: 'tar.gz' }],
      ['Not allowed attachement type', {}],
      ['Not allowed attachement type application/zip', { type: 'application/zip' }],
    ] as const) {
      const { why } = await refusal('dot', `554 ${text}`);
      expect(why?.reason).toBe('attachment-type');
      expect({
        ...(why?.extension && { extension: why.extension }),
        ...(why?.type && { type: why.type }),
      }).toEqual(kind);
    }
    const cyrillic = Buffer.from('554 Not allowed attachement type .\u0435\u0445\u0435').toString(
      'latin1',
    );
    expect((await refusal('dot', cyrillic)).why?.extension).toBe('\u0435\u0445\u0435');
  });

  test('DEV-11 too large, behind the dot', async () => {
    const { error, why } = await refusal('dot', '554 Message exceeds fixed size limit');
    expect(error.reply?.code).toBe(554);
    expect(why).toMatchObject({ reason: 'too-large', code: 554, retry: 'fix-first' });
  });

  test('DEV-13 an invalid recipient at RCPT', async () => {
    const { error, why } = await refusal('RCPT', `554 Invalid recipient address: ${TO}`);
    expect(error.rejected?.[0]).toMatchObject({ address: TO, reply: { code: 554 } });
    expect(why).toMatchObject({ reason: 'invalid-recipient', address: TO, retry: 'never' });
    // And as one of several.
    const server = await serve(
      good(OFFERED, {
        RCPT: ({ line }) =>
          line.includes('<no') ? '554 Invalid recipient address: no@example.com' : '250 ok',
      }),
    );
    const { rejected } = await deal(server, { to: [TO, 'no@example.com'] });
    expect(rejected.map((one) => explain(one))).toMatchObject([
      { reason: 'invalid-recipient', address: 'no@example.com' },
    ]);
  });

  test('DEV-14 an invalid recipient behind the dot', async () => {
    const { error, why } = await refusal('dot', `554 Invalid recipient address: ${TO}`);
    // No RCPT was refused: the address is in the text.
    expect(error.rejected ?? []).toEqual([]);
    expect(why).toMatchObject({ reason: 'invalid-recipient', address: TO });
  });

  test('DEV-15 the address in other spellings', async () => {
    for (const [text, address] of [
      [`<${TO}>`, TO],
      [`${TO}.`, TO],
      ['"a:b"@example.com', '"a:b"@example.com'],
      ['B@EXAMPLE.COM', TO],
      ['', TO],
    ] as const) {
      const context = { recipients: [TO] };
      const { why } = await refusal('dot', `554 Invalid recipient address: ${text}`, context);
      expect(why).toMatchObject({ reason: 'invalid-recipient', address });
    }
  });

  test('DEV-16 a sender that is not confirmed, at MAIL, at RCPT and behind the dot', async () => {
    for (const stage of ['MAIL', 'RCPT', 'dot'] as const) {
      const { why } = await refusal(stage, `554 Disallowed source address: ${FROM}`);
      expect(why).toMatchObject({
        reason: 'sender-not-confirmed',
        address: FROM,
        code: 554,
        retry: 'fix-first',
      });
    }
  });

  test('DEV-17 the sender of the text is another than that of the envelope: that of the text', async () => {
    const { why } = await refusal('dot', '554 Disallowed source address: header@client.example', {
      sender: FROM,
    });
    expect(why).toMatchObject({ address: 'header@client.example' });
  });

  test('DEV-18 behind "Transaction failed"', async () => {
    for (const said of [
      `554 Transaction failed: Invalid recipient address: ${TO}`,
      `554 Transaction failed Invalid recipient address: ${TO}`,
      [`554-Transaction failed`, `554 Invalid recipient address: ${TO}`],
      [`554-5.6.0 Transaction failed`, `554 5.6.0 Invalid recipient address: ${TO}`],
    ])
      for (const stage of ['RCPT', 'dot'] as const)
        expect((await refusal(stage, said)).why).toMatchObject({
          reason: 'invalid-recipient',
          address: TO,
        });
  });

  test('DEV-20 the order reversed, and a fold inside the address', async () => {
    for (const said of [
      [`554-Invalid recipient address: ${TO}`, '554 Transaction failed'],
      ['554-Transaction failed: Invalid recipient address: b@exam', '554 ple.com'],
    ])
      expect((await refusal('dot', said, { recipients: [TO] })).why).toMatchObject({
        reason: 'invalid-recipient',
        address: TO,
      });
  });

  test('DEV-21 "Transaction failed" alone, and texts that nobody knows: refused, the text kept', async () => {
    for (const text of ['Transaction failed', 'Message looks like spam', 'recipient address']) {
      const { error, why } = await refusal('dot', `554 ${text}`);
      expect(verdict(error)).toBe('ERR_SMTP_REPLY in final, rejected, never');
      expect(error.reply).toMatchObject({ code: 554, text });
      expect(why).toBeUndefined();
    }
  });

  test('DEV-22 upper case, double blanks, a final full stop', async () => {
    for (const text of [
      'INTERNAL SERVER ERROR',
      'Internal  server  error.',
      'internal server error!',
    ])
      expect((await refusal('dot', `554 ${text}`)).why?.reason).toBe('server-error');
  });

  test('DEV-23 with another code: the same reason, temporary by the code', async () => {
    for (const code of [550, 552, 451]) {
      const { error, why } = await refusal('dot', `${code} Message exceeds fixed size limit`);
      expect(why).toMatchObject({ reason: 'too-large', code });
      expect(why?.retry === 'later').toBe(code === 451);
      expect(error.retry === 'later').toBe(code === 451);
    }
  });

  test('DEV-24 a text inside an address does not count', async () => {
    const said = '554 Invalid recipient address: "Internal server error"@x.example';
    expect((await refusal('RCPT', said)).why).toMatchObject({
      reason: 'invalid-recipient',
      address: '"Internal server error"@x.example',
    });
  });

  test('DEV-25 two recipients break a rule', () => {
    expect(check({ from: FROM, to: [TO, 'c@example.com'], size: 1 })).toContainEqual(
      expect.objectContaining({ rule: 'recipient-count', severity: 'error', actual: 2 }),
    );
  });

  test('DEV-26 512,001 octets break a rule', () => {
    const rules = (size: number): unknown[] =>
      check({ from: FROM, to: TO, size }).filter(({ rule }) => rule === 'too-large');
    expect(rules(512_001)).toMatchObject([{ severity: 'error', excess: 1 }]);
    expect(rules(512_000)).not.toContainEqual(expect.objectContaining({ severity: 'error' }));
  });

  test('DEV-27 an attachment breaks a rule', () => {
    expect(check({ from: FROM, to: TO, size: 1, attachments: [{}] })).toContainEqual(
      expect.objectContaining({ rule: 'attachments', severity: 'error' }),
    );
  });

  test('DEV-28 221 that nobody asked for', async () => {
    const server = await serve(
      good(OFFERED, {
        RCPT: ({ peer }) => {
          peer.say('250 ok', '221 Too many bad commands. Bye!');
          peer.end();
        },
      }),
    );
    const error = await refused(server);
    expect(error.code).toMatch(/CLOSED|PROTOCOL/);
    expect([error.delivery, error.retry]).toEqual(['not-sent', 'reconnect']);
  });
});
