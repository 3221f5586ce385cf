/** What the driver needs of a transport. Bring your own for a proxy, another runtime, or a test. */
import type { TlsChannel } from '../sasl/mechanism.ts';

/** How a transport speaks to the driver. All calls are synchronous. */
export interface TransportEvents {
  /** Octets were read. They are not changed afterwards. */
  onData(octets: Uint8Array): void;
  /** The transport takes more, after a `write` that returned false. */
  onDrain(): void;
  /** The other side has ended, or the transport broke. Only the first call counts. Without an error it ended in order. */
  onClose(error?: Error): void;
}

/** A connected, reliable stream of octets that can start TLS. */
export interface Transport {
  /** Whether it is under TLS already. */
  readonly secure: boolean;
  /** The address of its local end, for the default EHLO argument: '192.0.2.1', '2001:db8::1'. */
  readonly localAddress?: string | undefined;
  /** Says where to deliver events, in later turns of the event loop. Called once, before anything else. */
  attach(events: TransportEvents): void;
  /** Writes octets; false where no more should come before `onDrain`. */
  write(octets: Uint8Array): boolean;
  /**
   * Upgrades to TLS (RFC 3207 §4): stops reading plain octets before it returns. Rejects where the
   * handshake or the certificate fails. Resolves to what SASL can bind itself to (RFC 9266), where the runtime
   * has it.
   */
  startTls(): Promise<TlsChannel | undefined | void>;
  /** Ends in order: what was written still leaves. */
  end(): unknown;
  /** Closes at once and releases everything. May be called more than once. */
  destroy(): unknown;
}

/** What a transport is made for. */
export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  /**
   * TLS is wanted before the first octet. A transport may come back without: `startTls()` is called
   * on it then.
   */
  readonly secure: boolean;
  readonly tlsOptions: TlsOptions;
  /** Where the TLS session of one connection is kept for the next one to resume, where the runtime can. */
  readonly resumption?: TlsResumption | undefined;
  readonly localAddress?: string | undefined;
  /** Give up: the transport must then reject or destroy itself. */
  readonly signal: AbortSignal;
}

/** A place for what a later connection to the same server resumes TLS by (RFC 8446 §2.2). Only the transport reads it. */
export interface TlsResumption {
  session?: unknown;
}

/** Options of `node:tls` that matter for a client, by their names there. A transport that cannot honour one refuses it. */
export interface TlsOptions {
  /** Certificates to trust in place of the runtime's own, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The client's own certificate chain and key, in PEM. */
  readonly cert?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly key?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly passphrase?: string;
  /** The name to send as SNI and to check the certificate against; default: the host. */
  readonly servername?: string;
  /** false accepts any certificate: then TLS protects against nobody who can answer in the server's place. Default true. */
  readonly rejectUnauthorized?: boolean;
  /** Default 'TLSv1.2'. */
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  /** Judges the certificate in place of `tls.checkServerIdentity()`: an Error that it returns refuses it. */
  // biome-ignore lint/suspicious/noExplicitAny: as node:tls declares it
  readonly checkServerIdentity?: (hostname: string, certificate: any) => Error | undefined;
}
