/** The user of all scripted servers: no secret, since it is in every transcript. */
import type { Credentials } from './sasl-server.ts';

export const CREDENTIALS: Credentials = {
  user: 'tester@example.com',
  pass: 'correct horse battery',
  token: 'ya29.token-of-the-tester',
};
