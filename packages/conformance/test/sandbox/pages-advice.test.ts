/** What the page of a refusal says to do about it, for each refusal that there is. */
import { describe, expect, test } from 'vitest';
import { causeOf } from '../../src/sandbox/http/pages/advice.ts';
import { CAUSES, QUOTATIONS } from '../../src/sandbox/quotations.ts';
import type { Verdict } from '../../src/sandbox/rules.ts';
import { base64, type Dialogue, mail, mailWithFile, TO } from '../dialogue.ts';
import { useBench } from '../support.ts';
import { attribute, Desk, type Element, elementsIn, elementsOf, textOf } from './desk.ts';

const classed = (page: string, name: string): Element[] =>
  elementsOf(page).filter((one) => attribute(one, 'class')?.split(' ').includes(name));

const SENDER: Verdict = {
  rule: 'sender',
  stage: 'mail',
  outcome: 'refuse',
  grade: 'documented',
  detail: 'x@example.com is not a confirmed sender',
  refusal: { reason: 'sender-not-confirmed', value: 'x@example.com' },
};
const TAG: Verdict = {
  rule: 'tags',
  stage: 'data',
  outcome: 'refuse',
  grade: 'guess',
  detail: 'the text has no [WebVersion]',
};
const LOGIN: Verdict = {
  rule: 'auth',
  stage: 'mail',
  outcome: 'refuse',
  grade: 'documented',
  detail: 'not logged in',
  refusal: { reason: 'not-authenticated' },
};

const bench = useBench();

test('troubles of connections stand below what was refused, hostile ones too', async () => {
  const { start, talk } = bench;
  const sandbox = await start();
  const dialogue = await talk(sandbox);
  await dialogue.ask('RCPT TO:<script>alert(1)</script>');
  sandbox.plan({ at: 'mail', action: { code: 451, text: '<b>Later</b>' } });
  await dialogue.ask('MAIL FROM:<a@example.com>');
  const page = async (language: string): Promise<string> =>
    (await fetch(`${sandbox.url}/refused?lang=${language}`)).text();
  const english = await page('en');
  expect(english).toContain('Troubles of connections');
  expect(english).toContain('fault at mail: 451 &lt;b&gt;Later&lt;/b&gt;');
  expect(english).toContain('501 Error');
  expect(english).not.toMatch(/<script>alert|<b>Later/);
  expect(await page('ru')).toContain('Сбои соединений');
});

describe('causeOf()', () => {
  const passed: Verdict = { ...TAG, outcome: 'pass', detail: '[Unsubscribe] is there' };
  const first: Verdict = { ...TAG, detail: 'the text has no [Unsubscribe]' };
  const other: Verdict = {
    ...SENDER,
    refusal: { reason: 'sender-not-confirmed', value: 'y@example.com' },
  };
  test.each([
    ['Must authenticate before sending mail', [passed, SENDER, LOGIN], LOGIN, 'not-authenticated'],
    [
      '5.7.1 Disallowed source address: y@example.com',
      [SENDER, other],
      other,
      'sender-not-confirmed',
    ],
    ['Transaction failed: the text has no [WebVersion]', [first, TAG], TAG, undefined],
    ['Authentication failure', [passed, LOGIN], LOGIN, 'not-authenticated'],
    ['Internal server error (nested too deep)', [SENDER], undefined, 'server-error'],
    ['Try again later', [passed], undefined, undefined],
  ] as const)('finds behind %j the verdict that said so', (text, verdicts, verdict, reason) => {
    expect(causeOf({ text, verdicts })).toEqual({ verdict, reason });
  });
});

describe('what to do', () => {
  const { start, talk, knock } = bench;

  test('is said of each refusal, in both languages, with what helps and the cause on the page', async () => {
    const [strict, shut, single] = await Promise.all([
      start({ tags: 'reject', charset: 'reject', maxSize: 2_000, filtered: 'refuse' }),
      start({ allowedAddresses: ['192.0.2.1'] }),
      start({ furtherRecipients: 'refuse', tags: 'reject' }),
    ]);
    const [dialogue, loginless, plain, stranger, several] = await Promise.all([
      talk(strict),
      talk(strict, { login: false }),
      talk(strict, { route: 'plain', login: false }),
      knock(shut, 'implicit'),
      talk(single),
    ]);
    await stranger.reply();
    const listed = await fetch(`${strict.url}/api/unsubscribed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ address: 'gone@example.com' }),
    });
    expect(listed.status).toBe(201);
    const send = (content: string, how?: Parameters<Dialogue['send']>[1]) => async () => {
      await dialogue.send(content, how);
      await dialogue.ask('RSET');
    };
    const login = `AUTH PLAIN ${base64('\0someone\0hunter2')}`;
    const cases: readonly (readonly [
      provoke: () => Promise<unknown>,
      said: string,
      href: string | undefined,
      words: string | undefined,
    ])[] = [
      [() => plain.send(), 'Switch STARTTLS on', '/setup', CAUSES['not-authenticated']],
      [() => loginless.send(), 'Let your program log in', '/setup', CAUSES['not-authenticated']],
      [() => loginless.ask(login), 'Compare login and', '/setup', CAUSES['not-authenticated']],
      [
        send(mail(), { from: 'a+b&c@example.com' }),
        'Confirm this sender, or',
        '/senders?address=a%2Bb%26c%40example.com',
        CAUSES['sender-not-confirmed'],
      ],
      [
        send(mail(), { from: '' }),
        'Let your program name a sender',
        '/senders',
        CAUSES['sender-not-confirmed'],
      ],
      [
        send(mail(), { to: ['x@example.invalid'] }),
        'no domain ends in .invalid',
        undefined,
        CAUSES['invalid-recipient'],
      ],
      [send(mailWithFile('a.zip')), 'Leave the file out', undefined, CAUSES['attachment-type']],
      [
        send(mail(`${'x'.repeat(70)}\r\n`.repeat(40))),
        'the limit is 2 kB in all',
        undefined,
        CAUSES['too-large'],
      ],
      [
        send(mail(), { to: ['554+internal@example.com'] }),
        'the recipient’s name asks for this refusal',
        '/setup#magic',
        CAUSES['server-error'],
      ],
      [
        send(mail(), { to: ['554+invalid@example.com'] }),
        'the recipient’s name asks for this refusal',
        '/setup#magic',
        CAUSES['invalid-recipient'],
      ],
      [
        send(mail(), { to: ['gone@example.com'] }),
        'on a list of those who get nothing',
        '/unsubscribed',
        CAUSES['invalid-recipient'],
      ],
      [
        send(mail('no tags')),
        'Put both tags into each text',
        undefined,
        QUOTATIONS['2017-10']['links']?.quotation,
      ],
      [
        send(mail(undefined, 'Content-Type: text/plain; charset=koi8-r')),
        'Write each text of the message in UTF-8',
        undefined,
        QUOTATIONS['2017-10']['charset']?.quotation,
      ],
      [
        () => several.send(mail(), { to: [TO, 'two@example.com'] }),
        'Send each recipient a message of their own',
        undefined,
        CAUSES['invalid-recipient'],
      ],
      [
        async () => {},
        'Let this address connect',
        undefined,
        QUOTATIONS['2017-10']['allowList']?.quotation,
      ],
    ];
    for (const [provoke, said, href, words] of cases) {
      await provoke();
      const sandbox =
        said === 'Let this address connect' ? shut : said.startsWith('Send each') ? single : strict;
      const page = async (language: string): Promise<string> =>
        (
          await fetch(`${sandbox.url}/refused/${sandbox.refused[0]?.id}`, {
            headers: { 'accept-language': language },
          })
        ).text();
      const english = await page('en');
      const [box] = classed(english, 'advice');
      const inside = box === undefined ? [] : elementsIn(box);
      expect({ said, text: box && textOf(box) }).toEqual({
        said,
        text: expect.stringContaining(said),
      });
      expect(inside.flatMap((one) => attribute(one, 'href') ?? [])).toEqual(
        href === undefined ? [] : [href],
      );
      expect(
        inside.filter(({ tagName }) => tagName === 'blockquote').map((one) => textOf(one)),
      ).toEqual([words]);
      // What refused it stands before all that passed.
      const badges = classed(english, 'outcome').map((one) => textOf(one));
      expect(badges[0], said).toBe('refused');
      // And is marked where it was said.
      const [line, ...more] = classed(english, 'refusing');
      const { code, text } = sandbox.refused[0] ?? {};
      expect(line && textOf(line), said).toBe(`the refusal: S: ${code} ${text}`);
      expect(more).toEqual([]);
      const [russian] = classed(await page('ru'), 'advice');
      expect(russian && textOf(russian)).toMatch(/^Что делать [А-Я]/);
      expect(english).not.toContain('hunter2');
    }
    expect(strict.inbox.messages).toEqual([]);
  });

  test('of what no rule refused: why the sandbox could not read it, and nothing where nothing is known', async () => {
    const desk = new Desk();
    const refuse = async (text: string, verdicts: readonly Verdict[] = []): Promise<string> => {
      desk.site.platform.refuse({
        stage: 'data',
        code: 554,
        text,
        from: '',
        to: [],
        user: undefined,
        remoteAddress: '127.0.0.1',
        secure: true,
        size: 1,
        verdicts,
        transcript: [],
      });
      return desk.page(`/refused/${desk.site.platform.refused[0]?.id}`);
    };
    expect(await refuse('Internal server error (nested too deep)', [SENDER])).toContain(
      'The sandbox could not read the message.',
    );
    expect(classed(await refuse('Something else'), 'advice')).toEqual([]);
    const many = await refuse('Must authenticate before sending mail', [SENDER, TAG, LOGIN]);
    const rules = classed(many, 'rule').map((one) => textOf(one));
    expect(rules[0]).toMatch(/^Login/);
    expect(rules).toHaveLength(3);
    expect(many).toContain('<summary>Other verdicts: 2</summary>');
  });
});
