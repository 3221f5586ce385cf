/** Long lists in pages. */
import { DONE } from './done.ts';
import { html, type Markup } from './markup.ts';
import type { Visit } from './visit.ts';

const PER_PAGE = 50;

export interface Cut<Entry> {
  readonly entries: readonly Entry[];
  readonly pager: Markup;
}

/** The page of a list that `?page=` asks for, and the links to the others. */
export function paged<Entry>(visit: Visit, all: readonly Entry[]): Cut<Entry> {
  const last = Math.max(1, Math.ceil(all.length / PER_PAGE));
  const asked = Number(visit.context.req.query('page') ?? 1);
  const page = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), last) : 1;
  const entries = all.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  return { entries, pager: last === 1 ? html`` : links(visit, page, last) };
}

function links({ context, say }: Visit, page: number, last: number): Markup {
  const { pathname, searchParams } = new URL(context.req.url);
  searchParams.delete('lang');
  searchParams.delete(DONE);
  const link = (to: number, rel: string, text: string): Markup => {
    if (to < 1 || to > last) return html`<span class="off">${text}</span>`;
    searchParams.set('page', String(to));
    return html`<a href="${pathname}?${searchParams.toString()}" rel="${rel}" id="page-${rel}">${text}</a>`;
  };
  return html`<nav class="pager" aria-label="${say('pages')}">${link(page - 1, 'prev', `← ${say('previousPage')}`)}<span>${say(
    'pageOf',
    { page, last },
  )}</span>${link(page + 1, 'next', `${say('nextPage')} →`)}</nav>`;
}
