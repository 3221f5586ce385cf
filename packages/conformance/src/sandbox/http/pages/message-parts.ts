/** Sections of the page of a message: its links, what happened to it, and the tree of its parts. */
import type { CapturedMessage, MessagePart } from '../../inbox.ts';
import type { Rewritten } from '../../rewrite.ts';
import { cut, external, foreign, html, type Markup, scrolling } from './markup.ts';
import { commentText, eventName } from './states.ts';
import type { Visit } from './visit.ts';

/** How many links, and how many parts, are shown: who sends more shows nothing by it. */
const MOST = 200;

export function linksSection(rewritten: Rewritten, visit: Visit): Markup {
  const { site, say } = visit;
  const { links, unsubscribeUrl, webVersionUrl, headers } = rewritten;
  const token = unsubscribeUrl.slice(unsubscribeUrl.lastIndexOf('/') + 1);
  const rows = links.slice(0, MOST).map((link, at) => {
    const tracked = `${site.url}/c/${token}/${at}`;
    return html`<tr><td>${at + 1}</td><td>${original(link)}</td><td>${external(tracked, html`<code>/c/…/${at}</code>`)}</td></tr>`;
  });
  return html`<ul class="plainlist">
<li>${external(unsubscribeUrl, html`${say('unsubscribeLink')}`)} <code>[Unsubscribe]</code></li>
<li>${external(webVersionUrl, html`${say('webVersionLink')}`)} <code>[WebVersion]</code></li>
</ul>
${
  rows.length === 0
    ? html`<p class="none">${say('noLinks')}</p>`
    : scrolling(
        say('links'),
        html`<table><thead><tr><th scope="col">№</th><th scope="col">${say('leadsTo')}</th><th scope="col">${say('tracked')}</th></tr></thead><tbody>${rows}</tbody></table>`,
      )
}
${links.length > MOST ? html`<p class="hint">${say('more', { count: links.length - MOST })}</p>` : ''}
${
  headers.length === 0
    ? ''
    : html`<p class="hint">${say('addedFields')}</p><pre translate="no">${headers
        .map(({ name, value }) => `${name}: ${value}`)
        .join('\n')}</pre>`
}`;
}

/** Where a link led before: as a link only if a browser goes there. */
function original(link: string): Markup {
  const text = html`<bdi translate="no">${cut(link, 300)}</bdi>`;
  return /^https?:\/\//i.test(link) ? external(link, text) : text;
}

export function eventsSection({ events }: CapturedMessage, visit: Visit): Markup {
  const { say, time } = visit;
  const items = events.map((event) => {
    const { type, at, reason, isHardbounce, url } = event;
    return html`<li>${time(at)} ${eventName(type, say)}${reason === undefined ? '' : html` · <code>${reason}</code>`}${
      isHardbounce === undefined ? '' : html` · <code>isHardbounce=${String(isHardbounce)}</code>`
    }${url === undefined ? '' : html` · ${foreign(url)}`}${
      event.comment === undefined ? '' : html` · ${commentText(event.comment, visit)}`
    }</li>`;
  });
  return html`<div data-live="events">${
    items.length === 0
      ? html`<p class="none">${say('noEvents')}</p>`
      : html`<ol class="events">${items}</ol>`
  }</div>`;
}

export function structureSection(message: CapturedMessage, visit: Visit): Markup {
  const { say, size } = visit;
  const { structure, attachments } = message;
  const count = { left: MOST };
  return html`<ul class="tree">${branch(structure, visit, count)}</ul>
${count.left < 0 ? html`<p class="hint">${say('more', { count: -count.left })}</p>` : ''}
${
  attachments.length === 0
    ? ''
    : html`<h3>${say('files')}</h3><ul class="plainlist">${attachments
        .slice(0, MOST)
        .map(
          (file) =>
            html`<li>${foreign(file.filename ?? say('noName'))} <code>${cut(file.contentType, 100)}</code> <span class="soft">${size(file.size)}</span></li>`,
        )}</ul>`
}`;
}

function branch(part: MessagePart, visit: Visit, count: { left: number }): Markup {
  count.left -= 1;
  if (count.left < 0) {
    count.left -= sizeOf(part) - 1;
    return html``;
  }
  const { contentType, charset, encoding, disposition, filename, size, children } = part;
  const facts = [
    ...(charset === undefined ? [] : [charset]),
    ...(children.length > 0 ? [] : [encoding]),
    ...(disposition === undefined ? [] : [disposition]),
  ].map((fact) => html` <code>${cut(fact, 100)}</code>`);
  return html`<li><code><b>${cut(contentType, 100)}</b></code>${facts}${
    filename === undefined ? '' : html` ${foreign(filename)}`
  }${children.length > 0 ? '' : html` <span class="soft">${visit.size(size)}</span>`}${
    children.length === 0
      ? ''
      : html`<ul>${children.map((child) => branch(child, visit, count))}</ul>`
  }</li>`;
}

/** How many parts there are in it, itself counted. */
function sizeOf(part: MessagePart): number {
  return part.children.reduce((sum, child) => sum + sizeOf(child), 1);
}
