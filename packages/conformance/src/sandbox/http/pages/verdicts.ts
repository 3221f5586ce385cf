/** What the rules said, and what was said on the wire. */
import type { TranscriptLine } from '../../inbox.ts';
import type { Verdict } from '../../rules.ts';
import { detailIn } from './details.ts';
import { html, type Markup } from './markup.ts';
import { GRADE_WORDS, outcomeBadge, RULE_WORDS } from './states.ts';
import type { Visit } from './visit.ts';
import type { Word } from './words/index.ts';

export function verdictList(verdicts: readonly Verdict[], visit: Visit): Markup {
  if (verdicts.length === 0) return html`<p class="none">${visit.say('noVerdicts')}</p>`;
  return html`<ol class="verdicts">${verdicts.map((verdict) => item(verdict, visit))}</ol>`;
}

function item(verdict: Verdict, visit: Visit): Markup {
  const { say, language } = visit;
  const { rule, stage, outcome, grade, detail, reply, quotation } = verdict;
  const answered =
    reply === undefined ? '' : html`<p>${say('answered')} <samp translate="no">${reply}</samp></p>`;
  const list = listOf(verdict);
  const onList = list === undefined ? '' : html` <a href="${list[0]}">${say(list[1])}</a>`;
  return html`<li><span class="outcome">${outcomeBadge(outcome, say)}</span>
<div class="rule"><b>${say(RULE_WORDS[rule])}</b><br><span class="soft"><code title="${say('stage')}">${stage.toUpperCase()}</code> · <span title="${say('grade')}">${say(
    GRADE_WORDS[grade],
  )}</span></span></div>
<div class="found"><p>${detailIn(detail, language)}${onList}</p>${answered}${quotation === undefined ? '' : quote(quotation)}</div></li>`;
}

/** The list that the filter found the recipient on. */
export function listOf({
  rule,
  outcome,
  detail,
}: Verdict): readonly [href: string, text: Word] | undefined {
  if (rule !== 'filter' || outcome === 'pass') return undefined;
  return detail.endsWith('hard-bounced')
    ? ['/hard-bounces', 'hardBounces']
    : ['/unsubscribed', 'unsubscribed'];
}

/** The provider's words, in the language that they are in. */
export function quote(words: string): Markup {
  const language = /\p{Script=Cyrillic}/u.test(words) ? 'ru' : 'en';
  return html`<blockquote lang="${language}" translate="no">${words}</blockquote>`;
}

/** @param refusal - the reply that is looked for: its last line is marked, and the end is shown first */
export function transcriptList(
  lines: readonly TranscriptLine[],
  { say }: Visit,
  refusal?: string,
): Markup {
  if (lines.length === 0) return html`<p class="none">${say('noTranscript')}</p>`;
  const marked = lines.findLastIndex(
    ({ direction, text }) => direction === 'server' && text === refusal,
  );
  const items = lines.map(({ direction, text, secure }, at) => {
    const who = direction === 'client' ? 'C' : 'S';
    const classes = `${direction}${secure ? ' tls' : ''}${at === marked ? ' refusing' : ''}`;
    const here = at === marked ? html`<span class="unseen">${say('refusedHere')} </span>` : '';
    return html`<li class="${classes}">${here}<b>${who}:</b> <samp translate="no">${text}</samp></li>`;
  });
  return html`<p class="hint">${say('transcriptKey')}</p><div class="wire${
    refusal === undefined ? '' : ' tail'
  }" role="region" tabindex="0" aria-label="${say('transcript')}"><ol>${items}</ol></div>`;
}
