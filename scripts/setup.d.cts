/** The types of setup.cjs, for its tests. */
export function installProblem(output: string): string;
export function nodeProblem(version: string): string | undefined;
