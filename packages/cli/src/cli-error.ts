/** CliError: what this program itself refuses or cannot do, in one sentence, with what it ends with. */
import type { ExitName } from './exit-code.ts';

/** Told as `posthorn: <message>`, without a stack. */
export class CliError extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CliError';
    this.exit = exit;
  }
}

/** What the system said, without the path and the call that its message repeats: `ENOENT: no such file or directory`. */
export function because(error: unknown): string {
  const { message = String(error), code } = Object(error) as NodeJS.ErrnoException;
  return code && message.startsWith(`${code}: `)
    ? message.replace(/, \w+( '.*')?( -> '.*')?$/, '')
    : message;
}
