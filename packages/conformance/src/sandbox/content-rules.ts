/** The rules that look at a whole message: recipients, files, charset and tags. Pure. */
import type { MessagePart } from './inbox.ts';
import { type Found, quoted, type RuleSettings, type Verdict } from './rules.ts';

/** A message as the rules look at it. */
export interface JudgedContent {
  /** How many addresses its header To names. */
  readonly named: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly structure: MessagePart;
}

/** Behind the content: recipients, files, charset and tags. */
export function judgeContent(
  content: JudgedContent,
  recipients: readonly string[],
  settings: RuleSettings,
): Verdict[] {
  return [
    judgeCount(content, recipients),
    judgeAttachments(content, settings),
    judgeCharset(content, settings),
    ...judgeTags(content, settings),
  ].map((found) => quoted(found, settings));
}

function judgeCount({ named }: JudgedContent, recipients: readonly string[]): Found {
  const several = recipients.length > 1 || named > 1;
  return {
    rule: 'first-recipient',
    stage: 'data',
    grade: 'documented',
    outcome: several ? 'warn' : 'pass',
    detail: several
      ? `${recipients.length} recipients, ${named} in To: only the first is sent to`
      : 'one recipient',
  };
}

function judgeAttachments({ structure }: JudgedContent, { profile }: RuleSettings): Found {
  const base = { rule: 'attachments', stage: 'data', grade: profile.grades.attachments } as const;
  const files = leaves(structure).filter(isFile);
  for (const { filename, contentType } of files) {
    const extension = extensionOf(filename) ?? contentType.split('/')[1] ?? '';
    if (
      profile.attachments === 'none' ||
      (profile.attachments !== 'any' && profile.attachments.includes(extension))
    ) {
      return {
        ...base,
        outcome: 'refuse',
        detail: `a file of type ${extension}`,
        refusal: { reason: 'attachment-type', value: extension },
      };
    }
  }
  return {
    ...base,
    outcome: 'pass',
    detail: files.length > 0 ? 'only allowed files' : 'no files',
  };
}

/** What is no text to be shown; a text with the name of a file is one, however it wants to be shown. */
function isFile({ contentType, disposition, filename }: MessagePart): boolean {
  if (contentType.startsWith('multipart/')) return false;
  return (
    filename !== undefined ||
    disposition === 'attachment' ||
    (contentType !== 'text/plain' && contentType !== 'text/html')
  );
}

/** Dots and blanks at the end are left out, as some systems do that open files. */
function extensionOf(filename: string | undefined): string | undefined {
  const name = filename?.replace(/[. ]+$/, '') ?? '';
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : undefined;
}

function judgeCharset(content: JudgedContent, { charset }: RuleSettings): Found {
  const other = otherCharset(content);
  return {
    rule: 'charset',
    stage: 'data',
    // That it has to be UTF-8 is documented, what anything else leads to is not.
    grade: charset === 'reject' ? 'guess' : 'documented',
    outcome:
      other === undefined || charset === 'off' ? 'pass' : charset === 'warn' ? 'warn' : 'refuse',
    detail: other ?? 'UTF-8',
  };
}

/** What is not in UTF-8, if anything is: by what is said of it, and by its octets. */
function otherCharset({ structure, headers }: JudgedContent): string | undefined {
  for (const { contentType, charset, isUtf8 } of leaves(structure)) {
    if (!contentType.startsWith('text/')) continue;
    if (!isUtf8Name(charset || 'UTF-8')) return `a part is in ${charset}, not in UTF-8`;
    if (!isUtf8) return `a part is not in UTF-8, though it says ${charset || 'nothing'}`;
  }
  for (const { name, value } of headers)
    for (const [, charset = ''] of value.matchAll(/=\?([^?*\s]+)[^?\s]*\?[bq]\?/gi))
      if (!isUtf8Name(charset)) return `the field ${name} is in ${charset}, not in UTF-8`;
  return undefined;
}

/** ASCII is UTF-8. Names are those of the WHATWG's encoding standard. */
function isUtf8Name(name: string): boolean {
  if (/^(us-)?ascii$/i.test(name)) return true;
  try {
    return new TextDecoder(name).encoding === 'utf-8';
  } catch {
    return false;
  }
}

/** One verdict for each tag: a reader is shown one of the texts, so each has to have it. */
function judgeTags({ structure }: JudgedContent, { tags, profile }: RuleSettings): Found[] {
  const texts = leaves(structure).flatMap(({ contentType, text }) =>
    text === undefined ? [] : [{ contentType, text }],
  );
  return profile.tags.map((tag) => {
    const without = texts.filter(({ text }) => !text.includes(tag));
    const missing = texts.length === 0 || without.length > 0;
    const where =
      without.length === texts.length
        ? 'the text'
        : `one of its texts (${without.map(({ contentType }) => contentType).join(', ')})`;
    return {
      rule: 'tags',
      stage: 'data',
      // That it has to be there may be documented; what happens without it, and with which reply, is not.
      grade: profile.missingTag === 'reject' ? 'documented' : 'guess',
      outcome: !missing || tags === 'off' ? 'pass' : tags === 'warn' ? 'warn' : 'refuse',
      detail: missing ? `${where} has no ${tag}` : `${tag} is there`,
    };
  });
}

/** The parts that are no multipart. */
export function leaves(part: MessagePart): readonly MessagePart[] {
  return part.children.length === 0 ? [part] : part.children.flatMap(leaves);
}
