/** The steps of a script, as data. What performs them is play-script.ts. */
import type { SaslPlan } from './sasl-server.ts';

/** How the server meets a handshake. 'garbage': with octets that are no TLS; 'stall': never. */
export type TlsSituation =
  | 'good'
  | 'wrong-host'
  | 'expired'
  | 'self-signed'
  | 'unknown-ca'
  | 'no-san'
  | 'old-tls'
  | 'asks-certificate'
  | 'garbage'
  | 'stall';

/**
 * What is said to a command, or done: a reply, whose lines are parted by LF; a step, or several. A reply's first line
 * need not have a code.
 */
export type Turn = string | Step | readonly Step[];

/** A turn for each verb; `dot` is what is said behind the content of DATA, `other` to what has no turn of its own. */
export type Answers = { readonly [verb: string]: Turn };

/** What a server is that answers every command well, but for its `answers`. */
export interface Manners {
  /** EHLO keywords outside TLS, one a line. */
  readonly offers?: readonly string[];
  /** EHLO keywords under TLS; default: those of `offers`. STARTTLS is offered outside TLS where this is given. */
  readonly secure?: readonly string[];
  readonly answers?: Answers;
  /**
   * Replies are held back while there is more to read, and go out in one segment (RFC 2920 §3.2); in several, parted
   * at these octets, where any are given.
   */
  readonly held?: readonly number[];
  /** Final replies under LMTP, one for each RCPT that was accepted; the last stays. Default: all are positive. */
  readonly finals?: readonly string[];
}

/** One step of a script. Times are ms, octets are characters to U+00FF. */
export type Step =
  | { readonly do: 'send'; readonly lines: readonly string[] }
  | { readonly do: 'raw'; readonly octets: string; readonly whole?: boolean }
  | { readonly do: 'slowly'; readonly octets: string; readonly every: number }
  | { readonly do: 'flood'; readonly octets: string; readonly times: number }
  | { readonly do: 'expect'; readonly line: RegExp }
  | {
      readonly do: 'expect-any';
      readonly branches: readonly (readonly [RegExp, Turn])[];
      readonly otherwise?: Turn;
    }
  | { readonly do: 'expect-nothing'; readonly ms: number }
  | { readonly do: 'if-silent'; readonly ms: number; readonly turn: Turn }
  | { readonly do: 'expect-data' }
  | { readonly do: 'expect-bdat' }
  | { readonly do: 'expect-close'; readonly ms: number }
  | { readonly do: 'auth'; readonly plan: SaslPlan }
  | { readonly do: 'starttls'; readonly situation: TlsSituation }
  | { readonly do: 'read-octets'; readonly octets: number }
  | { readonly do: 'discard' }
  | { readonly do: 'pause-reading' }
  | { readonly do: 'resume-reading' }
  | { readonly do: 'read-slowly'; readonly octets: number; readonly every: number }
  | { readonly do: 'delay'; readonly ms: number }
  | { readonly do: 'close'; readonly how: 'end' | 'reset' | 'half' | 'no-close-notify' }
  | { readonly do: 'fail'; readonly why: string }
  | { readonly do: 'drain' }
  | ({ readonly do: 'converse' } & Manners)
  | { readonly do: 'nth'; readonly turns: readonly Turn[] }
  | {
      readonly do: 'match';
      readonly branches: readonly (readonly [RegExp, Turn])[];
      readonly otherwise?: Turn;
    };

/** Lines, each with its CR LF, in one write. */
export const send = (...lines: readonly string[]): Step => ({ do: 'send', lines });
/** Octets as they are. `whole`: in one segment whatever the delivery is. */
export const raw = (octets: string, whole = false): Step => ({ do: 'raw', octets, whole });
/** One octet every so many ms; 0: one for each turn of the event loop. */
export const slowly = (octets: string, every = 0): Step => ({ do: 'slowly', octets, every });
/** The same octets over and over, as fast as they are taken. */
export const flood = (octets: string, times: number): Step => ({ do: 'flood', octets, times });
/** The next line is like this; else the client is at fault and the script ends. */
export const expect = (line: RegExp): Step => ({ do: 'expect', line });
/** The next line is like one of these, and that one's turn follows; `otherwise` for any other. */
export const expectAny = (
  branches: readonly (readonly [RegExp, Turn])[],
  otherwise?: Turn,
): Step => ({ do: 'expect-any', branches, ...(otherwise === undefined ? {} : { otherwise }) });
/** The client says nothing for so long. A window can miss an offence, but invents none. */
export const expectNothing = (ms: number): Step => ({ do: 'expect-nothing', ms });
/** A turn that is taken where the client says nothing for so long; the script goes on at the first octet else. */
export const ifSilent = (ms: number, turn: Turn): Step => ({ do: 'if-silent', ms, turn });
/** Mail data to the final dot. */
export const expectData = (): Step => ({ do: 'expect-data' });
/** BDAT with its octets, until the chunk that is LAST. */
export const expectBdat = (): Step => ({ do: 'expect-bdat' });
/** The client closes its side within so long. */
export const expectClose = (ms: number): Step => ({ do: 'expect-close', ms });
/** The server's side of an authentication whose AUTH line was the last that was read. */
export const auth = (plan: SaslPlan = {}): Step => ({ do: 'auth', plan });
/** A handshake; what was answered to STARTTLS stands in front of it. */
export const starttls = (situation: TlsSituation = 'good'): Step => ({ do: 'starttls', situation });
/** So many octets are read, whatever they are. */
export const readOctets = (octets: number): Step => ({ do: 'read-octets', octets });
/** What was read by now is thrown away. */
export const discard = (): Step => ({ do: 'discard' });
/** Nothing is read until resumeReading(): the window fills. */
export const pauseReading = (): Step => ({ do: 'pause-reading' });
/** Reads again. */
export const resumeReading = (): Step => ({ do: 'resume-reading' });
/** From here on at most so many octets are read every so many ms. */
export const readSlowly = (octets: number, every: number): Step => ({
  do: 'read-slowly',
  octets,
  every,
});
/** Nothing is done for so many ms, or until the client leaves. */
export const delay = (ms: number): Step => ({ do: 'delay', ms });
/** 'half' ends the server's side and reads on; 'no-close-notify' is a TCP FIN under TLS. */
export const close = (how: 'end' | 'reset' | 'half' | 'no-close-notify' = 'end'): Step => ({
  do: 'close',
  how,
});
/** To come here is the client's fault. */
export const fail = (why: string): Step => ({ do: 'fail', why });
/** Whatever comes is read and not answered, until the client leaves. */
export const drain = (): Step => ({ do: 'drain' });
/** Answers commands until QUIT or the client's leaving: well, but for the answers that are given. */
export const converse = (manners: Manners = {}): Step => ({ do: 'converse', ...manners });
/** The first time the first turn, then the second …; the last of them from then on. */
export const nth = (...turns: readonly Turn[]): Step => ({ do: 'nth', turns });
/** By what the command line is like. Without `otherwise` the usual answer is given to others. */
export const match = (branches: readonly (readonly [RegExp, Turn])[], otherwise?: Turn): Step => ({
  do: 'match',
  branches,
  ...(otherwise === undefined ? {} : { otherwise }),
});
/** Nothing at all is done: the command stays without an answer. */
export const silence = (): readonly Step[] => [];
