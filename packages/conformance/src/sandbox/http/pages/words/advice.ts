/** What to do about a refusal, and what a button has done. */
export const ADVICE_TEXTS = {
  whatToDo: { en: 'What to do', ru: 'Что делать' },
  causeOnPage: {
    en: 'The cause, as the provider’s page has it:',
    ru: 'Причина, как она названа на странице провайдера:',
  },
  adviceMagic: {
    en: 'Nothing is wrong with your program: the recipient’s name asks for this refusal. Send to any other address.',
    ru: 'С вашей программой всё в порядке: об этом отказе просит само имя получателя. Отправьте письмо на любой другой адрес.',
  },
  adviceMagicLink: { en: 'Magic recipients', ru: 'Особые получатели' },
  adviceNoTls: {
    en: 'Switch STARTTLS on in your program: without TLS it is offered no login, so it could not log in.',
    ru: 'Включите в программе STARTTLS: без TLS войти нельзя, поэтому программа и не вошла.',
  },
  adviceNoLogin: {
    en: 'Let your program log in before it sends. The login stands on the Set-up page.',
    ru: 'Программа должна войти до отправки. Логин указан на странице «Подключение».',
  },
  adviceWrongLogin: {
    en: 'Compare login and password with those of the sandbox: they are not the ones of your account at the provider.',
    ru: 'Сверьте логин и пароль с данными песочницы: они не те, что выдал вам провайдер.',
  },
  adviceSetUpLink: { en: 'To the Set-up page', ru: 'К странице «Подключение»' },
  adviceSender: {
    en: 'Confirm this sender, or send from one that is confirmed.',
    ru: 'Подтвердите этого отправителя или отправляйте от имени подтверждённого.',
  },
  adviceSenderLink: { en: 'Confirm this sender', ru: 'Подтвердить отправителя' },
  adviceNullSender: {
    en: 'Let your program name a sender in MAIL FROM: it gave the null address, which cannot be confirmed.',
    ru: 'Программа должна указать отправителя в MAIL FROM: она передала пустой адрес, а его подтвердить нельзя.',
  },
  adviceServer: {
    en: 'A fault of the server, and not of the message: let your program send it again later.',
    ru: 'Это сбой сервера, а не ошибка в письме: программе стоит отправить его ещё раз позже.',
  },
  adviceUnread: {
    en: 'The sandbox could not read the message. Why stands in brackets behind the reply: mend that, and send it again.',
    ru: 'Песочница не смогла разобрать письмо. Причина указана в скобках после ответа: исправьте её и отправьте снова.',
  },
  adviceFile: {
    en: 'Leave the file out of the message, and put a link to it into the text.',
    ru: 'Уберите файл из письма и поставьте в тексте ссылку на него.',
  },
  adviceSize: {
    en: 'Make the message smaller: the limit is {most} in all, encoding included. Link to images and files in place of sending them.',
    ru: 'Уменьшите письмо: всего допускается {most}, считая кодирование. Вместо картинок и файлов ставьте ссылки на них.',
  },
  adviceRecipient: {
    en: 'Correct the address. To try again with the same one is of no use.',
    ru: 'Исправьте адрес. Повторять отправку на тот же адрес бесполезно.',
  },
  adviceMalformed: {
    en: 'Correct the address: it has to be name@domain between < and >.',
    ru: 'Исправьте адрес: между < и > нужен вид имя@домен.',
  },
  adviceInvalid: {
    en: 'Correct the address: no domain ends in .invalid, so the sandbox refuses each such address.',
    ru: 'Исправьте адрес: доменов с окончанием .invalid не бывает, и песочница отклоняет каждый такой адрес.',
  },
  adviceFurther: {
    en: 'Send each recipient a message of their own: the sandbox is set up to take one recipient for each.',
    ru: 'Отправляйте каждому получателю отдельное письмо: песочница настроена принимать одного получателя на письмо.',
  },
  adviceFiltered: {
    en: 'The recipient is on a list of those who get nothing. Do not send there, or take the address off the list.',
    ru: 'Получатель в списке тех, кому ничего не отправляется. Не пишите на этот адрес или уберите его из списка.',
  },
  adviceAddress: {
    en: 'Let this address connect: name it behind --allow when the sandbox starts. At the provider, tell your manager of it.',
    ru: 'Разрешите этот адрес: укажите его в --allow при запуске песочницы. У провайдера о нём сообщают менеджеру.',
  },
  adviceTags: {
    en: 'Put both tags into each text of the message, the plain one too. In HTML, as links:',
    ru: 'Поставьте оба тега в каждый текст письма, и в простой тоже. В HTML — ссылками:',
  },
  adviceCharset: {
    en: 'Write each text of the message in UTF-8, and say so in its field:',
    ru: 'Пишите каждый текст письма в UTF-8 и указывайте это в поле:',
  },
  otherVerdicts: { en: 'Other verdicts: {count}', ru: 'Остальные вердикты: {count}' },
  refusedHere: { en: 'the refusal:', ru: 'отказ:' },

  doneAdded: { en: 'Added.', ru: 'Добавлено.' },
  doneRemoved: { en: 'Deleted.', ru: 'Удалено.' },
  doneSaved: { en: 'Saved.', ru: 'Сохранено.' },
  doneCleared: { en: 'The plan is empty now.', ru: 'План очищен.' },
  doneStopped: { en: 'From now on nobody is told.', ru: 'Больше никому не сообщается.' },
  doneSent: { en: 'Sent again: see the log.', ru: 'Отправлено ещё раз: смотрите журнал.' },
  doneMessage: { en: 'The message is deleted.', ru: 'Письмо удалено.' },
} as const;
