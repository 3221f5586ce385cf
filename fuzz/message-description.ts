/** A message of any description, drawn from fuzz input: what is right in it, and what is not. */
import {
  type Address,
  type AttachmentOptions,
  asIs,
  attachment,
  type ComposeOptions,
  type Content,
  flowed,
  type HeaderField,
  type MessageSpec,
  quotedPrintable,
  type TransferEncoding,
} from '../packages/mime/src/index.ts';
import { octetsOf } from '../packages/mime/test/reader.ts';
import { FIXED } from '../packages/mime/test/support.ts';
import type { OctetReader } from './octet-reader.ts';

/** A file as it was asked for. */
export interface File {
  readonly name: string;
  readonly octets: Uint8Array;
}

/** A description, and what has to come back of it. */
export interface Made {
  readonly spec: MessageSpec;
  readonly options: ComposeOptions;
  readonly files: readonly File[];
}

export const tokens: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '.',
  '\r\n.\r\n',
  'From ',
  '=_1-',
  '--=_1-128129130',
  '=?utf-8?q?x?=',
  '=?',
  '?=',
  '=',
  ' ',
  '  ',
  '\t',
  '"',
  '\\',
  ';',
  ',',
  ':',
  '<',
  '>',
  '@',
  'a@example.com',
  'Bob <b@example.net>',
  'é',
  '漢字',
  '😀',
  '\ufeff',
  '\u2028',
  '\u0000',
  '-- ',
  '> ',
  "utf-8''",
  '%41',
  'x'.repeat(75),
  'x'.repeat(998),
  'word word word word word word word word word ',
  'text/plain',
  'image/png; a=b',
  '<id@example.com>',
];

/** What a description, its options and its files are made of is in `reader`. */
export function describe(reader: OctetReader): Made {
  const some = <T>(value: () => T): T | undefined => (reader.flag() ? value() : undefined);
  const text = (most = 400): string => reader.text(tokens, most);
  const address = (): Address =>
    reader.pick([
      () => 'a@example.com',
      () => ({ name: text(120), address: 'b@example.net' }),
      () => text(120),
      () => ({ name: text(60), address: text(100) }),
      () => ({ group: text(60), members: reader.list(3, () => 'm@example.org') }),
    ])();
  const files: File[] = [];
  const attachments = reader.list(3, () => {
    const name = text(200);
    const octets = octetsOf(reader.wire(['\r\n', '\0', '\xff', 'x'.repeat(57), '.'], 60_000));
    files.push({ name, octets });
    const options: AttachmentOptions = {
      ...defined(
        'contentType',
        some(() => text(60)),
      ),
      ...defined(
        'cid',
        some(() => text(40)),
      ),
      ...defined(
        'disposition',
        some(() => reader.pick(['inline', 'attachment'])),
      ),
      ...defined(
        'transferEncoding',
        some(() =>
          reader.pick<NonNullable<AttachmentOptions['transferEncoding']>>([
            'base64',
            quotedPrintable,
            asIs(),
          ]),
        ),
      ),
    };
    return attachment(name, contentOf(reader, octets), options);
  });
  const headers = reader.list(
    3,
    (at): HeaderField => [some(() => text(60)) ?? `X-${at}`, text(1_200)],
  );
  const spec: MessageSpec = {
    from: some(address) ?? 'a@example.com',
    ...defined(
      'to',
      some(() => reader.list(3, address)),
    ),
    ...defined('cc', some(address)),
    ...defined('bcc', some(address)),
    ...defined('sender', some(address)),
    ...defined(
      'subject',
      some(() => text(1_200)),
    ),
    ...defined(
      'messageId',
      some(() => text(80)),
    ),
    ...defined(
      'references',
      some(() => reader.list(3, () => text(80))),
    ),
    ...defined(
      'text',
      some(() => text(3_000)),
    ),
    ...defined(
      'html',
      some(() => text(3_000)),
    ),
    attachments,
    headers,
  };
  const encodings: [TransferEncoding, ...TransferEncoding[]] = [
    'base64',
    '7bit',
    'quoted-printable',
    quotedPrintable,
    asIs(new Set(['8BITMIME'])),
    asIs(new Set(['8BITMIME', 'BINARYMIME'])),
  ];
  const options: ComposeOptions = {
    ...FIXED,
    ...defined(
      'transferEncoding',
      some(() => reader.pick(encodings)),
    ),
    ...defined(
      'flowed',
      some(() => flowed),
    ),
    ...defined(
      'smtpUtf8',
      some(() => true),
    ),
    ...defined(
      'keepBcc',
      some(() => true),
    ),
    ...defined(
      'maxSize',
      some(() => 64 * reader.octet()),
    ),
    ...defined(
      'onUnknownSize',
      some(() => reader.pick(['prebuffer', 'guard'])),
    ),
  };
  return { spec, options, files };
}

const defined = <K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });

function contentOf(reader: OctetReader, octets: Uint8Array): Content {
  const way = reader.below(4);
  if (way === 0) return octets;
  if (way === 1) return new Blob([octets as BlobPart]);
  const size = 1 + reader.below(65_536);
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
  }
  return way === 2 ? { stream, size: octets.length } : { stream };
}
