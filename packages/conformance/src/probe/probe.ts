/**
 * What a live server offers: TLS, certificate, extensions; and with credentials which of the provider's documented
 * refusals it gives. No message is sent unless that is asked for: transactions end by RSET before DATA.
 */
import type { TLSSocket } from 'node:tls';
import { REFUSALS, type RefusalReason } from '../sandbox/profile.ts';
import { type Answer, Talk, type TalkOptions } from './talk.ts';

/** How TLS is looked for: 'auto' takes 465 for TLS from the first octet, and STARTTLS where it is offered elsewhere. */
export type ProbeTls = 'auto' | 'implicit' | 'starttls' | 'off';

export interface ProbeOptions extends Omit<TalkOptions, 'hide'> {
  readonly tls: ProbeTls;
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  /** The sender and the recipient of what is tried; both are needed to send. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Credentials go to a server all the same whose certificate is not trusted. */
  readonly insecure?: boolean | undefined;
  /** Messages are sent, to find what is refused behind the final dot. */
  readonly send?: boolean | undefined;
}

/** A certificate, and whether it can be trusted. */
export interface ProbedTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly subject: string;
  readonly issuer: string;
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
  readonly trusted: boolean;
  /** Why it is not. */
  readonly why?: string;
}

/** What came of provoking one refusal. */
export interface ProbedRefusal {
  readonly reason: RefusalReason;
  /** What was done: 'MAIL without AUTH'. */
  readonly by: string;
  /** What the server said; undefined: it was not tried. */
  readonly code?: number;
  readonly text?: string;
  /** Whether it is the documented text. */
  readonly documented: boolean;
  /** Why it was not tried. */
  readonly why?: string;
}

export interface ProbeReport {
  readonly host: string;
  readonly port: number;
  readonly greeting: string;
  readonly mode: 'implicit' | 'starttls' | 'none';
  readonly tls?: ProbedTls;
  /** EHLO keywords outside TLS; none where TLS is from the first octet. */
  readonly plain: readonly string[];
  /** EHLO keywords under TLS. */
  readonly secure: readonly string[];
  readonly auth: readonly string[];
  /** In octets; 0: announced without a limit. */
  readonly size?: number;
  readonly limits?: string;
  /** What AUTH came to. */
  readonly login?: { readonly mechanism: string; readonly code: number; readonly text: string };
  readonly refusals: readonly ProbedRefusal[];
  /** What went wrong on the way. */
  readonly problems: readonly string[];
}

const NAME = 'probe.invalid';
/** RFC 2606 §2: nobody has it. */
const NOBODY = 'nobody@domain.invalid';

/** The server cannot be reached, or does not speak SMTP. */
export class ProbeError extends Error {
  override readonly name: string = 'ProbeError';
}

/**
 * Looks.
 *
 * @throws ProbeError where the server cannot be reached, or does not speak SMTP: a login that fails is none
 */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  try {
    return await look(options);
  } catch (error) {
    const why = String((error as Error | undefined)?.message ?? error);
    // A server that waits for a ClientHello says nothing either.
    const silent = /^the greeting: nothing came/.test(why) && !isImplicit(options);
    const hint = silent ? '; does it speak TLS at once (--tls implicit)?' : '';
    throw new ProbeError(`${options.host}:${options.port}: ${why}${hint}`);
  }
}

const isImplicit = ({ tls, port }: ProbeOptions): boolean =>
  tls === 'implicit' || (tls === 'auto' && port === 465);

async function look(options: ProbeOptions): Promise<ProbeReport> {
  const problems: string[] = [];
  const implicit = isImplicit(options);
  const hide = hiding(options);
  const talk = await Talk.open({ ...options, hide }, implicit);
  try {
    const hello = await talk.answer('the greeting');
    let offered = await ehlo(talk);
    let plain = offered;
    let mode: ProbeReport['mode'] = implicit ? 'implicit' : 'none';
    if (implicit) plain = [];
    else if (options.tls !== 'off' && keyword(offered, 'STARTTLS') !== undefined) {
      const go = await talk.say('STARTTLS');
      if (go.code === 220) {
        const dropped = await talk.secure();
        if (dropped > 0)
          problems.push(`${dropped} character(s) behind the reply to STARTTLS, outside TLS`);
        mode = 'starttls';
        offered = await ehlo(talk);
      } else problems.push(`STARTTLS is offered and answered ${told(go)}`);
    } else if (options.tls === 'starttls') problems.push('STARTTLS is not offered');
    const socket = talk.tls;
    // Of a connection that is over it cannot be asked.
    const tls = socket && certificateOf(socket);
    const auth = (keyword(offered, 'AUTH') ?? '').split(' ').filter(Boolean);
    const size = keyword(offered, 'SIZE');
    const limits = keyword(offered, 'LIMITS');
    const refusals: ProbedRefusal[] = [];
    let login: ProbeReport['login'];
    if (options.user !== undefined && options.pass !== undefined) {
      refusals.push(...(await beforeLogin(talk, options)));
      if (!socket) problems.push('no credentials are sent outside TLS');
      else if (!socket.authorized && !options.insecure)
        problems.push('no credentials are sent to a server whose certificate is not trusted');
      else {
        const done = await logIn(talk, auth, options.user, options.pass);
        if (typeof done === 'string') problems.push(done);
        else {
          login = done;
          if (done.code === 235) refusals.push(...(await behindLogin(talk, options)));
        }
      }
    }
    return {
      host: options.host,
      port: options.port,
      greeting: told(hello),
      mode,
      ...(tls ? { tls } : {}),
      plain,
      secure: socket ? offered : [],
      auth,
      ...(size === undefined ? {} : { size: Number(size) || 0 }),
      ...(limits === undefined ? {} : { limits }),
      ...(login ? { login: { ...login, text: hide(login.text) } } : {}),
      refusals: refusals.map((one) =>
        one.text === undefined ? one : { ...one, text: hide(one.text) },
      ),
      problems,
    };
  } finally {
    await talk.close();
  }
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** Some servers repeat what they do not understand: a password is taken out, in every form in which it was said. */
function hiding({ user, pass }: ProbeOptions): (text: string) => string {
  if (user === undefined || !pass) return (text) => text;
  const secrets = [base64(`\0${user}\0${pass}`), base64(pass), pass];
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
}

const told = ({ code, lines }: Answer): string => `${code} ${lines.join(' ')}`.trim();

async function ehlo(talk: Talk): Promise<string[]> {
  const answer = await talk.say(`EHLO ${NAME}`);
  if (answer.code === 250) return answer.lines.slice(1).map((line) => line.trim());
  const older = await talk.say(`HELO ${NAME}`);
  if (older.code !== 250) throw new Error(`EHLO was answered ${told(answer)}, HELO ${told(older)}`);
  return [];
}

/** What stands behind a keyword; '' where nothing does; undefined where it is not offered. */
const keyword = (lines: readonly string[], name: string): string | undefined => {
  const line = lines.find((one) => one.split(/[ =]/)[0]?.toUpperCase() === name);
  return line?.slice(name.length + 1).trim();
};

async function logIn(
  talk: Talk,
  offered: readonly string[],
  user: string,
  pass: string,
): Promise<NonNullable<ProbeReport['login']> | string> {
  const names = offered.map((name) => name.toUpperCase());
  const result = (mechanism: string, answer: Answer): NonNullable<ProbeReport['login']> => ({
    mechanism,
    code: answer.code,
    text: answer.lines.join(' '),
  });
  if (names.includes('PLAIN')) {
    const answer = await talk.say(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`, 'AUTH PLAIN');
    return result('PLAIN', answer);
  }
  if (!names.includes('LOGIN'))
    return `neither AUTH PLAIN nor AUTH LOGIN is offered: ${names.join(' ') || 'nothing is'}`;
  let answer = await talk.say('AUTH LOGIN');
  if (answer.code === 334) answer = await talk.say(base64(user), 'the user name');
  if (answer.code === 334) answer = await talk.say(base64(pass), 'the password');
  return result('LOGIN', answer);
}

const DOCUMENTED = new Map<RefusalReason, string>(
  Object.entries(REFUSALS).map(([reason, { text }]) => [reason as RefusalReason, text]),
);

function refused(reason: RefusalReason, by: string, answer: Answer): ProbedRefusal {
  const text = answer.lines.join(' ');
  return {
    reason,
    by,
    code: answer.code,
    text,
    documented: text.toLowerCase().includes((DOCUMENTED.get(reason) ?? '').toLowerCase()),
  };
}

const untried = (reason: RefusalReason, by: string, why: string): ProbedRefusal => ({
  reason,
  by,
  documented: false,
  why,
});

async function beforeLogin(talk: Talk, { from = NOBODY }: ProbeOptions): Promise<ProbedRefusal[]> {
  const answer = await talk.say(`MAIL FROM:<${from}>`);
  await talk.say('RSET');
  return [refused('not-authenticated', 'MAIL without AUTH', answer)];
}

async function behindLogin(talk: Talk, options: ProbeOptions): Promise<ProbedRefusal[]> {
  const { from, to, send } = options;
  const found: ProbedRefusal[] = [];
  /** The reply to the last of some commands, or to the first that is refused. */
  const dialogue = async (...lines: readonly string[]): Promise<Answer> => {
    let answer: Answer = { code: 0, lines: [] };
    for (const line of lines) {
      answer = await talk.say(line);
      if (answer.code >= 400) break;
    }
    await talk.say('RSET');
    return answer;
  };
  found.push(
    refused(
      'sender-not-confirmed',
      `MAIL FROM:<${NOBODY}>, RCPT`,
      await dialogue(`MAIL FROM:<${NOBODY}>`, `RCPT TO:<${to ?? NOBODY}>`),
    ),
  );
  if (from === undefined) {
    for (const reason of ['invalid-recipient', 'too-large'] as const)
      found.push(untried(reason, 'a confirmed sender', '--from names none'));
  } else {
    found.push(
      refused(
        'invalid-recipient',
        `RCPT TO:<${NOBODY}>`,
        await dialogue(`MAIL FROM:<${from}>`, `RCPT TO:<${NOBODY}>`),
      ),
      refused(
        'too-large',
        'MAIL with SIZE=100000000',
        await dialogue(`MAIL FROM:<${from}> SIZE=100000000`),
      ),
    );
  }
  found.push(untried('server-error', 'nothing', 'nobody can ask for it'));
  const by = 'a message with a file .exe';
  if (!send) found.push(untried('attachment-type', by, 'nothing is sent without --send'));
  else if (from === undefined || to === undefined)
    found.push(untried('attachment-type', by, '--send needs --from and --to'));
  else found.push(refused('attachment-type', by, await sendFile(talk, from, to)));
  return found;
}

async function sendFile(talk: Talk, from: string, to: string): Promise<Answer> {
  for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA']) {
    const answer = await talk.say(line);
    if (answer.code >= 400) {
      await talk.say('RSET');
      return answer;
    }
  }
  return talk.data(
    [
      `From: <${from}>`,
      `To: <${to}>`,
      'Subject: Probe',
      `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${Date.now()}@${NAME}>`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="probe"',
      '',
      '--probe',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'A probe of what this server refuses. [Unsubscribe] [WebVersion]',
      '--probe',
      'Content-Type: application/octet-stream; name="probe.exe"',
      'Content-Disposition: attachment; filename="probe.exe"',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('This is no program.').toString('base64'),
      '--probe--',
    ].join('\r\n'),
  );
}

function certificateOf(socket: TLSSocket): ProbedTls {
  const {
    subject,
    issuer,
    subjectaltname = '',
    valid_from,
    valid_to,
  } = socket.getPeerCertificate();
  const name = (of: object | undefined): string =>
    Object.entries(of ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(', ');
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.standardName ?? '',
    subject: name(subject),
    issuer: name(issuer),
    names: subjectaltname,
    validFrom: valid_from ?? '',
    validTo: valid_to ?? '',
    trusted: socket.authorized,
    ...(socket.authorized ? {} : { why: String(socket.authorizationError ?? 'unknown') }),
  };
}
