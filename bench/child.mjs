/** The fresh process of one job: takes it from the parent, gives back the sample, ends. */

const waiting = new Map();

/** Tells the parent that the job is at this point. Resolves when the parent has noted it. */
const mark = (name) =>
  new Promise((resolve) => {
    waiting.set(name, resolve);
    process.send({ mark: name });
  });

process.on('disconnect', () => process.exit(1));
process.on('message', async ({ module, name, options, marked }) => {
  if (marked !== undefined) {
    waiting.get(marked)?.();
    return;
  }
  try {
    const jobs = await import(`./jobs/${module}.mjs`);
    const sample = await jobs[name](options, mark);
    process.send({ sample }, () => process.exit(0));
  } catch (error) {
    process.send({ error: error?.stack ?? String(error) }, () => process.exit(1));
  }
});
