/** Messages of all sorts for the pages to show. */
import type { Sandbox } from '../../src/index.ts';
import { type Dialogue, FROM, mail, TO } from '../dialogue.ts';

/** A message with an HTML and a text part. */
export function letter({
  subject = 'Заказ № 1024 отправлен',
  to = TO,
  html = '<p>Привет! <a href="https://shop.example/orders/1024?from=mail">Посмотреть заказ</a></p><p><a href="[WebVersion]">Открыть в браузере</a> · <a href="[Unsubscribe]">Отписаться</a></p>',
  text = 'Привет! https://shop.example/orders/1024\r\nОтписаться: [Unsubscribe] Веб-версия: [WebVersion]',
}: {
  subject?: string;
  to?: string;
  html?: string;
  text?: string;
} = {}): string {
  const base64 = (of: string): string =>
    (
      Buffer.from(of)
        .toString('base64')
        .match(/.{1,76}/g) ?? ['']
    ).join('\r\n');
  const words = (subject.match(/.{1,18}/gsu) ?? ['']).map(
    (part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`,
  );
  return [
    `From: Shop <${FROM}>`,
    `To: <${to}>`,
    `Subject: ${words.join('\r\n ')}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    base64(text),
    '--b',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    base64(html),
    '--b--',
    '',
  ].join('\r\n');
}

/** The id in the reply to a message. */
export function idIn(replies: readonly (string | undefined)[]): string {
  const [, id = ''] = /queued as (\S+)/.exec(replies.at(-1) ?? '') ?? [];
  if (id === '') throw new Error(`It was not accepted: ${replies.join(' | ')}`);
  return id;
}

/** Something of everything: messages in each state, refusals, lists, a plan. Ends with an ordinary message. */
export async function furnish(sandbox: Sandbox, dialogue: Dialogue): Promise<void> {
  const names = ['hold', 'sent', 'open', 'click', 'unsub', 'complaint', 'bounce+bad-mailbox'];
  for (const name of names) {
    const to = `${name}@example.com`;
    idIn(await dialogue.send(letter({ to, subject: `A message to ${name}` }), { to: [to] }));
  }
  await dialogue.send(letter({ subject: 'Never arrives' }), { from: 'stranger@example.com' });
  await dialogue.ask('RSET');
  await dialogue.send(letter(), { to: ['554+internal@example.com'] });
  await dialogue.send(letter(), { to: ['nobody@example.invalid'] });
  await dialogue.ask('RSET');
  idIn(await dialogue.send(mail('No tags here, and a rather long text.\r\n'.repeat(40))));
  idIn(
    await dialogue.send(letter({ subject: `Long ${'word'.repeat(60)} ${'слово '.repeat(40)}` })),
  );
  idIn(await dialogue.send(letter(), { to: [TO, 'second@example.com'] }));
  await dialogue.ask('NONSENSE');
  sandbox.plan(
    { at: 'rcpt', action: { code: 451, text: 'Try again later' }, times: 2 },
    { at: 'connect', action: { limit: 10_000, per: 60_000, code: 421, text: 'Too many' } },
  );
}

/** All that a sandbox can show: its pages, once it is furnished. */
export function pagesOf(sandbox: Sandbox): string[] {
  const message = sandbox.inbox.messages.at(-1);
  return [
    '/',
    '/?to=nobody',
    `/messages/${message?.id}`,
    '/refused',
    ...sandbox.refused.map(({ id }) => `/refused/${id}`),
    '/statistics',
    '/statistics?preset=week',
    '/senders?done=added',
    `/u/${sandbox.inbox.messages.find(({ to }) => to[0] === 'unsub@example.com')?.token}`,
    '/unsubscribed',
    '/hard-bounces',
    '/senders',
    '/plans',
    '/callbacks',
    '/setup',
    `/u/${message?.token}`,
    '/nowhere',
  ];
}
