/**
 * The smtp-server package on the loopback, as servers are: STARTTLS, or TLS from the first octet; a user and a password. Who
 * is called `refused…` or `deferred…` is so, and so is what has the field X-Refuse.
 */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerAddress, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeAll } from 'vitest';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../../conformance/src/sandbox/certificates.ts';
import { eventually } from '../e2e/scripted-server.ts';

export const USER = '1website';
export const PASS = 'correct-horse-battery';

/** A message as the server has it. */
export interface Delivered {
  readonly from: string;
  readonly to: readonly string[];
  /** Parameters of MAIL and of the first RCPT. */
  readonly parameters: object;
  readonly content: Buffer;
  readonly user: unknown;
  readonly secure: boolean;
}

export interface MailServer {
  readonly port: number;
  readonly delivered: Delivered[];
  /** Connections there were. */
  readonly connections: number;
  /** Connections there are. */
  readonly open: number;
  /** Loses all connections. */
  drop(): void;
}

const refusal = (code: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode: code });

function judge({ address }: SMTPServerAddress): Error | undefined {
  if (address.startsWith('refused')) return refusal(550, '5.1.1 nobody there');
  if (address.startsWith('deferred')) return refusal(451, '4.2.1 not now');
  return undefined;
}

/** Servers for the tests of a file; after each test nobody is connected any more. */
export function useMailServers(): {
  readonly authority: () => CertificateAuthority;
  start(options?: SMTPServerOptions): Promise<MailServer>;
} {
  let authority: CertificateAuthority;
  let pair = {};
  const servers: (MailServer & { readonly server: SMTPServer })[] = [];
  beforeAll(async () => {
    authority = await createCertificateAuthority();
    pair = await authority.issue();
  });
  afterEach(async () => {
    const used = servers.splice(0);
    try {
      for (const one of used)
        await eventually(() => !one.open, 'the client leaves no connection open');
    } finally {
      await Promise.all(used.map(({ server }) => new Promise<void>((done) => server.close(done))));
    }
  });
  return {
    authority: () => authority,
    async start(options = {}) {
      const delivered: Delivered[] = [];
      let connections = 0;
      const server: SMTPServer = new SMTPServer({
        ...pair,
        name: 'mail.example.com',
        authOptional: true,
        disableReverseLookup: true,
        closeTimeout: 500,
        hideENHANCEDSTATUSCODES: true,
        onAuth: ({ username, password }, _, done) =>
          username === USER && password === PASS
            ? done(null, { user: username })
            : done(refusal(535, '5.7.8 authentication failed')),
        onMailFrom: (address, _, done) => done(judge(address)),
        onRcptTo: (address, _, done) => done(judge(address)),
        onData(stream, session, done) {
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            const content = Buffer.concat(chunks);
            if (/^X-Refuse:/m.test(content.toString('latin1')))
              return done(refusal(554, '5.7.1 message refused'));
            const { mailFrom, rcptTo } = session.envelope;
            delivered.push({
              from: (mailFrom as SMTPServerAddress).address,
              to: rcptTo.map(({ address }) => address),
              parameters: [(mailFrom as SMTPServerAddress).args, rcptTo[0]?.args],
              content,
              user: session.user,
              secure: session.secure,
            });
            done(null, `queued as ${delivered.length}`);
          });
        },
        ...options,
      });
      server.on('error', () => {});
      const sockets = new Set<Socket>();
      server.server.on('connection', (socket: Socket) => {
        connections += 1;
        sockets.add(socket);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      const started = {
        server,
        port: (server.server.address() as AddressInfo).port,
        delivered,
        get connections() {
          return connections;
        },
        get open() {
          return server.connections.size;
        },
        drop() {
          for (const socket of sockets) socket.destroy();
        },
      };
      servers.push(started);
      return started;
    },
  };
}
