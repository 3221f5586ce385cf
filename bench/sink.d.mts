export interface SinkCounts {
  readonly connections: number;
  readonly messages: number;
  readonly octets: number;
}

export interface Sink {
  readonly port: number;
  counts(): SinkCounts;
  reset(): void;
  close(): Promise<void>;
}

export function startSink(options?: {
  readonly chunking?: boolean;
  readonly tls?: 'off' | 'implicit' | 'starttls';
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly auth?: boolean;
  readonly rate?: number;
}): Promise<Sink>;
