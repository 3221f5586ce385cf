/**
 * The figures and names that both `check` and the profile need, and nothing else, so that a bundle with
 * `explain` or `check` alone leaves the profile out.
 */

/**
 * How sure a fact is: `documented` is stated by a page of the provider, `observed` was seen on the
 * wire or in its own samples, `guess` is ours and can be switched.
 */
export type DevinoGrade = 'documented' | 'observed' | 'guess';

/** The submission server of the current page. */
export const HOST = 'integrationapi.net';

/** Octets. 500 KB read as 500 × 1000: a message above may be refused. */
export const SIZE_WARNING = 500_000;

/** Octets. 500 KB read as 500 × 1024: a message above is too large by either reading. */
export const MAX_SIZE = 512_000;

/** The tag that the provider replaces by the link to unsubscribe. */
export const UNSUBSCRIBE_TAG = '[Unsubscribe]';

/** The tag that the provider replaces by the link to the web version. */
export const WEB_VERSION_TAG = '[WebVersion]';
