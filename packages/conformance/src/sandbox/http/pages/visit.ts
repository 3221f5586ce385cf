/** One request for a page: its language, and how things are said in it. */
import type { Context } from 'hono';
import type { Site } from '../site.ts';
import { type Language, languageOf } from './language.ts';
import { html, type Markup } from './markup.ts';
import { fill, WORDS, type Word } from './words/index.ts';

/** Says something in the language of the page; `{name}` in it stands for the value of that name. */
export type Say = (word: Word, values?: Readonly<Record<string, string | number>>) => string;

export interface Visit {
  readonly site: Site;
  readonly context: Context;
  readonly language: Language;
  readonly say: Say;
  /** A time, in ms since 1970, as a person reads it: in the time zone of this machine. */
  time(at: number): Markup;
  /** So many octets, as a person reads it. */
  size(octets: number): string;
}

const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', ru: 'ru-RU' };

/** Each takes longer to make than to use. */
const formats = new Map<Language, Formats>();

interface Formats {
  readonly time: Intl.DateTimeFormat;
  readonly small: Intl.NumberFormat;
  readonly large: Intl.NumberFormat;
}

function formatsOf(language: Language): Formats {
  const known = formats.get(language);
  if (known) return known;
  const locale = LOCALES[language];
  const made: Formats = {
    time: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }),
    small: new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: 'byte',
      unitDisplay: language === 'ru' ? 'short' : 'long',
    }),
    large: new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: 'kilobyte',
      maximumFractionDigits: 1,
    }),
  };
  formats.set(language, made);
  return made;
}

export function visitOf(site: Site, context: Context): Visit {
  const language = languageOf(context);
  const { time, small, large } = formatsOf(language);
  return {
    site,
    context,
    language,
    say: (word, values) => fill(WORDS[word][language], values),
    time(at) {
      const date = new Date(at);
      // A clock can be set to what no calendar has.
      if (Number.isNaN(date.getTime())) return html`${at}`;
      return html`<time datetime="${date.toISOString()}">${time.format(date)}</time>`;
    },
    size: (octets) => (octets < 1_000 ? small.format(octets) : large.format(octets / 1_000)),
  };
}
