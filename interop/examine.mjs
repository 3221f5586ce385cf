/** Plays the scenarios on one server, one after the other, and judges it as a whole at the end. */
import { documentedCell } from './documented.mjs';
import { createLab } from './lab.mjs';
import { scenarios } from './scenarios.mjs';

/** What is not played by then is not played at all: where all goes wrong, each row waits for what never comes. */
const LIMIT = 5 * 60 * 1000;
const END = 'nothing is left, and it ends when it is told';
const TABLE = 'as docs/interop.md says';

/** The rows of the table, in their order. */
export const ROWS = [...scenarios.map(({ name }) => name), END, TABLE];

/**
 * @param running - a server of start.mjs; it is ended
 * @param around - `some`: the scenarios; `whole`: whether these are all
 * @returns for each row of the table its verdict, with a reason where there is one
 */
export async function examine(running, { some, whole }) {
  const cells = new Map();
  const limit = Date.now() + LIMIT;
  for (const scenario of some) {
    const reason = scenario.except?.[running.name];
    const problem = running.ended() ?? (Date.now() > limit ? 'there was no time left' : undefined);
    if (reason) cells.set(scenario.name, { verdict: '–', note: reason });
    else if (problem) cells.set(scenario.name, { verdict: 'FAILED', note: problem });
    else cells.set(scenario.name, await cellOf(running, scenario));
  }
  cells.set(END, await endOf(running));
  if (whole) cells.set(TABLE, documentedCell(running.name, cells));
  return cells;
}

async function cellOf(running, { play, forgiven }) {
  const lab = createLab(running);
  try {
    const note = await play(lab);
    await lab.judge(forgiven?.[running.name]);
    return { verdict: 'ok', note };
  } catch (error) {
    return { verdict: 'FAILED', note: error.stack ?? String(error) };
  } finally {
    await lab.end();
  }
}

async function endOf(running) {
  const problems = running.ended() === undefined ? [] : [running.ended()];
  if (running.queued() > 0) problems.push(`${running.queued()} messages are queued`);
  const late = running.maildir.take(() => true).map(({ to }) => to);
  if (late.length > 0) problems.push(`somebody has what nobody has sent: ${late.join(', ')}`);
  const panics = running.panics();
  if (panics) problems.push(panics);
  if (!(await running.stop())) problems.push('it does not end when it is told');
  return problems.length === 0
    ? { verdict: 'ok' }
    : { verdict: 'FAILED', note: problems.join('\n') };
}
