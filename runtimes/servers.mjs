/**
 * The end-to-end test as its servers see it: for each scenario the servers that it connects to, and what they must have
 * seen. They run in the process that judges; a client's word counts nowhere here.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import {
  createCertificateAuthority,
  startSandbox,
  startScriptedServer,
  steps,
} from '@posthorn/conformance';
import * as mime from '@posthorn/mime';
import { dialogueOf, saidOn } from './deliveries.mjs';
import { blocks, largeMessage, octetsOf, smallMessage } from './messages.mjs';
import { startObserver } from './observer.mjs';

export const CREDENTIALS = { user: 'tester@example.com', pass: 'correct horse', token: 'none' };

const { send, converse, starttls, auth } = steps;
const BASE = ['8BITMIME', 'SMTPUTF8', 'SIZE 50000000', 'AUTH PLAIN LOGIN'];
const DATA = ['PIPELINING', ...BASE];
const BDAT = ['CHUNKING', ...DATA];
const withAuth = (...mechanisms) => [
  ...BDAT.filter((keyword) => !keyword.startsWith('AUTH')),
  `AUTH ${mechanisms.join(' ')}`,
];

const greeted = (manners) => [send('220 mail.example.com ESMTP'), converse(manners)];

/** A server that plays, and what it has recorded. */
async function scripted(plan) {
  const server = await startScriptedServer(plan, { credentials: CREDENTIALS });
  return {
    port: server.port,
    ca: server.ca,
    close: () => server.close(),
    seen() {
      assert.deepEqual(server.findings, []);
      const connections = server.transcript.map((events) => {
        const { plain, secured } = saidOn(events);
        return { events, plain, secured, ...dialogueOf(secured) };
      });
      const messages = connections.flatMap((connection) => connection.messages);
      return { connections, messages };
    },
  };
}

const overStartTls = (keywords, answers = {}) =>
  scripted({ engine: 'scripted', scripts: [greeted({ secure: keywords, answers })] });
const fromTheFirst = (keywords, situation = 'good') =>
  scripted({ engine: 'scripted', implicit: situation, scripts: [greeted({ offers: keywords })] });

const one = (server) => async () => ({ server: await server() });

const octets = (text) => Buffer.from(text, 'latin1');

function assertSame(content, expected, what) {
  assert.equal(content.length, expected.length, `${what}: octets`);
  const at = content.findIndex((octet, place) => octet !== expected[place]);
  assert.equal(at, -1, `${what}: octet ${at} differs`);
}

/** Each message is there, once, whole, in its order, with its envelope. */
async function assertSeries(messages, count) {
  assert.equal(messages.length, count, 'messages');
  for (const [at, { complete, content, envelope }] of messages.entries()) {
    assert.ok(complete, `message ${at} is complete`);
    assert.match(
      envelope.join(),
      /^MAIL FROM:<sender@example.com>[^<]*,RCPT TO:<reader@example.net>$/,
    );
    assertSame(octets(content), await smallMessage(mime, at).bytes(), `message ${at}`);
  }
}

/** One message by one connection, and nothing but EHLO and STARTTLS outside TLS. */
const single =
  (plain, commands) =>
  async ({ server: { connections, messages } }) => {
    assert.equal(connections.length, 1, 'connections');
    const [connection] = connections;
    assert.match(connection.plain, plain);
    if (commands) assert.match(connection.commands.join(' | '), commands);
    assert.equal(messages.length, 1, 'messages');
    assert.ok(messages[0].complete, 'it is complete');
    assertSame(octets(messages[0].content), await smallMessage(mime, 1).bytes(), 'the message');
  };

const NOTHING = /^$/;
const STARTTLS = /^EHLO \S+\r\nSTARTTLS\r\n$/;
const toldPlain = Buffer.from(`\0${CREDENTIALS.user}\0${CREDENTIALS.pass}`).toString('base64');
const BY_PLAIN = new RegExp(`AUTH PLAIN ${toldPlain} \\| MAIL`);

const nothingSaid = ({ server: { connections } }) =>
  assert.equal(connections.length, 0, 'connections');
/** What was refused has connected to nobody; the rest is judged. */
const unlessRefused =
  (judge) =>
  (seen, outcome, ...others) =>
    outcome.refused ? nothingSaid(seen) : judge(seen, outcome, ...others);

async function assertLarge({ server: { connections, messages } }, by) {
  assert.equal(connections.length, 1, 'connections');
  assert.equal(messages.length, 1, 'messages');
  assert.ok(messages[0].complete, 'it is complete');
  const content = octets(messages[0].content);
  assertSame(content, await largeMessage(mime, by).bytes(), 'the message');
  // By another way than it was composed: the attachment is what it was.
  const [, encoded] =
    /Content-Disposition: attachment(?:.+\r\n)+\r\n([A-Za-z\d+/=\r\n]+)\r\n--/.exec(
      messages[0].content,
    ) ?? [];
  assertSame(Buffer.from(encoded ?? '', 'base64'), octetsOf(blocks()), 'the attachment');
}

const untrusted = (situation) => ({
  start: async () => ({
    starttls: await overStartTls(BDAT, {
      STARTTLS: [send('220 2.0.0 go ahead'), starttls(situation)],
    }),
    implicit: await fromTheFirst(BDAT, situation),
  }),
  judge(seen) {
    for (const { connections } of Object.values(seen)) {
      assert.equal(connections.length, 1, 'connections');
      assert.equal(connections[0].secured, '', 'nothing was said under TLS');
    }
    assert.match(seen.starttls.connections[0].plain, STARTTLS);
    assert.equal(seen.implicit.connections[0].plain, '', 'nothing was said outside TLS');
  },
});

/** What the client said before the server said anything again, piece by piece. */
function turns({ events }) {
  const pieces = [''];
  for (const { who, text } of events) {
    if (who === 'client') pieces.push(pieces.pop() + text);
    else if (who === 'server' && pieces.at(-1) !== '') pieces.push('');
  }
  return pieces;
}

/** How many messages had their envelope behind the content before them, without a reply in between. */
const overlapping = (connection) =>
  turns(connection).reduce(
    (sum, piece) => sum + (piece.match(/\r\n\.\r\nMAIL FROM:/g)?.length ?? 0),
    0,
  );

/** How many messages ended without a reply in between, at the most. */
const atOnce = (connection) =>
  Math.max(...turns(connection).map((piece) => piece.match(/BDAT \d+ LAST\r\n/g)?.length ?? 0));

/** What the documents give an example of. */
export const DOCUMENTED = 'the worker of docs/runtimes.md';

const provider = {
  credentials: { user: '1website', pass: 'test' },
  start: async () => {
    const sandbox = await startSandbox({ http: false, attachments: ['exe'] });
    const seen = () => ({ messages: sandbox.inbox.messages, refused: sandbox.refused });
    return { server: { port: sandbox.smtp, ca: sandbox.ca, close: () => sandbox.close(), seen } };
  },
};

const pool = {
  start: one(() => overStartTls(DATA)),
  async judge({ server: { connections, messages } }) {
    assert.ok(connections.length >= 4, `${connections.length} connections of 5 messages at most`);
    for (const connection of connections) {
      assert.ok(connection.messages.length <= 5, `${connection.messages.length} on one of them`);
      // One that came too late for a message may be cut off.
      if (connection.messages.length > 0) assert.equal(connection.commands.at(-1), 'QUIT');
    }
    const number = ({ content }) => Number(/number (\d+)/.exec(content)?.[1]);
    await assertSeries(
      messages.toSorted((a, b) => number(a) - number(b)),
      20,
    );
  },
};

export const plays = {
  'implicit TLS, AUTH PLAIN': {
    start: one(() => fromTheFirst(BDAT)),
    judge: single(NOTHING, BY_PLAIN),
  },
  'STARTTLS, AUTH PLAIN': {
    start: one(() => overStartTls(BDAT)),
    judge: single(STARTTLS, BY_PLAIN),
  },
  'STARTTLS to an address': {
    start: one(() => overStartTls(BDAT)),
    judge: single(STARTTLS),
  },
  'no STARTTLS, no downgrade': {
    start: one(() => scripted({ engine: 'scripted', scripts: [greeted({ offers: BDAT })] })),
    judge({ server: { connections } }) {
      assert.equal(connections.length, 1, 'connections');
      assert.match(connections[0].plain, /^EHLO \S+\r\n(QUIT\r\n)?$/);
    },
  },
  'AUTH SCRAM-SHA-256': {
    start: one(() => overStartTls(withAuth('PLAIN', 'SCRAM-SHA-256'))),
    judge: single(STARTTLS, /AUTH SCRAM-SHA-256 \S+ \| MAIL/),
  },
  'AUTH SCRAM-SHA-256-PLUS': {
    start: one(() => overStartTls(withAuth('SCRAM-SHA-256-PLUS'))),
    judge(seen, outcome) {
      if (!outcome.refused) return single(STARTTLS, /AUTH SCRAM-SHA-256-PLUS \S+ \| MAIL/)(seen);
      assert.doesNotMatch(seen.server.connections[0].secured, /AUTH|MAIL/);
    },
  },
  'SCRAM, 150,000 iterations': {
    start: one(() =>
      overStartTls(withAuth('SCRAM-SHA-256'), { AUTH: auth({ iterations: 150_000 }) }),
    ),
    judge: single(STARTTLS, /AUTH SCRAM-SHA-256 \S+ \| MAIL/),
  },
  '50 messages, overlap': {
    start: one(() => overStartTls(DATA)),
    async judge({ server: { connections, messages } }) {
      assert.equal(connections.length, 1, 'connections');
      await assertSeries(messages, 50);
      const envelopes = overlapping(connections[0]);
      assert.ok(envelopes >= 45, `${envelopes} envelopes came behind the content before them`);
    },
  },
  '50 messages, flight': {
    start: one(() => overStartTls(BDAT)),
    async judge({ server: { connections, messages } }) {
      assert.equal(connections.length, 1, 'connections');
      await assertSeries(messages, 50);
      const together = atOnce(connections[0]);
      assert.ok(together >= 5, `${together} messages came at once, at the most`);
    },
  },
  '8 MiB from memory, DATA': {
    start: one(() => overStartTls(DATA)),
    judge: (seen) => assertLarge(seen, 'octets'),
  },
  '8 MiB from a stream, BDAT': {
    start: one(() => overStartTls(BDAT)),
    judge: (seen) => assertLarge(seen, 'stream'),
  },
  'abort in mid-content': {
    start: one(() => overStartTls(DATA)),
    judge({ server: { connections, messages } }) {
      assert.equal(connections.length, 1, 'connections');
      assert.equal(messages.length, 1, 'messages that were begun');
      assert.equal(messages[0].complete, false, 'it is complete');
      assert.ok(messages[0].content.length > 10_000, 'its content was begun');
      assert.ok(
        connections[0].events.some(({ who }) => who === 'end'),
        'the connection has ended',
      );
    },
  },
  'wrong CA': untrusted('unknown-ca'),
  'wrong name': untrusted('wrong-host'),
  'pool, 20 messages': pool,
  'pool with workersTransport': pool,
  "the provider's 554": {
    ...provider,
    judge({ server: { messages, refused } }) {
      assert.equal(messages.length, 1, 'messages');
      assert.equal(messages[0].subject, 'Привет');
      assert.equal(refused.length, 1, 'refusals');
    },
  },
  [DOCUMENTED]: {
    ...provider,
    judge({ server: { messages } }, { text }) {
      assert.equal(messages.length, 1, 'messages');
      assert.equal(messages[0].text.trim(), text);
    },
  },
  'tlsOptions.ca': {
    start: one(() => overStartTls(BDAT)),
    judge: unlessRefused(({ server: { connections, messages } }) => {
      assert.equal(connections.length, 2, 'connections');
      assert.equal(connections[1].secured, '', 'nothing was said without trust');
      assert.equal(messages.length, 1, 'messages');
    }),
  },
  'tlsOptions.checkServerIdentity': {
    start: one(() => overStartTls(BDAT)),
    judge: unlessRefused(({ server: { connections, messages } }) => {
      assert.equal(connections.length, 2, 'connections');
      assert.equal(connections[1].secured, '', 'nothing was said without trust');
      assert.equal(messages.length, 1, 'messages');
    }),
  },
  'tlsOptions.rejectUnauthorized: false': {
    start: one(() =>
      overStartTls(BDAT, { STARTTLS: [send('220 2.0.0 go ahead'), starttls('unknown-ca')] }),
    ),
    judge: unlessRefused(single(STARTTLS)),
  },
  'tlsOptions.servername': {
    start: one(startObserver),
    judge: unlessRefused(({ server: { connections } }) => {
      assert.deepEqual(
        connections.map(({ servername }) => servername),
        ['localhost'],
      );
    }),
  },
  'tlsOptions.minVersion, maxVersion': {
    start: one(startObserver),
    judge: unlessRefused(({ server: { connections } }) => {
      assert.deepEqual(
        connections.map(({ protocol }) => protocol),
        ['TLSv1.3', 'TLSv1.2'],
      );
    }),
  },
  'TLS 1.1 is not spoken': {
    start: one(() => fromTheFirst(BDAT, 'old-tls')),
    judge({ server: { connections } }) {
      assert.equal(connections.length, 1, 'connections');
      assert.equal(connections[0].secured, '', 'nothing was said under TLS');
      assert.ok(
        connections[0].events.some(({ who }) => who === 'tls-failed'),
        'TLS has failed',
      );
    },
  },
  'tlsOptions.cert and key': {
    start: async () => {
      const own = await (await createCertificateAuthority()).issue();
      const { fingerprint256 } = new X509Certificate(own.cert);
      return { server: { ...(await startObserver()), given: own, fingerprint256 } };
    },
    judge: unlessRefused(({ server: { connections } }, _outcome, servers) => {
      assert.deepEqual(
        connections.map(({ fingerprint256 }) => fingerprint256),
        [servers.server.fingerprint256],
      );
    }),
  },
  'TLS sessions are resumed': {
    start: one(startObserver),
    judge({ server: { connections } }, outcome) {
      assert.deepEqual(
        connections.map(({ resumed }) => resumed),
        [false, !outcome.note],
      );
    },
  },
  localAddress: {
    start: one(startObserver),
    judge: unlessRefused(({ server: { connections } }) => {
      assert.deepEqual(
        connections.map(({ remoteAddress }) => remoteAddress),
        ['127.0.0.2'],
      );
    }),
  },
  'core/diagnostics': {
    start: one(() => overStartTls(BDAT)),
    judge: single(STARTTLS),
  },
  'core/workers elsewhere': { start: async () => ({}), judge() {} },
  'connect() of core on Workers': {
    start: async () => ({ server: await overStartTls(BDAT), other: await startObserver() }),
    judge: nothingSaid,
  },
  'a connection kept for the next request': {
    requests: 2,
    start: one(() => overStartTls(BDAT)),
    judge: single(STARTTLS, BY_PLAIN),
  },
};
