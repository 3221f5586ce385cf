/** dkim(): the DKIM-Signature of a message (RFC 6376, RFC 8463). In no bundle that does not import it. */
import { utf8 } from '../encoding/utf-8.ts';
import { refuse } from '../errors.ts';
import type { ComposeOptions } from '../message.ts';
import type { Context, Piece, Source } from '../part.ts';
import { deliver } from '../source.ts';
import { bodyHash, type Canonicalization, canonicalField } from './canonical.ts';
import { signingKey } from './private-key.ts';

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
   * PEM of PKCS#8 (`PRIVATE KEY`, RSA or Ed25519), or a CryptoKey with the usage `sign`
   * (`RSASSA-PKCS1-v1_5` with SHA-256, or `Ed25519`). RSA has at least 1024 bits, and should have 2048 (RFC 8301 §3.2).
   */
  readonly privateKey: string | CryptoKey;
  /** c=: of header and body (RFC 6376 §3.4). Default `relaxed/relaxed`. */
  readonly canonicalization?: `${Canonicalization}/${Canonicalization}`;
  /**
   * Names of the header fields to sign where they are present, From among them. Default: From, Sender, Reply-To, Subject,
   * Date, Message-ID, To, Cc, In-Reply-To, References, and all that begin with Auto-, Content-, List- or MIME-.
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
   * Puts the signature in front of the pieces of a message, the first of which is its header with the empty line.
   * @internal
   */
  attach(pieces: Piece[], options: ComposeOptions, context: Context): void;
}

/** `List-Unsubscribe` and `List-Unsubscribe-Post` have to be signed (RFC 8058 §4). */
const DEFAULT_FIELDS =
  'from|sender|(in-)?reply-to|subject|date|message-id|to|cc|references|(auto|content|list|mime)-[\\w-]{1,60}';

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
  const check = (path: string, value: unknown, forbidden: RegExp): string =>
    typeof value === 'string' && !forbidden.test(value) ? value : refuse('DKIM', `dkim.${path}`);
  // Not labels (RFC 5321 §4.1.2: sub-domain): one that is empty or has "-" at an end, or something is too long.
  check('selector', selector, /(^|\.)\B|\B(\.|$)|[^a-z\d.-]|[^.]{64}|.{254}/i);
  check('domain', domain, /(^|\.)\B|\B(\.|$)|[^a-z\d.-]|[^.]{64}|.{254}/i);
  check('canonicalization', canonicalization, /^(?!(relaxed|simple)\/(relaxed|simple)$)/);
  // §5.4: "The From header field MUST be signed". Nothing that ends a name in h=, and not its own field (§3.5).
  const noFields = /^(?!([\w-]{1,70}(,(?!$)|$))+$)|^(?!(.*,)?from(,|$))|dkim-s/i;
  const names = fields
    ? check('fields', `${fields}`, noFields).replaceAll(',', '|')
    : DEFAULT_FIELDS;
  const isSigned = new RegExp(`^(${names}):`, 'i');
  const [algorithm, size, sign] = signingKey(options.privateKey);

  return {
    attach(pieces, { now = () => new Date(), maxSize }, context) {
      context.deliver = deliver;
      const time = Math.floor(+now() / 1000);
      const body = pieces.slice(1);
      if (body.some((piece) => (piece as Source).once)) refuse('STREAM', 'dkim', 'read twice');
      // §5.4.2: fields of one name are signed "in order from the bottom of the header field block to the top".
      const signed = (pieces[0] as string)
        .slice(0, -2)
        .split(/(?<=\r\n)(?![ \t])/)
        .reverse()
        .filter((one) => isSigned.test(one));
      const list = [...signed, 'From:'].map((one) => one.split(':', 1)).join(':');
      const field = (hash: Uint8Array, signature: Uint8Array): string =>
        `DKIM-Signature: v=1; a=${algorithm}-sha256; c=${canonicalization};` +
        ` t=${time};\r\n d=${domain};\r\n s=${selector};` +
        `h=${list};bh=${btoa(String.fromCharCode(...hash))};`.replace(/.{1,76}[:;]/g, '\r\n $&') +
        `b=${btoa(String.fromCharCode(...signature))}`.replace(/.{1,76}/g, '\r\n $&') +
        '\r\n';
      pieces.unshift({
        size: field(new Uint8Array(32), new Uint8Array(size)).length,
        async *open() {
          const hash = await bodyHash(body, canonicalization.endsWith('simple'), maxSize);
          // §3.7: the field itself comes last, with an empty b= and "without a trailing CRLF".
          const header = [...signed, field(hash, new Uint8Array())]
            .map((one) => canonicalField(one, canonicalization.startsWith('simple')))
            .join('')
            .slice(0, -2);
          yield utf8.encode(field(hash, await sign(utf8.encode(header))));
        },
      });
    },
  };
}
