export function inBareProcess(
  url: URL,
  args: readonly string[],
  settings?: { readonly bound?: number; readonly execArgv?: readonly string[] },
): Promise<unknown>;

export function inFreshProcess(
  job: { readonly module: string; readonly name: string; readonly options: object },
  settings?: { readonly bound?: number },
): Promise<Record<string, number>>;
