/**
 * The end-to-end test as a client sees it: one list for every runtime, without a `node:` import. What the servers
 * have seen of it is judged by servers.mjs, under the same names.
 *
 * A scenario returns nothing where all is well, `{ note }` where that has a condition, `{ refused }` where the runtime
 * cannot do it and the package has said so, and throws else. `given.able` says what a runtime can do; a runtime that can do
 * more, or less, than is said there fails.
 */
import { largeMessage, smallMessage } from './messages.mjs';

const MANY = 50;

function check(holds, what) {
  if (!holds) throw new Error(what);
}

function equal(actual, expected, what) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  check(is === should, `${what}: ${is}, not ${should}`);
}

/** What an action is rejected with. */
async function failureOf(action) {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

const told = (error) => `${error.name}: ${error.message}`;

/** What the action is refused with, by TypeError, before anything is connected. */
async function refusal(action, message) {
  const error = await failureOf(action);
  check(error instanceof TypeError, `no TypeError: ${told(error)}`);
  equal(error.message, message, 'the TypeError says');
  return { refused: told(error) };
}

async function smtpFailure({ isSmtpError }, action, expected) {
  const error = await failureOf(action);
  check(isSmtpError(error), `no SmtpError: ${told(error)}`);
  const { code, phase, delivery } = error;
  const { code: a = code, phase: b = phase, delivery: c = delivery } = expected;
  if (code !== a || phase !== b || delivery !== c)
    throw new Error(`${code} in ${phase}, ${delivery}, not ${a} in ${b}, ${c}: ${error.message}`);
  return error;
}

/** The options for one of the scenario's servers. */
function to(given, server, more = {}) {
  const { port, ca } = given.servers[server];
  const { tlsOptions, ...others } = more;
  return {
    host: 'localhost',
    port,
    // Without a local address there is no default for it.
    ...(given.able.localAddress ? {} : { name: 'client.example' }),
    ...(given.able.tlsOptions
      ? { tlsOptions: { ca, ...tlsOptions } }
      : tlsOptions && { tlsOptions }),
    ...others,
  };
}

const login = ({ user, pass }) => ({ auth: { user, pass } });

async function sendOne(given, options) {
  const client = await given.connect(options);
  equal(client.secure, true, 'secure');
  const { reply, accepted } = await client.send(smallMessage(given, 1));
  equal([reply.code, accepted], [250, ['reader@example.net']], 'the receipt');
  await client.close();
  return client;
}

async function sendMany(given, pipelining, most) {
  const client = await given.connect(to(given, 'server', { ...login(given), pipelining }));
  equal(client.pipelining, pipelining, 'the pipelining');
  const before = client.roundTrips;
  const messages = Array.from({ length: MANY }, (_, at) => smallMessage(given, at));
  const order = [];
  const receipts = await Promise.all(
    messages.map(async (message, at) => {
      const receipt = await client.send(message);
      order.push(at);
      return receipt;
    }),
  );
  equal(
    order,
    messages.map((_, at) => at),
    'the order of the receipts',
  );
  equal(
    receipts.map(({ octets }) => octets),
    messages.map(({ size }) => size),
    'the octets of the receipts',
  );
  const waits = client.roundTrips - before;
  check(waits <= most, `${waits} waits for ${MANY} messages, not ${most} at most`);
  await client.close();
}

async function sendLarge(given, by) {
  const client = await given.connect(to(given, 'server', login(given)));
  const message = largeMessage(given, by);
  const progress = [];
  const receipt = await client.send(message, {
    onProgress: (octets, size) => progress.push([octets, size]),
  });
  equal([receipt.reply.code, receipt.octets], [250, message.size], 'the receipt');
  equal(progress.at(-1), [message.size, message.size], 'the last progress');
  await client.close();
}

async function sendByPool(given, more) {
  const pool = given.createPool(
    to(given, 'server', { ...login(given), maxConnections: 3, maxMessages: 5, ...more }),
  );
  const sent = Array.from({ length: 20 }, (_, at) => pool.send(smallMessage(given, at)));
  equal([...new Set((await Promise.all(sent)).map(({ reply }) => reply.code))], [250], 'codes');
  equal([pool.stats.sent, pool.stats.failed], [20, 0], 'sent and failed');
  await pool.close();
  equal(pool.stats.connections, 0, 'the connections left');
}

/** A certificate that is not to be trusted: by STARTTLS, and from the first octet. */
async function untrusted(given) {
  const { implicitTlsError } = given.able;
  await smtpFailure(given, () => given.connect(to(given, 'starttls', login(given))), {
    code: 'ERR_SMTP_TLS',
    phase: 'tls',
    delivery: 'not-sent',
  });
  await smtpFailure(
    given,
    () => given.connect(to(given, 'implicit', { ...login(given), tls: 'implicit' })),
    { code: implicitTlsError, delivery: 'not-sent' },
  );
  return implicitTlsError === 'ERR_SMTP_TLS'
    ? {}
    : {
        note: `with implicit TLS it is ${implicitTlsError}: the runtime does not tell the handshake from the connection`,
      };
}

/** One of `tlsOptions`, or `localAddress`, where the runtime cannot honour it. */
const unusable = (given, name, options) =>
  refusal(() => given.connect(options), `Cannot use ${name} on cloudflare:sockets`);

export const scenarios = [
  {
    name: 'implicit TLS, AUTH PLAIN',
    run: (given) =>
      sendOne(given, to(given, 'server', { ...login(given), tls: 'implicit', host: '127.0.0.1' })),
  },
  {
    name: 'STARTTLS, AUTH PLAIN',
    run: (given) => sendOne(given, to(given, 'server', login(given))),
  },
  {
    name: 'STARTTLS to an address',
    run: (given) => sendOne(given, to(given, 'server', { host: '127.0.0.1' })),
  },
  {
    name: 'no STARTTLS, no downgrade',
    run: (given) =>
      smtpFailure(given, () => given.connect(to(given, 'server', login(given))), {
        code: 'ERR_SMTP_TLS',
        phase: 'starttls',
        delivery: 'not-sent',
      }),
  },
  {
    name: 'AUTH SCRAM-SHA-256',
    async run(given) {
      const { user, pass, scramSha256 } = given;
      await sendOne(given, to(given, 'server', { auth: scramSha256({ user, pass }) }));
    },
  },
  {
    name: 'AUTH SCRAM-SHA-256-PLUS',
    async run(given) {
      const { user, pass, scramSha256, connect, able } = given;
      const options = to(given, 'server', { auth: scramSha256({ user, pass }) });
      if (able.channelBinding) return void (await sendOne(given, options));
      const error = await smtpFailure(given, () => connect(options), { code: 'ERR_SMTP_AUTH' });
      return { refused: told(error) };
    },
  },
  {
    name: 'SCRAM, 150,000 iterations',
    async run(given) {
      const { user, pass, scramSha256 } = given;
      await sendOne(given, to(given, 'server', { auth: scramSha256({ user, pass }) }));
    },
  },
  {
    name: '50 messages, overlap',
    run: (given) => sendMany(given, 'overlap', MANY + 2),
  },
  {
    name: '50 messages, flight',
    run: (given) => sendMany(given, 'flight', 4),
  },
  {
    name: '8 MiB from memory, DATA',
    run: (given) => sendLarge(given, 'octets'),
  },
  {
    name: '8 MiB from a stream, BDAT',
    run: (given) => sendLarge(given, 'stream'),
  },
  {
    name: 'abort in mid-content',
    async run(given) {
      const client = await given.connect(to(given, 'server', login(given)));
      const controller = new AbortController();
      async function* content() {
        yield new TextEncoder().encode(
          `Subject: aborted\r\n\r\n${'x'.repeat(62)}\r\n`.repeat(2_000),
        );
        // The rest is never there: whoever waits for it is told by the signal alone.
        await new Promise(() => {});
      }
      const why = new Error('enough');
      const sending = client.send(
        { from: 'sender@example.com', to: 'reader@example.net', content: content() },
        {
          signal: controller.signal,
          onProgress: () => setTimeout(() => controller.abort(why), 100),
        },
      );
      const error = await smtpFailure(given, () => sending, {
        code: 'ERR_SMTP_ABORTED',
        phase: 'content',
        delivery: 'not-sent',
      });
      equal(error.cause?.message, 'enough', 'the cause');
      await client.closed;
    },
  },
  { name: 'wrong CA', run: untrusted },
  { name: 'wrong name', run: untrusted },
  { name: 'pool, 20 messages', nodeModules: true, run: sendByPool },
  {
    name: 'pool with workersTransport',
    nodeModules: true,
    on: ({ workers }) => workers,
    run: (given) => sendByPool(given, { connect: undefined, transport: given.workersTransport }),
  },
  {
    name: "the provider's 554",
    async run(given) {
      const { attachment, compose, connect, explain } = given;
      const message = (name) =>
        compose({
          from: 'noreplay@devinotele.com',
          to: 'test@devinotele.com',
          subject: 'Привет',
          text: 'Hello',
          attachments: [attachment(name, 'content')],
        });
      const client = await connect(to(given, 'server', login(given)));
      const error = await smtpFailure(given, () => client.send(message('virus.exe')), {
        code: 'ERR_SMTP_REPLY',
        delivery: 'rejected',
      });
      equal(error.reply.code, 554, 'the reply');
      equal(explain(error.reply)?.reason, 'attachment-type', 'the reason');
      equal((await client.send(message('text.txt'))).reply.code, 250, 'the reply to the next one');
      await client.close();
    },
  },
  {
    name: 'tlsOptions.ca',
    async run(given) {
      const { able, connect, servers } = given;
      const options = to(given, 'server', { tlsOptions: { ca: servers.server.ca } });
      if (!able.tlsOptions) return unusable(given, 'ca', options);
      await sendOne(given, options);
      await smtpFailure(given, () => connect({ ...options, tlsOptions: {} }), {
        code: 'ERR_SMTP_TLS',
      });
    },
  },
  {
    name: 'tlsOptions.checkServerIdentity',
    async run(given) {
      const { able, connect } = given;
      const asked = [];
      const options = (answer) =>
        to(given, 'server', {
          tlsOptions: {
            checkServerIdentity: (name, certificate) => {
              asked.push([name, certificate.subjectaltname]);
              return answer;
            },
          },
        });
      if (!able.tlsOptions) return unusable(given, 'checkServerIdentity', options());
      await sendOne(given, options());
      await smtpFailure(given, () => connect(options(new Error('not pinned'))), {
        code: 'ERR_SMTP_TLS',
      });
      equal(
        asked.map(([name, names]) => [name, names.includes('DNS:localhost')]),
        Array(2).fill(['localhost', true]),
        'it was asked about',
      );
    },
  },
  {
    name: 'tlsOptions.rejectUnauthorized: false',
    async run(given) {
      const options = to(given, 'server', { tlsOptions: { rejectUnauthorized: false } });
      if (!given.able.tlsOptions) return unusable(given, 'rejectUnauthorized', options);
      await sendOne(given, options);
    },
  },
  {
    name: 'tlsOptions.servername',
    async run(given) {
      const options = to(given, 'server', {
        tls: 'implicit',
        host: '127.0.0.1',
        tlsOptions: { servername: 'localhost' },
      });
      if (!given.able.tlsOptions) return unusable(given, 'servername', options);
      await (await given.connect(options)).close();
    },
  },
  {
    name: 'tlsOptions.minVersion, maxVersion',
    async run(given) {
      const of = (name, version) =>
        to(given, 'server', { tls: 'implicit', tlsOptions: { [name]: version } });
      if (!given.able.tlsOptions) {
        await unusable(given, 'maxVersion', of('maxVersion', 'TLSv1.2'));
        return unusable(given, 'minVersion', of('minVersion', 'TLSv1.3'));
      }
      await (await given.connect(of('minVersion', 'TLSv1.3'))).close();
      await (await given.connect(of('maxVersion', 'TLSv1.2'))).close();
    },
  },
  {
    name: 'TLS 1.1 is not spoken',
    run: (given) =>
      smtpFailure(given, () => given.connect(to(given, 'server', { tls: 'implicit' })), {
        code: given.able.implicitTlsError,
        delivery: 'not-sent',
      }),
  },
  {
    name: 'tlsOptions.cert and key',
    async run(given) {
      const { cert, key } = given.servers.server;
      const options = to(given, 'server', { tls: 'implicit', tlsOptions: { cert, key } });
      if (!given.able.tlsOptions) return unusable(given, 'cert', options);
      await (await given.connect(options)).close();
    },
  },
  {
    name: 'TLS sessions are resumed',
    async run(given) {
      const options = to(given, 'server', { tls: 'implicit', resumption: {} });
      for (let time = 0; time < 2; time += 1) {
        const client = await given.connect(options);
        await client.noop();
        await client.close();
      }
      return given.able.resumption ? {} : { note: 'each connection makes a whole handshake' };
    },
  },
  {
    name: 'localAddress',
    async run(given) {
      const options = to(given, 'server', { tls: 'implicit', localAddress: '127.0.0.2' });
      if (!given.able.localAddress) return unusable(given, 'localAddress', options);
      await (await given.connect(options)).close();
    },
  },
  {
    name: 'core/diagnostics',
    on: ({ diagnostics }) => diagnostics,
    async run(given) {
      const { subscribe, diagnosedConnect } = given;
      const codes = [];
      const ended = [];
      subscribe('posthorn:reply', ({ text }) => codes.push(text.slice(0, 3)));
      subscribe('tracing:posthorn:transaction:asyncEnd', ({ result }) => ended.push(result.octets));
      await sendOne({ ...given, connect: diagnosedConnect }, to(given, 'server'));
      // Greeting, EHLO, STARTTLS, EHLO, MAIL, RCPT, BDAT, QUIT.
      equal(codes.join(' '), '220 250 220 250 250 250 250 221', 'the replies that were told');
      equal(ended, [smallMessage(given, 1).size], 'the octets that were told');
    },
  },
  {
    name: 'core/workers elsewhere',
    on: ({ workers }) => !workers,
    async run(given) {
      const error = await smtpFailure(
        given,
        () => given.workersConnect({ host: '127.0.0.1', port: 1, name: 'client.example' }),
        { code: 'ERR_SMTP_CONNECT', delivery: 'not-sent' },
      );
      check(error.message.includes('cloudflare'), `it is not told why: ${error.message}`);
      return { refused: told(error) };
    },
  },
  {
    // Its node:tls ignores certificates, versions and checks: whoever asks for one must not believe that it was made.
    name: 'connect() of core on Workers',
    nodeModules: true,
    on: ({ workers }) => workers,
    async run(given) {
      const { coreConnect, servers } = given;
      const tlsOptions = {
        ca: servers.other.ca,
        checkServerIdentity: () => new Error('not pinned'),
      };
      const error = await failureOf(() =>
        coreConnect({ ...to(given, 'server', login(given)), tlsOptions }),
      );
      check(error.message.includes('core/workers'), `not told what to do: ${told(error)}`);
      return { refused: told(error) };
    },
  },
  {
    name: 'a connection kept for the next request',
    on: ({ workers }) => workers,
    async run(given) {
      const { connect, shelf } = given;
      if (!shelf.client) {
        shelf.client = await connect(to(given, 'server', login(given)));
        await shelf.client.send(smallMessage(given, 1));
        return {};
      }
      const error = await smtpFailure(given, () => shelf.client.send(smallMessage(given, 2)), {
        code: 'ERR_SMTP_CLOSED',
      });
      return {
        refused: told(error)
          .replace(/request\. .*$/, 'request. …')
          .replace(/:\d+:/, ':'),
      };
    },
  },
];
