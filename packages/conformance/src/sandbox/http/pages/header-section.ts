/** Who a message says it is from and for, as a mail program shows it: its header fields, decoded. */
import { type Address, addressParser, decodeWords } from 'postal-mime';
import type { CapturedMessage } from '../../inbox.ts';
import { foreign, html, type Markup } from './markup.ts';
import type { Visit } from './visit.ts';

/** The fields that a reader is shown, by the names that they have in a header. */
const FIELDS: readonly (readonly [name: string, shown: string, holds: 'addresses' | 'text'])[] = [
  ['from', 'From', 'addresses'],
  ['reply-to', 'Reply-To', 'addresses'],
  ['to', 'To', 'addresses'],
  ['cc', 'Cc', 'addresses'],
  ['subject', 'Subject', 'text'],
  ['date', 'Date', 'text'],
];

/** How much is shown: who sends more shows nothing by it. */
const MOST = 50;
const LONGEST = 20_000;

export function headerSection({ headers }: CapturedMessage, visit: Visit): Markup {
  const rows = FIELDS.flatMap(([name, shown, holds]) =>
    headers
      .filter((field) => field.name === name)
      .slice(0, MOST)
      .map(({ value }) => {
        const kept = value.slice(0, LONGEST);
        const content =
          holds === 'text' ? foreign(decodeWords(kept), 1_000) : addresses(kept, visit);
        return html`<div><dt><code>${shown}</code></dt><dd>${content}</dd></div>`;
      }),
  );
  const { say } = visit;
  return html`<p class="hint">${say('headerHint')}</p>${
    rows.length === 0
      ? html`<p class="none">${say('noFields')}</p>`
      : html`<dl class="fields">${rows}</dl>`
  }`;
}

function addresses(value: string, { say }: Visit): Markup {
  const found = addressParser(value);
  // What cannot be read as an address is shown as it is.
  if (found.length === 0) return foreign(decodeWords(value), 1_000);
  return html`${found.slice(0, MOST).map((one) => html`${mailbox(one)}<br>`)}${
    found.length > MOST ? say('more', { count: found.length - MOST }) : ''
  }`;
}

function mailbox({ name, address, group }: Address): Markup {
  const named = name ? html`<b>${foreign(name)}</b>` : '';
  if (group !== undefined)
    return html`${named}: ${group.slice(0, MOST).map((one) => html`${mailbox(one)} `)}`;
  return html`${named}${name && address ? ' ' : ''}${address ? foreign(`<${address}>`) : ''}`;
}
