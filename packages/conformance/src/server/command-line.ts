/** How a command line is compared: RFC 5321 §2.4 leaves the case of verbs and keywords to the client. */

/** The line with its verb and its keywords in upper case; paths, names and credentials keep theirs. */
export function inOneCase(line: string): string {
  const upper = (word: string): string => word.toUpperCase();
  const begun = line.replace(/^(MAIL +FROM|RCPT +TO|BDAT +\d+ +LAST|AUTH +[\w-]+|[a-z]+)/i, upper);
  if (!/^(MAIL|RCPT)/.test(begun)) return begun;
  // Parameters stand behind the path. The values of these have no case either.
  const [, path = begun, parameters = ''] = /^([^>]*>)(.*)$/s.exec(begun) ?? [];
  return (
    path +
    parameters.replace(/ ((?:BODY|RET|NOTIFY)=[\w,]*|[a-z0-9][a-z0-9-]*)/gi, (word) => upper(word))
  );
}
