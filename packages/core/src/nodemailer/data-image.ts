/** Images in HTML that are `data:` URIs, as attachments beside it: mail readers show those. */
import { randomUUID } from 'node:crypto';
import type { MailMessage } from './mail-message.ts';
import { endingOf } from './media-type.ts';
import type { AttachmentInput } from './message-data.ts';

/** The plugin for the option `attachDataUrls`. */
export function attachDataImages(
  mail: MailMessage,
  callback: (error?: Error | null) => void,
): void {
  const { data, mailer } = mail;
  const { attachDataUrls } = (mailer as { options: { attachDataUrls?: boolean } }).options;
  if (!data['html'] || !(attachDataUrls || data['attachDataUrls'])) {
    callback();
    return;
  }
  mail.resolveContent(data, 'html', undefined, (error, found) => {
    if (!error) {
      const { html, images } = dataImages(`${found}`);
      data['html'] = html;
      data['attachments'] = [data['attachments'] ?? [], images].flat(2);
    }
    callback(error);
  });
}

/** The HTML with `cid:` in place of its `data:` images, and these as attachments. */
export function dataImages(html: string): { html: string; images: AttachmentInput[] } {
  const images: AttachmentInput[] = [];
  return {
    // Where a tag begins another has ended, and so nothing is looked at twice: it runs in linear time.
    html: html.replace(
      /(<img\b[^<>]*?\ssrc\s*=\s*["']?)(data:(image\/[\w.+-]{1,99})[^"'<>\s]*)/gi,
      (_, before: string, path: string, type: string) => {
        const cid = `${randomUUID()}@localhost`;
        images.push({ path, cid, filename: `image-${images.length + 1}.${endingOf(type)}` });
        return `${before}cid:${cid}`;
      },
    ),
    images,
  };
}
