/** What a play is served by, as data. */
import { converse, type Manners, type Step, send, type TlsSituation } from './steps.ts';

/** Scripts on raw sockets, one for each connection; the last one also for those behind it. */
export interface ScriptedPlan {
  readonly engine: 'scripted';
  /** TLS from the first octet. */
  readonly implicit?: TlsSituation;
  readonly scripts: readonly (readonly Step[])[];
}

/** The smtp-server package, and which of its answers differ. */
export interface HonestPlan {
  readonly engine: 'smtp-server';
  /** Default 'off': no STARTTLS is offered. */
  readonly tls?: 'off' | 'starttls' | 'implicit';
  readonly situation?: Extract<
    TlsSituation,
    | 'good'
    | 'wrong-host'
    | 'expired'
    | 'self-signed'
    | 'unknown-ca'
    | 'no-san'
    | 'old-tls'
    | 'asks-certificate'
  >;
  readonly lmtp?: boolean;
  /** What is offered beside 8BITMIME. Default: PIPELINING and SMTPUTF8. */
  readonly extensions?: readonly (
    | 'PIPELINING'
    | 'SMTPUTF8'
    | 'DSN'
    | 'REQUIRETLS'
    /** Each reply then has an enhanced status code of the server's own: 550 has 5.1.1, 554 has 5.6.0. */
    | 'ENHANCEDSTATUSCODES'
  )[];
  /** 8BITMIME is not offered. */
  readonly no8BitMime?: boolean;
  /** SIZE with a value; 'bare' without; absent: it is not offered. */
  readonly size?: number | 'bare';
  /** Mechanisms; absent: AUTH is not offered. */
  readonly auth?: readonly ('PLAIN' | 'LOGIN' | 'CRAM-MD5' | 'XOAUTH2')[];
  /** A command for mail needs no login although AUTH is offered. Default true. */
  readonly authOptional?: boolean;
  /** Before the greeting, in ms. */
  readonly greetingDelay?: number;
  /** Before the reply to the final dot, in ms. */
  readonly dotDelay?: number;
  /**
   * Replies in place of its own, each a code with a text on one line; one for each time, of which the last stays. An
   * absent or empty one is its own. `dot` may have one for each recipient under LMTP.
   */
  readonly answers?: {
    readonly greeting?: string;
    readonly auth?: readonly string[];
    readonly mail?: readonly string[];
    readonly rcpt?: readonly string[];
    readonly dot?: readonly (string | readonly string[])[];
  };
}

/** No server: the port is closed. */
export interface ClosedPlan {
  readonly engine: 'none';
}

/** A server of one of three kinds. */
export type ServerPlan = ScriptedPlan | HonestPlan | ClosedPlan;

/** Scripts, one for each connection. */
export const scripts = (...each: readonly (readonly Step[])[]): ScriptedPlan => ({
  engine: 'scripted',
  scripts: each,
});

/** One script for every connection. */
export const script = (...steps: readonly Step[]): ScriptedPlan => scripts(steps);

/** A scripted server that is good but for its answers. */
export const good = (manners: Manners = {}): ScriptedPlan =>
  script(send('220 mail.example.com ESMTP'), converse(manners));

/** The same with TLS from the first octet. */
export const implicit = (plan: ScriptedPlan, situation: TlsSituation = 'good'): ScriptedPlan => ({
  ...plan,
  implicit: situation,
});

/** The smtp-server package. */
export const honest = (plan: Omit<HonestPlan, 'engine'> = {}): HonestPlan => ({
  engine: 'smtp-server',
  ...plan,
});

export const NO_SERVER: ClosedPlan = { engine: 'none' };
