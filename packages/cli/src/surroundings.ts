/** What the program has around it, so that tests need no process: streams, environment, clock, signals. */

/** A stream to write to, as far as it is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
}

/** Standard input, as far as it is used. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
}

export interface Surroundings {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home folder; '' where there is none. */
  readonly home: string;
  /** Who runs it. */
  readonly login: string;
  /** Where what does not fit into memory is kept while it is sent. */
  readonly temporary: string;
  readonly now: () => Date;
  /** Aborted by Ctrl-C and by TERM, with a `Stopped` as its reason. */
  readonly signal: AbortSignal;
}

/** Why the signal was aborted. */
export class Stopped extends Error {
  /** 128 and the number of the signal, as shells have it. */
  readonly code: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`stopped by ${signal}`);
    this.name = 'Stopped';
    this.code = 128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal];
  }
}
