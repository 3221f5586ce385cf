export function open(connection: {
  readonly host: string;
  readonly port: number;
  readonly tls?: 'off' | 'implicit';
  readonly chunking: boolean;
  readonly window?: number;
}): Promise<{
  batches(
    message: {
      readonly from: string;
      readonly to: readonly string[];
      readonly content: Uint8Array;
    },
    mode: 'queued' | 'awaited',
  ): (count: number, onEach?: (done: number) => void) => Promise<void>;
  close(): Promise<void>;
}>;
