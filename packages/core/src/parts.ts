/** One message in several transactions, where the server takes fewer recipients in one (RFC 9422, RCPTMAX). */
import type { Receipt } from './client.ts';
import { fault, type RejectedRecipient, SmtpError } from './errors.ts';
import type { Envelope } from './session/envelope.ts';

/**
 * Sends a message to at most `most` recipients at a time. What the transactions come to is one receipt, where nothing
 * worse has happened than refusals.
 *
 * @param send - sends to some of the recipients
 * @throws SmtpError ERR_SMTP_UNSUPPORTED where the content can be read only once; else that of the first transaction that
 *   failed otherwise than by a refusal, or of the first refusal of all, with what is certain of the others
 */
export async function inParts(
  send: (part: Envelope) => Promise<Receipt>,
  envelope: Envelope,
  most: number,
): Promise<Receipt> {
  const [mail, ...recipients] = envelope.commands;
  if (!mail || !(envelope.source instanceof Uint8Array))
    throw fault(
      'ERR_SMTP_UNSUPPORTED',
      `send the message: it is read once, and the server takes ${most} recipients at a time`,
      'mail',
    );
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  const replies: Receipt['reply'][] = [];
  let refusal: SmtpError | undefined;
  let failure: SmtpError | undefined;
  let last: Receipt | undefined;
  let octets = 0;
  let roundTrips = 0;
  const parts: { rcpt: Envelope['commands']; sent: Promise<Receipt> }[] = [];
  for (let at = 0; at < recipients.length; at += most) {
    const rcpt = recipients.slice(at, at + most);
    const sent = send({ ...envelope, commands: [mail, ...rcpt] });
    // It is looked at below, whenever it fails.
    sent.catch(() => {});
    parts.push({ rcpt, sent });
  }
  for (const { rcpt, sent } of parts) {
    try {
      last = await sent;
      accepted.push(...last.accepted);
      rejected.push(...last.rejected);
      if (last.replies) replies.push(...last.replies);
      octets += last.octets;
      roundTrips += last.roundTrips;
    } catch (error) {
      const { delivery, reply, accepted: some = [], rejected: others = [] } = error as SmtpError;
      accepted.push(...some);
      rejected.push(...others);
      if (delivery === 'rejected' && reply) {
        refusal ??= error as SmtpError;
        for (const { address = '' } of rcpt)
          if (!others.some((one) => one.address === address)) rejected.push({ address, reply });
      } else failure ??= error as SmtpError;
    }
  }
  if (last && !failure)
    return { ...last, accepted, rejected, octets, roundTrips, ...(replies[0] && { replies }) };
  const { message, ...details } = (failure ?? refusal) as SmtpError;
  throw new SmtpError(details.code, message, { ...details, accepted, rejected });
}
