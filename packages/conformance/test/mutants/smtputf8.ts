/** Mutants for UTF. */
import { client, type Mutant, mutant, reading, writing } from './mutant.ts';

/** The text of an encoded-word that core writes, as octets. */
const decoded = (word: string): string =>
  Buffer.from(/\?b\?([^?]*)\?=/i.exec(word)?.[1] ?? '', 'base64').toString('latin1');

const ENCODED_WORD = /=\?utf-8\?b\?[^?]*\?=/gi;

export const SMTPUTF8: readonly Mutant[] = [
  mutant(
    'forgets-to-say-smtputf8',
    'writes an address in UTF-8 without SMTPUTF8',
    writing(/ SMTPUTF8/g, ''),
    ['UTF-02', 'UTF-06'],
  ),
  mutant(
    'writes-question-marks',
    'cannot write what is outside ASCII',
    writing(/:<[^>]*>/g, (path) => path.replace(/[^ -~]/g, '?')),
    ['UTF-02'],
  ),
  mutant(
    'always-says-smtputf8',
    'says SMTPUTF8 whether it is needed and offered or not',
    writing(/^MAIL FROM:<[^>]*>(?!.* SMTPUTF8)/m, '$& SMTPUTF8'),
    ['UTF-03', 'UTF-04', 'UTF-05'],
  ),
  mutant(
    'writes-names-in-utf-8',
    'writes a header in UTF-8 where SMTPUTF8 is not offered',
    writing(ENCODED_WORD, decoded),
    ['UTF-05'],
  ),
  mutant(
    'leaves-out-what-is-not-ascii',
    'writes names without what is outside ASCII',
    writing(ENCODED_WORD, (word) => decoded(word).replace(/[^ -~]/g, '')),
    ['UTF-05'],
  ),
  mutant(
    'wants-smtputf8-alone',
    'does not know SMTPUTF8 when it has parameters',
    reading(/SMTPUTF8 .*(?=\r)/, 'XUTF8'),
    ['UTF-06'],
  ),
  client(
    'dies-without-8bitmime',
    'does not expect SMTPUTF8 alone',
    async () => {
      throw new Error('there is no 8BITMIME');
    },
    ['UTF-07'],
  ),
];
