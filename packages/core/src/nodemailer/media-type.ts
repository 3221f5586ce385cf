/** Media types by the endings of file names: those that mail has most. */

/** Each with its endings, the usual one first. */
const TYPES =
  `application/pdf pdf|application/zip zip|application/gzip gz tgz|application/json json|application/xml xml
application/rtf rtf|application/msword doc|application/vnd.ms-excel xls|application/vnd.ms-powerpoint ppt
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.oasis.opendocument.text odt|application/vnd.oasis.opendocument.spreadsheet ods
application/pkcs7-signature p7s|application/octet-stream bin|text/plain txt log text|text/html html htm|text/css css
text/csv csv|text/calendar ics|text/vcard vcf|text/markdown md|text/javascript js mjs|image/png png|image/jpeg jpg jpeg
image/gif gif|image/webp webp|image/svg+xml svg|image/bmp bmp|image/tiff tiff tif|image/vnd.microsoft.icon ico|image/avif avif
image/heic heic|audio/mpeg mp3|audio/wav wav|audio/ogg ogg|video/mp4 mp4|video/mpeg mpeg|video/quicktime mov
video/webm webm|message/rfc822 eml`
    .split(/[|\n]/)
    .map((line) => line.split(' ') as [string, string]);

/** By its name; where that says nothing, octets. */
export function mediaTypeOf(name: string): string {
  const [, ending = ''] = /\.(\w+)$/.exec(name) ?? [];
  const found = TYPES.find(([, ...endings]) => endings.includes(ending.toLowerCase()));
  return found?.[0] ?? 'application/octet-stream';
}

/** The usual ending. */
export const endingOf = (type: string): string =>
  TYPES.find(([one]) => type.startsWith(one))?.[1] ?? 'bin';
