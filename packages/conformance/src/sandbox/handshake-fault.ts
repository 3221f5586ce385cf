/** Handshakes that fail, in words for people. Knows texts alone. */

/** What a failed handshake most often means. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /socket closed while initiating|unknown ca|bad certificate|certificate unknown|ECONNRESET/i,
    "does the client trust the sandbox's authority?",
  ],
  [/unsupported protocol|no shared cipher|version too low/i, 'an old client needs legacyTls'],
  [
    /wrong version number|http request|failed to establish|packet length/i,
    'this port speaks TLS from the first octet, the other one STARTTLS',
  ],
];

/** What OpenSSL and smtp-server say of a handshake that failed, with what it most often means. */
export function explained(message: string): string {
  const found = MEANINGS.find(([pattern]) => pattern.test(message));
  // OpenSSL's own form: thread:error:code:library:function:reason:file:line.
  const [, reason = message.trim()] = /error:[\dA-F]+:[^:]*:[^:]*:([^:]+):/.exec(message) ?? [];
  return found ? `${reason} (${found[1]})` : reason;
}
