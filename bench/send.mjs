/** Sending: 2 KB messages with and without latency, set-up, and large messages. */

const SMALL = 2_046;
const POOL = 'nodemailer pool';
const CREDENTIALS = { user: 'user', pass: 'password' };

const RATE = [
  { key: 'rate', title: 'messages/s' },
  { key: 'cpu', title: 'CPU µs/message' },
  { key: 'rss', title: 'peak RSS MiB' },
];

/** Every message has arrived, and its octets as they were, where the client says how many they were. */
export const arrived = ({ messages, octets, gotMessages, gotOctets }) => [
  { what: 'messages that the sink got', value: gotMessages, exactly: messages },
  ...(octets === undefined
    ? []
    : [{ what: 'octets of content that the sink got', value: gotOctets, exactly: octets }]),
];

const posthorn = (name, connection, rest) => ({ name, client: 'posthorn', connection, ...rest });
const raw = (name, connection, rest) => ({ name, client: 'raw', connection, ...rest });
const flight = (transactions) => ({
  pipelining: 'flight',
  ...(transactions && { window: { transactions } }),
});

const PEERS = [
  { name: POOL, client: 'nodemailer-pool' },
  { name: 'nodemailer connection, awaited', client: 'nodemailer-connection', mode: 'awaited' },
  { name: 'emailjs', client: 'emailjs' },
];

const OURS = [
  posthorn('posthorn default, queued'),
  posthorn('posthorn, awaited', {}, { mode: 'awaited' }),
  { name: 'posthorn pool', client: 'posthorn-pool' },
];

const LIMITS = {
  CHUNKING: [
    raw('limit, 32 in flight', { chunking: true, window: 32 }),
    raw('limit, 256 in flight', { chunking: true, window: 256 }),
    raw('limit, awaited', { chunking: true }, { mode: 'awaited' }),
  ],
  PIPELINING: [
    raw('limit, overlapped', { chunking: false }),
    raw('limit, awaited', { chunking: false }, { mode: 'awaited' }),
  ],
};

/** 2 KB messages on one connection, without latency. */
function loopback(keyword, tls, quick) {
  const flights = keyword === 'CHUNKING' ? [posthorn('posthorn flight', flight())] : [];
  const server = { chunking: keyword === 'CHUNKING', tls };
  return {
    title: `2 KB, loopback, ${tls === 'off' ? 'plain' : 'TLS'}, ${keyword}`,
    base: POOL,
    key: 'rate',
    columns: RATE,
    variants: [...PEERS, ...flights, ...OURS, ...LIMITS[keyword]].map(({ name, ...job }) => ({
      name,
      gates: arrived,
      run: (context) =>
        context.play(server, {
          module: 'send',
          name: 'rate',
          options: {
            ...job,
            octets: SMALL,
            warm: quick ? 50 : 400,
            minimum: quick ? 50 : 500,
            largestBatch: 1_024,
          },
        }),
    })),
  };
}

/** The waits of a message, warm and queued, are bounded for ours; the peers' are what they are. */
const waitsAtMost = (most) => (sample) => [
  ...arrived(sample),
  { what: 'waits per message', value: sample.waits, most },
];

/** 2 KB messages on one connection with a round trip of 50 ms. */
function distant(recipients, quick) {
  const few = quick ? 3 : 16;
  // One wait more or less at the edges stays within the tenth that the bound allows.
  const groups = quick ? 12 : 20;
  const data = { chunking: false };
  const bdat = { chunking: true };
  const inFlight = (window) => ({
    ...posthorn(`posthorn flight, window ${window}`, flight(window)),
    server: bdat,
    warm: window,
    count: window * groups,
    gates: waitsAtMost(1.1 / window),
  });
  const limit = (window) => ({
    ...raw(`limit, ${window} in flight`, { chunking: true, window }),
    server: bdat,
    warm: window,
    count: window * groups,
  });
  const variants = [
    { ...PEERS[0], server: bdat, warm: 2, count: few },
    { ...PEERS[2], server: bdat, warm: 1, count: recipients > 1 ? 1 : Math.ceil(few / 4) },
    ...[data, bdat].map((server) => ({
      ...posthorn(`posthorn default, ${server === data ? 'DATA' : 'BDAT'}`),
      server,
      warm: 4,
      count: few * 2,
      gates: waitsAtMost(1.02),
    })),
    inFlight(32),
    inFlight(256),
    {
      ...raw('limit, DATA overlapped', { chunking: false }),
      server: data,
      warm: 4,
      count: few * 2,
    },
    limit(32),
    limit(256),
  ];
  return {
    title: `2 KB, 50 ms round trip, ${recipients === 1 ? '1 recipient' : `${recipients} recipients`}`,
    base: POOL,
    key: 'rate',
    columns: [...RATE, { key: 'waits', title: 'waits/message' }],
    variants: variants.map(({ name, server, gates = arrived, ...job }) => {
      const over = (latency) => (context) =>
        context.play(
          { ...server, latency },
          { module: 'send', name: 'queued', options: { ...job, octets: SMALL, recipients } },
        );
      // On a longer line the same waits are counted, and what the machine takes is less of it.
      return { name, gates, run: over(25), recount: over(100) };
    }),
  };
}

/** From nothing to ready, cold, with a round trip of 50 ms. */
function setUp(title, tls, auth, most) {
  const clients = [
    { name: 'nodemailer connection', client: 'nodemailer-connection' },
    { name: 'emailjs', client: 'emailjs' },
    { name: 'posthorn', client: 'posthorn', most },
  ];
  return {
    title: `Set-up, 50 ms round trip, ${title}`,
    base: 'nodemailer connection',
    key: 'ready',
    lessIsBetter: true,
    columns: [
      { key: 'waits', title: 'waits' },
      { key: 'ready', title: 'connected after ms' },
    ],
    variants: clients.map(({ name, client, most: bound }) => ({
      name,
      gates: ({ waits }) =>
        bound ? [{ what: 'waits until ready', value: waits, most: bound }] : [],
      run: (context) =>
        context.play(
          { chunking: true, tls, auth, latency: 25 },
          {
            module: 'send',
            name: 'setUp',
            options: { client, connection: auth ? { auth: CREDENTIALS } : {} },
          },
        ),
    })),
  };
}

/** One message of 100 MB that is in memory. */
function large(tls, quick) {
  const octets = quick ? 5_000_000 : 100_000_000;
  const data = { chunking: false, tls };
  const bdat = { chunking: true, tls };
  const variants = [
    { ...PEERS[0], server: bdat },
    { ...PEERS[1], server: bdat },
    { ...PEERS[2], server: bdat },
    { ...posthorn('posthorn, DATA'), server: data },
    { ...posthorn('posthorn, BDAT'), server: bdat },
    { ...raw('limit, DATA', { chunking: false }), server: data },
    { ...raw('limit, BDAT', { chunking: true }), server: bdat },
  ];
  return {
    title: `${octets / 1e6} MB message in memory, ${tls === 'off' ? 'plain' : 'TLS'}`,
    base: POOL,
    key: 'megabytes',
    columns: [
      { key: 'megabytes', title: 'MB/s' },
      { key: 'cpu', title: 'CPU µs/message' },
      { key: 'rss', title: 'peak RSS MiB' },
    ],
    variants: variants.map(({ name, server, ...job }) => ({
      name,
      gates: arrived,
      run: (context) =>
        context.play(server, {
          module: 'send',
          name: 'rate',
          options: { ...job, mode: 'awaited', octets, warm: 1, minimum: 400, largestBatch: 1 },
        }),
    })),
  };
}

const STREAMED = [
  { key: 'megabytes', title: 'MB/s' },
  { key: 'cpu', title: 'CPU s' },
  { key: 'rss', title: 'peak RSS MiB' },
];

/** One message from a stream, in a process that does nothing else. */
function streamed({ title, key, lessIsBetter = false, size, how, rate, peers, bound }) {
  const variants = [
    ...peers,
    { ...posthorn('posthorn, DATA'), chunking: false },
    { ...posthorn('posthorn, BDAT'), chunking: true },
  ];
  return {
    title,
    base: POOL,
    key,
    lessIsBetter,
    maxRounds: 3,
    columns: STREAMED,
    variants: variants.map(({ name, chunking = true, ...job }) => ({
      name,
      gates: arrived,
      run: (context) =>
        context.play(
          { chunking, ...(rate && { rate }) },
          { module: 'send', name: 'streamed', options: { size, how, ...job } },
          bound,
        ),
    })),
  };
}

/** A file of 1 GB, composed and sent. */
export function attached(quick) {
  const size = quick ? 30_000_000 : 1_000_000_000;
  return streamed({
    title: `${quick ? '30 MB' : '1 GB'} attachment from a stream, composed and sent`,
    key: 'megabytes',
    size,
    how: 'attach',
    peers: [PEERS[0], PEERS[2]],
    bound: 120_000,
  });
}

/** 300 MB to a receiver that reads 50 MB/s: what the client keeps in memory meanwhile. */
export function slowReceiver(quick) {
  const size = quick ? 15_000_000 : 300_000_000;
  return streamed({
    title: `${size / 1e6} MB from a stream, receiver reads 50 MB/s`,
    key: 'rss',
    lessIsBetter: true,
    size,
    how: 'stream',
    rate: 50_000_000,
    // What emailjs sends from a stream is a file, of which it makes a third more.
    peers: [PEERS[0], { ...PEERS[2], how: 'attach', size: Math.round((size * 3) / 4) }],
    bound: 120_000,
  });
}

export const tables = ({ quick }) => [
  loopback('CHUNKING', 'off', quick),
  loopback('PIPELINING', 'off', quick),
  loopback('CHUNKING', 'implicit', quick),
  loopback('PIPELINING', 'implicit', quick),
  distant(1, quick),
  distant(20, quick),
  setUp('plain', 'off', false, 1),
  setUp('implicit TLS and AUTH', 'implicit', true, 4),
  setUp('STARTTLS and AUTH', 'starttls', true, 5),
  large('off', quick),
  large('implicit', quick),
  attached(quick),
  slowReceiver(quick),
];
