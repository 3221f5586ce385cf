/**
 * The provider on the desk: two SMTP servers by the smtp-server package that keep the provider's rules and
 * give its refusals. Loopback only, never relays, prints nothing.
 */
import { createCertificateAuthority } from './certificates.ts';
import { type Fault, FaultPlan } from './faults.ts';
import { hooks } from './hooks.ts';
import { Inbox } from './inbox.ts';
import { Listener } from './listener.ts';
import { checkOptions, type SandboxOptions } from './options.ts';

/**
 * A running sandbox.
 *
 * @example
 * ```ts
 * import { type Sandbox, startSandbox } from '@posthorn/conformance';
 *
 * const sandbox: Sandbox = await startSandbox();
 * const { host, smtp, smtps, ca } = sandbox; // what a client has to be told
 * console.log(host, smtp !== smtps, ca.startsWith('-----BEGIN CERTIFICATE-----')); // localhost true true
 * await sandbox.close();
 * ```
 */
export interface Sandbox {
  /** The name in its certificate, 'localhost'. At another `bind` than the default it may lead elsewhere. */
  readonly host: string;
  /** Port of the STARTTLS server. */
  readonly smtp: number;
  /** Port of the server with TLS from the first octet. */
  readonly smtps: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** What it has accepted. */
  readonly inbox: Inbox;
  /** Connections that are open now, those in a TLS handshake counted. */
  readonly connections: number;
  /** Plans faults, behind those that are still due. @throws TypeError for a fault that cannot strike */
  plan(...faults: readonly Fault[]): void;
  /**
   * Closes both servers, at once if nobody is connected. Who is has 500 ms to leave, is then told so by a 421,
   * and cut off 100 ms later. Faults that stall are given up, and waits for a message end with an error. May be
   * called again: ends when the first call does.
   */
  close(): Promise<void>;
  /** As close(). */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the provider's SMTP side on loopback.
 *
 * @param options - default: what the provider's page says and shows, on free ports
 * @throws TypeError for options that make no sense, and where `bind` is not loopback and `unsafeBind` is not set
 * @throws Error EADDRINUSE, EACCES, … where it cannot listen
 *
 * @example
 * ```ts
 * import { startSandbox } from '@posthorn/conformance';
 *
 * const sandbox = await startSandbox();
 * console.log(sandbox.host, sandbox.inbox.messages.length); // localhost 0
 * await sandbox.close();
 * ```
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  checkOptions(options);
  const { bind = '127.0.0.1', smtp = 0, smtps = 0 } = options;
  const plan = new FaultPlan(options.faults ?? []);
  const inbox = new Inbox(options.retention ?? 1_000);
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue();
  const rules = hooks(options, inbox, plan, (session) => {
    for (const listener of [starttls, implicit]) listener.drop(session);
  });
  const starttls = new Listener({ ...certificate, ...rules, secure: false });
  const implicit = new Listener({ ...certificate, ...rules, secure: true });
  let closing: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    plan.end();
    inbox.close();
    closing ??= Promise.all([starttls.close(), implicit.close()]);
    await closing;
  };
  // Both are awaited, so that none begins to listen after all has been closed.
  const [plain, secure] = await Promise.allSettled([
    starttls.listen(smtp, bind),
    implicit.listen(smtps, bind),
  ]);
  try {
    if (plain.status === 'rejected') throw plain.reason;
    if (secure.status === 'rejected') throw secure.reason;
    return {
      host: 'localhost',
      smtp: plain.value,
      smtps: secure.value,
      ca: authority.ca,
      inbox,
      get connections() {
        return starttls.connections + implicit.connections;
      },
      plan: (...faults) => plan.add(...faults),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
