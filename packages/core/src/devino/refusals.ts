/** The six documented refusals of the provider, as data: what `explain` looks for, and the profile holds. */

/** Which documented refusal a reply is; each is told by the text that `devino.refusals` has for it. */
export type DevinoReason =
  | 'not-authenticated'
  | 'server-error'
  | 'attachment-type'
  | 'too-large'
  | 'invalid-recipient'
  | 'sender-not-confirmed';

/** What to do, in words of `SmtpError.retry`: change something first, send it later, or give it up. */
export type DevinoRetry = 'fix-first' | 'later' | 'never';

/** One of the documented refusals. Text and reason are documented; what to do is ours. */
export interface DevinoRefusal {
  /** What `explain` calls it. */
  readonly reason: DevinoReason;
  /** The text, verbatim, up to the value that some end in: behind a colon an address, behind "type" the extension of a file. */
  readonly text: string;
  /** What to do. */
  readonly retry: DevinoRetry;
}

/** The refusals in the order of the page. `explain` makes patterns of the texts: none has what means something in one. */
export const REFUSALS: readonly DevinoRefusal[] = [
  {
    reason: 'not-authenticated',
    text: 'Must authenticate before sending mail',
    retry: 'fix-first',
  },
  { reason: 'server-error', text: 'Internal server error', retry: 'later' },
  // The page spells it so.
  {
    reason: 'attachment-type',
    text: 'Not allowed attachement type',
    retry: 'fix-first',
  },
  { reason: 'too-large', text: 'Message exceeds fixed size limit', retry: 'fix-first' },
  {
    reason: 'invalid-recipient',
    text: 'Invalid recipient address:',
    retry: 'never',
  },
  {
    reason: 'sender-not-confirmed',
    text: 'Disallowed source address:',
    retry: 'fix-first',
  },
];
