import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** A folder in the system's temporary one, with a space in its path; `remove()` ends it. */
export interface TemporaryTree {
  readonly path: string;
  write(file: string, text: string): string;
  /** Copies a file or a folder of the work tree to the same place here. */
  copy(file: string): void;
  /** Makes a folder of the work tree visible at the same place here. */
  link(file: string): void;
  remove(): void;
}

export function temporaryTree(): TemporaryTree {
  const path = mkdtempSync(join(tmpdir(), 'posthorn test '));
  const place = (file: string): string => {
    const target = join(path, file);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  return {
    path,
    write: (file, text) => {
      const target = place(file);
      writeFileSync(target, text);
      return target;
    },
    copy: (file) => cpSync(join(root, file), place(file), { recursive: true }),
    link: (file) => symlinkSync(join(root, file), place(file), 'dir'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
