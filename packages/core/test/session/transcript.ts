/**
 * Dialogues as text, played against a session without a socket (as RFC 5321 Appendix D prints them).
 *
 *   S: a line of the server            C: a line of the client
 *   S: <close>  the server closes      C: <close>, C: <abort>  the session asks to close
 *   T: <TLS>    the session asks for TLS, and gets it
 *
 * Consecutive `S:` lines come in one chunk, or cut further; consecutive `C:` lines are one write.
 */
import { type AuthenticateOptions, authenticate } from '../../src/authenticate/index.ts';
import type { SaslMechanism } from '../../src/sasl/index.ts';
import {
  type Action,
  createSession,
  envelope,
  isSmtpError,
  type Line,
  type OpenOptions,
  type OutgoingMessage,
  open,
  type Procedure,
  type ProcedureName,
  quit,
  type SendOptions,
  type Session,
  type SmtpError,
  type TransactionResult,
  transaction,
} from '../../src/session/index.ts';
import { binary, type Cut, octetsOf } from '../wire/cuts.ts';

/** One side's part until the other's begins. */
export interface Turn {
  readonly side: 'C' | 'S' | 'T';
  /** Without the line ends. */
  readonly lines: readonly string[];
}

/** Reads a transcript. @throws Error for a line that is none */
export function parseTranscript(text: string): Turn[] {
  const turns: { side: Turn['side']; lines: string[] }[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trimStart();
    if (line === '') continue;
    const [, side, rest] = /^([CST]):(?: (.*))?$/.exec(line) ?? [];
    if (side === undefined) throw new Error(`this is no line of a transcript: ${line}`);
    const said = rest ?? '';
    const last = turns.at(-1);
    if (last?.side === side && !said.startsWith('<') && !last.lines[0]?.startsWith('<')) {
      last.lines.push(said);
    } else turns.push({ side: side as Turn['side'], lines: [said] });
  }
  return turns;
}

/** What is sent when the session is open. */
export interface Sending {
  readonly message: OutgoingMessage;
  readonly options?: SendOptions;
}

/** A transcript with what the client was asked. */
export interface Scene {
  readonly text: string;
  readonly open?: Partial<
    OpenOptions & { readonly mechanisms: readonly SaslMechanism[] } & Pick<
        AuthenticateOptions,
        'allowInsecureAuth'
      >
  >;
  /** The password. */
  readonly secret?: string;
  /** Sent at once when the session is open. */
  readonly messages?: readonly Sending[];
  /** Sent one after the other: each when the one before has settled. */
  readonly oneByOne?: boolean;
  /** QUIT behind the messages. */
  readonly quit?: boolean;
}

/** What became of one task. */
export interface Outcome {
  readonly name: string;
  readonly error: unknown;
  readonly value: unknown;
}

/** What was played. */
export interface Played {
  readonly outcomes: readonly Outcome[];
  /** The octets of each write, for each turn of the client. */
  readonly bursts: readonly (readonly string[])[];
  readonly closes: readonly boolean[];
  /** What the listener was told: `C: …` and `S: …`. */
  readonly heard: readonly string[];
  readonly session: Session;
}

export const OPEN: OpenOptions = {
  connect: () => ({ secure: false }),
  name: 'client.example',
  tls: 'off',
  pipelining: 'overlap',
  protocol: 'smtp',
  window: { transactions: 32, octets: 1_048_576 },
  ignoreExtensions: [],
};

/** Plays a scene. @throws Error where the client did not say what the transcript says */
export function play(scene: Scene, cut: Cut): Played {
  const heard: string[] = [];
  const session = createSession((direction, text) => {
    for (const line of text.split('\n'))
      heard.push(`${direction === 'client' ? 'C' : 'S'}: ${line}`);
  });
  if (scene.secret) session.secrets.push(scene.secret);
  const outcomes: Outcome[] = [];
  const bursts: string[][] = [];
  const closes: boolean[] = [];
  let burst: string[] = [];
  let said = '';
  let handshake: Extract<Action, { type: 'start-tls' }> | undefined;

  const run = <T>(
    name: ProcedureName | 'open',
    procedure: Procedure<T>,
    then: (error: unknown) => void = () => {},
  ): void => {
    let settled = 0;
    session.start(name, procedure, (error, value) => {
      settled += 1;
      if (settled > 1) throw new Error(`${name} settled twice`);
      outcomes.push({ name, error, value });
      then(error);
    });
  };
  const sendAll = (rest: readonly Sending[]): void => {
    const [first, ...others] = rest;
    if (first === undefined) {
      if (scene.quit) run('quit', quit(session));
      return;
    }
    const { message, options = {} } = first;
    const next = (): void => sendAll(others);
    let procedure: Procedure<TransactionResult>;
    try {
      procedure = transaction(session, envelope(message, session.capabilities, options), options);
    } catch (error) {
      outcomes.push({ name: 'envelope', error, value: undefined });
      next();
      return;
    }
    run('transaction', procedure, scene.oneByOne ? next : undefined);
    if (!scene.oneByOne) next();
  };
  const pump = (): void => {
    for (let action = session.poll(); action; action = session.poll()) {
      if (closes.length > 0) throw new Error(`${action.type} behind close`);
      if (action.type === 'write') {
        burst.push(binary(action.octets));
        said += burst.at(-1);
      } else if (action.type === 'close') closes.push(action.abrupt);
      else if (action.type === 'start-tls') handshake = action;
      else {
        let value: unknown;
        try {
          value = action.ask();
        } catch (error) {
          session.refuse(action, error);
          continue;
        }
        session.answer(action, value);
      }
    }
  };
  const expectSilence = (): void => {
    if (said !== '') throw new Error(`the client said ${JSON.stringify(said)}, unexpected`);
  };

  const { mechanisms: auth = [], allowInsecureAuth, ...options } = scene.open ?? {};
  const authenticating = auth[0] && {
    authenticate: (line: Line) => authenticate(line, { auth, allowInsecureAuth }),
  };
  run('open', open(session, { ...OPEN, ...options, ...authenticating }), (error) => {
    if (error === undefined) sendAll(scene.messages ?? []);
  });
  pump();
  for (const { side, lines } of parseTranscript(scene.text)) {
    const [only = ''] = lines;
    if (side === 'T') {
      expectSilence();
      if (!handshake) throw new Error('the client does not ask for TLS');
      session.answer(handshake, undefined);
      handshake = undefined;
      pump();
    } else if (side === 'S') {
      expectSilence();
      burst = [];
      if (only === '<close>') session.end();
      else {
        for (const chunk of cut(octetsOf(lines.map((line) => `${line}\r\n`).join('')))) {
          session.receive(chunk);
          pump();
        }
      }
      pump();
    } else if (only === '<close>' || only === '<abort>') {
      const wanted = only === '<abort>';
      if (closes[0] !== wanted) throw new Error(`${only} was to come, and there came ${closes}`);
    } else {
      const wanted = binary(octetsOf(lines.map((line) => `${line}\r\n`).join('')));
      if (said !== wanted) {
        throw new Error(
          `the client said ${JSON.stringify(said)} instead of ${JSON.stringify(wanted)}`,
        );
      }
      bursts.push(burst);
      burst = [];
      said = '';
    }
  }
  expectSilence();
  return { outcomes, bursts, closes, heard, session };
}

/** An outcome in one line: `open: ok`, `transaction: 250 for b@x, refused c@x 550, in 2`, `transaction: ERR_SMTP_REPLY at mail, rejected, never`. */
export function describeOutcome({ name, error, value }: Outcome): string {
  if (error === undefined) {
    if (name !== 'transaction') return `${name}: ok`;
    const { reply, accepted, rejected, roundTrips } = value as TransactionResult;
    const refused = rejected.map((one) => `, refused ${one.address} ${one.reply.code}`).join('');
    return `${name}: ${reply.code} for ${accepted.join(' ')}${refused}, in ${roundTrips}`;
  }
  if (!isSmtpError(error)) return `${name}: ${String(error)}`;
  const { code, phase, delivery, retry, reply } = error as SmtpError;
  return `${name}: ${code}${reply ? ` ${reply.code}` : ''} at ${phase}, ${delivery}, ${retry}`;
}
