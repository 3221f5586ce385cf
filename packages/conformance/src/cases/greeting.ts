/** GRE: what comes before the first command. */
import type { Group } from '../case.ts';
import { connections, dialogue, leaves, only, says, that } from '../judge/claims.ts';
import { good, honest, script } from '../server/plan.ts';
import { close, converse, delay, drain, flood, raw, send, slowly } from '../server/steps.ts';

/** A session of one message, whatever a client says beside it. */
const SESSION = dialogue(
  /^(EHLO|LHLO|EHLO HELO)( RSET| NOOP)* MAIL RCPT DATA/,
  'EHLO is the first command, and a message follows',
);
const QUIT_ONLY = only(/^QUIT$/i, 'nothing but QUIT is said');

/** Nothing is written until the server's nth write. */
const silentBefore = (pattern: RegExp, says: string) =>
  that(says, (wire) => {
    let said = '';
    for (const event of wire.dialogues[0]?.events ?? []) {
      if (event.who === 'server') said += event.text;
      else if (event.who === 'client') {
        if (pattern.test(said)) return true;
        return `${JSON.stringify(event.text.slice(0, 60))} after ${JSON.stringify(said)}`;
      }
    }
    return 'nothing was written';
  });

export const GREETING: Group = {
  id: 'GRE',
  title: 'Greeting',
  cases: [
    {
      id: 'GRE-01',
      level: 'MUST',
      title: '220 and a normal session',
      requirement: 'Wait for the greeting, then say EHLO',
      clause: 'RFC 5321 §3.1, §4.3.1',
      tags: ['greeting', 'sanity'],
      plays: [
        {
          server: honest(),
          expect: { client: { outcome: 'resolve' }, wire: [SESSION] },
        },
      ],
    },
    {
      id: 'GRE-02',
      level: 'MUST',
      title: 'A greeting of three lines, 100 ms apart',
      requirement: 'Say EHLO once, after the last line',
      clause: 'RFC 5321 §4.2',
      tags: ['greeting', 'multiline'],
      plays: [
        {
          server: script(
            send('220-mail.example.com'),
            delay(100),
            send('220-Welcome'),
            delay(100),
            send('220 ESMTP'),
            converse(),
          ),
          expect: {
            client: { outcome: 'resolve' },
            wire: [
              silentBefore(/^220 [^\n]*\n/m, 'no octet before the last line of the greeting'),
              says(/^EHLO /, 'one EHLO', 1),
            ],
          },
        },
      ],
    },
    {
      id: 'GRE-03',
      level: 'MUST',
      title: '554 in place of a greeting',
      requirement: 'Say nothing but QUIT, and report 554 as permanent',
      clause: 'RFC 5321 §3.1, §4.1.1.10',
      tags: ['greeting', 'refusal'],
      plays: [
        {
          server: script(send('554 No SMTP service here'), converse()),
          expect: {
            client: {
              outcome: 'reject',
              code: 554,
              temporary: false,
              text: /No SMTP service here/,
            },
            wire: [QUIT_ONLY, leaves()],
          },
        },
      ],
    },
    {
      id: 'GRE-06',
      level: 'MUST',
      title: 'A greeting after 1.5 s',
      requirement: 'Send nothing before it',
      clause: 'RFC 5321 §3.1, §4.3.1',
      tags: ['greeting', 'timing'],
      plays: [
        {
          server: honest({ greetingDelay: 1_500 }),
          expect: {
            client: { outcome: 'resolve' },
            wire: [silentBefore(/^220 [^\n]*\n/m, 'no octet before the greeting'), SESSION],
          },
        },
      ],
    },
    {
      id: 'GRE-07',
      level: 'MUST',
      title: 'No greeting ever comes',
      requirement: 'Time out by the limit of the greeting, and close the socket',
      clause: 'RFC 5321 §4.5.3.2.1',
      tags: ['greeting', 'timeout'],
      requires: ['timeouts'],
      plays: [
        {
          task: { timeouts: { greeting: 600 } },
          server: script(drain()),
          expect: {
            client: { outcome: 'reject', kind: 'timeout', delivery: 'not-sent' },
            wire: [QUIT_ONLY, leaves()],
            within: 1_600,
          },
        },
      ],
    },
  ],
};
void [close, connections, flood, good, raw, slowly];
