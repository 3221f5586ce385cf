/** dkim(): the DKIM-Signature of a message (RFC 6376, RFC 8463). In no bundle that does not import it. */
import { utf8 } from '../encoding/utf-8.ts';
import { refuse } from '../errors.ts';
import type { Piece, Source } from '../part.ts';
import { deliver } from '../source.ts';
import { type Body, type Canonicalization, canonicalBody, canonicalField } from './canonical.ts';
import { refuseOption, signingKey } from './private-key.ts';
import { createSha256 } from './sha-256.ts';

/**
 * Who signs, with which key, and what (RFC 6376 §3.5).
 *
 * @example
 * ```ts
 * import { compose, type DkimOptions, dkim } from '@posthorn/mime';
 *
 * const rsa = {
 *   name: 'RSASSA-PKCS1-v1_5',
 *   hash: 'SHA-256',
 *   modulusLength: 2048,
 *   publicExponent: Uint8Array.of(1, 0, 1),
 * };
 * const { privateKey } = await crypto.subtle.generateKey(rsa, false, ['sign', 'verify']);
 * const options: DkimOptions = {
 *   domain: 'example.com',
 *   selector: '2024',
 *   privateKey, // or PEM
 *   canonicalization: 'relaxed/simple',
 *   fields: ['From', 'To', 'Subject', 'Date'],
 * };
 * const message = compose({ from: 'a@example.com', text: 'Hello' }, { dkim: dkim(options) });
 * console.log((await message.text()).includes(' h=Date:From:From;')); // true
 * ```
 */
export interface DkimOptions {
  /** d=: the domain that answers for the message, in A-labels: `example.com`. */
  readonly domain: string;
  /** s=: the public key stands in the TXT record of `<selector>._domainkey.<domain>`. */
  readonly selector: string;
  /**
   * PEM of PKCS#8 (`PRIVATE KEY`, RSA or Ed25519) or of PKCS#1 (`RSA PRIVATE KEY`), or a CryptoKey with the usage `sign`
   * (`RSASSA-PKCS1-v1_5` with SHA-256, or `Ed25519`). RSA has at least 1024 bits, and should have 2048 (RFC 8301 §3.2).
   */
  readonly privateKey: string | CryptoKey;
  /** c=: of header and body (RFC 6376 §3.4). Default `relaxed/relaxed`. */
  readonly canonicalization?: `${Canonicalization}/${Canonicalization}`;
  /**
   * Names of the header fields to sign where they are present, From among them. Default: From, Sender, Reply-To, Subject,
   * Date, Message-ID, To, Cc, MIME-Version, Content-Type, Content-Transfer-Encoding, Content-ID, Content-Description,
   * In-Reply-To, References, Auto-Submitted and all List fields.
   */
  readonly fields?: readonly string[];
}

/**
 * A signer for `dkim` of the options of a message (RFC 6376 §5), made by `dkim()`. One may sign any number of messages.
 *
 * @example
 * ```ts
 * import { compose, type Dkim, dkim } from '@posthorn/mime';
 *
 * const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
 * const signer: Dkim = dkim({ domain: 'example.com', selector: 'mail', privateKey });
 * const message = compose({ from: 'a@example.com', text: 'Hello' }, { dkim: signer });
 * console.log(message.size === (await message.bytes()).length); // true
 * ```
 */
export interface Dkim {
  /**
   * Fixes what will be signed: `head` is all header fields as they will be sent, each with its CRLF. `size` is the octets
   * of the field that `sign()` resolves with, `DKIM-Signature: …` and CRLF. @internal
   */
  prepare(head: string, now: Date): { readonly size: number; sign(body: Body): Promise<string> };
  /** Puts the signature in front of the pieces of a message, the first of which is its head. @internal */
  attach(head: string, pieces: Piece[], now: Date): void;
}

/** `List-Unsubscribe` and `List-Unsubscribe-Post` have to be signed (RFC 8058 §4). */
const DEFAULT_FIELDS =
  'from|sender|reply-to|subject|date|message-id|to|cc|mime-version|content-(type|transfer-encoding|id|description)|in-reply-to|references|auto-submitted|list-[\\w-]{1,60}';

function check(path: string, value: unknown, pattern: RegExp, why: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) refuseOption(path, value, why);
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trimEnd();
}

function base64(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets));
}

/**
 * Signs messages with DKIM (RFC 6376), by RSA or Ed25519 (RFC 8463) with SHA-256. The body is read twice: once to be signed,
 * once to be sent. From is signed once more than it is present, so that nobody can add another (RFC 6376 §8.15). The whole
 * body is signed, always.
 *
 * @throws MimeError `ERR_MIME_DKIM` where an option is not what it has to be; a key that WebCrypto does not take or does not
 * know rejects when a message is signed
 *
 * @example
 * ```ts
 * import { compose, dkim } from '@posthorn/mime';
 *
 * const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
 * const signer = dkim({ domain: 'example.com', selector: 'mail', privateKey });
 * const message = compose({ from: 'a@example.com', text: 'Hello' }, { dkim: signer });
 * console.log((await message.text()).split(';', 2).join()); // DKIM-Signature: v=1, a=ed25519-sha256
 * ```
 */
export function dkim(options: DkimOptions): Dkim {
  const { domain, selector, canonicalization = 'relaxed/relaxed', fields } = options;
  // Labels (RFC 5321 §4.1.2: sub-domain), each with the dot before the next.
  check(
    'domain',
    domain,
    /^(?!.{254})((?!-)[a-z\d-]{1,63}(?<!-)(\.(?!$)|$)){2,}$/i,
    'not a domain in A-labels',
  );
  check(
    'selector',
    selector,
    /^(?!.{254})((?!-)[a-z\d-]{1,63}(?<!-)(\.(?!$)|$))+$/i,
    'not labels of a domain',
  );
  check('canonicalization', canonicalization, /^(relaxed|simple)\/(relaxed|simple)$/, 'unknown');
  fields?.forEach((name, at) => {
    // Nothing that ends a name in h=, and not its own field (RFC 6376 §3.5).
    check(`fields[${at}]`, name, /^(?!dkim-signature$)[\w-]{1,70}$/i, 'not a field to sign');
  });
  const names = new RegExp(`^(${fields?.join('|') ?? DEFAULT_FIELDS})$`, 'i');
  // §5.4: "The From header field MUST be signed".
  if (!names.test('From')) refuseOption('fields', fields, 'From has to be signed');
  const key = signingKey(options.privateKey);
  const [ofHeader, ofBody] = canonicalization.split('/') as [Canonicalization, Canonicalization];

  return {
    attach(head, pieces, now) {
      const [, ...body] = pieces;
      if (body.some((piece) => (piece as Source).once))
        refuse('ERR_MIME_STREAM', 'dkim', 'a stream', 'read twice: give a function that opens it');
      const { size, sign } = this.prepare(head, now);
      const octetsOf = async function* (): AsyncGenerator<Uint8Array> {
        for (const piece of body) {
          if (typeof piece === 'string') yield utf8.encode(piece);
          else yield* piece.open();
        }
      };
      pieces.unshift({
        size,
        deliver,
        async *open() {
          yield utf8.encode(await sign(octetsOf()));
        },
      });
    },
    prepare(head, now) {
      // §5.4.2: fields of one name are signed "in order from the bottom of the header field block to the top".
      const signed = head
        .split(/(?<=\r\n)(?![ \t])/)
        .reverse()
        .filter((field) => names.test(nameOf(field)));
      const tags =
        `DKIM-Signature: v=1; a=${key.algorithm}-sha256; c=${canonicalization};` +
        ` t=${Math.floor(now.getTime() / 1000)};\r\n d=${domain};\r\n s=${selector};` +
        `h=${[...signed.map(nameOf), 'From'].join(':')};`.replace(/.{1,76}[:;]/g, '\r\n $&');
      /** The values are folded by their length, so that is all that `size` has to know of them. */
      const field = (bodyHash: string, signature: string): string =>
        `${tags}\r\n bh=${bodyHash};${`b=${signature}`.replace(/.{1,76}/g, '\r\n $&')}\r\n`;
      return {
        size: field('x'.repeat(44), 'x'.repeat(4 * Math.ceil(key.size / 3))).length,
        async sign(body) {
          const hash = createSha256();
          for await (const octets of canonicalBody(body, ofBody)) hash.update(octets);
          const bodyHash = base64(hash.digest());
          // §3.7: the field itself comes last, with an empty b= and "without a trailing CRLF".
          const header = [...signed, field(bodyHash, '')]
            .map((one) => canonicalField(one, ofHeader))
            .join('')
            .slice(0, -2);
          return field(bodyHash, base64(await key.sign(utf8.encode(header))));
        },
      };
    },
  };
}
