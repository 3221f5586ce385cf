/** AUTH for a session of one's own: who needs none does not carry it. */
export { type AuthenticateOptions, authenticate } from '../session/authenticate.ts';
