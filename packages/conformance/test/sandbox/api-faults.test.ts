import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { jsonFault } from '../../src/sandbox/http/api/json-fault.ts';
import { useBench } from '../support.ts';
import { type Answer, ask, hangUp, type Line } from './api-client.ts';

const { start, talk } = useBench();
afterAll(hangUp);

let sandbox: Sandbox;
let message: string;
beforeAll(async () => {
  sandbox = await start();
  const dialogue = await talk(sandbox);
  await dialogue.send();
  message = sandbox.inbox.messages[0]?.id ?? '';
});

describe.concurrent('bodies that cannot be used', () => {
  test.each<readonly [Line, unknown, path: string]>([
    ['POST /api/senders', {}, '/address'],
    ['POST /api/senders', { address: 7 }, '/address'],
    ['POST /api/senders', { address: 'no-address' }, '/address'],
    ['POST /api/senders', { address: 'a@b\r\nc' }, '/address'],
    ['POST /api/senders', { address: `${'a'.repeat(400)}@example.com` }, '/address'],
    ['POST /api/senders', { address: 'a@b.example', more: 1 }, '/more'],
    ['POST /api/senders', { address: 'a@b.example', 'a/b~c': 1 }, '/a~1b~0c'],
    ['POST /api/senders', [], ''],
    ['POST /api/senders', 'null', ''],
    ['POST /api/senders', '{"address":"a@b.example","__proto__":{}}', '/__proto__'],
    ['POST /api/unsubscribed', { address: '@example.com' }, '/address'],
    ['POST /api/unsubscribed', { address: 'a@b.example', comment: {} }, '/comment'],
    ['POST /api/hard-bounces', { address: 'a@b.example', reason: 'age' }, '/reason'],
    ['PATCH /api/settings', { colour: 'red' }, '/colour'],
    ['PATCH /api/settings', { smtp: 25 }, '/smtp'],
    ['PATCH /api/settings', { tags: 'sometimes' }, '/tags'],
    ['PATCH /api/settings', { stages: { 'too-large': 'connect' } }, '/stages'],
    ['PATCH /api/settings', { credentials: { shop: 5 } }, '/credentials'],
    ['PATCH /api/settings', { maxSize: '5' }, '/maxSize'],
    ['PUT /api/credentials', { shop: 5 }, '/shop'],
    ['PUT /api/credentials', { '': 'x' }, ''],
    ['PUT /api/credentials', ['shop'], ''],
    ['PUT /api/profile', { version: '2020' }, '/version'],
    ['PUT /api/clock', {}, '/now'],
    ['PUT /api/clock', { now: 'yesterday' }, '/now'],
    ['PUT /api/clock', { now: '2017-13-01T00:00:00Z' }, '/now'],
    ['PUT /api/clock', { now: 1_506_816_000_000 }, '/now'],
    ['POST /api/clock/advance', { ms: -1 }, '/ms'],
    ['POST /api/clock/advance', { ms: 0.5 }, '/ms'],
    ['POST /api/clock/advance', '{"ms":1e999}', '/ms'],
    ['PUT /api/callback', { url: 'ftp://example.com/' }, '/url'],
    ['PUT /api/callback', { url: 'http://user:pass@example.com/' }, '/url'],
    ['PUT /api/callback', { url: 'http://a.example/', format: 'yaml' }, '/format'],
    ['PUT /api/callback', { url: 'http://a.example/', events: ['SENT', 'LOST'] }, '/events/1'],
    ['POST /api/plans', { at: 'lunch', action: 'close' }, '/at'],
    ['POST /api/plans', { at: 'mail', action: 'explode' }, '/action'],
    ['POST /api/plans', { at: 'mail', action: { stall: '5' } }, '/action/stall'],
    ['POST /api/plans', { at: 'mail', action: { code: 600, text: '' } }, '/action/code'],
    ['POST /api/plans', { at: 'mail', action: { code: 250, text: '' } }, '/action/code'],
    ['POST /api/plans', { at: 'mail', action: { code: 451 } }, '/action/text'],
    ['POST /api/plans', { at: 'mail', action: { reply: 451 } }, '/action'],
    ['POST /api/plans', [{ at: 'mail', action: 'close', times: 0 }], '/0/times'],
    ['POST /api/plans', [{ at: 'mail', action: 'close' }, { at: 'x' }], '/1/at'],
    ['POST /api/plans', { at: 'mail', action: { slow: 5, stall: 5 } }, '/action/slow'],
    ['POST /api/plans', { at: 'mail', action: { code: 451, text: 'a\nb' } }, ''],
    ['POST /api/reset', { everything: true }, '/everything'],
  ])('%s %j', async (line, body, path) => {
    const { status, json, headers } = await ask(sandbox, line, { body });
    expect([status, json['path'], headers['content-type']]).toEqual([
      400,
      path,
      'application/problem+json',
    ]);
    expect(json['error']).toMatch(/^Cannot /);
    expect(sandbox.faults).toEqual([]);
  });

  test('a fault without an action: which there are', async () => {
    for (const action of [undefined, {}, 'explode', null, [451]]) {
      const { json } = await ask(sandbox, 'POST /api/plans', { body: { at: 'rcpt', action } });
      expect(json['path']).toBe('/action');
      for (const form of [
        '{code, text}',
        '"close"',
        '"accept-then-close-before-reply"',
        '{stall}',
        '{slow}',
        '{limit, per, code, text}',
      ])
        expect(json['error']).toContain(form);
    }
  });

  test('of an event', async () => {
    for (const [body, path] of [
      [{ type: 'LOST' }, '/type'],
      [{ type: 'SENT', reason: 'other' }, '/reason'],
      [{ type: 'OPENED', isHardbounce: false }, '/isHardbounce'],
      [{ type: 'OPENED', url: 'http://a.example/' }, '/url'],
      [{ type: 'OPENED', comment: '' }, '/comment'],
      [{ type: 'BOUNCED', reason: 'weather' }, '/reason'],
    ] as const) {
      const { status, json } = await ask(sandbox, `POST /api/messages/${message}/events`, { body });
      expect([body, status, json['path']]).toEqual([body, 400, path]);
    }
  });

  test('no JSON: where', async () => {
    for (const [body, where, path] of [
      ['{"address": oops}', 'line 1, column 13', '/address'],
      [
        '{"address": "a@b.example",\n "comment": [1, {"a": tru}]}',
        'line 2, column 23',
        '/comment/1/a',
      ],
      ['{"address": "a@b.example"', 'line 1, column 26', ''],
      ['{"address" "a"}', 'line 1, column 12', '/address'],
      ['[1,]', 'line 1, column 4', '/1'],
      ['{"a":1,}', 'line 1, column 8', ''],
      ['{} {}', 'line 1, column 4', ''],
      ["{'a':1}", 'line 1, column 2', ''],
      ['"tab\there"', 'line 1, column 5', ''],
      ['"\\x"', 'line 1, column 3', ''],
      ['01', 'line 1, column 2', ''],
      ['"secret', 'line 1, column 8', ''],
    ] as const) {
      const { status, json, text } = await ask(sandbox, 'POST /api/unsubscribed', { body });
      expect([body, status, json]).toEqual([
        body,
        400,
        { error: `Cannot read the body as JSON: ${where}`, path },
      ]);
      expect(text).not.toContain('secret');
    }
    const bad = await ask(sandbox, 'POST /api/senders', { body: Buffer.from([0x22, 0xff, 0x22]) });
    expect([bad.status, bad.json['error']]).toEqual([400, 'Cannot read the body: it is not UTF-8']);
    const none = await ask(sandbox, 'POST /api/senders');
    expect([none.status, none.json['path']]).toEqual([400, '']);
  });

  test('a password is in no error', async () => {
    for (const body of [
      { shop: 'hidden-words', other: 5 },
      ['hidden-words'],
      { shop: { hidden: 'hidden-words' } },
      '{"shop":"hidden-words"',
      '{"shop":"hidden-words" x}',
    ]) {
      const { status, text } = await ask(sandbox, 'PUT /api/credentials', { body });
      expect([body, status, text.includes('hidden-words')]).toEqual([body, 400, false]);
      const patch = await ask(sandbox, 'PATCH /api/settings', {
        body: typeof body === 'string' ? `{"credentials":${body}` : { credentials: body },
      });
      expect([body, patch.status, patch.text.includes('hidden-words')]).toEqual([body, 400, false]);
    }
  });

  test('an error is short, however long the fault', async () => {
    const { status, text } = await ask(sandbox, 'PATCH /api/settings', {
      body: { prefix: ['x'.repeat(100_000)], ['y'.repeat(100_000)]: 1 },
    });
    expect([status, text.length < 2_000]).toEqual([400, true]);
    const deep = await ask(sandbox, 'POST /api/senders', { body: '['.repeat(1_000_000) });
    expect([deep.status, deep.text.length < 2_000]).toEqual([400, true]);
  });

  test('another type than JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json', '']) {
      const { status } = await ask(sandbox, 'POST /api/senders', {
        headers: { 'content-type': type },
        body: { address: 'a@b.example' },
      });
      expect([type, status]).toEqual([type, 415]);
    }
    const { status } = await ask(sandbox, 'POST /api/senders', {
      headers: { 'content-type': 'Application/JSON; charset=utf-8' },
      body: { address: 'a@b.example' },
    });
    expect(status).toBe(201);
  });
});

describe.concurrent('queries that cannot be used', () => {
  test.each<readonly [path: string, fault: string]>([
    ['/api/messages?limit=0', '/limit'],
    ['/api/messages?limit=501', '/limit'],
    ['/api/messages?limit=ten', '/limit'],
    ['/api/messages?limit=1e2', '/limit'],
    ['/api/messages?wait=30001', '/wait'],
    ['/api/messages?wait=-1', '/wait'],
    ['/api/messages?state=Lost', '/state'],
    ['/api/messages?subjekt=x', '/subjekt'],
    ['/api/messages?to=a&to=b', '/to'],
    ['/api/messages?before=a&wait=5', '/wait'],
    ['/api/events?type=LOST', '/type'],
    ['/api/refused?limit=x', '/limit'],
    ['/api/callbacks?limit=501', '/limit'],
    ['/api/statistics?from=yesterday', '/from'],
    ['/api/statistics?from=2017-02-30', '/from'],
    ['/api/statistics?to=2017-10-01T24:00:01Z', '/to'],
    ['/api/statistics?from=2017-10-02&to=2017-10-01', '/to'],
    ['/api/statistics?preset=year', '/preset'],
  ])('GET %s', async (path, fault) => {
    const { status, json } = await ask(sandbox, `GET ${path}`);
    expect([status, json['path']]).toEqual([400, fault]);
  });
});

describe('any JSON', () => {
  const names = fc.constantFrom(
    ...['address', 'comment', 'reason', 'type', 'url', 'events', 'format', 'now', 'ms', 'at'],
    ...['action', 'times', 'code', 'text', 'stall', 'slow', 'limit', 'per', 'version', '__proto__'],
    ...['tags', 'stages', 'credentials', 'attachments', 'maxSize', 'allowedAddresses', 'prefix'],
  );
  const words = fc.constantFrom('a@b.example', 'close', 'mail', 'SENT', 'successor', 'reject', '');
  const leaf = fc.oneof(
    words,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
  );
  const { body } = fc.letrec((tie) => ({
    body: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('body'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(names, fc.string({ maxLength: 5 })), tie('body'), { maxKeys: 4 }),
    ),
  }));

  test('never is a fault of the sandbox', async () => {
    const one = await start();
    const dialogue = await talk(one);
    await dialogue.send();
    const { id } = one.inbox.messages[0] ?? { id: '' };
    const { routes } = (await ask(one, 'GET /api')).json as {
      routes: { method: string; path: string }[];
    };
    const lines = routes
      .filter(({ method, path }) => /^(POST|PUT|PATCH)$/.test(method) && path !== '/api/reset')
      .map(({ method, path }): Line => `${method} ${path.replace(':id', id)}`);
    expect(lines).toHaveLength(12);
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(body, async (given) => {
        const answers: readonly Answer[] = await Promise.all(
          lines.map((line) => ask(one, line, { body: JSON.stringify(given) })),
        );
        for (const { status } of answers) seen.add(status);
        expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([]);
      }),
      { numRuns: process.env['LARGE'] ? 500 : 20 },
    );
    expect(seen).toContain(400);
    // What was set by chance is shown all the same.
    for (const { method, path } of routes)
      if (method === 'GET' && path !== '/api/stream')
        expect((await ask(one, `GET ${path.replace(':id', id)}`)).status).toBeLessThan(500);
  });

  test('jsonFault() is where a text that was cut or spoiled stops to be JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, at) => {
        const cut = text.slice(0, at % text.length);
        fc.pre(!isJson(cut));
        const { line, column } = jsonFault(cut);
        expect([line, column <= cut.length + 1]).toEqual([1, true]);
        // At its end, or at the beginning of what is half a word, a number or an escape there.
        expect(cut.slice(column - 1)).toMatch(/^[-+.\w]{0,5}$/);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        // No grammar allows it outside of a string.
        expect(jsonFault(`${text}\n ?`)).toEqual({ line: 2, column: 2, path: '' });
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
