/**
 * How long an import takes and what it leaves on the heap: `node --expose-gc start.mjs SPECIFIER …`. It has no channel to
 * its parent and imports nothing itself, as either would load a part of what is measured. Writes JSON.
 */
const specifiers = process.argv.slice(2);
globalThis.gc();
const before = process.memoryUsage().heapUsed;
const begun = performance.now();
for (const specifier of specifiers) await import(specifier);
const elapsed = performance.now() - begun;
globalThis.gc();
const heap = (process.memoryUsage().heapUsed - before) / 1_024;
process.stdout.write(JSON.stringify({ elapsed, heap }));
