import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { callbackBody } from '../../src/sandbox/callback-body.ts';
import {
  type CallbackDelivery,
  Callbacks,
  type CallbackTuning,
  maskedUrl,
} from '../../src/sandbox/callbacks.ts';
import type { CallbackOptions } from '../../src/sandbox/options.ts';
import type { EventType, MessageEvent } from '../../src/sandbox/platform/events.ts';
import { FORGETFUL, type Journal } from '../../src/sandbox/platform/journal.ts';
import { Platform } from '../../src/sandbox/platform/platform.ts';
import { post } from '../../src/sandbox/post.ts';
import { parseMessage } from '../../src/sandbox/structure.ts';
import { mail, useBench } from '../support.ts';

const { start, talk } = useBench();

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly asked: Asked[];
  /** The most requests that were open at once. */
  readonly most: number;
  readonly open: number;
}

const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** A server on loopback that answers as told. */
async function receiver(
  answer: (response: ServerResponse, nth: number) => void = (response) => response.end(),
): Promise<Receiver> {
  const asked: Asked[] = [];
  let open = 0;
  let most = 0;
  const server: Server = createServer((request: IncomingMessage, response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      asked.push({
        method: request.method ?? '',
        path: request.url ?? '',
        type: request.headers['content-type'] ?? '',
        body: Buffer.concat(chunks).toString(),
      });
      answer(response, asked.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    asked,
    get most() {
      return most;
    },
    get open() {
      return open;
    },
  };
}

interface Bench {
  readonly callbacks: Callbacks;
  /** Lets it happen to a message that was taken before. */
  happen(type: EventType, comment?: string): void;
}

async function bench(
  options?: CallbackOptions,
  tuning: Partial<CallbackTuning> = {},
  journal: Journal = FORGETFUL,
): Promise<Bench> {
  const platform = new Platform(
    {
      retention: 100,
      retentionOctets: 1_000_000,
      magic: true,
      deliver: 'manual',
      countRefused: true,
      confirmedSenders: [],
    },
    journal,
  );
  const { named: _named, ...content } = await parseMessage(Buffer.from('Subject: x\r\n\r\nx\r\n'));
  const { id } = await platform.accept({
    ...content,
    id: 'message-1',
    from: '',
    to: ['a@example.com'],
    notSentTo: [],
    raw: new Uint8Array(),
    size: 0,
    verdicts: [],
    secure: true,
    user: undefined,
    remoteAddress: '127.0.0.1',
    transcript: [],
  });
  const callbacks = new Callbacks(platform, options, { pauses: [1, 2], ...tuning });
  closing.push(() => callbacks.close());
  return {
    callbacks,
    happen: (type, comment) =>
      void platform.record(id, type, comment === undefined ? {} : { comment }),
  };
}

const until = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });

/** What was logged, the first first, once there is so much. */
async function logged(callbacks: Callbacks, count: number): Promise<CallbackDelivery[]> {
  await until(() => expect(callbacks.log.length).toBeGreaterThanOrEqual(count));
  return callbacks.log.toReversed();
}

/** The log grows no more. */
async function quiet(time = 50): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, time));
}

const EVENT: MessageEvent = {
  id: 'event-1',
  type: 'BOUNCED',
  at: Date.UTC(2018, 3, 2, 17, 16, 56, 78),
  messageId: 'message-1',
  recipient: 'address@example.com',
  reason: 'bad-mailbox',
  isHardbounce: true,
};

describe('the body', () => {
  test('in JSON has the fields that the provider documents, and our guesses beside them', () => {
    const { contentType, body } = callbackBody(EVENT, 'json');
    expect(contentType).toBe('application/json; charset=utf-8');
    expect(body).toBe(
      '{"messageId":"message-1","taskId":0,"userMessageId":null,"userCampaignId":null,' +
        '"email":"address@example.com","event":"BOUNCED","url":null,"dateTime":"2018-04-02T17:16:56.078",' +
        '"reason":"bad-mailbox","isHardbounce":true,"clientInfo":{"platform":null,"operatingSystem":null,' +
        '"browser":null,"userAgent":null,"ipAddress":null,"geolocation":{"country":null,"region":null,"city":null}}}',
    );
  });

  test('of other events has no bounce in it', () => {
    const { reason: _reason, isHardbounce: _hard, ...event } = EVENT;
    const clicked = JSON.parse(
      callbackBody({ ...event, type: 'CLICKED', url: 'http://example.com' }, 'json').body,
    );
    expect([clicked.event, clicked.url]).toEqual(['CLICKED', 'http://example.com']);
    const left = JSON.parse(
      callbackBody({ ...event, type: 'UNSUBSCRIBED', comment: 'Надоело' }, 'json').body,
    );
    expect([left.event, left.url, left.comment]).toEqual(['UNSUBSCRIBED', null, 'Надоело']);
    for (const told of [clicked, left]) {
      expect(told).not.toHaveProperty('reason');
      expect(told).not.toHaveProperty('isHardbounce');
    }
  });

  test('in XML has the same', () => {
    const { contentType, body } = callbackBody(EVENT, 'xml');
    expect(contentType).toBe('application/xml; charset=utf-8');
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><callback><messageId>message-1</messageId><taskId>0</taskId>' +
        '<userMessageId/><userCampaignId/><email>address@example.com</email><event>BOUNCED</event><url/>' +
        '<dateTime>2018-04-02T17:16:56.078</dateTime><reason>bad-mailbox</reason><isHardbounce>true</isHardbounce>' +
        '<clientInfo><platform/><operatingSystem/><browser/><userAgent/><ipAddress/>' +
        '<geolocation><country/><region/><city/></geolocation></clientInfo></callback>',
    );
  });

  test('is well-formed, whatever a reader wrote', () => {
    const parser = new XMLParser({ trimValues: false, parseTagValue: false });
    const nasty = fc.constantFrom(
      '\0',
      '\u{1}',
      '\u{8}',
      '\u{1F}',
      '\u{B}',
      '\uD800',
      '\uDC00x',
      '\uFFFE',
      '\uFFFF',
      '\u{7F}',
      '😀',
      '\t',
      '\n',
      '&',
      '&amp;',
      '&#0;',
      ']]>',
      '<![CDATA[',
      '<!--',
      '</comment>',
      '"',
      "'",
      '<a b="c"/>',
      '{',
      '@',
      '#',
    );
    const comments = fc
      .array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { minLength: 1 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(comments, (comment) => {
        const { body } = callbackBody(
          { ...EVENT, comment, url: comment, recipient: comment },
          'xml',
        );
        expect(XMLValidator.validate(body)).toBe(true);
        // XML 1.0 §2.2, Char.
        const allowed = [...comment]
          .filter((character) =>
            /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]$/u.test(character),
          )
          .join('');
        const { callback } = parser.parse(body);
        for (const text of [callback.comment, callback.url, callback.email])
          expect(text).toBe(allowed.replace(/\r\n?/g, '\n'));
        expect(JSON.parse(callbackBody({ ...EVENT, comment }, 'json').body).comment).toBe(comment);
      }),
      { numRuns: process.env['LARGE'] ? 200 : 40 },
    );
  });
});

describe.concurrent('events', () => {
  test('are told in order and one at a time', async () => {
    const other = await receiver((response, nth) => {
      setTimeout(() => response.end('ok'), nth % 3);
    });
    const { asked } = other;
    const { callbacks, happen } = await bench({ url: other.url });
    const types: EventType[] = ['SENT', 'DELIVERED', 'OPENED', 'CLICKED', 'UNSUBSCRIBED'];
    for (const type of types) happen(type);
    // Who records them waits for nothing.
    expect(callbacks.waiting).toBe(5);
    const log = await logged(callbacks, 5);
    expect(asked.map(({ body }) => JSON.parse(body).event)).toEqual(types);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      path: '/hook',
      type: 'application/json; charset=utf-8',
    });
    expect(
      log.map(({ event, body, status, attempt, error, format }) => [
        event.type,
        body,
        status,
        attempt,
        error,
        format,
      ]),
    ).toEqual(types.map((type, index) => [type, asked[index]?.body, 200, 1, undefined, 'json']));
    expect(other.most).toBe(1);
    expect(new Set(log.map(({ id }) => id)).size).toBe(5);
    expect(callbacks.log[0]?.event.type).toBe('UNSUBSCRIBED');
  });

  test('are told in XML where that is asked for', async () => {
    const { url, asked } = await receiver();
    const { callbacks, happen } = await bench({ url, format: 'xml' });
    happen('UNSUBSCRIBED', 'a\0b');
    const [delivery] = await logged(callbacks, 1);
    expect(asked[0]?.type).toBe('application/xml; charset=utf-8');
    expect(asked[0]?.body).toContain('<comment>ab</comment>');
    expect(delivery).toMatchObject({ format: 'xml', body: asked[0]?.body });
  });

  test('of other types than those that were asked for are not told', async () => {
    const { url, asked } = await receiver();
    const { callbacks, happen } = await bench({ url, events: ['OPENED', 'CLICKED'] });
    for (const type of ['SENT', 'OPENED', 'DELIVERED', 'CLICKED'] as const) happen(type);
    await logged(callbacks, 2);
    expect(asked.map(({ body }) => JSON.parse(body).event)).toEqual(['OPENED', 'CLICKED']);
  });

  test('are told to nobody where nobody is set', async () => {
    const { callbacks, happen } = await bench();
    happen('SENT');
    expect([callbacks.waiting, callbacks.options, callbacks.log]).toEqual([0, undefined, []]);
  });

  test('wait for their turn up to a bound: the oldest is dropped', async () => {
    const held: ServerResponse[] = [];
    const { url, asked } = await receiver((response) => held.push(response));
    const { callbacks, happen } = await bench({ url }, { waiting: 3 });
    happen('SENT');
    await until(() => expect(held).toHaveLength(1));
    for (const type of ['DELIVERED', 'OPENED', 'CLICKED', 'UNSUBSCRIBED', 'SUBSCRIBED'] as const)
      happen(type);
    expect(callbacks.waiting).toBe(3);
    const dropped = callbacks.log.toReversed();
    expect(dropped.map(({ event }) => event.type)).toEqual(['DELIVERED', 'OPENED']);
    expect(dropped[0]).toMatchObject({
      attempt: 0,
      body: '',
      status: undefined,
      error: 'It was dropped: more than 3 events were waiting',
    });
    while (asked.length < 4 || held.length > 0) {
      held.shift()?.end();
      await quiet(1);
    }
    expect(asked.map(({ body }) => JSON.parse(body).event)).toEqual([
      'SENT',
      'CLICKED',
      'UNSUBSCRIBED',
      'SUBSCRIBED',
    ]);
  });

  test('stay in the log up to a bound', async () => {
    const { url } = await receiver();
    const { callbacks, happen } = await bench({ url }, { log: 3 });
    for (let nth = 0; nth < 5; nth += 1) happen('OPENED');
    await until(() => expect(callbacks.log[0]?.id).toBe('5'));
    expect(callbacks.log.map(({ id }) => id)).toEqual(['5', '4', '3']);
  });
});

describe.concurrent('what fails', () => {
  test.each([
    [500, 3],
    [503, 3],
    [429, 3],
    [400, 1],
    [404, 1],
    [301, 1],
    [307, 1],
    [204, 1],
  ])('with %i is tried %i times', async (status, attempts) => {
    const { url, asked } = await receiver((response) => {
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const { callbacks, happen } = await bench({ url });
    happen('SENT');
    happen('OPENED');
    const log = await logged(callbacks, 2 * attempts);
    await quiet();
    expect(callbacks.log).toHaveLength(2 * attempts);
    expect(asked.map(({ path }) => path)).toEqual(log.map(() => '/hook'));
    expect(
      log.map(({ attempt, status: answered, event }) => [event.type, attempt, answered]),
    ).toEqual(
      ['SENT', 'OPENED'].flatMap((type) =>
        Array.from({ length: attempts }, (_, index) => [type, index + 1, status]),
      ),
    );
  });

  test('is not tried again once it was told', async () => {
    const { url, asked } = await receiver((response, nth) => {
      response.writeHead(nth === 1 ? 502 : 200).end();
    });
    const { callbacks, happen } = await bench({ url });
    happen('SENT');
    await logged(callbacks, 2);
    await quiet();
    expect(callbacks.log.map(({ status }) => status)).toEqual([200, 502]);
    expect(asked[1]?.body).toBe(asked[0]?.body);
  });

  test('to connect is tried again', async () => {
    // Nobody listens there.
    const { callbacks, happen } = await bench({ url: 'http://127.0.0.1:1/?key=secret' });
    happen('SENT');
    const log = await logged(callbacks, 3);
    expect(log.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, undefined],
    ]);
    expect(log[0]?.error).toContain('ECONNREFUSED');
    expect(log[0]?.error).not.toContain('secret');
  });

  test('to answer in time, or at all, is tried again', async () => {
    const { url } = await receiver((response, nth) => {
      if (nth === 2) response.socket?.destroy();
    });
    const { callbacks, happen } = await bench({ url }, { timeout: 300 });
    happen('SENT');
    const log = await logged(callbacks, 3);
    expect(log.map(({ error }) => error)).toEqual([
      'No answer came within 300 ms',
      'socket hang up',
      'No answer came within 300 ms',
    ]);
    expect(log[0]?.took).toBeGreaterThanOrEqual(290);
  });

  test('with an answer that is none is tried again', async () => {
    const { url } = await receiver((response) => {
      response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end();
    });
    const { callbacks, happen } = await bench({ url });
    happen('SENT');
    const log = await logged(callbacks, 3);
    expect(log.map(({ status, error }) => [status, error])).toEqual(
      log.map(() => [undefined, 'The connection was closed']),
    );
  });

  test('at once, having been given up before, is not even tried', async () => {
    const { url, asked } = await receiver();
    const given = { url, contentType: 'text/plain', body: 'x', timeout: 1_000 };
    expect(await post({ ...given, signal: AbortSignal.abort() })).toEqual({
      status: undefined,
      error: 'It was given up',
    });
    expect(await post({ ...given, signal: new AbortController().signal })).toMatchObject({
      status: 200,
    });
    expect(asked).toHaveLength(1);
  });

  test('waits between its attempts', async () => {
    const times: number[] = [];
    const { url } = await receiver((response) => {
      times.push(performance.now());
      response.writeHead(500).end();
    });
    const { callbacks, happen } = await bench({ url }, { pauses: [40, 120] });
    happen('SENT');
    await logged(callbacks, 3);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(38);
    expect(third - second).toBeGreaterThanOrEqual(118);
  });

  test('with an answer without end is not read', async () => {
    let written = 0;
    const other = await receiver((response) => {
      const chunk = 'x'.repeat(512);
      const timer = setInterval(() => {
        response.write(chunk);
        written += chunk.length;
      }, 1);
      response.on('close', () => clearInterval(timer));
    });
    const { callbacks, happen } = await bench({ url: other.url });
    happen('SENT');
    const [delivery] = await logged(callbacks, 1);
    expect(delivery).toMatchObject({ status: 200, error: undefined });
    await until(() => expect(other.open).toBe(0));
    expect(written).toBeGreaterThan(1_024);
    expect(delivery?.took).toBeLessThan(4_000);
  });
});

describe.concurrent('replay', () => {
  test('tells again of the same event, to who is told now', async () => {
    const [first, second] = [await receiver(), await receiver()];
    const { callbacks, happen } = await bench({ url: first.url });
    happen('SENT');
    happen('OPENED');
    const [sent] = await logged(callbacks, 2);
    callbacks.set({ url: `${second.url}?token=secret`, format: 'xml', events: ['CLICKED'] });
    const again = await callbacks.replay(sent?.id ?? '');
    expect(again).toMatchObject({
      event: sent?.event,
      status: 200,
      attempt: 1,
      format: 'xml',
      url: `${second.url}?token=…`,
    });
    expect(second.asked.map(({ path, body }) => [path, body])).toEqual([
      ['/hook?token=secret', again?.body],
    ]);
    expect(callbacks.log[0]).toBe(again);
    expect(first.asked).toHaveLength(2);
  });

  test('of what is not there, or to nobody, is nothing', async () => {
    const { url } = await receiver();
    const { callbacks, happen } = await bench({ url });
    happen('SENT');
    const [sent] = await logged(callbacks, 1);
    expect(await callbacks.replay('none')).toBeUndefined();
    callbacks.set(undefined);
    expect(await callbacks.replay(sent?.id ?? '')).toBeUndefined();
    expect(callbacks.log).toEqual([sent]);
  });

  test('waits for nobody else', async () => {
    const { url, asked } = await receiver((response, nth) => {
      if (nth !== 2) response.end();
    });
    const { callbacks, happen } = await bench({ url });
    happen('SENT');
    const [sent] = await logged(callbacks, 1);
    happen('OPENED');
    await until(() => expect(asked).toHaveLength(2));
    expect(await callbacks.replay(sent?.id ?? '')).toMatchObject({ status: 200 });
  });
});

describe.concurrent('set', () => {
  test.each([
    [{ url: 'nonsense?key=secret' }],
    [{ url: 'ftp://a.example/secret' }],
    [{ url: 'http://user:secret@a.example/' }],
    [{ url: 'http://a.example/?secret', format: 'yaml' }],
    [{ url: 'http://a.example/?secret', events: ['READ'] }],
    [{ url: 'http://a.example/?secret', more: 1 }],
    [null],
    ['http://a.example/?secret'],
  ])('refuses %j, and tells no secret', async (options) => {
    const given: CallbackOptions = { url: 'http://127.0.0.1:9/' };
    const { callbacks } = await bench(given);
    const set = (): void => callbacks.set(options as CallbackOptions);
    expect(set).toThrow(TypeError);
    expect(set).toThrow(/^Cannot use this as callback: (?!.*secret)/);
    expect(callbacks.options).toBe(given);
  });

  test('sends what waits to who is told from then on', async () => {
    const held: ServerResponse[] = [];
    const [first, second] = [await receiver((response) => held.push(response)), await receiver()];
    const { callbacks, happen } = await bench({ url: first.url });
    happen('SENT');
    happen('OPENED');
    await until(() => expect(held).toHaveLength(1));
    callbacks.set({ url: second.url });
    held[0]?.end();
    await logged(callbacks, 2);
    expect(second.asked.map(({ body }) => JSON.parse(body).event)).toEqual(['OPENED']);
    expect(first.asked).toHaveLength(1);
  });

  test('to nobody gives up what waits and what is under way', async () => {
    const other = await receiver(() => {});
    const { callbacks, happen } = await bench({ url: other.url });
    happen('SENT');
    happen('OPENED');
    await until(() => expect(other.open).toBe(1));
    callbacks.set(undefined);
    await until(() => expect(other.open).toBe(0));
    await quiet();
    expect([callbacks.waiting, callbacks.log, other.asked.length]).toEqual([0, [], 1]);
  });
});

describe.concurrent('reset and close', () => {
  test('reset goes back to the start, and events are told from then on', async () => {
    const [first, second] = [await receiver(), await receiver((_response, nth) => nth)];
    const { callbacks, happen } = await bench({ url: first.url, events: ['OPENED'] });
    happen('OPENED');
    await logged(callbacks, 1);
    callbacks.set({ url: second.url });
    happen('SENT');
    happen('DELIVERED');
    await until(() => expect(second.open).toBe(1));
    callbacks.reset();
    expect([callbacks.log, callbacks.waiting]).toEqual([[], 0]);
    expect(callbacks.options).toEqual({ url: first.url, events: ['OPENED'] });
    happen('SENT');
    happen('OPENED');
    const log = await logged(callbacks, 1);
    await quiet();
    expect(callbacks.log.map(({ id, event }) => [id, event.type])).toEqual([['1', 'OPENED']]);
    expect(log).toHaveLength(1);
    expect([first.asked.length, second.asked.length, second.open]).toEqual([2, 1, 0]);
  });

  test('close gives up what is under way, and no event is told behind it', async () => {
    const other = await receiver(() => {});
    const { callbacks, happen } = await bench({ url: other.url });
    happen('SENT');
    happen('OPENED');
    await until(() => expect(other.open).toBe(1));
    const begun = performance.now();
    await callbacks.close();
    expect(performance.now() - begun).toBeLessThan(4_000);
    happen('CLICKED');
    expect(callbacks.waiting).toBe(0);
    await quiet();
    expect([callbacks.waiting, callbacks.log, other.asked.length]).toEqual([0, [], 1]);
    await until(() => expect(other.open).toBe(0));
    await callbacks.close();
  });

  test('close waits for no pause', async () => {
    const { url } = await receiver((response) => response.writeHead(500).end());
    const { callbacks, happen } = await bench({ url }, { pauses: [60_000] });
    happen('SENT');
    await logged(callbacks, 1);
    const begun = performance.now();
    await callbacks.close();
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  test('close gives up a replay, which is nothing then', async () => {
    const other = await receiver((response, nth) => {
      if (nth === 1) response.end();
    });
    const { callbacks, happen } = await bench({ url: other.url });
    happen('SENT');
    await logged(callbacks, 1);
    const replayed = callbacks.replay('1');
    await until(() => expect(other.asked).toHaveLength(2));
    await callbacks.close();
    expect(await replayed).toBeUndefined();
    expect(await callbacks.replay('1')).toBeUndefined();
  });
});

/** Keeps what JSON keeps, as one with a database would. */
function memory(): Journal & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    ...FORGETFUL,
    kept,
    *entries<Value>(kind: string): Iterable<readonly [string, Value]> {
      for (const [key, value] of kept)
        if (key.startsWith(`${kind}/`)) yield [key.slice(kind.length + 1), JSON.parse(value)];
    },
    put: (kind, key, value) => void kept.set(`${kind}/${key}`, JSON.stringify(value)),
    delete: (kind, key) => void kept.delete(`${kind}/${key}`),
  };
}

describe('behind a restart', () => {
  const GIVEN: CallbackOptions = { url: 'http://127.0.0.1:9/given' };
  const SET: CallbackOptions = {
    url: 'http://127.0.0.1:9/set?a=b',
    format: 'xml',
    events: ['SENT'],
  };

  test('what was set is kept, unless options are given', async () => {
    const journal = memory();
    const before = await bench(GIVEN, {}, journal);
    before.callbacks.set(SET);
    expect((await bench(undefined, {}, journal)).callbacks.options).toEqual(SET);
    expect((await bench(GIVEN, {}, journal)).callbacks.options).toEqual(GIVEN);
    before.callbacks.set(undefined);
    expect((await bench(undefined, {}, journal)).callbacks.options).toBeUndefined();
    before.callbacks.set(SET);
    before.callbacks.reset();
    expect((await bench(undefined, {}, journal)).callbacks.options).toBeUndefined();
  });

  test('what cannot be used is left aside', async () => {
    const journal = memory();
    journal.put('callback', 'options', { url: 'nonsense' });
    journal.put('callback', 'other', SET);
    expect((await bench(undefined, {}, journal)).callbacks.options).toBeUndefined();
  });
});

describe('maskedUrl', () => {
  test.each([
    ['http://a.example/hook', 'http://a.example/hook'],
    ['https://a.example:8443/hook?token=secret&b=2', 'https://a.example:8443/hook?token=…&b=…'],
    ['http://a.example/?secret', 'http://a.example/?…'],
    ['http://a.example/?a=secret?secret=secret&&secret', 'http://a.example/?a=…?secret=…&&…'],
    ['http://a.example/?=secret#secret', 'http://a.example/?=…'],
  ])('of %s is %s', (url, masked) => {
    expect(maskedUrl(url)).toBe(masked);
  });
});

test('a sandbox tells of what happens to a message, and closes with a request under way', async () => {
  const other = await receiver((response, nth) => {
    if (nth < 3) response.end();
  });
  const sandbox = await start({ callback: { url: other.url } });
  const dialogue = await talk(sandbox);
  await dialogue.send(mail(), { to: ['open@example.com'] });
  dialogue.destroy();
  await until(() => expect(other.asked).toHaveLength(3));
  expect(other.asked.map(({ body }) => JSON.parse(body))).toMatchObject(
    ['SENT', 'DELIVERED', 'OPENED'].map((event) => ({
      event,
      email: 'open@example.com',
      messageId: sandbox.inbox.messages[0]?.id,
    })),
  );
  expect(sandbox.callbacks).toHaveLength(2);
  const begun = performance.now();
  await sandbox.close();
  expect(performance.now() - begun).toBeLessThan(4_000);
});
