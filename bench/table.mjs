/** Tables as text: for the terminal, and as Markdown for a page. */

/** Three digits, or all that stand before the point. */
export function figure(value) {
  if (value === undefined || !Number.isFinite(value)) return '';
  return value.toLocaleString(
    'en-US',
    Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}

function cells({ base, columns, rows }) {
  const head = ['', ...columns.map(({ title }) => title), ...(base === undefined ? [] : ['ratio'])];
  const lines = rows.map(({ name, medians, ratio, error }) => [
    name,
    ...columns.map(({ key }) => figure(medians[key])),
    ...(base === undefined ? [] : [ratio === undefined ? '' : `${figure(ratio)}×`]),
    ...(error === undefined ? [] : [`error: ${error.split('\n')[0]}`]),
  ]);
  return [head, ...lines];
}

/** For a terminal: columns of one width, figures to the right. */
export function terminalTable(table) {
  const rows = cells(table);
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [table.title, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** For a page: a heading and a table of GitHub's Markdown. */
export function markdownTable(table) {
  const escaped = (cell) => cell.replaceAll('|', '\\|');
  const [head, ...lines] = cells(table);
  const line = (row) => `| ${row.map(escaped).join(' | ')} |`;
  const ruler = `|${head.map((_, column) => (column === 0 ? '---|' : '---:|')).join('')}`;
  const plain = lines.map((row) =>
    row.length > head.length ? [...row.slice(0, head.length - 1), row.at(-1)] : row,
  );
  return [`### ${table.title}`, '', line(head), ruler, ...plain.map(line)].join('\n');
}
