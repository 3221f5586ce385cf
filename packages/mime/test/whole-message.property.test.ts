/**
 * What holds for every message, whatever it is made of: the properties P1 to P11, over messages that use every feature at once.
 * Growth (P11) of the parts is in address.test.ts, parse-addresses.test.ts, flowed.test.ts and builder.test.ts.
 */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { growthExponent } from '../../../test/growth.ts';
import {
  asIs,
  attachment,
  type BodyPart,
  type ComposeOptions,
  calendar,
  compose,
  dkim,
  flowed,
  listUnsubscribe,
  type Mailbox,
  type Message,
  type MessageSpec,
  part,
  quotedPrintable,
  report,
} from '../src/index.ts';
import { address, bodyText, headerText, poisoned } from './arbitraries.ts';
import {
  fromUtf8,
  leaves,
  octetText,
  readAddresses,
  readMessage,
  readUnstructured,
  treeOf,
  valuesOf,
} from './reader.ts';
import {
  cut,
  expectMimeError,
  FIXED,
  parse,
  rejectionOf,
  thrownBy,
  type Watched,
  watched,
} from './support.ts';

/** The gate (LARGE) runs more. */
const MORE = process.env['LARGE'] ? 3 : 1;
const RUNS = { numRuns: 50 * MORE };

interface File {
  readonly filename: string;
  readonly octets: Uint8Array;
  readonly kind: 'octets' | 'blob' | 'stream' | 'unsized' | 'text';
  readonly encoder: 'none' | 'quoted' | 'part';
  readonly cid: boolean;
}

const file: fc.Arbitrary<File> = fc.record({
  filename: headerText,
  octets: fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 2, arbitrary: bodyText.map((text) => new TextEncoder().encode(text)) },
    { weight: 1, arbitrary: fc.constantFrom(58_367, 58_368, 58_369, 120_000).map(filled) },
  ),
  kind: fc.constantFrom('octets', 'blob', 'stream', 'unsized', 'text'),
  encoder: fc.constantFrom('none', 'quoted', 'part'),
  cid: fc.boolean(),
});

function filled(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) % 251);
}

const mailbox: fc.Arbitrary<Mailbox> = fc.record({ name: headerText, address });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const whole = fc.record({
  people: fc.array(mailbox, { maxLength: 4 }),
  subject: headerText,
  extra: headerText,
  text: optional(bodyText),
  amp: optional(bodyText),
  html: optional(bodyText),
  calendar: fc.boolean(),
  body: fc.constantFrom('none', 'tree', 'report'),
  files: fc.array(file, { maxLength: 3 }),
  list: fc.boolean(),
  priority: fc.constantFrom(undefined, 'high', 'normal', 'low'),
  flowed: fc.boolean(),
  signed: fc.boolean(),
  encoding: fc.constantFrom(undefined, '7bit', 'base64', 'quoted-printable', 'quoted'),
  capabilities: fc.subarray(['8BITMIME', 'BINARYMIME']),
  cuts: fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 3 }),
});

type Whole = typeof whole extends fc.Arbitrary<infer T> ? T : never;

const ICS = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n';
const signer = dkim({
  domain: 'example.com',
  selector: 'mail',
  privateKey: String(
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ),
});

function fileOf(one: File, at: number, cuts: readonly number[], source?: Watched): BodyPart {
  const { filename, octets, kind, encoder } = one;
  const chunks = cut(
    octets,
    cuts.map((size) => Math.max(size, Math.ceil(octets.length / 300))),
  );
  const open = source?.open ?? watched(chunks).open;
  const content = {
    octets,
    blob: new Blob([new Uint8Array(octets)]),
    stream: { stream: open, size: octets.length },
    unsized: { stream: open },
    text: octetText(octets),
  }[kind];
  const options = one.cid ? { cid: `part${at}@example.com` } : {};
  if (encoder === 'part')
    return part('application/octet-stream', content, {
      ...options,
      filename,
      disposition: 'attachment',
    });
  return attachment(filename, content, {
    ...options,
    ...(encoder === 'quoted' ? { transferEncoding: quotedPrintable } : {}),
  });
}

/** What was put into the file, as octets. */
const contentOf = ({ kind, octets }: File): string =>
  kind === 'text' ? octetText(new TextEncoder().encode(octetText(octets))) : octetText(octets);

function specOf(one: Whole, files = one.files.map((each, at) => fileOf(each, at, one.cuts))) {
  const { people, subject, extra, text, amp, html } = one;
  const defined = Object.entries({ text, amp, html }).filter(([, value]) => value !== undefined);
  const spec: MessageSpec = {
    from: { name: extra, address: 'a@example.com' },
    to: people,
    cc: { group: subject === '' ? 'Group' : subject, members: people },
    bcc: 'hidden@example.org',
    subject,
    references: ['<1@example.com>', '<2@example.com>'],
    headers: [['X-Extra', extra]],
    ...Object.fromEntries(defined),
    ...(one.calendar ? { calendar: calendar(ICS) } : {}),
    ...(one.body === 'tree'
      ? { body: part('multipart/mixed', [part('text/plain', extra), attachment(subject, extra)]) }
      : {}),
    ...(one.body === 'report'
      ? { body: report({ text: extra, status: 'Reporting-MTA: dns; mx.example.com\r\n' }) }
      : {}),
    attachments: files,
    ...(one.list
      ? { listUnsubscribe: listUnsubscribe('https://example.com/?a=?b', { oneClick: true }) }
      : {}),
    ...(one.priority ? { priority: one.priority } : {}),
    autoSubmitted: 'auto-generated',
  };
  return spec;
}

function optionsOf(one: Whole, more: ComposeOptions = {}): ComposeOptions {
  const { encoding, capabilities } = one;
  const transferEncoding =
    capabilities.length > 0
      ? asIs(new Set(capabilities))
      : encoding === 'quoted'
        ? quotedPrintable
        : encoding;
  return {
    ...FIXED,
    ...(transferEncoding ? { transferEncoding } : {}),
    ...(one.flowed ? { flowed } : {}),
    ...(one.signed ? { dkim: signer } : {}),
    ...more,
  };
}

const make = (one: Whole, more?: ComposeOptions): Message =>
  compose(specOf(one), optionsOf(one, more));

const FIELDS =
  'From To Cc Subject Date Message-ID References Auto-Submitted X-Priority Importance X-Extra List-Unsubscribe List-Unsubscribe-Post MIME-Version Content-Type Content-Transfer-Encoding';

describe('every message', () => {
  test('P1, P3, P5: is as strict readers want it, of the size it says, with its fields and no other', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (one) => {
        const message = make(one);
        const octets = await message.bytes();
        // Quoted-printable of what is not in memory is measured by nobody before it is read.
        const everywhere = one.encoding === 'quoted' && one.capabilities.length === 0;
        const sized = one.files.every(
          ({ kind, encoder }) =>
            kind === 'octets' ||
            kind === 'text' ||
            (kind !== 'unsized' && encoder !== 'quoted' && !everywhere),
        );
        expect(message.size).toBe(sized ? octets.length : undefined);
        expect(message.minimumSize).toBeLessThanOrEqual(octets.length);
        const entity = readMessage(octets, { body: message.body });
        const names = entity.fields.map(({ name }) => name);
        const absent = [
          ...(one.people.length > 0 ? [] : ['To']),
          ...(one.priority ? [] : ['X-Priority', 'Importance']),
          ...(one.list ? [] : ['List-Unsubscribe', 'List-Unsubscribe-Post']),
        ];
        const expected = FIELDS.split(' ').filter((name) => !absent.includes(name));
        const skip = (name: string): boolean =>
          /^(DKIM-Signature|Content-Transfer-Encoding|Content-Disposition|Content-ID)$/.test(name);
        expect(names.filter((name) => !skip(name))).toEqual(expected.filter((name) => !skip(name)));
        expect(names.includes('DKIM-Signature')).toBe(one.signed);
      }),
      RUNS,
    );
  });

  test('P2: is read by others as it was meant', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (one) => {
        const message = make({ ...one, flowed: false });
        const octets = await message.bytes();
        const entity = readMessage(octets, { body: message.body });
        expect(readUnstructured(valuesOf(entity, 'X-Extra')[0] ?? '')).toBe(one.extra);
        const people = one.people.map(({ name, address: at }) => [name, at]);
        if (people[0]) expect(readAddresses(valuesOf(entity, 'To')[0] ?? '')).toEqual(people);
        expect(message.to).toEqual([
          ...new Set([...one.people.map(({ address: at }) => at), 'hidden@example.org']),
        ]);
        const canonical = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');
        const found = leaves(entity);
        for (const [type, text] of [
          ['text/x-amp-html', one.amp],
          ['text/html', one.html],
        ] as const) {
          if (text === undefined) continue;
          const content = fromUtf8(found.find((leaf) => leaf.type === type)?.content ?? '');
          // A text that is the whole message ends its last line.
          expect([canonical(text), `${canonical(text)}\r\n`]).toContain(content);
        }
        const names = found
          .filter(({ disposition }) => disposition !== undefined)
          .map(({ dispositionParameters }) => dispositionParameters.get('filename'));
        // An empty name of a part is none.
        for (const { filename } of one.files)
          if (filename !== '') expect(names).toContain(filename);
        // Binary lines are not for parsers of text.
        if (message.body === 'BINARYMIME') return;
        const contents = found.map(({ content }) => content);
        for (const each of one.files)
          expect(
            contents.some(
              (content) => content.replace(/\r\n$/, '') === contentOf(each).replace(/\r\n$/, ''),
            ),
          ).toBe(true);
        const { attachments } = await simpleParser(Buffer.from(octets), {
          skipTextToHtml: true,
          skipHtmlToText: true,
          skipImageLinks: true,
        });
        expect(attachments.length).toBeGreaterThanOrEqual(one.files.length);
        expect((await parse(octets)).attachments.length).toBeGreaterThanOrEqual(one.files.length);
      }),
      RUNS,
    );
  });

  test('P4, P8: is the same for every cutting, however it is read, and each time', async () => {
    await fc.assert(
      fc.asyncProperty(
        whole,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }),
        async (one, cuts) => {
          const octets = octetText(await make(one).bytes());
          expect(octetText(await make({ ...one, cuts }).bytes())).toBe(octets);
          const message = make(one);
          let iterated = '';
          for await (const chunk of message) iterated += octetText(chunk);
          expect(iterated).toBe(octets);
          let streamed = '';
          const reader = message.stream().getReader();
          for (let next = await reader.read(); !next.done; next = await reader.read())
            streamed += octetText(next.value);
          expect(streamed).toBe(octets);
          expect(message.sent).toBe(octets.length);
          const measured = await make(one).ready();
          expect(measured.size).toBe(octets.length);
          expect(octetText(await measured.bytes())).toBe(octets);
        },
      ),
      { numRuns: 27 * MORE },
    );
  });

  test('P6: is ASCII without capabilities, and not larger with them', async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (one) => {
        const bare = { ...one, encoding: undefined, signed: false };
        const ascii = make({ ...bare, capabilities: [] });
        const octets = await ascii.bytes();
        expect(ascii.body).toBeUndefined();
        expect(octetText(octets)).not.toMatch(/\P{ASCII}/u);
        const wide = make({ ...bare, capabilities: ['8BITMIME', 'BINARYMIME'] });
        // A label for each multipart is all that may come on top.
        const labels = 50 * treeSize(treeOf(readMessage(octets)));
        expect((await wide.bytes()).length).toBeLessThanOrEqual(octets.length + labels);
      }),
      RUNS,
    );
  });

  test('P7: is complete and within the limit, or an error and no octet beyond it', async () => {
    await fc.assert(
      fc.asyncProperty(
        whole,
        fc.integer({ min: -3, max: 3 }),
        fc.boolean(),
        async (one, off, guard) => {
          const octets = await make(one).bytes();
          const maxSize = Math.max(0, octets.length + off);
          let out = '';
          let error: unknown;
          try {
            const message = make(one, {
              maxSize,
              onUnknownSize: guard ? 'guard' : 'prebuffer',
            });
            for await (const chunk of message) out += octetText(chunk);
          } catch (reason) {
            error = reason;
          }
          expect(out.length).toBeLessThanOrEqual(maxSize);
          if (off < 0) {
            expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
            expect(octetText(octets)).not.toBe(out);
            if (!guard) expect(out).toBe('');
          } else {
            expect(error).toBeUndefined();
            expect(out).toBe(octetText(octets));
          }
        },
      ),
      { numRuns: 27 * MORE },
    );
  });

  test('P9: that is given up at any chunk releases each opened source once, and opens no later one', async () => {
    await fc.assert(
      fc.asyncProperty(
        whole,
        fc.integer({ min: 0, max: 12 }),
        fc.constantFrom('return', 'cancel', 'throw'),
        async (one, after, how) => {
          const streams = one.files.map(({ octets }) => watched(cut(octets, [1_000])));
          const files = one.files.map((each, at) =>
            fileOf({ ...each, kind: at % 2 ? 'stream' : 'unsized' }, at, one.cuts, streams[at]),
          );
          const message = compose(
            specOf(one, files),
            optionsOf({ ...one, signed: false }, { onUnknownSize: 'guard' }),
          );
          if (how === 'cancel') {
            const reader = message.stream().getReader();
            for (let at = 0; at < after; at += 1) if ((await reader.read()).done) break;
            await reader.cancel();
          } else {
            const chunks = message[Symbol.asyncIterator]();
            for (let at = 0; at < after; at += 1) if ((await chunks.next()).done) break;
            if (how === 'return') await chunks.return?.();
            else await rejectionOf(Promise.resolve(chunks.throw?.(new Error('given up'))));
          }
          const opened = streams.map((stream) => stream.opened());
          expect(opened.every((count) => count <= 1)).toBe(true);
          expect(streams.map((stream) => stream.released())).toEqual(opened);
          // In the order in which they are sent, one behind the other: at most the last opened one was not read to its end.
          const unfinished = streams.filter(
            (stream, at) =>
              stream.opened() &&
              stream.pulled() < cut(one.files[at]?.octets ?? new Uint8Array(), [1_000]).length,
          );
          expect(unfinished.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 27 * MORE },
    );
  });

  test('P10: with anything refused in it gives nothing, and opens nothing', async () => {
    await fc.assert(
      fc.property(
        whole,
        poisoned,
        fc.constantFrom('subject', 'name', 'file', 'header', 'cid', 'text', 'type'),
        (one, bad, where) => {
          const stream = watched([new Uint8Array(3)]);
          const spec = specOf(one, [attachment('a', { stream: stream.open })]);
          const poison = (): Message => {
            const attachments = [attachment('a', { stream: stream.open })];
            switch (where) {
              case 'subject':
                return compose({ ...spec, subject: bad }, optionsOf(one));
              case 'name':
                return compose(
                  { ...spec, to: { name: bad, address: 'a@b.example' } },
                  optionsOf(one),
                );
              case 'file':
                return compose(
                  { ...spec, attachments: [...attachments, attachment(bad, 'x')] },
                  optionsOf(one),
                );
              case 'header':
                return compose({ ...spec, headers: [['X-Bad', bad]] }, optionsOf(one));
              case 'cid':
                return compose(
                  {
                    ...spec,
                    attachments: [...attachments, attachment('b', 'x', { cid: `${bad}@b` })],
                  },
                  optionsOf(one),
                );
              case 'text':
                return compose({ ...spec, text: `${bad}\ud800` }, optionsOf(one));
              case 'type':
                return compose(
                  {
                    ...spec,
                    attachments: [
                      ...attachments,
                      attachment('b', 'x', { contentType: `a/b${bad}` }),
                    ],
                  },
                  optionsOf(one),
                );
            }
          };
          expectMimeError(thrownBy(poison));
          expect(stream.opened()).toBe(0);
        },
      ),
      { numRuns: 100 * MORE },
    );
  });

  test('P11: takes time that grows with its size: recipients, fields, files, parts in each other', () => {
    const sizes = [500, 1_000, 2_000, 4_000];
    for (const make of [
      (size: number) => () =>
        compose({
          from: 'a@example.com',
          to: Array.from({ length: size }, (_, at) => ({
            name: `N${at}`,
            address: `a${at}@example.com`,
          })),
        }),
      (size: number) => () =>
        compose({
          from: 'a@example.com',
          headers: Array.from({ length: size }, (_, at): [string, string] => [`X-${at}`, 'ü']),
        }),
      (size: number) => {
        const attachments = Array.from({ length: size }, (_, at) => attachment(`${at}ü`, 'x'));
        return () => compose({ from: 'a@example.com', attachments });
      },
      (size: number) => {
        const parts = Array.from({ length: size }, () => part('text/plain', 'ü'));
        return () => compose({ from: 'a@example.com', body: part('multipart/mixed', parts) });
      },
    ])
      expect(growthExponent(make, sizes, 1.6)).toBeLessThan(1.6);
  });
});

function treeSize(tree: ReturnType<typeof treeOf>): number {
  return typeof tree === 'string' ? 0 : 1 + tree[1].reduce((sum, one) => sum + treeSize(one), 0);
}
