/** A message as `sendMail()` takes it, by the names of nodemailer. Types alone. */
import type { KeyObject } from 'node:crypto';
import type { MailData } from './mail.ts';

/** A mailbox. */
export interface AddressObject {
  readonly name?: string | undefined;
  readonly address: string;
}

/** One string may hold several addresses, and groups of them, by the grammar of RFC 5322 §3.4. */
export type AddressInput =
  | string
  | AddressObject
  | readonly AddressInput[]
  | null
  | undefined
  | false;

/** A string, octets, or what they are read from. */
export type ContentInput = string | Uint8Array | Blob | AsyncIterable<Uint8Array | string>;

/** Content that is said more of. */
export interface ContentObject {
  readonly content?: ContentInput | undefined;
  /** The encoding of a string: `base64`, `hex`. Default UTF-8. */
  readonly encoding?: string | undefined;
  /** A file's name, or a `data:` URI. */
  readonly path?: string | false | undefined;
  /** A `data:` URI. Nothing is fetched by others. */
  readonly href?: string | false | undefined;
}

/** An alternative to the texts. */
export interface AlternativeInput extends ContentObject {
  /** Default: by the ending of `filename` or `path`. */
  readonly contentType?: string | undefined;
  readonly contentTransferEncoding?: '7bit' | 'base64' | 'quoted-printable' | false | undefined;
  /** Default: by `path`, else `attachment-1`; `false` for none. */
  readonly filename?: string | false | undefined;
  /** Further fields of the part, in ASCII. */
  readonly headers?: HeadersInput | undefined;
  /** The whole part, its header included, in ASCII. */
  readonly raw?: string | Uint8Array | undefined;
}

/** An attachment. */
export interface AttachmentInput extends AlternativeInput {
  /** Content-ID: the part goes beside the HTML. */
  readonly cid?: string | undefined;
  /** Default: 'inline' for images with a `cid`, else 'attachment'. */
  readonly contentDisposition?: string | undefined;
}

/** A value of a header field; `prepared` is not encoded. */
export type HeaderValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | { readonly value: string; readonly prepared?: boolean; readonly foldLines?: boolean };

/** Header fields by their names, or in a list. */
export type HeadersInput =
  | { readonly [name: string]: HeaderValue | readonly HeaderValue[] }
  | readonly { readonly key: string; readonly value: HeaderValue | readonly HeaderValue[] }[];

/** One address of a `List-*` field. */
export type ListEntry = string | { readonly url: string; readonly comment?: string };

/** DKIM (RFC 6376), with one key. */
export interface DkimInput {
  readonly domainName?: string | undefined;
  readonly keySelector?: string | undefined;
  /** PEM, of any kind that Node reads. */
  readonly privateKey?:
    | string
    | Uint8Array
    | KeyObject
    | { readonly key: string; readonly passphrase?: string }
    | undefined;
  /** Names of the fields to sign, with `:` between them. */
  readonly headerFieldNames?: string | undefined;
  readonly skipFields?: string | undefined;
  readonly hashAlgo?: string | undefined;
  readonly keys?: DkimInput | readonly DkimInput[] | undefined;
}

/** A message. What is not here is refused, unless nobody knows it. */
export interface SendMailOptions extends MailData {
  readonly from?: AddressInput;
  readonly sender?: AddressInput;
  readonly to?: AddressInput;
  readonly cc?: AddressInput;
  readonly bcc?: AddressInput;
  readonly replyTo?: AddressInput;
  readonly inReplyTo?: string | undefined;
  readonly references?: string | readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
  readonly date?: Date | string | undefined;
  readonly text?: ContentInput | ContentObject | undefined;
  readonly html?: ContentInput | ContentObject | undefined;
  readonly watchHtml?: ContentInput | ContentObject | undefined;
  readonly amp?: ContentInput | ContentObject | undefined;
  readonly icalEvent?:
    | ContentInput
    | (ContentObject & { readonly method?: string; readonly filename?: string | false })
    | undefined;
  readonly alternatives?: readonly AlternativeInput[] | undefined;
  readonly attachments?: readonly AttachmentInput[] | undefined;
  readonly headers?: HeadersInput | undefined;
  readonly list?:
    | Readonly<Record<string, ListEntry | readonly (ListEntry | readonly ListEntry[])[]>>
    | undefined;
  readonly envelope?:
    | {
        readonly from?: AddressInput;
        readonly to?: AddressInput;
        readonly cc?: AddressInput;
        readonly bcc?: AddressInput;
        readonly [more: string]: unknown;
      }
    | undefined;
  /** The whole message as it is. */
  readonly raw?: ContentInput | ContentObject | undefined;
  readonly dkim?: DkimInput | undefined;
  readonly priority?: string | undefined;
  readonly xMailer?: string | false | undefined;
  /** For the texts. */
  readonly encoding?: string | undefined;
  /** Makes attachments of the `data:` images of the HTML. */
  readonly attachDataUrls?: boolean | undefined;
  readonly disableFileAccess?: boolean | undefined;
  /** Nothing is fetched whatever this says. */
  readonly disableUrlAccess?: boolean | undefined;
  readonly maxRecipients?: number | undefined;
  /** What plugins add. */
  readonly [more: string]: unknown;
}
