/** What was accepted is there when the process was killed behind its 250, and when it was stopped. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Sandbox, type SandboxOptions, STATES } from '../../src/index.ts';
import { authorityIn } from '../../src/sandbox/authority-file.ts';
import { lastingAuthority } from '../../src/sandbox/certificates.ts';
import { useBuilt } from '../built.ts';
import { mail, sleep, talk, useBench } from '../support.ts';
import { accepted, greeted, type Served, useServed } from './served.ts';

const { start } = useBench();
const built = useBuilt();
const serve = useServed(built);

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'posthorn durability '));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const fresh = (): string => mkdtempSync(join(root, 'data-'));
const OPEN = ['--no-auth-required', '--retention', '100000'];

/** The sandbox as it is when the folder is opened again. */
const reopened = (data: string, options: SandboxOptions = {}): Promise<Sandbox> =>
  start({ data, requireAuth: false, retention: 100_000, ...options });

/** Each message is counted once, in the state that it is in by its own events, and those are all that there are. */
function expectConsistent({ inbox, events, statistics }: Sandbox, rejected = 0): void {
  const counted = Object.fromEntries(statistics().map(({ state, count }) => [state, count]));
  const { messages } = inbox;
  for (const state of STATES)
    expect([state, counted[state]]).toEqual([
      state,
      state === 'Rejected'
        ? rejected
        : messages.filter((message) => message.state === state).length,
    ]);
  for (const { to, state, events: own, raw, size } of messages) {
    const isBounce = to[0]?.startsWith('bounce') ?? false;
    const isUnsubscribing = to[0]?.startsWith('unsub') ?? false;
    expect([to, state, own.map(({ type }) => type)]).toEqual([
      to,
      isBounce ? 'Bounced' : isUnsubscribing ? 'Read' : 'Delivered',
      isBounce
        ? ['SENT', 'BOUNCED']
        : isUnsubscribing
          ? ['SENT', 'DELIVERED', 'OPENED', 'UNSUBSCRIBED']
          : ['SENT', 'DELIVERED'],
    ]);
    expect(raw).toHaveLength(size);
  }
  const ids = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id).sort();
  expect(ids(events)).toEqual(ids(messages.flatMap((message) => message.events)));
}

/** Sends on several connections, until it is killed: what it has accepted. */
async function sendUntilKilled(
  served: Served,
  { connections, messages, name }: { connections: number; messages: number; name: string },
  onAccepted: (count: number) => void,
): Promise<string[]> {
  const ids: string[] = [];
  const kinds = ['plain', 'bounce+bad-mailbox', 'unsub'];
  await Promise.all(
    Array.from({ length: connections }, async (_, at) => {
      const dialogue = await greeted(served.ready.smtp).catch(() => undefined);
      for (let count = 0; dialogue && count < messages; count += 1) {
        // Nobody is written to twice: who unsubscribed or bounced would be filtered.
        const domain = `${name}-${at}-${count}.example`;
        const id = await accepted(dialogue, `${kinds[(at + count) % 3]}@${domain}`);
        if (id === undefined) break;
        ids.push(id);
        onAccepted(ids.length);
      }
      dialogue?.destroy();
    }),
  );
  return ids;
}

describe('serve --data', () => {
  test('loses nothing that it accepted by kill -9 right behind the 250', async () => {
    const data = fresh();
    const file = join(root, 'ca.pem');
    const served = await serve(...OPEN, '--data', data, '--ca-file', file);
    const { ready } = served;
    expect(ready).toEqual({
      host: 'localhost',
      smtp: expect.any(Number),
      smtps: expect.any(Number),
      http: expect.any(Number),
      url: `http://localhost:${ready.http}`,
      ca: file,
      pid: expect.any(Number),
    });
    const ids = await sendUntilKilled(
      served,
      { connections: 4, messages: 6, name: 'fast' },
      // Those under way on the other connections may be there or not.
      (count) => count === 20 && process.kill(ready.pid, 'SIGKILL'),
    );
    expect(await served.ended).toBe('SIGKILL');
    expect(served.out.split('\n')).toHaveLength(2);
    expect(served.err).toBe('');
    expect(ids.length).toBeGreaterThanOrEqual(20);

    const sandbox = await reopened(data);
    expect(sandbox.inbox.messages.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    expectConsistent(sandbox);
    expect(readFileSync(file, 'utf8')).toBe(sandbox.ca);
    expect(sandbox.statistics({ from: Date.now() + 3_600_000 })[0]?.count).toBe(0);
    // The lists are kept too, and what was read back is written on.
    const [bounced, unsubscribed] = ['bounce', 'unsub'].map((name) =>
      sandbox.inbox.messages.find(({ to }) => to[0]?.startsWith(name)),
    );
    const dialogue = await talk(sandbox);
    await accepted(dialogue, bounced?.to[0] ?? '');
    await accepted(dialogue, unsubscribed?.to[0] ?? '');
    dialogue.destroy();
    await sandbox.close();
    const again = await reopened(data);
    expect(again.inbox.messages.slice(-2).map(({ events }) => events.at(-1))).toMatchObject([
      { type: 'BOUNCED', reason: 'bad-mailbox', isHardbounce: true },
      { type: 'BOUNCED', reason: 'already_unsubscribed', isHardbounce: false },
    ]);
    expect(again.inbox.messages.slice(0, -2)).toMatchObject(
      sandbox.inbox.messages.slice(0, -2).map(({ id, state }) => ({ id, state })),
    );
    await again.close();
  });

  test.skipIf(!process.env['LARGE'])(
    'loses nothing by kills at any moment, ten in a row',
    { timeout: 120_000 },
    async () => {
      const data = fresh();
      const all: string[] = [];
      let authority: string | undefined;
      // Until enough was acknowledged, however slow the machine is.
      for (let round = 0; round < 10 || all.length <= 100; round += 1) {
        const served = await serve(...OPEN, '--data', data);
        const moment = Math.round(100 + Math.random() * 700);
        const killed = sleep(moment).then(() => process.kill(served.ready.pid, 'SIGKILL'));
        const name = `round-${round}`;
        all.push(
          ...(await sendUntilKilled(served, { connections: 8, messages: 1e6, name }, () => {})),
        );
        await killed;
        expect(await served.ended).toBe('SIGKILL');
        const sandbox = await reopened(data);
        const there = new Set(sandbox.inbox.messages.map(({ id }) => id));
        expect([moment, all.filter((id) => !there.has(id))]).toEqual([moment, []]);
        expectConsistent(sandbox);
        authority ??= sandbox.ca;
        expect(sandbox.ca).toBe(authority);
        await sandbox.close();
      }
    },
  );
});

describe.skipIf(!process.env['LARGE'] || process.platform !== 'linux')('a full disk', () => {
  const limit = (served: Served, octets: number | 'unlimited'): void => {
    execFileSync('prlimit', ['--pid', String(served.ready.pid), `--fsize=${octets}:unlimited`]);
  };

  test('refuses what it cannot keep, loses nothing of the rest, and goes on when there is room', async () => {
    const data = fresh();
    const served = await serve(...OPEN, '--data', data);
    const dialogue = await greeted(served.ready.smtp);
    const body = 'x'.repeat(10_000);
    const ids: string[] = [];
    const refused: (string | undefined)[] = [];
    for (let count = 0; count < 60; count += 1) {
      // First some of a batch can be written, then nothing, then all again.
      if (count === 5) limit(served, 80_000);
      if (count === 30) limit(served, 0);
      if (count === 40) limit(served, 'unlimited');
      const replies = await dialogue.send(mail(body), { to: [`plain@${count}.example`] });
      const [, id] = /^250 Ok: queued as (.*)$/.exec(replies.at(-1) ?? '') ?? [];
      if (id !== undefined) ids.push(id);
      else refused.push(replies.at(-1));
    }
    dialogue.destroy();
    expect(refused.length).toBeGreaterThanOrEqual(10);
    for (const reply of refused)
      expect(reply).toMatch(
        /^554 Internal server error .*Cannot write to the data folder: IO error/,
      );
    expect(refused.join()).not.toContain(data);
    expect(ids.length).toBeGreaterThan(30);
    process.kill(served.ready.pid, 'SIGKILL');
    await served.ended;
    const sandbox = await reopened(data);
    const there = sandbox.inbox.messages.map(({ id }) => id);
    expect(ids.filter((id) => !there.includes(id))).toEqual([]);
    expectConsistent(sandbox, refused.length);
    await sandbox.close();
  });
});

test.skipIf(!process.env['LARGE'])('the recipe for CI of docs/sandbox.md runs', async () => {
  const text = readFileSync(new URL('../../../../docs/sandbox.md', import.meta.url), 'utf8');
  const [, recipe = ''] = /## In CI\n.*?```sh\n(.*?)```/s.exec(text) ?? [];
  expect(recipe).toContain('npm test');
  const send = `
    const socket = require('node:net').connect(process.env.SMTP_PORT, process.env.SMTP_HOST);
    socket.once('data', async (greeting) => {
      socket.destroy();
      const answer = await fetch(process.env.SANDBOX_URL + '/api/messages?to=a@example.com&wait=10');
      console.log(String(greeting).slice(0, 3), answer.status, JSON.stringify(await answer.json()));
    });`;
  const { stdout, status } = spawnSync(
    'bash',
    [
      '-ec',
      `npx() { shift; exec "$NODE" "$CLI" "$@"; }\nnpm() { "$NODE" -e "$SEND"; cat ca.pem; field pid; }\n${recipe}`,
    ],
    {
      cwd: fresh(),
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, NODE: process.execPath, CLI: built.file('cli.js'), SEND: send },
    },
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^220 200 \{"messages":\[\],"more":false\}\n-----BEGIN CERTIFICATE-----/);
  // It ends with the job.
  const pid = Number(stdout.trim().split('\n').at(-1));
  await vi.waitUntil(() => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  }, 5_000);
});

describe('startSandbox({ data })', () => {
  test('keeps no more than it is told to, the latest', async () => {
    const data = fresh();
    const first = await reopened(data);
    const dialogue = await talk(first);
    for (const name of ['a', 'b', 'c', 'd']) await accepted(dialogue, `${name}@example.com`);
    dialogue.destroy();
    await first.close();
    const names = ({ inbox }: Sandbox): unknown[] => inbox.messages.map(({ to }) => to[0]?.[0]);
    const second = await reopened(data, { retention: 2 });
    expect(names(second)).toEqual(['c', 'd']);
    await second.close();
    const third = await reopened(data);
    expect(names(third)).toEqual(['c', 'd']);
    // Counts outlive the messages.
    expect(third.statistics()[0]?.count).toBe(4);
    await third.reset();
    await third.close();
    const fourth = await reopened(data);
    expect([names(fourth), fourth.statistics()[0]?.count]).toEqual([[], 0]);
    await fourth.close();
  });

  test('lets go of the folder where it cannot start', async () => {
    const data = fresh();
    const { smtp } = await start();
    await expect(start({ data, smtp })).rejects.toThrow('EADDRINUSE');
    const fault = { at: 'quit', action: { code: 1, text: '' } } as const;
    await expect(start({ data, faults: [fault] })).rejects.toThrow('Cannot plan the fault');
    const sandbox = await start({ data });
    await expect(start({ data })).rejects.toThrow(`Cannot use ${data}: another sandbox uses it`);
    await sandbox.close();
    writeFileSync(join(data, 'authority.pem'), 'nothing');
    await expect(start({ data })).rejects.toThrow(/authority\.pem: there is no CERTIFICATE in it/);
    rmSync(join(data, 'authority.pem'));
    await (await start({ data })).close();
  });
});

describe('the certificate authority of a data folder', () => {
  const DAY = 86_400_000;
  afterEach(() => void vi.useRealTimers());

  test('is the same at each start, and only its owner reads its key', async () => {
    const data = fresh();
    const first = await authorityIn(data);
    const file = join(data, 'authority.pem');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // A crash during the first start leaves this.
    writeFileSync(`${file}.new`, 'half', { mode: 0o644 });
    const second = await authorityIn(data);
    expect(second.ca).toBe(first.ca);
    const [one, other] = [await first.issue(), await second.issue()];
    expect(one.key).not.toBe(other.key);
    for (const { cert } of [one, other])
      expect(new X509Certificate(cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 340 * DAY });
    expect((await authorityIn(data)).ca).not.toBe(first.ca);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('is renewed within 30 days of its end, and who trusted the old one trusts its leaves', async () => {
    const now = Date.now();
    const { authority, kept } = await lastingAuthority();
    vi.useFakeTimers({ toFake: ['Date'], now: now + 334 * DAY });
    expect((await lastingAuthority(kept)).kept).toBe(kept);
    vi.setSystemTime(now + 336 * DAY);
    const renewed = (await lastingAuthority(kept)).authority;
    const [before, after] = [authority.ca, renewed.ca].map((pem) => new X509Certificate(pem));
    expect(Date.parse(after?.validTo ?? '') - Date.parse(before?.validTo ?? '')).toBeGreaterThan(
      300 * DAY,
    );
    const leaf = new X509Certificate((await renewed.issue()).cert);
    for (const root of [before, after])
      expect([root && leaf.checkIssued(root), root && leaf.verify(root.publicKey)]).toEqual([
        true,
        true,
      ]);
  });

  test('is not taken from a file that holds another key, or none', async () => {
    const [{ kept }, other] = [await lastingAuthority(), await lastingAuthority()];
    const certificate = other.kept.slice(0, other.kept.indexOf('-----BEGIN PRIVATE KEY'));
    const key = kept.slice(kept.indexOf('-----BEGIN PRIVATE KEY'));
    await expect(lastingAuthority(`${certificate}${key}`)).rejects.toThrow(
      'its key is not that of its certificate',
    );
    await expect(lastingAuthority(certificate)).rejects.toThrow('there is no PRIVATE KEY in it');
  });
});
