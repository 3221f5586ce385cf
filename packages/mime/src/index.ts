/** Public names, nothing else. */
export {
  type Attachment,
  type AttachmentContent,
  type AttachmentOptions,
  attachment,
  type OctetStream,
} from './attachment.ts';
export type { Random } from './boundary.ts';
export type { TransferEncoding } from './encoding/choose.ts';
export { MimeError, type MimeErrorCode } from './errors.ts';
export type { Address, Group, Mailbox } from './header/address.ts';
export { type ComposeOptions, compose, type Message, type MessageSpec } from './message.ts';
