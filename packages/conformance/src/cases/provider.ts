/** DEV: the provider's 554s, and its rules. */
import type { Case, Group, OutcomeExpectation, Play, TaskPlan } from '../case.ts';
import { connections } from '../judge/claims.ts';
import { CREDENTIALS, RECIPIENT, SENDER } from '../runner/run-case.ts';
import { REFUSALS, type RefusalReason } from '../sandbox/profile.ts';
import { good, honest } from '../server/plan.ts';
import { type Answers, close, send } from '../server/steps.ts';
import type { ClientTask, FailureKind } from '../task.ts';
import { literal } from './literal.ts';
import {
  type At,
  type Details,
  documented,
  type Form,
  MESSAGE,
  messageOf,
  NAMED,
  NAMED_OTHERWISE,
  OFFERED,
  REASONS,
  type Refusal,
  refusal,
  replay,
  replays,
  STAGES,
  told,
} from './provider-plays.ts';

/** A documented text with another value behind it. */
const valued = (
  reason: RefusalReason,
  title: string,
  value: string,
  details: Details,
  more: Partial<Refusal> = {},
): Play => {
  const { stage = 'dot' } = more;
  return refusal({
    title,
    stage,
    reply: `554 ${documented(reason, value)}`,
    expect: told(reason, stage, details),
    ...more,
  });
};

const attachment = (title: string, value: string, extension: Details['extension']): Play =>
  valued('attachment-type', title, value, { extension });
const recipient = (title: string, value: string, address: string, task: TaskPlan = {}): Play =>
  valued('invalid-recipient', title, value, { address }, { task });

/** A task for one message to somebody else. */
const to = (address: string): TaskPlan => ({ messages: [{ ...MESSAGE, to: [address] }] });
const from = (address: string): TaskPlan => ({ messages: [{ ...MESSAGE, from: address }] });

/** A text that no documentation has. */
const unknown = (stage: At, text: string, kind: FailureKind): Play =>
  refusal({
    title: `${stage} / ${text}`,
    stage,
    reply: `554 ${text}`,
    expect: {
      outcome: 'reject',
      kind,
      code: 554,
      temporary: false,
      text: literal(text),
      stage,
      reason: undefined,
      address: undefined,
      extension: undefined,
    },
  });

/** How people and programs change a text, with its value. */
const UPPER: Form = ['upper case', (text) => `554 ${text.toUpperCase()}`];
const SPACED: Form = [
  'double blanks and a full stop',
  (text) => `554  ${text.replaceAll(' ', '  ')}.`,
];

/** A text in another spelling: its reason only. */
const spelled = (reason: RefusalReason, form: Form): Play => {
  const stage = STAGES[reason][0] as At;
  const words = new RegExp(REFUSALS[reason].text.replaceAll(' ', ' +'), 'i');
  return replay(reason, stage, form, {
    expect: { ...told(reason, stage, {}), text: words },
    honest: form === UPPER,
  });
};

/** A documented text with another code. */
const coded = (code: number, reason: RefusalReason, stage: At): Play =>
  replay(reason, stage, [`${code}`, (text) => `${code} ${text}`], {
    expect: {
      ...told(reason, stage),
      code,
      temporary: code < 500,
      ...(stage === 'RCPT' ? { rejected: [{ address: RECIPIENT, code }] } : {}),
    },
  });

/** The name of the code behind the text. */
const REVERSED: Form = [
  'Transaction failed behind it',
  (text) => `554-${text}\n554 Transaction failed`,
];
const REVERSED_WITH_CODES: Form = [
  'Transaction failed behind it, with enhanced status codes',
  (text) => `554-5.6.0 ${text}\n554 5.6.0 Transaction failed`,
];

/** A refusal of the recipient, parted inside the address. */
const [HEAD, TAIL] = [documented('invalid-recipient', RECIPIENT.slice(0, 14)), RECIPIENT.slice(14)];
const folded = (title: string, stage: 'RCPT' | 'dot', reply: string): Play =>
  refusal({
    title: `${stage} / ${title}`,
    stage,
    reply,
    // Any of its words: how the lines are joined is the client's.
    expect: { ...told('invalid-recipient', stage), text: /Invalid/ },
  });

/** The connection ends in place of a reply. */
const cut = (stage: 'MAIL' | 'RCPT' | 'dot'): Play => ({
  title: stage,
  server: good({ offers: OFFERED, answers: { [stage]: close() } }),
  expect: {
    client: {
      outcome: 'reject',
      kind: 'closed',
      reason: undefined,
      ...(stage === 'dot'
        ? { delivery: 'unknown' as const }
        : { delivery: 'not-sent' as const, temporary: true }),
    },
  },
});

/** What breaks a rule is told before there is a connection. */
const kept = (
  title: string,
  message: ClientTask['messages'][number],
  client: Partial<OutcomeExpectation>,
): Play => ({
  title,
  task: { provider: 'devino', messages: [message] },
  server: honest(),
  expect: {
    client: { outcome: 'reject', delivery: 'not-sent', temporary: false, ...client },
    wire: [connections(0)],
  },
});
/** What breaks none is sent, so that nobody passes by refusing everything. */
const sent = (title: string, message: ClientTask['messages'][number]): Play => ({
  title,
  task: { provider: 'devino', messages: [message] },
  server: honest(),
  expect: { client: { outcome: 'resolve' } },
});
const FIELDS = {
  from: SENDER,
  to: [RECIPIENT],
  subject: 'A test',
  text: 'Hello. Open: [WebVersion] Unsubscribe: [Unsubscribe]',
};

/** What the library says to a client that has annoyed it, and to this one for nothing. */
const DISMISSAL = [send('221 Too many bad commands. Bye!'), close()];
const dismissed = (title: string, answers: Answers): Play => ({
  title,
  server: good({ offers: OFFERED, answers }),
  expect: { client: { outcome: 'settle' } },
  deadline: 3_000,
});

/** What is alike in most cases of this group. */
const devino = (
  id: string,
  level: Case['level'],
  title: string,
  requirement: string,
  plays: readonly Play[],
  more: Partial<Case> = {},
): Case => ({
  id,
  level,
  title,
  requirement,
  clause: 'provider documentation',
  tags: ['provider', 'refusal'],
  requires: ['provider'],
  plays: plays as Case['plays'],
  ...more,
});
/** What is behind the choice of the servers. */
const FORMS_NOTE =
  'smtp-server says the text as it is documented; the scripted server replies of several lines, which the other does not have, and what else is added to the text.';
const LIBRARY = 'Seen in Rnwood.SmtpServer, on which the provider is likely to be built.';

export const PROVIDER: Group = {
  id: 'DEV',
  title: 'The 554s of Devino',
  cases: [
    devino(
      'DEV-01',
      'MUST',
      `554 ${REFUSALS['not-authenticated'].text} to MAIL, without credentials`,
      'Say that a login is missing',
      replays('not-authenticated', 'MAIL'),
      { tags: ['provider', 'refusal', 'auth'], note: FORMS_NOTE },
    ),
    devino(
      'DEV-03',
      'MUST',
      '535 Authentication failure to AUTH',
      'Say that the login is wrong, keep 535, and do not go on to MAIL',
      [
        refusal({
          title: 'a wrong password',
          stage: 'AUTH',
          reply: '',
          task: { auth: { user: CREDENTIALS.user, pass: 'wrong' } },
          expect: {
            outcome: 'reject',
            kind: 'auth',
            code: 535,
            reason: 'not-authenticated',
            stage: 'AUTH',
            temporary: false,
            text: /Authentication failure/,
            delivery: 'not-sent',
          },
        }),
      ],
      { tags: ['provider', 'refusal', 'auth'], note: LIBRARY },
    ),
    devino(
      'DEV-04',
      'MUST',
      `554 ${REFUSALS['not-authenticated'].text} to AUTH, to RCPT or to the final dot`,
      'Say that a login is missing or wrong; after AUTH, do not go on to MAIL',
      (['AUTH', 'RCPT', 'dot'] as const).flatMap((stage) => replays('not-authenticated', stage)),
      { tags: ['provider', 'refusal', 'auth'], note: FORMS_NOTE },
    ),
    devino(
      'DEV-05',
      'MUST',
      `554 ${REFUSALS['server-error'].text} at any stage`,
      'Say that it is a fault of the server; whether trying again may help is left to the client',
      STAGES['server-error']
        // The greeting has a case of its own.
        .filter((stage) => stage !== 'greeting')
        .flatMap((stage) => replays('server-error', stage)),
      { note: `${FORMS_NOTE} smtp-server cannot refuse EHLO, STARTTLS and DATA.` },
    ),
    devino(
      'DEV-06',
      'MUST',
      `554 ${REFUSALS['server-error'].text} in place of a greeting`,
      'Say that it is a fault of the server, and say nothing to it but QUIT',
      replays('server-error', 'greeting'),
      { tags: ['provider', 'refusal', 'greeting'], note: FORMS_NOTE },
    ),
    devino(
      'DEV-07',
      'SHOULD',
      'The connection ends in place of a reply',
      'Say that it was closed; before the final dot trying again may help, behind it nobody knows',
      (['MAIL', 'RCPT', 'dot'] as const).map(cut),
      { tags: ['provider', 'disconnect'], requires: [], note: LIBRARY },
    ),
    devino(
      'DEV-08',
      'MUST',
      `554 ${documented('attachment-type')} to the final dot`,
      'Say that the file is not allowed, and which extension it has',
      replays('attachment-type', 'dot'),
      { note: FORMS_NOTE },
    ),
    devino(
      'DEV-10',
      'SHOULD',
      'A file that is not allowed, in other spellings',
      'Tell the extension in lower case, without quotes and its first dot; none where none is named',
      [
        refusal({
          title: 'attachment spelled right',
          stage: 'dot',
          reply: `554 ${documented('attachment-type').replace('attachement', 'attachment')}`,
          expect: { ...told('attachment-type', 'dot'), text: literal('attachment type') },
        }),
        attachment('without a dot', 'exe', 'exe'),
        attachment('in upper case', 'EXE', 'exe'),
        attachment('in quotes', '"exe"', 'exe'),
        attachment('tar.gz', 'tar.gz', 'tar.gz'),
        attachment('in Cyrillic', '.ехе', 'ехе'),
        attachment('none', '', undefined),
        valued('attachment-type', 'a media type', 'application/zip', {}),
      ],
    ),
    devino(
      'DEV-11',
      'MUST',
      `554 ${REFUSALS['too-large'].text} to the final dot, or to MAIL with SIZE`,
      'Say that the message is too large',
      [...replays('too-large', 'dot'), ...replays('too-large', 'MAIL')],
      { tags: ['provider', 'refusal', 'size'], note: FORMS_NOTE },
    ),
    devino(
      'DEV-13',
      'MUST',
      `554 ${documented('invalid-recipient')} to RCPT`,
      'Say that the recipient is invalid, and which',
      replays('invalid-recipient', 'RCPT'),
      { note: FORMS_NOTE },
    ),
    devino(
      'DEV-14',
      'MUST',
      `554 ${documented('invalid-recipient')} to the final dot`,
      'Say that the recipient is invalid, and which, although no RCPT was refused',
      replays('invalid-recipient', 'dot'),
      { note: FORMS_NOTE },
    ),
    devino(
      'DEV-15',
      'SHOULD',
      'An invalid recipient in other spellings',
      'Tell the address in the spelling of the envelope, else as the text has it without what surrounds it',
      [
        recipient('in angle brackets', `<${RECIPIENT}>`, RECIPIENT),
        recipient('with a full stop', `${RECIPIENT}.`, RECIPIENT),
        recipient('in upper case', RECIPIENT.toUpperCase(), RECIPIENT),
        recipient('none', '', RECIPIENT),
        recipient(
          'a quoted local part with a colon',
          '"a:b"@example.org',
          '"a:b"@example.org',
          to('"a:b"@example.org'),
        ),
        recipient(
          'U-labels for A-labels',
          'user@пример.испытание',
          'user@xn--e1afmkfd.xn--80akhbyknj4f',
          to('user@xn--e1afmkfd.xn--80akhbyknj4f'),
        ),
        recipient('UTF-8 that was not sent', 'почта@пример.рф', 'почта@пример.рф'),
        recipient('one that was not sent', 'other@example.net', 'other@example.net'),
      ],
    ),
    devino(
      'DEV-16',
      'MUST',
      `554 ${documented('sender-not-confirmed')} to MAIL, to RCPT or to the final dot`,
      'Say that the sender is not confirmed, and which',
      (['MAIL', 'RCPT', 'dot'] as const).flatMap((stage) => replays('sender-not-confirmed', stage)),
      { note: FORMS_NOTE },
    ),
    devino(
      'DEV-17',
      'SHOULD',
      'The address of an unconfirmed sender is not that of MAIL',
      'Tell the address of the text: it may be that of the header From',
      (['MAIL', 'RCPT', 'dot'] as const).map((stage) =>
        valued(
          'sender-not-confirmed',
          stage,
          'header@example.net',
          { address: 'header@example.net' },
          { stage },
        ),
      ),
    ),
    devino(
      'DEV-18',
      'MUST',
      'Every documented text behind "Transaction failed", at every stage',
      'Tell the same as without these words',
      [
        ...REASONS.flatMap((reason) =>
          STAGES[reason].map((stage, at) => replay(reason, stage, NAMED, { honest: at === 0 })),
        ),
        ...NAMED_OTHERWISE.map((form) =>
          replay('invalid-recipient', 'RCPT', form, { honest: false }),
        ),
      ],
      {
        note: 'The documentation says "554 Transaction failed" and a text; whether the words are on the wire is not known. With enhanced status codes and on two lines: in the cases above.',
      },
    ),
    devino(
      'DEV-20',
      'SHOULD',
      'Every documented text in front of "Transaction failed", on a line of its own; a text parted inside its address',
      'Read all lines as one text',
      [
        ...REASONS.flatMap((reason) =>
          STAGES[reason].map((stage) => replay(reason, stage, REVERSED)),
        ),
        ...REASONS.map((reason) => replay(reason, STAGES[reason][0] as At, REVERSED_WITH_CODES)),
        ...(['RCPT', 'dot'] as const).flatMap((stage) => [
          folded('parted inside the address', stage, `554-${HEAD}\n554 ${TAIL}`),
          folded(
            'parted inside the address, with enhanced status codes',
            stage,
            `554-5.6.0 Transaction failed: ${HEAD}\n554 5.6.0 ${TAIL}`,
          ),
          folded(
            'parted between words',
            stage,
            `554-${REFUSALS['invalid-recipient'].text.replaceAll(' ', '\n554-')}\n554 ${RECIPIENT}`,
          ),
        ]),
      ],
      { tags: ['provider', 'refusal', 'multiline'] },
    ),
    devino(
      'DEV-21',
      'MUST',
      '554 Transaction failed alone, or with a text that is not documented',
      'Say that the message is refused for good, keep the text, and guess no reason',
      [
        unknown('dot', 'Transaction failed', 'data'),
        unknown('dot', 'Transaction failed: message looks like spam', 'data'),
        unknown('dot', 'The recipient address was not liked', 'data'),
        unknown('MAIL', 'Transaction failed', 'sender'),
        unknown('RCPT', 'Transaction failed', 'recipient'),
      ],
    ),
    devino(
      'DEV-22',
      'SHOULD',
      'The documented texts in upper case, with double blanks, with a full stop',
      'Tell the same reason',
      REASONS.flatMap((reason) => [spelled(reason, UPPER), spelled(reason, SPACED)]),
    ),
    devino(
      'DEV-23',
      'SHOULD',
      'A documented text with 550, 552, 530, 450 or 451',
      'Tell the same reason; whether trying again may help is told by the code',
      [
        coded(550, 'invalid-recipient', 'RCPT'),
        coded(550, 'sender-not-confirmed', 'MAIL'),
        coded(552, 'too-large', 'MAIL'),
        coded(552, 'attachment-type', 'dot'),
        coded(530, 'not-authenticated', 'MAIL'),
        coded(450, 'invalid-recipient', 'RCPT'),
        coded(451, 'too-large', 'dot'),
        coded(451, 'server-error', 'dot'),
      ],
    ),
    devino(
      'DEV-24',
      'SHOULD',
      'A documented text inside the address of another',
      'Go by the text at the start of the reply',
      [
        ...(['RCPT', 'dot'] as const).flatMap((stage) =>
          [REFUSALS['server-error'].text, REFUSALS['too-large'].text].map((text) => {
            const address = `"${text}"@example.org`;
            return valued(
              'invalid-recipient',
              `${stage} / ${text}`,
              address,
              { address, ...(stage === 'RCPT' ? { rejected: [{ address, code: 554 }] } : {}) },
              { stage, task: to(address), honest: false },
            );
          }),
        ),
        ...[REFUSALS['server-error'].text, REFUSALS['not-authenticated'].text].map((text) => {
          const address = `"${text}"@example.com`;
          return valued(
            'sender-not-confirmed',
            `MAIL / ${text}`,
            address,
            { address },
            { stage: 'MAIL', task: from(address), honest: false },
          );
        }),
      ],
      {
        tags: ['provider', 'refusal', 'security'],
        note: 'On the scripted server: smtp-server refuses a blank in a quoted local part, which RFC 5321 §4.1.2 allows.',
      },
    ),
    devino(
      'DEV-25',
      'SHOULD',
      'A message for two recipients',
      'Refuse it before there is a connection: only the first would get it',
      [
        kept(
          'in the envelope',
          { ...MESSAGE, to: [RECIPIENT, 'second@example.org'] },
          { kind: ['invalid', 'recipient'] },
        ),
        {
          ...kept(
            'in the header To',
            {
              ...MESSAGE,
              content: { fields: { ...FIELDS, to: [RECIPIENT, 'second@example.org'] } },
            },
            { kind: ['invalid', 'recipient'] },
          ),
          requires: ['compose'],
        },
        sent('one recipient', MESSAGE),
      ],
      { tags: ['provider', 'preflight'], requires: ['preflight'] },
    ),
    devino(
      'DEV-26',
      'SHOULD',
      'A message of 512,001 octets',
      'Refuse it before there is a connection',
      [
        kept(
          '512,001 octets',
          { ...MESSAGE, content: { octets: messageOf(512_001) } },
          { kind: ['invalid', 'size'], reason: ['too-large', undefined] },
        ),
        sent('500,000 octets', { ...MESSAGE, content: { octets: messageOf(500_000) } }),
      ],
      {
        tags: ['provider', 'preflight', 'size'],
        requires: ['preflight'],
        note: '500 KB are 500,000 or 512,000 octets; between the two a client may do either.',
      },
    ),
    devino(
      'DEV-27',
      'SHOULD',
      'A message with an attachment',
      'Refuse it before there is a connection',
      [
        kept(
          'one file',
          {
            ...MESSAGE,
            content: {
              fields: { ...FIELDS, attachments: [{ filename: 'setup.exe', content: 'MZ' }] },
            },
          },
          { kind: ['invalid', 'content'] },
        ),
        sent('no file', { ...MESSAGE, content: { fields: FIELDS } }),
      ],
      { tags: ['provider', 'preflight'], requires: ['preflight', 'compose'] },
    ),
    devino(
      'DEV-28',
      'INFO',
      '221 Too many bad commands. Bye! that nobody asked for, and the end',
      'Settle, and say that the connection was closed',
      [
        dismissed('in place of the answer to RCPT', { RCPT: DISMISSAL }),
        dismissed('behind the answer to EHLO', {
          EHLO: [send('250-mail.example.com', '250 8BITMIME'), ...DISMISSAL],
        }),
      ],
      { tags: ['provider', 'disconnect'], requires: [], note: LIBRARY },
    ),
  ],
};
