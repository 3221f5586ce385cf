import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asIs } from '../src/as-is.ts';
import { MessageBuilder } from '../src/builder.ts';
import { dkim } from '../src/dkim/dkim.ts';
import {
  type Address,
  attachment,
  type BodyPart,
  type ComposeOptions,
  compose,
  flowed,
  type MessageSpec,
  type MimeError,
} from '../src/index.ts';
import { part } from '../src/own-part.ts';
import { address, bodyText, headerText, poisoned } from './arbitraries.ts';
import { ed25519Key, NAMES } from './dkim-support.ts';
import { octetText } from './reader.ts';
import { counting, FIXED, thrownBy } from './support.ts';

type Spec = { -readonly [key in keyof MessageSpec]?: MessageSpec[key] };

/** One call, and what it does to a specification. */
interface Call {
  readonly name: string;
  readonly call: (builder: MessageBuilder) => unknown;
  readonly change: (spec: Spec) => Spec;
}

type Key = 'from' | 'to' | 'cc' | 'bcc' | 'replyTo';

const addresses: fc.Arbitrary<Address | readonly Address[]> = fc.oneof(
  address,
  fc.record({ name: headerText, address }),
  fc.record({ group: headerText, members: fc.array(address, { minLength: 1, maxLength: 3 }) }),
  fc.array(fc.oneof(address, fc.record({ name: headerText, address })), {
    minLength: 1,
    maxLength: 3,
  }),
  fc.constantFrom('', 'no address', '@', 'a@bücher.example'),
);

const set = <K extends keyof MessageSpec & keyof MessageBuilder>(
  key: K,
  values: fc.Arbitrary<unknown>,
): fc.Arbitrary<Call> =>
  values.map((value) => ({
    name: key,
    call: (builder) => (builder[key] as (given: unknown) => unknown).call(builder, value),
    change: (spec) => ({ ...spec, [key]: value }),
  }));

const add = (key: Key): fc.Arbitrary<Call> =>
  addresses.map((value) => ({
    name: key,
    call: (builder) => builder[key](value),
    change: (spec) => ({ ...spec, [key]: [spec[key] ?? [], value].flat() }),
  }));

async function* chunks(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  yield octets;
}

const octets = fc
  .oneof({ weight: 5, arbitrary: fc.nat({ max: 300 }) }, fc.constantFrom(0, 57, 58_368, 58_369))
  .map((size) => new Uint8Array(size).fill(97));

const asItIs = asIs(new Set(['8BITMIME']));

const leaf: fc.Arbitrary<BodyPart> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: headerText }, poisoned),
    octets,
    fc.constantFrom('octets', 'blob', 'sized', 'unsized', 'once', '8bit', 'text'),
    fc.constantFrom({}, {}, { cid: 'x@example.com' }, { cid: 'no cid' }),
  )
  .map(([filename, content, kind, options]) => {
    switch (kind) {
      case 'blob':
        return attachment(filename, new Blob([content]), options);
      case 'sized':
        return attachment(
          filename,
          { stream: () => chunks(content), size: content.length },
          options,
        );
      case 'unsized':
        return attachment(filename, { stream: () => chunks(content) }, options);
      case 'once':
        return attachment(filename, { stream: chunks(content), size: content.length }, options);
      case '8bit':
        return attachment(filename, 'é\r\n', { ...options, transferEncoding: asItIs });
      case 'text':
        return part('text/plain', 'Grüße\r\n', { filename, ...options });
      default:
        return attachment(filename, content, options);
    }
  });

const tree: fc.Arbitrary<BodyPart> = fc
  .tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([parts, deep]) =>
    part('multipart/mixed', deep ? [part('multipart/parallel', parts), ...parts] : parts),
  );

const attach: fc.Arbitrary<Call> = fc
  .oneof({ weight: 5, arbitrary: leaf }, tree, fc.constant({} as BodyPart))
  .map((one) => ({
    name: 'attach',
    call: (builder) => builder.attach(one),
    change: (spec) => ({ ...spec, attachments: [...(spec.attachments ?? []), one] }),
  }));

const header: fc.Arbitrary<Call> = fc
  .tuple(fc.constantFrom('X-A', 'X-Long-Name', 'Subject', 'no name'), headerText)
  .map(([name, value]) => ({
    name: 'header',
    call: (builder) => builder.header(name, value),
    change: (spec) => ({ ...spec, headers: [...(spec.headers ?? []), [name, value]] }),
  }));

const text = fc.oneof({ weight: 9, arbitrary: bodyText }, fc.constant('\ud800'));

const call: fc.Arbitrary<Call> = fc.oneof(
  add('from'),
  add('to'),
  add('cc'),
  add('bcc'),
  add('replyTo'),
  set('sender', addresses),
  set('subject', fc.oneof(headerText, poisoned)),
  set('date', fc.constantFrom(new Date(0), new Date(1e12), new Date(Number.NaN))),
  set('messageId', fc.constantFrom('<a@b>', '<left@right.example>', 'no')),
  set('inReplyTo', fc.constantFrom('<a@b>', ['<a@b>', '<c@d>'], 'no')),
  set('references', fc.constantFrom('<a@b>', Array(20).fill('<left@right.example>'), 'no')),
  set('autoSubmitted', fc.constantFrom('auto-replied', 'no')),
  set('priority', fc.constantFrom('high', 'low')),
  set(
    'listUnsubscribe',
    fc.constantFrom([], [['List-Unsubscribe', '<https://example.com/u>', /[^ -~]/]]),
  ),
  header,
  { weight: 3, arbitrary: set('text', text) },
  { weight: 3, arbitrary: set('html', text) },
  set('amp', text),
  set('calendar', leaf),
  set('body', fc.oneof(leaf, tree)),
  { weight: 12, arbitrary: attach },
);

/** The specification with what the builder puts in place of an author that is missing. */
const standIns = (spec: Spec): MessageSpec => ({ from: 'a@b', ...spec });

interface Measured {
  readonly size: number | undefined;
  readonly minimumSize: number;
}

const measured = ({ size, minimumSize }: Measured): Measured => ({ size, minimumSize });

const signer = dkim({ ...NAMES, privateKey: ed25519Key().pem });

const options: fc.Arbitrary<ComposeOptions> = fc
  .record(
    {
      random: fc.constant(counting),
      flowed: fc.constant(flowed),
      keepBcc: fc.boolean(),
      smtpUtf8: fc.boolean(),
      dkim: fc.constant(signer),
      transferEncoding: fc.constantFrom(
        'base64',
        'quoted-printable',
        '7bit',
        asItIs,
        asIs(new Set(['BINARYMIME', '8BITMIME'])),
      ),
    },
    { requiredKeys: [] },
  )
  .map((given) => ({ now: () => new Date('2024-01-02T03:04:05Z'), ...given }) as ComposeOptions);

const described = (error: unknown): unknown => {
  const { code, path, message, limit, actual, excess } = error as MimeError;
  return { code, path, message, limit, actual, excess };
};

describe('MessageBuilder', () => {
  test('measures what compose() makes of the same, whatever was called before', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 25 }), options, (calls, given) => {
        const builder = new MessageBuilder(given);
        let spec: Spec = {};
        for (const { call, change, name } of calls) {
          const next = change(spec);
          let expected: Measured | undefined;
          let error: unknown;
          try {
            expected = compose(standIns(next), given);
          } catch (thrown) {
            error = thrown;
          }
          const before = measured(builder);
          if (expected) {
            call(builder);
            spec = next;
            expect([name, measured(builder)]).toEqual([
              name,
              { ...measured(expected), ...(spec.from ? {} : { size: undefined }) },
            ]);
          } else {
            const thrown = thrownBy(() => call(builder));
            // Where the first attachment is no part at all, each says so in its own way.
            if ((error as MimeError).code) expect(described(thrown)).toEqual(described(error));
            expect(measured(builder)).toEqual(before);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('builds what compose() makes of the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 25 }), options, async (calls, given) => {
        const fixed = { ...given, random: counting };
        const builder = new MessageBuilder(fixed).from('a@example.com');
        let spec: Spec = { from: 'a@example.com' };
        for (const { call, change } of calls)
          try {
            call(builder);
            spec = change(spec);
          } catch (error) {
            expect(error).toHaveProperty('code');
          }
        const expected = compose(spec as MessageSpec, fixed);
        for (const message of [builder.build(), builder.build()]) {
          expect(measured(message)).toEqual(measured(builder));
          const { from, to, body, smtpUtf8, messageId, hasText, hasHtml, textParts } = message;
          expect({
            from,
            to,
            body,
            smtpUtf8,
            messageId,
            hasText,
            hasHtml,
            textParts,
          }).toEqual({
            from: expected.from,
            to: expected.to,
            body: expected.body,
            smtpUtf8: expected.smtpUtf8,
            messageId: expected.messageId,
            hasText: expected.hasText,
            hasHtml: expected.hasHtml,
            textParts: expected.textParts,
          });
          expect(message.attachments).toEqual(expected.attachments);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('builds the same octets', async () => {
    const replayable = call.filter(({ name }) => !/attach|calendar|body/.test(name));
    const files = fc
      .tuple(headerText, octets, fc.constantFrom({}, { cid: 'x@example.com' }))
      .map(([filename, content, about]): Call => {
        const one = attachment(filename, content, about);
        return {
          name: 'attach',
          call: (builder) => builder.attach(one),
          change: (spec) => ({ ...spec, attachments: [...(spec.attachments ?? []), one] }),
        };
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(replayable, files), { maxLength: 15 }),
        options.filter(({ dkim }) => !dkim),
        async (calls, given) => {
          const fixed = { ...given, random: counting };
          const builder = new MessageBuilder(fixed).from('a@example.com').sender('b@example.com');
          let spec: Spec = { from: 'a@example.com', sender: 'b@example.com' };
          for (const { call, change } of calls)
            try {
              call(builder);
              spec = change(spec);
            } catch (error) {
              expect(error).toHaveProperty('code');
            }
          const expected = octetText(await compose(spec as MessageSpec, fixed).bytes());
          expect(octetText(await builder.build().bytes())).toBe(expected);
          expect(octetText(await builder.build().bytes())).toBe(expected);
          expect(builder.size).toBe(expected.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('refuses what passes maxSize, with the exact excess, and stays as it was', () => {
    fc.assert(
      fc.property(
        fc.array(call, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 300, max: 3_000 }),
        (calls, maxSize) => {
          const given = { ...FIXED, maxSize };
          const builder = new MessageBuilder(given);
          let spec: Spec = {};
          for (const { call, change } of calls) {
            const next = change(spec);
            const before = [measured(builder), builder.remaining];
            let error: unknown;
            try {
              compose(standIns(next), given);
            } catch (thrown) {
              error = thrown;
            }
            if (error) {
              const thrown = thrownBy(() => call(builder));
              if ((error as MimeError).code) expect(described(thrown)).toEqual(described(error));
              expect([measured(builder), builder.remaining]).toEqual(before);
            } else {
              call(builder);
              spec = next;
              expect(builder.remaining).toBe(maxSize - builder.minimumSize);
              expect(builder.remaining).toBeGreaterThanOrEqual(0);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
