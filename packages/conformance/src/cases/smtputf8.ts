/** UTF: addresses and names outside ASCII. */
import type { Group } from '../case.ts';
import { type Claim, messages, never, says, that } from '../judge/claims.ts';
import { RECIPIENT, SENDER } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import { inALabels, playsOf, sending } from './sending.ts';

/** "pochta" in Cyrillic. */
const USER = '\u043f\u043e\u0447\u0442\u0430@example.org';
/** Its octets, as they are on the wire. */
const USER_OCTETS = Buffer.from(USER, 'utf8').toString('latin1');

const SMTPUTF8_SAID = says(/^MAIL FROM:<[^>]*>( \S+)* SMTPUTF8( |$)/i, 'MAIL with SMTPUTF8', 1);
const NO_SMTPUTF8 = never(/^MAIL .* SMTPUTF8\b/i, 'MAIL without SMTPUTF8');

const NAMES = {
  From: 'J\u00f6rg M\u00fcller',
  To: '\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432',
  Subject: 'Gr\u00fc\u00dfe',
} as const;

const headerOf = (text: string): string => {
  const end = text.indexOf('\r\n\r\n');
  return end === -1 ? text : text.slice(0, end + 2);
};

/** A field's body, unfolded, with its encoded-words decoded (RFC 2047 §2, §6.2). */
function fieldOf(text: string, name: string): string {
  const unfolded = headerOf(text).replace(/\r\n(?=[ \t])/g, '');
  const [, body = ''] = new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(unfolded) ?? [];
  return body
    .replace(/(=\?[^?\s]+\?[bq]\?[^?\s]*\?=)[ \t]+(?==\?)/gi, '$1')
    .replace(
      /=\?([^?*\s]+)[^?\s]*\?([bq])\?([^?\s]*)\?=/gi,
      (word: string, charset: string, encoding: string, encoded: string) => {
        const octets = /b/i.test(encoding)
          ? Buffer.from(encoded, 'base64')
          : Buffer.from(
              encoded
                .replaceAll('_', ' ')
                .replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
                  String.fromCharCode(Number.parseInt(hex, 16)),
                ),
              'latin1',
            );
        try {
          return new TextDecoder(charset).decode(octets);
        } catch {
          return word;
        }
      },
    );
}

const ASCII_HEADER = that('the header is in ASCII', (wire) => {
  const [octet] = /[^\t\r\n -~]/.exec(headerOf(wire.messages[0]?.text ?? '')) ?? [];
  return octet === undefined || `an octet ${octet.charCodeAt(0)}`;
});
const encoded = (field: keyof typeof NAMES): Claim =>
  that(`${field} has encoded-words of ${NAMES[field]}`, (wire) => {
    const [message] = wire.messages;
    if (!message) return 'there is no message';
    const body = fieldOf(message.text, field);
    return body.includes(NAMES[field]) || JSON.stringify(body);
  });

export const SMTPUTF8: Group = {
  id: 'UTF',
  title: 'SMTPUTF8',
  cases: [
    {
      id: 'UTF-02',
      level: 'MUST',
      title: 'SMTPUTF8 offered, a local part outside ASCII',
      requirement: 'Write the address in UTF-8, and SMTPUTF8 in MAIL',
      clause: 'RFC 6531 §3.2, §3.4',
      tags: ['smtputf8', 'envelope'],
      requires: ['smtputf8'],
      plays: [
        {
          title: 'recipient',
          task: sending({ to: [USER] }),
          server: honest(),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              SMTPUTF8_SAID,
              says(new RegExp(`^RCPT TO:<${USER_OCTETS}>$`, 'i'), `RCPT TO:<${USER}>`, 1),
            ],
          },
        },
        {
          title: 'sender',
          task: sending({ from: USER }),
          server: honest(),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              SMTPUTF8_SAID,
              says(new RegExp(`^MAIL FROM:<${USER_OCTETS}> `, 'i'), `MAIL FROM:<${USER}>`, 1),
            ],
          },
        },
      ],
    },
    {
      id: 'UTF-03',
      level: 'SHOULD',
      title: 'SMTPUTF8 offered, and all in ASCII',
      requirement: 'Do not say SMTPUTF8',
      clause: 'RFC 6531 §3.4',
      tags: ['smtputf8', 'envelope'],
      plays: [
        {
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: [NO_SMTPUTF8] },
        },
      ],
    },
    {
      id: 'UTF-04',
      level: 'MUST',
      title: 'SMTPUTF8 not offered, only a domain outside ASCII',
      requirement: 'Write it in A-labels',
      clause: 'RFC 6531 §3.2, §3.7; RFC 5890 §2.3.2.1',
      tags: ['smtputf8', 'idn'],
      plays: playsOf(
        [
          {
            title: 'sender',
            message: { from: 'sender@b\u00fccher.example' },
            path: { from: 'sender@xn--bcher-kva.example' },
          },
          {
            title: 'recipient',
            message: { to: ['recipient@b\u00fccher.example'] },
            path: { to: 'recipient@xn--bcher-kva.example' },
          },
        ],
        ({ title, message, path }) => ({
          title,
          task: sending(message),
          server: honest({ extensions: ['PIPELINING'] }),
          expect: {
            client: { outcome: 'resolve', level: 'SHOULD' },
            wire: [...inALabels(path), NO_SMTPUTF8],
          },
        }),
      ),
      note: 'To refuse the message is a warning: RFC 6531 §3.2 allows it',
    },
    {
      id: 'UTF-05',
      level: 'MUST',
      title: 'SMTPUTF8 not offered, names and a subject outside ASCII',
      requirement: 'Write them as encoded-words: the header is in ASCII',
      clause: 'RFC 6531 §3.2; RFC 2047 §5',
      tags: ['smtputf8', 'compose', 'header'],
      requires: ['compose'],
      plays: [
        {
          task: sending({
            content: {
              fields: {
                from: { name: NAMES.From, address: SENDER },
                to: [{ name: NAMES.To, address: RECIPIENT }],
                subject: NAMES.Subject,
                text: 'Hello.\n',
              },
            },
          }),
          server: honest({ extensions: ['PIPELINING'] }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [NO_SMTPUTF8, ASCII_HEADER, encoded('From'), encoded('To'), encoded('Subject')],
          },
        },
      ],
    },
    {
      id: 'UTF-06',
      level: 'MUST',
      title: 'SMTPUTF8 offered with parameters',
      requirement: 'Behave as if they were not there',
      clause: 'RFC 6531 §3.1 (3)',
      tags: ['smtputf8', 'ehlo'],
      requires: ['smtputf8'],
      plays: [
        {
          task: sending({ to: [USER] }),
          server: good({ offers: ['8BITMIME', 'SMTPUTF8 foo bar=1'] }),
          expect: { client: { outcome: 'resolve' }, wire: [SMTPUTF8_SAID, messages(1)] },
        },
      ],
    },
    {
      id: 'UTF-07',
      level: 'INFO',
      title: 'SMTPUTF8 offered without 8BITMIME',
      requirement: 'Send, or refuse to',
      clause: 'RFC 6531 §3.1 (8)',
      tags: ['smtputf8', 'ehlo'],
      requires: ['smtputf8'],
      plays: [
        {
          task: sending({ to: [USER] }),
          server: good({ offers: ['SMTPUTF8'] }),
          expect: { client: { outcome: 'settle' } },
          deadline: 3_000,
        },
      ],
    },
    {
      id: 'UTF-08',
      level: 'MUST',
      title: 'Half a surrogate pair in an address',
      requirement: 'Refuse it: no UTF-8 says it, and another address would be written',
      clause: 'RFC 6531 §3.3; RFC 3629 §3',
      tags: ['smtputf8', 'envelope', 'security'],
      requires: ['smtputf8'],
      plays: playsOf(
        [
          {
            title: 'high, sender',
            message: { from: 'se\ud83dnder@example.com' },
            claim: /^MAIL\b/i,
          },
          {
            title: 'low, sender',
            message: { from: '\udc00sender@example.com' },
            claim: /^MAIL\b/i,
          },
          {
            title: 'high, recipient',
            message: { to: ['re\ud83dcipient@example.org'] },
            claim: /^RCPT\b/i,
          },
          {
            title: 'low, domain',
            message: { to: ['recipient@ex\udc00ample.org'] },
            claim: /^RCPT\b/i,
          },
        ],
        ({ title, message, claim }) => ({
          title,
          task: sending(message),
          server: honest(),
          expect: {
            client: { outcome: 'reject', delivery: 'not-sent' },
            wire: [never(claim, 'the address is not written')],
          },
        }),
      ),
    },
  ],
};
