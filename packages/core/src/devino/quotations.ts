/**
 * The facts and the words of the provider that they rest on: the page of 2017-10 in Russian, the
 * page of the successor platform in English.
 */
import { HOST, MAX_SIZE, UNSUBSCRIBE_TAG, WEB_VERSION_TAG } from './limits.ts';
import type { DevinoFact } from './profile.ts';

type Facts = Readonly<Record<string, DevinoFact>>;

/** The extensions that the revision of 2016 refused. */
export const BANNED_EXTENSIONS: readonly string[] =
  /* @__PURE__ */ 'adp bat chm cmd com cpl exe hta ins isp jar js jse lib lnk mde msc msp mst pif scr sct shb sys vb vbe vbs vxd wsc wsf wsh'.split(
    ' ',
  );

export const FACTS_2016: Facts = {
  size: {
    value: 10_485_760,
    grade: 'documented',
    note: '10 MB in an earlier revision of the page; read as 10 × 1024 × 1024 octets.',
  },
  files: {
    value: BANNED_EXTENSIONS,
    grade: 'documented',
    note: '31 extensions in an earlier revision of the page; every other file was allowed.',
  },
  tags: {
    value: [UNSUBSCRIBE_TAG],
    grade: 'guess',
    note: 'Which links this revision asked for is not known.',
  },
  sender: {
    value: 'address',
    grade: 'guess',
    note: 'As in the revision after it; so are the host and the ports.',
  },
};

export const FACTS_2017: Facts = {
  connection: {
    value: { host: HOST, ports: [587, 465] },
    grade: 'documented',
    quotation:
      'Прописать в качестве SMTP-сервера для вашего приложения адрес integrationapi.net, порт 587 (TLS), либо 465 (SSL)',
    note: 'TLS stands for STARTTLS and SSL for TLS from the first octet, as in mail clients.',
  },
  credentials: {
    value: 'login and password',
    grade: 'documented',
    quotation:
      'Получить SMTP-логин и SMTP-пароль у вашего персонального менеджера, либо через службу технической поддержки',
  },
  address: {
    value: 'the IP address of the client is made known beforehand',
    grade: 'documented',
    quotation:
      'Сообщить IP-адрес, с которого вы будете подключаться к платформе Devino Telecom, вашему персональному менеджеру, либо службе технической поддержки.',
    note: 'What a client at another address is told is documented nowhere.',
  },
  sender: {
    value: 'address',
    grade: 'documented',
    quotation:
      'Использовать подтвержденный адрес отправителя (Вы можете запросить адрес отправителя в личном кабинете на странице создания email-рассылки)',
  },
  recipient: {
    value: 'a valid address',
    grade: 'documented',
    quotation: 'Указывать корректный адрес получателя',
  },
  size: {
    value: '500 KB',
    grade: 'documented',
    quotation: 'Не отправлять письма, размер которых превышает 500 КБ.',
  },
  sizeInOctets: {
    value: MAX_SIZE,
    grade: 'guess',
    note: '500 × 1024 rather than 500 × 1000, of the message on the wire; hence the warning between the two.',
  },
  files: {
    value: 'none',
    grade: 'documented',
    quotation:
      'Не загружать в письмо файлы. Если необходимо отправить файл, то вы можете указать на него ссылкой.',
  },
  recipients: {
    value: 1,
    grade: 'documented',
    quotation:
      'Не указывать в поле "TO" несколько адресов получателя, так как отправка будет сделана только на первый адрес.',
    note: 'Said of the header To; that further RCPT commands are taken and not acted on is a guess.',
  },
  charset: {
    value: 'UTF-8',
    grade: 'documented',
    quotation: 'Сообщения отправляются в кодировке UTF-8.',
  },
  links: {
    value: ['unsubscribe', 'web version'],
    grade: 'documented',
    quotation:
      'Внимание! В тексте обязательно должны присутствовать ссылка на отписку и ссылка на веб-версию.',
    note: 'No refusal is documented for a text without them.',
  },
  unsubscribeTag: {
    value: UNSUBSCRIBE_TAG,
    grade: 'documented',
    quotation:
      'Вы можете добавить в письмо ссылку на отписку. Для этого необходимо в теле сообщения передавать тег *[Unsubscribe]*',
    note: 'That each alternative text needs its own is a guess: a reader is shown one of them.',
  },
  webVersionTag: {
    value: WEB_VERSION_TAG,
    grade: 'guess',
    note: 'The page demands the link and does not name its tag; this is the tag of the successor platform.',
  },
  missingTagAccepted: {
    value: true,
    grade: 'observed',
    quotation:
      'var messageText = "Привет! <a href=\\"http://www.devinotele.com\\">Кликни меня</a>";',
    note: 'The .NET sample of the page itself holds neither tag; so a missing tag is a warning unless asked otherwise.',
  },
  filtering: {
    value: 'unsubscribed and hard-bounced recipients',
    grade: 'documented',
    quotation:
      'При отправке сообщений через протокол SMTP платформа DevinoTelecom будет автоматически фильтровать отписавшиеся и hard bounce адреса.',
    note: 'That such a message is answered 250 all the same is a guess.',
  },
  refusals: {
    value: 554,
    grade: 'documented',
    quotation:
      'В случае возникновения ошибки при валидации email-сообщения, платформа Devino Telecom возвращает стандартный код ошибки SMTP 554 Transaction failed и текстовое описание.',
    note: 'The stage of each, and whether "Transaction failed" stands on the wire, is documented nowhere.',
  },
};

export const FACTS_SUCCESSOR: Facts = {
  connection: {
    value: { host: 'smtp.devino.online', ports: [25, 587, 465] },
    grade: 'documented',
    quotation:
      'Specify the smtp.devino.online address and 25, 587 (TLS) or 465 (SSL) ports as the SMTP server for your application.',
  },
  sender: {
    value: 'domain',
    grade: 'documented',
    quotation: 'Use a verified domain. You can manage your domains in the Personal Account.',
  },
  recipients: {
    value: 1,
    grade: 'documented',
    quotation:
      "Do not specify several recipient's addresses in the to field, since the sending will be made only to the first address.",
  },
  size: {
    value: '500 KB',
    grade: 'documented',
    quotation: 'Do not send emails larger than 500 KB.',
  },
  files: {
    value: 'none',
    grade: 'documented',
    quotation: 'Do not upload files. If you need to send a file, you can attach a link.',
  },
  tags: {
    value: [UNSUBSCRIBE_TAG, WEB_VERSION_TAG],
    grade: 'documented',
    quotation:
      'You must always add an unsubscribe link ([Unsubscribe]) and a link to the web version ([WebVersion]) in the message.',
  },
  refusals: {
    value: 554,
    grade: 'documented',
    quotation:
      'If the email message validation error has occurred, the Devino.Online platform would return a standard SMTP error code 554 Transaction failed and text description of the error.',
  },
};
