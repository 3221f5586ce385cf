/** Who may authenticate, to whichever server. They are made for a run, and open nothing else. */

/** Who sends where nothing else is said. */
export const TESTER = { user: 'tester@example.com', pass: 'correct horse' };
/** A password outside ASCII; SASLprep (RFC 4013) leaves it as it is. */
export const CYRILLIC = { user: 'cyrillic@example.com', pass: 'пароль и ключ' };
/** A name of which SCRAM has to escape two characters (RFC 5802 §5.1). */
export const ODD = { user: 'odd,name=1@example.com', pass: 'a,b=c' };

export const accounts = [TESTER, CYRILLIC, ODD];

/** 189 octets: with the longest local part an address has 254 (RFC 5321 §4.5.3.1.3: a path has 256, its brackets included). */
export const LONG_DOMAIN = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(53)}.example`;
/** пример.example */
const CYRILLIC_DOMAIN = 'xn--e1afmkfd.example';

/** The domains whose mail is delivered here. */
export const DOMAINS = ['example.com', 'example.net', CYRILLIC_DOMAIN, LONG_DOMAIN];

/** What local parts begin with that are nobody's, and those whose mail is accepted all the same, and then not delivered. */
export const NOBODY = 'nobody';
export const GONE = 'gone';

/** Octets a message may have. */
export const SIZE_LIMIT = 1_000_000;
/** Recipients a message may have. */
export const RECIPIENT_LIMIT = 60;
/** Messages that the port `frugal` takes on one connection, or from one client. */
export const MESSAGE_LIMIT = 5;
/** How long the port `hasty` waits for a command, in seconds. */
export const HASTE = 3;
