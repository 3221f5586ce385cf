import { refused, SmtpError } from '../errors.ts';
import { fromBase64, type SaslMechanism, toBase64 } from '../sasl/mechanism.ts';
import { commandLine, MAX_COMMAND_LINE } from '../wire/command.ts';
import { describeReply, type Reply } from '../wire/reply.ts';
import { ask, command, type Line, type Procedure } from './procedure.ts';

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
  line: Line,
  { mechanisms, secrets, allowInsecureAuth }: AuthenticateOptions,
): Procedure<void> {
  const { auth } = line.capabilities;
  const offered = mechanisms
    .filter(({ name }) => auth.has(name))
    .sort((a, b) => b.strength - a.strength);
  for (const mechanism of offered) {
    if (mechanism.exposesSecret && !line.secure && !allowInsecureAuth) continue;
    const reply = yield* exchange(line, mechanism, [...secrets]);
    if (reply.code === 235) return;
    // RFC 4954 §4: 504 says that the mechanism is not known after all. Anything else is about the
    // credentials, and trying them again by another mechanism would only count as another failure.
    if (reply.code !== 504)
      throw refused('authenticate', reply, { phase: 'auth' }, 'ERR_SMTP_AUTH');
  }
  const names = mechanisms.map(({ name }) => name);
  throw failure(
    offered[0] && !line.secure
      ? `${names} needs TLS, or allowInsecureAuth`
      : `the server offers ${[...auth].join() || 'none'}, not ${names}`,
  );
}

/** One exchange; returns the reply that ended it. */
function* exchange(line: Line, mechanism: SaslMechanism, secrets: string[]): Procedure<Reply> {
  const running = mechanism.start();
  let text = `AUTH ${mechanism.name}`;
  let shown = text;
  /** A response in base64, blotted out wherever the server repeats it. */
  const make = function* (response: () => unknown): Procedure<string> {
    const encoded = toBase64((yield* ask('auth', response)) as Uint8Array);
    secrets.push(encoded);
    return encoded;
  };
  let response = running.initial && (yield* make(() => running.initial?.()));
  // RFC 4954 §4: an empty initial response is `=`; one that makes the line too long goes behind the first challenge.
  if (response !== undefined && text.length + response.length < MAX_COMMAND_LINE - 2) {
    text += ` ${response || '='}`;
    shown += ' ***';
    response = undefined;
  }
  for (;;) {
    const reply = yield* command(line, commandLine(text), 'auth', { shown, secrets });
    if (reply.code !== 334) return reply;
    shown = '***';
    try {
      const challenge = fromBase64(reply.lines[0] as string);
      text = response ?? (yield* make(() => running.respond(challenge)));
      response = undefined;
    } catch (cause) {
      // RFC 4954 §4: a line with `*` alone cancels the exchange.
      const cancelled = yield* command(line, commandLine('*'), 'auth', { secrets });
      throw failure(
        `${mechanism.name}: ${(cause as Error)?.message} (${describeReply(cancelled)})`,
        cause,
      );
    }
  }
}

function failure(why: string, cause?: unknown): SmtpError {
  return new SmtpError('ERR_SMTP_AUTH', `Cannot authenticate: ${why}`, { phase: 'auth', cause });
}
