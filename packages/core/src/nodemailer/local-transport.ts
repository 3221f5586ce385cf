/** Transports that send nothing: the message as JSON, or as a stream. For tests, and for what sends by other means. */
import { Readable } from 'node:stream';
import { callBack } from './call-back.ts';
import type { MailEnvelope } from './mail.ts';
import type { MailMessage } from './mail-message.ts';
import type { SendMailOptions } from './message-data.ts';
import { VERSION } from './transport.ts';
import type { Transport } from './transporter.ts';

/** The message as JSON; with `skipEncoding` as the object. */
export interface JsonTransportOptions extends SendMailOptions {
  readonly jsonTransport: true;
  readonly skipEncoding?: boolean;
}

/** The message as a stream; with `buffer` as octets. */
export interface StreamTransportOptions extends SendMailOptions {
  readonly streamTransport: true;
  readonly buffer?: boolean;
  /** 'unix' for LF. Default: CR LF. */
  readonly newline?: string;
}

/** What a transport that sends nothing tells. */
export interface LocalInfo<Message> {
  envelope: MailEnvelope;
  messageId: string;
  message: Message;
}

/** @param message - makes of it what is told */
function localTransport<Message>(
  name: string,
  message: (mail: MailMessage) => Promise<Message>,
): Transport<LocalInfo<Message>> {
  return {
    name,
    version: VERSION,
    send(mail: MailMessage, callback) {
      // No delivery: who has it may know all of it.
      mail.message.keepBcc = true;
      callBack(
        message(mail).then((message) => ({
          envelope: mail.message.getEnvelope(),
          messageId: mail.message.messageId(),
          message,
        })),
        callback,
      );
    },
  };
}

export const jsonTransport = ({
  skipEncoding,
}: JsonTransportOptions): Transport<LocalInfo<unknown>> =>
  localTransport('JSONTransport', async (mail) => {
    const { envelope, normalizedHeaders, signal, ...data } = await mail.plain();
    return skipEncoding ? data : JSON.stringify(data);
  });

export const streamTransport = ({
  buffer,
  newline,
}: StreamTransportOptions): Transport<LocalInfo<Readable | Buffer>> =>
  localTransport('StreamTransport', async ({ message, data }) => {
    const wanted = newline ?? data['newline'];
    if (/^(unix|linux|\n)$/i.test(`${wanted}`))
      message.processFunc((input) => Readable.from(withoutCr(input), { objectMode: false }));
    return buffer ? message.build() : message.createReadStream();
  });

/** Composed messages have a CR before each LF, and nowhere else. */
async function* withoutCr(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) yield Uint8Array.from(chunk).filter((octet) => octet !== 13);
}
