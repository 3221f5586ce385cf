export function startService(
  url: URL,
  options: object,
): Promise<{
  readonly port: number;
  ask(request: string, argument?: unknown): Promise<unknown>;
  stop(): void;
}>;
