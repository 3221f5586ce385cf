/** Statistics and lists of addresses. */
export const LIST_TEXTS = {
  statisticsLead: {
    en: 'Each message counts once, in the latest state that it reached, in the hour in which it was taken.',
    ru: 'Каждое письмо учитывается один раз: в последнем достигнутом состоянии и в том часе, когда оно было принято.',
  },
  statisticsCounts: {
    en: 'Delivery errors include what the filter held back. Rejected counts only what was refused behind its content: a message that is refused earlier, for its sender or recipient, is on the list of refusals alone.',
    ru: 'В ошибки при доставке входят и отфильтрованные письма. В «Отклонено» попадает только то, что получило отказ уже после текста письма: отказы на более раннем шаге, из-за отправителя или получателя, есть лишь в списке отказов.',
  },
  timeZone: { en: 'Time zone:', ru: 'Часовой пояс:' },
  inApi: { en: 'in the REST interface: {name}', ru: 'в интерфейсе REST: {name}' },
  period: { en: 'Period', ru: 'Период' },
  presetAll: { en: 'All', ru: 'Всё время' },
  presetToday: { en: 'Today', ru: 'Сегодня' },
  presetWeek: { en: 'Week', ru: 'Неделя' },
  presetMonth: { en: 'Month', ru: 'Месяц' },
  presetThreeMonths: { en: '3 months', ru: '3 месяца' },
  periodFrom: { en: 'From', ru: 'С' },
  periodTo: { en: 'Until', ru: 'По' },
  showPeriod: { en: 'Show', ru: 'Показать' },
  wholeHours: {
    en: 'Counted by full hours: an hour that has begun is in it.',
    ru: 'Считается по целым часам: начавшийся час входит в период.',
  },
  noSuchPreset: { en: 'There is no such period.', ru: 'Такого периода нет.' },
  noTime: { en: 'This is no date and time.', ru: 'Это не дата и время.' },
  periodEnds: {
    en: 'This is no time, or does not come after the beginning.',
    ru: 'Это не дата и время, или конец не позже начала.',
  },
  table: { en: 'Table', ru: 'Таблица' },
  messages: { en: 'Messages', ru: 'Писем' },
  chartLabel: {
    en: 'Bars of the numbers in the table on this page',
    ru: 'Столбцы чисел из таблицы на этой странице',
  },

  address: { en: 'Address', ru: 'Адрес' },
  noAddress: {
    en: 'This is no address: it has to be name@domain.',
    ru: 'Это не адрес: нужен вид имя@домен.',
  },
  noSender: {
    en: 'This is neither name@domain nor @domain.',
    ru: 'Нужен вид имя@домен или @домен.',
  },
  message: { en: 'Message', ru: 'Письмо' },
  how: { en: 'How', ru: 'Как' },
  comment: { en: 'Reason', ru: 'Причина' },
  reason: { en: 'Reason', ru: 'Причина' },

  unsubscribedLead: {
    en: 'Nothing is sent to these addresses: a message to one is answered with 250, and counts as a delivery error.',
    ru: 'На эти адреса ничего не отправляется: на письмо приходит ответ 250, а в статистике оно попадает в ошибки при доставке.',
  },
  nobodyUnsubscribed: { en: 'Nobody has unsubscribed.', ru: 'Никто не отписался.' },
  sourcePage: { en: 'by the page behind the link', ru: 'на странице по ссылке' },
  sourceOneClick: {
    en: 'by one click in a mail program',
    ru: 'одним нажатием в почтовой программе',
  },
  sourceComplaint: { en: 'by a complaint', ru: 'по жалобе на спам' },
  sourceMagic: { en: 'by the recipient’s name', ru: 'по имени получателя' },
  sourceApi: { en: 'by hand', ru: 'вручную' },

  hardBouncesLead: {
    en: 'Addresses that mail came back from for good. They are filtered as those that unsubscribed.',
    ru: 'Адреса, письма на которые не доставляются окончательно. Они отфильтровываются так же, как отписавшиеся.',
  },
  nothingHardBounced: { en: 'There are no such addresses.', ru: 'Таких адресов нет.' },

  sendersLead: {
    en: 'Who may send. Any other sender is refused.',
    ru: 'Кому разрешено отправлять. Любой другой отправитель получит отказ.',
  },
  senderHint: {
    en: 'An address, or @domain for each address of it.',
    ru: 'Адрес или @домен — тогда подойдёт любой адрес этого домена.',
  },
  noSenders: {
    en: 'No sender is confirmed: everything will be refused.',
    ru: 'Подтверждённых отправителей нет: отказ получат все.',
  },
  anySender: {
    en: 'As it is set up, the sandbox takes any sender: this list changes nothing.',
    ru: 'Песочница настроена принимать любого отправителя: этот список ни на что не влияет.',
  },
} as const;
