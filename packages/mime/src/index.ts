/** Public names, nothing else. */
export { asIs } from './as-is.ts';
export {
  type Attachment,
  type AttachmentOptions,
  attachment,
} from './attachment.ts';
export type { Random } from './boundary.ts';
export { MessageBuilder } from './builder.ts';
export { type CalendarOptions, calendar } from './calendar.ts';
export { type Dkim, type DkimOptions, dkim } from './dkim/dkim.ts';
export { quotedPrintable } from './encoding/quoted-printable-octets.ts';
export type { TransferEncoding } from './encoding/text.ts';
export { MimeError, type MimeErrorCode } from './errors.ts';
export { flowed } from './flowed.ts';
export type { Address, Group, Mailbox } from './header/address.ts';
export { parseAddresses } from './header/parse-addresses.ts';
export { type ListUnsubscribeOptions, listUnsubscribe } from './list-unsubscribe.ts';
export {
  type ComposeOptions,
  compose,
  type HeaderField,
  type Message,
  type MessageSpec,
} from './message.ts';
export { type PartOptions, part } from './own-part.ts';
export type { BodyPart, TransferEncoder } from './part.ts';
export { type ReportSpec, report } from './report.ts';
export type { Content, OctetStream } from './source.ts';
