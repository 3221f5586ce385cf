/** Servers of services that many send by, by the names that nodemailer has for them. */

/** Each: its names, its host, and its port where that is not 587. On 465 TLS comes first. */
const SERVICES = `gmail googlemail gmail.com googlemail.com smtp.gmail.com 465
gmailworkspace googleworkspacemail smtp-relay.gmail.com 465
outlook365 smtp.office365.com
hotmail outlook outlook.com hotmail.com smtp-mail.outlook.com
icloud me mac icloud.com me.com mac.com smtp.mail.me.com
yahoo yahoo.com smtp.mail.yahoo.com 465
aol aol.com smtp.aol.com
fastmail fastmail.com fastmail.fm smtp.fastmail.com 465
gmx gmx.com gmx.net gmx.de mail.gmx.com
proton protonmail proton.me protonmail.com protonmail.ch pm.me smtp.protonmail.ch
zoho smtp.zoho.com 465
yandex yandex.ru smtp.yandex.ru 465
mail.ru smtp.mail.ru 465
qq qq.com smtp.qq.com 465
qqex qqenterprise exmail.qq.com smtp.exmail.qq.com 465
126 smtp.126.com 465
163 smtp.163.com 465
aliyun aliyun.com smtp.aliyun.com 465
sendgrid smtp.sendgrid.net
mailgun smtp.mailgun.org 465
mailjet in.mailjet.com
mandrill smtp.mandrillapp.com
mailersend smtp.mailersend.net
mailtrap live.smtp.mailtrap.io
postmark postmarkapp smtp.postmarkapp.com 2525
resend smtp.resend.com 465
sendinblue brevo smtp-relay.brevo.com
sparkpost sparkpostmail sparkpost.com smtp.sparkpostmail.com
smtp2go mail.smtp2go.com 2525
elasticemail smtp.elasticemail.com 465
ses email-smtp.us-east-1.amazonaws.com 465
forwardemail fe forwardemail.net smtp.forwardemail.net 465
infomaniak ik.me ikmail.com etik.com mail.infomaniak.com
ethereal ethereal.email smtp.ethereal.email
devino devinotele integrationapi.net`
  .split('\n')
  .map(
    (line) => line.split(/ (?=[^ ]+(?: \d+)?$)/) as [names: string, host: string, port?: string],
  );

/** How a service, or the service of an address, takes messages; undefined where it is not known. */
export function serviceOf(name: string): Record<string, unknown> | undefined {
  const key = (name.split('@').at(-1) ?? '').toLowerCase().replace(/[^a-z\d.-]/g, '');
  // A program on a machine of one's own.
  if (key === 'maildev') return { port: 1025, ignoreTLS: true };
  const [, region] = /^ses-([a-z]+(?:-[a-z]+)+-\d)$/.exec(key) ?? [];
  const [, host, port = '587'] = region
    ? ['', `email-smtp.${region}.amazonaws.com`, '465']
    : (SERVICES.find(([names]) => names.split(' ').includes(key)) ?? []);
  return host ? { host, port: +port, secure: port === '465' } : undefined;
}
