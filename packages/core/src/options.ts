/** The options of `connect()`: types, defaults, units, and what is refused before anything is sent. */
import type { TlsOptions, TlsResumption, Transport, TransportOptions } from './driver/transport.ts';
import type { Phase } from './errors.ts';
import { login } from './sasl/login.ts';
import type { SaslMechanism } from './sasl/mechanism.ts';
import { plain } from './sasl/plain.ts';
import { type Timeouts, WRITE_OCTETS } from './session/limits.ts';
import type { Line } from './session/procedure.ts';
import { unusable } from './wire/command.ts';
import { parsePath } from './wire/path.ts';

/** One thing said on the connection. Secrets are never in it: they stand as `***`. */
export interface TranscriptEvent {
  readonly direction: 'client' | 'server';
  /** A command without its CRLF; a reply, one line for each of its lines; content by DATA as `(1234 octets)`. */
  readonly text: string;
  readonly phase: Phase;
  /** Whether it went under TLS. */
  readonly secure: boolean;
  /** Milliseconds since the connection was begun. */
  readonly at: number;
}

/** A source of time, in ms: `globalThis` is one, and so is what `@sinonjs/fake-timers` makes. */
export interface Clock {
  readonly performance: {
    /** Since any moment that stays the same; it never goes back. */
    now(): number;
  };
  /** @returns what `clearTimeout()` takes */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Does nothing where the timer has run out. */
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own kind of timer
  clearTimeout(timer: any): void;
}

/** How to connect. Durations are in ms. */
export interface ConnectOptions {
  /** The server's name or address. */
  readonly host: string;
  /** Default: 465 for tls 'implicit', 24 for LMTP, else 587. */
  readonly port?: number;
  /**
   * 'implicit': TLS from the first octet (RFC 8314 §3.3). 'starttls': STARTTLS, and an error where it is
   * not to be had. 'opportunistic': STARTTLS where it is offered. 'off': none. Default: 'implicit' on
   * port 465, else 'starttls'.
   */
  readonly tls?: 'implicit' | 'starttls' | 'opportunistic' | 'off';
  /** By the names of node:tls. */
  readonly tlsOptions?: TlsOptions;
  /** User and password, for PLAIN or LOGIN; or mechanisms, of which the strongest that the server offers is used. */
  readonly auth?:
    | { readonly user: string; readonly pass: string }
    | SaslMechanism
    | readonly SaslMechanism[];
  /** Allows mechanisms that expose the secret on a connection without TLS. Default false. */
  readonly allowInsecureAuth?: boolean;
  /** The argument of EHLO: a domain or an address literal. Default: the literal of the local end's address. */
  readonly name?: string;
  /** 'lmtp' speaks to a delivery agent (RFC 2033): one final reply for each recipient. Default 'smtp'. */
  readonly protocol?: 'smtp' | 'lmtp';
  /**
   * How far commands are grouped where the server offers PIPELINING (RFC 2920): 'overlap' (default) also
   * writes the next message's envelope behind the content of the one before; 'envelope' groups within
   * one message; 'off' never groups. 'flight' awaits nothing between messages where the server offers
   * CHUNKING too: it is for relays that one trusts.
   */
  readonly pipelining?: 'flight' | 'overlap' | 'envelope' | 'off';
  /** For 'flight': how many messages, and how many octets of them, may be on their way at once. Also how many are in doubt when the connection is lost. Default 32, and 1,048,576. */
  readonly window?: { readonly transactions?: number; readonly octets?: number };
  /** EHLO keywords to treat as absent. */
  readonly ignoreExtensions?: readonly string[];
  /** Deadlines; each has a default. */
  readonly timeouts?: Partial<Timeouts>;
  /** Gives `connect()` up. */
  readonly signal?: AbortSignal;
  /** The local address to connect from. */
  readonly localAddress?: string;
  /** A connected transport, or what makes one. Default: node:net and node:tls. */
  readonly transport?: Transport | ((options: TransportOptions) => Promise<Transport>);
  /** Where TLS sessions are kept for other connections to resume. The pool shares one between its connections. */
  readonly resumption?: TlsResumption;
  /** Whose time the deadlines go by. Default: the runtime's. */
  readonly clock?: Clock;
  /** Called for each command and each reply. What it throws fails the connection. */
  readonly onTranscript?: (event: TranscriptEvent) => void;
}

type Defaulted = Required<
  Pick<ConnectOptions, 'pipelining' | 'port' | 'tls' | 'tlsOptions' | 'transport'>
>;

/** Options with every default in place. */
export interface ResolvedOptions
  extends Omit<ConnectOptions, keyof Defaulted | 'auth' | 'name' | 'window'>,
    Defaulted {
  /** Whether TLS comes before the first octet. */
  readonly secure: boolean;
  readonly name: string | undefined;
  readonly auth: readonly SaslMechanism[];
  readonly window: Line['window'];
}

/**
 * @param transport - what connects where the options bring nothing of their own
 * @throws TypeError for what cannot be used
 */
export function resolveOptions(
  options: ConnectOptions,
  transport: (options: TransportOptions) => Promise<Transport>,
): ResolvedOptions {
  const { auth = [], name, tls = options.port === 465 ? 'implicit' : 'starttls' } = options;
  const resolved: ResolvedOptions = {
    pipelining: 'overlap',
    port: tls === 'implicit' ? 465 : options.protocol === 'lmtp' ? 24 : 587,
    tlsOptions: {},
    transport,
    ...options,
    tls,
    secure: tls === 'implicit',
    window: { transactions: 32, octets: 16 * WRITE_OCTETS, ...options.window },
    // What may stand behind the `@` of a mailbox is what EHLO takes (RFC 5321 §4.1.1.1).
    name: name === undefined ? name : parsePath(`a@${name}`, 'name').slice(2),
    auth: 'pass' in auth ? [plain(auth), login(auth)] : ([auth].flat() as SaslMechanism[]),
  };
  for (const [what, grammar] of Object.entries({
    host: /./,
    tls: /^(implicit|starttls|opportunistic|off)$/,
    pipelining: /^(flight|overlap|envelope|off)$/,
    protocol: /^([sl]mtp)?$/,
    // A mailbox may have it, and EHLO may not.
    name: /^[^_]*$/,
  }) as ['host', RegExp][])
    if (!grammar.test(resolved[what] ?? '')) throw unusable(resolved[what], what);
  for (const [what, value] of Object.entries({ ...resolved.timeouts, ...resolved.window }))
    if (!(value > 0)) throw unusable(value, what);
  return resolved;
}
