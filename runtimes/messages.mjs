/** What is sent: the same octets on every runtime. Runs on all of them, and in the process that judges. */

/** An attachment of 8 MiB; encoded it is 11.5 MB. */
export const LARGE = 8 * 1024 * 1024;
const BLOCK = 65_536;

/** Octets that look like chance, and are the same everywhere. */
export function* blocks(length = LARGE) {
  let state = 0x9e3779b9;
  for (let left = length; left > 0; left -= BLOCK) {
    const words = new Uint32Array(BLOCK / 4);
    for (let at = 0; at < words.length; at += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    yield new Uint8Array(words.buffer, 0, Math.min(left, BLOCK));
  }
}

export function octetsOf(pieces) {
  const all = [...pieces];
  const whole = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const piece of all) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

/** Chance and time stand still, so that two runtimes compose the same octets. */
const FIXED = {
  random: (octets) => new Uint8Array(octets).fill(7),
  now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
};

/** @param by - 'octets': the attachment is in memory; 'stream': it is read while it is sent */
export function largeMessage({ compose, attachment }, by) {
  const content =
    by === 'octets'
      ? octetsOf(blocks())
      : {
          size: LARGE,
          stream: async function* () {
            yield* blocks();
          },
        };
  return compose(
    {
      from: 'Größe <sender@example.com>',
      to: 'reader@example.net',
      subject: 'Acht Mebibyte – восемь мебибайт',
      text: '.\r\n..\r\n.dots at the beginning of lines\r\nGrüße\r\n',
      attachments: [attachment('größe.bin', content)],
    },
    FIXED,
  );
}

/** One of a series, whose place stands in it. */
export const smallMessage = ({ compose }, at) =>
  compose(
    {
      from: 'sender@example.com',
      to: 'reader@example.net',
      subject: `Number ${at}`,
      text: `.This is number ${at}.\r\n`,
    },
    FIXED,
  );
