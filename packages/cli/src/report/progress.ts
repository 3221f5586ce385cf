/** A bar at a terminal while a large message is sent. Loaded only where one is shown. */
import type { Output } from '../surroundings.ts';

/** From this size on there is a bar: what is smaller is gone before anybody has read one. */
export const WITH_BAR = 262_144;

export interface Progress {
  tell(octets: number): void;
  stop(): void;
}

const NONE: Progress = { tell() {}, stop() {} };

/** @returns one that shows nothing where the output is no terminal, or the message is small */
export async function progressOn(output: Output, size: number): Promise<Progress> {
  if (!output.isTTY || size < WITH_BAR) return NONE;
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: output as unknown as NodeJS.WritableStream,
    format: '{bar} {percentage}%  {value} of {total} octets',
    clearOnComplete: true,
    hideCursor: true,
    // Ours are stopped by what is done with them.
    gracefulExit: false,
  });
  bar.start(size, 0);
  return { tell: (octets) => bar.update(octets), stop: () => bar.stop() };
}
