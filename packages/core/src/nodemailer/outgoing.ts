/** A composed message of nodemailer as one that core sends: envelope, content, and what the server has to know of both. */
import type { OutgoingMessage, Recipient } from '../index.ts';
import type { DsnOptions, MailContent, MailData } from './mail.ts';

/** What a composer of our own knows better than a stream does. */
export type OwnContent = Pick<OutgoingMessage, 'content' | 'size' | 'body' | 'smtpUtf8'>;

/** The message as the pool takes it. What is no DSN core refuses. */
export function outgoing(
  data: MailData,
  message: MailContent & { ownContent?(): OwnContent },
): OutgoingMessage {
  const envelope = message.getEnvelope();
  const { from, to } = envelope;
  const dsn = dsnOf(data.dsn ?? (envelope['dsn'] as DsnOptions | undefined));
  const { ret, envid, notify, orcpt } = dsn;
  return {
    ...(message.ownContent?.() ?? {
      content: streamsOf(data)[0] ? read(message) : { [Symbol.asyncIterator]: () => read(message) },
      body: envelope['use8BitMime'] ? '8BITMIME' : undefined,
      // RFC 6531 §3.4: also where it is only the header that has such an address.
      smtpUtf8: hasUtf8(message.getAddresses?.()) || undefined,
    }),
    from: from || '',
    to: to.map((address): Recipient => ({ address, notify, orcpt })),
    ret,
    envid,
    requireTls: !!(data.requireTLSExtensionEnabled || envelope['requireTLSExtensionEnabled']),
  };
}

/** The streams that a message is made of: each can be read only once. */
export function streamsOf(data: object): { destroy?(): unknown; on?: unknown }[] {
  return Object.values(data)
    .flat()
    .flatMap((value) => [value, value?.content, value?.raw])
    .filter((value) => typeof value?.pipe === 'function');
}

/** Not before it is asked for: a stream of nodemailer reads ahead. */
async function* read(message: MailContent): AsyncGenerator<Uint8Array> {
  yield* message.createReadStream();
}

function hasUtf8(addresses: object = {}): boolean {
  return Object.values(addresses)
    .flat()
    .some(({ address }) => /[^\n-~]/.test(address ?? ''));
}

function dsnOf(dsn: DsnOptions | undefined): {
  ret: OutgoingMessage['ret'];
  envid: string | undefined;
  notify: Recipient['notify'];
  orcpt: string | undefined;
} {
  const { id, envid = id, return: back, ret = back, recipient, orcpt = recipient } = dsn ?? {};
  // Which of them there are, core knows.
  const notify = `${dsn?.notify || ''}`.replace(/\s/g, '').toUpperCase();
  return {
    ret: ret
      ?.toUpperCase()
      .replace(/^HEADERS$/, 'HDRS')
      .replace(/^BODY$/, 'FULL') as OutgoingMessage['ret'],
    envid: envid || undefined,
    notify: (notify ? notify.split(',') : undefined) as Recipient['notify'],
    orcpt: orcpt || undefined,
  };
}
