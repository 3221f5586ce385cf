/**
 * SASLprep (RFC 4013): one form for names and passwords that look alike. It knows the Unicode version of the
 * runtime in place of 3.2, from which five ideographs were mapped otherwise, and lets unassigned code points pass.
 * The check of bidirectional text (§2.4) is left to the server: no runtime says which way a character runs.
 */
import { credential } from './mechanism.ts';
import { fitting } from './text.ts';

/**
 * A user name or password as SCRAM hashes it.
 *
 * @throws TypeError where it holds what RFC 4013 §2.3 prohibits, or nothing is left of it
 */
export function saslPrep(text: string): string {
  return fitting(
    credential(text)
      // §2.1: RFC 3454 C.1.2 to SPACE, then B.1 to nothing; U+200B is in both.
      .replace(/[\p{Zs}\u200b]/gu, ' ')
      // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points, none is meant to combine
      .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, '')
      .normalize('NFKC'),
    // §2.3: RFC 3454 C.2, C.8 and C.9 are in Cc, Cf, Zl and Zp; C.3 is Co, C.4 NChar; C.6 and C.7 as they stand.
    /^[^\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{NChar}\u2ff0-\u2ffb\ufffc\ufffd]+$/u,
    'credentials',
  );
}
