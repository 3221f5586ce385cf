/** SASL mechanisms (RFC 4422): each makes a value for `auth`. */
export type { BearerToken } from './bearer.ts';
export { cramMd5 } from './cram-md5.ts';
export { external } from './external.ts';
export { login } from './login.ts';
export type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts';
export { oauthBearer } from './oauthbearer.ts';
export { plain } from './plain.ts';
export { type ScramCredentials, scramSha1, scramSha256, scramSha512 } from './scram.ts';
export { xoauth2 } from './xoauth2.ts';
