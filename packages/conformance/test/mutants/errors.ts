/** Mutants for ERR. */
import { type Mutant, mutant, reading, withOutcome } from './mutant.ts';

const ALL = ['ERR-01', 'ERR-02', 'ERR-03', 'ERR-04', 'ERR-05'];

export const ERRORS: readonly Mutant[] = [
  mutant(
    'takes-a-refusal-for-success',
    'never says that a message was refused',
    withOutcome(() => ({ outcome: 'resolve' })),
    ALL,
  ),
  mutant(
    'tells-every-code-as-500',
    'keeps no reply code',
    withOutcome(() => ({ code: 500 })),
    ALL,
  ),
  mutant(
    'shows-no-text-of-the-server',
    'keeps no text for people',
    withOutcome(() => ({ text: 'The message was not sent' })),
    ALL,
  ),
  mutant(
    'gives-no-text-of-the-reply',
    'keeps no text apart from the codes',
    withOutcome(() => ({ replyText: '' })),
    ['ERR-01', 'ERR-03', 'ERR-04'],
  ),
  mutant(
    'knows-no-enhanced-codes',
    'tells no enhanced status code',
    withOutcome(() => ({ enhanced: undefined })),
    ['ERR-01', 'ERR-04'],
  ),
  mutant(
    'tells-every-enhanced-code-as-5.0.0',
    'makes an enhanced status code of its own from the reply code',
    withOutcome(({ code }) => (code ? { enhanced: `${`${code}`[0]}.0.0` } : {})),
    ['ERR-01', 'ERR-02', 'ERR-03', 'ERR-04', 'ERR-05'],
  ),
  mutant(
    'takes-permanent-for-temporary',
    'tells 4yz and 5yz the wrong way round',
    withOutcome(({ temporary }) => ({ temporary: !temporary })),
    ['ERR-01', 'ERR-02', 'ERR-05'],
  ),
  mutant(
    'goes-by-the-enhanced-code',
    'takes the class of the enhanced status code for that of the reply',
    reading(/^\d(\d\d ([45])\.2\.1 )/, '$2$1'),
    ['ERR-02'],
  ),
  mutant(
    'tells-the-code-of-another-class',
    'tells an enhanced status code whose class is not that of the reply code',
    withOutcome(({ text }) => ({ enhanced: /[245]\.\d{1,3}\.\d{1,3}/.exec(text ?? '')?.[0] })),
    ['ERR-02', 'ERR-03'],
  ),
  mutant(
    'finds-codes-wherever-there-are-dots',
    'takes any numbers with dots off the text',
    withOutcome(({ replyText }) => ({ replyText: replyText?.replace(/^[\d.]+ ?/, '') })),
    ['ERR-03'],
  ),
  mutant(
    'leaves-the-code-on-the-lines',
    'takes the enhanced status code off the first line only',
    withOutcome(({ replyText }) => ({ replyText: replyText?.replace('user', '5.1.1 user') })),
    ['ERR-04'],
  ),
  mutant(
    'reads-one-line-of-a-refusal',
    'reads the first line of a refusal only',
    reading(/^(5\d\d)-([^\r]*)\r\n(?:5\d\d[- ][^\n]*\n)+/, '$1 $2\r\n'),
    ['ERR-04'],
  ),
  mutant(
    'drops-codes-that-were-not-offered',
    'takes an enhanced status code off the text and tells it nowhere',
    withOutcome(({ text }) => ({ enhanced: undefined, text: text?.replace('5.1.1 ', '') })),
    ['ERR-05'],
  ),
];
