/** The judge: the server's record against the list of what was submitted. It asks no worker. */
import { readFileSync } from 'node:fs';

/** @import { Line } from './server.mjs' */

/** @param {string} file @returns {Line[]} */
export const readRecord = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/**
 * @param {readonly string[]} ids - what was submitted
 * @param {readonly Line[]} record
 * @param {ReadonlySet<string>} held - what the queue says it holds
 */
export function judge(ids, record, held = new Set()) {
  /** @type {Map<string, number>} */
  const accepted = new Map();
  const refused = new Set();
  for (const { what, id, code = 0 } of record) {
    if (what === 'accepted') accepted.set(id, (accepted.get(id) ?? 0) + 1);
    if (what === 'refused' && code >= 500) refused.add(id);
  }
  const known = new Set(ids);
  const times = (/** @type {string} */ id) => accepted.get(id) ?? 0;
  const pick = (/** @type {(id: string) => boolean} */ holds) => ids.filter(holds);
  return {
    once: pick((id) => times(id) === 1),
    refused: pick((id) => times(id) === 0 && refused.has(id)),
    heldAccepted: pick((id) => held.has(id) && times(id) > 0),
    heldNot: pick((id) => held.has(id) && times(id) === 0),
    duplicated: pick((id) => times(id) > 1),
    lost: pick((id) => times(id) === 0 && !refused.has(id) && !held.has(id)),
    /** What nobody has submitted. */
    strange: [...accepted.keys()].filter((id) => !known.has(id)),
  };
}

/**
 * What the kills hit: of each killed worker, whether it had a message under way, and at what these were.
 *
 * @param {readonly Line[]} record
 * @param {ReadonlySet<string>} killed
 */
export function hits(record, killed) {
  const cuts = record.filter(({ what, worker }) => what === 'cut' && killed.has(worker));
  const at = (/** @type {Line['phase']} */ wanted) =>
    cuts.filter(({ phase }) => phase === wanted).length;
  return {
    busy: new Set(cuts.map(({ worker }) => worker)).size,
    envelope: at('envelope'),
    content: at('content'),
    reply: at('reply'),
  };
}
