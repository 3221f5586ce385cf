/** What a caller hands in can only ever be the value of its own field: it is refused, or it is read back whole. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attachment, type ComposeOptions, compose, type MessageSpec } from '../src/index.ts';
import { address, bodyText, forbidden, headerText, poisoned } from './arbitraries.ts';
import { fromUtf8, leaves, octetText, readAddresses, readMessage, valuesOf } from './reader.ts';
import { expectMimeError, FIXED, PLAIN, parse, thrownBy } from './support.ts';

const RUNS = { numRuns: 200 };

const GOOD = 'a@example.com';

/** Every place that ends in a header or in the envelope: the path that the error names, and how to put a text there. */
const PLACES: readonly (readonly [path: string, put: (text: string) => Partial<MessageSpec>])[] = [
  ...(['from', 'sender', 'to', 'cc', 'bcc', 'replyTo'] as const).flatMap((key) => {
    const places: [string, (text: string) => Partial<MessageSpec>][] = [
      [key, (text) => ({ [key]: text })],
      [key, (text) => ({ [key]: `${text}@example.com` })],
      [key, (text) => ({ [key]: `a@${text}` })],
      [key, (text) => ({ [key]: `a@example.com${text}` })],
      [key, (text) => ({ [key]: `"${text}"@example.com` })],
      [key, (text) => ({ [key]: `Name <a@example.com>${text}` })],
      [key, (text) => ({ [key]: `x${text}x <a@example.com>` })],
      [key, (text) => ({ [key]: `"${text}" <a@example.com>` })],
      [key, (text) => ({ [key]: { address: text } })],
      [key, (text) => ({ [key]: { address: `a${text}@example.com` } })],
      [key, (text) => ({ [key]: { name: text, address: GOOD } })],
    ];
    if (key !== 'sender')
      places.push(
        [`${key}[1]`, (text) => ({ sender: GOOD, [key]: [GOOD, text] })],
        [`${key}[1]`, (text) => ({ sender: GOOD, [key]: [GOOD, { name: text, address: GOOD }] })],
        [key, (text) => ({ sender: GOOD, [key]: { group: text, members: [GOOD] } })],
        [
          `${key}.members[0]`,
          (text) => ({ [key]: { group: 'G', members: [`${text}@example.com`] } }),
        ],
        [
          `${key}[0].members[1]`,
          (text) => ({
            sender: GOOD,
            [key]: [{ group: 'G', members: [GOOD, { name: text, address: GOOD }] }],
          }),
        ],
      );
    return places;
  }),
  ['subject', (text) => ({ subject: text })],
  ['messageId', (text) => ({ messageId: text })],
  ['messageId', (text) => ({ messageId: `<a@example.com>${text}` })],
  ['messageId', (text) => ({ messageId: `<${text}@example.com>` })],
  ['inReplyTo', (text) => ({ inReplyTo: `<a@example.com${text}>` })],
  ['references', (text) => ({ references: ['<a@example.com>', `<${text}@example.com>`] })],
  ['references', (text) => ({ references: `<a@example.com>${text}<b@example.com>` })],
  ['headers[0]', (text) => ({ headers: [[text, 'x']] })],
  [
    'headers[1]',
    (text) => ({
      headers: [
        ['X-A', 'x'],
        [`X-B${text}`, 'x'],
      ],
    }),
  ],
  ['headers[0]', (text) => ({ headers: [['X-A', text]] })],
  ['attachments[0].filename', (text) => ({ attachments: [attachment(text, 'x')] })],
  [
    'attachments[1].contentType',
    (text) => ({
      attachments: [
        attachment('a', 'x'),
        attachment('b', 'x', { contentType: `text/plain${text}` }),
      ],
    }),
  ],
  [
    'attachments[0].contentType',
    (text) => ({ attachments: [attachment('b', 'x', { contentType: `text/plain; a="${text}"` })] }),
  ],
  [
    'attachments[0].cid',
    (text) => ({ html: 'x', attachments: [attachment('b', 'x', { cid: `a${text}@example.com` })] }),
  ],
];

function refusal(put: Partial<MessageSpec>, options: ComposeOptions = {}): unknown {
  return thrownBy(() => compose({ ...PLAIN, ...put }, { ...FIXED, ...options }));
}

const code = (path: string): 'ERR_MIME_ADDRESS' | 'ERR_MIME_HEADER' =>
  /^(from|sender|to|cc|bcc|replyTo)/.test(path) ? 'ERR_MIME_ADDRESS' : 'ERR_MIME_HEADER';

describe('a control character or half a surrogate pair is refused', () => {
  const places = PLACES.map(([path, put], at) => ({ at, path, put }));

  test.each(places)('$path ($at)', ({ path, put }) => {
    fc.assert(
      fc.property(fc.oneof(forbidden, poisoned), fc.boolean(), (text, smtpUtf8) => {
        expectMimeError(refusal(put(text), { smtpUtf8 }), code(path), path);
      }),
      { numRuns: 100 },
    );
  });

  test.each(places)('$path ($at), each of them', ({ path, put }) => {
    const codes = [
      ...Array.from({ length: 32 }, (_, at) => at),
      0x7f,
      0xd800,
      0xdbff,
      0xdc00,
      0xdfff,
    ];
    for (const one of codes)
      for (const text of [String.fromCharCode(one), `x${String.fromCharCode(one)}y`])
        expectMimeError(refusal(put(text)), code(path), path);
  });
});

test.each(['\r\n Bob\n<bob@example.com>', 'Bob\t<bob@example.com>', '\n<bob@example.com>'])(
  'a control character beside a display name is refused, not trimmed: %j',
  (to) => {
    expectMimeError(refusal({ to }), 'ERR_MIME_ADDRESS', 'to');
  },
);

test.each([
  ['CR LF in an address', { to: 'a@b.com>\r\nX-Evil: 1\r\nX: <' }, 'to'],
  ['CR LF in a quoted local part', { to: '"a\r\nRCPT TO:<x@y.example>"@b.com' }, 'to'],
  ['a parameter of RCPT in a local part', { to: { address: '"foo@psres.net> ORCPT=.."@' } }, 'to'],
  ['two addresses as one', { to: { address: 'a@b.com>, <evil@example.org' } }, 'to'],
  ['a header field in a subject', { subject: 'Hi\r\nBcc: evil@example.org' }, 'subject'],
  ['folding by the caller', { headers: [['X-Foo', 'a\r\n b']] }, 'headers[0]'],
] as const)('%s is refused', (_, put, path) => {
  expectMimeError(refusal(put as Partial<MessageSpec>), code(path), path);
});

describe('what is accepted', () => {
  const names = [
    'From',
    'Sender',
    'Reply-To',
    'To',
    'Cc',
    'Subject',
    'Date',
    'Message-ID',
    'In-Reply-To',
    'References',
    'X-First',
    'X-Second',
    'MIME-Version',
    'Content-Type',
    'Content-Transfer-Encoding',
  ];
  const mailbox = fc.record({ name: headerText, address });

  test('is read as exactly the expected fields and the one body', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          people: fc.tuple(mailbox, mailbox, mailbox, mailbox, mailbox),
          subject: headerText,
          values: fc.tuple(headerText, headerText),
          text: bodyText,
        }),
        async ({ people: [from, sender, replyTo, to, cc], subject, values, text }) => {
          const message = compose(
            {
              from,
              sender,
              replyTo,
              to,
              cc,
              bcc: 'hidden@example.org',
              subject,
              inReplyTo: '<0@example.com>',
              references: '<0@example.com>',
              headers: [
                ['X-First', values[0]],
                ['X-Second', values[1]],
              ],
              text,
            },
            FIXED,
          );
          const octets = await message.bytes();
          const entity = readMessage(octets);
          expect(entity.fields.map(({ name }) => name)).toEqual(names);
          expect(entity.parts).toEqual([]);
          const canonical = text.replace(/\r\n?|\n/g, '\r\n');
          expect([canonical, `${canonical}\r\n`]).toContain(fromUtf8(entity.content));
          expect(message.from).toBe(sender.address);
          expect(message.to).toEqual([...new Set([to.address, cc.address, 'hidden@example.org'])]);
          const parsed = await parse(octets);
          expect(parsed.headers.map(({ key }) => key).sort()).toEqual(
            names.map((name) => name.toLowerCase()).sort(),
          );
          expect(parsed.attachments).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  test('of an address is one address, the same in header and envelope', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          headerText,
          fc.tuple(headerText, headerText).map((parts) => parts.join('@')),
          fc.tuple(headerText, address).map(([name, at]) => `${name} <${at}>`),
          fc.tuple(headerText, address).map(([name, at]) => `"${name}" <${at}>`),
          fc.tuple(headerText, address).map(([local, at]) => `"${local}"@${at.split('@')[1]}`),
          fc
            .array(
              fc.constantFrom(
                'a',
                '"',
                '\\',
                '@',
                '<',
                '>',
                ',',
                ' ',
                '.',
                '(',
                ')',
                ':',
                ';',
                'b.c',
              ),
              { maxLength: 12 },
            )
            .map((parts) => parts.join('')),
        ),
        fc.boolean(),
        async (text, asObject) => {
          // What looks like an encoded-word is a local part here, and may be as long as one.
          fc.pre(!text.includes('=?'));
          let message: ReturnType<typeof compose>;
          try {
            message = compose({ from: GOOD, to: asObject ? { address: text } : text }, FIXED);
          } catch (error) {
            expectMimeError(error, 'ERR_MIME_ADDRESS', 'to');
            return;
          }
          expect(message.to).toHaveLength(1);
          const entity = readMessage(await message.bytes());
          const read = readAddresses(valuesOf(entity, 'To')[0] ?? '');
          expect(read.map(([, at]) => at)).toEqual(message.to);
          expect(message.to.length).toBe(1);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test('of a file is one attachment with its name and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(headerText, bodyText, async (filename, content) => {
        const octets = await compose(
          { ...PLAIN, text: 'x', attachments: [attachment(filename, content)] },
          FIXED,
        ).bytes();
        const [text, file, ...more] = leaves(readMessage(octets));
        expect(more).toEqual([]);
        expect(text?.content).toBe('x');
        expect(file?.fields.map(({ name }) => name)).toEqual([
          'Content-Type',
          'Content-Transfer-Encoding',
          'Content-Disposition',
        ]);
        const name = file?.dispositionParameters.get('filename') ?? '';
        expect(name).toBe(filename);
        expect(fromUtf8(file?.content ?? '')).toBe(content);
        expect((await parse(octets)).attachments).toHaveLength(1);
      }),
      RUNS,
    );
  });

  test('of a content type or a cid changes no other field', async () => {
    await fc.assert(
      fc.asyncProperty(headerText, headerText, async (contentType, cid) => {
        for (const options of [
          { contentType },
          { contentType: `text/plain; ${contentType}` },
          { cid },
        ]) {
          let octets: Uint8Array;
          try {
            const attachments = [attachment('a.bin', 'content', options)];
            octets = await compose({ ...PLAIN, html: 'x', attachments }, FIXED).bytes();
          } catch (error) {
            expectMimeError(
              error,
              'ERR_MIME_HEADER',
              'cid' in options ? 'attachments[0].cid' : 'attachments[0].contentType',
            );
            continue;
          }
          const found = leaves(readMessage(octets));
          expect(found.map(({ content }) => content)).toEqual(['x', 'content']);
        }
      }),
      RUNS,
    );
  });

  test('of a message is ASCII, with no octet that a field may not have', async () => {
    const octets = await compose(
      { ...PLAIN, subject: '\u760d\u760aX-Evil: 1', text: '\u760d\u760a' },
      FIXED,
    ).bytes();
    expect(octetText(octets)).not.toMatch(/^X-Evil/m);
  });
});
