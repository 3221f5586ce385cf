/**
 * Ports and local addresses that node:net refuses by throwing. In a file of its own: what is thrown in an
 * event listener would end the process, so the runner's own listeners are set aside.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../src/index.ts';
import { eventually, failureOf, useServers, verdict } from './scripted-server.ts';

// No server is needed: it is here for what it looks at after each test.
useServers();

let uncaught: unknown[] = [];
let listeners: NodeJS.UncaughtExceptionListener[] = [];
beforeEach(() => {
  uncaught = [];
  listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
});
afterEach(() => {
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
});

/** Timers of this process that wait: deadlines, and the test run's own. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const cases: [string, Partial<ConnectOptions>][] = [
  ['port -1', { port: -1 }],
  ['port 65536', { port: 65_536 }],
  ['port 1.5', { port: 1.5 }],
  ['port NaN', { port: Number.NaN }],
  ['localAddress that is no address', { port: 25, localAddress: 'here' }],
];

test.each(cases)('%s: connect() rejects, and nothing else happens', async (_name, given) => {
  const before = timers();
  const error = await failureOf(connect({ host: '127.0.0.1', ...given }), 2_000);
  expect(verdict(error)).toBe('ERR_SMTP_CONNECT in connect, not-sent, reconnect');
  expect(error.cause).toBeInstanceOf(Error);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(uncaught).toEqual([]);
  // The test run has timers of its own, which come and go.
  await eventually(() => timers() <= before, 'no deadline is left');
});
