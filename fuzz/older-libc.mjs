/**
 * The fuzzer's native half is built with glibc 2.38 and GCC 13, and asks for three names that older Linux systems, Debian 12
 * among them, do not have. Each has an older name that does the same here, or is never called:
 *
 * - `__isoc23_strtol`, `__isoc23_strtoul`: strtol() and strtoul(), which in C23 read `0b1` as well
 * - `_ZSt21ios_base_library_initv`: is there to be asked for, so that nobody links with an older library, and is not called
 *
 * The file's tables of names (ELF, System V ABI chapter 4; symbol versions as in the LSB, chapter 10) are changed, its code is
 * not. What asks for more than these is left as it is.
 */
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const SYMBOL_SIZE = 24;
/** A version that may be absent. */
const VER_FLG_WEAK = 2;
/** A name without a version. */
const VER_NDX_GLOBAL = 1;
/** A name that may be absent. */
const STB_WEAK = 2;
const NEWER = '__isoc23_';
const NEVER_CALLED = '_ZSt21ios_base_library_initv';

/**
 * A library that asks for older names.
 *
 * @param library - its octets: ELF, 64 bits, little endian
 * @param versions - those that are not here: `GLIBC_2.38`
 * @returns its octets, and the names that it has asked for
 * @throws Error where one of them has no older name
 */
export function askForOlderNames(library, versions) {
  const octets = Buffer.from(library);
  const sections = sectionsOf(octets);
  const of = (type) => sections.find((section) => section.type === type);
  const symbols = of(SHT_DYNSYM);
  const versionOf = of(SHT_GNU_VERSYM);
  const needed = of(SHT_GNU_VERNEED);
  if (!symbols || !versionOf || !needed)
    throw new Error('this is no library whose names have versions');
  const strings = sections[symbols.link].offset;
  const textAt = (at) => octets.toString('latin1', strings + at, octets.indexOf(0, strings + at));

  const absent = new Set();
  for (const { at, name, index } of versionsNeeded(octets, needed, textAt)) {
    if (!versions.includes(name)) continue;
    octets.writeUInt16LE(octets.readUInt16LE(at + 4) | VER_FLG_WEAK, at + 4);
    absent.add(index);
  }
  const names = [];
  for (let count = 0; count < symbols.size / SYMBOL_SIZE; count += 1) {
    const version = versionOf.offset + 2 * count;
    if (!absent.has(octets.readUInt16LE(version) & 0x7fff)) continue;
    const at = symbols.offset + SYMBOL_SIZE * count;
    const name = textAt(octets.readUInt32LE(at));
    names.push(name);
    octets.writeUInt16LE(VER_NDX_GLOBAL, version);
    // The older name is the end of the newer one.
    if (name.startsWith(NEWER)) octets.writeUInt32LE(octets.readUInt32LE(at) + NEWER.length, at);
    else if (name === NEVER_CALLED) octets[at + 4] = (octets[at + 4] & 15) | (STB_WEAK << 4);
    else throw new Error(`there is no older name for ${name}`);
  }
  return { octets, names };
}

function sectionsOf(octets) {
  if (octets.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return [];
  const first = Number(octets.readBigUInt64LE(0x28));
  const size = octets.readUInt16LE(0x3a);
  return Array.from({ length: octets.readUInt16LE(0x3c) }, (_, count) => {
    const at = first + size * count;
    return {
      type: octets.readUInt32LE(at + 4),
      offset: Number(octets.readBigUInt64LE(at + 0x18)),
      size: Number(octets.readBigUInt64LE(at + 0x20)),
      link: octets.readUInt32LE(at + 0x28),
      entries: octets.readUInt32LE(at + 0x2c),
    };
  });
}

/** Each version that is needed of any library: where it is said, its name, and the number that symbols have for it. */
function versionsNeeded(octets, { offset, entries }, textAt) {
  const found = [];
  for (let at = offset, count = 0; count < entries; count += 1) {
    let one = at + octets.readUInt32LE(at + 8);
    for (let left = octets.readUInt16LE(at + 2); left > 0; left -= 1) {
      const name = textAt(octets.readUInt32LE(one + 8));
      found.push({ at: one, name, index: octets.readUInt16LE(one + 6) });
      one += octets.readUInt32LE(one + 12);
    }
    at += octets.readUInt32LE(at + 12);
  }
  return found;
}
