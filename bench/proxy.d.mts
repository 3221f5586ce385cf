export interface Proxy {
  readonly port: number;
  waits(): number;
  perConnection(): readonly number[];
  close(): Promise<void>;
}

export function startProxy(options: {
  readonly target: number;
  readonly latency?: number;
}): Promise<Proxy>;
