import { describe, expect, test } from 'vitest';
import type { CapturedMessage } from '../src/index.ts';
import { Inbox } from '../src/sandbox/inbox.ts';
import { mail, sleep, TAGS, useBench, within } from './support.ts';

const { start, talk } = useBench();

/** A message of which only the subject matters. */
function message(subject: string): CapturedMessage {
  return {
    id: subject,
    from: '',
    to: [],
    notSentTo: [],
    raw: new Uint8Array(),
    size: 0,
    subject,
    text: undefined,
    html: undefined,
    headers: [],
    attachments: [],
    verdicts: [],
    secure: true,
    user: undefined,
    receivedAt: new Date(0),
    structure: {
      contentType: 'text/plain',
      charset: undefined,
      encoding: '7bit',
      disposition: undefined,
      filename: undefined,
      size: 0,
      isUtf8: true,
      text: undefined,
      children: [],
    },
    remoteAddress: '127.0.0.1',
    transcript: [],
    token: `token of ${subject}`,
    state: 'NotSent',
    events: [],
  };
}

const filled = (...subjects: string[]): Inbox => {
  const inbox = new Inbox({ messages: 10, octets: 1_000 });
  for (const subject of subjects) inbox.add(message(subject));
  return inbox;
};
const subjects = (inbox: Inbox): unknown[] => inbox.messages.map(({ subject }) => subject);

describe.concurrent('waitFor', () => {
  test('gives the oldest message that is there already', async () => {
    expect((await filled('a', 'b').waitFor()).subject).toBe('a');
  });

  test('gives the oldest that fits', async () => {
    const inbox = filled('a', 'b1', 'b2');
    expect((await inbox.waitFor(({ subject }) => subject?.startsWith('b') ?? false)).subject).toBe(
      'b1',
    );
  });

  test('waits for one that fits, past those that do not', async () => {
    const inbox = filled('a');
    const found = within(
      inbox.waitFor(({ subject }) => subject === 'c'),
      'waitFor',
    );
    inbox.add(message('b'));
    await sleep(5);
    inbox.add(message('c'));
    expect((await found).subject).toBe('c');
  });

  test('several can wait, and one message can be what all of them wait for', async () => {
    const inbox = filled();
    const all = Promise.all([inbox.waitFor(), inbox.waitFor(), inbox.waitFor()]);
    inbox.add(message('a'));
    expect((await within(all, 'waitFor')).map(({ id }) => id)).toEqual(['a', 'a', 'a']);
  });

  test('gives up in time, and says what the inbox holds', async () => {
    const inbox = filled('a', 'b');
    const began = performance.now();
    await expect(inbox.waitFor(() => false, 50)).rejects.toThrow(
      'No such message came within 50 ms; the inbox holds 2',
    );
    expect(performance.now() - began).toBeGreaterThanOrEqual(45);
    // Nobody waits any more: this must not reject or resolve anything.
    inbox.add(message('c'));
  });

  test('what the predicate throws is told to who waits, and to nobody else', async () => {
    const broken = new Error('broken predicate');
    const inbox = filled('a');
    const fail = (): never => {
      throw broken;
    };
    await expect(inbox.waitFor(fail)).rejects.toBe(broken);
    const waiting = expect(inbox.waitFor(({ subject }) => subject === 'b' && fail())).rejects.toBe(
      broken,
    );
    const other = inbox.waitFor(({ subject }) => subject === 'b');
    expect(() => inbox.add(message('b'))).not.toThrow();
    await waiting;
    expect((await other).subject).toBe('b');
  });
});

describe.concurrent('a wait', () => {
  test.each([-1, Number.NaN, Infinity, 2_147_483_648])('of %d ms is refused', async (ms) => {
    await expect(filled('a').waitFor(() => true, ms)).rejects.toThrow(
      new TypeError(`Cannot wait for ${ms} ms: it has to be a number from 0 to 2147483647`),
    );
  });
});

describe.concurrent('what is kept', () => {
  test('no more than the retention, the newest', () => {
    const inbox = new Inbox({ messages: 2, octets: 1_000 });
    for (const subject of ['a', 'b', 'c']) inbox.add(message(subject));
    expect(subjects(inbox)).toEqual(['b', 'c']);
  });

  test('clear() forgets all, and goes on', () => {
    const inbox = filled('a', 'b');
    const before = inbox.messages;
    inbox.clear();
    expect(inbox.messages).toEqual([]);
    inbox.add(message('c'));
    expect(subjects(inbox)).toEqual(['c']);
    expect(before).toHaveLength(2);
  });
});

describe.concurrent('the inbox of a sandbox', () => {
  const subject = (text: string): string => mail().replace('Test from smtp', text);

  test('retention is an option', async () => {
    const sandbox = await start({ retention: 2 });
    const dialogue = await talk(sandbox);
    for (const text of ['a', 'b', 'c']) await dialogue.send(subject(text));
    expect(sandbox.inbox.messages.map((one) => one.subject)).toEqual(['b', 'c']);
  });

  test('a message that comes later ends the wait, a refused one does not', async () => {
    const sandbox = await start();
    const found = sandbox.inbox.waitFor(() => true, 10_000);
    const dialogue = await talk(sandbox);
    await dialogue.send(subject('refused'), { from: 'other@devinotele.com' });
    await dialogue.send(subject('accepted'));
    expect((await found).subject).toBe('accepted');
  });

  test('the id in the reply is the id of the message', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const last = (await dialogue.send()).at(-1);
    expect(last).toBe(`250 Ok: queued as ${sandbox.inbox.messages[0]?.id}`);
  });

  test('a message as it was received: octets, header fields, both texts', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    const content = mail(
      [
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        `Hello ${TAGS}`,
        '--b',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<p>Hello</p>',
        '--b--',
      ].join('\r\n'),
      'X-Twice: 1\r\nX-Twice: 2\r\nContent-Type: multipart/alternative; boundary=b',
    );
    const before = Date.now();
    await dialogue.send(content);
    const [received] = sandbox.inbox.messages;
    expect(Buffer.from(received?.raw ?? []).toString()).toBe(content);
    expect(received).toMatchObject({
      size: content.length,
      subject: 'Test from smtp',
      text: `Hello ${TAGS}\n`,
      html: '<p>Hello</p>\n',
      attachments: [],
    });
    expect(received?.headers.filter(({ name }) => name === 'x-twice')).toEqual([
      { name: 'x-twice', value: '1' },
      { name: 'x-twice', value: '2' },
    ]);
    const at = received?.receivedAt.getTime() ?? 0;
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });
});
