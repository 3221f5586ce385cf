/** One letter to one server: what can be refused without it is refused first, then it is sent, and the connection is closed. */
import {
  type ConnectOptions,
  connect,
  isSmtpError,
  type Receipt,
  type SmtpClient,
} from '@posthorn/core';
import { check, type DevinoProblem } from '@posthorn/core/devino';
import { envelope } from '@posthorn/core/session';
import { MimeError } from '@posthorn/mime';
import { because, CliError } from './cli-error.ts';
import { type EnvelopeOptions, everything, type Letter, outgoing } from './message/letter.ts';
import { type Part, structureOf } from './message/structure.ts';
import type { Settings } from './settings/settings.ts';

/** What the commands of a transaction would be, where a server offers everything. */
export interface Plan {
  readonly commands: readonly string[];
  readonly size: number;
}

/**
 * Looks at a letter without a server.
 *
 * @throws CliError EX_DATAERR for addresses and parameters that no server could be asked
 */
export function planOf(letter: Letter, options: EnvelopeOptions, settings: Settings): Plan {
  const offered = everything(settings.ignoreExtension);
  if (letter.size > (settings.maxSize ?? Number.POSITIVE_INFINITY))
    throw new CliError(
      'DATAERR',
      `The message has ${letter.size} octets, ${letter.size - (settings.maxSize ?? 0)} more than maxSize allows`,
    );
  const { commands, size } = refusing('DATAERR', () =>
    envelope(outgoing(letter, options, offered), offered, {
      onUnsupported: settings.onUnsupported ?? 'error',
    }),
  );
  return { commands: commands.map(({ line }) => line.trimEnd()), size: size ?? letter.size };
}

/** What core refuses as the caller's fault is the user's here. */
function refusing<T>(exit: 'DATAERR' | 'CONFIG', act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asFault(exit, error);
  }
}

function asFault(exit: 'DATAERR' | 'CONFIG', error: unknown): unknown {
  return error instanceof TypeError && !(error instanceof MimeError) && !isSmtpError(error)
    ? new CliError(exit, because(error))
    : error;
}

/** The parts of a letter, and what a provider's rules say of it. */
export async function inspect(
  letter: Letter,
  settings: Settings,
): Promise<{ readonly parts: readonly Part[]; readonly problems: readonly DevinoProblem[] }> {
  const { content } = letter.content(everything(settings.ignoreExtension));
  const parts = await structureOf(
    content instanceof Uint8Array ? one(content) : (content as AsyncIterable<Uint8Array>),
  );
  if (settings.profile !== 'devino') return { parts, problems: [] };
  const problems = check(
    {
      from: letter.from,
      to: letter.to,
      size: letter.size,
      attachments: parts.filter(({ isAttachment }) => isAttachment),
      textParts: parts.flatMap(({ text }) => (text === undefined ? [] : [text])),
      toCount: letter.toCount,
    },
    {
      tags: settings.tags,
      confirmedSenders: settings.confirmedSender,
      maxSize: settings.maxSize,
    },
  );
  return { parts, problems };
}

async function* one(octets: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield octets;
}

/** What a transmission is watched and ended by. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly onTranscript?: ConnectOptions['onTranscript'];
  readonly onProgress?: (octets: number, size: number | undefined) => void;
  /** Told before the connection is closed: nothing that goes wrong then changes it. */
  readonly onReceipt?: (receipt: Receipt) => Promise<void>;
}

/** @throws CliError EX_CONFIG for options that cannot be used; SmtpError */
export async function login(connection: ConnectOptions, watch: Watch): Promise<SmtpClient> {
  try {
    return await connect({
      ...connection,
      signal: watch.signal,
      ...(watch.onTranscript && { onTranscript: watch.onTranscript }),
    });
  } catch (error) {
    throw asFault('CONFIG', error);
  }
}

/**
 * @returns what became of it
 * @throws SmtpError with `delivery`
 */
export async function transmit(
  letter: Letter,
  options: EnvelopeOptions,
  settings: Settings,
  connection: ConnectOptions,
  watch: Watch,
): Promise<Receipt> {
  const client = await login(connection, watch);
  try {
    const receipt = await client.send(outgoing(letter, options, client.capabilities), {
      signal: watch.signal,
      // One exit code speaks for all recipients: so all get it, or none does.
      partial: settings.partial ?? 'abort',
      onUnsupported: settings.onUnsupported ?? 'error',
      ...(watch.onProgress && { onProgress: watch.onProgress }),
    });
    // The message is accepted, whatever becomes of the line that says so.
    await watch.onReceipt?.(receipt).catch(() => {});
    // Whoever does not want to wait for QUIT need not, and nothing changes by it.
    const leave = (): void => client.destroy();
    if (watch.signal.aborted) leave();
    watch.signal.addEventListener('abort', leave, { once: true });
    await client.close();
    watch.signal.removeEventListener('abort', leave);
    return receipt;
  } catch (error) {
    // A server that still owes an answer is not waited for.
    const isOwed =
      isSmtpError(error) &&
      (error.delivery === 'unknown' || /_(ABORTED|TIMEOUT)$/.test(error.code));
    if (isOwed) client.destroy();
    else await client.close();
    throw asFault('DATAERR', error);
  }
}
