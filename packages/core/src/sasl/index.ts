export { login } from './login.ts';
export type { SaslExchange, SaslMechanism } from './mechanism.ts';
export { plain } from './plain.ts';
