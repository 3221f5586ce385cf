/** What a test does to a sandbox in its own process, without HTTP. */
import { expect, test } from 'vitest';
import { mail, TO, useBench } from '../support.ts';

const { start, talk } = useBench();

test('events, lists and settings by hand', async () => {
  const sandbox = await start({ http: false });
  expect(sandbox.http).toBeUndefined();
  const dialogue = await talk(sandbox);
  await dialogue.send();
  const [{ id } = { id: '' }] = sandbox.inbox.messages;
  expect(sandbox.record(id, 'OPENED')).toMatchObject({ type: 'OPENED', recipient: TO });
  expect(sandbox.record(id, 'COMPLAINED')?.type).toBe('COMPLAINED');
  expect(sandbox.unsubscribed.get(TO)).toMatchObject({ source: 'complaint', messageId: id });
  // It is on the list already.
  expect(sandbox.record(id, 'UNSUBSCRIBED')).toBeUndefined();
  expect(sandbox.record(id, 'SUBSCRIBED')?.type).toBe('SUBSCRIBED');
  expect(sandbox.unsubscribed.size).toBe(0);
  expect(sandbox.record('nobody', 'OPENED')).toBeUndefined();

  sandbox.hardBounced.put({ address: TO, at: 0, reason: 'bad-domain' });
  await dialogue.send();
  expect(sandbox.inbox.messages.at(-1)?.events.at(-1)?.reason).toBe('bad-domain');
  sandbox.hardBounced.delete(TO);

  sandbox.change({ tags: 'reject' });
  expect((await dialogue.send(mail('no tag'))).at(-1)).toMatch(/^554 Transaction failed/);
  sandbox.change({ tags: undefined });
  expect((await dialogue.send(mail('no tag'))).at(-1)).toMatch(/^250 /);
  expect(() => sandbox.change({ maxSize: 0 })).toThrow(TypeError);

  sandbox.senders.put({ address: '@shop.example' });
  expect((await dialogue.send(mail(), { from: 'any@shop.example' })).at(-1)).toMatch(/^250 /);
  await sandbox.reset();
  expect(sandbox.senders.all).toEqual([{ address: 'noreplay@devinotele.com' }]);
});
