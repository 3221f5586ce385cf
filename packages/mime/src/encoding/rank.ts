/** What octets are made of, and so which of the encodings that change nothing may carry them (RFC 2045 §2.7 to §2.9). */

/** 0 is 7bit: lines of ASCII; 1 is 8bit: lines of octets; 2 is binary: any octets. */
export type Rank = 0 | 1 | 2;

/**
 * Tells the rank of octets that come in pieces, so far. A line ends in CRLF, CR and LF stand nowhere else, nor does NUL,
 * and a line has no more than 998 octets.
 */
export function ranker(): (octets: Uint8Array, last?: boolean) => Rank {
  let rank: Rank = 0;
  /** Octets of this line in the pieces before, and whether a CR is the last of them. */
  let before = 0;
  let crBefore = false;
  return (octets, last) => {
    // In variables of this function, the loop is many times as fast.
    let start = -before;
    let cr = crBefore;
    let bits = 0;
    for (let at = 0; at < octets.length; at += 1) {
      const octet = octets[at] as number;
      bits |= octet;
      if (octet < 14 || cr) {
        if (!octet || cr !== (octet === 10) || (cr && at - start > 999)) rank = 2;
        if (cr) start = at + 1;
        cr = octet === 13;
      }
    }
    before = octets.length - start;
    crBefore = cr;
    if (cr ? last || before > 999 : before > 998) rank = 2;
    if (bits > 127) rank ||= 1;
    return rank;
  };
}
