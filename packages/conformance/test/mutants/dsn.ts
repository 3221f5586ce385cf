/** Mutants for DSN. */
import { type Mutant, mutant, rewired, withTask, writing } from './mutant.ts';
import { anyParameter, smuggling } from './smuggling.ts';

/** Offers DSN where it is not offered, and lets core write what it is asked. */
const imagining = (only: RegExp) =>
  rewired((line) => ({
    incoming: (text) =>
      line.deliver(text.replace(/^250[- ]mail\.example\.com.*\r\n/m, '$&250-DSN\r\n')),
    outgoing: (text) =>
      line.write(
        text.replace(/ (RET|ENVID|NOTIFY|ORCPT)=\S+/g, (parameter) =>
          only.test(parameter) ? parameter : '',
        ),
      ),
  }));

/** Core is asked for NEVER alone. */
const NEVER = withTask(({ messages }) => ({
  messages: messages.map((message) => ({
    ...message,
    to: message.to.map((recipient) =>
      typeof recipient === 'string' ? recipient : { ...recipient, notify: ['never' as const] },
    ),
  })),
}));

export const DSN: readonly Mutant[] = [
  ...(['RET', 'ENVID', 'NOTIFY', 'ORCPT'] as const).map((name) =>
    mutant(
      `says-${name.toLowerCase()}-unasked`,
      `says ${name} where DSN is not offered`,
      imagining(new RegExp(name)),
      ['DSN-01'],
    ),
  ),
  mutant(
    'puts-others-behind-never',
    'says NOTIFY as it is told',
    { ...NEVER, ...writing(/NOTIFY=NEVER/, 'NOTIFY=NEVER,SUCCESS') },
    ['DSN-03'],
  ),
  mutant(
    'puts-never-behind-others',
    'says NOTIFY as it is told, in another order',
    { ...NEVER, ...writing(/NOTIFY=NEVER/, 'NOTIFY=FAILURE,NEVER') },
    ['DSN-03'],
  ),
  mutant('asks-for-less', 'says NEVER alone where there are others too', NEVER, [], ['DSN-03']),
  mutant(
    'cuts-long-parameters',
    'cuts ENVID and ORCPT to what fits',
    smuggling(anyParameter, (text) => text.slice(0, 90)),
    ['DSN-04'],
  ),
  mutant(
    'takes-line-breaks-out-of-envid',
    'writes ENVID with what is left between them',
    smuggling(anyParameter, (text) => text.replace(/[\r\n\0]/g, '')),
    ['DSN-05'],
  ),
];
