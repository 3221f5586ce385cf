/** Attachments and alternatives of nodemailer as body parts of mime. */
import { type BodyPart, type Content, part } from '@posthorn/mime';
import { type Loaded, load, type Policy, resolve } from './content.ts';
import { problem, unsupported } from './error.ts';
import { fieldsOf } from './header-field.ts';
import { endingOf, mediaTypeOf } from './media-type.ts';
import type { AttachmentInput } from './message-data.ts';

/** How errors name it, and which of its kind it is. */
export interface Place {
  readonly kind: 'attachments' | 'alternatives';
  readonly at: number;
}

/** A name for it, where it has none: what its path says, or its number. */
export function filenameOf(given: AttachmentInput, at: number, type: string): string | undefined {
  if (given.filename || given.filename === false || /^message\//i.test(type))
    return given.filename || undefined;
  const place = `${given.path || given.href || ''}`;
  const [name = ''] = /^data:/i.test(place) ? [] : (place.split(/[/\\]/).at(-1) ?? '').split('?');
  const found = name || `attachment-${at + 1}`;
  return found.includes('.') ? found : `${found}.${endingOf(type)}`;
}

/** Its media type: what is said of it, else by its name. */
export const contentTypeOf = (given: AttachmentInput, fallback: string): string =>
  given.contentType || mediaTypeOf(`${given.filename || given.path || given.href || fallback}`);

/** A media type without its name, which a part writes itself, and without loose ends. */
export const partType = (declared: string): string =>
  declared
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one && !/^name=/i.test(one))
    .join('; ');

/**
 * A part as nodemailer writes it: attachments in base64, texts as their content allows.
 *
 * @throws NodemailerError for what it does not have, or cannot read
 */
export async function bodyPart(
  given: AttachmentInput,
  { kind, at }: Place,
  policy: Policy,
): Promise<BodyPart> {
  const what = `${kind}[${at}]`;
  if (given?.raw) return rawPart(given.raw, what);
  const loaded = await load(given, what, policy);
  const isAttachment = kind === 'attachments';
  const declared =
    given.contentType ?? loaded.contentType ?? contentTypeOf(given, isAttachment ? 'bin' : 'a.txt');
  const type = partType(declared);
  const isText = /^text\//i.test(type);
  const isMessage = /^message\//i.test(type);
  const { contentTransferEncoding: encoding, contentDisposition, cid } = given;
  const isString = !isAttachment && isText;
  if (encoding && encoding !== 'base64' && !isString)
    throw unsupported(`${what}.contentTransferEncoding`, 'there is base64');
  const inline = isMessage || (cid && /^image\//i.test(type));
  const made = part(
    // What was given as a string is UTF-8.
    isText && typeof loaded.content === 'string' && !/charset=/i.test(type)
      ? `${type}; charset=utf-8`
      : type,
    await contentOf(loaded, isString, isMessage, policy),
    {
      filename: isAttachment ? filenameOf(given, at, type) : given.filename || undefined,
      disposition:
        (contentDisposition as 'inline' | undefined) ??
        (isString ? undefined : inline ? 'inline' : 'attachment'),
      ...(cid && { cid: cid.replace(/[<>]/g, '') }),
      ...(encoding && isString && { transferEncoding: encoding }),
    },
  );
  return withFields(made, given.headers, what);
}

/** Text as text where it is shown; what is attached as octets, so that its line ends stay; and messages as they are. */
async function contentOf(
  loaded: Loaded,
  isString: boolean,
  isMessage: boolean,
  { whole }: Policy,
): Promise<Content> {
  if (isString) return `${await resolve(loaded)}`;
  const content = whole ? await resolve(loaded) : loaded.content;
  return typeof content === 'string' && !isMessage ? Buffer.from(content) : content;
}

/** With further fields in its header, written as they are. */
function withFields(made: BodyPart, headers: AttachmentInput['headers'], what: string): BodyPart {
  const lines = fieldsOf(headers).map(({ name, value }) => {
    if (
      /^content-(type|transfer-encoding|disposition)$|[^!-9;-~]|^$/i.test(name) ||
      /[^\t -~]/.test(value)
    )
      throw problem('EMESSAGE', `Cannot use ${what}.headers: ${JSON.stringify(name)}`);
    return `${name}: ${value}\r\n`;
  });
  return {
    ...made,
    render(context, path) {
      const [head, ...body] = made.render(context, path);
      return [head + lines.join(''), ...body];
    },
  };
}

/** A part that is written already: its header, an empty line, its body. */
function rawPart(raw: string | Uint8Array, what: string): BodyPart {
  const text = `${typeof raw === 'string' ? raw : Buffer.from(raw)}`.replace(/\r\n?|\n/g, '\r\n');
  const [head = '', body] = text.split(/\r\n\r\n(.*)/s);
  if (body === undefined || /[^\t\r\n -~]|^.{999}/m.test(text))
    throw problem('EMESSAGE', `Cannot use ${what}.raw: it is no part in 7bit lines`);
  return { ...part('text/plain', ''), render: () => [`${head}\r\n`, body] };
}
