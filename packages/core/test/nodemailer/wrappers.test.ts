/** Wrappers of nodemailer over all three ways: what they read, and what the server gets, is the same. */
import { expect, test } from 'vitest';
import { PASS, USER, useMailServers } from './mail-server.ts';
import { seenIn } from './seen.ts';
import { FACADE, failure, PLUGIN, REAL, told, type Way } from './ways.ts';
import { WRAPPERS, type Wrapper } from './wrappers.ts';

const { authority, start } = useMailServers();

/** Infos and errors wherever they are in what a wrapper gives. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return failure(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || !value) return value;
  if ('response' in value && 'messageId' in value) return told(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'messageId' ? `${item}`.replace(/^<[\w-]{36}@/, '<uuid@') : plain(item),
    ]),
  );
}

async function observe(wrapper: Wrapper, way: Way): Promise<object> {
  const server = await start();
  const { ca } = authority();
  const place = { host: '127.0.0.1', port: server.port, ca, user: USER, pass: PASS };
  const result = plain(await wrapper.run(way, place));
  const messages = await Promise.all(
    server.delivered.map(async ({ content, ...around }) => ({
      ...around,
      ...(await seenIn(content)),
    })),
  );
  const key = ({ to }: (typeof messages)[number]): string => JSON.stringify(to);
  return { result, messages: messages.sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

test.each(WRAPPERS)('$name', async (wrapper) => {
  const control = await observe(wrapper, REAL);
  expect(await observe(wrapper, PLUGIN), 'with posthornTransport()').toEqual(control);
  expect(await observe(wrapper, FACADE), 'with createTransport() of core').toEqual(control);
});
