/** deliver(): what becomes of a message, for each way in which sending it may end. */
import { SmtpError, type SmtpErrorCode, type SmtpErrorDetails } from '@posthorn/core';
import { compose } from '@posthorn/mime';
import { describe, expect, it, vi } from 'vitest';
import { type Delivery, deliver, type Ledger, type Mail } from './example.ts';
import { memoryLedger } from './memory-ledger.ts';

const spec = { from: 'a@example.com', to: 'b@example.net', text: 'Hello\n' };
const mail = (more: Partial<Mail> = {}): Mail => ({
  id: 'm1',
  since: Date.now(),
  to: 'b@example.net',
  message: () => compose(spec),
  ...more,
});

const replyOf = (text: string) => ({
  code: Number(text.slice(0, 3)),
  lines: [text],
  text: text.slice(4),
});
const receipt = {
  accepted: [],
  rejected: [],
  reply: replyOf('250 queued'),
  octets: 1,
  roundTrips: 1,
};

/** Reads the content as the client does, and so passes the gate; then succeeds, or fails. */
const through =
  (error?: unknown): Delivery['send'] =>
  async ({ content }) => {
    if (typeof content !== 'function') throw new Error('it is not held back');
    for await (const _ of content({} as never) as AsyncIterable<Uint8Array>);
    if (error) throw error;
    return receipt;
  };

/** Fails before the content is read. */
const early =
  (error: unknown): Delivery['send'] =>
  async () => {
    throw error;
  };

const failure = (code: SmtpErrorCode, details: Partial<SmtpErrorDetails>): SmtpError =>
  new SmtpError(code, 'Cannot send', { phase: 'rcpt', ...details });
const refusal = (text: string): SmtpError =>
  failure('ERR_SMTP_REPLY', { delivery: 'rejected', reply: replyOf(text) });
const unknown = failure('ERR_SMTP_CLOSED', { delivery: 'unknown', phase: 'final' });

describe('deliver()', () => {
  it('sends an open message: sending before the last octet, sent after the 250', async () => {
    const ledger = memoryLedger();
    const states: string[] = [];
    const send: Delivery['send'] = async (message) => {
      states.push((await ledger.look('m1')).state);
      const made = await through()(message);
      states.push((await ledger.look('m1')).state);
      return made;
    };
    expect(await deliver({ ledger, send }, mail())).toEqual({ state: 'sent', note: 'queued' });
    states.push((await ledger.look('m1')).state);
    expect(states).toEqual(['open', 'sending', 'sent']);
  });

  it('gives the client the message with its one recipient, and its size', async () => {
    const send = vi.fn(through());
    const message = compose({ ...spec, cc: 'c@example.net' });
    await deliver({ ledger: memoryLedger(), send }, mail({ message: () => message }));
    expect(send.mock.calls[0]?.[0]).toMatchObject({
      from: 'a@example.com',
      to: 'b@example.net',
      size: message.size,
    });
  });

  it.each(['sent', 'failed', 'held'] as const)('sends nothing that is %s', async (state) => {
    const ledger = memoryLedger();
    const { lease = '' } = await ledger.take('m1');
    await ledger.sending('m1', lease);
    await ledger.settle('m1', lease, state, 'as it is');
    const send = vi.fn(through());
    expect(await deliver({ ledger, send }, mail())).toEqual({ state, note: 'as it is' });
    expect(send).not.toHaveBeenCalled();
  });

  it('sends nothing whose worker was lost behind the last octet, and holds it', async () => {
    const ledger = memoryLedger();
    const { lease = '' } = await ledger.take('m1');
    await ledger.sending('m1', lease);
    const send = vi.fn(through());
    expect(await deliver({ ledger, send }, mail())).toMatchObject({ state: 'held' });
    expect(send).not.toHaveBeenCalled();
  });

  const ways: readonly [string, Delivery['send'], object][] = [
    ['550 to RCPT', early(refusal('550 5.1.1 no such user')), { state: 'failed' }],
    ['554 behind the last octet', through(refusal('554 5.7.1 spam')), { state: 'failed' }],
    ['an address that is none', early(new TypeError('to[0]')), { state: 'failed' }],
    ['451', early(refusal('451 4.3.0 later')), { state: 'open', slowDown: false, wait: 60_000 }],
    [
      'a greylisting with its time',
      early(refusal('451 4.7.1 Greylisted, try again in 5 minutes')),
      { state: 'open', slowDown: false, wait: 300_000 },
    ],
    [
      '451 behind the last octet',
      through(refusal('451 4.3.0 wait 10 seconds')),
      { state: 'open', slowDown: false, wait: 10_000 },
    ],
    [
      '421',
      early(refusal('421 4.3.2 too many messages, wait 30 seconds')),
      { state: 'open', slowDown: true, wait: 30_000 },
    ],
    [
      'a lost connection before the last octet',
      early(failure('ERR_SMTP_CLOSED', { phase: 'rcpt' })),
      { state: 'open', slowDown: false, wait: 1_000 },
    ],
    ['no reply behind the last octet', through(unknown), { state: 'held' }],
    ['a bug behind the last octet', through(new Error('undefined is not')), { state: 'held' }],
    [
      'a bug before the last octet',
      early(new Error('undefined is not')),
      { state: 'open', slowDown: false, wait: 1_000 },
    ],
    [
      'a wrong password',
      early(failure('ERR_SMTP_AUTH', { phase: 'auth', reply: replyOf('535 5.7.8 no') })),
      { state: 'open', slowDown: true, wait: 60_000 },
    ],
    [
      'a certificate that is not to be trusted',
      early(failure('ERR_SMTP_TLS', { phase: 'tls' })),
      { state: 'open', slowDown: true, wait: 60_000 },
    ],
  ];
  it.each(ways)('%s', async (_, send, outcome) => {
    const ledger = memoryLedger();
    const found = await deliver({ ledger, send }, mail());
    expect(found).toMatchObject(outcome);
    expect((await ledger.look('m1')).state).toBe(found.state);
  });

  it('waits longer each time, up to an hour, but never less than the server asks for', async () => {
    const ledger = memoryLedger();
    const send = early(failure('ERR_SMTP_CLOSED', { phase: 'mail' }));
    const waits: unknown[] = [];
    for (let at = 0; at < 14; at += 1)
      waits.push(await deliver({ ledger, send, backoff: 2_000 }, mail()));
    expect(waits.map((outcome) => (outcome as { wait: number }).wait)).toEqual([
      ...Array.from({ length: 11 }, (_, at) => 2_000 * 2 ** at),
      3_600_000,
      3_600_000,
      3_600_000,
    ]);
  });

  it('gives up what is still refused for now after five days, and holds what is unknown then', async () => {
    const ledger = memoryLedger();
    const old = { since: Date.now() - 121 * 3_600_000 };
    const send = early(refusal('451 4.3.0 later'));
    expect(await deliver({ ledger, send }, mail({ ...old, id: 'm1' }))).toEqual({
      state: 'failed',
      note: 'given up: Cannot send',
    });
    const bug = { ledger, send: early(new Error('undefined is not')) };
    expect((await deliver(bug, mail({ ...old, id: 'm4' }))).state).toBe('failed');
    const open = { ledger, send: through(unknown) };
    expect((await deliver(open, mail({ ...old, id: 'm2' }))).state).toBe('held');
    const patient = { ledger, send, giveUpAfter: Infinity };
    expect((await deliver(patient, mail({ ...old, id: 'm3' }))).state).toBe('open');
  });

  it('fails a message that cannot be composed', async () => {
    const message = () => compose({ from: 'nobody' });
    expect(
      await deliver({ ledger: memoryLedger(), send: through() }, mail({ message })),
    ).toMatchObject({ state: 'failed' });
  });

  it('puts a message back where the ledger does not answer before the last octet', async () => {
    const inner = memoryLedger();
    const ledger: Ledger = { ...inner, sending: () => Promise.reject(new Error('no Redis')) };
    // What the client makes of content that fails: nobody has refused the message.
    const send: Delivery['send'] = (message) =>
      through()(message).catch((cause) => {
        throw failure('ERR_SMTP_CONTENT', { phase: 'content', cause });
      });
    expect(await deliver({ ledger, send }, mail())).toMatchObject({ state: 'open', wait: 1_000 });
    // The write has arrived, and its answer has not: nothing has left all the same.
    const late: Ledger = {
      ...inner,
      async sending(id, lease) {
        await inner.sending(id, lease);
        throw new Error('no answer');
      },
    };
    expect(await deliver({ ledger: late, send }, mail())).toMatchObject({ state: 'open' });
    expect((await inner.look('m1')).state).toBe('open');
  });

  it('has no say where another worker has taken the message up', async () => {
    const ledger = memoryLedger();
    const send: Delivery['send'] = async (message) => {
      await ledger.take('m1');
      return through()(message);
    };
    await expect(deliver({ ledger, send }, mail())).rejects.toThrow('another worker');
    expect((await ledger.look('m1')).state).toBe('open');
  });

  it('settles what was held meanwhile: its 250 came after all', async () => {
    const ledger = memoryLedger();
    const send: Delivery['send'] = async (message) => {
      const made = await through()(message);
      expect((await ledger.take('m1')).state).toBe('held');
      return made;
    };
    expect(await deliver({ ledger, send }, mail())).toMatchObject({ state: 'sent' });
    expect((await ledger.look('m1')).state).toBe('sent');
  });
});
