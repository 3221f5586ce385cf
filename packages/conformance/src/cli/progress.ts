/** What a terminal is shown while a run goes on; nothing where the output is piped. */
import type { CaseResult } from '../runner/run-case.ts';

/** One line that is written over and over. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #shown: boolean;
  #failed = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#shown = stream.isTTY === true;
  }

  tell(result: CaseResult, done: number, total: number): void {
    if (!this.#shown) return;
    if (result.verdict === 'FAIL' || result.verdict === 'ERROR') this.#failed += 1;
    const line = `${done}/${total}  ${this.#failed} failed  ${result.id} ${result.verdict}`;
    this.#stream.write(`\r\x1b[K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
  }

  end(): void {
    if (this.#shown) this.#stream.write('\r\x1b[K');
  }
}
