/**
 * What is used of the module `cloudflare:sockets`. It is no ambient declaration, which might contradict that of
 * `@cloudflare/workers-types`.
 */

/** One connection. */
export interface WorkersSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when it is connected, and where TLS was asked for, when it is under TLS. */
  readonly opened: Promise<unknown>;
  /** Rejects when it is lost. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
  /**
   * The same connection under TLS; this one is of no use any more. Neither stream may be locked.
   *
   * @throws Error where it was not connected with 'starttls'
   */
  startTls(): WorkersSocket;
}

/** The module. */
export interface WorkersSockets {
  connect(
    address: { readonly hostname: string; readonly port: number },
    options: {
      readonly secureTransport: 'on' | 'starttls';
      readonly allowHalfOpen: boolean;
      /** How many octets may wait to be written. Without one there is no backpressure. */
      readonly highWaterMark: number;
    },
  ): WorkersSocket;
}
