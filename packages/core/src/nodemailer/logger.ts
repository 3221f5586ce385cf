/** Where is told what goes on: to a logger as bunyan has it, or to the terminal. Whoever calls it leaves secrets out. */
import { format } from 'node:util';

/** One line of a log: what it is about, and its words, as `util.format()` takes them. */
export type Log = (entry: object, message?: string, ...values: unknown[]) => unknown;

/** What is told. */
export interface Logger {
  debug: Log;
  info: Log;
  warn: Log;
  error: Log;
}

/** `true` for the terminal; false for nobody. */
export type LoggerOption = boolean | Partial<Logger> | Readonly<Record<string, unknown>>;

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** A logger of all levels, whatever is given. */
export function loggerOf(given: LoggerOption | undefined): Logger {
  const logger = {} as Logger;
  for (const level of LEVELS)
    logger[level] = (entry, message = '', ...values) => {
      if (given === true)
        process.stderr.write(
          `[${new Date().toISOString()}] ${level.toUpperCase()} ${(entry as { tnx?: string }).tnx ?? ''} ${format(message, ...values)}\n`,
        );
      else (given as Partial<Logger> | undefined)?.[level]?.(entry, message, ...values);
    };
  return logger;
}
