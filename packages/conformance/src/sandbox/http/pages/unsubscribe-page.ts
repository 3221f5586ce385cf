/** What the link to unsubscribe leads to: a question, and the way back. For those who get the messages. */
import type { CapturedMessage } from '../../inbox.ts';
import { foreign, html, type Markup } from './markup.ts';
import { answerReader } from './page.ts';
import { REASON_WORDS } from './states.ts';
import type { Visit } from './visit.ts';

/** Characters of what a reader may write. */
export const LONGEST_COMMENT = 500;

/** What a reader chose and wrote, where it cannot be taken as it is. */
export interface Typed {
  readonly reason: string;
  readonly text: string;
}

export function unsubscribePage(
  visit: Visit,
  message: CapturedMessage,
  typed?: Typed,
): Response | Promise<Response> {
  const { site, say } = visit;
  const address = message.to[0] ?? '';
  const gone = site.platform.unsubscribed.get(address) !== undefined;
  const last = message.events.findLast(({ type }) => /^(UN)?SUBSCRIBED$/.test(type));
  const back = !gone && typed === undefined && last?.type === 'SUBSCRIBED';
  return answerReader(visit, {
    title: say(gone ? 'youAreUnsubscribed' : back ? 'subscribedAgain' : 'unsubscribe'),
    status: typed === undefined ? 200 : 422,
    main: gone
      ? unsubscribed(visit, message.token, address)
      : back
        ? subscribed(visit, message.token, address)
        : html`<div class="card"><h1>${say('unsubscribe')}</h1>${question(visit, message.token, address, typed)}</div>`,
  });
}

function question(
  { say }: Visit,
  token: string,
  address: string,
  typed: Typed | undefined,
): Markup {
  const error = typed === undefined ? undefined : say('commentTooLong', { most: LONGEST_COMMENT });
  return html`<form method="post" action="/u/${token}">
<p>${say('wouldEndFor')} <strong>${foreign(address)}</strong>.</p>
<fieldset><legend>${say('whyUnsubscribe')}</legend>
${Object.entries(REASON_WORDS).map(
  ([reason, word]) =>
    html`<label class="check"><input type="radio" name="reason" value="${reason}"${
      typed?.reason === reason ? html` checked` : ''
    }><span>${say(word)}</span></label>`,
)}
<div class="field"><label for="comment">${say('ownWords')}</label><textarea id="comment" name="text" rows="3" maxlength="${LONGEST_COMMENT}"${
    error === undefined ? '' : html` aria-invalid="true" aria-describedby="comment-error" autofocus`
  }>${typed?.text ?? ''}</textarea>${error === undefined ? '' : html`<p class="error" id="comment-error">${error}</p>`}</div>
</fieldset>
<div class="buttons"><button name="action" value="unsubscribe">${say('confirmUnsubscribe')}</button></div>
</form>`;
}

/** The way off stays open, and out of the way. */
function subscribed(visit: Visit, token: string, address: string): Markup {
  const { say } = visit;
  return html`<div class="card"><h1>${say('subscribedAgain')}</h1>
<p role="status">${say('comesAgainTo')} <strong>${foreign(address)}</strong>.</p>
<details><summary>${say('changedYourMind')}</summary>${question(visit, token, address, undefined)}</details></div>`;
}

function unsubscribed({ say }: Visit, token: string, address: string): Markup {
  return html`<form method="post" action="/u/${token}" class="card">
<h1>${say('youAreUnsubscribed')}</h1>
<p>${say('nothingMoreTo')} <strong>${foreign(address)}</strong>.</p>
<p>${say('byMistake')}</p>
<div class="buttons"><button name="action" value="subscribe" class="quiet">${say('subscribeAgain')}</button></div>
</form>`;
}
