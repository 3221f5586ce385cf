/** The scenarios, in the order of the table. */
import { content } from './scenarios/content.mjs';
import { envelope } from './scenarios/envelope.mjs';
import { extensions } from './scenarios/extensions.mjs';
import { flow } from './scenarios/flow.mjs';
import { messages } from './scenarios/messages.mjs';
import { signIn } from './scenarios/sign-in.mjs';
import { tls } from './scenarios/tls.mjs';

export const scenarios = [
  ...tls,
  ...signIn,
  ...content,
  ...envelope,
  ...extensions,
  ...flow,
  ...messages,
];
