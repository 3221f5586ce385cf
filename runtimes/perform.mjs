/** Performs one scenario, within its time. Runs on every runtime. */
import { scenarios } from './scenarios.mjs';

const LIMIT = 15_000;

/**
 * @param task - the scenario's name, its servers, and the credentials
 * @param tools - the functions of the packages, and what the runtime is able to do
 */
export async function perform({ name, servers, user, pass, as = name }, tools) {
  const scenario = scenarios.find((one) => one.name === as);
  const made = [];
  const kept = (thing) => {
    made.push(thing);
    return thing;
  };
  const connect = async (options) => kept(await tools.connect(options));
  const createPool = (options) => kept(tools.createPool(options));
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${LIMIT / 1_000} s`)), LIMIT);
  });
  try {
    const { note, refused } =
      (await Promise.race([
        scenario.run({ ...tools, connect, createPool, servers, user, pass }),
        late,
      ])) ?? {};
    return { note, refused };
  } catch (error) {
    // What has failed half-way leaves nothing open that would be blamed on others.
    for (const thing of made) thing.destroy();
    return { error: `${error?.name}: ${error?.message}`, stack: error?.stack };
  } finally {
    clearTimeout(timer);
  }
}
