/** The table of mutants, and what fails them. */

import { AUTH } from './auth.ts';
import { CHUNKING } from './chunking.ts';
import { DATA } from './data.ts';
import { DISCONNECTS } from './disconnects.ts';
import { DSN } from './dsn.ts';
import { EHLO } from './ehlo.ts';
import { ENVELOPE } from './envelope.ts';
import { ERRORS } from './errors.ts';
import { GREETING } from './greeting.ts';
import { LIMITS } from './limits.ts';
import { LMTP } from './lmtp.ts';
import type { Mutant } from './mutant.ts';
import { PIPELINING } from './pipelining.ts';
import { POOL } from './pool.ts';
import { PROVIDER } from './provider.ts';
import { REPLIES } from './replies.ts';
import { SIZE } from './size.ts';
import { SMTPUTF8 } from './smtputf8.ts';
import { TLS } from './tls.ts';

export const MUTANTS: readonly Mutant[] = [
  ...GREETING,
  ...EHLO,
  ...REPLIES,
  ...TLS,
  ...AUTH,
  ...ENVELOPE,
  ...PIPELINING,
  ...DATA,
  ...CHUNKING,
  ...SIZE,
  ...SMTPUTF8,
  ...DSN,
  ...LMTP,
  ...ERRORS,
  ...PROVIDER,
  ...DISCONNECTS,
  ...LIMITS,
  ...POOL,
];
