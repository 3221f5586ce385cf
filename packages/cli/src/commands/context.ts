/** What a command has of the program. */
import type { Settings } from '../settings/settings.ts';
import type { Surroundings } from '../surroundings.ts';

export interface CommandContext {
  readonly surroundings: Surroundings;
  /** Options, environment and file as one. @throws CliError EX_CONFIG */
  settings(given: Settings): Promise<Settings>;
  /** What the program is to end with. */
  exit(code: number): void;
}
