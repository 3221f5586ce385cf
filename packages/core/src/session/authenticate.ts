import { fault, type SmtpError, type SmtpErrorDetails } from '../errors.ts';
import { fromBase64, type SaslMechanism, toBase64 } from '../sasl/mechanism.ts';
import { MAX_COMMAND_LINE } from '../wire/command.ts';
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
  line.secrets = [...secrets];
  const offered = mechanisms
    .filter(({ name }) => auth.has(name))
    .sort((a, b) => b.strength - a.strength);
  for (const mechanism of offered) {
    if (mechanism.exposesSecret && !line.secure && !allowInsecureAuth) continue;
    const reply = yield* exchange(line, mechanism);
    if (reply.code === 235) return;
    // RFC 4954 §4: 504 says that the mechanism is not known after all. Anything else is about the
    // credentials, and trying them again by another mechanism would only count as another failure.
    if (reply.code !== 504)
      throw failure('', { reply });
  }
  const names = mechanisms.map(({ name }) => name);
  throw failure(
    offered[0] && !line.secure
      ? `: ${names} needs TLS, or allowInsecureAuth`
      : `: the server offers no ${names}`,
  );
}

/** One exchange; returns the reply that ended it. */
function* exchange(line: Line, mechanism: SaslMechanism): Procedure<Reply> {
  const { name } = mechanism;
  const steps = mechanism.start();
  let challenge: Uint8Array | undefined;
  /** The next response in base64, blotted out here and wherever the server repeats it. */
  const respond = function* (): Procedure<string | undefined> {
    const { done, value } = yield* ask('auth', () => steps.next(challenge as Uint8Array));
    if (done) throw new Error('the server asks for more');
    const encoded = value && toBase64(value);
    if (encoded) line.secrets.push(encoded);
    return encoded;
  };
  let text = `AUTH ${name}`;
  let response = yield* respond();
  // RFC 4954 §4: an empty initial response is `=`; one that makes the line too long goes behind the first challenge.
  if (response !== undefined && text.length + response.length < MAX_COMMAND_LINE - 2) {
    text += ` ${response || '='}`;
    response = undefined;
  }
  for (;;) {
    const reply = yield* command(line, text, 'auth');
    if (reply.code !== 334) return reply;
    try {
      challenge = fromBase64(reply.lines[0] as string);
      text = response ?? (yield* respond()) ?? '';
      response = undefined;
    } catch (cause) {
      // RFC 4954 §4: a line with `*` alone cancels the exchange.
      const cancelled = yield* command(line, '*', 'auth');
      throw failure(
        `: ${name}: ${(cause as Error)?.message} (${describeReply(cancelled)})`,
        { cause },
      );
    }
  }
}

const failure = (why: string, details?: Partial<SmtpErrorDetails>): SmtpError =>
  fault('ERR_SMTP_AUTH', `authenticate${why}`, 'auth', details);
