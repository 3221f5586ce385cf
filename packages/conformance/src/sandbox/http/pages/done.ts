/** What a form has done, said on the page that it leads back to. */
import type { Context } from 'hono';
import { html, type Markup } from './markup.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

export type Done = 'added' | 'removed' | 'saved' | 'cleared' | 'stopped' | 'sent' | 'message';

const WORDS: Readonly<Record<Done, Word>> = {
  added: 'doneAdded',
  removed: 'doneRemoved',
  saved: 'doneSaved',
  cleared: 'doneCleared',
  stopped: 'doneStopped',
  sent: 'doneSent',
  message: 'doneMessage',
};

/** The name of it in addresses. */
export const DONE = 'done';

/** Back to a page, which says what was done. */
export function backTo(context: Context, path: string, done: Done): Response {
  return context.redirect(`${path}?${DONE}=${done}`, 303);
}

/** None of an address that anybody could have written can say anything else. */
export function doneNotice({ context, say }: Visit): Markup | '' {
  const done = context.req.query(DONE) ?? '';
  if (!Object.hasOwn(WORDS, done)) return '';
  // It has the focus: that is where the next Tab goes on from, and what a screen reader reads first.
  return html`<p class="notice done" role="status" tabindex="-1" autofocus data-done>${say(WORDS[done as Done])}</p>`;
}
