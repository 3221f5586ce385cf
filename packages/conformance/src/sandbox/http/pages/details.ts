/**
 * What the rules found, and why a callback failed, in Russian. Rules speak English, since their verdicts are for programs
 * too; here each of their sentences is told by its form. A sentence that is not known stays as it is.
 */
import type { Language } from './language.ts';
import { html, type Markup } from './markup.ts';

/** `$1` stands for what the first pair of brackets found, and so on. */
const RUSSIAN: readonly (readonly [form: RegExp, russian: string])[] = [
  [/^(\S+) may connect$/, 'Адресу $1 можно подключаться'],
  [/^(\S+) is not on the list$/, 'Адреса $1 нет в списке'],
  [/^under TLS$/, 'Под защитой TLS'],
  [
    /^not under TLS: whoever is between can read it$/,
    'Без TLS: письмо может прочитать любой, кто стоит между сторонами',
  ],
  [/^not logged in$/, 'Вход не выполнен'],
  [/^logged in as (.*)$/s, 'Вход выполнен как $1'],
  [/^wrong login or password$/, 'Неверный логин или пароль'],
  [/^the null sender is confirmed$/, 'Пустой адрес отправителя подтверждён'],
  [/^the null sender is not a confirmed sender$/, 'Пустой адрес отправителя не подтверждён'],
  [/^(.*) is confirmed$/s, 'Отправитель $1 подтверждён'],
  [/^(.*) is not a confirmed sender$/s, 'Отправитель $1 не подтверждён'],
  [/^(.*) is a further recipient$/s, '$1 — ещё один получатель сверх первого'],
  [/^(.*) is not a valid recipient$/s, 'Адрес получателя $1 некорректен'],
  [/^(.*) is a valid recipient$/s, 'Адрес получателя $1 корректен'],
  [/^asked for by the recipient (.*)$/s, 'Запрошено самим адресом получателя $1'],
  [/^(.*) is no address$/s, '$1 — не адрес'],
  [/^(\d+) of (\d+) octets$/, '$1 из $2 байт'],
  [/^it can be read$/, 'Письмо читается'],
  [/^it cannot be read: (.*)$/s, 'Письмо не читается: $1'],
  [
    /^(\d+) recipients, (\d+) in To: only the first is sent to$/,
    'Получателей: $1, в поле To: $2; письмо уходит только первому',
  ],
  [/^one recipient$/, 'Один получатель'],
  [/^a file of type (.*)$/s, 'Файл типа $1'],
  [/^only allowed files$/, 'Только разрешённые файлы'],
  [/^no files$/, 'Файлов нет'],
  [/^UTF-8$/, 'UTF-8'],
  [/^a part is in (.*), not in UTF-8$/s, 'Часть письма в кодировке $1, а не в UTF-8'],
  [
    /^a part is not in UTF-8, though it says nothing$/,
    'Часть письма не в UTF-8, кодировка не названа',
  ],
  [/^a part is not in UTF-8, though it says (.*)$/s, 'Часть письма не в UTF-8, хотя названа $1'],
  [/^the field (\S+) is in (.*), not in UTF-8$/s, 'Поле $1 в кодировке $2, а не в UTF-8'],
  [/^the text has no (\S+)$/, 'В тексте нет $1'],
  [/^one of its texts \((.*)\) has no (\S+)$/s, 'В одном из текстов ($1) нет $2'],
  [/^(\S+) is there$/, '$1 на месте'],
  [/^nothing filtered$/, 'Ничего не отфильтровано'],
  [/^(.*) is filtered: unsubscribed$/s, 'Адрес $1 отфильтрован: отписался'],
  [/^(.*) is filtered: hard-bounced$/s, 'Адрес $1 отфильтрован: hard bounce'],

  [/^No answer came within (\d+) ms$/, 'Ответ не пришёл за $1 мс'],
  [/^It was given up$/, 'Отправка прервана'],
  [/^The connection was closed$/, 'Соединение закрыто'],
  [
    /^It was dropped: more than (\d+) events were waiting$/,
    'Не отправлялось: в очереди ждало больше $1 событий',
  ],
];

/** What a rule found, in the language of the page. */
export function detailIn(detail: string, language: Language): Markup {
  if (language === 'en') return html`<span translate="no">${sentence(detail)}</span>`;
  const russian = inRussian(detail);
  return russian === undefined
    ? html`<span lang="en" translate="no">${detail}</span>`
    : html`${russian}`;
}

/** With a capital where it begins with a word of its own, and not with an address. */
function sentence(detail: string): string {
  const own = RUSSIAN.some(([form]) => /^\^[a-z]/.test(form.source) && form.test(detail));
  return own ? detail.charAt(0).toUpperCase() + detail.slice(1) : detail;
}

/** Parts that others wrote are set apart. */
function inRussian(detail: string): Markup[] | undefined {
  for (const [form, russian] of RUSSIAN) {
    const found = form.exec(detail);
    if (found)
      return russian
        .split(/(\$\d)/)
        .map((part) =>
          part.startsWith('$')
            ? html`<bdi translate="no">${found[Number(part.slice(1))] ?? ''}</bdi>`
            : html`${part}`,
        );
  }
  return undefined;
}
