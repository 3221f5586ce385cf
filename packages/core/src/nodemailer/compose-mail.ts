/**
 * A message of nodemailer's data, composed by mime. It knows what each key of the data is in a message; what a transport
 * makes of that it does not know.
 */
import {
  type Address,
  type BodyPart,
  type ComposeOptions,
  compose,
  type MessageSpec,
  part,
} from '@posthorn/mime';
import { addressesOf, forwardPaths } from './address-list.ts';
import { bodyPart } from './body-part.ts';
import { ComposedMail } from './composed-mail.ts';
import { isContentObject, isStream, load, resolve } from './content.ts';
import { dkimOf } from './dkim-options.ts';
import { problem, unsupported } from './error.ts';
import { type Field, fieldsOf, mimeFields, ownFields, withoutKeys } from './header-field.ts';
import type { MailEnvelope } from './mail.ts';
import type { AttachmentInput, SendMailOptions } from './message-data.ts';
import { streamsOf } from './outgoing.ts';

/** What nodemailer knows of a message, and this cannot do. */
const REFUSED: Record<string, string> = {
  auth: 'create a transport for each user',
  otp: 'write the field OTP-Token in headers',
  baseBoundary: 'boundaries are random',
  boundaryPrefix: 'boundaries are random',
  normalizeHeaderKey: 'fields are written as they are named',
  ses: 'it is for the API of Amazon SES',
};

/**
 * Reads what has to be read before a message can be composed: texts, and the sizes of files. Attachments are read while they
 * are sent.
 *
 * @throws NodemailerError, MimeError
 */
export async function composeMail(data: SendMailOptions): Promise<ComposedMail> {
  for (const name in REFUSED) if (data[name]) throw unsupported(name, REFUSED[name] as string);
  if (data.raw) return rawMail(data);
  const fields = [...fieldsOf(data.headers), ...ownFields(data)];
  const { data: all, rest } = withoutKeys(fields, data);
  const from = addressesOf(all.from, 'from');
  const { inReplyTo, references, messageId, date, subject, encoding } = all;
  const spec: MessageSpec = {
    from,
    ...(all.sender && { sender: addressesOf(all.sender, 'sender')[0] as Address }),
    to: addressesOf(all.to, 'to'),
    cc: addressesOf(all.cc, 'cc'),
    bcc: addressesOf(all.bcc, 'bcc'),
    replyTo: addressesOf(all.replyTo, 'replyTo'),
    ...(subject && { subject: `${subject}` }),
    ...(date && { date: new Date(date) }),
    ...(messageId && { messageId: ids(messageId)[0] as string }),
    inReplyTo: ids(inReplyTo),
    references: ids(references),
    ...(await bodyOf(data)),
  };
  const options: ComposeOptions = {
    smtpUtf8: true,
    ...(encoding && { transferEncoding: encoding.toLowerCase() as 'base64' }),
    ...(all.dkim && { dkim: dkimOf(all.dkim) }),
  };
  // Fields of any kind, in their order: its name is that of what it is made for.
  const make = (more: readonly Field[], keepBcc: boolean, messageId?: string) =>
    compose(
      { ...spec, ...(messageId && { messageId }), listUnsubscribe: mimeFields([...rest, ...more]) },
      { ...options, keepBcc },
    );
  const message = make([], false);
  const envelope = all.envelope
    ? envelopeOf(all.envelope)
    : {
        // The author, and not the sender, gets what cannot be delivered.
        from: all.sender ? (forwardPaths(from, 'from')[0] as string) : message.from,
        to: [...message.to],
      };
  return new ComposedMail(envelope, message.messageId, !!streamsOf(data)[0], (more, keepBcc) =>
    more[0] || keepBcc ? make(more, keepBcc, message.messageId) : message,
  );
}

/** A message that is written already. What its data says beside is for the envelope. */
async function rawMail(data: SendMailOptions): Promise<ComposedMail> {
  const { raw, from, to, cc, bcc, messageId, dkim, envelope = { from, to, cc, bcc } } = data;
  if (dkim) throw unsupported('dkim', 'what is raw is sent as it is');
  const { content } = await load(raw, 'raw', data);
  const octets = typeof content === 'string' ? Buffer.from(content) : content;
  const [head = ''] =
    octets instanceof Uint8Array ? `${Buffer.from(octets)}`.split(/\r?\n\r?\n/) : [];
  const [, own] = /^message-id:\s*(<[^<>\s]+>)/im.exec(head) ?? [];
  const { stream } = octets as { stream: unknown };
  return new ComposedMail(
    envelopeOf(envelope),
    own ?? `${messageId ?? ''}`,
    !!streamsOf(data)[0],
    () => ({
      content:
        octets instanceof Uint8Array
          ? octets
          : {
              [Symbol.asyncIterator]: () =>
                (typeof stream === 'function'
                  ? (octets as Blob).stream()
                  : (stream as ReadableStream<Uint8Array>))[Symbol.asyncIterator](),
            },
    }),
  );
}

function envelopeOf({
  from,
  to,
  cc,
  bcc,
  ...more
}: NonNullable<SendMailOptions['envelope']>): MailEnvelope {
  return {
    ...more,
    from: forwardPaths(from, 'envelope.from')[0] ?? false,
    to: forwardPaths([to, cc, bcc], 'envelope.to'),
  };
}

/** The texts and parts, as a message takes them; where there are more than it has places for, as a tree. */
async function bodyOf(data: SendMailOptions): Promise<Partial<MessageSpec>> {
  // What is signed is read twice.
  const policy = { disableFileAccess: data.disableFileAccess, whole: !!data.dkim };
  const parts = (kind: 'attachments' | 'alternatives'): Promise<BodyPart[]> =>
    Promise.all(
      [(data[kind] ?? []) as AttachmentInput]
        .flat()
        .map((one, at) => bodyPart(one, { kind, at }, policy)),
    );
  const alternatives = await parts('alternatives');
  const attachments = await parts('attachments');
  const texts: Record<string, string> = {};
  for (const key of ['text', 'watchHtml', 'amp', 'html']) {
    const given = data[key];
    const { raw, headers, contentTransferEncoding } = Object(isContentObject(given) && given);
    if (raw || headers || contentTransferEncoding)
      throw unsupported(key, 'give its content alone, or a part in alternatives');
    const text = given ? `${await resolve(await load(given, key, policy))}` : '';
    if (text) texts[key] = text;
    // A stream has been read now: whoever looks at it later finds what it was.
    if (isStream(given)) Object.assign(data, { [key]: text });
  }
  let calendar: BodyPart | undefined;
  if (data.icalEvent) {
    const given = data.icalEvent;
    const { method = 'PUBLISH', filename } = Object(isContentObject(given) && given);
    const content = `${await resolve(await load(given, 'icalEvent', policy))}`;
    if (!/^[\w-]+$/.test(`${method}`.trim()))
      throw problem('EMESSAGE', 'Cannot use icalEvent.method');
    const type = `text/calendar; charset=utf-8; method=${`${method}`.trim().toUpperCase()}`;
    calendar = part(type, content);
    // For readers that show no calendar.
    attachments.push(
      part('application/ics', Buffer.from(content), {
        filename: filename || 'invite.ics',
        disposition: 'attachment',
      }),
    );
  }
  const { text, watchHtml, amp, html } = texts;
  if (watchHtml || alternatives[1]) {
    const shown = (type: string, content?: string): BodyPart[] =>
      content ? [part(type, content)] : [];
    const beside = html ? attachments.filter(({ cid }) => cid) : [];
    const page = [...shown('text/html', html), ...beside];
    return {
      body: part('multipart/alternative', [
        ...shown('text/plain', text),
        ...shown('text/watch-html', watchHtml),
        ...shown('text/x-amp-html', amp),
        ...(beside[0] ? [part('multipart/related; type="text/html"', page)] : page),
        ...(calendar ? [calendar] : []),
        ...alternatives,
      ]),
      attachments: attachments.filter((one) => !beside.includes(one)),
    };
  }
  return {
    ...(text && { text }),
    ...(amp && { amp }),
    ...(html && { html }),
    ...(calendar && { calendar }),
    ...(alternatives[0] && { body: alternatives[0] }),
    attachments,
  };
}

/** Identifiers in angle brackets, however many there are. */
export function ids(given: unknown): string[] {
  return `${[given ?? ''].flat().join(' ')}`
    .split(/\s+/)
    .filter(Boolean)
    .map((id) => `<${id.replace(/^<|>$/g, '')}>`);
}
