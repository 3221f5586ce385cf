/** The dialogue for people: one line for each command and each line of a reply, with the ms since the connection was begun. */
import type { TranscriptEvent } from '@posthorn/core';
import { printable } from '../say.ts';
import type { Output } from '../surroundings.ts';

/** `   12 ms ! C: EHLO [127.0.0.1]`; `!` is what went without TLS. */
export function transcriptLines({ direction, text, secure, at }: TranscriptEvent): string {
  const mark = `${secure ? ' ' : '!'} ${direction === 'client' ? 'C' : 'S'}:`;
  const time = `${at.toFixed(0).padStart(6)} ms`;
  return text
    .split('\n')
    .map((line) => `${time} ${mark} ${printable(line)}\n`)
    .join('');
}

export const transcriptTo =
  (output: Output): ((event: TranscriptEvent) => void) =>
  (event) =>
    void output.write(transcriptLines(event));
