import { fault } from '../errors.ts';
import type { SaslMechanism } from '../sasl/mechanism.ts';
import { MAX_COMMAND_LINE } from '../wire/limits.ts';
import type { Reply } from '../wire/reply.ts';
import { demand } from './demand.ts';
import { ask, type Line, type Procedure } from './procedure.ts';

/** What authenticate chooses from. */
export interface AuthenticateOptions {
  readonly auth: readonly SaslMechanism[];
  /** Whether mechanisms that expose the secret may run without TLS. */
  readonly allowInsecureAuth?: boolean | undefined;
}

/**
 * AUTH (RFC 4954 §4): the strongest mechanism that the server offers. What `open()` is given where there are credentials.
 *
 * @throws SmtpError ERR_SMTP_AUTH where none is offered, may be used, or is accepted
 *
 * @example
 * ```ts
 * import { authenticate } from '@posthorn/core/authenticate';
 * import { plain } from '@posthorn/core/sasl';
 * import type { OpenOptions } from '@posthorn/core/session';
 *
 * const auth = [plain({ user: 'tim', pass: 'tanstaaftanstaaf' })];
 * const options: Pick<OpenOptions, 'authenticate'> = {
 *   authenticate: (line) => authenticate(line, { auth }),
 * };
 * console.log(typeof options.authenticate); // function
 * ```
 */
export function* authenticate(line: Line, options: AuthenticateOptions): Procedure<void> {
  const { auth } = options;
  let why = `the server offers no ${auth.map(({ name }) => name)}`;
  let reply: Reply | undefined;
  for (const given of [...auth].sort((a, b) => b.strength - a.strength)) {
    const mechanism = given.bind?.(line) ?? given;
    const { name, refreshed } = mechanism;
    if (!line.capabilities.auth.has(name)) continue;
    why = name;
    if (mechanism.exposesSecret && !line.secure && !options.allowInsecureAuth) {
      why += ' needs TLS';
      continue;
    }
    reply = undefined;
    try {
      const steps = mechanism.start();
      /** The next response in base64, blotted out here and wherever the server repeats it. */
      const respond = function* (): Procedure<string | undefined> {
        const { done, value } = yield* ask('auth', () =>
          steps.next(
            Uint8Array.from(atob(reply?.lines[0] ?? ''), (character) => character.charCodeAt(0)),
          ),
        );
        if (done) throw new Error('more');
        const encoded = value && btoa(String.fromCharCode(...value));
        // And what it shows: PLAIN ends with the password.
        if (encoded)
          line.secrets.push(new TextDecoder().decode(value).split('\0').at(-1) || encoded, encoded);
        return encoded;
      };
      let response = yield* respond();
      let text = `AUTH ${name} ${response || '='}`;
      // RFC 4954 §4: an empty initial response is `=`; one that makes the line too long goes behind the first challenge.
      if (response === undefined || text.length > MAX_COMMAND_LINE - 2) text = `AUTH ${name}`;
      else response = undefined;
      for (;;) {
        reply = yield* demand(line, text, 'auth', /./);
        if (reply.code !== 334) break;
        text = response ?? (yield* respond()) ?? '';
        response = undefined;
      }
      if (reply.code === 235) {
        // RFC 5802 §5: the client may be the one that is not satisfied.
        yield* ask('auth', () => steps.next());
        return;
      }
    } catch (cause) {
      // RFC 4954 §4: a line with `*` alone cancels the exchange.
      if (reply?.code === 334) yield* demand(line, '*', 'auth', /./);
      throw fault('AUTH', `authenticate: ${why}: ${(cause as Error)?.message}`, 'auth', {
        cause,
      });
    }
    // RFC 4954 §4: 504 says that the mechanism is not known after all. Anything else is about the
    // credentials, and trying them again by another mechanism would only count as another failure.
    if (reply.code === 504) continue;
    if (refreshed) return yield* authenticate(line, { ...options, auth: [refreshed] });
    break;
  }
  throw fault('AUTH', `authenticate: ${why}`, 'auth', { reply });
}
