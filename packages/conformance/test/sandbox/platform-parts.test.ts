/** Bounds and lifetimes of the sandbox's parts, each by itself. */
import { connect } from 'node:net';
import type { SMTPServerSession } from 'smtp-server';
import { expect, test } from 'vitest';
import { FaultPlan, type Strike } from '../../src/sandbox/faults.ts';
import { Listener } from '../../src/sandbox/listener.ts';
import { Clock } from '../../src/sandbox/platform/clock.ts';
import { FORGETFUL, type Journal } from '../../src/sandbox/platform/journal.ts';
import { Platform } from '../../src/sandbox/platform/platform.ts';
import { AddressList } from '../../src/sandbox/platform/suppressions.ts';
import { Transcript } from '../../src/sandbox/transcript.ts';
import { Dialogue, sleep, until, useBench } from '../support.ts';

const { start, talk } = useBench();

/** A journal that holds this at the start. */
const holding = (kind: string, entries: readonly (readonly [string, unknown])[]): Journal => ({
  ...FORGETFUL,
  entries: <Value>(asked: string) => (asked === kind ? entries : []) as [string, Value][],
});

test('the clock takes no time that is no date', () => {
  const clock = new Clock();
  for (const at of [Number.NaN, Infinity, 8.65e15, -8.65e15])
    expect(() => clock.set(at)).toThrow(RangeError);
  clock.set(8.6e15);
  expect(() => clock.advance(1e14)).toThrow(RangeError);
  expect(clock.now()).toBe(8.6e15);
});

test('senders that are given go beside those that were kept, a default does not', () => {
  const kept = holding('sender', [['a@example.com', { address: 'a@example.com' }]]);
  const senders = (journal: Journal, isDefault: boolean): string[] =>
    new Platform(
      {
        retention: 1,
        retentionOctets: 1,
        magic: true,
        deliver: 'auto',
        countRefused: true,
        confirmedSenders: ['b@example.com'],
        isDefault,
      },
      journal,
    ).senders.all.map(({ address }) => address);
  expect(senders(kept, false)).toEqual(['a@example.com', 'b@example.com']);
  expect(senders(kept, true)).toEqual(['a@example.com']);
  expect(senders(FORGETFUL, true)).toEqual(['b@example.com']);
});

test('an entry that was kept in the other form of its domain is found', () => {
  const entry = { address: 'User@пример.рф' };
  const list = new AddressList(holding('sender', [['user@пример.рф', entry]]), 'sender');
  expect(list.get('user@xn--e1afmkfd.xn--p1ai')).toEqual(entry);
});

test('a message keeps its last 200 events, its state all the same', async () => {
  const sandbox = await start();
  await (await talk(sandbox)).send();
  const [{ id } = { id: '' }] = sandbox.inbox.messages;
  for (let count = 0; count < 250; count += 1) sandbox.record(id, 'OPENED');
  expect(sandbox.inbox.get(id)?.events).toHaveLength(200);
  expect(sandbox.inbox.get(id)?.state).toBe('Read');
  expect(sandbox.events).toHaveLength(252);
});

test('a transcript has 200 lines of 1,000 characters at the most, the last ones', () => {
  const transcript = new Transcript();
  for (let at = 0; at < 250; at += 1) transcript.client(`NOOP ${at} ${'x'.repeat(2_000)}`, true);
  const { lines } = transcript;
  expect(lines).toHaveLength(200);
  expect(lines[0]?.text).toMatch(/^NOOP 50 x/);
  expect(lines[0]?.text).toHaveLength(1_001);
});

test('a stall that would begin behind the end begins no more', async () => {
  const plan = new FaultPlan([{ at: 'quit', action: { stall: 1 } }]);
  plan.end();
  let went = 0;
  const nothing = (): void => {};
  const strike: Strike = {
    goOn: () => {
      went += 1;
    },
    reply: nothing,
    drop: nothing,
    slow: nothing,
    struck: nothing,
  };
  plan.strike('quit', strike);
  await sleep(20);
  expect(went).toBe(0);
  plan.strike('quit', strike);
  expect(went).toBe(1);
});

test('who waits for a stalled reply is not idle, and who left is forgotten', async () => {
  let session: SMTPServerSession | undefined;
  const listener = new Listener(
    {
      logger: false,
      secure: false,
      hideSTARTTLS: true,
      disableReverseLookup: true,
      // Far below what the reply takes.
      socketTimeout: 150,
      onConnect(opened, go) {
        session = opened;
        go();
      },
    },
    {
      plan: new FaultPlan([{ at: 'ehlo', action: { stall: 500 } }]),
      tell: () => {},
      malformed: () => ({ code: 554, text: '' }),
      size: undefined,
    },
  );
  const port = await listener.listen(0, '127.0.0.1');
  const dialogue = new Dialogue(connect({ port, host: '127.0.0.1' }));
  expect(await dialogue.reply()).toMatch(/^220 /);
  expect(await dialogue.ask('EHLO client.example')).toMatch(/^250/);
  const { id = '' } = session ?? {};
  const known = (): boolean => listener.lineOf({ id } as SMTPServerSession) !== undefined;
  expect(known()).toBe(true);
  dialogue.destroy();
  await until(() => !known(), 'It is forgotten');
  await listener.close();
});
