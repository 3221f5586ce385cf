/** The names of features, as the command line takes them. */
import { UsageError } from '../runner/select.ts';
import type { Feature } from '../task.ts';

const FEATURES: Readonly<Record<Feature, true>> = {
  abort: true,
  'auth-cram-md5': true,
  'auth-external': true,
  'auth-login': true,
  'auth-oauthbearer': true,
  'auth-plain': true,
  'auth-scram': true,
  'auth-scram-plus': true,
  'auth-xoauth2': true,
  binarymime: true,
  chunking: true,
  'client-name': true,
  compose: true,
  dsn: true,
  'implicit-tls': true,
  limits: true,
  lmtp: true,
  'null-sender': true,
  'opportunistic-tls': true,
  pipelining: true,
  pool: true,
  preflight: true,
  provider: true,
  requiretls: true,
  reuse: true,
  size: true,
  smtputf8: true,
  starttls: true,
  streams: true,
  timeouts: true,
};

/** @throws UsageError for a name that there is not */
export function knownFeature(name: string): Feature {
  if (Object.hasOwn(FEATURES, name)) return name as Feature;
  throw new UsageError(
    `there is no feature ${JSON.stringify(name)}: there are ${Object.keys(FEATURES).join(', ')}`,
  );
}
