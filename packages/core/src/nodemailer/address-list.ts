/** Addresses in the forms that nodemailer takes: lists in one string, objects, groups, arrays of all of them. */
import { type Address, compose, parseAddresses } from '@posthorn/mime';
import { problem } from './error.ts';

/** A mailbox, as the JSON transport tells it. */
export interface PlainAddress {
  address: string;
  name: string;
  group?: PlainAddress[];
}

/**
 * What is not in the grammar is refused: one address never becomes two, and none another.
 *
 * @throws NodemailerError `EENVELOPE`
 */
export function addressesOf(given: unknown, what: string): Address[] {
  try {
    return [given].flat(Infinity).flatMap((item): Address[] => {
      if (!item) return [];
      if (typeof item !== 'object')
        // An item that is empty at the end of a list is one that nobody has typed.
        return parseAddresses(`${item}`.trim().replace(/,$/, ''), { smtpUtf8: true });
      const { name, address } = item as PlainAddress;
      return [{ name, address }];
    });
  } catch (cause) {
    throw problem('EENVELOPE', `Cannot use ${what}: ${(cause as Error).message}`, {
      originalCode: 'ERR_MIME_ADDRESS',
      cause,
    });
  }
}

/** Each once, as the envelope takes them. @throws MimeError, NodemailerError */
export const forwardPaths = (given: unknown, what: string): string[] => [
  ...compose({ from: 'a@b', to: addressesOf(given, what) }, { smtpUtf8: true }).to,
];

/** The same for readers. */
export const plainAddresses = (given: unknown, what: string): PlainAddress[] =>
  addressesOf(given, what).map(function plain(one): PlainAddress {
    const {
      name = '',
      address,
      group,
      members,
    } = one as unknown as PlainAddress & {
      members?: Address[];
    };
    return members
      ? ({ name: group as unknown as string, group: members.map(plain) } as PlainAddress)
      : { address: forwardPaths({ address }, what)[0] as string, name };
  });
