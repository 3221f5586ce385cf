/** What TLS gives beside secrecy: a binding for SCRAM-PLUS (RFC 9266), and sessions that are resumed (RFC 8446 §2.2). */
import { randomBytes } from 'node:crypto';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { connect } from '../../src/index.ts';
import { scramSha256 } from '../../src/sasl/index.ts';
import { ScramServer } from '../sasl/scram-server.ts';
import { type KeyPair, PASS, USER, within } from './scripted-server.ts';

let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

type Answer = (line: string, socket: TLSSocket) => string;

/** A server under TLS from the first octet that answers line by line. */
async function serve(
  answer: Answer,
  settings: { readonly maxVersion?: 'TLSv1.2' } = {},
): Promise<number> {
  const server = createServer({ ...pair, ...settings }, (socket) => {
    let heard = '';
    socket.on('error', () => {});
    socket.write('220 mail.example.com\r\n');
    socket.on('data', (octets) => {
      heard += octets.toString('latin1');
      for (let end = heard.indexOf('\r\n'); end >= 0; end = heard.indexOf('\r\n')) {
        const line = heard.slice(0, end);
        heard = heard.slice(end + 2);
        socket.write(answer(line, socket));
        if (line === 'QUIT') socket.end();
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  stops.push(() => server.close());
  return (server.address() as { port: number }).port;
}

const dial = (port: number) =>
  ({ host: '127.0.0.1', port, tls: 'implicit', tlsOptions: { ca } }) as const;

const decode = (text: string): string => Buffer.from(text, 'base64').toString();
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** SCRAM-SHA-256 on one connection; `bind` says whether the server knows the channel. */
function scram(offer: string, told: string[], bind: boolean): Answer {
  let server: ScramServer | undefined;
  let said = 0;
  return (line, socket) => {
    if (line.startsWith('EHLO')) return `250-mail.example.com\r\n250 AUTH ${offer}\r\n`;
    if (line.startsWith('AUTH ')) {
      const [, name = '', first = ''] = line.split(' ');
      told.push(name);
      server = new ScramServer({
        hash: 'SHA-256',
        user: USER,
        pass: PASS,
        salt: randomBytes(16),
        iterations: 4096,
        nonce: 'of-the-server',
        ...(bind && {
          binding: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
        }),
      });
      told.push(decode(first).split(',')[0] ?? '');
      return `334 ${encode(server.first(decode(first)))}\r\n`;
    }
    if (server && line !== 'QUIT') {
      said += 1;
      return said === 1 ? `334 ${encode(server.final(decode(line)))}\r\n` : '235 2.7.0 welcome\r\n';
    }
    return line === 'QUIT' ? '221 bye\r\n' : '500 what\r\n';
  };
}

test.each([
  ['SCRAM-SHA-256 SCRAM-SHA-256-PLUS', true, ['SCRAM-SHA-256-PLUS', 'p=tls-exporter']],
  ['SCRAM-SHA-256-PLUS', true, ['SCRAM-SHA-256-PLUS', 'p=tls-exporter']],
  // RFC 5802 §6: who could bind and is offered nothing to bind with says so.
  ['SCRAM-SHA-256', false, ['SCRAM-SHA-256', 'y']],
] as const)(
  'scramSha256() binds the channel of TLS 1.3 when %s is offered',
  async (offer, bind, said) => {
    const told: string[] = [];
    const port = await serve(scram(offer, told, bind));
    const auth = scramSha256({ user: USER, pass: PASS });
    const client = await within(5_000, connect({ ...dial(port), auth }));
    await client.close();
    expect(told).toEqual(said);
  },
);

test('scramSha256() does not bind the channel when it is TLS 1.2', async () => {
  const told: string[] = [];
  const port = await serve(scram('SCRAM-SHA-256 SCRAM-SHA-256-PLUS', told, false), {
    maxVersion: 'TLSv1.2',
  });
  const auth = scramSha256({ user: USER, pass: PASS });
  const client = await within(5_000, connect({ ...dial(port), auth }));
  await client.close();
  expect(told).toEqual(['SCRAM-SHA-256', 'n']);
});

test('scramSha256() is refused when somebody in the middle has a channel of his own', async () => {
  const answer = scram('SCRAM-SHA-256-PLUS', [], true);
  const other = { exportKeyingMaterial: () => Buffer.alloc(32, 1) } as unknown as TLSSocket;
  const port = await serve((line) => answer(line, other));
  const auth = scramSha256({ user: USER, pass: PASS });
  await expect(within(5_000, connect({ ...dial(port), auth }))).rejects.toMatchObject({
    code: 'ERR_SMTP_AUTH',
    delivery: 'not-sent',
  });
});

test('connect() resumes TLS when the connections share a place for it', async () => {
  const reused: boolean[] = [];
  const port = await serve((line, socket) => {
    if (line.startsWith('EHLO')) reused.push(socket.isSessionReused());
    return line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n';
  });
  const resumption = {};
  for (let count = 0; count < 2; count += 1) {
    const client = await within(5_000, connect({ ...dial(port), resumption }));
    await client.noop();
    await client.close();
  }
  const alone = await within(5_000, connect(dial(port)));
  await alone.close();
  expect(reused).toEqual([false, true, false]);
});
