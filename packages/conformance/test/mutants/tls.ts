/** Mutants for TLS. */
import { connect } from 'node:net';
import tls from 'node:tls';
import type { CoreBend } from '../../src/subjects/core.ts';
import type { ClientTask, MessageOutcome } from '../../src/task.ts';
import {
  client,
  dyingOf,
  type Mutant,
  mutant,
  reading,
  rewired,
  withOptions,
  withOutcome,
  withTask,
  writing,
} from './mutant.ts';

/** Other options of node:tls. */
const withTls = (change: (host: string) => tls.ConnectionOptions): CoreBend =>
  withOptions(({ tlsOptions, host }) => ({
    tlsOptions: { ...tlsOptions, ...(change(host) as object) },
  }));

/** Cases in which every client that is right reports a failure. */
const NO_TLS = [
  'TLS-02',
  'TLS-03',
  'TLS-05',
  'TLS-06',
  'TLS-12',
  'TLS-13',
  'TLS-14',
  'TLS-15',
  'TLS-16',
  'TLS-20',
  'TLS-21',
];
const BAD_CERTIFICATES = ['TLS-12', 'TLS-13', 'TLS-14', 'TLS-15'];

/** Asks for TLS, reports what came of it, and leaves the connection as it is. */
const reach = ({ host, port }: ClientTask, signal: AbortSignal): Promise<MessageOutcome> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const says = ['EHLO client.example\r\n', 'STARTTLS\r\n'];
    const report = (outcome: Partial<MessageOutcome>): void =>
      resolve({ outcome: 'reject', kind: 'tls', delivery: 'not-sent', ...outcome });
    socket.on('data', (octets) => {
      const [, code] = /^(\d{3}) [^\n]*\n$/m.exec(octets.toString('latin1')) ?? [];
      const next = says.shift();
      if (next !== undefined) socket.write(next);
      else if (code === '220') {
        // As much of a ClientHello as it takes to see that it is one.
        socket.write('\x16\x03\x01\x02\x00\x01', 'latin1');
        setTimeout(report, 500, {});
      } else report({ code: Number(code), temporary: code?.startsWith('4') });
    });
    socket.on('end', () => report({})).on('error', () => {});
    // Long behind the last that is looked at.
    signal.addEventListener('abort', () => setTimeout(() => socket.destroy(), 2_000));
  });

export const TLS: readonly Mutant[] = [
  mutant(
    'says-no-ehlo-under-tls',
    'goes on under TLS by what was offered in plain text',
    rewired((line) => {
      let upgraded = false;
      return {
        startTls() {
          upgraded = true;
          return undefined;
        },
        outgoing(text) {
          if (!(upgraded && /^EHLO/.test(text))) return line.write(text);
          setImmediate(() => line.deliver('250-mail.example.com\r\n250 8BITMIME\r\n'));
        },
      };
    }),
    ['TLS-01'],
  ),
  mutant(
    'says-mail-before-starttls',
    'begins a transaction in plain text',
    rewired((line) => {
      let held: string | undefined;
      return {
        outgoing(text) {
          if (!/^STARTTLS/.test(text)) return line.write(text);
          held = text;
          line.write('MAIL FROM:<sender@example.com>\r\n');
        },
        incoming(text) {
          if (held === undefined) return line.deliver(text);
          line.write(held);
          held = undefined;
        },
      };
    }),
    ['TLS-01', 'TLS-08', 'TLS-10', 'TLS-28'],
  ),
  mutant(
    'goes-on-without-tls',
    'takes STARTTLS that is required for one that is welcome',
    withTask(({ tls: mode }) => (mode === 'starttls' ? { tls: 'opportunistic' } : {})),
    ['TLS-02', 'TLS-03', 'TLS-05'],
  ),
  mutant(
    'comes-back-in-plain-text',
    'tries again without TLS when TLS has failed',
    {
      run: async ({ auth, ...task }, signal, core) => {
        const outcome = await core(auth ? { ...task, auth } : task, signal);
        return task.tls === 'starttls' && outcome.messages[0]?.outcome === 'reject'
          ? core({ ...task, tls: 'off' }, signal)
          : outcome;
      },
    },
    [...NO_TLS, 'TLS-08', 'TLS-10'],
  ),
  client(
    'stays-on-a-line-without-tls',
    'neither says QUIT nor closes where there is no TLS',
    async (task, signal) => ({
      outcome: 'done',
      messages: [await reach(task, signal)],
    }),
    ['TLS-02', 'TLS-03', 'TLS-05', 'TLS-06', 'TLS-20', 'TLS-21'],
  ),
  mutant(
    'stays-on-a-line-that-it-does-not-trust',
    'neither says QUIT nor closes behind a bad certificate',
    {
      ...withOutcome(() => ({ kind: 'tls' })),
      options: (own, task) => {
        const { options } = rewired((line) => {
          let upgraded = false;
          return {
            startTls() {
              upgraded = true;
              return undefined;
            },
            outgoing(text) {
              if (!upgraded) line.write(text);
            },
            ended: () => true,
            destroyed: () => true,
          };
        });
        return {
          ...(options?.(own, task) ?? own),
          tlsOptions: {
            ...own.tlsOptions,
            rejectUnauthorized: false,
            minVersion: 'TLSv1',
            ciphers: 'DEFAULT@SECLEVEL=0',
          },
          timeouts: { ehlo: 300, greeting: 300 },
        };
      },
    },
    [...BAD_CERTIFICATES, 'TLS-16'],
  ),
  mutant(
    'puts-the-password-in-plain-text',
    'logs in where TLS is not to be had',
    withOptions(() => ({ allowInsecureAuth: true })),
    ['TLS-04'],
  ),
  mutant(
    'takes-354-for-a-refusal-of-tls',
    'goes on in plain text behind 354',
    {
      ...reading(/^354 go ahead/, '454 go on'),
      ...withTask(({ tls: mode }) => (mode === 'starttls' ? { tls: 'opportunistic' } : {})),
    },
    ['TLS-06'],
  ),
  mutant(
    'does-without-tls-behind-354',
    'goes on in plain text behind 354, where TLS is only welcome',
    reading(/^354 go ahead/, '454 go on'),
    [],
    ['TLS-06'],
  ),
  mutant(
    'reads-plain-octets-under-tls',
    'keeps what stood behind the 220',
    rewired((line) => {
      let kept = '';
      return {
        incoming(text) {
          const [, reply, behind] = /^(220 go ahead\r\n)(.*)$/s.exec(text) ?? [];
          if (reply === undefined) {
            line.deliver(kept + text);
            kept = '';
          } else {
            kept = behind ?? '';
            line.deliver(reply);
          }
        },
        outgoing(text) {
          line.write(text);
          const whole = kept;
          if (!whole.endsWith('\n')) return;
          kept = '';
          setImmediate(() => line.deliver(whole));
        },
      };
    }),
    ['TLS-08'],
  ),
  mutant(
    'remembers-plain-keywords-under-tls',
    'reads the EHLO reply of before in place of that under TLS',
    rewired((line) => {
      let offered: string | undefined;
      let upgraded = false;
      return {
        startTls() {
          upgraded = true;
          return undefined;
        },
        incoming(text) {
          if (upgraded && offered !== undefined) {
            line.deliver(offered);
            offered = undefined;
            return;
          }
          if (/^250-/.test(text) && !upgraded) offered = text;
          line.deliver(text);
        },
      };
    }),
    ['TLS-10', 'TLS-24'],
  ),
  mutant(
    'trusts-every-certificate',
    'looks at no certificate',
    withTls(() => ({ rejectUnauthorized: false })),
    BAD_CERTIFICATES,
  ),
  mutant(
    'sends-first-and-looks-later',
    'sends to whoever there is, and then reports the certificate',
    {
      ...withTls(() => ({ rejectUnauthorized: false })),
      ...withOutcome(() => ({ outcome: 'reject', kind: 'tls', delivery: 'not-sent' })),
    },
    BAD_CERTIFICATES,
  ),
  mutant(
    'takes-a-certificate-for-any-host',
    'does not look at the names of a certificate',
    withTls(() => ({ checkServerIdentity: () => undefined })),
    ['TLS-13', 'TLS-15'],
  ),
  mutant(
    'takes-a-common-name',
    'looks at the common name where there is no subjectAltName',
    withTls(() => ({ checkServerIdentity: tls.checkServerIdentity })),
    ['TLS-15'],
  ),
  mutant(
    'speaks-tls-1-0',
    'speaks any version of TLS',
    withTls(() => ({ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })),
    ['TLS-16'],
  ),
  mutant(
    'names-no-server',
    'sends no server name',
    withTls(() => ({ servername: '' })),
    ['TLS-17'],
  ),
  mutant(
    'names-an-address',
    'sends an address as a server name',
    withTls((host) => ({ servername: host })),
    ['TLS-17'],
  ),
  mutant(
    'writes-in-front-of-the-handshake',
    'says something between the 220 and the ClientHello',
    rewired((line) => ({
      startTls() {
        line.write('NOOP\r\n');
        return undefined;
      },
    })),
    ['TLS-01', 'TLS-19', 'TLS-28'],
  ),
  mutant(
    'does-not-wait-for-220',
    'begins the handshake with STARTTLS',
    rewired((line) => ({
      outgoing(text) {
        line.write(text);
        if (/^STARTTLS/.test(text)) setImmediate(() => line.deliver('220 imagined\r\n'));
      },
    })),
    ['TLS-19', 'TLS-28'],
  ),
  mutant(
    'groups-behind-starttls',
    'writes more behind STARTTLS, where PIPELINING is offered',
    rewired((line) => {
      let pipelining = false;
      return {
        incoming(text) {
          pipelining ||= /PIPELINING/.test(text);
          line.deliver(text);
        },
        outgoing: (text) =>
          line.write(pipelining ? text.replace(/^STARTTLS\r\n/, '$&NOOP\r\n') : text),
      };
    }),
    ['TLS-28'],
  ),
  mutant(
    'waits-for-ever-for-a-handshake',
    'has no limit for the handshake',
    withOptions(() => ({ timeouts: {} })),
    ['TLS-21'],
  ),
  mutant(
    'has-its-own-limit-for-the-handshake',
    'does not go by the limit that was set',
    withOptions(() => ({ timeouts: { tls: 3_400 } })),
    ['TLS-21'],
  ),
  mutant(
    'is-content-with-half-a-reply',
    'takes the begin of a reply for all of it',
    rewired((line) => ({
      incoming: (text) =>
        line.deliver(text.replace(/\r?\n?$/, '\r\n').replace(/^250-(2\.0\.0 queued)/, '250 $1')),
    })),
    ['TLS-23'],
  ),
  mutant(
    'knows-that-a-cut-reply-is-a-refusal',
    'takes a message of which nobody knows for one that was not sent',
    withOutcome(() => ({ delivery: 'not-sent' })),
    ['TLS-23'],
  ),
  mutant(
    'forgets-that-tls-is-required-of-all',
    'sends a message without the REQUIRETLS that it wants',
    { message: ({ requireTls: _, ...message }) => message },
    ['TLS-24', 'TLS-25', 'TLS-26'],
  ),
  mutant(
    'requires-tls-of-all',
    'gives every message REQUIRETLS',
    {
      message: (message, { tls: mode }) =>
        mode === 'starttls' ? { ...message, requireTls: true } : message,
    },
    ['TLS-26'],
  ),
  mutant('gives-requiretls-a-value', 'says REQUIRETLS=YES', writing(/ REQUIRETLS/, '$&=YES'), [
    'TLS-26',
  ]),
  mutant(
    'ends-without-quit-where-requiretls-is-not-offered',
    'closes without a word, where it should say QUIT',
    rewired((line) => ({
      outgoing(text) {
        if (/^QUIT/.test(text)) setImmediate(() => line.deliver('221 imagined\r\n'));
        else line.write(text);
      },
    })),
    ['TLS-24', 'TLS-25'],
  ),
  mutant('dies-in-the-handshake', 'does not live to see TLS', dyingOf(/^220 Ready to start TLS/), [
    'TLS-27',
  ]),
  mutant(
    'has-no-word-for-tls',
    'tells failures of TLS by nothing',
    withOutcome(() => ({ kind: 'other' })),
    [...NO_TLS, 'TLS-19', 'TLS-23', 'TLS-24', 'TLS-25'],
  ),
  mutant(
    'fears-for-what-was-not-sent',
    'does not know that nothing was sent without TLS',
    withOutcome(() => ({ delivery: 'unknown' })),
    [...NO_TLS, 'TLS-19', 'TLS-24', 'TLS-25'],
  ),
  mutant(
    'forgets-the-reply-to-starttls',
    'does not tell the code',
    withOutcome(() => ({ code: undefined })),
    ['TLS-03', 'TLS-05'],
  ),
  mutant(
    'gives-tls-up-for-good',
    'takes 454 to STARTTLS for permanent',
    withOutcome(() => ({ temporary: false })),
    ['TLS-03'],
  ),
  mutant(
    'hopes-for-requiretls',
    'takes a server without REQUIRETLS for a passing trouble',
    withOutcome(() => ({ temporary: true })),
    ['TLS-24', 'TLS-25'],
  ),
  mutant(
    'reports-success-without-tls',
    'says that everything was sent',
    withOutcome(() => ({ outcome: 'resolve' })),
    [...NO_TLS, 'TLS-19', 'TLS-23', 'TLS-24', 'TLS-25'],
  ),
  mutant(
    'reports-failure-under-tls',
    'says that nothing was sent',
    withOutcome(() => ({ outcome: 'reject' })),
    ['TLS-01', 'TLS-17', 'TLS-19', 'TLS-26', 'TLS-28'],
  ),
  mutant(
    'sends-twice-under-tls',
    'sends each message again',
    {
      run: async (task, signal, core) => {
        await core(task, signal);
        return core(task, signal);
      },
    },
    ['TLS-01', 'TLS-23', 'TLS-26', 'TLS-28'],
  ),
];
