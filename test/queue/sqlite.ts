/** SQL with a real engine: SQLite, by the sqlite3 module of Python, one statement at a time. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const PROGRAM = `
import json, sqlite3, sys
base = sqlite3.connect(':memory:', isolation_level=None)
base.row_factory = sqlite3.Row
for line in sys.stdin:
    text, values = json.loads(line)
    try:
        # $1 and so on are names to SQLite.
        names = {str(at + 1): value for at, value in enumerate(values) if '$' + str(at + 1) in text}
        print(json.dumps({'rows': [dict(row) for row in base.execute(text, names)]}), flush=True)
    except Exception as error:
        print(json.dumps({'error': str(error)}), flush=True)
`;

/** Whether there is a Python with an SQLite that knows RETURNING. */
export const hasSqlite: boolean =
  spawnSync('python3', ['-c', 'import sqlite3; assert sqlite3.sqlite_version_info >= (3, 35)'], {
    timeout: 10_000,
  }).status === 0;

export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

export function startSqlite(): Sql & { close(): void } {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('python3', ['-c', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  return {
    query(text, values = []) {
      const answer = last.then(async () => {
        child.stdin.write(`${JSON.stringify([text, values])}\n`);
        const { value = '{"error": "it is gone"}' } = await lines.next();
        const { rows, error } = JSON.parse(value);
        if (error) throw new Error(error);
        return { rows };
      });
      last = answer.catch(() => {});
      return answer;
    },
    close: () => {
      child.kill();
    },
  };
}
