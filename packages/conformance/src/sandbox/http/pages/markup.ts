/** What all pages are written with. Whatever is put into `html` is escaped; nothing here is a way around that. */
import { html } from 'hono/html';

export { html };

/** What `html` gives. */
export type Markup = ReturnType<typeof html>;

/** Text that others wrote, on one line: cut where it is long, and its direction kept to itself. */
export function foreign(text: string, longest = 200): Markup {
  return html`<bdi translate="no">${cut(text, longest)}</bdi>`;
}

/** At the most so many characters, with an ellipsis where there were more. */
export function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest).toWellFormed()}…` : text;
}

const LINK = /(https?:\/\/[^\s<>"'`]+)/;

/** Plain text, its http and https addresses as links that open beside this page. */
export function linked(text: string): Markup[] {
  return text
    .split(LINK)
    .map((part, at) => (at % 2 === 1 ? external(part, html`${part}`) : html`${part}`));
}

/** A link to elsewhere: opens beside this page, which that page learns nothing of. */
export function external(url: string, text: Markup): Markup {
  return html`<a href="${url}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
}

/** A table in a container of its own, which scrolls where it has to. */
export function scrolling(label: string, table: Markup): Markup {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}
