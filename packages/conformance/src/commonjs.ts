/** What stands for import.meta.url in the CommonJS build: tsup.config.ts puts it there. Nothing imports this. */
import { pathToFileURL } from 'node:url';

// A call that is marked as pure is left out of what does not need it. tsup's own shim takes a # or a % of the path for
// what they are in a URL.
const ofThisFile = (): string => pathToFileURL(__filename).href;

export const importMetaUrl: string = /* @__PURE__ */ ofThisFile();
