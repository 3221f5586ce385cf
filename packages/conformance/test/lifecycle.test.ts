/** Load and end of a sandbox, and what its process notices of it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../src/index.ts';
import { FROM, left, mail, sleep, TO, useBench, within } from './support.ts';

const { start, talk } = useBench();

/** A client that keeps its side open when the other one is closed. */
async function stubborn(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  await within(new Promise((resolve) => socket.once('connect', resolve)), 'The connection');
  return socket;
}

/** Whether it is closed before the grace for clients is over. */
async function closesAtOnce(sandbox: Sandbox): Promise<boolean> {
  return Promise.race([sandbox.close().then(() => true), sleep(450).then(() => false)]);
}

async function listens(port: number): Promise<boolean> {
  const other = createServer();
  return new Promise((resolve) => {
    other.once('error', () => resolve(true));
    other.listen(port, '127.0.0.1', () => other.close(() => resolve(false)));
  });
}

describe.concurrent('close()', () => {
  test('is done at once if nobody has come', async () => {
    const sandbox = await start();
    expect(await closesAtOnce(sandbox)).toBe(true);
    expect([await listens(sandbox.smtp), await listens(sandbox.smtps)]).toEqual([false, false]);
  });

  test.each(['plain', 'starttls', 'implicit'] as const)(
    'is done at once when the last client has left, by %s',
    async (route) => {
      const sandbox = await start();
      const dialogue = await talk(sandbox, { route, login: false });
      expect(sandbox.connections).toBe(1);
      expect(await dialogue.ask('QUIT')).toBe('221 Bye');
      dialogue.end();
      await left(sandbox);
      expect(await closesAtOnce(sandbox)).toBe(true);
    },
  );

  test('is done at once when a fault has cut a client off, by STARTTLS', async () => {
    const sandbox = await start({ faults: [{ at: 'mail', action: 'close' }] });
    const dialogue = await talk(sandbox, { route: 'starttls' });
    expect(await dialogue.ask(`MAIL FROM:<${FROM}>`)).toBeUndefined();
    await left(sandbox);
    expect(await closesAtOnce(sandbox)).toBe(true);
  });

  test.each(['plain', 'starttls', 'implicit'] as const)(
    'gives a client time to leave, then tells it so, by %s',
    async (route) => {
      const sandbox = await start();
      const dialogue = await talk(sandbox, { route, login: false });
      const began = performance.now();
      const closing = within(sandbox.close(), 'close()');
      expect(await dialogue.reply()).toBe('421 Server shutting down');
      expect(performance.now() - began).toBeGreaterThan(450);
      await closing;
      expect(sandbox.connections).toBe(0);
    },
  );

  test('cuts off who does not leave, in the session and in the handshake', async () => {
    const sandbox = await start();
    const sockets = await Promise.all([
      stubborn(sandbox.smtp),
      stubborn(sandbox.smtp),
      stubborn(sandbox.smtps),
      stubborn(sandbox.smtps),
    ]);
    const [, upgrading, silent, greeting] = sockets;
    const ready = new Promise((resolve) => {
      let heard = '';
      upgrading?.on('data', (chunk) => {
        heard += chunk;
        if (/^220 .*\r\n250-.*\r\n250 .*\r\n220 Ready/s.test(heard)) resolve(undefined);
        else if (/^220 [^\n]*\n$/.test(heard)) upgrading.write('EHLO a.example\r\nSTARTTLS\r\n');
      });
    });
    await within(ready, 'STARTTLS');
    // The first octets of a ClientHello, and no more.
    for (const one of [upgrading, greeting]) one?.write(Buffer.from('160301020001', 'hex'));
    silent?.resume();
    await sleep(20);
    expect(sandbox.connections).toBe(4);
    const gone = Promise.all(
      sockets.map((socket) => {
        socket.on('error', () => {});
        return new Promise((resolve) => {
          socket.once('end', () => resolve(undefined));
          socket.once('close', resolve);
          socket.resume();
        });
      }),
    );
    await within(sandbox.close(), 'close()', 5_000);
    await within(gone, 'The end of each connection');
    expect(sandbox.connections).toBe(0);
    for (const socket of sockets) socket.destroy();
  });

  test('gives up what is stalled: no message comes later', async () => {
    const sandbox = await start({ faults: [{ at: 'final-dot', action: { stall: 400 } }] });
    const dialogue = await talk(sandbox);
    for (const line of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, 'DATA']) await dialogue.ask(line);
    dialogue.write(`${mail()}.\r\n`);
    dialogue.end();
    await left(sandbox);
    expect(await closesAtOnce(sandbox)).toBe(true);
    await sleep(500);
    expect(sandbox.inbox.messages).toEqual([]);
  });

  test('can be called again, and by await using', async () => {
    const sandbox = await start();
    await Promise.all([sandbox.close(), sandbox.close(), sandbox[Symbol.asyncDispose]()]);
    await sandbox.close();
    const ports = await (async () => {
      await using other = await startSandbox();
      return [other.smtp, other.smtps];
    })();
    for (const port of ports) expect(await listens(port)).toBe(false);
  });

  test('ends a wait for a message, and every later one', async () => {
    const sandbox = await start();
    await (await talk(sandbox)).send();
    const waiting = expect(sandbox.inbox.waitFor(() => false)).rejects.toThrow(
      'The sandbox was closed',
    );
    const closing = sandbox.close();
    await waiting;
    await expect(sandbox.inbox.waitFor(() => false)).rejects.toThrow('The sandbox was closed');
    // What had come is still there.
    expect((await sandbox.inbox.waitFor()).from).toBe(FROM);
    await closing;
  });
});

describe.concurrent('a process of its own', () => {
  test('hears nothing from a sandbox that has seen everything, and ends when it is closed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'posthorn-'));
    try {
      const outfile = join(folder, 'mischief.cjs');
      await build({
        entryPoints: [fileURLToPath(new URL('mischief.ts', import.meta.url))],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'cjs',
        logLevel: 'silent',
      });
      // A handle that is left would keep it from ending; a rejection that nobody handles fails it.
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile], {
        timeout: 15_000,
      });
      expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('100 connections at once, half of them by STARTTLS, one message each', async () => {
  const sandbox = await start();
  const dialogues = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      talk(sandbox, { route: at % 2 === 0 ? 'starttls' : 'implicit' }),
    ),
  );
  expect(sandbox.connections).toBe(100);
  const replies = await Promise.all(
    dialogues.map((dialogue, at) =>
      dialogue.send(mail().replace('Test from smtp', `number ${at}`)),
    ),
  );
  expect(replies.map((all) => all.at(-1)?.slice(0, 18))).toEqual(
    Array(100).fill('250 Ok: queued as '),
  );
  const subjects = sandbox.inbox.messages.map(({ subject }) => subject);
  expect(new Set(subjects)).toEqual(new Set(replies.map((_, at) => `number ${at}`)));
  for (const dialogue of dialogues) dialogue.destroy();
  await left(sandbox);
});
