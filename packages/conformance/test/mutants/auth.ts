/** Mutants for AUT. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { SaslMechanism } from '@posthorn/core/sasl';
import { CREDENTIALS } from '../../src/runner/run-case.ts';
import type { CoreBend } from '../../src/subjects/core.ts';
import type { ClientTask } from '../../src/task.ts';
import {
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  withTask,
  writing,
} from './mutant.ts';

const decoded = (text: string): string => Buffer.from(text, 'base64').toString('latin1');
const encoded = (octets: string): string => Buffer.from(octets, 'latin1').toString('base64');
/** Octets, as the text that they are in UTF-8. */
const textOf = (octets: string): string => Buffer.from(octets, 'latin1').toString('utf8');
const octetsOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Other responses than core's; in and out they are octets. `nth` counts those of one exchange. */
const answering = (
  change: (response: string, nth: number, earlier: readonly string[], mechanism: string) => string,
): CoreBend =>
  rewired((line) => {
    let mechanism = '';
    let challenged = false;
    let earlier: string[] = [];
    return {
      outgoing(text) {
        const begun = /^AUTH (\S+)(?: (\S+))?\r\n$/.exec(text);
        if (begun) [mechanism = '', earlier] = [begun[1], []];
        const [, given] = /^(\S*)\r\n$/.exec(text) ?? [];
        const response = begun ? begun[2] : challenged && given !== '*' ? given : undefined;
        if (response === undefined) return line.write(text);
        const octets = response === '=' ? '' : decoded(response);
        const other = encoded(change(octets, earlier.length, earlier, mechanism));
        earlier.push(octets);
        line.write(begun ? `AUTH ${mechanism} ${other || '='}\r\n` : `${other}\r\n`);
      },
      incoming(text) {
        challenged = /^334/.test(text);
        line.deliver(text);
      },
    };
  });

/** Other challenges than the server's, as octets; `first` is the initial response. */
const hearing = (change: (challenge: string, first: string) => string): CoreBend =>
  rewired((line) => {
    let first = '';
    return {
      outgoing(text) {
        first = decoded(/^AUTH \S+ (\S+)/.exec(text)?.[1] ?? encoded(first));
        line.write(text);
      },
      incoming(text) {
        line.deliver(
          text.replace(
            /^334 (\S+)\r\n/,
            (_all, challenge: string) => `334 ${encoded(change(decoded(challenge), first))}\r\n`,
          ),
        );
      },
    };
  });

/** Gives up by `*` where a challenge is like this. */
const cancelling = (pattern: RegExp): CoreBend =>
  rewired((line) => ({
    incoming: (text) => {
      if (pattern.test(text)) line.write('*\r\n');
      else line.deliver(text);
    },
  }));

/** Other mechanisms than core's. */
const mechanisms = (change: (mechanism: SaslMechanism) => SaslMechanism): CoreBend =>
  withOptions(({ auth }) => (Array.isArray(auth) ? { auth: auth.map(change) } : {}));

/** SCRAM without a look at what the server says in the end. */
const trusting = (mechanism: SaslMechanism): SaslMechanism => {
  const { bind } = mechanism;
  return {
    ...mechanism,
    ...(bind ? { bind: (context) => trusting(bind(context)) } : {}),
    async *start() {
      const exchange = mechanism.start();
      const { value: clientFirst } = await exchange.next();
      const serverFirst = yield clientFirst as Uint8Array;
      const { value: clientFinal } = await exchange.next(serverFirst);
      if (yield clientFinal as Uint8Array) yield new Uint8Array();
    },
  };
};

/** SCRAM-SHA-256-PLUS by tls-server-end-point (RFC 5929 §4): it is right in all that it says. */
const boundByCertificate = (channel: unknown): SaslMechanism => ({
  name: 'SCRAM-SHA-256-PLUS',
  strength: 9,
  exposesSecret: false,
  *start(): Generator<Uint8Array, void, Uint8Array | undefined> {
    const header = 'p=tls-server-end-point,,';
    const bare = `n=${CREDENTIALS.user},r=${randomBytes(12).toString('hex')}`;
    const serverFirst = String(Buffer.from((yield Buffer.from(`${header}${bare}`)) ?? []));
    const [, nonce, salt = '', count] = /^r=([^,]*),s=([^,]*),i=(\d+)/.exec(serverFirst) ?? [];
    const certificate = (channel as TLSSocket).getPeerCertificate().raw;
    const binding = Buffer.concat([
      Buffer.from(header),
      createHash('sha256').update(certificate).digest(),
    ]);
    const final = `c=${binding.toString('base64')},r=${nonce}`;
    const salted = pbkdf2Sync(
      CREDENTIALS.pass,
      Buffer.from(salt, 'base64'),
      Number(count),
      32,
      'sha256',
    );
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    const signature = createHmac('sha256', createHash('sha256').update(clientKey).digest())
      .update(`${bare},${serverFirst},${final}`)
      .digest();
    const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] as number)));
    yield Buffer.from(`${final},p=${proof.toString('base64')}`);
    yield Buffer.alloc(0);
  },
});

/** What is said of a failed login. */
const ofFailedLogins = (said: Parameters<typeof withOutcome>[0]): CoreBend =>
  withOutcome((outcome, task) => (outcome.kind === 'auth' ? said(outcome, task) : {}));

/** A crash where a play comes out like this. */
const dying = (where: (log: string, stage: string | undefined) => boolean): CoreBend => ({
  run: async (task, signal, core) => {
    const outcome = await core(task, signal);
    const [message] = outcome.messages;
    if (message && where(outcome.log ?? '', message.outcome === 'reject' ? message.stage : ''))
      throw new Error('Cannot read properties of undefined');
    return outcome;
  },
});

/** More in the log than core writes. */
const logging = (more: (auth: NonNullable<ClientTask['auth']>) => string): CoreBend => ({
  run: async (task, signal, core) => {
    const outcome = await core(task, signal);
    return { ...outcome, log: `${outcome.log}\n${task.auth ? more(task.auth) : ''}` };
  },
});

const FAILED_LOGINS = ['AUT-11', 'AUT-12', 'AUT-13'];
const FAILED_EXCHANGES = ['AUT-19', 'AUT-21', 'AUT-23', 'AUT-24', 'AUT-28'];

export const AUTH: readonly Mutant[] = [
  mutant(
    'shows-the-user-as-authzid',
    'PLAIN: the user stands behind the first NUL',
    answering((octets) => octets.replace(/^\0([^\0]*)/, '$1\0')),
    ['AUT-01', 'AUT-02'],
  ),
  mutant(
    'shows-the-password-for-the-user',
    'the user first, then the password',
    withTask(({ auth }) => {
      if (!auth?.pass) return {};
      return { auth: { ...auth, user: auth.pass, pass: auth.user } };
    }),
    ['AUT-01', 'AUT-02', 'AUT-03', 'AUT-04', 'AUT-06', 'AUT-07'],
  ),
  mutant(
    'ends-auth-with-a-blank',
    'AUTH without an initial response ends with the name of the mechanism',
    writing(/^AUTH (PLAIN \S+|EXTERNAL =)\r\n/, (text) =>
      text.startsWith('AUTH P') ? text.replace('\r\n', ' \r\n') : 'AUTH EXTERNAL \r\n',
    ),
    ['AUT-01', 'AUT-09'],
  ),
  mutant(
    'says-who-it-is-in-external',
    'an empty response is empty',
    writing(/^AUTH EXTERNAL =/, `AUTH EXTERNAL ${encoded('somebody')}`),
    ['AUT-09'],
  ),
  mutant(
    'writes-long-initial-responses',
    'an initial response has to fit the command line',
    rewired((line) => {
      let held = false;
      return {
        outgoing(text) {
          if (text === 'AUTH PLAIN\r\n') {
            held = true;
            line.deliver('334 \r\n');
          } else {
            line.write(held ? `AUTH PLAIN ${text}` : text);
            held = false;
          }
        },
      };
    }),
    ['AUT-02'],
  ),
  mutant('wants-the-blank-behind-334', '334 alone is a challenge too', cancelling(/^334\r\n/), [
    'AUT-03',
  ]),
  mutant(
    'knows-two-prompts',
    'LOGIN is answered by order, whatever the prompts say',
    cancelling(/^334 (?!VXNlcm5hbWU6|UGFzc3dvcmQ6)/),
    ['AUT-04'],
  ),
  mutant(
    'dies-of-a-refused-login',
    'comes to an end where AUTH fails',
    dying((_log, stage) => stage === 'AUTH'),
    ['AUT-05', 'AUT-35'],
  ),
  mutant(
    'dies-of-a-choice',
    'comes to an end where there are several mechanisms',
    dying((log) => /AUTH \S+ \S+ \S+/.test(log)),
    ['AUT-33'],
  ),
  mutant(
    'uses-no-login',
    'LOGIN is used where there is nothing else',
    reading(/^(250[- ]AUTH) LOGIN\r/m, '$1 X-LOGIN\r'),
    ['AUT-04', 'AUT-06'],
  ),
  mutant(
    'logs-in-without-tls',
    'no password outside TLS',
    withOptions(() => ({ allowInsecureAuth: true })),
    ['AUT-06'],
  ),
  mutant(
    'writes-credentials-in-latin-1',
    'credentials are UTF-8',
    answering((octets) =>
      Buffer.from(textOf(octets).normalize('NFC'), 'latin1').toString('latin1'),
    ),
    ['AUT-07'],
  ),
  mutant(
    'prepares-no-names',
    'SCRAM: names are prepared by SASLprep',
    answering((octets) =>
      /^[ny],/.test(octets) ? octetsOf(textOf(octets).normalize('NFD')) : octets,
    ),
    [],
    ['AUT-07'],
  ),
  mutant(
    'tries-again-and-again',
    'credentials that were refused are not tried again',
    rewired((line) => {
      let asked = '';
      let left = 3;
      return {
        outgoing(text) {
          if (/^AUTH /.test(text)) asked = text;
          line.write(text);
        },
        incoming(text) {
          if (asked && /^[45]/.test(text) && left > 0) {
            left -= 1;
            line.write(asked);
          } else line.deliver(text);
        },
      };
    }),
    ['AUT-11'],
    ['AUT-12'],
  ),
  mutant(
    'takes-a-refusal-of-auth-for-235',
    'no MAIL where AUTH has failed',
    rewired((line) => {
      let asked = false;
      return {
        outgoing(text) {
          asked = /^AUTH /.test(text);
          line.write(text);
        },
        incoming(text) {
          line.deliver(asked && /^[45]/.test(text) ? '235 imagined\r\n' : text);
        },
      };
    }),
    FAILED_LOGINS,
  ),
  mutant(
    'tries-without-authentication-then',
    'no mail without authentication where AUTH fails',
    {
      run: async (task, signal, core) => {
        const outcome = await core(task, signal);
        if (outcome.messages.every((message) => message.outcome === 'resolve')) return outcome;
        const { auth: _, ...plain } = task;
        return core(plain, signal);
      },
    },
    [...FAILED_LOGINS, 'AUT-15', 'AUT-21', 'AUT-23', 'AUT-28'],
    ['AUT-19', 'AUT-24'],
  ),
  mutant(
    'hides-a-failed-login',
    'a failed login is reported',
    withOutcome(() => ({ outcome: 'resolve' })),
    [...FAILED_LOGINS, ...FAILED_EXCHANGES, 'AUT-06', 'AUT-14', 'AUT-15', 'AUT-36'],
  ),
  mutant(
    'calls-a-failed-login-anything',
    'a failed login is reported as one',
    ofFailedLogins(() => ({ kind: 'other' })),
    [...FAILED_LOGINS, ...FAILED_EXCHANGES, 'AUT-06', 'AUT-15', 'AUT-36'],
  ),
  mutant(
    'keeps-the-code-of-auth-to-itself',
    'the code of the refusal is reported',
    ofFailedLogins(() => ({ code: undefined })),
    [...FAILED_LOGINS, 'AUT-14', 'AUT-28'],
  ),
  mutant(
    'turns-around-what-is-temporary',
    '454 is temporary, 535 is not',
    ofFailedLogins(({ temporary }) => ({ temporary: !temporary })),
    ['AUT-11', 'AUT-12'],
  ),
  mutant(
    'blames-the-sender-for-530',
    '530 asks for authentication',
    withOutcome(({ code }) => (code === 530 ? { kind: 'sender' } : {})),
    ['AUT-14'],
  ),
  mutant(
    'needs-no-auth-where-none-is-offered',
    'no mail without authentication where credentials were given',
    rewired((line) => ({
      outgoing(text) {
        if (/^AUTH /.test(text)) line.deliver('235 imagined\r\n');
        else line.write(text);
      },
      incoming(text) {
        const silent = line.secure && /^250-/.test(text) && !/^250[- ]AUTH/m.test(text);
        line.deliver(silent ? text.replace('\r\n', '\r\n250-AUTH PLAIN\r\n') : text);
      },
    })),
    ['AUT-15'],
  ),
  mutant(
    'trusts-any-nonce',
    "SCRAM: the nonce begins with the client's",
    hearing((challenge, first) => {
      const [, own = ''] = /,r=([^,]*)/.exec(first) ?? [];
      return challenge.replace(/^r=(?=[^,]*,s=)/, `r=${own}`);
    }),
    ['AUT-19'],
  ),
  mutant(
    'takes-any-iteration-count',
    'SCRAM: few iterations are refused',
    hearing((challenge) => challenge.replace(/,i=1$/, ',i=4096')),
    ['AUT-21'],
  ),
  mutant(
    'wants-no-proof-of-the-server',
    'SCRAM: a server that proves nothing is not believed',
    mechanisms(trusting),
    ['AUT-23'],
  ),
  mutant(
    'keeps-the-error-of-the-server',
    "SCRAM: the server's error is in the text",
    ofFailedLogins(() => ({ text: 'Cannot authenticate' })),
    [],
    ['AUT-23'],
  ),
  mutant(
    'ignores-mandatory-extensions',
    'SCRAM: m= makes authentication fail',
    hearing((challenge) => challenge.replace(/^m=[^,]*,/, '')),
    ['AUT-24'],
  ),
  mutant(
    'binds-no-channel',
    'SCRAM: the -PLUS variant is used where it is offered',
    mechanisms(({ bind: _, ...mechanism }) => mechanism),
    ['AUT-25', 'AUT-26'],
  ),
  mutant(
    'overlooks-the-plus-variant',
    'SCRAM: flag p where the server offers to bind',
    mechanisms((mechanism) => ({
      ...mechanism,
      bind: (context) =>
        mechanism.bind?.({ ...context, capabilities: { auth: new Set() } }) ?? mechanism,
    })),
    ['AUT-25', 'AUT-26'],
  ),
  mutant(
    'never-says-y',
    'SCRAM: flag y where the server does not seem to bind',
    mechanisms((mechanism) => ({
      ...mechanism,
      bind: (context) =>
        [...context.capabilities.auth].some((name) => name.endsWith('-PLUS'))
          ? (mechanism.bind?.(context) ?? mechanism)
          : mechanism,
    })),
    ['AUT-25'],
  ),
  mutant(
    'binds-by-tls-unique',
    'there is no tls-unique in TLS 1.3',
    answering((octets) => octets.replace(/^p=tls-exporter,/, 'p=tls-unique,')),
    ['AUT-26'],
  ),
  mutant(
    'binds-by-the-certificate',
    'TLS 1.3 has tls-exporter',
    mechanisms((mechanism) => ({
      ...mechanism,
      bind: ({ channel }) => boundByCertificate(channel),
    })),
    [],
    ['AUT-26'],
  ),
  mutant(
    'writes-names-as-they-are',
    'SCRAM: a comma and an equals sign are =2C and =3D',
    answering((octets) => octets.replace(/,n=a=2Cb=3Dc,/, ',n=a,b=c,')),
    ['AUT-27'],
  ),
  mutant(
    'shows-the-token-twice',
    'an error challenge is answered by a dummy',
    answering((octets, nth, [first], mechanism) =>
      nth > 0 && /^(XOAUTH2|OAUTHBEARER)$/.test(mechanism) ? (first as string) : octets,
    ),
    ['AUT-28'],
  ),
  mutant(
    'answers-oauthbearer-with-nothing',
    'OAUTHBEARER: the dummy is %x01',
    answering((octets, nth, _earlier, mechanism) =>
      nth > 0 && mechanism === 'OAUTHBEARER' ? '' : octets,
    ),
    ['AUT-28'],
  ),
  mutant(
    'pipelines-behind-auth',
    'AUTH is the last of its group',
    writing(/^AUTH (?:LOGIN|CRAM-MD5|SCRAM-\S+ \S+)\r\n/, (text) => `${text}MAIL FROM:<a@b.c>\r\n`),
    ['AUT-30'],
  ),
  mutant(
    'pipelines-behind-the-last-response',
    'no command before the exchange is over',
    rewired((line) => {
      let challenged = 0;
      return {
        outgoing(text) {
          line.write(challenged === 2 ? `${text}NOOP\r\n` : text);
        },
        incoming(text) {
          challenged = /^334/.test(text) ? challenged + 1 : 0;
          line.deliver(text);
        },
      };
    }),
    ['AUT-30'],
  ),
  mutant(
    'logs-in-for-every-message',
    'one AUTH for each session',
    rewired((line) => {
      let asked = '';
      let transactions = 0;
      let swallowed = true;
      return {
        outgoing(text) {
          if (/^AUTH /.test(text)) asked = text;
          if (/^MAIL /.test(text)) {
            transactions += 1;
            if (transactions > 1) {
              line.write(asked);
              swallowed = false;
            }
          }
          line.write(text);
        },
        incoming(text) {
          line.deliver(swallowed ? text : text.replace(/^[^\n]*\n/, ''));
          swallowed = true;
        },
      };
    }),
    ['AUT-31'],
  ),
  mutant(
    'reads-no-long-challenges',
    'challenges are as long as their mechanism makes them',
    cancelling(/^334 \S{1000}/),
    ['AUT-32'],
  ),
  mutant(
    'takes-235-for-a-refusal',
    '235 is success',
    reading(/^235 [^\n]*\n/, '535 imagined\r\n'),
    [
      ...['AUT-01', 'AUT-02', 'AUT-03', 'AUT-04', 'AUT-06', 'AUT-09', 'AUT-25', 'AUT-26', 'AUT-27'],
      ...['AUT-30', 'AUT-31', 'AUT-32', 'AUT-36'],
    ],
    ['AUT-07'],
  ),
  mutant(
    'takes-the-first-line-of-235-for-the-reply',
    'a reply ends with its last line',
    reading(/^235-/, '235 '),
    ['AUT-35'],
  ),
  mutant(
    'logs-the-password',
    'no password in the log',
    logging(({ pass, token }) => `password: ${pass ?? token}`),
    ['AUT-36'],
  ),
  mutant(
    'logs-what-it-writes',
    'no base64 of a password in the log',
    logging(({ user, pass }) => `AUTH PLAIN ${encoded(`\0${user}\0${pass}`)}`),
    ['AUT-36'],
  ),
  mutant(
    'shows-what-a-server-repeats',
    'no secret in what people are shown',
    ofFailedLogins((_outcome, { auth }) => ({ text: `Cannot log in with ${auth?.pass}` })),
    ['AUT-36'],
  ),
];
