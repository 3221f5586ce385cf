import type { Result } from './compare.mjs';

type Shown = Pick<Result, 'title' | 'base' | 'columns' | 'rows'>;

export function figure(value: number | undefined): string;
export function terminalTable(table: Shown): string;
export function markdownTable(table: Shown): string;
