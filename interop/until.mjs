/** Waits that end. */

/** How long what has to come may take. Far above what is needed: a wait that is never over has to end in words. */
export const PATIENCE = 20_000;
const INTERVAL = 20;

/** Waits until something is so, or so many ms are over; whether it is so. */
export async function until(isSo, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    if (await isSo()) return true;
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
