/** What goes wrong at a server, by the stage at which it does. */

/**
 * - `RST`, `FIN`: the connection is reset, or closed
 * - `stall`: nothing is said any more; `late`: it is said when the client has given up
 * - `drip`: it is said octet by octet; `slow`: after a pause
 * - `garbage`: something else is said, that is no reply
 * - digits: this reply in place of the right one; with 421 it closes behind it
 * - `kept, …`: the message is accepted, and its reply does not arrive as it should
 *
 * No reply comes twice: with PIPELINING (RFC 2920) nobody could tell which command the second one answers, and what is told of
 * a message would be the server's lie.
 */
const FAULTS = {
  connect: ['RST', 'FIN', 'stall', 'drip', 'slow', 'garbage', '421', '554'],
  handshake: ['RST', 'FIN', 'stall', 'garbage', 'wrong-host', 'expired', 'self-signed'],
  hello: ['RST', 'FIN', 'stall', 'drip', 'slow', 'garbage', '421', '502', '550'],
  starttls: ['RST', 'FIN', 'stall', 'garbage', '421', '454'],
  auth: ['RST', 'FIN', 'stall', 'drip', 'garbage', '421', '454', '535', '334'],
  command: ['RST', 'FIN', 'stall', 'late', 'drip', 'slow', 'garbage', '421', '451', '550', '354'],
  // RFC 5321 §4.1.1.5: the receiver "MUST send" 250 to it. In one group with BDAT it cannot be otherwise.
  reset: ['RST', 'FIN', 'stall', 'drip', 'slow', 'garbage', '421'],
  content: ['RST', 'FIN', 'stall', 'pause', 'early 451', 'early 421'],
  final: [
    'RST',
    'FIN',
    'stall',
    'drip',
    'slow',
    'garbage',
    '421',
    '451',
    '550',
    '354',
    'kept, RST',
    'kept, FIN',
    'kept, stall',
    'kept, late',
    'kept, cut',
    'kept, garbage',
    'kept, 421',
  ],
  quit: ['RST', 'FIN', 'stall', 'drip', 'garbage'],
};

/** What leaves a client waiting: not for who has no short deadlines. */
const LASTS = /stall|late/;

/** What may go wrong at a stage. */
export const faultsAt = (stage, stalls) =>
  stalls ? FAULTS[stage] : FAULTS[stage].filter((kind) => !LASTS.test(kind));

/** All of them: `final: kept, cut`. */
export const ALL = Object.entries(FAULTS).flatMap(([stage, kinds]) =>
  kinds.map((kind) => `${stage}: ${kind}`),
);

/** What one connection is like: what it offers, and how often something goes wrong on it. */
export function characterOf({ next, once, below }, { tls = false, lmtp = false, stalls = true }) {
  const keywords = ['8BITMIME', 'ENHANCEDSTATUSCODES'];
  if (!once(4)) keywords.push('PIPELINING');
  if (once(2)) keywords.push('CHUNKING', 'BINARYMIME');
  if (once(2)) keywords.push('SIZE 10000000', 'SMTPUTF8');
  if (once(8)) keywords.push('PRDR');
  if (once(5)) keywords.push(`LIMITS RCPTMAX=${1 + below(2)} MAILMAX=${1 + below(9)}`);
  return {
    keywords,
    lmtp,
    implicit: tls,
    stalls,
    offersTls: !lmtp && !once(30),
    auth: once(2) ? 'AUTH PLAIN LOGIN' : 'AUTH LOGIN',
    rate: next() < 0.8 ? 0.003 : 0.1,
  };
}
