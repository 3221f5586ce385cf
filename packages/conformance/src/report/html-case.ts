/** One case on the page: clause, what is expected, and for each client what was broken, with the wire. */
import { html, raw } from 'hono/html';
import type { VerdictName } from '../judge/judge.ts';
import type { Delivery } from '../server/wire-log.ts';
import type { MessageOutcome } from '../task.ts';
import {
  type Reason,
  type ReportedCase,
  type ReportedPlay,
  reasonLines,
  reasonsOf,
} from './report.ts';
import type { Cell, Row } from './rows.ts';
import { type Piece, pieces, printable } from './text.ts';
import { linesOf, OPEN, type TranscriptLine } from './transcript.ts';

export type Html = ReturnType<typeof raw>;

const NOTHING: Html = raw('');

const SYMBOLS: Readonly<Record<VerdictName, string>> = {
  PASS: '✓',
  FAIL: '✗',
  WARN: '!',
  INFO: 'i',
  SKIP: '–',
  ERROR: '?',
  XFAIL: '×',
};

/** A verdict as it looks everywhere on the page. */
export const badge = (verdict: VerdictName): Html =>
  html`<span class="v ${verdict}"><b aria-hidden="true">${SYMBOLS[verdict]}</b> ${verdict}</span>` as Html;

/** Text in which escapes can be told from what only looks like one. */
const marked = (all: readonly Piece[]): Html =>
  html`${all.map(({ text, escaped }) => (escaped ? html`<s>${text}</s>` : text))}` as Html;

export const text = (value: string): Html => marked(pieces(value));

export const caseArticle = (
  { about, anchor, verdict, cells }: Row,
  names: readonly string[],
): Html =>
  html`<article id="${anchor}" class="row-${verdict}" aria-label="${printable(about.id)}">
<header>
<h4><a href="#${anchor}">${printable(about.id)}</a> ${text(about.title)}</h4>
<a class="up" href="#row-${anchor}" aria-label="${printable(about.id)} in the matrix">↑ matrix</a>
<p class="facts"><span class="level is-${about.level}">${about.level}</span> <span class="clause">${text(about.clause)}</span>${about.tags.map((tag) => html` <span class="tag">${printable(tag)}</span>`)}</p>
${about.requirement === '' ? '' : html`<p class="wanted"><span>Expected</span> ${text(about.requirement)}</p>`}
</header>
${cells.map((cell, index) => (cell ? clientResult(cell, names[index] as string) : ''))}
</article>
` as Html;

function clientResult({ anchor, verdict, results }: Cell, name: string): Html {
  const alike = results.every((one) => one.verdict === verdict);
  const took = results.reduce((sum, one) => sum + one.took, 0);
  const deliveries = alike
    ? NOTHING
    : html`${results.map((one) => html`<span class="delivery">${one.delivery} ${badge(one.verdict)}</span>`)}`;
  // One wire log is enough where deliveries came out alike.
  const shown = results.filter(
    (one, index) => results.findIndex((other) => other.verdict === one.verdict) === index,
  );
  return html`<section class="result" id="${anchor}" aria-label="${printable(name)}: ${verdict}">
<p class="who">${badge(verdict)} <strong>${text(name)}</strong> ${deliveries}<span class="took">${took} ms</span></p>
${verdict === 'PASS' ? '' : reasonList(results)}${shown.map((one) => logs(one, alike ? undefined : one.delivery))}</section>
` as Html;
}

/** A reason, and the deliveries in which it was given. */
interface Told {
  readonly reason: Reason;
  readonly of: ReportedCase;
  readonly deliveries: Delivery[];
}

/** What is broken, each once, under the title of its play. */
function reasonList(results: readonly ReportedCase[]): Html {
  const all = new Map<string, Told>();
  for (const one of results)
    for (const reason of reasonsOf(one)) {
      const known = all.get(reason.text);
      if (known) known.deliveries.push(one.delivery);
      else all.set(reason.text, { reason, of: one, deliveries: [one.delivery] });
    }
  const plays = new Map<string | undefined, Told[]>();
  for (const told of all.values()) {
    const of = plays.get(told.reason.play) ?? [];
    of.push(told);
    plays.set(told.reason.play, of);
  }
  return html`${[...plays].map(
    ([play, each]) =>
      html`${play ? html`<h5>${text(play)}</h5>` : ''}<ul class="reasons">${each.map((told) => reasonItem(told, results.length))}</ul>
`,
  )}` as Html;
}

function reasonItem({ reason: { text: words, fault }, of, deliveries }: Told, all: number): Html {
  // In which deliveries, where it is not in all.
  const where =
    deliveries.length < all ? html` <span class="tag">${deliveries.join(', ')}</span>` : '';
  if (!fault)
    return html`<li>${reasonLines(of, words).map((line) => html`<p>${line}</p>`)}${where}</li>` as Html;
  const other =
    fault.level === of.level
      ? ''
      : html`<span class="level is-${fault.level}">${fault.level}</span> `;
  return html`<li><dl><dt>expected</dt><dd>${other}${text(fault.expected)}${where}</dd><dt>actual</dt><dd class="violation">${text(fault.actual)}</dd></dl></li>` as Html;
}

/** The wire logs of a case: those of plays that did not pass by themselves, the others together. */
function logs(one: ReportedCase, delivery: Delivery | undefined): Html {
  const told = one.plays.filter(({ transcript, why }) => transcript.length > 0 || why);
  const loud = told.filter(({ verdict }) => !/^(PASS|SKIP|INFO)$/.test(verdict));
  const quiet = told.filter((play) => !loud.includes(play));
  const suffix = delivery ? `, replies by ${delivery}` : '';
  const several = one.plays.length > 1;
  return html`${loud.map(
    (play) =>
      html`<details><summary>Wire log${several && play.title ? html`: ${text(play.title)}` : ''}${suffix} ${several ? badge(play.verdict) : ''}</summary>
${playLog(play)}</details>
`,
  )}${
    quiet.length === 0
      ? ''
      : html`<details><summary>${quiet.length === 1 && !several ? 'Wire log' : `Wire logs of ${quiet.length} ${quiet.length === 1 ? 'play' : 'plays'}`}${suffix}${loud.length > 0 ? ', which did not fail' : ''}</summary>
${quiet.map(
  (play) =>
    html`${several ? html`<h5>${play.title ? text(play.title) : 'Play'} ${badge(play.verdict)}</h5>` : ''}${playLog(play)}`,
)}</details>
`
  }` as Html;
}

function playLog(play: ReportedPlay): Html {
  const named = namedLines(play);
  return html`${play.transcript.map(
    (events, index) =>
      html`${play.transcript.length > 1 ? html`<p class="connection">Connection ${index + 1}</p>` : ''}<ol class="wire">${linesOf(events).map((line) => wireLine(line, named))}</ol>
`,
  )}${play.outcome.map(
    (outcome) => html`<p class="said">${saidOf(outcome)}</p>
`,
  )}${
    play.why
      ? html`<p class="said">${text(play.why)}</p>
`
      : ''
  }` as Html;
}

const LETTERS: Readonly<Record<TranscriptLine['who'], readonly [name: string, letter: string]>> = {
  client: ['c', 'C'],
  server: ['s', 'S'],
  note: ['n', '–'],
};

// Short names, since a whole catalogue has some ten thousand of these.
function wireLine(
  { at, who, secure, pieces: all, octets, open }: TranscriptLine,
  named: Named,
): Html {
  const [name, letter] = LETTERS[who];
  const wrong = who === 'client' && octets !== undefined && named(octets);
  const end = open ? html` <em>${OPEN}</em>` : '';
  return html`<li class="${name}${secure ? ' t' : ''}${wrong ? ' violation' : ''}"><i>${at.toFixed(0)} ms</i><b>${letter}${secure ? ' tls' : ''}</b><code>${marked(all)}${end}</code></li>` as Html;
}

type Named = (octets: string) => boolean;

/**
 * Which lines of the client are named in what is broken. A fault is a sentence that quotes them as JSON; what it quotes as
 * the line before ("… behind …") is not to blame. Those of level INFO break nothing.
 */
function namedLines({ faults }: ReportedPlay): Named {
  const quoted = faults
    .filter(({ level }) => level !== 'INFO')
    .flatMap(
      ({ actual }) =>
        actual.replaceAll(/" (?:behind|after) "(?:[^"\\]|\\.)*"/g, '"').match(QUOTED) ?? [],
    )
    .flatMap((literal) => {
      try {
        return [(JSON.parse(literal) as string).replace(/\r\n$/, '')];
      } catch {
        return [];
      }
    })
    .filter(({ length }) => length > 3);
  // Faults quote the first 60 octets of a long line, or more.
  return (octets) =>
    quoted.some((line) => line === octets || (line.length >= 60 && octets.startsWith(line)));
}
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** What the client said of a message, in one line. */
function saidOf(outcome: MessageOutcome): Html {
  const { outcome: how, kind, code, enhanced, native, delivery } = outcome;
  const facts = [kind, code, enhanced, delivery && `delivery: ${delivery}`, native].filter(
    (fact) => fact !== undefined && fact !== '',
  );
  const words = outcome.text ?? '';
  return html`The client reports <strong>${how === 'resolve' ? 'success' : 'failure'}</strong>${facts.length > 0 ? html` (${text(facts.join(', '))})` : ''}${words === '' ? '' : html`: <q>${text(words)}</q>`}` as Html;
}
