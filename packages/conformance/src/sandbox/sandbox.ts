/**
 * The provider on the desk: two SMTP servers by the smtp-server package that keep the provider's rules and give its
 * refusals, and its pages beside them. Loopback only, never relays, prints nothing.
 */
import { authorityIn } from './authority-file.ts';
import { type CallbackDelivery, Callbacks } from './callbacks.ts';
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';
import { type DueFault, type Fault, FaultPlan } from './faults.ts';
import { hooks } from './hooks.ts';
import { createApp } from './http/app.ts';
import { type Serving, serveApp } from './http/serve.ts';
import type { Site } from './http/site.ts';
import type { Inbox } from './inbox.ts';
import { Listener, type ListenerOptions } from './listener.ts';
import { checkOptions, isLoopback, type SandboxOptions } from './options.ts';
import type { Clock } from './platform/clock.ts';
import { DiskJournal } from './platform/disk-journal.ts';
import type { EventType, MessageEvent } from './platform/events.ts';
import { FORGETFUL, type Journal } from './platform/journal.ts';
import {
  type ConfirmedSender,
  type EventDetails,
  Platform,
  type Refused,
  type Trouble,
} from './platform/platform.ts';
import {
  type StatisticsFilter,
  type StatisticsRow,
  statisticsRows,
} from './platform/statistics.ts';
import type { Addresses, HardBounced, Unsubscribed } from './platform/suppressions.ts';
import { type ChangeableOptions, Settings } from './settings.ts';

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
  /** Port of its pages; undefined with `http: false`. */
  readonly http: number | undefined;
  /** Where its pages are: `http://localhost:<port>`, without a slash behind it. With `http: false` it leads nowhere. */
  readonly url: string;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** What it has accepted. */
  readonly inbox: Inbox;
  /** What it has refused, the latest first: the last 500. */
  readonly refused: readonly Refused[];
  /** What went wrong beside that, the latest first: TLS that failed, commands that cannot be, faults. The last 200. */
  readonly troubles: readonly Trouble[];
  /** What has happened to messages, the first first: the last 10,000. */
  readonly events: readonly MessageEvent[];
  /** Of whom events are told, what was told and what they answered, the latest first. */
  readonly callbacks: readonly CallbackDelivery[];
  /** Who unsubscribed, and who bounced hard: nothing is sent to them. */
  readonly unsubscribed: Addresses<Unsubscribed>;
  readonly hardBounced: Addresses<HardBounced>;
  /** Confirmed senders: addresses, or `@domain` for all of a domain. */
  readonly senders: Addresses<ConfirmedSender>;
  /** Dates messages, events and rate buckets. Setting it makes nothing happen. */
  readonly clock: Clock;
  /** Connections that are open now, those in a TLS handshake counted. */
  readonly connections: number;
  /** Faults that are still due, in order. */
  readonly faults: readonly DueFault[];
  /** Plans faults, behind those that are still due. @throws TypeError for a fault that cannot strike */
  plan(...faults: readonly Fault[]): void;
  /** Changes the rules' settings; undefined is as at the start. @throws TypeError where that makes no sense */
  change(settings: ChangeableOptions): void;
  /**
   * Lets something happen to a message: its state, the statistics, the lists and callbacks follow.
   *
   * @returns the event; undefined where the message is not kept any more
   */
  record(messageId: string, type: EventType, details?: EventDetails): MessageEvent | undefined;
  /** The table of the account page. Default: of all messages. */
  statistics(filter?: StatisticsFilter): readonly StatisticsRow[];
  /** As at the start: no messages, no lists, no counts, no faults, and the options' settings. */
  reset(): Promise<void>;
  /**
   * Closes its servers, at once if nobody is connected. Who is has 500 ms to leave, is then told so by a 421,
   * and cut off 100 ms later. Faults that stall are given up, and waits for a message end with an error. May be
   * called again: ends when the first call does.
   */
  close(): Promise<void>;
  /** As close(). */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the provider on loopback.
 *
 * @param options - default: what the provider's page says and shows, on free ports
 * @throws TypeError for options that make no sense, and where `bind` is not loopback and `unsafeBind` is not set
 * @throws Error EADDRINUSE, EACCES, … where it cannot listen, and where it cannot use the folder `data`
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
  const { data } = options;
  if (data === undefined) return start(options, FORGETFUL, await createCertificateAuthority());
  const journal = await DiskJournal.open(data);
  try {
    return await start(options, journal, await authorityIn(data));
  } catch (error) {
    // Nobody else could use the folder while it is open.
    await journal.close().catch(() => {});
    throw error;
  }
}

async function start(
  options: SandboxOptions,
  journal: Journal,
  authority: CertificateAuthority,
): Promise<Sandbox> {
  const { bind = '127.0.0.1', smtp = 0, smtps = 0, http = 0, confirmedSenders } = options;
  const platform = new Platform(
    {
      retention: options.retention ?? 1_000,
      retentionOctets: options.retentionOctets ?? 268_435_456,
      seed: options.seed,
      magic: options.magic ?? true,
      deliver: options.deliver ?? 'auto',
      countRefused: options.countRefused ?? true,
      confirmedSenders:
        confirmedSenders === 'any' ? [] : (confirmedSenders ?? ['noreplay@devinotele.com']),
      isDefault: confirmedSenders === undefined,
    },
    journal,
  );
  const { inbox } = platform;
  const settings = new Settings(options, platform.senders);
  const plan = new FaultPlan(options.faults ?? [], () => platform.clock.now());
  const certificate = await authority.issue();
  const callbacks = new Callbacks(platform, options.callback);
  platform.resume();
  const { rules, malformed } = hooks(options, {
    settings,
    platform,
    plan,
    lineOf: (session) => starttls.lineOf(session) ?? implicit.lineOf(session),
  });
  const beside: ListenerOptions = {
    plan,
    tell: (trouble) => platform.trouble(trouble),
    malformed,
    size: options.announceSize ? () => settings.rules.profile.maxSize : undefined,
  };
  const starttls = new Listener({ ...certificate, ...rules, secure: false }, beside);
  const implicit = new Listener({ ...certificate, ...rules, secure: true }, beside);
  const reset = async (): Promise<void> => {
    plan.clear();
    settings.reset();
    callbacks.reset();
    await platform.reset();
  };
  const at = {
    smtp: 0,
    smtps: 0,
    url: options.publicUrl?.replace(/\/+$/, '') ?? 'http://localhost',
  };
  const site: Site = {
    platform,
    settings,
    plan,
    callbacks,
    host: 'localhost',
    get smtp() {
      return at.smtp;
    },
    get smtps() {
      return at.smtps;
    },
    get url() {
      return at.url;
    },
    get connections() {
      return starttls.connections + implicit.connections;
    },
    ca: authority.ca,
    legacyTls: options.legacyTls ?? false,
    lasting: options.data !== undefined,
    exposed: !isLoopback(bind),
    reset,
  };
  let pages: Serving | undefined;
  let closing: Promise<unknown> | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all([starttls.close(), implicit.close(), pages?.close(), callbacks.close()]);
    await journal.close();
  };
  const close = async (): Promise<void> => {
    plan.end();
    inbox.close();
    closing ??= closeAll();
    await closing;
  };
  // All are awaited, so that none begins to listen after all has been closed.
  const [plain, secure, web] = await Promise.allSettled([
    starttls.listen(smtp, bind),
    implicit.listen(smtps, bind),
    http === false ? undefined : serveApp(createApp(site), http, bind),
  ]);
  try {
    if (web.status === 'fulfilled') pages = web.value;
    if (plain.status === 'rejected') throw plain.reason;
    if (secure.status === 'rejected') throw secure.reason;
    if (web.status === 'rejected') throw web.reason;
    at.smtp = plain.value;
    at.smtps = secure.value;
    if (pages && options.publicUrl === undefined) at.url = `http://localhost:${pages.port}`;
    return {
      host: 'localhost',
      smtp: plain.value,
      smtps: secure.value,
      http: pages?.port,
      url: at.url,
      ca: authority.ca,
      inbox,
      get refused() {
        return platform.refused;
      },
      get troubles() {
        return platform.troubles;
      },
      get events() {
        return platform.events;
      },
      unsubscribed: platform.unsubscribed,
      hardBounced: platform.hardBounced,
      senders: platform.senders,
      clock: platform.clock,
      get callbacks() {
        return callbacks.log;
      },
      get connections() {
        return site.connections;
      },
      get faults() {
        return plan.due;
      },
      plan: (...faults) => plan.add(...faults),
      change: (changes) => settings.change(changes),
      record: (messageId, type, details) => platform.happen(messageId, type, details),
      statistics: (filter) => statisticsRows(platform.statistics.counts(filter)),
      reset,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
