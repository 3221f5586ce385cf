/** The mechanisms in a whole session, as far as they need not wait for anything but the server. */
import { describe, expect, test } from 'vitest';
import {
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  type SaslMechanism,
  xoauth2,
} from '../../src/sasl/index.ts';
import { describeOutcome, play } from '../session/transcript.ts';
import { CUTS, whole } from '../wire/cuts.ts';

const TIM = { user: 'tim', pass: 'tanstaaftanstaaf' };
const BEARER = { user: 'user@example.com', token: 'vF9dft4qmTc2Nvb3' };
const XOAUTH2_FIRST = btoa(`user=${BEARER.user}\x01auth=Bearer ${BEARER.token}\x01\x01`);
const OAUTHBEARER_FIRST = btoa(`n,a=${BEARER.user},\x01auth=Bearer ${BEARER.token}\x01\x01`);
const LONG = 'x'.repeat(400);
/** Example of RFC 7628 §4.4. */
const ERROR =
  'eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NoZW1lcyI6ImJlYXJlciBtYWMiLCJzY29wZSI6Imh0dHBzOi8vbWFpbC5leGFtcGxlLmNvbS8ifQ==';

interface Case {
  readonly name: string;
  /** What the server offers. */
  readonly offered: string;
  readonly text: string;
  readonly mechanisms: readonly SaslMechanism[];
  readonly secure?: boolean;
  readonly outcome: string;
}

const OK = 'open: ok';
const REFUSED = 'open: ERR_SMTP_AUTH 535 at auth, not-sent, fix-first';
const FAILED = 'open: ERR_SMTP_AUTH at auth, not-sent, fix-first';

const cases: readonly Case[] = [
  {
    name: 'CRAM-MD5 as in RFC 2195 §2, without TLS',
    offered: 'CRAM-MD5 PLAIN',
    secure: false,
    text: `C: AUTH CRAM-MD5
      S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
      C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
      S: 235 ok`,
    mechanisms: [plain(TIM), cramMd5(TIM)],
    outcome: OK,
  },
  {
    name: 'CRAM-MD5 refused, and PLAIN not tried',
    offered: 'CRAM-MD5 PLAIN',
    text: `C: AUTH CRAM-MD5
      S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
      C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
      S: 535 no`,
    mechanisms: [plain(TIM), cramMd5(TIM)],
    outcome: REFUSED,
  },
  {
    name: 'CRAM-MD5 cancelled when there is a second challenge',
    offered: 'CRAM-MD5',
    text: `C: AUTH CRAM-MD5
      S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
      C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
      S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
      C: *
      S: 501 cancelled`,
    mechanisms: [cramMd5(TIM)],
    outcome: FAILED,
  },
  {
    name: 'CRAM-MD5 cancelled when the challenge is no base64',
    offered: 'CRAM-MD5',
    text: `C: AUTH CRAM-MD5
      S: 334 <1896.697170952@postoffice.reston.mci.net>
      C: *
      S: 501 cancelled`,
    mechanisms: [cramMd5(TIM)],
    outcome: FAILED,
  },
  {
    name: 'XOAUTH2 accepted at once',
    offered: 'PLAIN XOAUTH2',
    text: `C: AUTH XOAUTH2 ${XOAUTH2_FIRST}
      S: 235 ok`,
    mechanisms: [plain(TIM), xoauth2(BEARER)],
    outcome: OK,
  },
  {
    name: 'XOAUTH2 refused with an error, which is answered by nothing, and not tried again with the same token',
    offered: 'XOAUTH2 PLAIN',
    text: `C: AUTH XOAUTH2 ${XOAUTH2_FIRST}
      S: 334 ${ERROR}
      C:
      S: 535-5.7.8 Username and Password not accepted. Learn more at
      S: 535 5.7.8 https://support.example.com/mail`,
    mechanisms: [plain(TIM), xoauth2(BEARER)],
    outcome: REFUSED,
  },
  {
    name: 'XOAUTH2 in two steps when the token is long, and refused with an error',
    offered: 'XOAUTH2',
    text: `C: AUTH XOAUTH2
      S: 334
      C: ${btoa(`user=tim\x01auth=Bearer ${LONG}\x01\x01`)}
      S: 334 ${ERROR}
      C:
      S: 535 no`,
    mechanisms: [xoauth2({ user: 'tim', token: LONG })],
    outcome: REFUSED,
  },
  {
    name: 'XOAUTH2 cancelled when the server explains twice',
    offered: 'XOAUTH2',
    text: `C: AUTH XOAUTH2 ${XOAUTH2_FIRST}
      S: 334 ${ERROR}
      C:
      S: 334 ${ERROR}
      C: *
      S: 501 cancelled`,
    mechanisms: [xoauth2(BEARER)],
    outcome: FAILED,
  },
  {
    name: 'no XOAUTH2 and no OAUTHBEARER without TLS',
    offered: 'XOAUTH2 OAUTHBEARER',
    secure: false,
    text: '',
    mechanisms: [xoauth2(BEARER), oauthBearer(BEARER)],
    outcome: FAILED,
  },
  {
    name: 'OAUTHBEARER as in RFC 7628 §4.1',
    offered: 'LOGIN PLAIN OAUTHBEARER',
    text: `C: AUTH OAUTHBEARER bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB
      S: 235 Authentication successful.`,
    mechanisms: [
      oauthBearer({
        user: 'user@example.com',
        token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
        host: 'server.example.com',
        port: 587,
      }),
    ],
    outcome: OK,
  },
  {
    name: 'OAUTHBEARER refused with an error, which is answered by %x01 (RFC 7628 §4.4)',
    offered: 'XOAUTH2 OAUTHBEARER',
    text: `C: AUTH OAUTHBEARER ${OAUTHBEARER_FIRST}
      S: 334 ${ERROR}
      C: AQ==
      S: 535-5.7.1 Username and Password not accepted. Learn more at
      S: 535 5.7.1 http://support.example.com/mail/oauth`,
    mechanisms: [xoauth2(BEARER), oauthBearer(BEARER)],
    outcome: REFUSED,
  },
  {
    name: 'OAUTHBEARER unknown after all, then XOAUTH2',
    offered: 'XOAUTH2 OAUTHBEARER',
    text: `C: AUTH OAUTHBEARER ${OAUTHBEARER_FIRST}
      S: 504 unknown
      C: AUTH XOAUTH2 ${XOAUTH2_FIRST}
      S: 235 ok`,
    mechanisms: [xoauth2(BEARER), oauthBearer(BEARER)],
    outcome: OK,
  },
  {
    name: 'EXTERNAL with an empty response',
    offered: 'PLAIN EXTERNAL CRAM-MD5',
    text: `C: AUTH EXTERNAL =
      S: 235 ok`,
    mechanisms: [cramMd5(TIM), plain(TIM), external({})],
    outcome: OK,
  },
  {
    name: 'EXTERNAL with an authorization identity',
    offered: 'EXTERNAL',
    text: `C: AUTH EXTERNAL ZnJlZA==
      S: 235 ok`,
    mechanisms: [external({ authorizationId: 'fred' })],
    outcome: OK,
  },
  {
    name: 'EXTERNAL cancelled when the server asks',
    offered: 'EXTERNAL',
    text: `C: AUTH EXTERNAL =
      S: 334
      C: *
      S: 501 cancelled`,
    mechanisms: [external()],
    outcome: FAILED,
  },
];

const played = ({ offered, text, mechanisms, secure = true }: Case, cut = whole) =>
  play(
    {
      text: `S: 220 mail.example.com
        C: EHLO client.example
        S: 250-mail.example.com
        S: 250 AUTH ${offered}
        ${text}`,
      open: { connect: () => ({ secure }), mechanisms },
    },
    cut,
  );

describe.each(CUTS)('mechanisms in a session, cut %s', (_name, cut) => {
  test.each(cases)('Session gives $name', (scene) => {
    expect(played(scene, cut).outcomes.map(describeOutcome)).toEqual([scene.outcome]);
  });
});

describe('what is heard of mechanisms in a session', () => {
  test.each(cases)('Session lets hear no secret when it gives $name', (scene) => {
    const { heard, outcomes } = played(scene);
    const shown = [...heard, String(outcomes[0]?.error), JSON.stringify(outcomes)].join('\n');
    const secrets = [TIM.pass, BEARER.token, LONG, XOAUTH2_FIRST, OAUTHBEARER_FIRST];
    for (const secret of secrets) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(btoa(secret));
    }
    // What CRAM-MD5 says can be guessed against.
    expect(shown).not.toContain('dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw');
  });

  test('Session lets hear that the mechanism spoke when it did', () => {
    const { heard } = played(cases[0] as Case);
    expect(heard.filter((line) => line.startsWith('C:'))).toEqual([
      'C: EHLO client.example',
      'C: AUTH CRAM-MD5',
      'C: ***',
    ]);
  });

  test('Session takes the mechanisms in the order of their strength when it is offered all of them', () => {
    const mechanisms = [
      plain(TIM),
      login(TIM),
      cramMd5(TIM),
      xoauth2(BEARER),
      oauthBearer(BEARER),
      external(),
    ];
    const text = `C: AUTH EXTERNAL =
      S: 504 no
      C: AUTH OAUTHBEARER ${OAUTHBEARER_FIRST}
      S: 504 no
      C: AUTH XOAUTH2 ${XOAUTH2_FIRST}
      S: 504 no
      C: AUTH CRAM-MD5
      S: 504 no
      C: AUTH PLAIN ${btoa(`\0${TIM.user}\0${TIM.pass}`)}
      S: 504 no
      C: AUTH LOGIN
      S: 504 no`;
    const offered = mechanisms.map(({ name }) => name).join(' ');
    const scene = { name: '', offered, text, mechanisms, outcome: '' };
    expect(played(scene).outcomes.map(describeOutcome)).toEqual([
      'open: ERR_SMTP_AUTH 504 at auth, not-sent, fix-first',
    ]);
  });
});
