/** The pages of addresses: who unsubscribed, what bounced hard, and who may send. */
import type { Context, Hono } from 'hono';
import { BOUNCE_REASONS, type BounceReason } from '../../platform/events.ts';
import type { HardBounced, Unsubscribed } from '../../platform/suppressions.ts';
import { address as addressShape, type Shape, sender as senderShape } from '../api/shape.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { backTo } from './done.ts';
import { action, choice, input, type Sent, sentBy } from './form.ts';
import { foreign, html, type Markup, scrolling } from './markup.ts';
import { answerPage } from './page.ts';
import { paged } from './pager.ts';
import { commentText } from './states.ts';
import { type Visit, visitOf } from './visit.ts';
import type { Word } from './words/index.ts';

interface Entry {
  readonly address: string;
}

/** A list, and how it is shown and changed. */
interface Listing<Kind extends Entry> {
  readonly path: string;
  readonly title: Word;
  readonly lead: Word;
  readonly empty: Word;
  /** What has to be known before. */
  note?(visit: Visit): Markup | '';
  /** What stands behind the address in a row. */
  readonly columns: readonly {
    readonly title: Word;
    cell(entry: Kind, visit: Visit): Markup | '';
  }[];
  /** The fields of a new entry. */
  fields(visit: Visit, typed: Sent | undefined, error: string | undefined): Markup;
  all(site: Site): readonly Kind[];
  /** What an address is here, and what is said of what is none. */
  readonly shape: Shape<string>;
  readonly misshapen: Word;
  add(site: Site, address: string, sent: Sent): void;
  remove(site: Site, address: string): void;
}

type Answer = Response | Promise<Response>;

/** The latest entry stands first. */
function listPage<Kind extends Entry>(
  listing: Listing<Kind>,
  visit: Visit,
  typed?: Sent,
  error?: string,
): Answer {
  const { say, site } = visit;
  const { path, title, columns } = listing;
  const { entries, pager } = paged(visit, listing.all(site).toReversed());
  const rows = entries.map(
    (entry) =>
      html`<tr><th scope="row">${foreign(entry.address)}</th>${columns.map(
        ({ title: column, cell }) =>
          html`<td data-label="${say(column)}">${cell(entry, visit)}</td>`,
      )}<td class="do">${action(
        `${path}/remove`,
        { address: entry.address },
        say('remove'),
        `${say('remove')}: ${entry.address}`,
      )}</td></tr>`,
  );
  return answerPage(visit, {
    title: say(title),
    section: path,
    scripts: ['live.js'],
    status: error === undefined ? 200 : 422,
    main: html`<h1>${say(title)}</h1><p class="lead">${say(listing.lead)}</p>
${listing.note?.(visit) ?? ''}
<form class="filter" method="post" action="${path}" aria-label="${say('add')}" novalidate>
${listing.fields(visit, typed, error)}
<div class="buttons"><button>${say('add')}</button></div>
</form>
<section data-live="list" aria-label="${say(title)}">${
      rows.length === 0
        ? html`<p class="empty">${say(listing.empty)}</p>`
        : scrolling(
            say(title),
            html`<table class="list addresses stack"><thead><tr><th scope="col">${say('address')}</th>${columns.map(
              (column) => html`<th scope="col">${say(column.title)}</th>`,
            )}<td></td></tr></thead><tbody>${rows}</tbody></table>`,
          )
    }${pager}</section>`,
  });
}

/** The page of a list, and the two forms on it. */
function serve<Kind extends Entry>(app: Hono, site: Site, listing: Listing<Kind>): void {
  const { path } = listing;
  app.get(path, (context) => listPage(listing, visitOf(site, context)));
  app.post(path, async (context: Context) => {
    const sent = await sentBy(context);
    const address = sent.text('address');
    if (!has(listing.shape, address)) {
      const visit = visitOf(site, context);
      return listPage(listing, visit, sent, visit.say(listing.misshapen));
    }
    listing.add(site, address, sent);
    await site.platform.journal.flush();
    return backTo(context, path, 'added');
  });
  app.post(`${path}/remove`, async (context: Context) => {
    listing.remove(site, (await sentBy(context)).text('address'));
    await site.platform.journal.flush();
    return backTo(context, path, 'removed');
  });
}

function has(shape: Shape<string>, text: string): boolean {
  try {
    shape(text, '');
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

const SOURCES: Readonly<Record<Unsubscribed['source'], Word>> = {
  page: 'sourcePage',
  'one-click': 'sourceOneClick',
  complaint: 'sourceComplaint',
  magic: 'sourceMagic',
  api: 'sourceApi',
};

const when = {
  title: 'time' as const,
  cell: ({ at }: { readonly at: number }, { time }: Visit): Markup => time(at),
};

const from = {
  title: 'message' as const,
  cell({ messageId }: { readonly messageId?: string }, { site, say }: Visit): Markup | '' {
    if (messageId === undefined || !site.platform.inbox.get(messageId)) return '';
    return html`<a href="/messages/${messageId}">${say('show')}</a>`;
  },
};

function addressField(
  { say, context }: Visit,
  typed: Sent | undefined,
  error: string | undefined,
  hint?: Word,
): Markup {
  return input({
    name: 'address',
    label: say('address'),
    // A page that knows which one is meant fills it in.
    value: typed?.text('address') ?? context.req.query('address')?.slice(0, 320),
    longest: 320,
    required: true,
    error,
    hint: hint === undefined ? undefined : say(hint),
  });
}

const UNSUBSCRIBED: Listing<Unsubscribed> = {
  path: '/unsubscribed',
  title: 'unsubscribed',
  lead: 'unsubscribedLead',
  empty: 'nobodyUnsubscribed',
  shape: addressShape,
  misshapen: 'noAddress',
  columns: [
    when,
    { title: 'how', cell: ({ source }, { say }) => html`${say(SOURCES[source])}` },
    { title: 'comment', cell: ({ comment }, visit) => commentText(comment, visit) },
    from,
  ],
  fields: (visit, typed, error) =>
    html`${addressField(visit, typed, error)}${input({
      name: 'comment',
      label: visit.say('comment'),
      value: typed?.text('comment'),
      longest: 500,
    })}`,
  all: ({ platform }) => platform.unsubscribed.all,
  add({ platform }, address, sent) {
    const comment = sent.text('comment').slice(0, 500);
    platform.unsubscribed.put({
      address,
      at: platform.clock.now(),
      source: 'api',
      ...(comment !== '' && { comment }),
    });
  },
  remove: ({ platform }, address) => platform.unsubscribed.delete(address),
};

const HARD_BOUNCES: Listing<HardBounced> = {
  path: '/hard-bounces',
  title: 'hardBounces',
  lead: 'hardBouncesLead',
  empty: 'nothingHardBounced',
  shape: addressShape,
  misshapen: 'noAddress',
  columns: [when, { title: 'reason', cell: ({ reason }) => html`<code>${reason}</code>` }, from],
  fields: (visit, typed, error) =>
    html`${addressField(visit, typed, error)}${choice({
      name: 'reason',
      label: visit.say('reason'),
      value: typed?.text('reason') || 'bad-mailbox',
      options: BOUNCE_REASONS.map((reason) => ({ value: reason, text: reason })),
    })}`,
  all: ({ platform }) => platform.hardBounced.all,
  add({ platform }, address, sent) {
    const reason: BounceReason =
      BOUNCE_REASONS.find((one) => one === sent.text('reason')) ?? 'bad-mailbox';
    platform.hardBounced.put({ address, at: platform.clock.now(), reason });
  },
  remove: ({ platform }, address) => platform.hardBounced.delete(address),
};

const SENDERS: Listing<Entry> = {
  path: '/senders',
  title: 'senders',
  lead: 'sendersLead',
  empty: 'noSenders',
  columns: [],
  shape: senderShape,
  misshapen: 'noSender',
  note: ({ site, say }) =>
    site.settings.shown['anySender'] === true
      ? html`<p class="notice" role="note">${say('anySender')}</p>`
      : '',
  fields: (visit, typed, error) => addressField(visit, typed, error, 'senderHint'),
  all: ({ platform }) => platform.senders.all,
  add: ({ platform }, address) => platform.senders.put({ address }),
  remove: ({ platform }, address) => platform.senders.delete(address),
};

export function listPages(app: Hono, site: Site): void {
  serve(app, site, UNSUBSCRIBED);
  serve(app, site, HARD_BOUNCES);
  serve(app, site, SENDERS);
}
