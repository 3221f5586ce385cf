/** The set-ups of the set-up page: what is copied, and what is said beside it, in Russian and English. Pure. */
import { X509Certificate } from 'node:crypto';
import {
  curl,
  dotnet,
  nodemailer,
  outlook,
  type Place,
  phpmailer,
  posthorn,
  python,
  snail,
  swaks,
  VARIABLE,
} from './programs.ts';

export type { Place } from './programs.ts';

/** A text in both languages of the pages. */
export interface InBoth {
  readonly ru: string;
  readonly en: string;
}

/** How one client is set up. */
export interface Snippet {
  /** In addresses and element ids: letters, digits and hyphens. */
  readonly id: string;
  readonly title: InBoth;
  /** What `code` is written in. */
  readonly language: 'csharp' | 'text' | 'js' | 'php' | 'python' | 'sh';
  /** What has to be known before it is used, first of all how the CA is trusted. */
  readonly note: InBoth;
  readonly code: string;
}

/** The set-ups for a sandbox, the page's own first. */
export function snippets(place: Place): readonly Snippet[] {
  if (place.password !== undefined) return all(place);
  // Outlook asks for the password itself.
  return all(place).map((snippet) =>
    snippet.id === 'outlook' ? snippet : { ...snippet, note: withVariable(snippet.note) },
  );
}

function withVariable({ ru, en }: InBoth): InBoth {
  return {
    ru: `${ru} Пароль берётся из переменной окружения ${VARIABLE}.`,
    en: `${en} The password comes from the environment variable ${VARIABLE}.`,
  };
}

function all(place: Place): readonly Snippet[] {
  const thumbprint = new X509Certificate(place.ca).fingerprint.replaceAll(':', '').toLowerCase();
  return [
    {
      id: 'dotnet',
      title: both('.NET'),
      language: 'csharp',
      note: {
        ru: `Программа со страницы Devino: заменены только сервер и порт. Сначала добавьте CA в доверенные, как сказано в комментарии; Windows спросит об отпечатке ${thumbprint}. Последние строки добавлены: без них программа со страницы не компилируется (CS0118), потому что её пространство имён называется так же, как класс SmtpClient. Об ошибке она ничего не печатает: отказ виден на странице песочницы. В тексте нет тегов [Unsubscribe] и [WebVersion], поэтому будут два предупреждения.`,
        en: `The program of the provider's page: only host and port are replaced. Trust the CA first, as the comment says; Windows asks about the thumbprint ${thumbprint}. The last lines are added: without them the page's program does not compile (CS0118), since its namespace is named as the class SmtpClient is. It prints nothing when it fails: look here for what was refused. Its text holds neither [Unsubscribe] nor [WebVersion], so there are two warnings.`,
      },
      code: dotnet(place),
    },
    {
      id: 'outlook',
      title: both('Outlook'),
      language: 'text',
      note: {
        ru: `Сначала две команды под полями: Outlook доверяет тем CA, что и Windows (отпечаток ${thumbprint}). Затем: Файл → Добавить учетную запись → Ручная настройка или дополнительные типы серверов → Протокол POP или IMAP. Пользователь и пароль на этой странице — от почтового сервиса. Другие настройки → Сервер исходящей почты → SMTP-серверу требуется проверка подлинности → Вход с помощью: SMTP-логин и SMTP-пароль. Дополнительно → порт SMTP-сервера и шифрование. Адрес должен быть подтверждённым отправителем.`,
        en: `First the two commands below the fields: Outlook trusts the CAs that Windows does (thumbprint ${thumbprint}). Then: File → Add Account → Manual setup or additional server types → POP or IMAP. User name and password there are those of the mail service. More Settings → Outgoing Server → My outgoing server requires authentication → Log on using: SMTP login and password. Advanced → port and encryption of the outgoing server. The address has to be a confirmed sender.`,
      },
      code: outlook(place),
    },
    {
      id: 'posthorn',
      title: both('Posthorn (Node.js)'),
      language: 'js',
      note: file('send.mjs', 'tlsOptions.ca'),
      code: posthorn(place),
    },
    {
      id: 'nodemailer',
      title: both('nodemailer (Node.js)'),
      language: 'js',
      note: file('send.mjs', 'tls.ca'),
      code: nodemailer(place),
    },
    {
      id: 'phpmailer',
      title: both('PHPMailer (PHP)'),
      language: 'php',
      note: file('send.php', 'SMTPOptions'),
      code: phpmailer(place),
    },
    {
      id: 'python',
      title: both('smtplib (Python)'),
      language: 'python',
      note: file('send.py', 'cafile'),
      code: python(place),
    },
    {
      id: 'curl',
      title: both('curl'),
      language: 'sh',
      note: command('--cacert'),
      code: curl(place),
    },
    {
      id: 'swaks',
      title: both('swaks'),
      language: 'sh',
      note: command('--tls-ca-path'),
      code: swaks(place),
    },
    {
      id: 's-nail',
      title: both('s-nail (mailx)'),
      language: 'sh',
      note: command('tls-ca-file'),
      code: snail(place),
    },
  ];
}

function both(text: string): InBoth {
  return { ru: text, en: text };
}

/** Of a program in a file. */
function file(name: string, option: string): InBoth {
  return {
    ru: `Скачайте CA командой из первого комментария в папку, из которой запускается ${name}: программа доверяет ему через ${option}, и больше ничего устанавливать не нужно.`,
    en: `Download the CA by the command in the first comment, into the folder where ${name} is run: it trusts it by ${option}, and nothing has to be installed.`,
  };
}

/** Of commands. */
function command(option: string): InBoth {
  return {
    ru: `Первая команда скачивает CA в текущую папку, вторая доверяет ему через ${option}.`,
    en: `The first command downloads the CA into the current folder, the second trusts it by ${option}.`,
  };
}
