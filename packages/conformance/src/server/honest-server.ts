/**
 * The smtp-server package as the server of a play. What goes over its sockets is recorded and cut where Node reads and
 * writes: nothing of its inside is touched.
 */
import type { Socket } from 'node:net';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { HonestPlan } from './plan.ts';
import type { Credentials } from './sasl-server.ts';
import { cut, type Delivery, WireLog } from './wire-log.ts';

interface Surroundings {
  readonly credentials: Credentials;
  readonly delivery: Delivery;
  readonly started: number;
  readonly tls: TLSSocketOptions;
}

type ReplyError = Error & { responseCode?: number };

/** The reply in place of its own, if there is one for this time. */
function refusal(reply: string | undefined): ReplyError | undefined {
  if (!reply) return undefined;
  const error: ReplyError = new Error(reply.slice(4));
  error.responseCode = Number(reply.slice(0, 3));
  return error;
}

/** The reply for the nth time; the last one stays. */
const at = <T>(replies: readonly T[] | undefined, time: number): T | undefined =>
  replies?.[Math.min(time, replies.length - 1)];

export class HonestServer {
  readonly logs: WireLog[] = [];
  readonly #server: SMTPServer;
  readonly #sockets = new Set<Socket>();
  /** By the port of the client, since the sockets of TLS and of TCP are two. */
  readonly #logOf = new Map<number, WireLog>();

  constructor(plan: HonestPlan, around: Surroundings) {
    this.#server = new SMTPServer(this.#options(plan, around));
    this.#server.on('error', () => {});
    // Its own listener, which greets later, has been called before this one.
    this.#server.server.on('connection', (socket: Socket) => {
      const log = new WireLog(around.started);
      this.logs.push(log);
      this.#sockets.add(socket);
      this.#logOf.set(socket.remotePort as number, log);
      socket.setNoDelay(true);
      const reset = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'ECONNRESET') log.end('client', true);
      };
      socket.on('error', reset);
      // smtp-server takes every listener off a socket on which TLS starts; this one is told all the same.
      const destroyed = socket.destroy.bind(socket);
      socket.destroy = (error?: NodeJS.ErrnoException) => {
        log.end('client', error?.code === 'ECONNRESET');
        return destroyed(error);
      };
      if (plan.tls === 'implicit') log.handshake();
      else tap(socket, log, false, around.delivery);
    });
  }

  #options(plan: HonestPlan, { credentials, delivery, tls }: Surroundings): SMTPServerOptions {
    const { answers = {}, extensions = ['PIPELINING', 'SMTPUTF8'] } = plan;
    const counts = { auth: 0, mail: 0, rcpt: 0, dot: 0 };
    return {
      ...(tls as SMTPServerOptions),
      name: 'mail.example.com',
      secure: plan.tls === 'implicit',
      ...(plan.situation === 'asks-certificate'
        ? { requestCert: true, rejectUnauthorized: false }
        : {}),
      hideSTARTTLS: plan.tls !== 'starttls',
      disabledCommands: [
        ...(plan.tls === 'starttls' ? [] : ['STARTTLS']),
        ...(plan.auth ? [] : ['AUTH']),
      ],
      allowInsecureAuth: true,
      authMethods: [...(plan.auth ?? [])],
      authOptional: plan.authOptional ?? true,
      lmtp: plan.lmtp ?? false,
      hidePIPELINING: !extensions.includes('PIPELINING'),
      hide8BITMIME: plan.no8BitMime ?? false,
      hideSMTPUTF8: !extensions.includes('SMTPUTF8'),
      hideDSN: !extensions.includes('DSN'),
      hideENHANCEDSTATUSCODES: !extensions.includes('ENHANCEDSTATUSCODES'),
      hideREQUIRETLS: !extensions.includes('REQUIRETLS'),
      // Without a size it offers no SIZE, and hideSize hides only the number.
      ...(plan.size === 'bare' ? { size: 1_000_000_000, hideSize: true } : {}),
      ...(typeof plan.size === 'number' ? { size: plan.size } : {}),
      disableReverseLookup: true,
      logger: false,
      maxClients: 200,
      closeTimeout: 1,
      onSecure: (socket, _session, callback) => {
        const log = this.#logOf.get(socket.remotePort as number);
        const name = (socket as { servername?: string | false }).servername;
        if (log) {
          if (plan.tls === 'starttls') log.handshake();
          log.secured(name || undefined, (socket as TLSSocket).getProtocol() ?? undefined);
          tap(socket, log, true, delivery);
        }
        callback();
      },
      onConnect: (_session, callback) => {
        setTimeout(() => callback(refusal(answers.greeting)), plan.greetingDelay ?? 0);
      },
      onAuth: (login, _session, callback) => {
        const error = refusal(at(answers.auth, counts.auth));
        counts.auth += 1;
        if (error) return callback(error);
        if (login.method === 'XOAUTH2' && login.accessToken !== credentials.token)
          return callback(null, { data: { status: '401', schemes: 'bearer', scope: 'mail' } });
        const known =
          login.method === 'XOAUTH2' ||
          (login.username === credentials.user &&
            (login.method === 'CRAM-MD5'
              ? login.validatePassword(credentials.pass)
              : login.password === credentials.pass));
        callback(null, known ? { user: credentials.user } : { message: 'Authentication failure' });
      },
      onMailFrom: (_address, _session, callback) => {
        const error = refusal(at(answers.mail, counts.mail));
        counts.mail += 1;
        callback(error);
      },
      onRcptTo: (_address, _session, callback) => {
        const error = refusal(at(answers.rcpt, counts.rcpt));
        counts.rcpt += 1;
        callback(error);
      },
      onData: (stream, session, callback) => {
        stream.on('data', () => {});
        stream.once('end', () => {
          const reply = at(answers.dot, counts.dot);
          counts.dot += 1;
          const say = callback as (error: Error | null, message?: unknown) => void;
          const give: typeof say = plan.dotDelay
            ? (...reply) => void setTimeout(say, plan.dotDelay, ...reply)
            : say;
          if (plan.lmtp) {
            const each = [reply].flat();
            give(
              null,
              session.envelope.rcptTo.map((_, index) => verdict(each[index])),
            );
          } else {
            const one = verdict(reply as string | undefined);
            if (typeof one === 'string') give(null, one);
            else give(one);
          }
        });
      },
    };
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        resolve((this.#server.server.address() as { port: number }).port);
      });
    });
  }

  get open(): number {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed).length;
  }

  async close(): Promise<void> {
    // What is in the middle of a handshake is destroyed by smtp-server: from under its TLS socket it is not to be done.
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A positive reply is a text, any other an error. */
const verdict = (reply: string | undefined): string | ReplyError =>
  !reply ? 'queued' : reply.startsWith('250 ') ? reply.slice(4) : (refusal(reply) as ReplyError);

/** Records what a socket reads and writes, and cuts what it writes. */
function tap(socket: Socket, log: WireLog, secure: boolean, delivery: Delivery): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) log.end('client');
    else if (!log.client(chunk, secure)) {
      log.end('server');
      socket.destroy();
      return false;
    }
    return push(chunk, encoding);
  };
  const write = socket.write.bind(socket) as (octets: Buffer) => boolean;
  let before: Promise<void> | undefined;
  const one = (piece: string): void => {
    if (socket.destroyed || socket.writableEnded) return;
    log.server(piece, secure);
    write(Buffer.from(piece, 'latin1'));
  };
  socket.write = ((text: string | Buffer) => {
    const said = Buffer.from(text as string).toString('latin1');
    // What is answered to STARTTLS leaves before TLS takes over.
    const pieces = cut(said, /^220 Ready to start TLS/i.test(said) ? 'whole' : delivery);
    if (pieces.length === 1 && !before) {
      one(said);
      return true;
    }
    const previous = before ?? Promise.resolve();
    const run = previous.then(async () => {
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) await new Promise((resolve) => setImmediate(resolve));
        one(piece);
      }
    });
    before = run;
    run.then(() => {
      if (before === run) before = undefined;
    });
    return true;
  }) as Socket['write'];
  const end = socket.end.bind(socket) as () => Socket;
  socket.end = (() => {
    if (!before) {
      log.end('server');
      return end();
    }
    before.then(() => {
      log.end('server');
      end();
    });
    return socket;
  }) as Socket['end'];
}
