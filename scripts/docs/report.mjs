/** A reporter for remark: one line for each problem, as `file:line: what is wrong`. */
export default (files) =>
  files
    .flatMap(({ path, messages }) =>
      messages.map(({ line, reason }) => `${path}:${line ?? 1}: ${reason}\n`),
    )
    .join('');
