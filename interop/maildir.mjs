/**
 * What a server has delivered, as it lies in a Maildir: one file for each recipient of each message. In front of the message
 * stand the lines that the server adds, which name the envelope; the rest is the message, each CR LF made a LF.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LF = 10;
const CR = 13;

/**
 * @typedef {object} Delivered
 * @property {string} from the reverse-path
 * @property {string} to the recipient
 * @property {Buffer} content the message with CR LF line ends, without what was added
 * @property {Buffer} whole the same with what was added
 */

/**
 * The octets with CR LF line ends. Posthorn sends no CR and no LF alone, so each LF of a file was a CR LF.
 *
 * @throws Error where there is a CR: then the file is not what was sent
 */
export function withCrLf(octets) {
  if (octets.includes(CR)) throw new Error('there is a CR in what was delivered');
  let ends = 0;
  for (const octet of octets) if (octet === LF) ends += 1;
  const whole = Buffer.allocUnsafe(octets.length + ends);
  let place = 0;
  for (const octet of octets) {
    if (octet === LF) {
      whole[place] = CR;
      place += 1;
    }
    whole[place] = octet;
    place += 1;
  }
  return whole;
}

/**
 * @param file - the octets of a file
 * @param added - what stands in front: its first group is the reverse-path, its second the recipient
 * @returns {Delivered}
 * @throws Error where that does not stand there
 */
export function deliveredIn(file, added) {
  const text = file.toString('latin1');
  const found = added.exec(text);
  if (!found)
    throw new Error(`a file begins in another way: ${JSON.stringify(text.slice(0, 200))}`);
  const [head, from, to] = found;
  const utf8 = (part) => Buffer.from(part, 'latin1').toString('utf8');
  return {
    from: utf8(from),
    to: utf8(to),
    content: withCrLf(file.subarray(head.length)),
    whole: withCrLf(file),
  };
}

/** A Maildir that is read as it grows. */
export function createMaildir(folder, added) {
  const fresh = join(folder, 'new');
  const read = new Set();
  /** What nobody has asked for yet. */
  let left = [];
  const look = () => {
    if (!existsSync(fresh)) return;
    for (const name of readdirSync(fresh).sort()) {
      if (read.has(name)) continue;
      read.add(name);
      left.push(deliveredIn(readFileSync(join(fresh, name)), added));
    }
  };
  return {
    /** How many wait for somebody to ask for them. */
    count(isMeant) {
      look();
      return left.filter(isMeant).length;
    },
    /** What is meant, once. */
    take(isMeant) {
      look();
      const taken = left.filter(isMeant);
      left = left.filter((one) => !taken.includes(one));
      return taken;
    },
  };
}
