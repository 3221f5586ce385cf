/** What whoever was refused can do about it. */
import type { Refused } from '../../platform/platform.ts';
import { REFUSALS, type RefusalReason } from '../../profile.ts';
import { CAUSES } from '../../quotations.ts';
import type { Verdict } from '../../rules.ts';
import { html, type Markup } from './markup.ts';
import { listOf, quote } from './verdicts.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

/** One refusal, and which of its verdicts it comes from. */
interface Cause {
  /** One of the provider's six, where it is one. */
  readonly reason: RefusalReason | undefined;
  /** None where no rule refused it: what a rule throws is a fault of the server. */
  readonly verdict: Verdict | undefined;
}

/** Of several that refuse, the one whose words were the reply. */
export function causeOf({ verdicts, text }: Pick<Refused, 'verdicts' | 'text'>): Cause {
  const all = verdicts.filter(({ outcome }) => outcome === 'refuse');
  const answered = all.filter(({ reply }) => reply !== undefined);
  const refusing = answered.length > 0 ? answered : all;
  const said = (Object.keys(REFUSALS) as RefusalReason[]).find((reason) =>
    text.toLowerCase().includes(REFUSALS[reason].text.toLowerCase()),
  );
  const fitting = refusing.filter(({ refusal }) => refusal?.reason === said);
  const verdict =
    fitting.find(({ refusal, detail }) => text.endsWith(refusal?.value ?? detail)) ??
    fitting[0] ??
    (said === undefined ? refusing[0] : undefined);
  return { reason: said ?? verdict?.refusal?.reason, verdict };
}

/** A sentence, what helps to do it, and what has to be written. */
interface Advice {
  readonly word: Word;
  readonly link?: readonly [href: string, text: Word];
  readonly code?: string;
}

const TO_SET_UP = ['/setup', 'adviceSetUpLink'] as const;

export function adviceBox(refused: Refused, cause: Cause, visit: Visit): Markup | '' {
  const { say, site, size } = visit;
  const advice = adviceFor(refused, cause);
  if (advice === undefined) return '';
  const { word, link, code } = advice;
  const words = cause.reason === undefined ? cause.verdict?.quotation : CAUSES[cause.reason];
  const most = size(site.settings.rules.profile.maxSize);
  return html`<section class="card advice" aria-labelledby="advice"><h2 id="advice">${say('whatToDo')}</h2>
<p>${say(word, { most })}</p>${code === undefined ? '' : html`<pre translate="no">${code}</pre>`}${
    link === undefined ? '' : html`<p><a class="button" href="${link[0]}">${say(link[1])}</a></p>`
  }${words === undefined ? '' : html`<p class="hint">${say('causeOnPage')}</p>${quote(words)}`}</section>`;
}

function adviceFor(refused: Refused, { reason, verdict }: Cause): Advice | undefined {
  const value = verdict?.refusal?.value ?? '';
  if (verdict?.rule === 'fault' || /^554\+/.test(value))
    return { word: 'adviceMagic', link: ['/setup#magic', 'adviceMagicLink'] };
  if (verdict?.rule === 'filter')
    return { word: 'adviceFiltered', link: listOf(verdict) ?? ['/unsubscribed', 'unsubscribed'] };
  if (/ is no address$/.test(verdict?.detail ?? '')) return { word: 'adviceMalformed' };
  switch (reason) {
    case 'not-authenticated':
      if (refused.stage === 'auth') return { word: 'adviceWrongLogin', link: TO_SET_UP };
      return { word: refused.secure ? 'adviceNoLogin' : 'adviceNoTls', link: TO_SET_UP };
    case 'sender-not-confirmed':
      if (value === '') return { word: 'adviceNullSender', link: ['/senders', 'senders'] };
      return {
        word: 'adviceSender',
        link: [`/senders?address=${encodeURIComponent(value.toWellFormed())}`, 'adviceSenderLink'],
      };
    case 'server-error':
      return {
        word: verdict === undefined || verdict.rule === 'mime' ? 'adviceUnread' : 'adviceServer',
      };
    case 'attachment-type':
      return { word: 'adviceFile' };
    case 'too-large':
      return { word: 'adviceSize' };
    case 'invalid-recipient':
      if (/ is a further recipient$/.test(verdict?.detail ?? '')) return { word: 'adviceFurther' };
      return { word: /\.invalid$/i.test(value) ? 'adviceInvalid' : 'adviceRecipient' };
    default:
  }
  if (verdict?.rule === 'ip-allow') return { word: 'adviceAddress' };
  if (verdict?.rule === 'charset')
    return { word: 'adviceCharset', code: 'Content-Type: text/html; charset=utf-8' };
  if (verdict?.rule === 'tags')
    return {
      word: 'adviceTags',
      code: '<a href="[Unsubscribe]">…</a> <a href="[WebVersion]">…</a>',
    };
  return undefined;
}
