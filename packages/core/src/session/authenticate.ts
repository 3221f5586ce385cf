import { refused, SmtpError } from '../errors.ts';
import { fromBase64, type SaslMechanism, toBase64 } from '../sasl/mechanism.ts';
import { line, MAX_COMMAND_LINE } from '../wire/command.ts';
import { describeReply, type Reply } from '../wire/reply.ts';
import { ask, command, type Procedure } from './procedure.ts';
import type { SessionContext } from './session.ts';

/** What authenticate chooses from. */
export interface AuthenticateOptions {
  readonly mechanisms: readonly SaslMechanism[];
  /** Whether mechanisms that expose the secret may run without TLS. */
  readonly allowInsecureAuth: boolean;
  /** What is blotted out of the server's replies. */
  readonly secrets: readonly string[];
}

/** AUTH (RFC 4954 §4): the strongest mechanism that the server offers. */
export function* authenticate(
  { mechanisms, secrets, allowInsecureAuth }: AuthenticateOptions,
  { capabilities: { auth }, secure }: SessionContext,
): Procedure<void> {
  const offered = mechanisms.filter(({ name }) => auth.has(name)).sort((a, b) => b.strength - a.strength);
  const usable = offered.filter(({ exposesSecret }) => !exposesSecret || secure || allowInsecureAuth);
  let reply: Reply | undefined;
  for (const mechanism of usable) {
    reply = yield* exchange(mechanism, secrets);
    if (reply.code === 235) return;
    // RFC 4954 §4: 504 says that the mechanism is not known after all. Anything else is about the
    // credentials, and trying them again by another mechanism would only count as another failure.
    if (reply.code !== 504) break;
  }
  if (reply) throw refused('authenticate', reply, { phase: 'auth' }, 'ERR_SMTP_AUTH');
  const names = mechanisms.map(({ name }) => name);
  throw failure(
    offered[0]
      ? `without TLS ${names} would show the password; use TLS, or allowInsecureAuth`
      : `the server offers ${[...auth].join() || 'no AUTH'}, not ${names}`,
  );
}

/** One exchange; returns the reply that ended it. */
function* exchange(mechanism: SaslMechanism, secrets: readonly string[]): Procedure<Reply> {
  const { name } = mechanism;
  const running = mechanism.start();
  const sent = [...secrets];
  const say = (text: string, shown: string, secret = ''): Procedure<Reply> => {
    sent.push(secret);
    return command(line(text), 'auth', { shown, secrets: sent });
  };
  let initial = running.initial && toBase64(yield* ask('auth', () => (running.initial as NonNullable<typeof running.initial>)()));
  let text = `AUTH ${name}`;
  let shown = text;
  // RFC 4954 §4: an empty initial response is `=`; one that makes the line too long goes behind the first challenge.
  if (initial !== undefined && text.length + initial.length < MAX_COMMAND_LINE - 2) {
    text += ` ${initial || '='}`;
    shown += ' ***';
  }
  let reply = yield* say(text, shown, shown === text ? '' : initial);
  if (shown !== text) initial = undefined;
  while (reply.code === 334) {
    let response: string;
    try {
      const challenge = fromBase64(reply.lines[0] as string);
      response = initial ?? toBase64(yield* ask('auth', () => running.respond(challenge)));
      initial = undefined;
    } catch (cause) {
      // RFC 4954 §4: a line with `*` alone cancels the exchange.
      const cancelled = yield* say('*', '*');
      throw failure(`${name} failed: ${(cause as Error)?.message} (${describeReply(cancelled)})`, cause);
    }
    reply = yield* say(response, '***', response);
  }
  return reply;
}

function failure(why: string, cause?: unknown): SmtpError {
  return new SmtpError('ERR_SMTP_AUTH', `Cannot authenticate: ${why}`, { phase: 'auth', cause });
}
