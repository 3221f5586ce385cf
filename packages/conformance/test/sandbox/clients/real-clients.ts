/** Clients that nobody here wrote, each behind the same call: one message to a sandbox, as octets. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import type { Sandbox } from '../../../src/index.ts';
import { FROM, PASS, TO, USER } from '../../support.ts';
import { installed, run } from './run.ts';

/** What is sent, and how. */
export interface Sending {
  readonly route: 'starttls' | 'implicit';
  readonly method: 'PLAIN' | 'LOGIN';
  /** Default true. */
  readonly login?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly content: string;
}

/** What came of it. */
export interface Sent {
  readonly sent: boolean;
  /** All that the client says of it. */
  readonly said: string;
}

export interface RealClient {
  readonly name: string;
  readonly installed: boolean;
  /** @param folder - its own, for what it has to read */
  send(sandbox: Sandbox, sending: Sending, folder: string): Promise<Sent>;
}

/** A client that is a program: its command, with the message in a file and the CA in another. */
function program(
  name: string,
  words: (sandbox: Sandbox, sending: Required<Sending>) => readonly [string, ...string[]],
): RealClient {
  return {
    name,
    installed: installed(name),
    async send(sandbox, sending, folder) {
      writeFileSync(join(folder, 'ca.pem'), sandbox.ca);
      writeFileSync(join(folder, 'message.eml'), sending.content);
      const whole = { login: true, from: FROM, to: TO, ...sending };
      const { code, output } = await run(folder, words(sandbox, whole));
      return { sent: code === 0, said: output };
    },
  };
}

const SMTPLIB = fileURLToPath(new URL('../../../clients/smtplib-client.py', import.meta.url));

export const CLIENTS: readonly RealClient[] = [
  {
    name: 'nodemailer',
    installed: true,
    async send({ host, smtp, smtps, ca }, { route, method, login = true, content, ...envelope }) {
      const transport = createTransport({
        host,
        port: route === 'starttls' ? smtp : smtps,
        secure: route === 'implicit',
        requireTLS: true,
        tls: { ca },
        ...(login && { auth: { user: USER, pass: PASS, method } }),
      } as object);
      try {
        const info = await transport.sendMail({
          envelope: { from: FROM, to: TO, ...envelope },
          raw: content,
        });
        return { sent: true, said: `${(info as { response?: string }).response}` };
      } catch (error) {
        return { sent: false, said: `${(error as Error).message}` };
      } finally {
        transport.close();
      }
    },
  },
  program('python3', ({ host, smtp, smtps }, { route, method, login, from, to }) => [
    'python3',
    SMTPLIB,
    ...['--host', host, '--port', `${route === 'starttls' ? smtp : smtps}`, '--tls', route],
    ...['--ca', 'ca.pem', '--from', from, '--file', 'message.eml'],
    ...(login ? ['--user', USER, '--password', PASS, '--mechanism', method] : []),
    to,
  ]),
  program('curl', ({ host, smtp, smtps }, { route, method, login, from, to }) => [
    'curl',
    ...['--silent', '--show-error', '--verbose', '--max-time', '30', '--cacert', 'ca.pem'],
    ...(route === 'starttls'
      ? ['--ssl-reqd', '--url', `smtp://${host}:${smtp}`]
      : ['--url', `smtps://${host}:${smtps}`]),
    ...(login ? ['--user', `${USER}:${PASS}`, '--login-options', `AUTH=${method}`] : []),
    ...['--mail-from', from, '--mail-rcpt', to, '--upload-file', 'message.eml'],
  ]),
  program('swaks', ({ host, smtp, smtps }, { route, method, login, from, to }) => [
    'swaks',
    ...['--server', host, '--port', `${route === 'starttls' ? smtp : smtps}`],
    ...[route === 'starttls' ? '--tls' : '--tls-on-connect', '--tls-verify'],
    ...['--tls-ca-path', 'ca.pem', '--timeout', '30'],
    ...(login ? ['--auth', method, '--auth-user', USER, '--auth-password', PASS] : []),
    ...['--from', from, '--to', to, '--data', '@message.eml'],
  ]),
];
