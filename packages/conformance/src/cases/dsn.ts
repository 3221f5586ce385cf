/** DSN: what a client may ask of delivery status notifications, and of whom. */
import type { Group } from '../case.ts';
import { never } from '../judge/claims.ts';
import { RECIPIENT } from '../runner/run-case.ts';
import { good, honest } from '../server/plan.ts';
import type { TaskMessage } from '../task.ts';
import { playsOf, sending } from './sending.ts';

const OFFERED = honest({ extensions: ['PIPELINING', 'DSN'] });

const NO_ENVID = never(/^MAIL .* ENVID=/i, 'no ENVID, whole or cut');
const NO_ORCPT = never(/^RCPT .* ORCPT=/i, 'no ORCPT, whole or cut');

export const DSN: Group = {
  id: 'DSN',
  title: 'DSN',
  cases: [
    {
      id: 'DSN-01',
      level: 'MUST',
      title: 'DSN wanted, and not offered',
      requirement: 'Say no RET, ENVID, NOTIFY or ORCPT',
      clause: 'RFC 3461 §3, §5.2.2',
      tags: ['dsn', 'ehlo'],
      requires: ['dsn'],
      plays: playsOf(
        [
          { title: 'nothing like it', server: honest() },
          { title: 'only XDSN and DSNX', server: good({ offers: ['PIPELINING', 'XDSN', 'DSNX'] }) },
        ],
        ({ title, server }) => ({
          title,
          task: sending({
            ret: 'hdrs',
            envid: 'QQ314159',
            to: [
              { address: RECIPIENT, notify: ['success', 'failure'], orcpt: `rfc822;${RECIPIENT}` },
            ],
          }),
          server,
          expect: {
            client: { outcome: 'settle' },
            wire: [
              never(/^MAIL .* RET=/i, 'MAIL without RET'),
              never(/^MAIL .* ENVID=/i, 'MAIL without ENVID'),
              never(/^RCPT .* NOTIFY=/i, 'RCPT without NOTIFY'),
              never(/^RCPT .* ORCPT=/i, 'RCPT without ORCPT'),
            ],
          },
        }),
      ),
      note: 'To send without them, or not at all, is left to the client. smtp-server offers no other keywords, so one server is scripted',
    },
    {
      id: 'DSN-03',
      level: 'MUST',
      title: 'NEVER together with other values of NOTIFY',
      requirement: 'Refuse it: NEVER stands alone',
      clause: 'RFC 3461 §4.1',
      tags: ['dsn', 'syntax'],
      requires: ['dsn'],
      plays: playsOf(
        [
          ['never', 'success'],
          ['failure', 'never'],
        ] as const,
        (notify) => ({
          title: notify.join(', '),
          task: sending({ to: [{ address: RECIPIENT, notify }] }),
          server: OFFERED,
          expect: {
            client: { outcome: 'reject', level: 'SHOULD' },
            wire: [
              never(/^RCPT .* NOTIFY=([^ ]*,NEVER|NEVER,)/i, 'no NOTIFY with NEVER and others'),
            ],
          },
        }),
      ),
      note: 'To ask for less than was wanted is a warning',
    },
    {
      id: 'DSN-04',
      level: 'MUST',
      title: 'ENVID over 100 octets, ORCPT over 500',
      requirement: 'Refuse them; never cut them',
      clause: 'RFC 3461 §4.2, §4.4, §5.4',
      tags: ['dsn', 'limits'],
      requires: ['dsn'],
      plays: playsOf(
        [
          { title: 'ENVID of 101', message: { envid: 'x'.repeat(101) } },
          // Each is three octets as xtext.
          { title: 'ENVID of 34, encoded 102', message: { envid: '+'.repeat(34) } },
          { title: 'ORCPT over 500', message: orcpt('x'.repeat(500)) },
          { title: 'ORCPT of 200, encoded over 500', message: orcpt('='.repeat(180)) },
        ],
        ({ title, message }) => ({
          title,
          task: sending(message),
          server: OFFERED,
          expect: {
            client: { outcome: 'reject', level: 'SHOULD' },
            wire: [NO_ENVID, NO_ORCPT],
          },
        }),
      ),
      note: 'The RFC says what length MAY be sent, and that no server need take more. To send without them is a warning',
    },
    {
      id: 'DSN-05',
      level: 'MUST',
      title: 'A line break in ENVID',
      requirement: 'Write it as xtext, or refuse it',
      clause: 'RFC 3461 §4, §4.4; CWE-93',
      tags: ['dsn', 'security', 'injection'],
      requires: ['dsn'],
      plays: playsOf(['\r\n', '\n', '\r', '\0'], (end) => ({
        title: JSON.stringify(end),
        task: sending({ envid: `a${end}RCPT TO:<evil@example.com>` }),
        server: OFFERED,
        expect: {
          client: { outcome: 'settle' },
          wire: [
            never(/^RCPT TO:<evil/i, 'no command out of ENVID'),
            never(
              /^MAIL (?!FROM:<[^<> ]*>( (BODY=\w+|RET=\w+|ENVID=([!-*,-<>-~]|\+[0-9A-F]{2})+))*$)/i,
              'ENVID is one word of xtext, or absent',
            ),
          ],
        },
      })),
    },
  ],
};

function orcpt(address: string): Partial<TaskMessage> {
  return { to: [{ address: RECIPIENT, orcpt: `rfc822;${address}@example.org` }] };
}
