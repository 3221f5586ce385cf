/** The settings: one table for the options of the command line, the environment and the settings file. */
import type { ConnectOptions } from '@posthorn/core';
import { choice, flag, type Kind, list, path, record, text, whole } from './kind.ts';

/** Everything that can be set. What is not set has the default of `connect()`. Durations are ms, sizes octets. */
export interface Settings {
  readonly profile?: 'devino';
  readonly host?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly tls?: NonNullable<ConnectOptions['tls']>;
  readonly ca?: string;
  readonly verify?: boolean;
  readonly servername?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly clientKeyPassFile?: string;
  readonly tlsMinVersion?: TlsVersion;
  readonly tlsMaxVersion?: TlsVersion;
  readonly ciphers?: string;
  readonly user?: string;
  readonly pass?: string;
  readonly passFile?: string;
  readonly passCommand?: string;
  readonly oauthToken?: string;
  readonly oauthTokenFile?: string;
  readonly oauthTokenCommand?: string;
  readonly mechanism?: readonly MechanismName[];
  readonly allowInsecureAuth?: boolean;
  readonly name?: string;
  readonly localAddress?: string;
  readonly lmtp?: boolean;
  readonly pipelining?: NonNullable<ConnectOptions['pipelining']>;
  readonly ignoreExtension?: readonly string[];
  readonly timeout?: Readonly<Record<string, number>>;
  readonly partial?: 'abort' | 'send';
  readonly onUnsupported?: 'error' | 'drop';
  readonly maxSize?: number;
  readonly confirmedSender?: readonly string[];
  readonly tags?: 'off' | 'warn' | 'reject';
  readonly from?: string;
  readonly forceFrom?: boolean;
  readonly domain?: string;
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly temporaryFailure?: number;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export type MechanismName =
  | 'PLAIN'
  | 'LOGIN'
  | 'CRAM-MD5'
  | 'SCRAM-SHA-1'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-512'
  | 'XOAUTH2'
  | 'OAUTHBEARER'
  | 'EXTERNAL';

/** One setting: what it may be, and what the help says of it. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  readonly about: string;
  /** Where it can be given. Default: everywhere. */
  readonly places?: readonly Place[];
}

export type Place = 'option' | 'environment' | 'file';

const TIMEOUTS = [
  'connect',
  'tls',
  'greeting',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'content',
  'final',
  'quit',
  'total',
  'minimumRate',
  'input',
];

/** What no list of processes may show, and no option takes. */
const HIDDEN: readonly Place[] = ['environment', 'file'];
/** What is of use to the sendmail mode alone, which has no options of ours. */
const OF_SENDMAIL: readonly Place[] = ['environment', 'file'];

const tlsVersion: Kind<TlsVersion> = {
  ...choice('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'),
  shown: '<version>',
};

export const SETTINGS: {
  readonly [Name in keyof Settings]-?: Setting<NonNullable<Settings[Name]>>;
} = {
  profile: {
    kind: choice('devino'),
    about: 'a provider: its host, its rules before anything is sent, its refusals explained',
  },
  host: { kind: text('<name>'), about: "the server's name or address" },
  port: { kind: whole('<n>', 1, 65_535), about: 'default: 587; 465 with TLS from the first octet' },
  socket: { kind: path, about: 'a Unix domain socket in place of host and port, for LMTP mostly' },
  tls: {
    kind: choice('implicit', 'starttls', 'opportunistic', 'off'),
    about: 'default: implicit on port 465, else starttls, which is then required',
  },
  ca: { kind: path, about: 'certificates to trust, in PEM' },
  verify: { kind: flag, about: "do not check the server's certificate: anybody can answer then" },
  servername: { kind: text('<name>'), about: 'the name that the certificate has to have' },
  clientCert: { kind: path, about: 'a certificate of your own, in PEM' },
  clientKey: { kind: path, about: 'its key, in PEM' },
  clientKeyPassFile: { kind: path, about: 'a file with the passphrase of that key' },
  tlsMinVersion: { kind: tlsVersion, about: 'the oldest version of TLS; default TLSv1.2' },
  tlsMaxVersion: { kind: tlsVersion, about: 'the newest version of TLS' },
  ciphers: { kind: text('<list>'), about: 'cipher suites, as OpenSSL writes them' },
  user: { kind: text('<name>'), about: 'the login' },
  pass: {
    kind: text('<password>'),
    about: 'the password, for all to see in lists of processes; better one of the next two',
  },
  passFile: { kind: path, about: 'a file with the password in its first line' },
  passCommand: { kind: text('<command>'), about: 'a command that prints the password' },
  oauthToken: { kind: text('<token>'), about: 'an access token', places: HIDDEN },
  oauthTokenFile: { kind: path, about: 'a file with an access token in its first line' },
  oauthTokenCommand: { kind: text('<command>'), about: 'a command that prints an access token' },
  mechanism: {
    kind: list(
      choice<MechanismName>(
        'PLAIN',
        'LOGIN',
        'CRAM-MD5',
        'SCRAM-SHA-1',
        'SCRAM-SHA-256',
        'SCRAM-SHA-512',
        'XOAUTH2',
        'OAUTHBEARER',
        'EXTERNAL',
      ),
      '<names>',
    ),
    about:
      'how to log in, as scram-sha-256,plain; default: plain or login, or xoauth2 or oauthbearer',
  },
  allowInsecureAuth: { kind: flag, about: 'send the password without TLS if need be' },
  name: { kind: text('<name>'), about: 'how to greet the server: a domain or an address literal' },
  localAddress: { kind: text('<address>'), about: 'the address of this machine to connect from' },
  lmtp: { kind: flag, about: 'speak LMTP to a delivery agent; default port 24' },
  pipelining: {
    kind: choice('flight', 'overlap', 'envelope', 'off'),
    about: 'how far commands are grouped; default overlap',
  },
  ignoreExtension: {
    kind: list(text('<keyword>'), '<keywords>'),
    about: 'what the server offers and is not to be used, as chunking',
  },
  timeout: {
    kind: record('<name=ms>', whole('<ms>', 1, 2_000_000_000), TIMEOUTS),
    about: `deadlines: ${TIMEOUTS.join(', ')}`,
  },
  partial: {
    kind: choice('abort', 'send'),
    about: 'what to do where some recipients are refused; default abort: nobody gets it',
  },
  onUnsupported: {
    kind: choice('error', 'drop'),
    about: 'what to do where the server lacks what the message asks for; default error',
  },
  maxSize: {
    kind: whole('<octets>', 1, Number.MAX_SAFE_INTEGER),
    about: 'refuse a larger message',
  },
  confirmedSender: {
    kind: list(text('<address>'), '<addresses>'),
    about: 'with --profile: the senders that the provider has confirmed',
  },
  tags: {
    kind: choice('off', 'warn', 'reject'),
    about: 'with --profile: what a missing tag is; default warn',
  },
  from: { kind: text('<address>'), about: 'the author, and the envelope sender' },
  forceFrom: {
    kind: flag,
    about: 'the author and the envelope sender are always `from`, whatever the program says',
    places: OF_SENDMAIL,
  },
  domain: {
    kind: text('<domain>'),
    about: 'what is put behind an address without a domain',
    places: OF_SENDMAIL,
  },
  aliases: {
    kind: record('<name=address>', list(text('<address>'))),
    about: 'who gets what is sent to a name without a domain; `*` stands for every other name',
    places: ['file'],
  },
  temporaryFailure: {
    kind: whole('<n>', 1, 78),
    about: 'the exit code in place of 75, for callers that take 75 for "queued"',
    places: OF_SENDMAIL,
  },
};

export type SettingName = keyof Settings;

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[];

export const isIn = (name: SettingName, place: Place): boolean =>
  SETTINGS[name].places?.includes(place) ?? true;

/** `POSTHORN_PASS_FILE`. */
export const environmentName = (name: string): string =>
  `POSTHORN_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;

/** `--pass-file`; `--no-verify`, which says what it does. */
export const optionName = (name: string): string =>
  `--${name === 'verify' ? 'no-' : ''}${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
