/** The inbox, a message, and what was refused. */
export const MESSAGE_TEXTS = {
  messagesCount: { en: 'Messages: {count}', ru: 'Писем: {count}' },
  filter: { en: 'Filter', ru: 'Отобрать' },
  recipient: { en: 'Recipient', ru: 'Получатель' },
  subject: { en: 'Subject', ru: 'Тема' },
  state: { en: 'State', ru: 'Состояние' },
  anyState: { en: 'Any', ru: 'Любое' },
  showAll: { en: 'Show all', ru: 'Показать все' },
  nothingFits: {
    en: 'No message fits this filter.',
    ru: 'Под этот отбор не подходит ни одно письмо.',
  },
  inboxEmpty: {
    en: 'No messages yet. They appear here as soon as they are accepted.',
    ru: 'Писем пока нет. Они появятся здесь, как только будут приняты.',
  },
  howToSetUp: { en: 'How to send one', ru: 'Как отправить письмо' },
  noSubject: { en: '(no subject)', ru: '(без темы)' },
  warningsCount: { en: 'Warnings: {count}', ru: 'Предупреждений: {count}' },

  from: { en: 'From (envelope)', ru: 'Отправитель (конверт)' },
  to: { en: 'To (envelope)', ru: 'Получатель (конверт)' },
  notSentTo: { en: 'Not sent to', ru: 'Не отправлено' },
  received: { en: 'Accepted', ru: 'Принято' },
  size: { en: 'Size', ru: 'Размер' },
  login: { en: 'Login', ru: 'Логин' },
  remoteAddress: { en: 'Client’s address', ru: 'Адрес клиента' },
  download: { en: 'Download .eml', ru: 'Скачать .eml' },
  removeMessage: {
    en: 'The message will be gone for good; the statistics still count it.',
    ru: 'Письмо исчезнет навсегда; в статистике оно останется.',
  },
  removeForGood: { en: 'Delete the message', ru: 'Удалить письмо' },
  parts: { en: 'Parts of this page', ru: 'Части страницы' },

  header: { en: 'Header', ru: 'Заголовок' },
  headerHint: {
    en: 'Decoded, as a mail program shows it; the envelope above is what it goes by.',
    ru: 'В том виде, в каком его покажет почтовая программа; доставляется письмо по конверту, он выше.',
  },
  noFields: { en: 'None of these fields is in it.', ru: 'Таких полей в нём нет.' },
  htmlPart: { en: 'HTML', ru: 'HTML' },
  textPart: { en: 'Text', ru: 'Текст' },
  links: { en: 'Links', ru: 'Ссылки' },
  verdicts: { en: 'Verdicts', ru: 'Вердикты' },
  events: { en: 'Events', ru: 'События' },
  structure: { en: 'MIME tree', ru: 'Дерево MIME' },
  transcript: { en: 'Transcript', ru: 'Диалог SMTP' },
  source: { en: 'Source', ru: 'Исходный код' },
  htmlHint: {
    en: 'As its reader gets it, the links included. No script runs here, and images from elsewhere are not loaded, so that looking at it does not count as opened.',
    ru: 'В том виде, в каком письмо получит читатель, вместе со ссылками. Скрипты здесь не выполняются, картинки с других серверов не загружаются, поэтому просмотр не считается прочтением.',
  },
  openAlone: { en: 'Open alone', ru: 'Открыть отдельно' },
  sourceCut: {
    en: 'The first {shown} of {all} are shown.',
    ru: 'Показаны первые {shown} из {all}.',
  },

  unsubscribeLink: { en: 'Unsubscribe', ru: 'Отписка' },
  webVersionLink: { en: 'Web version', ru: 'Веб-версия' },
  noLinks: { en: 'The HTML has no links.', ru: 'В HTML нет ссылок.' },
  leadsTo: { en: 'Leads to', ru: 'Куда ведёт' },
  tracked: { en: 'As it is counted', ru: 'Со счётчиком' },
  addedFields: {
    en: 'Put into its header on its way out:',
    ru: 'Добавлено в заголовок при отправке:',
  },
  noEvents: {
    en: 'Nothing has happened to it yet.',
    ru: 'С письмом пока ничего не происходило.',
  },
  files: { en: 'Files', ru: 'Файлы' },
  noName: { en: '(no name)', ru: '(без имени)' },

  stage: { en: 'Stage', ru: 'Этап' },
  grade: { en: 'Known how', ru: 'Откуда известно' },
  answered: { en: 'Answered:', ru: 'Ответ:' },
  noVerdicts: { en: 'No rule was asked.', ru: 'Правила не проверялись.' },
  noTranscript: { en: 'Nothing was said.', ru: 'Диалога не было.' },
  transcriptKey: {
    en: 'C: the client, S: the sandbox. A green edge: under TLS.',
    ru: 'C: клиент, S: песочница. Зелёная черта слева: под защитой TLS.',
  },

  refusedLead: {
    en: 'What the sandbox did not take, with the words that it gave for it. The last 500.',
    ru: 'Что песочница не приняла и какими словами ответила. Последние 500 отказов.',
  },
  refusedCount: { en: 'Refusals: {count}', ru: 'Отказов: {count}' },
  nothingRefused: { en: 'Nothing was refused.', ru: 'Отказов не было.' },
} as const;
