/** Settings to the options of `connect()`: files are read here, and secrets found. */

import { readFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import {
  type ConnectOptions,
  type SaslMechanism,
  socketTransport,
  type Timeouts,
} from '@posthorn/core';
import { devino } from '@posthorn/core/devino';
import {
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  scramSha1,
  scramSha256,
  scramSha512,
  xoauth2,
} from '@posthorn/core/sasl';
import { because, CliError } from './cli-error.ts';
import { warn } from './say.ts';
import { readPrivate, readSecret } from './settings/secret.ts';
import type { MechanismName, Settings } from './settings/settings.ts';
import type { Surroundings } from './surroundings.ts';

/** The options without what belongs to one run: the signal and the transcript. */
export type Connection = Omit<ConnectOptions, 'signal' | 'onTranscript'>;

/**
 * @throws CliError EX_CONFIG
 */
export async function connectionOf(
  settings: Settings,
  surroundings: Pick<Surroundings, 'stderr' | 'signal' | 'env'>,
): Promise<Connection> {
  const { host, port, socket, tls, name, localAddress, pipelining, lmtp } = {
    ...(settings.profile === 'devino' && !settings.socket && { host: devino.starttls.host }),
    ...settings,
  };
  if (host === undefined && socket === undefined)
    throw new CliError(
      'CONFIG',
      'No server is named: give --host, set POSTHORN_HOST, or write "host" into a settings file',
    );
  if (settings.verify === false)
    warn(
      surroundings.stderr,
      "the server's certificate is not checked: whoever answers can read the message and the password",
    );
  const timeouts = Object.fromEntries(
    Object.entries(settings.timeout ?? {}).filter(([key]) => key !== 'input'),
  ) as Partial<Timeouts>;
  const auth = await mechanisms(settings, surroundings);
  return {
    host: host ?? 'localhost',
    ...(port !== undefined && { port }),
    ...(socket !== undefined && {
      transport: (options) => socketTransport(dial(socket), options),
    }),
    ...(tls !== undefined && { tls }),
    tlsOptions: await tlsOptions(settings, surroundings),
    ...(auth.length > 0 && { auth }),
    ...(settings.allowInsecureAuth && { allowInsecureAuth: true }),
    ...(name !== undefined && { name }),
    ...(localAddress !== undefined && { localAddress }),
    ...(lmtp && { protocol: 'lmtp' as const }),
    ...(pipelining !== undefined && { pipelining }),
    ...(settings.ignoreExtension && { ignoreExtensions: settings.ignoreExtension }),
    timeouts,
  };
}

async function tlsOptions(
  settings: Settings,
  surroundings: Pick<Surroundings, 'stderr' | 'signal' | 'env'>,
): Promise<NonNullable<ConnectOptions['tlsOptions']>> {
  const { ca, clientCert, clientKey, clientKeyPassFile, servername, ciphers } = settings;
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new CliError('CONFIG', 'clientCert and clientKey go together');
  const passphrase = await readSecret('passphrase', { file: clientKeyPassFile }, surroundings);
  return {
    ...(ca !== undefined && { ca: await pem('ca', ca) }),
    ...(clientCert !== undefined && { cert: await pem('clientCert', clientCert) }),
    ...(clientKey !== undefined && {
      key: await readPrivate(`clientKey ${clientKey}`, clientKey, surroundings),
    }),
    ...(passphrase !== undefined && { passphrase }),
    ...(servername !== undefined && { servername }),
    ...(settings.verify === false && { rejectUnauthorized: false }),
    ...(settings.tlsMinVersion && { minVersion: settings.tlsMinVersion }),
    ...(settings.tlsMaxVersion && { maxVersion: settings.tlsMaxVersion }),
    ...(ciphers !== undefined && { ciphers }),
  };
}

async function pem(name: string, path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError('CONFIG', `Cannot read ${name} ${path}: ${because(error)}`, error);
  }
  // node:tls takes anything, and then trusts nobody.
  if (!text.includes('-----BEGIN '))
    throw new CliError('CONFIG', `Cannot use ${name} ${path}: it is no PEM`);
  return text;
}

const WITH_PASSWORD: Readonly<
  Partial<Record<MechanismName, (credentials: { user: string; pass: string }) => SaslMechanism>>
> = {
  PLAIN: plain,
  LOGIN: login,
  'CRAM-MD5': cramMd5,
  'SCRAM-SHA-1': scramSha1,
  'SCRAM-SHA-256': scramSha256,
  'SCRAM-SHA-512': scramSha512,
};

const WITH_TOKEN: Readonly<
  Partial<Record<MechanismName, (credentials: { user: string; token: string }) => SaslMechanism>>
> = { XOAUTH2: xoauth2, OAUTHBEARER: oauthBearer };

/** Those that were asked for, else those that go with the secret there is. */
async function mechanisms(
  settings: Settings,
  surroundings: Pick<Surroundings, 'stderr' | 'signal' | 'env'>,
): Promise<SaslMechanism[]> {
  const { user, mechanism } = settings;
  const pass = await readSecret(
    'password',
    { given: settings.pass, file: settings.passFile, command: settings.passCommand },
    surroundings,
  );
  const token = await readSecret(
    'access token',
    {
      given: settings.oauthToken,
      file: settings.oauthTokenFile,
      command: settings.oauthTokenCommand,
    },
    surroundings,
  );
  const wanted =
    mechanism ??
    ([
      ...(pass === undefined ? [] : ['PLAIN', 'LOGIN']),
      ...(token === undefined ? [] : ['XOAUTH2', 'OAUTHBEARER']),
    ] as MechanismName[]);
  if (user !== undefined && wanted.length === 0)
    throw new CliError(
      'CONFIG',
      'There is a user and no password: set POSTHORN_PASS, or give --pass-file',
    );
  const needed = <T>(name: MechanismName, what: string, value: T | undefined): T => {
    if (value === undefined) throw new CliError('CONFIG', `${name} needs ${what}`);
    return value;
  };
  return wanted.map((name): SaslMechanism => {
    if (name === 'EXTERNAL') return external(user === undefined ? {} : { authorizationId: user });
    const who = needed(name, 'a user', user);
    try {
      const byPassword = WITH_PASSWORD[name];
      if (byPassword) return byPassword({ user: who, pass: needed(name, 'a password', pass) });
      const byToken = WITH_TOKEN[name] as NonNullable<(typeof WITH_TOKEN)['XOAUTH2']>;
      return byToken({ user: who, token: needed(name, 'an access token', token) });
    } catch (error) {
      if (error instanceof CliError) throw error;
      // What core refuses names the option, never its value.
      throw new CliError('CONFIG', `Cannot use the login for ${name}: ${because(error)}`);
    }
  });
}
