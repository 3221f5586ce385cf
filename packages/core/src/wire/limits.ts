/** Sizes and octets of the grammar as data, each with its RFC section. */

export const LF = 10;
export const CR = 13;
export const DOT = 46;

/** The longest command line, in octets with its CRLF (RFC 5321 §4.5.3.1.4). */
export const MAX_COMMAND_LINE = 512;
/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets with its `<` and `>`. */
export const MAX_PATH = 254;
/** RFC 5321 §4.5.3.1.6: 1,000 octets with CR LF, "not counting the leading dot duplicated for transparency". */
export const MAX_TEXT_LINE = 998;
/** The longest reply line accepted, in characters with its CRLF: a challenge of 12,288 (RFC 4954 §4). RFC 5321 §4.5.3.1.5 asks for 512. */
export const MAX_REPLY_LINE = 12_294;
/** The longest reply accepted, in characters over all its lines with their CRLF. */
export const MAX_REPLY = 65_536;
