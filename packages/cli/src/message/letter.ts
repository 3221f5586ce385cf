/** A letter: a message with its envelope, however it was made, before it is known which server gets it. */
import type { Capabilities, MailParameters, OutgoingMessage, Recipient } from '@posthorn/core';

export interface Letter {
  /** The envelope: the reverse-path, and the forward-paths. */
  readonly from: string;
  readonly to: readonly string[];
  /** What it has on the wire, in octets: exact. */
  readonly size: number;
  readonly messageId?: string | undefined;
  /** How many addresses its field To has. */
  readonly toCount?: number | undefined;
  /** Its content, and what that asks of a server with these capabilities. May be called again. */
  content(
    capabilities: Pick<Capabilities, 'has'>,
  ): Pick<OutgoingMessage, 'content' | 'size' | 'body' | 'smtpUtf8'>;
  close(): Promise<void>;
}

/** What is asked for beside the content. */
export interface EnvelopeOptions {
  readonly notify?: Recipient['notify'];
  readonly parameters: MailParameters;
}

/** The message for one transaction. */
export function outgoing(
  letter: Letter,
  { notify, parameters }: EnvelopeOptions,
  capabilities: Pick<Capabilities, 'has'>,
): OutgoingMessage {
  const content = letter.content(capabilities);
  const given = Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== undefined && value !== false),
  );
  return {
    ...content,
    ...given,
    from: letter.from,
    to: letter.to.map((address): Recipient => {
      if (notify === undefined) return { address };
      // RFC 3461 §4.2: so that reports name the address as it was written. xtext is ASCII.
      return { address, notify, ...(!/[^ -~]/.test(address) && { orcpt: address }) };
    }),
  };
}

/** A server that offers everything, for what can be known without one. PRDR is nobody's wish. */
export function everything(ignored: readonly string[] = []): Capabilities {
  const absent = ['PRDR', ...ignored.map((keyword) => keyword.toUpperCase())];
  return {
    keywords: new Map(),
    auth: new Set(),
    size: undefined,
    limits: [],
    has: (keyword) => !absent.includes(keyword),
  };
}
