/**
 * An SMTP sink that is faster than any client: it takes everything, keeps nothing, and counts messages and their octets.
 * The end of DATA is found with the native indexOf(), content of BDAT is skipped by its count, and all replies to a chunk
 * of the stream leave in one write. It checks no order of commands: what it measures are clients that know theirs.
 */
import { createServer } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { isService, serve } from './service.mjs';

const END = Buffer.from('\r\n.\r\n');
const CRLF = Buffer.from('\r\n');
const NOTHING = Buffer.alloc(0);
const QUEUED = '250 2.0.0 Ok: queued\r\n';
/** A reader of limited rate that is this far ahead, in ms, takes a pause. */
const AHEAD = 5;

/**
 * @param options.chunking - offers CHUNKING. PIPELINING, 8BITMIME and SIZE are always offered
 * @param options.tls - 'off' (default), 'implicit', or 'starttls'
 * @param options.certificate - `{ cert, key }` in PEM, for TLS
 * @param options.auth - offers AUTH PLAIN and LOGIN, and takes every password
 * @param options.rate - octets/s that are read of each connection. Default: all that come
 * @returns the port on 127.0.0.1; `counts()`, all since the last `reset()`; `close()`
 */
export async function startSink(options = {}) {
  const { tls = 'off', certificate } = options;
  const counts = { connections: 0, messages: 0, octets: 0 };
  const sockets = new Set();
  const context = tls === 'off' ? undefined : createSecureContext(certificate);
  const accept = (socket) => {
    counts.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    attend(socket, { ...options, context, secure: tls === 'implicit' }, counts);
  };
  const server =
    tls === 'implicit'
      ? createTlsServer({ ...certificate, noDelay: true }, accept)
      : createServer({ noDelay: true }, accept);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: server.address().port,
    counts: () => ({ ...counts }),
    reset: () => void Object.assign(counts, { connections: 0, messages: 0, octets: 0 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function capabilities({ chunking, auth, context, secure }) {
  const keywords = ['sink', 'PIPELINING', '8BITMIME'];
  if (chunking) keywords.push('CHUNKING');
  if (context && !secure) keywords.push('STARTTLS');
  if (auth && (secure || !context)) keywords.push('AUTH PLAIN LOGIN');
  keywords.push('SIZE 0');
  return keywords
    .map((keyword, at) => `250${at < keywords.length - 1 ? '-' : ' '}${keyword}\r\n`)
    .join('');
}

/** Speaks with one client. */
function attend(socket, settings, counts) {
  const ehlo = capabilities(settings);
  const pace = settings.rate ? paced(socket, settings.rate) : () => {};
  /** The beginning of a command line, or nothing. */
  let line = NOTHING;
  /** The last four octets of content at most; undefined outside DATA. */
  let tail;
  /** Octets of a BDAT chunk that are still to come; -1 outside BDAT. */
  let left = -1;
  /** Whether that chunk ends its message. */
  let isLast = true;
  /** What the next lines are answered with, in place of commands. */
  let challenges = [];

  const reply = (text) => socket.write(text, 'latin1');

  const upgrade = () => {
    socket.removeListener('data', onData);
    reply('220 2.0.0 Go ahead\r\n');
    const secured = new TLSSocket(socket, { isServer: true, secureContext: settings.context });
    attend(secured, { ...settings, secure: true, upgraded: true }, counts);
  };

  const endOfChunk = () => {
    if (isLast) counts.messages += 1;
    return isLast ? QUEUED : '250 2.0.0 Ok\r\n';
  };

  /** The reply to a command, and what comes with it. */
  const answer = (command) => {
    const [verb, argument, initial] = command.split(/ +/, 3);
    switch (verb.toUpperCase()) {
      case 'EHLO':
        return ehlo;
      case 'AUTH':
        if (argument?.toUpperCase() === 'LOGIN')
          challenges = ['334 UGFzc3dvcmQ6\r\n', '235 2.7.0 Ok\r\n'];
        else if (initial === undefined) challenges = ['235 2.7.0 Ok\r\n'];
        else return '235 2.7.0 Ok\r\n';
        return challenges.length > 1 ? '334 VXNlcm5hbWU6\r\n' : '334 \r\n';
      case 'HELO':
      case 'NOOP':
        return '250 2.0.0 Ok\r\n';
      default:
        return '500 5.5.1 What?\r\n';
    }
  };

  const onData = (received) => {
    pace(received.length);
    let chunk = received;
    if (line.length > 0) {
      chunk = Buffer.concat([line, received]);
      line = NOTHING;
    }
    let replies = '';
    let at = 0;
    while (at < chunk.length) {
      if (left >= 0) {
        const taken = Math.min(left, chunk.length - at);
        at += taken;
        left -= taken;
        counts.octets += taken;
        if (left > 0) break;
        left = -1;
        replies += endOfChunk();
        continue;
      }
      if (tail !== undefined) {
        const end = endOfContent(chunk, at, tail);
        if (end < 0) {
          counts.octets += chunk.length - at;
          tail = lastOf(tail, chunk.subarray(at));
          break;
        }
        // The dot and its CRLF are no content.
        counts.octets += end - at - 3;
        counts.messages += 1;
        tail = undefined;
        at = end;
        replies += QUEUED;
        continue;
      }
      const end = chunk.indexOf(10, at);
      if (end < 0) {
        line = chunk.subarray(at);
        break;
      }
      const begin = at;
      at = end + 1;
      if (challenges.length > 0) {
        replies += challenges.shift();
        continue;
      }
      // Upper case of the first letter decides what comes thousands of times; the others are read as text.
      switch (chunk[begin] & 0xdf) {
        case 0x4d: // MAIL
          replies += '250 2.1.0 Ok\r\n';
          break;
        case 0x42: {
          // BDAT
          const command = chunk.latin1Slice(begin + 5, end);
          left = Number.parseInt(command, 10);
          isLast = /last/i.test(command);
          if (left === 0) {
            left = -1;
            replies += endOfChunk();
          }
          break;
        }
        case 0x44: // DATA
          replies += '354 Go ahead\r\n';
          tail = CRLF;
          break;
        case 0x52: // RCPT or RSET
          replies += '250 2.1.5 Ok\r\n';
          break;
        case 0x51: // QUIT
          socket.end(`${replies}221 2.0.0 Bye\r\n`);
          return;
        case 0x53: // STARTTLS
          if (settings.context && !settings.secure) return upgrade();
          replies += '503 5.5.1 No\r\n';
          break;
        default:
          replies += answer(chunk.latin1Slice(begin, end).trimEnd());
      }
    }
    if (replies !== '') reply(replies);
  };

  // A client that goes away is none of the sink's business.
  socket.on('error', () => socket.destroy());
  socket.on('data', onData);
  if (!settings.upgraded) reply('220 sink ESMTP\r\n');
}

/** Where the octet behind the end of content stands in `chunk`, or -1. The end may have begun in `tail`. */
function endOfContent(chunk, at, tail) {
  const seam = Buffer.concat([tail, chunk.subarray(at, at + END.length - 1)]);
  const inSeam = seam.indexOf(END);
  if (inSeam >= 0) return at + inSeam + END.length - tail.length;
  const found = chunk.indexOf(END, at);
  return found < 0 ? -1 : found + END.length;
}

function lastOf(tail, octets) {
  const kept = END.length - 1;
  if (octets.length >= kept) return octets.subarray(octets.length - kept);
  const both = Buffer.concat([tail, octets]);
  return both.subarray(Math.max(0, both.length - kept));
}

/** Reads `rate` octets a second: whoever is ahead takes a pause. */
function paced(socket, rate) {
  let due = performance.now();
  return (octets) => {
    const now = performance.now();
    due = Math.max(due, now) + (octets / rate) * 1_000;
    if (due - now < AHEAD) return;
    socket.pause();
    setTimeout(() => socket.resume(), due - now);
  };
}

if (isService(import.meta.url)) serve(startSink);
