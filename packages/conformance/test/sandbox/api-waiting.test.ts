import { Hono } from 'hono';
import { afterAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { streamRoutes } from '../../src/sandbox/http/api/stream.ts';
import { FORGETFUL } from '../../src/sandbox/platform/journal.ts';
import { Platform } from '../../src/sandbox/platform/platform.ts';
import { mail, sleep, until, useBench, within } from '../support.ts';
import { ask, hangUp, open } from './api-client.ts';

const { start, talk } = useBench();
afterAll(hangUp);

describe.concurrent('waiting for a message', () => {
  test('ends as soon as one comes that fits and comes after', async () => {
    const sandbox = await start();
    const dialogue = await talk(sandbox);
    await dialogue.send();
    const [before] = sandbox.inbox.messages;
    const any = await ask(sandbox, 'GET /api/messages?wait=30000');
    expect(any.json['messages']).toMatchObject([{ id: before?.id }]);
    let ended = false;
    const waiting = ask(
      sandbox,
      `GET /api/messages?after=${before?.id}&to=anna&state=Read&wait=30000`,
    ).finally(() => {
      ended = true;
    });
    await sleep(20);
    await dialogue.send();
    await dialogue.send(mail(), { to: ['hold+anna@example.com'] });
    expect(ended).toBe(false);
    const { id } = sandbox.inbox.messages[2] ?? {};
    await ask(sandbox, `POST /api/messages/${id}/events`, { body: { type: 'OPENED' } });
    expect((await within(waiting, 'The wait')).json).toMatchObject({
      messages: [{ id, state: 'Read' }],
      more: false,
    });
  });

  test('ends with an empty list when nothing came', async () => {
    const sandbox = await start();
    const before = performance.now();
    const { status, json } = await ask(sandbox, 'GET /api/messages?wait=60');
    expect([status, json]).toEqual([200, { messages: [], more: false }]);
    expect(performance.now() - before).toBeGreaterThan(50);
  });

  test('for an event alike', async () => {
    const sandbox = await start();
    const waiting = ask(sandbox, 'GET /api/events?type=CLICKED&wait=30000');
    const dialogue = await talk(sandbox);
    await dialogue.send(mail(), { to: ['click@example.com'] });
    expect((await within(waiting, 'The wait')).json).toMatchObject({
      events: [{ type: 'CLICKED', recipient: 'click@example.com' }],
    });
    expect((await ask(sandbox, 'GET /api/events?type=BOUNCED&wait=1')).json).toEqual({
      events: [],
    });
  });

  test('a hundred at a time; who goes away makes room', async () => {
    const sandbox = await start();
    const leaving = Array.from({ length: 100 }, () => new AbortController());
    const ending: Promise<string>[] = [];
    for (const [count, { signal }] of leaving.entries())
      ending.push(
        open(sandbox, `GET /api/${count % 2 ? 'messages' : 'events'}?wait=30000`, {
          signal,
          headers: { connection: 'close' },
        }).then(
          () => 'answered',
          () => 'left',
        ),
      );
    await until100(sandbox);
    const refused = await ask(sandbox, 'GET /api/messages?wait=1');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    // Who does not wait is answered.
    expect((await ask(sandbox, 'GET /api/messages')).status).toBe(200);
    for (const one of leaving) one.abort();
    expect(new Set(await Promise.all(ending))).toEqual(new Set(['left']));
    let status = 503;
    for (let tries = 0; status === 503 && tries < 100; tries += 1) {
      await sleep(5);
      ({ status } = await ask(sandbox, 'GET /api/messages?wait=1'));
    }
    expect(status).toBe(200);
  });

  /** Until no more may wait. */
  async function until100(sandbox: Sandbox): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await ask(sandbox, 'GET /api/messages?wait=1')).status === 503) return;
      await sleep(5);
    }
    throw new Error('More than a hundred may wait');
  }
});

describe.concurrent('the stream', () => {
  test('tells of what happens, by ids', async () => {
    const sandbox = await start();
    const stream = await open(sandbox, 'GET /api/stream');
    stream.on('error', () => {});
    let said = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    expect(stream.headers['content-type']).toBe('text/event-stream');
    const dialogue = await talk(sandbox);
    await dialogue.send(mail(), { to: ['sent@example.com'] });
    await dialogue.ask('MAIL FROM:<nobody@example.com>');
    await dialogue.ask('FROB');
    const [message] = sandbox.inbox.messages;
    const [event] = sandbox.events;
    const [refused] = sandbox.refused;
    const [trouble] = sandbox.troubles;
    await ask(sandbox, 'POST /api/reset');
    await until(() => said.includes('reset'), 'All is told');
    expect(said.replace(/^:\n\n/, '')).toBe(
      [
        `event: message\ndata: {"id":"${message?.id}"}\n\n`,
        `event: event\ndata: {"id":"${event?.id}","messageId":"${message?.id}"}\n\n`,
        `event: refused\ndata: {"id":"${refused?.id}"}\n\n`,
        `event: trouble\ndata: {"id":"${trouble?.id}"}\n\n`,
        `event: forgotten\ndata: {"id":"${message?.id}"}\n\n`,
        'event: reset\ndata: {}\n\n',
      ].join(''),
    );
    stream.destroy();
  });

  test('fifty at a time; who goes away makes room', async () => {
    const sandbox = await start();
    const streams = await Promise.all(
      Array.from({ length: 50 }, () =>
        open(sandbox, 'GET /api/stream', { headers: { connection: 'close' } }),
      ),
    );
    expect(streams.map(({ statusCode }) => statusCode)).toEqual(streams.map(() => 200));
    const surplus = await ask(sandbox, 'GET /api/stream');
    expect([surplus.status, surplus.headers['retry-after']]).toEqual([503, '5']);
    for (const stream of streams) stream.on('error', () => {}).destroy();
    let status = 503;
    for (let tries = 0; status === 503 && tries < 100; tries += 1) {
      await sleep(5);
      const again = await open(sandbox, 'GET /api/stream', { headers: { connection: 'close' } });
      status = again.statusCode ?? 0;
      again.on('error', () => {}).destroy();
    }
    expect(status).toBe(200);
  });

  test('who does not read is let go, and the others are told on', async () => {
    const platform = new Platform(
      {
        retention: 1,
        retentionOctets: 1,
        magic: true,
        deliver: 'auto',
        countRefused: true,
        confirmedSenders: [],
      },
      FORGETFUL,
    );
    const app = new Hono();
    for (const { path, answer } of streamRoutes(platform)) app.get(path, answer);
    const [slow, quick] = [await app.request('/api/stream'), await app.request('/api/stream')];
    let told = 0;
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of quick.body ?? [])
        told += decoder.decode(chunk as Uint8Array).split('event: reset').length - 1;
    })();
    for (let count = 1; count <= 1_100; count += 1) {
      await platform.reset();
      if (count % 100 === 0) await until(() => told >= count - 1, 'The quick one is told');
    }
    await until(() => told === 1_100, 'All is told');
    // What waited for the slow one is gone with it, but for what was on its way.
    const left = await within(slow.text(), 'The slow one');
    expect(left.split('event: reset').length - 1).toBeLessThan(10);
    await within(Promise.race([reading, sleep(1)]), 'The quick one');
  });
});
