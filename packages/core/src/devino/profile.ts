/**
 * What is known of the provider, as data: each fact with its grade and with the words it rests on.
 * `explain` and `check` do not import this file.
 */
import type { DevinoReason, DevinoRetry } from './explain.ts';
import { freeze } from './freeze.ts';
import {
  type DevinoGrade,
  HOST,
  MAX_SIZE,
  SIZE_WARNING,
  UNSUBSCRIBE_TAG,
  WEB_VERSION_TAG,
} from './limits.ts';
import { BANNED_EXTENSIONS, FACTS_2016, FACTS_2017, FACTS_SUCCESSOR } from './quotations.ts';

/** One fact about the provider. */
export interface DevinoFact<Value = unknown> {
  /** What holds. */
  readonly value: Value;
  /** How sure it is. */
  readonly grade: DevinoGrade;
  /** The provider's own words, in the language of the page. None where only the value is known. */
  readonly quotation?: string;
  /** What the words leave open, and what was chosen. */
  readonly note?: string;
}

/** What was documented at one time. */
export interface DevinoVersion {
  /** `2016` and `2017-10` are revisions of one page; `successor` is the platform that followed. */
  readonly id: '2016' | '2017-10' | 'successor';
  /** The submission server. */
  readonly host: string;
  /** Its ports: 465 for TLS from the first octet, the others for STARTTLS. */
  readonly ports: readonly number[];
  /** The largest message, in octets. */
  readonly maxSize: number;
  /** What has to be confirmed before mail is taken from it. */
  readonly sender: 'address' | 'domain';
  /** The files that are refused: every file, or those with these extensions. */
  readonly bannedFiles: 'all' | readonly string[];
  /** The tags that a text must hold. */
  readonly requiredTags: readonly string[];
  /** The facts behind these values and beside them, by name. */
  readonly facts: Readonly<Record<string, DevinoFact>>;
}

/** One of the documented refusals. */
export interface DevinoRefusal {
  /** What `explain` calls it. */
  readonly reason: DevinoReason;
  /** The text, verbatim, up to the value that some of them end in. */
  readonly text: string;
  /** What follows the text, in the words of the page. */
  readonly value?: string;
  /** The cause, in the words of the page. */
  readonly cause: string;
  /** What to do; ours. */
  readonly retry: DevinoRetry;
  /** How sure the text and its cause are. */
  readonly grade: DevinoGrade;
}

/** The provider profile: what `devino` holds. */
export interface DevinoProfile {
  /** The version that the values here are of. */
  readonly version: '2017-10';
  /** The submission server. */
  readonly host: typeof HOST;
  /** Its port for each way to TLS. */
  readonly ports: { readonly starttls: 587; readonly implicit: 465 };
  /** For `connect`: port 587, TLS by STARTTLS, required. */
  readonly starttls: { readonly host: typeof HOST; readonly port: 587; readonly tls: 'starttls' };
  /** For `connect`: port 465, TLS from the first octet. */
  readonly implicit: { readonly host: typeof HOST; readonly port: 465; readonly tls: 'implicit' };
  /** What one message may have. */
  readonly limits: {
    /** As the page has it. */
    readonly documented: '500 KB';
    /** Octets: 500 KB by the smaller reading. */
    readonly sizeWarning: number;
    /** Octets: 500 KB by the larger reading. */
    readonly maxSize: number;
    /** Recipients of one message. */
    readonly recipients: 1;
    /** Files in one message. */
    readonly attachments: 0;
  };
  /** The tags that a text must hold; the provider replaces them by links. */
  readonly tags: readonly [typeof UNSUBSCRIBE_TAG, typeof WEB_VERSION_TAG];
  /** The code that each documented refusal has. */
  readonly replyCode: 554;
  /** The documented refusals, in the order of the page. */
  readonly refusals: readonly DevinoRefusal[];
  /** What the page says, rule by rule: the facts of the current version. */
  readonly rules: Readonly<Record<string, DevinoFact>>;
  /** All versions, the oldest first. */
  readonly versions: readonly DevinoVersion[];
}

/**
 * The provider's documented behaviour, frozen. What the pages leave open is graded `guess`.
 *
 * @example
 * ```ts
 * import { devino } from '@posthorn/core/devino';
 *
 * // const client = await connect({ ...devino.starttls, auth: { user, pass } });
 * console.log(devino.starttls.host, devino.starttls.port); // integrationapi.net 587
 * console.log(devino.rules['files']?.quotation);
 * ```
 */
export const devino: DevinoProfile = /* @__PURE__ */ freeze({
  version: '2017-10',
  host: HOST,
  ports: { starttls: 587, implicit: 465 },
  starttls: { host: HOST, port: 587, tls: 'starttls' },
  implicit: { host: HOST, port: 465, tls: 'implicit' },
  limits: {
    documented: '500 KB',
    sizeWarning: SIZE_WARNING,
    maxSize: MAX_SIZE,
    recipients: 1,
    attachments: 0,
  },
  tags: [UNSUBSCRIBE_TAG, WEB_VERSION_TAG],
  replyCode: 554,
  refusals: [
    {
      reason: 'not-authenticated',
      text: 'Must authenticate before sending mail',
      cause: 'Не указан, или указан некорректный логин/пароль',
      retry: 'fix-first',
      grade: 'documented',
    },
    {
      reason: 'server-error',
      text: 'Internal server error',
      cause: 'Ошибка сервера',
      retry: 'later',
      grade: 'documented',
    },
    {
      reason: 'attachment-type',
      text: 'Not allowed attachement type',
      value: '<расширение файла>',
      cause: 'Загружен запрещенный файл',
      retry: 'fix-first',
      grade: 'documented',
    },
    {
      reason: 'too-large',
      text: 'Message exceeds fixed size limit',
      cause: 'Превышен допустимый размер письма',
      retry: 'fix-first',
      grade: 'documented',
    },
    {
      reason: 'invalid-recipient',
      text: 'Invalid recipient address:',
      value: '<адрес получателя>',
      cause: 'Некорректный адрес получателя',
      retry: 'never',
      grade: 'documented',
    },
    {
      reason: 'sender-not-confirmed',
      text: 'Disallowed source address:',
      value: '<адрес отправителя>',
      cause: 'Неподтвержденный адрес отправителя',
      retry: 'fix-first',
      grade: 'documented',
    },
  ],
  rules: FACTS_2017,
  versions: [
    {
      id: '2016',
      host: HOST,
      ports: [587, 465],
      maxSize: 10_485_760,
      sender: 'address',
      bannedFiles: BANNED_EXTENSIONS,
      requiredTags: [UNSUBSCRIBE_TAG],
      facts: FACTS_2016,
    },
    {
      id: '2017-10',
      host: HOST,
      ports: [587, 465],
      maxSize: MAX_SIZE,
      sender: 'address',
      bannedFiles: 'all',
      requiredTags: [UNSUBSCRIBE_TAG, WEB_VERSION_TAG],
      facts: FACTS_2017,
    },
    {
      id: 'successor',
      host: 'smtp.devino.online',
      ports: [25, 587, 465],
      maxSize: MAX_SIZE,
      sender: 'domain',
      bannedFiles: 'all',
      requiredTags: [UNSUBSCRIBE_TAG, WEB_VERSION_TAG],
      facts: FACTS_SUCCESSOR,
    },
  ],
});
