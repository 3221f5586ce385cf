/** The clients that can be named: what each is run by, and how it is found out whether it is here. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CommandOptions, commandSubject } from '../drivers/command.ts';
import { forkSubject } from '../drivers/forked.ts';
import { AbsentError } from '../runner/absent-error.ts';
import { UsageError } from '../runner/select.ts';
import type { Subject } from '../task.ts';

/** A program that is run for each task. */
interface ReadyCommand extends CommandOptions {
  readonly command: string;
  /** Asks the program for its version. */
  readonly probe: readonly [program: string, ...words: string[]];
  /** What is in its answer. */
  readonly pattern: RegExp;
}

const script = (name: string): string =>
  fileURLToPath(new URL(`../clients/${name}`, import.meta.url)).replace(/["\\{}]/g, '\\$&');

/** The mechanism, for a program that knows the names in lower case only. */
const LOWER_CASE = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']
  .map((name) => `{mech=${name}:${name.toLowerCase()}}`)
  .join('');

const COMMANDS: Readonly<Record<string, () => ReadyCommand>> = {
  curl: () => ({
    command: [
      'curl --silent --show-error --verbose --globoff --url',
      '{tls=implicit:smtps}{tls=off|starttls|opportunistic:smtp}://{host}:{port}{?name:/{name}}',
      '{tls=starttls:--ssl-reqd} {tls=opportunistic:--ssl} --cacert {ca}',
      '{?auth:--user {user}:{pass}} {?mech:--login-options AUTH={mech}}',
      '{?timeout:--max-time {timeout}} --mail-from {from} {*to:--mail-rcpt {to}} --upload-file {file}',
    ].join(' '),
    probe: ['curl', '--version'],
    pattern: /^curl (\S+)/,
    features: ['null-sender', 'size', 'auth-cram-md5'],
  }),
  swaks: () => ({
    command: [
      'swaks --server {host} --port {port} --from {?from:{from}}{!from:<>} --to {,to} --data @{file}',
      '{tls=starttls:--tls} {tls=opportunistic:--tls-optional} {tls=implicit:--tls-on-connect}',
      '{tls=starttls|opportunistic|implicit:--tls-verify --tls-ca-path {ca}}',
      '{?auth:--auth{?mech: {mech}} --auth-user {user} --auth-password {pass}}',
      '{?timeout:--timeout {timeout}} {?name:--helo {name}} {?lmtp:--protocol LMTP}',
    ].join(' '),
    probe: ['swaks', '--version'],
    pattern: /version (\S+)/,
    features: ['null-sender', 'auth-cram-md5'],
  }),
  msmtp: () => ({
    command: [
      'msmtp --file=/dev/null --host={host} --port={port} --from={from}',
      '{tls=off:--tls=off}{tls=starttls:--tls=on}{tls=implicit:--tls=on} {tls=implicit:--tls-starttls=off}',
      '{tls=starttls|implicit:--tls-trust-file={ca}}',
      `{?auth:--auth=${LOWER_CASE}{!mech:on} --user={user} '--passwordeval=printf %s "{pass}"'}`,
      '{?timeout:--timeout={timeout}} {?name:--domain={name}} {?lmtp:--protocol=lmtp} -- {to} < {file}',
    ].join(' '),
    probe: ['msmtp', '--version'],
    pattern: /version (\S+)/,
    features: ['auth-cram-md5', 'pipelining'],
  }),
  smtplib: () => ({
    command: [
      `python3 "${script('smtplib-client.py')}" --host {host} --port {port} --tls {tls} --ca {ca} --from={from} --file {file}`,
      '{?auth:--user {user} --password {pass}} {?mech:--mechanism {mech}}',
      '{?timeout:--timeout {timeout}} {?name:--name {name}} {?lmtp:--lmtp} {to}',
    ].join(' '),
    probe: ['python3', '--version'],
    pattern: /^Python (\S+)/,
    features: ['starttls', 'implicit-tls', 'null-sender', 'size', 'auth-cram-md5'],
  }),
};

/** Every client that can be named. */
export const READY: readonly string[] = ['core', 'nodemailer', ...Object.keys(COMMANDS)];

/** What makes one client for each job. */
export type MakeSubject = () => Promise<Subject>;

/**
 * Finds the client of a name, or of a module's path.
 *
 * @throws AbsentError where its program is not here: the message says which, and what was tried
 * @throws UsageError for a name that there is not
 */
export async function findSubject(name: string): Promise<MakeSubject> {
  const ready = COMMANDS[name]?.();
  if (ready) {
    const version = await versionOf(name, ready);
    return async () => commandSubject(ready.command, { ...ready, name, version });
  }
  if (!READY.includes(name) && !existsSync(name))
    throw new UsageError(
      `there is no client ${JSON.stringify(name)}: there are ${READY.join(', ')}, or the path of a module`,
    );
  return () => forkSubject(name);
}

function versionOf(
  name: string,
  { probe: [program, ...words], pattern }: ReadyCommand,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { timeout: 10_000 }, (error, stdout, stderr) => {
      const found = pattern.exec(`${stdout}\n${stderr}`)?.[1];
      if (found) resolve(found);
      else
        reject(
          new AbsentError(
            `${name} is skipped: \`${[program, ...words].join(' ')}\` did not tell a version (${(error as NodeJS.ErrnoException | null)?.code ?? 'no match'})`,
          ),
        );
    });
  });
}
