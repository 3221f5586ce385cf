/**
 * The programs that are copied and pasted: each sends the page's message to this sandbox, trusting its CA. Pure.
 * test/sandbox/snippets.test.ts runs each as it stands.
 */
import { double, js, php, shell } from './quoted.ts';

/** What a client of a sandbox has to be told. */
export interface Place {
  readonly host: string;
  /** Port of the STARTTLS server, and of that with TLS from the first octet. */
  readonly smtp: number;
  readonly smtps: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** Where its pages are, without a slash behind it. */
  readonly url: string;
  readonly login: string;
  /** Its password, where that is no secret: the page's own login has one that the page shows. */
  readonly password?: string | undefined;
}

/** In the environment, in place of a password that is not shown. */
export const VARIABLE: string = 'SMTP_PASSWORD';

const FROM = 'noreplay@devinotele.com';
const TO = 'test@devinotele.com';
const SUBJECT = 'Test from smtp';
/** The page's text, with the two links that the page demands and its own program lacks. */
const HTML = [
  'Привет! <a href="http://www.devinotele.com">Кликни меня</a>',
  '<a href="[WebVersion]">Веб-версия</a>',
  '<a href="[Unsubscribe]">Отписаться</a>',
].join(' ');

/** The password as a literal, or what reads it from the environment. */
function password(
  { password: shown }: Place,
  literal: (text: string) => string,
  fromEnvironment: string,
): string {
  return shown === undefined ? fromEnvironment : literal(shown);
}

function download({ url }: Place): string {
  return `curl -o ca.pem ${shell(`${url}/ca.pem`)}`;
}

/** The page's program, from its first line to its last; only where it connects, and as whom, is the sandbox's. */
export function dotnet(place: Place): string {
  const { host, smtp, login } = place;
  const secret = password(place, double, `Environment.GetEnvironmentVariable("${VARIABLE}")`);
  return `// Before it runs, the sandbox's CA has to be trusted:
//   ${download(place)}
// .NET on Windows:
//   certutil -user -addstore Root ca.pem
// .NET on Linux:
//   export SSL_CERT_FILE="$PWD/ca.pem"
// Mono, with a sandbox that was started with --legacy-tls:
//   mkdir -p ~/.config/.mono/new-certs/Trust
//   cp ca.pem ~/.config/.mono/new-certs/Trust/$(openssl x509 -hash -noout -in ca.pem).0
//   mcs Program.cs
//   mono Program.exe
using System;
using System.Diagnostics;
using System.Net;
using System.Net.Mail;
namespace Devino.Email.SmtpClient
{
    class Program
    {
        static void Main(string[] args)
        {
            using (var smtpClient = new SmtpClient())
            {
                var sourceEmail = "noreplay@devinotele.com";
                var subject = "Test from smtp";
                var messageText = "Привет! <a href=\\"http://www.devinotele.com\\">Кликни меня</a>";
                var email = "test@devinotele.com";
                 
                smtpClient.Host = ${double(host)};
                smtpClient.Port = ${smtp};
                smtpClient.EnableSsl = true;
                smtpClient.Credentials = new NetworkCredential(${double(login)}, ${secret});
                
                var message = new MailMessage(sourceEmail, email) { Sender = new MailAddress(sourceEmail), Subject = subject, Body = messageText };
                try
                {
                    smtpClient.Send(message);
                }
                catch (Exception ex)
                {
                    Trace.TraceError(ex.Message);
                }
            }
        }
    }
}

// Not on the page. Its namespace hides the class of the same name (error CS0118): here that is found again.
namespace Devino.Email.SmtpClient
{
    class SmtpClient : System.Net.Mail.SmtpClient { }
}
`;
}

/** The fields of the account, in the page's order. */
export function outlook(place: Place): string {
  const { host, smtp, smtps, login } = place;
  const secret = password(place, (text) => text, '…');
  const rows: readonly (readonly [ru: string, en: string, value: string])[] = [
    ['Имя', 'Your name', '…'],
    ['Адрес электронной почты', 'Email address', FROM],
    ['Тип учетной записи', 'Account type', 'IMAP'],
    ['Сервер входящей почты', 'Incoming mail server', 'imap.gmail.com'],
    ['Сервер исходящей почты (SMTP)', 'Outgoing mail server (SMTP)', host],
    ['SMTP-логин', 'SMTP login', login],
    ['SMTP-пароль', 'SMTP password', secret],
    ['SMTP-сервер', 'Outgoing server', `${smtp}, STARTTLS`],
    ['или', 'or', `${smtps}, SSL/TLS`],
  ];
  const heads = rows.map(([ru, en]) => `${ru} / ${en}:`);
  const width = Math.max(...heads.map(({ length }) => length));
  return `${rows.map(([, , value], at) => `${(heads[at] ?? '').padEnd(width)}  ${value}`).join('\n')}

${download(place)}
certutil -user -addstore Root ca.pem
`;
}

export function posthorn(place: Place): string {
  const { host, smtp, smtps, login } = place;
  return `// ${download(place)}
import { readFileSync } from 'node:fs';
import { connect } from '@posthorn/core';
import { compose } from '@posthorn/mime';

const client = await connect({
  host: ${js(host)},
  port: ${smtp}, // or port: ${smtps}, tls: 'implicit'
  tlsOptions: { ca: readFileSync('ca.pem', 'utf8') },
  auth: { user: ${js(login)}, pass: ${password(place, js, `process.env.${VARIABLE}`)} },
});
const receipt = await client.send(
  compose({
    from: ${js(FROM)},
    to: ${js(TO)},
    subject: ${js(SUBJECT)},
    html: ${js(HTML)},
  }),
);
console.log(receipt.reply.text);
await client.close();
`;
}

export function nodemailer(place: Place): string {
  const { host, smtp, smtps, login } = place;
  return `// ${download(place)}
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';

const transport = createTransport({
  host: ${js(host)},
  port: ${smtp}, // or port: ${smtps}, secure: true
  requireTLS: true,
  tls: { ca: readFileSync('ca.pem') },
  auth: { user: ${js(login)}, pass: ${password(place, js, `process.env.${VARIABLE}`)} },
});
const info = await transport.sendMail({
  from: ${js(FROM)},
  to: ${js(TO)},
  subject: ${js(SUBJECT)},
  html: ${js(HTML)},
});
console.log(info.response);
`;
}

export function phpmailer(place: Place): string {
  const { host, smtp, smtps, login } = place;
  return `<?php
// ${download(place)}
use PHPMailer\\PHPMailer\\PHPMailer;

require 'vendor/autoload.php';

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = ${php(host)};
$mail->Port = ${smtp};
$mail->SMTPSecure = PHPMailer::ENCRYPTION_STARTTLS; // or port ${smtps}, ENCRYPTION_SMTPS
$mail->SMTPOptions = ['ssl' => ['cafile' => 'ca.pem']];
$mail->SMTPAuth = true;
$mail->Username = ${php(login)};
$mail->Password = ${password(place, php, `getenv('${VARIABLE}')`)};
$mail->CharSet = PHPMailer::CHARSET_UTF8;
$mail->setFrom(${php(FROM)});
$mail->addAddress(${php(TO)});
$mail->Subject = ${php(SUBJECT)};
$mail->isHTML();
$mail->Body = ${php(HTML)};
$mail->send();
echo "Sent\\n";
`;
}

export function python(place: Place): string {
  const { host, smtp, smtps, login } = place;
  const secret = password(place, double, `os.environ["${VARIABLE}"]`);
  return `# ${download(place)}
${place.password === undefined ? 'import os\n' : ''}import smtplib
import ssl
from email.message import EmailMessage

message = EmailMessage()
message["From"] = ${double(FROM)}
message["To"] = ${double(TO)}
message["Subject"] = ${double(SUBJECT)}
message.set_content(${double(HTML)}, subtype="html")

context = ssl.create_default_context(cafile="ca.pem")
# or smtplib.SMTP_SSL(${double(host)}, ${smtps}, context=context), without starttls()
with smtplib.SMTP(${double(host)}, ${smtp}) as client:
    client.starttls(context=context)
    client.login(${double(login)}, ${secret})
    client.send_message(message)
`;
}

export function curl(place: Place): string {
  const { host, smtp, smtps, login } = place;
  const user = password(
    place,
    (text) => shell(`${login}:${text}`),
    `${shell(`${login}:`)}"$${VARIABLE}"`,
  );
  return `${download(place)}

# or smtps://${host}:${smtps}
curl --url ${shell(`smtp://${host}:${smtp}`)} --ssl-reqd --cacert ca.pem --user ${user} \\
  --mail-from ${shell(FROM)} --mail-rcpt ${shell(TO)} --crlf --upload-file - <<'END'
From: ${FROM}
To: ${TO}
Subject: ${SUBJECT}
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

${HTML}
END
`;
}

export function swaks(place: Place): string {
  const { host, smtp, smtps, login } = place;
  return `${download(place)}

# or --port ${smtps} --tls-on-connect
swaks --server ${shell(host)} --port ${smtp} --tls --tls-verify --tls-ca-path ca.pem \\
  --auth LOGIN --auth-user ${shell(login)} --auth-password ${password(place, shell, `"$${VARIABLE}"`)} \\
  --from ${shell(FROM)} --to ${shell(TO)} --header ${shell(`Subject: ${SUBJECT}`)} \\
  --add-header 'MIME-Version: 1.0' --add-header 'Content-Type: text/html; charset=utf-8' \\
  --body ${shell(HTML)}
`;
}

export function snail(place: Place): string {
  const { host, smtp, smtps, login } = place;
  // -S takes a backslash for the beginning of an escape.
  const secret = password(
    place,
    (text) => `-S password=${shell(text.replaceAll('\\', '\\\\'))}`,
    `-X 'wysh set password="$${VARIABLE}"'`,
  );
  return `${download(place)}

# or -S mta=smtps://${host}:${smtps}, without smtp-use-starttls
printf '%s\\n' ${shell(HTML)} |
  s-nail -:/ -S v15-compat -S sendwait -S ttycharset=utf-8 \\
    -S mta=${shell(`smtp://${host}:${smtp}`)} -S smtp-use-starttls -S smtp-auth=login \\
    -S user=${shell(login.replaceAll('\\', '\\\\'))} ${secret} \\
    -S tls-ca-file=ca.pem -S tls-verify=strict \\
    -S from=${shell(FROM)} -s ${shell(SUBJECT)} ${shell(TO)}
`;
}
