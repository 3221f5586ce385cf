/** The rules that look at a whole message: recipients, files, charset and tags. Pure. */
import type { MessagePart } from './inbox.ts';
import { type Found, quoted, type RuleSettings, type Verdict } from './rules.ts';

/** A message as the rules look at it. */
export interface JudgedContent {
  /** How many addresses its header To names. */
  readonly named: number;
  readonly structure: MessagePart;
  readonly attachments: readonly {
    readonly filename: string | undefined;
    readonly contentType: string;
  }[];
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

function judgeAttachments({ attachments }: JudgedContent, { profile }: RuleSettings): Found {
  const base = { rule: 'attachments', stage: 'data', grade: profile.grades.attachments } as const;
  for (const { filename, contentType } of attachments) {
    const extension = filename?.includes('.')
      ? filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
      : (contentType.split('/')[1] ?? '');
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
    detail: attachments.length > 0 ? 'only allowed files' : 'no files',
  };
}

function judgeCharset({ structure }: JudgedContent, { charset }: RuleSettings): Found {
  const other = leaves(structure)
    .filter(({ contentType }) => contentType.startsWith('text/'))
    .map((part) => part.charset ?? 'UTF-8')
    .find((name) => !/^(utf-?8|us-ascii)$/i.test(name));
  return {
    rule: 'charset',
    stage: 'data',
    // That it has to be UTF-8 is documented, what anything else leads to is not.
    grade: charset === 'reject' ? 'guess' : 'documented',
    outcome:
      other === undefined || charset === 'off' ? 'pass' : charset === 'warn' ? 'warn' : 'refuse',
    detail: other === undefined ? 'UTF-8' : `a part is in ${other}, not in UTF-8`,
  };
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
      // The page demands the links; what happens without them, and with which reply, nobody documents.
      grade: 'guess',
      outcome: !missing || tags === 'off' ? 'pass' : tags === 'warn' ? 'warn' : 'refuse',
      detail: missing ? `${where} has no ${tag}` : `${tag} is there`,
    };
  });
}

/** The parts that are no multipart. */
export function leaves(part: MessagePart): readonly MessagePart[] {
  return part.children.length === 0 ? [part] : part.children.flatMap(leaves);
}
