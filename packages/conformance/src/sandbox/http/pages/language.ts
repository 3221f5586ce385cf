/** In which language a page is: as asked by `?lang=`, else as asked before, else as the browser prefers. */
import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import {
  type DetectorOptions,
  detectFromCookie,
  detectFromHeader,
  detectFromQuery,
} from 'hono/language';

export type Language = 'en' | 'ru';

export const LANGUAGES: readonly Language[] = ['en', 'ru'];

const YEAR = 31_536_000;

const DETECTION: DetectorOptions = {
  order: ['querystring', 'cookie', 'header'],
  lookupQueryString: 'lang',
  // Cookies know no ports: another server of this host must not speak for this one.
  lookupCookie: 'sandbox-language',
  lookupFromHeaderKey: 'accept-language',
  lookupFromPathIndex: 0,
  caches: false,
  ignoreCase: true,
  fallbackLanguage: 'en',
  supportedLanguages: [...LANGUAGES],
};

/** The language of a page; remembers it where it was asked for by name. */
export function languageOf(context: Context): Language {
  const asked = detectFromQuery(context, DETECTION);
  if (asked !== undefined)
    setCookie(context, DETECTION.lookupCookie, asked, {
      path: '/',
      maxAge: YEAR,
      sameSite: 'Lax',
      httpOnly: true,
    });
  const found =
    asked ?? detectFromCookie(context, DETECTION) ?? detectFromHeader(context, DETECTION);
  return found === 'ru' ? 'ru' : 'en';
}
