import { createConnection, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/index.ts';
import { createApp } from '../../src/sandbox/http/app.ts';
import { protectedResponse } from '../../src/sandbox/http/security.ts';
import type { Site } from '../../src/sandbox/http/site.ts';
import { sleep, until, useBench, within } from '../support.ts';
import { type Asked, ask, hangUp, type Line, open } from './api-client.ts';

const { start } = useBench();
afterAll(hangUp);

let sandbox: Sandbox;
let port: number;
beforeAll(async () => {
  sandbox = await start();
  port = sandbox.http ?? 0;
});

const status = async (line: Line, asked?: Asked): Promise<number> =>
  (await ask(sandbox, line, asked)).status;

/** Sends these octets, and gives what comes until the other side closes. */
async function raw(octets: string): Promise<string> {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.end(octets);
  const read = async (): Promise<string> => {
    let said = '';
    for await (const chunk of socket) said += String(chunk);
    return said;
  };
  return within(read(), 'The answer');
}

describe.concurrent('the Host field', () => {
  const asHost = (host: string): Promise<number> =>
    status('GET /api/status', { headers: { host } });

  test('own names and addresses with the own port, in any case', async () => {
    for (const name of ['localhost', 'LocalHost', '127.0.0.1', '[::1]'])
      expect([name, await asHost(`${name}:${port}`)]).toEqual([name, 200]);
  });

  test('every other name, port and spelling is refused, and told what to do', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost',
      `localhost:${port + 1}`,
      `a.localhost:${port}`,
      `localhost.:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.2:${port}`,
      `127.1:${port}`,
      `0.0.0.0:${port}`,
      `192.168.1.5:${port}`,
      `[::2]:${port}`,
      `evil@localhost:${port}`,
      'localhost:',
    ]) {
      const {
        status: code,
        text,
        headers,
      } = await ask(sandbox, 'GET /api/status', { headers: { host } });
      expect([host, code === 403 || code === 400, text.includes('smtps')]).toEqual([
        host,
        true,
        false,
      ]);
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    const refusal = await ask(sandbox, 'GET /', { headers: { host: `evil.example:${port}` } });
    expect(refusal.status).toBe(403);
    expect(refusal.text).toContain(sandbox.url);
    for (const name of ['publicUrl', '--public-url']) expect(refusal.text).toContain(name);
  });

  test('of a target in absolute form the host counts', async () => {
    const host = `Host: localhost:${port}\r\nConnection: close`;
    expect(await raw(`GET http://evil.example/api/status HTTP/1.1\r\n${host}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 403 /,
    );
    expect(
      await raw(`GET http://localhost:${port}/api/status HTTP/1.1\r\n${host}\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('none, two, and nonsense', async () => {
    expect(await raw('GET /api/status HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw('GET /api/status HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(
      await raw(
        `GET /api/status HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 40[03] /);
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('the host of publicUrl, and IP addresses where it is bound elsewhere', async () => {
    const known = await start({ publicUrl: 'https://mail.example.com' });
    const exposed = await start({ bind: '0.0.0.0', unsafeBind: true });
    const of = async (one: Sandbox, host: string): Promise<number> =>
      (await ask(one, 'GET /api/status', { headers: { host } })).status;
    expect(await of(known, 'mail.example.com')).toBe(200);
    expect(await of(known, 'MAIL.example.com')).toBe(200);
    expect(await of(known, `localhost:${known.http}`)).toBe(200);
    expect(await of(known, 'example.com')).toBe(403);
    expect(await of(exposed, `192.168.1.5:${exposed.http}`)).toBe(200);
    expect(await of(exposed, '[fe80::1]')).toBe(200);
    expect(await of(exposed, `mail.example.com:${exposed.http}`)).toBe(403);
    // Another address is another origin, though each of them would be answered.
    const post = (origin: string): Promise<{ status: number }> =>
      ask(exposed, 'POST /api/reset', { headers: { host: `192.168.1.5:${exposed.http}`, origin } });
    expect((await post(`http://6.6.6.6:${exposed.http}`)).status).toBe(403);
    expect((await post(`http://192.168.1.5:${exposed.http}`)).status).toBe(204);
    const behindProxy = await ask(known, 'POST /api/plans', {
      headers: { host: `localhost:${known.http}`, origin: 'https://mail.example.com' },
      body: [],
    });
    expect(behindProxy.status).toBe(201);
  });
});

describe.concurrent('cross-site requests', () => {
  const post = (headers: Readonly<Record<string, string>>): Promise<number> =>
    status('POST /api/plans', { headers, body: [] });

  test('programs and own pages may', async () => {
    expect(await post({})).toBe(201);
    expect(await post({ origin: `http://localhost:${port}` })).toBe(201);
    expect(
      await post({ origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-origin' }),
    ).toBe(201);
    expect(await post({ 'sec-fetch-site': 'none' })).toBe(201);
    expect(await post({ host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` })).toBe(201);
  });

  test('pages of other origins may not', async () => {
    for (const headers of [
      { origin: 'null' },
      { origin: '' },
      { origin: 'https://evil.example' },
      { origin: `http://localhost:${port + 1}` },
      { origin: `https://localhost:${port}` },
      { origin: `http://localhost:${port}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-site' },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
    ])
      expect([headers, await post(headers)]).toEqual([headers, 403]);
    const headers = { origin: 'https://evil.example' };
    for (const line of [
      'DELETE /api/messages',
      'PUT /api/credentials',
      'PATCH /api/settings',
      'POST /api/reset',
      'POST /',
      'QUERY /api',
    ] as const)
      expect([line, await status(line, { headers })]).toEqual([line, 403]);
    expect(await status('GET /api/status', { headers })).toBe(200);
  });

  test('a mailbox provider posts the one click of RFC 8058, and nothing else', async () => {
    const form = 'application/x-www-form-urlencoded';
    const click = (path: string, body: string, type = form): Promise<number> =>
      status(`POST ${path}`, {
        headers: { origin: 'https://mail.example.com', 'content-type': type },
        body,
      });
    // Whether there is such a message is not asked here: only that it was let through.
    expect(await click('/u/token', 'List-Unsubscribe=One-Click')).not.toBe(403);
    const parts =
      '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n';
    expect(
      await click('/u/token', `${parts}--b--\r\n`, 'multipart/form-data; boundary=b'),
    ).not.toBe(403);
    expect(
      await click('/u/token', `${parts}${parts}--b--\r\n`, 'multipart/form-data; boundary=b'),
    ).toBe(403);
    expect(await click('/u/token', parts.slice(0, 9), 'multipart/form-data; boundary=b')).toBe(403);
    expect(await click('/u/token', 'List-Unsubscribe=One-Click', 'text/plain')).toBe(403);
    expect(await click('/u/token', 'List-Unsubscribe=One-Click&reason=spam')).toBe(403);
    expect(await click('/u/token', 'reason=spam')).toBe(403);
    expect(await click('/u/token', '')).toBe(403);
    expect(await click('/u/token/more', 'List-Unsubscribe=One-Click')).toBe(403);
    expect(await click('/api/reset', 'List-Unsubscribe=One-Click')).toBe(403);
  });
});

describe.concurrent('what is asked', () => {
  test('paths that lead upwards, in every spelling', async () => {
    for (const path of [
      '/assets/../../etc/passwd',
      '/..',
      '/assets/%2e%2e/%2e%2e/etc/passwd',
      '/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
      '/assets/..%2f..%2fetc/passwd',
      '/assets/..%5c..%5cetc',
      '/assets/..\\..\\etc',
      '/assets/.%2e/x',
      '/assets/x%00.css',
      '/assets/x%0d%0aSet-Cookie:a=b',
    ])
      expect([path, await status(`GET ${path}`)]).toEqual([path, 400]);
    expect(await status('GET /assets/%252e%252e%252fetc')).toBe(404);
    // A dot at the beginning of a name is no way up.
    expect(await status('GET /.env')).toBe(404);
  });

  test('malformed percent-encoding, in the path and behind it', async () => {
    for (const path of ['/%', '/%zz', '/%ff', '/api/messages?subject=%', '/api/messages?%c3=1'])
      expect([path, await status(`GET ${path}`)]).toEqual([path, 400]);
  });

  test('an address of 8,192 octets, and no more', async () => {
    expect(await status(`GET /${'a'.repeat(8_191)}`)).toBe(404);
    expect(await status(`GET /${'a'.repeat(8_192)}`)).toBe(414);
    expect(await status(`GET /api/messages?subject=${'a'.repeat(9_000)}`)).toBe(414);
    expect(await status(`GET /${'a'.repeat(17_000)}`)).toBe(431);
  });

  test('a body of 1 MiB, and no more, with a length and without', async () => {
    const body = (size: number): string => `"${'a'.repeat(size - 2)}"`;
    const plans = 'POST /api/plans';
    expect(await status(plans, { body: body(1_048_576) })).toBe(400);
    expect(await status(plans, { body: body(1_048_577) })).toBe(413);
    expect(await status(plans, { body: body(1_048_576), chunked: true })).toBe(400);
    expect(await status(plans, { body: body(1_048_577), chunked: true })).toBe(413);
    expect(await status('POST /nowhere', { body: body(2_000_000), chunked: true })).toBe(413);
  });

  test('a body without an end is refused as soon as it is too long', async () => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    const answered = new Promise<string>((resolve) =>
      socket.once('data', (said) => resolve(String(said))),
    );
    socket.write(
      `POST /api/plans HTTP/1.1\r\nHost: localhost:${port}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    socket.write(`180000\r\n${'a'.repeat(0x180000)}\r\n`);
    expect(await within(answered, 'The answer')).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('what is not there, as JSON under /api and as text elsewhere', async () => {
    const none = await ask(sandbox, 'GET /api/nothing');
    expect([none.status, none.headers['content-type']]).toEqual([404, 'application/problem+json']);
    expect(none.json).toEqual({ error: 'Cannot find GET /api/nothing' });
    for (const line of ['GET /nothing', 'GET /apis', 'POST /', 'DELETE /nothing'] as const)
      expect([line, await status(line)]).toEqual([line, 404]);
    const types = async (accept: string): Promise<unknown[]> =>
      Promise.all(
        (['GET /nothing', 'GET /api/nothing'] as const).map(async (line) => {
          const answer = await ask(sandbox, line, { headers: { accept } });
          return [answer.status, answer.headers['content-type']?.split(';')[0]];
        }),
      );
    expect(await types('text/html,*/*')).toEqual([
      [404, 'text/html'],
      [404, 'application/problem+json'],
    ]);
    expect(await types('*/*')).toEqual([
      [404, 'text/plain'],
      [404, 'application/problem+json'],
    ]);
  });
});

describe.concurrent('headers', () => {
  test('go with what is answered, whatever it is', async () => {
    for (const line of [
      'GET /api/status',
      'HEAD /api/status',
      'GET /api/nothing',
      'PUT /api/status',
      'GET /nothing',
      'GET /%zz',
      'POST /api/plans',
      'GET /ca.pem',
      'DELETE /api/plans',
    ] as const) {
      const { headers } = await ask(sandbox, line);
      expect([line, headers]).toMatchObject([
        line,
        {
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'same-origin',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'no-store',
        },
      ]);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
    }
  });

  test('a route that has a policy of its own says who frames it', () => {
    const own = { 'content-security-policy': 'sandbox', 'cache-control': 'max-age=60' };
    const { headers } = protectedResponse(new Response('', { headers: own }));
    expect(Object.fromEntries(headers)).toMatchObject({
      ...own,
      'x-content-type-options': 'nosniff',
    });
    expect(headers.has('x-frame-options')).toBe(false);
    // One whose headers cannot be changed.
    const redirect = protectedResponse(Response.redirect('http://localhost/', 303));
    expect([redirect.status, redirect.headers.get('x-frame-options')]).toEqual([303, 'DENY']);
  });

  test('a fault of the sandbox is told without what it says of the inside', async () => {
    const site = {
      url: 'http://localhost',
      exposed: false,
      platform: { inbox: {} },
      settings: {
        get shown(): unknown {
          throw new Error('inside');
        },
      },
    };
    const app = createApp(site as unknown as Site);
    const response = await app.request('/api/settings', { headers: { host: 'localhost' } });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      500,
      'application/problem+json',
    ]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.json()).toEqual({
      error: 'Cannot answer: the sandbox has a fault of its own here',
    });
  });

  test('HEAD is answered as GET without a body', async () => {
    const { status: code, headers, text } = await ask(sandbox, 'HEAD /api/status');
    expect([code, headers['content-type'], text]).toEqual([200, 'application/json', '']);
    // Neither a stream nor a wait is left behind.
    for (let count = 0; count < 60; count += 1)
      expect((await ask(sandbox, 'HEAD /api/stream')).status).toBe(200);
    expect((await ask(sandbox, 'HEAD /nothing')).status).toBe(404);
  });
});

describe.concurrent('the end', () => {
  test('streams, waits, half a request and silent connections do not hold it up', async () => {
    const busy = await startSandbox();
    const silent = createConnection({ host: '127.0.0.1', port: busy.http ?? 0 });
    const half = createConnection({ host: '127.0.0.1', port: busy.http ?? 0 });
    const sockets: readonly Socket[] = [silent, half];
    const closed = sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => {});
          socket.on('close', () => resolve());
        }),
    );
    half.write('POST /api/plans HTTP/1.1\r\nHost: ');
    const stream = await open(busy, 'GET /api/stream');
    stream.on('error', () => {});
    const streamEnded = new Promise<void>((resolve) => stream.on('close', () => resolve()));
    const waiting = ask(busy, 'GET /api/messages?wait=30000').catch(() => 'cut off');
    await ask(busy, 'GET /api/status');
    await sleep(20);
    await within(busy.close(), 'close()', 2_000);
    expect(await within(waiting, 'The wait')).toBe('cut off');
    await within(Promise.all([streamEnded, ...closed]), 'The connections');
  });

  test('no more than 256 connections at once', async () => {
    const crowded = await startSandbox();
    const sockets: Socket[] = [];
    try {
      for (let count = 0; count < 300; count += 1) {
        const socket = createConnection({ host: '127.0.0.1', port: crowded.http ?? 0 });
        socket.on('error', () => {});
        sockets.push(socket);
      }
      await until(
        () => sockets.filter(({ destroyed }) => destroyed).length >= 300 - 256,
        'The surplus is dropped',
      );
      expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(256);
    } finally {
      for (const socket of sockets) socket.destroy();
      await crowded.close();
    }
  });

  test('Request and Response of the program stay its own', () => {
    expect(String(Response)).not.toContain('cacheKey');
    expect(new Request('http://localhost/')).toBeInstanceOf(Request);
    expect(Object.getPrototypeOf(Response)).toBe(Function.prototype);
  });
});

describe.skipIf(!process.env['LARGE']).concurrent('time', { timeout: 40_000 }, () => {
  test('half a request is given up after 10 s, and looked for each 5 s', async () => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.write('GET /api/status HTTP/1.1\r\nHost: ');
    let said = '';
    for await (const chunk of socket) said += String(chunk);
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a quiet stream says something each 15 s', async () => {
    const stream = await open(sandbox, 'GET /api/stream');
    stream.on('error', () => {});
    let said = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    await sleep(16_000);
    expect(said).toBe(':\n\n:\n\n');
    stream.destroy();
  });
});
