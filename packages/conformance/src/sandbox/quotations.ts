/**
 * The provider's own words, rule by rule and version by version: what each fact of the profile in @posthorn/core rests
 * on, by the name that the fact has there. Kept here, so that no client carries them.
 */
import type { RefusalReason } from './profile.ts';

/** What a fact rests on; `QUOTATIONS` has an example. */
export interface Words {
  /** The provider's sentence, in the language of its page. None where only the value is known. */
  readonly quotation?: string;
  /** What the words leave open, and what was chosen. */
  readonly note?: string;
}

const CONNECTION_2017: Words = {
  quotation:
    'Прописать в качестве SMTP-сервера для вашего приложения адрес integrationapi.net, порт 587 (TLS), либо 465 (SSL)',
  note: 'TLS stands for STARTTLS and SSL for TLS from the first octet, as in mail clients.',
};

const CONNECTION_SUCCESSOR: Words = {
  quotation:
    'Specify the smtp.devino.online address and 25, 587 (TLS) or 465 (SSL) ports as the SMTP server for your application.',
};

const TAGS_SUCCESSOR: Words = {
  quotation:
    'You must always add an unsubscribe link ([Unsubscribe]) and a link to the web version ([WebVersion]) in the message.',
};

const AS_LATER: Words = { note: 'Not known of this revision; taken from the one after it.' };

/**
 * For each version of the provider's page the words behind each fact, and what it says beyond them: `credentials`,
 * `recipient`, `links` and `filtered`.
 *
 * @example
 * ```ts
 * import { QUOTATIONS } from '@posthorn/conformance';
 *
 * console.log(QUOTATIONS['2017-10']['recipient']?.quotation); // Указывать корректный адрес получателя
 * ```
 */
export const QUOTATIONS: Readonly<
  Record<'2016' | '2017-10' | 'successor', Readonly<Record<string, Words>>>
> = {
  '2016': {
    host: AS_LATER,
    ports: AS_LATER,
    sender: AS_LATER,
    maxSize: {
      note: '10 MB in an earlier revision of the page; read as 10 × 1024 × 1024 octets.',
    },
    bannedFiles: {
      note: '31 extensions in an earlier revision of the page; every other file was allowed.',
    },
    unsubscribeTag: { note: 'Which links this revision asked for is not known.' },
  },
  '2017-10': {
    host: CONNECTION_2017,
    ports: CONNECTION_2017,
    credentials: {
      quotation:
        'Получить SMTP-логин и SMTP-пароль у вашего персонального менеджера, либо через службу технической поддержки',
    },
    allowList: {
      quotation:
        'Сообщить IP-адрес, с которого вы будете подключаться к платформе Devino Telecom, вашему персональному менеджеру, либо службе технической поддержки.',
      note: 'What a client at another address is told is documented nowhere.',
    },
    sender: {
      quotation:
        'Использовать подтвержденный адрес отправителя (Вы можете запросить адрес отправителя в личном кабинете на странице создания email-рассылки)',
    },
    recipient: { quotation: 'Указывать корректный адрес получателя' },
    maxSize: {
      quotation: 'Не отправлять письма, размер которых превышает 500 КБ.',
      note: '500 × 1024 rather than 500 × 1000, of the message on the wire; hence the warning between the two.',
    },
    bannedFiles: {
      quotation:
        'Не загружать в письмо файлы. Если необходимо отправить файл, то вы можете указать на него ссылкой.',
    },
    recipients: {
      quotation:
        'Не указывать в поле "TO" несколько адресов получателя, так как отправка будет сделана только на первый адрес.',
      note: 'Said of the header To; that further RCPT commands are taken and not acted on is a guess.',
    },
    charset: { quotation: 'Сообщения отправляются в кодировке UTF-8.' },
    links: {
      quotation:
        'Внимание! В тексте обязательно должны присутствовать ссылка на отписку и ссылка на веб-версию.',
      note: 'No refusal is documented for a text without them.',
    },
    unsubscribeTag: {
      quotation:
        'Вы можете добавить в письмо ссылку на отписку. Для этого необходимо в теле сообщения передавать тег *[Unsubscribe]*',
      note: 'That each alternative text needs its own is a guess: a reader is shown one of them.',
    },
    webVersionTag: {
      note: 'The page demands the link and does not name its tag; this is the tag of the successor platform.',
    },
    missingTag: {
      quotation:
        'var messageText = "Привет! <a href=\\"http://www.devinotele.com\\">Кликни меня</a>";',
      note: 'The .NET sample of the page itself holds neither tag; so a missing tag is a warning unless asked otherwise.',
    },
    filtered: {
      quotation:
        'При отправке сообщений через протокол SMTP платформа DevinoTelecom будет автоматически фильтровать отписавшиеся и hard bounce адреса.',
      note: 'That such a message is answered 250 all the same is a guess.',
    },
    replyCode: {
      quotation:
        'В случае возникновения ошибки при валидации email-сообщения, платформа Devino Telecom возвращает стандартный код ошибки SMTP 554 Transaction failed и текстовое описание.',
      note: 'The stage of each, and whether "Transaction failed" stands on the wire, is documented nowhere.',
    },
  },
  successor: {
    host: CONNECTION_SUCCESSOR,
    ports: CONNECTION_SUCCESSOR,
    sender: {
      quotation: 'Use a verified domain. You can manage your domains in the Personal Account.',
    },
    recipients: {
      quotation:
        "Do not specify several recipient's addresses in the to field, since the sending will be made only to the first address.",
    },
    maxSize: {
      quotation: 'Do not send emails larger than 500 KB.',
      note: 'Read as in the revision before it.',
    },
    bannedFiles: {
      quotation: 'Do not upload files. If you need to send a file, you can attach a link.',
    },
    unsubscribeTag: TAGS_SUCCESSOR,
    webVersionTag: TAGS_SUCCESSOR,
    replyCode: {
      quotation:
        'If the email message validation error has occurred, the Devino.Online platform would return a standard SMTP error code 554 Transaction failed and text description of the error.',
    },
  },
};

/**
 * The cause of each refusal, in the words of the page.
 *
 * @example
 * ```ts
 * import { CAUSES } from '@posthorn/conformance';
 *
 * console.log(CAUSES['server-error']); // Ошибка сервера
 * ```
 */
export const CAUSES: Readonly<Record<RefusalReason, string>> = {
  'not-authenticated': 'Не указан, или указан некорректный логин/пароль',
  'server-error': 'Ошибка сервера',
  'attachment-type': 'Загружен запрещенный файл',
  'too-large': 'Превышен допустимый размер письма',
  'invalid-recipient': 'Некорректный адрес получателя',
  'sender-not-confirmed': 'Неподтвержденный адрес отправителя',
};
