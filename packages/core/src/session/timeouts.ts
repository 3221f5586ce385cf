import { DEADLINES, FIVE_MINUTES, MINIMUM_RATE, type Timeouts } from './limits.ts';

/** Every default of {@link Timeouts}, for who drives a session. */
export const TIMEOUTS: Timeouts = {
  greeting: FIVE_MINUTES,
  ehlo: FIVE_MINUTES,
  idle: FIVE_MINUTES,
  mail: FIVE_MINUTES,
  rcpt: FIVE_MINUTES,
  minimumRate: MINIMUM_RATE,
  ...DEADLINES,
};
