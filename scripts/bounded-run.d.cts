/** The types of bounded-run.cjs, for its tests. */

export interface RunResult {
  /** The exit code; null when the program could not start or was ended. */
  readonly code: number | null;
  readonly timedOut: boolean;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In ms. */
  readonly timeout: number;
  readonly onOutput?: (text: string) => void;
}

export function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult>;
