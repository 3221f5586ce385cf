export function median(values: Iterable<number>): number;
export function pairedRatio(values: readonly number[], bases: readonly number[]): number;
