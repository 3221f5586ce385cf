/** What the pages and the REST interface show and change. */
import type { Callbacks } from '../callbacks.ts';
import type { FaultPlan } from '../faults.ts';
import type { Platform } from '../platform/platform.ts';
import type { Settings } from '../settings.ts';

export interface Site {
  readonly platform: Platform;
  readonly settings: Settings;
  readonly plan: FaultPlan;
  readonly callbacks: Callbacks;
  /** The name in the certificate. */
  readonly host: string;
  /** Port of the STARTTLS server, and of that with TLS from the first octet. */
  readonly smtp: number;
  readonly smtps: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** Where the pages are, without a slash behind it. */
  readonly url: string;
  /** Connections of SMTP that are open now. */
  readonly connections: number;
  /** Whether it admits clients that speak TLS 1.0. */
  readonly legacyTls: boolean;
  /** Whether its state and its authority are kept in a folder. */
  readonly lasting: boolean;
  /** Whether others than this machine can reach it. */
  readonly exposed: boolean;
  /** As at the start. */
  reset(): Promise<void>;
}
