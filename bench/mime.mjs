/** Composing messages, beside the peers that can do it. */

const RATE = [
  { key: 'rate', title: 'messages/s' },
  { key: 'cpu', title: 'CPU µs/message' },
];
const BULK = [{ key: 'megabytes', title: 'MB/s' }];

function messages(title, what, libraries, quick) {
  return {
    title,
    base: 'nodemailer',
    key: 'rate',
    columns: RATE,
    variants: libraries.map((library) => ({
      name: library,
      run: (context) =>
        context.alone({
          module: 'mime',
          name: 'messages',
          options: { library, what, warm: quick ? 50 : 400, minimum: quick ? 50 : 500 },
        }),
    })),
  };
}

function files(title, what, libraries, megabytes) {
  return {
    title,
    base: 'nodemailer',
    key: 'megabytes',
    columns: BULK,
    variants: libraries.map((library) => ({
      name: library,
      run: (context) =>
        context.alone(
          { module: 'mime', name: 'file', options: { library, what, megabytes, minimum: 400 } },
          120_000,
        ),
    })),
  };
}

/** mimetext makes one encoded-word of any length, and takes no streams; emailjs encodes files as base64 alone. */
export const tables = ({ quick }) => {
  const all = ['nodemailer', 'emailjs', 'mimetext', 'posthorn'];
  const streaming = ['nodemailer', 'emailjs', 'posthorn'];
  const megabytes = quick ? 5 : 100;
  return [
    messages('Compose: text and HTML, Cyrillic, 2.7 KB', 'textHtml', all, quick),
    messages('Compose: minimal text', 'minimal', all, quick),
    messages('Compose: encoded-words, a Cyrillic subject of 2 KB', 'subject', streaming, quick),
    files(
      `Compose: ${megabytes} MB attachment from a stream, base64`,
      'base64',
      streaming,
      megabytes,
    ),
    files(
      'Compose: 5 MB of Cyrillic HTML from a stream, quoted-printable',
      'cyrillic',
      ['nodemailer', 'posthorn'],
      quick ? 1 : 5,
    ),
    files(
      'Compose: 5 MB of ASCII HTML from a stream, quoted-printable',
      'ascii',
      ['nodemailer', 'posthorn'],
      quick ? 1 : 5,
    ),
  ];
};
