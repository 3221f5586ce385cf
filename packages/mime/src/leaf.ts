/** A body part with content: its header fields (RFC 2045, RFC 2183, RFC 2392), and its encoded content. */
import { base64Lines } from './encoding/base64.ts';
import { refuse } from './errors.ts';
import { checkText } from './header/field.ts';
import { fold } from './header/fold.ts';
import { nameParameters } from './header/parameter.ts';
import {
  type Arrange,
  type BodyPart,
  type EncodeContent,
  type Entity,
  multipart,
  type TransferEncoder,
} from './part.ts';
import { base64Size } from './size.ts';
import { type Content, encodedSource, given } from './source.ts';

/** What is said of a body part beside its content. */
export interface LeafOptions {
  readonly contentType: string;
  readonly filename?: string | undefined;
  readonly cid?: string | undefined;
  readonly disposition?: 'attachment' | 'inline' | undefined;
  readonly transferEncoding?: 'base64' | TransferEncoder | undefined;
}

/** mixed(alternative(text, related(html, cid …)), files …), each only where it has several parts. */
export const arrange: Arrange = (leaves, attachments, context) => {
  const { html } = leaves;
  const related = [html as Entity];
  const files: Entity[] = [];
  attachments.forEach((part, at) => {
    const path = `attachments[${at}]`;
    if (!part?.render) refuse('ERR_MIME_CONTENT', path, part, 'not of attachment()');
    (html && part.cid ? related : files).push(part.render(context, path));
  });
  if (html) [leaves.html] = multipart('related; type="text/html"', related, context) as [Entity];
  return multipart(
    'mixed',
    [...multipart('alternative', Object.values(leaves), context), ...files],
    context,
  );
};

/** In base64, with no line break after the last line. */
export const base64: EncodeContent = (given, path) => [
  'base64',
  encodedSource(given, path, given.size && base64Size(given.size), () => {
    // The first line has its CRLF from the header.
    let skip = 2;
    return (octets) => {
      const lines = base64Lines(octets).subarray(skip);
      skip = 0;
      return lines;
    };
  }),
];

export function leaf(content: Content, options: LeafOptions): BodyPart {
  const { contentType, filename, cid, disposition, transferEncoding } = options;
  const read = given(content);
  return {
    contentType,
    filename,
    cid,
    size: read.size,
    depth: 0,
    arrange,
    render(context, path) {
      checkText(
        contentType,
        `${path}.contentType`,
        'ERR_MIME_HEADER',
        /.{900}|^(?!(?!multipart|message)[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; *(?!name=)[\w-]+=([\w.+-]+|"[ !#-[\]-~]*"))*$)/i,
      );
      checkText(disposition, `${path}.disposition`, 'ERR_MIME_HEADER', /^(?!(attachment|inline)$)/);
      if (cid) checkText(cid, `${path}.cid`, 'ERR_MIME_HEADER', /.{900}|[^!-;=?-~]/);
      const [name, file] = nameParameters(checkText(filename, `${path}.filename`));
      const wanted = (transferEncoding ?? context.transferEncoding) as TransferEncoder | undefined;
      const encode = wanted?.content ?? base64;
      const [encoding, body] = encode(read, path, context);
      return {
        head:
          `${fold('Content-Type', `${contentType};`)} name="${name}"\r\n` +
          `Content-Transfer-Encoding: ${encoding}\r\nContent-Disposition: ${disposition}${file}\r\n` +
          (cid ? `Content-ID: <${cid}>\r\n` : ''),
        body: [body],
      };
    },
  };
}
