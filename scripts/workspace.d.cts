/** The types of workspace.cjs, for its tests. */
export function exportedFiles(manifest: object): string[];
