/** What came of both runs: the table, what is held, and whether it is as it has to be. */

/**
 * @import { Result, Size } from '../experiment.mjs'
 */

/** @param {Size} size @param {Result} ours @param {Result} usual @returns {number} how many checks have failed */
export function report(size, ours, usual) {
  const both = [ours, usual];
  /** @param {string} name @param {(result: Result) => string | number} cell */
  const row = (name, cell) => [name, ...both.map((result) => String(cell(result)))];
  const rows = [
    ['', ...both.map(({ name }) => name)],
    row('accepted once', ({ books }) => books.once.length - books.heldAccepted.length),
    row('refused for good', ({ books }) => books.refused.length),
    row('held: the server has it', ({ books }) => books.heldAccepted.length),
    row('held: the server does not have it', ({ books }) => books.heldNot.length),
    row('duplicated', ({ books }) => books.duplicated.length),
    row('lost', ({ books }) => books.lost.length),
    row('kills that hit a busy worker', ({ hits }) => `${hits.busy} of ${size.kills}`),
    row('  its messages: in the envelope', ({ hits }) => hits.envelope),
    row('  in the content', ({ hits }) => hits.content),
    row('  behind the last octet', ({ hits }) => hits.reply),
    row('seconds', ({ seconds }) => seconds.toFixed(1)),
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  for (const cells of rows)
    console.log(
      cells
        .map((cell, at) => (at ? cell.padStart(widths?.[at] ?? 0) : cell.padEnd(widths?.[0] ?? 0)))
        .join('   '),
    );
  console.log('');
  const { heldAccepted, heldNot } = ours.books;
  if (heldAccepted[0]) console.log(`held, and the server has it: ${heldAccepted.join(' ')}`);
  if (heldNot[0]) console.log(`held, and the server does not have it: ${heldNot.join(' ')}`);
  console.log(
    `Looked up by Message-ID: ${heldAccepted.length} done with, ${heldNot.length} sent again. Then ` +
      `${ours.resolved.books.once.length} accepted once, ${ours.resolved.books.refused.length} refused for good.\n`,
  );

  let failed = 0;
  const all = checks(size, ours);
  for (const [name, problems] of all) {
    console.log(`${problems.length > 0 ? 'FAILED' : 'ok    '}  ${name}`);
    for (const problem of problems.slice(0, 20)) console.error(`        ${problem}`);
    if (problems.length > 0) failed += 1;
  }
  console.log(`${all.length - failed} passed, ${failed} failed`);
  return failed;
}

/** @param {Size} size @param {Result} ours @returns {[string, string[]][]} each with its problems */
function checks(size, { books, states, hits, resolved, crashes }) {
  const of = (/** @type {Result['states']} */ from, /** @type {string} */ wanted) =>
    [...from].filter(([, state]) => state === wanted).map(([id]) => id);
  const [once, refused] = [new Set(books.once), new Set(books.refused)];
  const unsettled = [...states].filter(([, state]) => !/sent|failed|held/.test(state));
  const disagree = [
    ...of(states, 'sent').filter((id) => !once.has(id)),
    ...of(states, 'failed').filter((id) => !refused.has(id)),
  ];
  const after = resolved.books;
  const [accepted, denied] = [after.once.length, after.refused.length];
  const [sent, failed] = [of(resolved.states, 'sent').length, of(resolved.states, 'failed').length];
  return [
    ['no message is lost', books.lost],
    ['no message is duplicated', books.duplicated],
    ['sent, failed and held are all messages', unsettled.map((entry) => entry.join(' is '))],
    [
      'what is sent was accepted once, what has failed was refused',
      [...disagree.map((id) => `${id} is ${states.get(id)}`), ...books.strange],
    ],
    [
      'what was held is sent once, as the server says',
      accepted === sent && denied === failed && sent + failed === size.messages
        ? []
        : [`accepted once ${accepted}, refused ${denied}; sent ${sent}, failed ${failed}`],
    ],
    ['no worker has ended by itself', crashes],
    [
      'kills hit busy workers',
      2 * hits.busy >= size.kills ? [] : [`${hits.busy} of ${size.kills}`],
    ],
  ];
}
