/** One message in several transactions, where the server takes fewer recipients in one (RFC 9422, RCPTMAX). */
import type { Receipt, SmtpClient } from '../client.ts';
import { fault, type RejectedRecipient, SmtpError } from '../errors.ts';
import {
  envelope,
  type OutgoingMessage,
  type Recipient,
  type SendOptions,
} from '../session/envelope.ts';
import type { Reply } from '../wire/reply.ts';
import { limitOf } from './limit.ts';

/**
 * Sends a message, to at most RCPTMAX recipients at a time. What the transactions come to is one receipt, where nothing
 * worse has happened than refusals.
 *
 * @throws TypeError as `client.send()`
 * @throws SmtpError ERR_SMTP_UNSUPPORTED where the content can be read only once, or all recipients were to get it or none;
 *   else the first failure that is no refusal, or the first refusal of all, with what is certain of the others
 */
export async function inParts(
  client: SmtpClient,
  message: OutgoingMessage,
  how: SendOptions,
): Promise<Receipt> {
  const { capabilities } = client;
  const recipients = [message.to].flat();
  // The limit is at least one.
  const most = recipients[1] ? limitOf(capabilities, 'RCPTMAX') : 1;
  if (!(recipients.length > most)) return client.send(message, how);
  // What cannot be sent at all is refused before anything is.
  if (
    !(envelope(message, capabilities, how).source instanceof Uint8Array) ||
    how.partial === 'abort'
  )
    throw fault('UNSUPPORTED', `send to more than ${most} at a time`, 'mail');
  const accepted: string[] = [];
  const rejected: RejectedRecipient[] = [];
  const replies: Reply[] = [];
  let last: Receipt | undefined;
  let octets = 0;
  let roundTrips = 0;
  const failures: SmtpError[] = [];
  const sending = [];
  for (let at = 0; at < recipients.length; at += most) {
    const to = recipients.slice(at, at + most);
    sending.push(
      // Stands for a message of whatever class, frozen or not.
      client.send(Object.create(message, { to: { value: to } }), how).then(
        (receipt) => {
          last = receipt;
          octets += receipt.octets;
          roundTrips += receipt.roundTrips;
          replies.push(...(receipt.replies ?? []));
          accepted.push(...receipt.accepted);
          rejected.push(...receipt.rejected);
        },
        (error: SmtpError) => {
          const { reply, rejected: some = [] } = error;
          failures.push(error);
          accepted.push(...(error.accepted ?? []));
          rejected.push(...some);
          if (error.delivery === 'rejected' && reply)
            for (const recipient of to) {
              const { address = recipient as string }: Partial<Recipient> = Object(recipient);
              if (!some.some((one) => address === one.address)) rejected.push({ address, reply });
            }
        },
      ),
    );
  }
  // Transactions settle in their order, and so do these.
  await Promise.all(sending);
  const failure =
    failures.find(({ delivery }) => delivery !== 'rejected') ?? (last ? undefined : failures[0]);
  if (failure)
    throw new SmtpError(failure.code, failure.message, { ...failure, accepted, rejected });
  return {
    ...(last as unknown as Receipt),
    ...(replies[0] && { replies }),
    accepted,
    rejected,
    octets,
    roundTrips,
  };
}
