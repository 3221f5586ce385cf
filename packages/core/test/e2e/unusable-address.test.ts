/**
 * Ports and local addresses that node:net refuses by throwing. In a file of its own: until src is mended,
 * what is thrown in an event listener would end the process, so the runner's own listeners are set aside.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../src/index.ts';
import { within } from './scripted-server.ts';

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

const cases: [string, Partial<ConnectOptions>][] = [
  ['port -1', { port: -1 }],
  ['port 65536', { port: 65_536 }],
  ['port 1.5', { port: 1.5 }],
  ['port NaN', { port: Number.NaN }],
  ['localAddress that is no address', { port: 25, localAddress: 'here' }],
];

// BUG in src, see the report: the rejection is right, but an uncaught exception follows it.
test.fails.each(cases)('%s: connect() rejects, and nothing else happens', async (_name, given) => {
  const error = await within(
    2_000,
    connect({ host: '127.0.0.1', ...given }).catch((reason: unknown) => reason),
  );
  expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(uncaught).toEqual([]);
});
