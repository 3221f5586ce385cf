/**
 * What is known of the provider, as data: each fact with its grade. The words that a fact rests on stand
 * in @posthorn/conformance, so that no client carries them. `explain` and `check` do not import this file.
 */
import { freeze } from './freeze.ts';
import {
  type DevinoGrade,
  HOST,
  MAX_SIZE,
  SIZE_WARNING,
  UNSUBSCRIBE_TAG,
  WEB_VERSION_TAG,
} from './limits.ts';
import { type DevinoRefusal, REFUSALS } from './refusals.ts';

/** What was documented at one time. Of what is absent, nothing is known. */
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
  /** The tag for the link to unsubscribe, which a text must hold. */
  readonly unsubscribeTag: string;
  /** The tag for the link to the web version, which a text must hold. */
  readonly webVersionTag?: string;
  /** What becomes of a message without a tag. */
  readonly missingTag?: 'accepted';
  /** Recipients of one message. */
  readonly recipients?: 1;
  /** The charset of a message. */
  readonly charset?: 'UTF-8';
  /** Whether a client has to make its IP address known beforehand. */
  readonly allowList?: boolean;
  /** The code of every refusal. */
  readonly replyCode?: 554;
  /** How sure each of it is; what is not named here is `documented`. */
  readonly grades: Partial<Readonly<Record<DevinoFact, DevinoGrade>>>;
}

/** What is graded. */
export type DevinoFact = Exclude<keyof DevinoVersion, 'id' | 'grades'>;

/** The provider profile: what `devino` holds. */
export interface DevinoProfile {
  /** The version that the values here are of. */
  readonly version: '2017-10';
  /** For `connect`: port 587, TLS by STARTTLS, required. */
  readonly starttls: { readonly host: typeof HOST; readonly port: 587; readonly tls: 'starttls' };
  /** For `connect`: port 465, TLS from the first octet. */
  readonly implicit: { readonly host: typeof HOST; readonly port: 465; readonly tls: 'implicit' };
  /** What one message may have. */
  readonly limits: {
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
 * console.log(devino.versions.map(({ maxSize }) => maxSize).join()); // 10485760,512000,512000
 * ```
 */
export const devino: DevinoProfile = /* @__PURE__ */ freeze({
  version: '2017-10',
  starttls: { host: HOST, port: 587, tls: 'starttls' },
  implicit: { host: HOST, port: 465, tls: 'implicit' },
  limits: {
    sizeWarning: SIZE_WARNING,
    maxSize: MAX_SIZE,
    recipients: 1,
    attachments: 0,
  },
  tags: [UNSUBSCRIBE_TAG, WEB_VERSION_TAG],
  replyCode: 554,
  refusals: REFUSALS,
  versions: [
    {
      id: '2016',
      host: HOST,
      ports: [587, 465],
      maxSize: 10_485_760,
      sender: 'address',
      // biome-ignore format: one list
      bannedFiles: /* @__PURE__ */ 'adp bat chm cmd com cpl exe hta ins isp jar js jse lib lnk mde msc msp mst pif scr sct shb sys vb vbe vbs vxd wsc wsf wsh'.split(' '),
      unsubscribeTag: UNSUBSCRIBE_TAG,
      grades: { host: 'guess', ports: 'guess', sender: 'guess', unsubscribeTag: 'guess' },
    },
    {
      id: '2017-10',
      host: HOST,
      ports: [587, 465],
      maxSize: MAX_SIZE,
      sender: 'address',
      bannedFiles: 'all',
      unsubscribeTag: UNSUBSCRIBE_TAG,
      webVersionTag: WEB_VERSION_TAG,
      missingTag: 'accepted',
      recipients: 1,
      charset: 'UTF-8',
      allowList: true,
      replyCode: 554,
      grades: { maxSize: 'guess', webVersionTag: 'guess', missingTag: 'observed' },
    },
    {
      id: 'successor',
      host: 'smtp.devino.online',
      ports: [25, 587, 465],
      maxSize: MAX_SIZE,
      sender: 'domain',
      bannedFiles: 'all',
      unsubscribeTag: UNSUBSCRIBE_TAG,
      webVersionTag: WEB_VERSION_TAG,
      recipients: 1,
      replyCode: 554,
      grades: { maxSize: 'guess' },
    },
  ],
});
