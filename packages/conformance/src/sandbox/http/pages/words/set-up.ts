/** How to send to the sandbox. */
export const SET_UP_TEXTS = {
  setUpLead: {
    en: 'Give these to your program in place of the provider’s. Nothing that it sends here reaches anybody.',
    ru: 'Укажите эти данные в своей программе вместо данных провайдера. Отсюда письма ни к кому не уходят.',
  },
  server: { en: 'Server', ru: 'Сервер' },
  portStartTls: { en: 'Port, STARTTLS (as 587)', ru: 'Порт, STARTTLS (как 587)' },
  portTls: { en: 'Port, TLS from the start (as 465)', ru: 'Порт, TLS сразу (как 465)' },
  password: { en: 'Password', ru: 'Пароль' },
  asGiven: { en: 'as you set it', ru: 'тот, что вы задали' },
  anySenderShort: { en: 'any', ru: 'любой' },
  downloadCa: { en: 'Download the CA certificate', ru: 'Скачать сертификат CA' },
  caHint: {
    en: 'The sandbox’s certificate is signed by its own authority, made anew at each start. Let your program trust it: never switch checking off.',
    ru: 'Сертификат песочницы подписан её собственным центром, который создаётся заново при каждом запуске. Добавьте его в доверенные своей программы, а проверку не отключайте.',
  },
  caHintLasting: {
    en: 'The sandbox’s certificate is signed by its own authority, which is kept in the folder of its data: it stays from start to start. Let your program trust it: never switch checking off.',
    ru: 'Сертификат песочницы подписан её собственным центром. Он хранится в папке с данными и при новом запуске остаётся прежним. Добавьте его в доверенные своей программы, а проверку не отключайте.',
  },
  restHint: {
    en: 'What these pages show and change, tests can read and change too:',
    ru: 'Всё, что показывают и меняют эти страницы, доступно и тестам:',
  },
  legacyTls: {
    en: 'Clients that speak TLS 1.0 are admitted.',
    ru: 'Допускаются клиенты, которые умеют только TLS 1.0.',
  },
  programs: { en: 'Programs', ru: 'Программы' },
  copy: { en: 'Copy', ru: 'Копировать' },
  copied: { en: 'Copied', ru: 'Скопировано' },
  selected: { en: 'Selected: copy it by keyboard', ru: 'Выделено: скопируйте с клавиатуры' },
  magic: { en: 'Magic recipients', ru: 'Особые получатели' },
  magicLead: {
    en: 'Mail to these names, at any domain, makes things happen without set-up.',
    ru: 'Письмо на эти имена в любом домене вызывает события без всякой настройки.',
  },
  whatHappens: { en: 'What happens', ru: 'Что произойдёт' },
  magicHold: { en: 'stays not sent', ru: 'останется неотправленным' },
  magicSent: { en: 'is sent, and not delivered', ru: 'отправлено, но не доставлено' },
  magicOpen: { en: 'is opened', ru: 'будет открыто' },
  magicClick: { en: 'is opened, and a link followed', ru: 'будет открыто, с переходом по ссылке' },
  magicUnsub: { en: 'the recipient unsubscribes', ru: 'получатель отпишется' },
  magicComplaint: { en: 'the recipient complains of it', ru: 'получатель пожалуется на спам' },
  magicBounce: {
    en: 'bounces, for one of these reasons:',
    ru: 'не будет доставлено, по одной из причин:',
  },
  magicRefused: { en: 'is refused:', ru: 'отказ:' },
} as const;
