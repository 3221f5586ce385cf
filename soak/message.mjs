/**
 * Messages, each made of its number alone: of all sizes, in all forms that content may have, with files and without; and some
 * that can never be sent. `X-Soak` names the number to the server.
 */
import { generateKeyPairSync } from 'node:crypto';
import {
  asIs,
  attachment,
  compose,
  dkim,
  flowed,
  MimeError,
  quotedPrintable,
} from '@posthorn/mime';
import { seeded } from './random.mjs';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = dkim({
  domain: 'client.example',
  selector: 'soak',
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
});
const WORDS = [
  '.',
  '..',
  'From me',
  'Grüße',
  'привет',
  '漢字',
  'a line',
  '=?utf-8?q?x?=',
  '-- ',
  '250 ok',
];

/** Sources that were opened, and those of them that were given up or read to their end. */
export const sources = { opened: 0, released: 0 };

/** Octets in pieces, counted; `fails` throws where it is half read, `waits` never goes on from there until it is given up. */
function source(octets, size, how) {
  return {
    [Symbol.asyncIterator]() {
      let at = 0;
      let begun = false;
      let over = false;
      let giveUp;
      const end = () => {
        if (begun && !over) sources.released += 1;
        over = true;
        giveUp?.({ done: true });
        return { done: true, value: undefined };
      };
      return {
        async next() {
          // One that nobody reads holds nothing.
          if (!begun) sources.opened += 1;
          begun = true;
          if (over || (at >= octets.length && !how)) return end();
          if (how && at >= octets.length / 2) {
            if (how === 'waits')
              return new Promise((resolve) => {
                giveUp = resolve;
              });
            end();
            throw new Error('the source failed');
          }
          at += size;
          return { done: false, value: octets.subarray(at - size, at) };
        },
        async return() {
          return end();
        },
      };
    },
  };
}

/** An async iterable that begins anew for each reading, or, with `once`, goes on. */
function forms(random, octets) {
  const size = 1 + random.below(40_000);
  const again = source(octets, size);
  return {
    string: () => octets.toString(),
    octets: () => octets,
    function: () => () => octets.toString(),
    iterable: () => again,
    once: () => {
      const iterator = again[Symbol.asyncIterator]();
      return Object.assign(iterator, { [Symbol.asyncIterator]: () => iterator });
    },
    stream: () => new Blob([octets]).stream(),
  };
}

function recipientsOf(random, id) {
  return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, at) => {
    const prefix = random.once(9) ? 'no' : random.once(15) ? 'later' : 'b';
    return `${prefix}.${id}.${at}@example.com`;
  });
}

const text = (random) =>
  Array.from({ length: random.below(12) }, () => random.pick(WORDS)).join(
    random.pick(['\n', '\r\n']),
  );

/** Header and lines, as they are. */
function plainContent(random, id) {
  const long = random.once(40) ? 4_000 : random.below(6);
  const lines = Array.from({ length: long }, () => random.pick(WORDS));
  return Buffer.from([`X-Soak: ${id}`, '', ...lines, `the end of ${id}`, ''].join('\r\n'));
}

function composed(random, id, to, capabilities) {
  const file = (at) => {
    const octets = Buffer.alloc(random.once(60) ? 600_000 : random.below(20_000), `${id}.${at}\n`);
    const content = random.pick([
      octets,
      new Blob([octets]),
      { stream: () => source(octets, 5_000), size: octets.length },
      { stream: () => source(octets, 30_000) },
    ]);
    const transferEncoding = random.once(6) ? quotedPrintable : 'base64';
    return attachment(random.pick(['a.txt', 'отчёт.pdf']), content, { transferEncoding });
  };
  return compose(
    {
      from: { name: random.pick(WORDS), address: 's@client.example' },
      to,
      subject: text(random).replace(/\s+/g, ' '),
      headers: [['X-Soak', String(id)]],
      text: text(random),
      ...(random.once(2) && { html: `<p>${text(random)}</p>` }),
      attachments: random.once(3) ? [file(0), ...(random.once(3) ? [file(1)] : [])] : [],
    },
    {
      random: (octets) => new Uint8Array(octets).fill(id % 251),
      now: () => new Date(0),
      ...(random.once(10) && { flowed }),
      ...(random.once(80) && { dkim: signer }),
      ...(capabilities && { transferEncoding: asIs(capabilities) }),
    },
  );
}

/**
 * @returns what send() takes; who it is for; `doomed`: it cannot be accepted; `waits`: it
 *   does not come to its end by itself; `octets()`: what the server has to have, where
 * that does not depend on the server
 */
export function messageOf(seed, id) {
  const random = seeded(seed ^ Math.imul(id, 0x9e3779b1));
  const to = recipientsOf(random, id);
  const envelope = { from: 's@client.example', to };
  const way = random.below(100);
  const random2 = () => seeded(seed ^ Math.imul(id, 0x85ebca6b));
  if (way < 40) {
    const message = composed(random2(), id, to);
    return { message, to, octets: () => composed(random2(), id, to).bytes() };
  }
  if (way < 48) {
    // Made when it is known what the server takes; the envelope says nothing of BODY, so 7bit is all that is offered.
    const content = () => composed(random2(), id, to, new Set()).content;
    return { message: { ...envelope, content }, to };
  }
  const octets = plainContent(random, id);
  if (way < 52)
    return { message: { ...envelope, content: source(octets, 20, 'fails') }, to, doomed: true };
  if (way < 54)
    return {
      message: { ...envelope, content: source(octets, 20, 'waits') },
      to,
      doomed: true,
      waits: true,
    };
  if (way < 57)
    return {
      message: {
        ...envelope,
        content: source(octets, 20),
        size: octets.length + random.pick([-3, 7]),
      },
      to,
      doomed: true,
    };
  if (way < 58)
    return {
      message: { ...envelope, to: `${to[0]}\r\nRCPT TO:<x@y>`, content: octets },
      to,
      doomed: true,
    };
  const content = random.pick(Object.values(forms(random, octets)))();
  const size = random.once(3) ? { size: octets.length } : {};
  return { message: { ...envelope, content, ...size }, to, octets: async () => octets };
}

/** What nobody but the caller can mend: thrown before an octet is written. */
export const isOwnFault = (error) => error instanceof MimeError || error instanceof TypeError;
