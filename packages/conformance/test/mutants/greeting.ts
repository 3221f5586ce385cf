/** Mutants for GRE. */
import { type Mutant, mutant, reading, rewired, withOptions, withOutcome } from './mutant.ts';

export const GREETING: readonly Mutant[] = [
  mutant(
    'speaks-before-the-greeting',
    'waits for no greeting',
    rewired((line) => {
      let greeted = false;
      return {
        connected: () => line.deliver('220 imagined\r\n'),
        incoming: (text) => {
          // The real greeting is swallowed.
          const rest = greeted ? text : text.replace(/^(220-[^\n]*\n)*220 [^\n]*\n/, '');
          greeted = true;
          if (rest) line.deliver(rest);
        },
      };
    }),
    ['GRE-01', 'GRE-02', 'GRE-06'],
  ),
  mutant(
    'greets-anything',
    'takes any greeting for 220',
    reading(/^554 No SMTP service here/, '220 welcome'),
    ['GRE-03'],
  ),
  mutant(
    'waits-for-ever',
    'has no limits',
    withOptions(() => ({ timeouts: {} })),
    ['GRE-07'],
  ),
  mutant(
    'says-554-is-temporary',
    'tells 4yz and 5yz apart by nothing',
    withOutcome(() => ({ temporary: true })),
    ['GRE-03'],
  ),
];
