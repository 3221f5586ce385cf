export { login } from './login.ts';
export type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts';
export { plain } from './plain.ts';
