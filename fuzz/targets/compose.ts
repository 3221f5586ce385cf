/**
 * compose() (RFC 5322, RFC 2045): a message of any description is refused by a MimeError, or is lines of 998 octets at most
 * whose size was known, and two readers that share nothing with the builder find in it what was put in, and no field more.
 */
import { createTransparency } from '../../packages/core/src/wire/transparency.ts';
import {
  type ComposeOptions,
  compose,
  type Message,
  MimeError,
} from '../../packages/mime/src/index.ts';
import {
  type Entity,
  fromUtf8,
  leaves,
  octetText,
  readEntity,
  readUnstructured,
  unfold,
  valuesOf,
} from '../../packages/mime/test/reader.ts';
import { parse } from '../../packages/mime/test/support.ts';
import { claim, same } from '../claim.ts';
import { explore } from '../explore.ts';
import { describe, type Made, tokens } from '../message-description.ts';
import { OctetReader } from '../octet-reader.ts';

export { tokens };

export const maxLength = 1_500;

const FIELDS =
  /^(From|Sender|Reply-To|To|Cc|Bcc|Subject|Date|Message-ID|In-Reply-To|References|Auto-Submitted|X-Priority|Importance|MIME-Version|Content-[\w-]+)$/;

export async function fuzz(data: Uint8Array): Promise<void> {
  let made: Made;
  let message: Message;
  try {
    made = describe(new OctetReader(data));
    message = compose(made.spec, made.options);
  } catch (error) {
    checkRefusal(error);
    return;
  }
  let octets: Uint8Array;
  try {
    octets = await read(message);
  } catch (error) {
    // What a stream gives is seen when it is read.
    checkRefusal(error);
    return;
  }
  checkOctets(message, octets, made.options);
  await checkMessage(readEntity(octetText(octets)), octets, made);
}

function checkRefusal(error: unknown): void {
  if (!(error instanceof MimeError)) throw error;
  claim(/^ERR_MIME_[A-Z_]+$/.test(error.code) && error.path !== '', 'the refusal', error.code);
  explore(2, (error.code.length * 8 + error.path.length) % 64);
}

async function read(message: Message): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const octets = Buffer.concat(chunks);
  claim(octets.equals(await message.bytes()), 'bytes() gives what the stream gave');
  return octets;
}

function checkOctets(message: Message, octets: Uint8Array, options: ComposeOptions): void {
  const raw = octetText(octets);
  const { body, size, minimumSize, smtpUtf8 } = message;
  claim(size === undefined || size === octets.length, 'the size', [size, octets.length]);
  claim(minimumSize <= octets.length, 'the least size', [minimumSize, octets.length]);
  claim(octets.length <= (options.maxSize ?? Infinity), 'maxSize is held', octets.length);
  claim(raw.endsWith('\r\n'), 'a message ends with CR LF');
  explore(0, (body ? 1 : 0) + (smtpUtf8 ? 2 : 0) + (size === undefined ? 4 : 0));
  if (body === 'BINARYMIME') return;
  claim(!/[^\r]\n|^\n|\r(?!\n)|\0/.test(raw), 'no bare CR or LF, and no NUL');
  for (const line of raw.split('\r\n')) claim(line.length <= 998, 'a line', line.length);
  if (!body && !smtpUtf8) claim(/^[\0-\x7f]*$/.test(raw), 'ASCII');
  // What core sends is what was measured here.
  let sent = 0;
  const data = createTransparency('BDAT', (piece) => {
    sent += piece.length;
  });
  data.push(octets);
  data.end();
  same([sent, data.octets], [octets.length, octets.length], 'core changes nothing');
}

async function checkMessage(entity: Entity, octets: Uint8Array, made: Made): Promise<void> {
  const { spec, options, files } = made;
  const own = new Set(spec.headers?.map(([name]) => name));
  for (const { name } of entity.fields)
    claim(FIELDS.test(name) || own.has(name), 'no field that was not asked for', name);
  claim(options.keepBcc || valuesOf(entity, 'Bcc').length === 0, 'no Bcc');
  const field = entity.fields.find(({ name }) => name === 'Subject');
  same(subjectOf(field?.folded), spec.subject, 'the subject');

  const parts = leaves(entity);
  const texts = parts.filter(({ dispositionParameters }) => !dispositionParameters.has('filename'));
  const given = [spec.text, spec.html].filter((one) => one !== undefined);
  const shown = texts.map(({ content }) => fromUtf8(content));
  if (!options.flowed)
    given.forEach((text, at) => {
      const lines = (one: string): string => one.replace(/\r\n?|\n/g, '\r\n');
      // RFC 2046 §5.1.1: the line end before a boundary is not of the part, and at the end of all there is one.
      same(shown[at]?.replace(/\r\n$/, ''), lines(text).replace(/\r\n$/, ''), 'a text');
    });
  const attached = parts.filter((one) => !texts.includes(one));
  // Those with a cid stand beside the HTML, in front of the others.
  const wanted = files.map(({ name, octets: content }) => `${name}\n${octetText(content)}`);
  const found = attached.map(
    (one) => `${one.dispositionParameters.get('filename')}\n${one.content}`,
  );
  same(found.toSorted(), wanted.toSorted(), 'the files');
  explore(1, Math.min(7, parts.length) * 16 + Math.min(15, entity.fields.length));

  // Its author says that a byte order mark is lost. What is not ASCII and not encoded it takes for UTF-8 as well.
  const email = await parse(octets);
  if (spec.subject && !spec.subject.includes('\ufeff'))
    same(email.subject, spec.subject, 'the subject, by postal-mime');
  // A file of text that is shown inline it takes for the text of the message, and several for one.
  const inlined = attached.filter(
    ({ type, disposition }) => type.startsWith('text/') && disposition === 'inline',
  ).length;
  const seen = email.attachments.length;
  claim(seen <= files.length && seen >= files.length - inlined, 'the files, by postal-mime', [
    seen,
    files.length,
    inlined,
  ]);
}

/** Without the one blank behind the colon. */
function subjectOf(folded: string | undefined): string | undefined {
  return folded === undefined ? undefined : readUnstructured(unfold(folded).replace(/^ /, ''));
}
