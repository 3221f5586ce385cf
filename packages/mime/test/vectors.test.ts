/**
 * Runs the neutral test cases of data/mime-vectors.json: a description of a message, and what every builder must make of it.
 * Judges are the strict reader ("ref"), postal-mime and mailparser; the two readers of Python that the file also names are
 * not run here.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { bodyHash, canonicalField } from '../src/dkim/canonical.ts';
import {
  type Address,
  asIs,
  attachment,
  type BodyPart,
  type ComposeOptions,
  type Content,
  calendar,
  compose,
  listUnsubscribe,
  type Message,
  type MessageSpec,
  type MimeError,
  part,
  type ReportSpec,
  report,
  type TransferEncoding,
} from '../src/index.ts';
import {
  type Entity,
  encodedWordsOf,
  fromUtf8,
  leaves,
  octetsOf,
  octetText,
  readAddresses,
  readEncodedWord,
  readMessage,
  readUnstructured,
  treeOf,
  utf8,
  valuesOf,
  walk,
} from './reader.ts';
import { cut, expectMimeError, FIXED, parse, rejectionOf, thrownBy, watched } from './support.ts';

interface NeutralMailbox {
  readonly name?: string;
  readonly address?: string;
  readonly string?: string;
  readonly group?: string;
  readonly members?: readonly { readonly name?: string; readonly address: string }[];
}

interface NeutralStream {
  readonly chunkSizes?: readonly number[];
  readonly byte?: number;
  readonly size?: number;
  readonly throwAfter?: number;
  readonly base64?: string;
  readonly chunkings?: readonly (readonly number[])[];
}

interface NeutralAttachment {
  readonly filename: string;
  readonly contentType?: string;
  readonly cid?: string;
  readonly content: {
    readonly utf8?: string;
    readonly base64?: string;
    readonly stream?: NeutralStream;
  };
}

interface NeutralMessage {
  readonly from: NeutralMailbox | readonly NeutralMailbox[];
  readonly to?: readonly NeutralMailbox[];
  readonly cc?: readonly NeutralMailbox[];
  readonly bcc?: readonly NeutralMailbox[];
  readonly subject?: string;
  readonly date?: string;
  readonly messageId?: string;
  readonly inReplyTo?: string;
  readonly references?: readonly string[];
  readonly headers?: readonly (readonly [string, string])[];
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly NeutralAttachment[];
  readonly list?: { readonly unsubscribe: readonly string[]; readonly oneClick?: boolean };
  readonly autoSubmitted?: 'auto-generated';
  readonly calendar?: { readonly method: string; readonly content: string };
  readonly report?: {
    readonly type: 'delivery-status';
    readonly status: string;
    readonly original: NeutralAttachment['content'];
  };
}

interface Check {
  readonly check: string;
  readonly name?: string;
  readonly equals?: unknown;
  readonly matches?: string;
  readonly regex?: string;
  readonly scope?: 'all' | 'header' | 'body';
  readonly max?: number;
  readonly maxLen?: number;
  readonly maxLine?: number;
  readonly phrase?: string;
  readonly factor?: number;
  readonly count?: number;
  readonly index?: number;
  readonly type?: string;
  readonly in?: readonly string[];
  readonly notIn?: readonly string[];
  readonly equalsUtf8?: string;
  readonly equalsIgnoreCase?: string;
  readonly path?: readonly (string | number)[];
  readonly header?: string;
  readonly relaxedHeader?: string;
  readonly body?: string;
  readonly relaxedBody?: string;
  readonly simpleBody?: string;
  readonly simple?: string;
  readonly relaxed?: string;
  readonly equalsBase64?: string;
  readonly sha256?: string;
  readonly bytes?: number;
  readonly trim?: boolean;
  readonly allowTrailingCrlf?: boolean;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly key?: string;
  readonly oracles?: readonly string[];
  readonly checks?: readonly Check[];
}

interface Case {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly input: {
    readonly message?: NeutralMessage;
    readonly options?: {
      readonly capabilities?: { readonly smtputf8?: boolean; readonly '8bitmime'?: boolean };
      readonly cte?: TransferEncoding;
      readonly keepBcc?: boolean;
    };
    readonly api?: unknown;
  };
  readonly expect: readonly Check[];
}

interface Built {
  readonly message: Message;
  readonly octets: Uint8Array;
  readonly raw: string;
  readonly entity: Entity;
}

const { cases } = JSON.parse(
  readFileSync(new URL('./data/mime-vectors.json', import.meta.url), 'utf8'),
) as { cases: readonly Case[] };

const boom = new Error('the source broke');

/** Chunks of a described stream. */
function* chunksOf(
  { chunkSizes = [], byte = 0, throwAfter, base64 }: NeutralStream,
  chunking: readonly number[] | undefined,
): Generator<Uint8Array> {
  if (base64 !== undefined) {
    yield* cut(new Uint8Array(Buffer.from(base64, 'base64')), chunking ?? [65_536]);
    return;
  }
  for (const [at, size] of chunkSizes.entries()) {
    if (at === throwAfter) throw boom;
    yield new Uint8Array(size).fill(byte);
  }
  if (throwAfter === chunkSizes.length) throw boom;
}

function contentOf({ content }: NeutralAttachment, chunking?: readonly number[]): Content {
  if (content.utf8 !== undefined) return content.utf8;
  if (content.base64 !== undefined) return new Uint8Array(Buffer.from(content.base64, 'base64'));
  const { stream } = content;
  if (stream === undefined) throw new Error('content of an unknown kind');
  const open = (): AsyncIterable<Uint8Array> =>
    (async function* () {
      yield* chunksOf(stream, chunking);
    })();
  return stream.size === undefined ? { stream: open } : { stream: open, size: stream.size };
}

/** A mailbox or group as the present API takes it. */
function addressOf(one: NeutralMailbox): Address {
  if (one.string !== undefined) return one.string;
  if (one.group !== undefined) return { group: one.group, members: one.members ?? [] };
  return { ...(one.name === undefined ? {} : { name: one.name }), address: one.address ?? '' };
}

const KNOWN_KEYS =
  'from to cc bcc subject date messageId inReplyTo references headers text html attachments list autoSubmitted calendar report';

function fileOf(one: NeutralAttachment, chunking?: readonly number[]): BodyPart {
  const { filename, contentType, cid } = one;
  const content = contentOf(one, chunking);
  if (contentType?.startsWith('message/')) return part(contentType, content, { filename });
  return attachment(filename, content, {
    ...(contentType === undefined ? {} : { contentType }),
    ...(cid === undefined ? {} : { cid }),
  });
}

function reportOf({ original, ...same }: NonNullable<NeutralMessage['report']>): BodyPart {
  const spec: ReportSpec = {
    ...same,
    text: 'Not delivered',
    original: contentOf({ filename: '', content: original }),
  };
  return report(spec);
}

function specOf(given: NeutralMessage, chunking?: readonly number[]): MessageSpec {
  for (const key of Object.keys(given)) expect(KNOWN_KEYS.split(' ')).toContain(key);
  const {
    from,
    to,
    cc,
    bcc,
    date,
    list,
    attachments,
    calendar: invitation,
    report: reported,
    text,
    ...same
  } = given;
  const many = (key: string, value: readonly NeutralMailbox[] | undefined): object =>
    value === undefined ? {} : { [key]: value.map(addressOf) };
  return {
    ...same,
    from: [from].flat().map((one) => addressOf(one as NeutralMailbox)),
    ...many('to', to),
    ...many('cc', cc),
    ...many('bcc', bcc),
    ...(date === undefined ? {} : { date: new Date(date) }),
    // The text of a report is its first part.
    ...(text === undefined || reported ? {} : { text }),
    ...(list === undefined
      ? {}
      : {
          listUnsubscribe: listUnsubscribe(list.unsubscribe, { oneClick: list.oneClick ?? false }),
        }),
    ...(invitation === undefined
      ? {}
      : { calendar: calendar(invitation.content, { method: invitation.method }) }),
    ...(reported === undefined ? {} : { body: reportOf(reported) }),
    ...(attachments === undefined
      ? {}
      : { attachments: attachments.map((one) => fileOf(one, chunking)) }),
  };
}

function optionsOf({ input }: Case): ComposeOptions {
  const { capabilities, cte, keepBcc } = input.options ?? {};
  return {
    ...FIXED,
    smtpUtf8: capabilities?.smtputf8 ?? false,
    ...(keepBcc === undefined ? {} : { keepBcc }),
    ...(capabilities?.['8bitmime'] ? { transferEncoding: asIs(new Set(['8BITMIME'])) } : {}),
    ...(cte === undefined ? {} : { transferEncoding: cte }),
  };
}

function messageOf(one: Case, chunking?: readonly number[]): Message {
  const { message } = one.input;
  if (message === undefined) throw new Error(`${one.id} has no message`);
  return compose(specOf(message, chunking), optionsOf(one));
}

async function build(one: Case): Promise<Built> {
  const message = messageOf(one);
  const octets = await message.bytes();
  if (message.size !== undefined) expect(octets.length).toBe(message.size);
  return {
    message,
    octets,
    raw: octetText(octets),
    entity: readMessage(octets, { utf8: message.smtpUtf8, body: message.body }),
  };
}

const lowerDomain = (address: string): string =>
  address.replace(/@[^@]*$/, (domain) => domain.toLowerCase());

interface Person {
  readonly name?: string;
  readonly address?: string;
  readonly group?: readonly Person[];
}

const flat = (people: readonly Person[] = []): string[][] =>
  people.flatMap((one) =>
    one.group ? flat(one.group) : [[one.name ?? '', lowerDomain(one.address ?? '')]],
  );

const OPTIONS = { skipTextToHtml: true, skipHtmlToText: true, skipImageLinks: true };

/** What a check compares; the judges that can say it. */
async function judged(
  { entity, octets }: Built,
  what: 'subject' | 'from' | 'to' | 'files',
  ref: () => unknown,
  judge: string,
): Promise<unknown> {
  if (judge === 'ref') return ref();
  if (judge === 'postal-mime') {
    const parsed = await parse(octets);
    if (what === 'subject') return parsed.subject ?? '';
    if (what === 'files')
      return parsed.attachments.map(({ filename }) => filename).filter((name) => name !== null);
    return flat((what === 'from' ? [parsed.from] : parsed.to) as unknown as Person[]);
  }
  if (judge === 'mailparser') {
    const parsed = await simpleParser(Buffer.from(octets), OPTIONS);
    if (what === 'subject') return parsed.subject ?? '';
    if (what === 'files')
      return parsed.attachments
        .map(({ filename }) => filename)
        .filter((name) => name !== undefined);
    return flat([parsed[what]].flat().flatMap((list) => (list?.value ?? []) as Person[]));
  }
  // compat32 and python: not run here. Their words are covered by the strict reader.
  expect(['compat32', 'python']).toContain(judge);
  expect(entity.head).not.toBe('');
  return undefined;
}

/** Regular expressions of the file are Python's: flags stand inside. */
function regularExpression(text: string): RegExp {
  const [, flags = '', source = ''] = /^(?:\(\?([im]+)\))?([\s\S]*)$/.exec(text) ?? [];
  return new RegExp(source, flags);
}

function scoped({ raw, entity }: Built, scope: Check['scope'] = 'all'): string {
  if (scope === 'all') return raw;
  if (scope === 'header') return entity.head;
  return leaves(entity)
    .map(({ body }) => body)
    .join('\r\n');
}

function entityOf({ entity }: Built, check: Check): Entity {
  const found = walk(entity).filter(({ type }) => type === check.type)[check.index ?? 0];
  if (!found) return expect.fail(`no part ${check.type} ${check.index}`);
  return found;
}

async function run(check: Check, built: Built, one: Case): Promise<void> {
  const { message, octets, raw, entity } = built;
  const name = check.name ?? '';
  const value = (): string => {
    const values = valuesOf(entity, name);
    expect(values).toHaveLength(1);
    return values[0] ?? '';
  };
  const compare = async (
    what: 'subject' | 'from' | 'to' | 'files',
    ref: () => unknown,
    pick: (seen: unknown) => unknown = (seen) => seen,
  ): Promise<void> => {
    for (const judge of check.oracles ?? []) {
      const seen = await judged(built, what, ref, judge);
      if (seen === undefined) continue;
      const wanted = what === 'from' || what === 'to' ? pick(check.equals) : check.equals;
      expect(pick(seen), judge).toEqual(wanted);
    }
  };
  switch (check.check) {
    case 'raw-header':
      if (check.equals !== undefined) expect(value()).toBe(check.equals);
      if (check.matches !== undefined) expect(value()).toMatch(regularExpression(check.matches));
      return;
    case 'header-count':
      expect(valuesOf(entity, name)).toHaveLength(check.count ?? -1);
      return;
    case 'max-line':
      for (const line of scoped(built, check.scope).split('\r\n'))
        expect(line.length, line).toBeLessThanOrEqual(check.max ?? 0);
      return;
    case 'no-encoded-words':
      expect(encodedWordsOf(value())).toEqual([]);
      return;
    case 'encoded-words':
      for (const field of entity.fields) {
        for (const line of `${field.name}:${field.folded}`.split('\r\n')) {
          const words = encodedWordsOf(line);
          for (const word of words) {
            expect(word.length).toBeLessThanOrEqual(check.maxLen ?? 0);
            readEncodedWord(word);
            if (field.name === check.phrase && /\?q\?/i.test(word))
              expect(word).toMatch(/\?[A-Za-z0-9!*+/=_-]*\?=$/);
          }
          if (words.length > 0) expect(line.length).toBeLessThanOrEqual(check.maxLine ?? 76);
        }
      }
      return;
    case 'encoded-size': {
      const text = utf8(one.input.message?.subject ?? '');
      const q = text.replace(/[^A-Za-z0-9!*+/ -]/g, '=XX').length;
      const shorter = Math.min(q, 4 * Math.ceil(text.length / 3));
      const best = shorter + 12 * Math.ceil(shorter / 60);
      const used = encodedWordsOf(value()).reduce((sum, word) => sum + word.length, 0);
      expect(used).toBeLessThanOrEqual(best * (check.factor ?? 1) + 12);
      return;
    }
    case 'unstructured':
      if (name !== 'Subject') {
        expect(check.oracles).toContain('ref');
        expect(readUnstructured(value())).toBe(check.equals);
      } else await compare('subject', () => readUnstructured(value()));
      return;
    case 'addresses': {
      const given = built.message.smtpUtf8 ? fromUtf8(value()) : value();
      const lower = (list: unknown): unknown =>
        (list as string[][]).map(([who, address = '']) => [who, lowerDomain(address)]);
      await compare(name.toLowerCase() as 'from' | 'to', () => readAddresses(given), lower);
      return;
    }
    case 'address-count':
      expect(readAddresses(value())).toHaveLength(check.count ?? -1);
      return;
    case 'envelope':
      expect(lowerDomain(message.from)).toBe(check.from);
      expect(message.to.map(lowerDomain)).toEqual(check.to?.map(lowerDomain));
      return;
    case 'envelope-count':
      expect(message.to).toHaveLength(check.count ?? -1);
      return;
    case 'filename':
      await compare(
        'files',
        () => leaves(entity).flatMap((leaf) => leaf.dispositionParameters.get('filename') ?? []),
        (seen) => (seen as string[])[check.index ?? 0],
      );
      return;
    case 'body': {
      const leaf = entityOf(built, check);
      const forgiven =
        leaf === entity ? check.trim !== false || check.allowTrailingCrlf : check.trim === true;
      const contents = [leaf.content, ...(forgiven ? [leaf.content.replace(/\r\n$/, '')] : [])];
      // A root leaf always ends its last line, so one CRLF more is forgiven there in any case.
      if (leaf === entity) contents.push(leaf.content.replace(/\r\n$/, ''));
      if (check.sha256 !== undefined) {
        expect(leaf.content).toHaveLength(check.bytes ?? -1);
        const digest = createHash('sha256').update(octetsOf(leaf.content)).digest('hex');
        expect(digest).toBe(check.sha256);
      } else if (check.equalsBase64 !== undefined)
        expect(contents).toContain(Buffer.from(check.equalsBase64, 'base64').toString('latin1'));
      else expect(contents).toContain(utf8(check.equalsUtf8 ?? ''));
      return;
    }
    case 'base64-shape':
      // The strict reader refuses every other shape.
      expect(entityOf(built, check).encoding).toBe('base64');
      return;
    case 'cte': {
      const { encoding } = entityOf(built, check);
      if (check.in) expect(check.in).toContain(encoding);
      if (check.notIn) expect(check.notIn).not.toContain(encoding);
      return;
    }
    case 'tree':
      expect(treeOf(entity)).toEqual(check.equals);
      return;
    case 'tree-has': {
      const [type = '', at = 0] = check.path ?? [];
      const { parts } = entityOf(built, { ...check, type: `${type}` });
      expect(parts.at(Number(at))?.type).toBe(check.equals);
      return;
    }
    case 'param': {
      const found = entityOf(built, check).parameters.get(name);
      if (check.equalsIgnoreCase === undefined) expect(found).toBe(check.equals);
      else expect(found?.toLowerCase()).toBe(check.equalsIgnoreCase);
      return;
    }
    case 'matches':
      expect(scoped(built, check.scope)).toMatch(regularExpression(check.regex ?? ''));
      return;
    case 'not-matches':
      expect(scoped(built, check.scope)).not.toMatch(regularExpression(check.regex ?? ''));
      return;
    case 'ascii':
      expect(raw).toMatch(/^[\0-\x7f]*$/);
      return;
    case 'crlf':
    case 'header-syntax':
      // Read already, by the strict reader.
      expect(entity.head).not.toBe('');
      return;
    case 'size':
      expect(message.size).toBe(octets.length);
      return;
    case 'boundaries': {
      const boundaries = walk(entity)
        .filter(({ parts }) => parts.length > 0)
        .map(({ parameters }) => parameters.get('boundary') ?? '');
      expect(new Set(boundaries).size).toBe(boundaries.length);
      for (const boundary of boundaries)
        for (const other of boundaries)
          expect(boundary !== other && other.startsWith(boundary)).toBe(false);
      return;
    }
    case 'meta':
      if (check.key === 'size') expect(message.size ?? null).toBe(check.equals);
      else if (check.key === 'sizeAfter') expect(message.sent).toBe(octets.length);
      else if (check.key === 'smtputf8') expect(message.smtpUtf8).toBe(check.equals);
      else expect.fail(`meta ${check.key}`);
      return;
    case 'meta-if-8bit':
      expect(raw).toMatch(/[^\0-\x7f]/);
      expect(message.body).toBe(check.equals);
      return;
    case 'dkim-canon': {
      const fields = (check.header ?? '').split(/(?<=\r\n)(?![ \t])/);
      expect(fields.map((field) => canonicalField(field, false)).join('')).toBe(
        check.relaxedHeader,
      );
      expect(fields.map((field) => canonicalField(field, true)).join('')).toBe(check.header);
      expect(await hashOf(check.body, 'relaxed')).toBe(sha256(check.relaxedBody));
      expect(await hashOf(check.body, 'simple')).toBe(sha256(check.simpleBody));
      return;
    }
    case 'dkim-bodyhash':
      for (const algorithm of ['simple', 'relaxed'] as const)
        expect(await hashOf(check.body, algorithm)).toBe(check[algorithm]);
      return;
    case 'deterministic':
      for (let again = 0; again < 3; again++)
        expect(octetText(await messageOf(one).bytes())).toBe(raw);
      return;
    case 'chunking-invariant': {
      const chunkings = one.input.message?.attachments?.[0]?.content.stream?.chunkings ?? [];
      expect(chunkings.length).toBeGreaterThan(1);
      for (const chunking of chunkings)
        expect(octetText(await messageOf(one, chunking).bytes())).toBe(raw);
      return;
    }
    default:
      expect.fail(`unknown check ${check.check}`);
  }
}

function sha256(text: string | undefined): string {
  return createHash('sha256')
    .update(octetsOf(text ?? ''))
    .digest('base64');
}

async function hashOf(body: string | undefined, algorithm: string): Promise<string> {
  const hash = await bodyHash([body ?? ''], algorithm === 'simple');
  return Buffer.from(hash).toString('base64');
}

const refused = (one: Case): unknown => {
  try {
    messageOf(one);
  } catch (error) {
    return error;
  }
  return undefined;
};

/** Cases that ask for something to be done, rather than for a message. */
const BY_HAND: Readonly<Record<string, (one: Case) => Promise<void>>> = {
  async Z05(one) {
    const spec = specOf(one.input.message as NeutralMessage);
    const { size = 0 } = compose(spec, FIXED);
    const message = compose(spec, { ...FIXED, maxSize: size });
    expect((await message.bytes()).length).toBe(size);
    const error = thrownBy(() => compose(spec, { ...FIXED, maxSize: size - 1 }));
    expectMimeError(error, 'ERR_MIME_TOO_LARGE', 'maxSize');
    expect((error as MimeError).excess).toBe(1);
  },
  async Z11(one) {
    const described = one.input.message?.attachments?.[0]?.content.stream as NeutralStream;
    const source = watched(chunksOf(described, undefined));
    const reader = compose(
      { from: 'a@example.com', attachments: [attachment('s.bin', { stream: source.open })] },
      FIXED,
    )
      .stream()
      .getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(source.pulled()).toBeLessThanOrEqual(3);
    await reader.cancel();
  },
  async Z13(one) {
    let out = '';
    const error = await rejectionOf(
      (async () => {
        for await (const chunk of messageOf(one)) out += octetText(chunk);
      })(),
    );
    expect(error).toBe(boom);
    const [, boundary = ''] = /boundary="([^"]+)"/.exec(out) ?? [];
    expect(boundary).not.toBe('');
    expect(out).not.toContain(`--${boundary}--`);
  },
  async Z14() {
    const chunk = new Uint8Array(65_536).fill(90);
    const chunks = (200 * 2 ** 20) / chunk.length;
    const stream = (): AsyncIterable<Uint8Array> =>
      (async function* () {
        for (let at = 0; at < chunks; at++) yield chunk;
      })();
    const message = compose(
      { from: 'a@example.com', attachments: [attachment('s.bin', { stream })] },
      FIXED,
    );
    const before = process.memoryUsage.rss();
    let most = before;
    let octets = 0;
    for await (const out of message) {
      octets += out.length;
      if (octets % 16 === 0) most = Math.max(most, process.memoryUsage.rss());
    }
    most = Math.max(most, process.memoryUsage.rss());
    expect(octets).toBe(message.sent);
    expect(octets).toBeGreaterThan(chunks * chunk.length);
    expect(most - before).toBeLessThan(64 * 2 ** 20);
  },
  async Z16(one) {
    const replayable = messageOf(one);
    expect(octetText(await replayable.bytes())).toBe(octetText(await replayable.bytes()));
    const once = compose(
      {
        from: 'a@example.com',
        attachments: [attachment('s.bin', { stream: watched([new Uint8Array(3)]).open() })],
      },
      FIXED,
    );
    await once.bytes();
    expectMimeError(await rejectionOf(once.bytes()));
  },
};

describe('neutral test cases', () => {
  test('every case is run, and no name is unknown', () => {
    const ids = cases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(106);
    expect(ids).toHaveLength(106);
    for (const id of Object.keys(BY_HAND)) expect(ids).toContain(id);
  });

  for (const one of cases)
    test(`${one.id}: ${one.title}`, async () => {
      const byHand = BY_HAND[one.id];
      if (byHand) return byHand(one);
      const error = refused(one);
      if (error !== undefined) {
        expectMimeError(error);
        expect(['reject', 'reject-or']).toContain(one.expect[0]?.check);
        expect(one.expect).toHaveLength(1);
        return;
      }
      const built = await build(one);
      for (const check of one.expect) {
        if (check.check === 'reject') expect.fail('was not refused');
        for (const inner of check.check === 'reject-or' ? (check.checks ?? []) : [check])
          await run(inner, built, one);
      }
    });
});
