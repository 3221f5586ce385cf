/** What is told on diagnostics channels, and the recipe of docs/opentelemetry.md, as it stands there. */
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { importBlock } from '../../../../test/document-blocks.ts';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { connect } from '../../src/diagnostics/index.ts';
import {
  type SmtpClient,
  SmtpError,
  type TranscriptEvent,
  connect as untold,
} from '../../src/index.ts';
import {
  everythingIn,
  failureOf,
  greet,
  greetSecurely,
  MESSAGE,
  options,
  PASS,
  PLAIN,
  type ScriptedServer,
  takeMessages,
  USER,
  useServers,
  within,
} from './scripted-server.ts';

const start = useServers();
const PARTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const NAMES = ['connect', 'transaction'].flatMap((name) =>
  PARTS.map((part) => `tracing:posthorn:${name}:${part}`),
);

interface Told {
  readonly name: string;
  readonly context: Record<string, unknown>;
  /** The context as it was then. */
  readonly was: Record<string, unknown>;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Listens on these channels until the test ends. */
function listen(names: readonly string[]): Told[] {
  const told: Told[] = [];
  const hear = (context: unknown, name: string | symbol): void => {
    const object = context as Record<string, unknown>;
    told.push({ name: String(name), context: object, was: { ...object } });
  };
  for (const name of names) {
    subscribe(name, hear);
    stops.push(() => unsubscribe(name, hear));
  }
  return told;
}

const namesOf = (told: readonly Told[]): string[] =>
  told.map(({ name }) => name.replace('tracing:posthorn:', ''));

const taker = (...keywords: readonly string[]): Promise<ScriptedServer> =>
  start(async (peer) => {
    await greet(peer, ...keywords);
    await takeMessages(peer);
  });

const OFF = { tls: 'off' } as const;

async function opened(server: ScriptedServer): Promise<SmtpClient> {
  return connect(options(server, OFF));
}

test('the channels tell of a connection and of a message', async () => {
  const told = listen(NAMES);
  const server = await taker('PIPELINING');
  const client = await opened(server);
  const receipt = await client.send(MESSAGE);
  await within(2_000, client.close());
  const wanted = ['start', 'end', 'asyncStart', 'asyncEnd'];
  expect(namesOf(told)).toEqual([
    ...wanted.map((part) => `connect:${part}`),
    ...wanted.map((part) => `transaction:${part}`),
  ]);
  const place = { host: '127.0.0.1', port: server.port };
  expect(told[0]?.was).toEqual(place);
  expect(told[4]?.was).toEqual({ ...place, message: MESSAGE });
  expect(told[4]?.context['message']).toBe(MESSAGE);
  // One object for each, from its start to its end.
  expect(new Set(told.map(({ context }) => context)).size).toBe(2);
  expect(told[3]?.was).toMatchObject(place);
  expect(told[3]?.was).not.toHaveProperty('error');
  expect(told[3]?.was).toMatchObject({ result: { secure: false, greeting: { code: 220 } } });
  expect(told[7]?.was).toMatchObject({ ...place, message: MESSAGE });
  // What send() resolves to is the result, and nothing is added to it.
  expect(told[7]?.context['result']).toBe(receipt);
});

test('messages that overlap have each its own context', async () => {
  const told = listen(NAMES);
  const client = await opened(await taker('PIPELINING'));
  const messages = ['1', '2', '3'].map((body) => ({ ...MESSAGE, content: `${body}\r\n` }));
  await Promise.all(messages.map((message) => client.send(message)));
  await within(2_000, client.close());
  for (const part of ['start', 'asyncEnd'] as const) {
    const contexts = told.filter(({ name }) => name === `tracing:posthorn:transaction:${part}`);
    expect(contexts.map(({ context }) => context['message'])).toEqual(messages);
  }
});

test('a connection that fails', async () => {
  const told = listen(NAMES);
  const server = await start((peer) => {
    peer.say('554 no');
    peer.end();
  });
  const error = await failureOf(connect(options(server, OFF)));
  expect(namesOf(told)).toEqual(
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map((part) => `connect:${part}`),
  );
  expect(told[4]?.context['error']).toBe(error);
});

test('a message that fails', async () => {
  const told = listen(NAMES);
  const server = await taker();
  const client = await opened(server);
  const error = await failureOf(client.send({ ...MESSAGE, to: 'no@example.com' }));
  await within(2_000, client.close());
  expect(namesOf(told).slice(4)).toEqual(
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map((part) => `transaction:${part}`),
  );
  expect(told.at(-1)?.context['error']).toBe(error);
  expect(error.reply?.code).toBe(550);
});

test('what is refused without asking the server', async () => {
  const told = listen(NAMES);
  await expect(connect({ host: '' })).rejects.toThrow(TypeError);
  expect(told).toEqual([]);
  const client = await opened(await taker('SIZE 10'));
  told.length = 0;
  const error = await failureOf(client.send(MESSAGE));
  await expect(client.send({ ...MESSAGE, to: 'a b' })).rejects.toThrow(TypeError);
  const ends = told.filter(({ name }) => name.endsWith('asyncEnd'));
  expect(ends.map(({ context }) => context['error'])).toEqual([error, expect.any(TypeError)]);
  await within(2_000, client.close());
});

test('each reply is told, as to onTranscript', async () => {
  const told = listen(['posthorn:reply']);
  const heard: TranscriptEvent[] = [];
  const server = await taker();
  const client = await connect(
    options(server, { ...OFF, onTranscript: (event) => void heard.push(event) }),
  );
  await client.send(MESSAGE);
  await within(2_000, client.close());
  const place = { host: '127.0.0.1', port: server.port };
  expect(told.map(({ was }) => was)).toEqual(
    heard
      .filter(({ direction }) => direction === 'server')
      .map((event) => ({ ...place, ...event })),
  );
  expect(told).toHaveLength(7);
  expect(Object.keys(told[0]?.was ?? {}).sort()).toEqual(
    ['at', 'direction', 'host', 'phase', 'port', 'secure', 'text'].sort(),
  );
});

test.each(['235 welcome', `535 not ${PASS} nor ${PLAIN}`])(
  'no secret is in anything that is told (AUTH: %s)',
  async (reply) => {
    const told = listen([...NAMES, 'posthorn:reply']);
    const authority = await createCertificateAuthority();
    const pair = await authority.issue();
    const server = await start(async (peer) => {
      await greetSecurely(peer, pair, 'AUTH PLAIN LOGIN');
      await peer.hear(/^AUTH PLAIN /);
      peer.say(reply);
      await takeMessages(peer);
    });
    const connecting = connect(
      options(server, {
        host: 'localhost',
        tlsOptions: { ca: authority.ca, passphrase: 'another secret' },
        auth: { user: USER, pass: PASS },
      }),
    );
    const client = await connecting.catch(() => undefined);
    await client?.send(MESSAGE);
    if (client) await within(2_000, client.close());
    expect(told.length).toBeGreaterThan(8);
    for (const { context, was } of told)
      for (const secret of [PASS, PLAIN, 'another secret', Buffer.from(PASS).toString('base64')])
        for (const object of [context, was]) expect(everythingIn(object)).not.toContain(secret);
  },
);

test('connect() of @posthorn/core tells nothing', async () => {
  const told = listen([...NAMES, 'posthorn:reply']);
  const client = await untold(options(await taker(), OFF));
  await client.send(MESSAGE);
  await within(2_000, client.close());
  expect(told).toEqual([]);
});

test('the client is the same but for send()', async () => {
  const server = await taker('PIPELINING', 'SIZE 1000');
  const client = await opened(server);
  expect([client.secure, client.pipelining, client.capabilities.size]).toEqual([
    false,
    'overlap',
    1_000,
  ]);
  expect((await client.noop()).code).toBe(250);
  expect(client.roundTrips).toBe(3);
  await within(2_000, client[Symbol.asyncDispose]());
  await within(2_000, client.closed);
});

test('without subscribers nothing is traced', async () => {
  for (const name of [...NAMES, 'posthorn:reply']) expect(channel(name).hasSubscribers).toBe(false);
  const tracing = ['connect', 'transaction'].map((name) => tracingChannel(`posthorn:${name}`));
  for (const one of tracing) expect(one.hasSubscribers).toBe(false);
  const traced = vi.spyOn(Object.getPrototypeOf(tracing[0]), 'tracePromise');
  const client = await opened(await taker());
  await client.send(MESSAGE);
  expect(traced).not.toHaveBeenCalled();
  const told = listen(NAMES);
  await client.send(MESSAGE);
  expect(traced).toHaveBeenCalledTimes(1);
  expect(told).toHaveLength(4);
  traced.mockRestore();
  await within(2_000, client.close());
});

test('a subscriber that throws does not reach the client', async () => {
  const uncaught: unknown[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => void uncaught.push(error));
  const why = new Error('the subscriber');
  const hear = (): never => {
    throw why;
  };
  for (const name of [...NAMES, 'posthorn:reply']) subscribe(name, hear);
  try {
    const client = await opened(await taker());
    expect((await client.send(MESSAGE)).reply.code).toBe(250);
    await within(2_000, client.close());
    await new Promise(setImmediate);
  } finally {
    for (const name of [...NAMES, 'posthorn:reply']) unsubscribe(name, hear);
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  }
  expect(new Set(uncaught)).toEqual(new Set([why]));
});

describe('the recipe for OpenTelemetry', () => {
  interface FakeSpan {
    readonly name: string;
    readonly kind: number;
    readonly attributes: Record<string, unknown>;
    readonly exceptions: unknown[];
    status: unknown;
    ended: number;
  }
  let traceSmtp: (tracer: unknown) => () => void;
  beforeAll(async () => {
    ({ traceSmtp } = (await importBlock('docs/opentelemetry.md', 'spans.ts')) as {
      traceSmtp: typeof traceSmtp;
    });
  });

  /** What is used of a tracer, on a list. */
  function tracing(): FakeSpan[] {
    const spans: FakeSpan[] = [];
    const stop = traceSmtp({
      startSpan(name: string, { kind, attributes }: { kind: number; attributes: object }) {
        const span: FakeSpan = {
          name,
          kind,
          attributes: { ...attributes },
          exceptions: [],
          status: undefined,
          ended: 0,
        };
        spans.push(span);
        return {
          setAttributes: (more: object) => Object.assign(span.attributes, more),
          recordException: (error: unknown) => void span.exceptions.push(error),
          setStatus(status: unknown) {
            span.status = status;
          },
          end() {
            span.ended += 1;
          },
        };
      },
    });
    stops.push(stop);
    return spans;
  }

  test('a span for a connection, one for each message', async () => {
    const spans = tracing();
    const server = await taker('PIPELINING');
    const client = await opened(server);
    await Promise.all([
      client.send(MESSAGE),
      client.send({ ...MESSAGE, to: ['b@example.com', 'no@example.com'] }),
    ]);
    await within(2_000, client.close());
    const place = { 'server.address': '127.0.0.1', 'server.port': server.port };
    const sent = { 'smtp.reply.code': 250, 'smtp.octets': 18 };
    expect(spans).toMatchObject([
      { name: 'smtp connect', attributes: place },
      {
        name: 'smtp transaction',
        attributes: { ...place, ...sent, 'smtp.recipients': 1, 'smtp.rejected': 0 },
      },
      {
        name: 'smtp transaction',
        attributes: { ...place, ...sent, 'smtp.recipients': 2, 'smtp.rejected': 1 },
      },
    ]);
    for (const span of spans)
      expect(span).toMatchObject({ kind: 2, ended: 1, status: undefined, exceptions: [] });
  });

  test('what fails has its error', async () => {
    const spans = tracing();
    const client = await opened(await taker());
    const error = await failureOf(client.send({ ...MESSAGE, to: 'no@example.com' }));
    await within(2_000, client.close());
    const unreachable = await failureOf(connect({ host: '127.0.0.1', port: 1 }));
    expect(unreachable).toBeInstanceOf(SmtpError);
    expect(spans.slice(1)).toMatchObject([
      {
        attributes: {
          'error.type': 'ERR_SMTP_REPLY',
          'smtp.delivery': 'rejected',
          'smtp.reply.code': 550,
        },
        exceptions: [error],
        status: { code: 2, message: error.message },
        ended: 1,
      },
      {
        name: 'smtp connect',
        attributes: { 'error.type': 'ERR_SMTP_CONNECT', 'smtp.delivery': 'not-sent' },
        exceptions: [unreachable],
        ended: 1,
      },
    ]);
  });

  test('it ends when it is told to', async () => {
    const spans = tracing();
    stops.pop()?.();
    const client = await opened(await taker());
    await within(2_000, client.close());
    expect(spans).toEqual([]);
    for (const name of NAMES) expect(channel(name).hasSubscribers).toBe(false);
  });
});
