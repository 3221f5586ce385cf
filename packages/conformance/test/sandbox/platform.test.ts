/** The provider behind its servers, over SMTP: the filter, the outbox, events, statistics. */
import { describe, expect, test } from 'vitest';
import {
  BOUNCE_REASONS,
  type CapturedMessage,
  EVENT_TYPES,
  type Sandbox,
  STATES,
} from '../../src/index.ts';
import { stateAfter } from '../../src/sandbox/platform/events.ts';
import { magicOf } from '../../src/sandbox/platform/magic.ts';
import { base64, FROM, mail, PASS, TO, USER, useBench } from '../support.ts';

const { start, talk } = useBench();
const QUEUED = /^250 Ok: queued as [\da-f-]{36}$/;

/** Sends to one recipient, and gives the message as it is then. */
async function sent(sandbox: Sandbox, to: string, body?: string): Promise<CapturedMessage> {
  const dialogue = await talk(sandbox);
  expect((await dialogue.send(mail(body), { to: [to] })).at(-1)).toMatch(QUEUED);
  dialogue.destroy();
  const message = sandbox.inbox.messages.at(-1);
  if (!message) throw new Error('It was not captured');
  return message;
}

const types = ({ events }: CapturedMessage): string[] => events.map(({ type }) => type);

describe.concurrent('magic recipients', () => {
  test.each([
    ['plain@example.com', 'Delivered', ['SENT', 'DELIVERED']],
    ['hold@example.com', 'NotSent', []],
    ['sent@example.com', 'Sent', ['SENT']],
    ['Open+anything@example.com', 'Read', ['SENT', 'DELIVERED', 'OPENED']],
    ['click@example.com', 'Clicked', ['SENT', 'DELIVERED', 'OPENED', 'CLICKED']],
    ['unsub@example.com', 'Read', ['SENT', 'DELIVERED', 'OPENED', 'UNSUBSCRIBED']],
    [
      'complaint@example.com',
      'Read',
      ['SENT', 'DELIVERED', 'OPENED', 'COMPLAINED', 'UNSUBSCRIBED'],
    ],
    ['bounce@example.com', 'Bounced', ['SENT', 'BOUNCED']],
    ['opener@example.com', 'Delivered', ['SENT', 'DELIVERED']],
  ])('%s is %s', async (to, state, events) => {
    const message = await sent(await start(), to);
    expect(message.state).toBe(state);
    expect(types(message)).toEqual(events);
  });

  test('each of the nineteen reasons', () => {
    expect(BOUNCE_REASONS).toHaveLength(19);
    for (const reason of BOUNCE_REASONS)
      expect(magicOf(`bounce+${reason}@a.example`)?.at(-1)).toEqual({ type: 'BOUNCED', reason });
    expect(magicOf('bounce+nonsense@a.example')?.at(-1)?.reason).toBe('other');
  });

  test.each([
    ['auth', 'Must authenticate before sending mail'],
    ['internal', 'Internal server error'],
    ['attachment', 'Not allowed attachement type exe'],
    ['size', 'Message exceeds fixed size limit'],
    ['invalid', 'Invalid recipient address: 554+invalid@example.com'],
    ['sender', `Disallowed source address: ${FROM}`],
  ])('554+%s@ is refused', async (word, text) => {
    const dialogue = await talk(await start());
    const replies = await dialogue.send(mail(), { to: [`554+${word}@example.com`] });
    expect(replies.filter((reply) => reply?.startsWith('554'))).toEqual([`554 ${text}`]);
  });

  test('without magic they are names like any other', async () => {
    const sandbox = await start({ magic: false });
    for (const to of ['554+invalid@example.com', '554+internal@example.com', 'bounce@example.com'])
      expect((await sent(sandbox, to)).state).toBe('Delivered');
  });
});

describe.concurrent('the filter', () => {
  test('who unsubscribed gets nothing: 250, Bounced, already_unsubscribed, no hard bounce', async () => {
    const sandbox = await start();
    await sent(sandbox, 'unsub@example.com');
    const second = await sent(sandbox, 'UNSUB@example.com');
    expect(second.state).toBe('Bounced');
    expect(second.events).toMatchObject([
      { type: 'BOUNCED', reason: 'already_unsubscribed', isHardbounce: false },
    ]);
    const last = second.verdicts.at(-1);
    expect(last).toMatchObject({ rule: 'filter', outcome: 'warn', stage: 'data' });
    expect(last?.quotation).toContain('автоматически фильтровать отписавшиеся');
  });

  test('who bounced hard gets nothing any more, who bounced softly does', async () => {
    const sandbox = await start();
    await sent(sandbox, 'bounce+bad-mailbox@example.com');
    await sent(sandbox, 'bounce+quota-issues@example.com');
    const hard = await sent(sandbox, 'bounce+bad-mailbox@example.com');
    expect(hard.events).toMatchObject([{ reason: 'bad-mailbox', isHardbounce: true }]);
    const soft = await sent(sandbox, 'bounce+quota-issues@example.com');
    expect(types(soft)).toEqual(['SENT', 'BOUNCED']);
    expect(soft.events.at(-1)).toMatchObject({ reason: 'quota-issues', isHardbounce: false });
  });

  test('by option it refuses', async () => {
    const sandbox = await start({ filtered: 'refuse' });
    await sent(sandbox, 'unsub@example.com');
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(mail(), { to: ['unsub@example.com'] })).at(-1)).toBe(
      '554 Invalid recipient address: unsub@example.com',
    );
  });

  test('only the first recipient is looked at: the others are not sent to', async () => {
    const sandbox = await start();
    await sent(sandbox, 'unsub@example.com');
    const dialogue = await talk(sandbox);
    await dialogue.send(mail(), { to: [TO, 'unsub@example.com'] });
    expect(sandbox.inbox.messages.at(-1)?.state).toBe('Delivered');
  });
});

describe.concurrent('what was refused is kept', () => {
  test('with its verdicts, its reply, its envelope and its dialogue, without the password', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    await dialogue.send(mail('x'.repeat(512_000)));
    await dialogue.ask('MAIL FROM:<other@example.com>');
    const [second, first] = sandbox.refused;
    expect(first).toMatchObject({
      stage: 'data',
      code: 554,
      text: 'Message exceeds fixed size limit',
      from: FROM,
      to: [TO],
    });
    expect(first?.size).toBeGreaterThan(512_000);
    expect(first?.verdicts.find(({ outcome }) => outcome === 'refuse')).toMatchObject({
      rule: 'size',
      reply: '554 Message exceeds fixed size limit',
    });
    const text = 'Disallowed source address: other@example.com';
    expect(second).toMatchObject({ stage: 'mail', text, from: 'other@example.com', to: [] });
    const lines = first?.transcript.map((line) => `${line.direction}: ${line.text}`) ?? [];
    expect(lines).toContain('client: AUTH PLAIN <secret>');
    expect(lines.at(-1)).toBe('server: 554 Message exceeds fixed size limit');
    expect(lines.at(-2)).toBe('client: .');
    expect(JSON.stringify(sandbox.refused)).not.toContain(base64(`\0${USER}\0${PASS}`));
  });

  test('a client that may not connect', async () => {
    const sandbox = await start({ allowedAddresses: ['10.0.0.1'] });
    await expect(talk(sandbox)).rejects.toThrow('greeting: 554 ');
    expect(sandbox.refused[0]).toMatchObject({
      stage: 'connect',
      code: 554,
      verdicts: [{ rule: 'ip-allow', outcome: 'refuse' }],
    });
    expect(sandbox.refused[0]?.verdicts[0]?.quotation).toContain('Сообщить IP-адрес');
  });

  test('500 at the most', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    for (let at = 0; at < 501; at += 1) await dialogue.ask(`MAIL FROM:<a${at}@example.com>`);
    expect(sandbox.refused).toHaveLength(500);
    expect(sandbox.refused[0]?.text).toBe('Disallowed source address: a500@example.com');
  });
});

describe.concurrent('AUTH LOGIN', () => {
  test('its answers are left out of the transcript', async () => {
    const sandbox = await start({ credentials: { shop: 'h0rse-battery' } });
    const dialogue = await talk(sandbox, { login: false });
    await dialogue.ask('AUTH LOGIN');
    await dialogue.ask(base64('shop'));
    expect(await dialogue.ask(base64('h0rse-battery'))).toMatch(/^235/);
    await dialogue.send(mail());
    const lines = sandbox.inbox.messages[0]?.transcript.map(({ text }) => text) ?? [];
    const at = lines.indexOf('AUTH LOGIN');
    expect(lines.slice(at, at + 6)).toEqual([
      'AUTH LOGIN',
      '334 VXNlcm5hbWU6',
      '<secret>',
      '334 UGFzc3dvcmQ6',
      '<secret>',
      '235 Authentication successful',
    ]);
    expect(lines.at(-1)).toMatch(QUEUED);
  });
});

describe.concurrent('statistics', () => {
  test('each message counts once, in its latest state', async () => {
    const sandbox = await start();
    for (const to of ['hold@a.example', 'sent@a.example', 'b@a.example', 'open@a.example'])
      await sent(sandbox, to);
    for (const to of ['click@a.example', 'bounce@a.example']) await sent(sandbox, to);
    const dialogue = await talk(sandbox);
    await dialogue.send(mail('x'.repeat(512_000)));
    expect(sandbox.statistics().map(({ state, count, share }) => [state, count, share])).toEqual([
      ['Charged', 6, '85,71 %'],
      ['NotSent', 1, '14,29 %'],
      ['Sent', 1, '14,29 %'],
      ['Delivered', 1, '14,29 %'],
      ['Read', 1, '14,29 %'],
      ['Clicked', 1, '14,29 %'],
      ['Bounced', 1, '14,29 %'],
      ['Rejected', 1, '14,29 %'],
      ['Total', 7, '100 %'],
    ]);
  });

  test('refusals count by option only', async () => {
    const sandbox = await start({ countRefused: false });
    const dialogue = await talk(sandbox);
    await dialogue.send(mail('x'.repeat(512_000)));
    expect(sandbox.statistics().at(-1)).toMatchObject({ state: 'Total', count: 0, share: '0 %' });
  });

  test('from and to are times of acceptance, in full hours, by the clock of the sandbox', async () => {
    const sandbox = await start();
    const noon = Date.UTC(2026, 0, 2, 12);
    const hour = 3_600_000;
    for (const at of [noon - 1, noon, noon + hour]) {
      sandbox.clock.set(at);
      await sent(sandbox, TO);
    }
    const total = (from?: number, to?: number): number | undefined =>
      sandbox.statistics({ from, to }).at(-1)?.count;
    expect([total(), total(noon), total(noon, noon + hour), total(undefined, noon)]).toEqual([
      3, 2, 1, 1,
    ]);
    // A begun hour is in it.
    expect(total(noon + 1, noon + 2)).toBe(1);
  });
});

describe.concurrent('what nobody documents can be switched', () => {
  test('deliver: manual leaves accepted messages NotSent', async () => {
    const sandbox = await start({ deliver: 'manual' });
    expect((await sent(sandbox, TO)).state).toBe('NotSent');
  });

  test('any sender, no login, any file, further recipients, charset, the text of the 250', async () => {
    const sandbox = await start({
      confirmedSenders: 'any',
      requireAuth: false,
      attachments: 'any',
      furtherRecipients: 'refuse',
      charset: 'reject',
      acceptedText: 'Message {id} accepted',
      hide: ['PIPELINING', 'SMTPUTF8'],
      authMethods: ['PLAIN'],
    });
    const dialogue = await talk(sandbox, { login: false });
    expect((await dialogue.ask('EHLO client.example'))?.split('\n')).toEqual([
      expect.stringMatching(/^250-sandbox/),
      '250-8BITMIME',
      '250 AUTH PLAIN',
    ]);
    const replies = await dialogue.send(mail(), { from: 'a@b.example', to: [TO, 'b@c.example'] });
    expect(replies.slice(1, 3)).toEqual([
      '250 Accepted',
      '554 Invalid recipient address: b@c.example',
    ]);
    expect(replies.at(-1)).toBe(`250 Message ${sandbox.inbox.messages[0]?.id} accepted`);
    const koi = mail('x', 'Content-Type: text/plain; charset=koi8-r');
    expect((await dialogue.send(koi)).at(-1)).toBe(
      '554 Transaction failed: a part is in koi8-r, not in UTF-8',
    );
  });

  test('a sender that is a domain', async () => {
    const sandbox = await start({ confirmedSenders: ['@shop.example'] });
    const dialogue = await talk(sandbox);
    expect(await dialogue.ask('MAIL FROM:<any@SHOP.example>')).toBe('250 Accepted');
    await dialogue.ask('RSET');
    expect(await dialogue.ask('MAIL FROM:<any@sub.shop.example>')).toMatch(/^554/);
  });

  test('with the rules of the successor a sender stands for its domain, and tags have to be there', async () => {
    const sandbox = await start({ profile: 'successor' });
    const dialogue = await talk(sandbox);
    expect((await dialogue.send(mail(), { from: 'any@devinotele.com' })).at(-1)).toMatch(QUEUED);
    expect(await dialogue.ask('MAIL FROM:<a@elsewhere.example>')).toMatch(/^554 Disallowed/);
    expect((await dialogue.send(mail('no tag'))).at(-1)).toBe(
      '554 Transaction failed: the text has no [Unsubscribe]',
    );
  });
});

describe.concurrent('seed', () => {
  test('the same ids and names of links in each run, and again after a reset', async () => {
    const run = async (sandbox: Sandbox): Promise<unknown> => {
      await sent(sandbox, TO);
      await sent(sandbox, 'open@a.example');
      return sandbox.inbox.messages.map(({ id, token, events }) => [
        id,
        token,
        events.map((event) => event.id),
      ]);
    };
    const [one, other] = await Promise.all([start({ seed: 'a' }), start({ seed: 'a' })]);
    const first = await run(one);
    expect(await run(other)).toEqual(first);
    await one.reset();
    expect(await run(one)).toEqual(first);
    expect(await run(await start({ seed: 'b' }))).not.toEqual(first);
  });
});

describe.concurrent('reset()', () => {
  test('forgets all, and gives the start back', async () => {
    const sandbox = await start({ faults: [{ at: 'quit', action: 'close' }] });
    sandbox.clock.set(0);
    await sent(sandbox, 'unsub@example.com');
    await sandbox.reset();
    expect(sandbox.inbox.messages).toEqual([]);
    expect(sandbox.events).toEqual([]);
    expect(sandbox.faults).toEqual([]);
    expect(sandbox.statistics().at(-1)?.count).toBe(0);
    expect(sandbox.clock.frozen).toBe(false);
    expect((await sent(sandbox, 'unsub@example.com')).events).toHaveLength(4);
  });
});

describe.concurrent('retention', () => {
  test('the oldest go by their number and by their octets; the counts stay', async () => {
    const sandbox = await start({ retention: 2, retentionOctets: 100_000 });
    const dialogue = await talk(sandbox);
    for (let at = 0; at < 3; at += 1) await dialogue.send(mail(`${at}`));
    expect(sandbox.inbox.messages.map(({ text }) => text?.trim())).toEqual(['1', '2']);
    await dialogue.send(mail('x'.repeat(99_000)));
    await dialogue.send(mail('y'.repeat(99_000)));
    expect(sandbox.inbox.messages.map(({ text }) => text?.charAt(0))).toEqual(['y']);
    expect(sandbox.statistics().at(-1)?.count).toBe(5);
  });
});

test('an earlier state never comes back, whatever happens in whatever order', () => {
  const rank = ['NotSent', 'Sent', 'Delivered', 'Read', 'Clicked'];
  for (const state of STATES)
    for (const type of EVENT_TYPES) {
      const after = stateAfter(state, type);
      if (state === 'Bounced' || state === 'Rejected') expect(after).toBe(state);
      else if (after === 'Bounced')
        expect([type, rank.indexOf(state) < 3]).toEqual(['BOUNCED', true]);
      else expect(rank.indexOf(after)).toBeGreaterThanOrEqual(rank.indexOf(state));
    }
});
