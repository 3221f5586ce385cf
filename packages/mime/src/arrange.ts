/** Where the attachments of a message stand. In no bundle that has none. */
import { refuse } from './errors.ts';
import { type Arrange, type Entity, multipart } from './part.ts';

/** mixed(alternative(text, related(html, cid …)), files …), each only where it has several parts, or files. */
export const arrange: Arrange = (leaves, attachments, context) => {
  const { html } = leaves;
  const related = [html as Entity];
  const files: Entity[] = [];
  attachments.forEach((part, at) => {
    const path = `attachments[${at}]`;
    if (!part?.render) refuse('CONTENT', path);
    (html && part.cid ? related : files).push(part.render(context, path));
  });
  if (html) [leaves.html] = multipart('related; type="text/html"', related, context) as [Entity];
  return multipart(
    'mixed',
    [...multipart('alternative', Object.values(leaves), context), ...files],
    context,
    // A file is never the whole message: its last line would be ended, and its octets others.
    files.length > 0,
  );
};
