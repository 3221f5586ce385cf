/**
 * The gate in front of a message's last octet. It knows messages, and nothing of ledgers and queues.
 *
 * The client asks content that is iterated for its next piece as long as there may be one, and writes what ends the
 * message, the dot of DATA or the last octets of BDAT … LAST, only when it is told that there is none. So whatever the
 * iterable still awaits before it ends happens before the server can have the whole message.
 */

/** @import { Message } from '@posthorn/mime' */

/**
 * A message whose last octet leaves this process when `allow()` has resolved, and not before. If `allow()` rejects, it never
 * leaves: the message fails with ERR_SMTP_CONTENT and `delivery: 'not-sent'`.
 *
 * @param {Message} message - made by `compose()`
 * @param {() => Promise<void>} allow - called once for each time that the message is sent
 * @param {string | readonly string[]} [to] - the envelope's recipients, where they are not all of the message's
 */
export function holdBack(message, allow, to = message.to) {
  async function* content() {
    yield* message;
    await allow();
  }
  const { from, size, body, smtpUtf8 } = message;
  return { from, to, size, smtpUtf8, content, ...(body && { body }) };
}
