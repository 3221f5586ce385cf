/** A ledger in memory: the rules once more, in few words, for what is tested over them. */
import type { Entry, Ledger, State } from './example.ts';

export interface MemoryLedger extends Ledger {
  look(id: string): Promise<Entry>;
  resolve(id: string, state: 'sent' | 'open', note: string): Promise<boolean>;
}

export function memoryLedger(): MemoryLedger {
  const entries = new Map<string, Entry>();
  const of = (id: string): Entry => entries.get(id) ?? { state: 'open', tries: 0 };
  const put = (id: string, entry: Entry): Entry => {
    entries.set(id, entry);
    return entry;
  };
  let leases = 0;

  return {
    async take(id) {
      const entry = of(id);
      leases += 1;
      if (entry.state === 'open') return put(id, { ...entry, lease: `lease ${leases}` });
      return entry.state === 'sending'
        ? put(id, { ...entry, state: 'held', note: 'its worker was lost behind the last octet' })
        : entry;
    },
    async sending(id, lease) {
      const entry = of(id);
      if (entry.lease !== lease || !/open|sending/.test(entry.state))
        throw new Error(`Cannot send ${id}: another worker has taken it up`);
      put(id, { ...entry, state: 'sending' });
    },
    async settle(id, lease, wanted, note) {
      const { lease: owner, ...entry } = of(id);
      if (/sent|failed/.test(entry.state) || (wanted !== 'sent' && owner !== lease)) return of(id);
      const state: State =
        entry.state === 'open' && wanted === 'held'
          ? 'open'
          : entry.state === 'held' && wanted === 'open'
            ? 'held'
            : wanted;
      if (state === 'open') return put(id, { ...entry, state, note, tries: entry.tries + 1 });
      return put(id, { ...entry, ...(owner && { lease: owner }), state, note });
    },
    look: async (id) => of(id),
    async resolve(id, state, note) {
      const { lease: _, ...entry } = of(id);
      if (entry.state !== 'held' && !(entry.state === 'failed' && state === 'open')) return false;
      put(id, { ...entry, state, note });
      return true;
    },
  };
}
