/** The three ways to send by the options and messages of nodemailer: itself, with our transport in it, and without it. */
import nodemailer from 'nodemailer';
import { createTransport, posthornTransport } from '../../src/nodemailer/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: wrappers give what they like, and read what they like
export type Any = any;

/** What a wrapper imports. */
export interface Way {
  readonly name: 'nodemailer' | 'plugin' | 'facade';
  createTransport(options: Any, defaults?: Any): Any;
}

/** Options of nodemailer as somebody writes them down who goes over to the plugin. */
function native(given: Any): Any {
  const { host, port, secure, ignoreTLS, tls, auth, name, pool, ...more } =
    typeof given === 'string' ? fromUrl(given) : given;
  const { maxConnections, maxMessages, greetingTimeout, idleTimeout, rateLimit, rateDelta } = more;
  return {
    host,
    port: Number(port),
    tls: secure ? 'implicit' : ignoreTLS ? 'off' : 'starttls',
    tlsOptions: tls ?? {},
    ...(auth?.user && { auth: { user: auth.user, pass: auth.pass } }),
    ...(name && { name }),
    ...(greetingTimeout && { timeouts: { greeting: greetingTimeout } }),
    ...(pool
      ? {
          maxConnections: maxConnections ?? 5,
          maxMessages: maxMessages ?? 100,
          ...(idleTimeout && { idleTimeout }),
          ...(rateLimit && { rate: { messages: rateLimit, per: rateDelta } }),
        }
      : { maxConnections: Number.POSITIVE_INFINITY, maxMessages: 1, maxAttempts: 1 }),
  };
}

function fromUrl(text: string): Any {
  const { hostname: host, port, username, password, searchParams } = new URL(text);
  return {
    host,
    port,
    auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    tls: { rejectUnauthorized: searchParams.get('tls.rejectUnauthorized') !== 'false' },
  };
}

export const REAL: Way = { name: 'nodemailer', createTransport: nodemailer.createTransport };

export const PLUGIN: Way = {
  name: 'plugin',
  createTransport: (options, defaults) =>
    nodemailer.createTransport(posthornTransport(native(options)) as never, defaults),
};

export const FACADE: Way = { name: 'facade', createTransport };

/** The fields by which programs decide, of whatever an error is. */
export function failure(error: Any): object {
  const { code, command, response, responseCode, permanent, originalCode, timeoutType } = error;
  const { recipient, rejected, rejectedErrors, syscall, address, port, path, name } = error;
  return JSON.parse(
    JSON.stringify({
      name,
      code,
      command,
      response,
      responseCode,
      permanent,
      originalCode,
      timeoutType,
      recipient,
      rejected,
      rejectedErrors: rejectedErrors?.map(failure),
      // Whether a file is missed when it is measured or when it is opened is no matter.
      syscall: path ? undefined : syscall,
      address,
      port,
      path,
    }),
  );
}

/** What sendMail() tells, without chance and time. What differs by design is in differences.ts. */
export function told(info: Any): object {
  const { messageId, ehlo, envelopeTime, messageTime, messageSize, rejectedErrors, ...more } = info;
  for (const number of [envelopeTime, messageTime, messageSize])
    if (!(number >= 0)) throw new Error(`${number} is no time, and no size`);
  return {
    ...more,
    messageId: messageId.replace(/^<[\w-]{36}@/, '<uuid@'),
    ehlo: ehlo.map((line: string) => line.toUpperCase()).sort(),
    ...(rejectedErrors && { rejectedErrors: rejectedErrors.map(failure) }),
  };
}
