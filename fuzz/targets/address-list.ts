/**
 * parseAddresses() (RFC 5322 §3.4): what it takes has as many mailboxes as the text has `@` outside of quotes, and comes back
 * from a composed message by the strict reader of the tests: no address becomes two, none another.
 */
import {
  compose,
  type Group,
  type Mailbox,
  MimeError,
  parseAddresses,
} from '../../packages/mime/src/index.ts';
import {
  fromUtf8,
  type NamedAddress,
  octetText,
  readAddresses,
  readEntity,
  valuesOf,
} from '../../packages/mime/test/reader.ts';
import { FIXED } from '../../packages/mime/test/support.ts';
import { claim, same, thrown } from '../claim.ts';
import { explore } from '../explore.ts';
import { OctetReader } from '../octet-reader.ts';

export const maxLength = 500;

export const tokens: readonly string[] = [
  '@',
  ', ',
  ',',
  '<',
  '>',
  '"',
  '\\',
  ':',
  ';',
  ' ',
  '\t',
  '(c)',
  'a@b.example',
  'Jane Doe <jane@example.net>',
  '"Doe, J." <j@example.net>',
  'Team: ',
  'a@b, c@d;',
  '=?utf-8?q?x?=',
  'é',
  'ж@д.example',
  '@bücher.example',
  '[127.0.0.1]',
  '\\"',
  '\r\n ',
  '.',
  '..',
  '"a b"@c.example',
  '"" ',
];

/** An open group, or a list. */
const isGroup = (one: Mailbox | Group | string): one is Group => Object(one).members !== undefined;

const mailboxesOf = (list: readonly (Mailbox | Group | string)[]): Mailbox[] =>
  list.flatMap((one) => (isGroup(one) ? mailboxesOf(one.members) : [one as Mailbox]));

export function fuzz(data: Uint8Array): void {
  const reader = new OctetReader(data);
  const smtpUtf8 = reader.flag();
  const text = reader.text(tokens, 3_000);
  const error = thrown(
    () => parseAddresses(text, { smtpUtf8 }),
    (list) => checkList(list, text, smtpUtf8),
  );
  if (!error) return;
  claim(error instanceof MimeError, 'a refusal is a MimeError', String(error));
  same([error.code, error.path], ['ERR_MIME_ADDRESS', 'addresses'], 'the refusal');
  // How far it was read.
  const [, at] = /^addresses: invalid at (\d+)$/.exec(error.message) ?? [];
  explore(1, at === undefined ? 63 : Math.min(62, Number(at)));
}

function checkList(list: readonly (Mailbox | Group)[], text: string, smtpUtf8: boolean): void {
  const mailboxes = mailboxesOf(list);
  const unquoted = text.replace(/"(\\.|[^"\\])*"/gs, 'q');
  same(mailboxes.length, unquoted.split('@').length - 1, 'a mailbox for each @');
  for (const { name, address } of mailboxes) {
    claim(name !== '', 'a name is not empty');
    claim(text.replaceAll('\t', ' ').includes(address), 'an address stands in the text', address);
  }
  checkNames(mailboxes, text);
  // compose() wants a mailbox in From; the list goes to Cc, where groups and empty ones may be.
  const message = compose({ from: 'f@example.com', cc: list }, { ...FIXED, smtpUtf8 });
  const head = octetText(message.content as Uint8Array);
  const [value] = valuesOf(readEntity(head), 'Cc');
  claim(value !== undefined, 'the list is in the message');
  if (mailboxes.length === 0) return;
  const back = readAddresses(fromUtf8(value));
  const local = (address: string): string => address.slice(0, address.lastIndexOf('@'));
  same(
    back.map(([name, address]) => [name, local(address)]),
    mailboxes.map(({ name = '', address }) => [name, local(address)]),
    'what is read of the message',
  );
  for (const forwardPath of message.to)
    claim(/@[ -~]+$/.test(forwardPath), 'the envelope has ASCII domains', forwardPath);
  explore(0, Math.min(15, mailboxes.length) * 4 + Math.min(3, list.filter(isGroup).length));
}

/** A second reader has the same names, where it takes the text: dots in a name it does not, and words it decodes. */
function checkNames(mailboxes: readonly Mailbox[], text: string): void {
  for (const { name = '' } of mailboxes)
    explore(
      2,
      ['\\', '"', ',', '.', '=?'].reduce(
        (sum, one, at) => sum + (name.includes(one) ? 2 ** at : 0),
        0,
      ),
    );
  if (text.includes('=?')) return;
  let second: NamedAddress[];
  try {
    second = readAddresses(text.replaceAll('\t', ' '));
  } catch (error) {
    claim(error instanceof SyntaxError, 'a refusal of the second reader', String(error));
    return;
  }
  same(
    mailboxes.map(({ name = '', address }) => [name, address]),
    second,
    'what the second reader has',
  );
}
