/** What the rules said, and what was said on the wire. */
import type { TranscriptLine } from '../../inbox.ts';
import type { Verdict } from '../../rules.ts';
import { detailIn } from './details.ts';
import { html, type Markup } from './markup.ts';
import { GRADE_WORDS, outcomeBadge, RULE_WORDS } from './states.ts';
import type { Visit } from './visit.ts';

export function verdictList(verdicts: readonly Verdict[], visit: Visit): Markup {
  if (verdicts.length === 0) return html`<p class="none">${visit.say('noVerdicts')}</p>`;
  return html`<ol class="verdicts">${verdicts.map((verdict) => item(verdict, visit))}</ol>`;
}

function item(verdict: Verdict, visit: Visit): Markup {
  const { say, language } = visit;
  const { rule, stage, outcome, grade, detail, reply, quotation } = verdict;
  const answered =
    reply === undefined ? '' : html`<p>${say('answered')} <samp translate="no">${reply}</samp></p>`;
  return html`<li><span class="outcome">${outcomeBadge(outcome, say)}</span>
<div class="rule"><b>${say(RULE_WORDS[rule])}</b><br><span class="soft"><code title="${say('stage')}">${stage.toUpperCase()}</code> · <span title="${say('grade')}">${say(
    GRADE_WORDS[grade],
  )}</span></span></div>
<div class="found"><p>${detailIn(detail, language)}</p>${answered}${quotation === undefined ? '' : quote(quotation)}</div></li>`;
}

/** The provider's words, in the language that they are in. */
function quote(words: string): Markup {
  const language = /\p{Script=Cyrillic}/u.test(words) ? 'ru' : 'en';
  return html`<blockquote lang="${language}" translate="no">${words}</blockquote>`;
}

export function transcriptList(lines: readonly TranscriptLine[], { say }: Visit): Markup {
  if (lines.length === 0) return html`<p class="none">${say('noTranscript')}</p>`;
  const items = lines.map(({ direction, text, secure }) => {
    const who = direction === 'client' ? 'C' : 'S';
    return html`<li class="${direction}${secure ? ' tls' : ''}"><b>${who}:</b> <samp translate="no">${text}</samp></li>`;
  });
  return html`<p class="hint">${say('transcriptKey')}</p><ol class="wire" tabindex="0" aria-label="${say(
    'transcript',
  )}">${items}</ol>`;
}
