/** How a command line is compared: RFC 5321 §2.4 leaves the case of verbs and keywords to the client. */

const VERBS = 'EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL|RCPT|DATA|BDAT|RSET|VRFY|EXPN|HELP|QUIT|NOOP';
/** Anything else is no command, and may be an answer to a challenge: base64 has a case. */
const COMMAND = new RegExp(
  `^(MAIL +FROM|RCPT +TO|BDAT +\\d+ +LAST|AUTH +[\\w-]+|(?:${VERBS})(?![\\w+/=]))`,
  'i',
);

/** The line with its verb and its keywords in upper case; paths, names and credentials keep theirs. */
export function inOneCase(line: string): string {
  const upper = (word: string): string => word.toUpperCase();
  const begun = line.replace(COMMAND, upper);
  if (!/^(MAIL|RCPT)/.test(begun)) return begun;
  // Parameters stand behind the path. The values of these have no case either.
  const [, path = begun, parameters = ''] = /^([^>]*>)(.*)$/s.exec(begun) ?? [];
  return (
    path +
    parameters.replace(/ ((?:BODY|RET|NOTIFY)=[\w,]*|[a-z0-9][a-z0-9-]*)/gi, (word) => upper(word))
  );
}
