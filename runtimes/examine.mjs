/** Examines one runtime: starts the servers of the scenarios, lets it play them, and judges what the servers have seen. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../scripts/bounded-run.cjs';
import { documentedCell, documentedWorker } from './documented.mjs';
import { scenarios } from './scenarios.mjs';
import { CREDENTIALS, DOCUMENTED, plays } from './servers.mjs';
import { startWorkerd } from './workerd.mjs';

const RUNTIME_LIMIT = 60_000;
const COMMONJS = 'STARTTLS, AUTH PLAIN';
const REQUIRE = 'require() of every entry';
const IMPORT = 'import of every entry';
/** What the documented worker is to send. */
const TEXT = 'Hello from workerd';
const END = 'the process ends by itself';
const TABLE = 'as docs/runtimes.md says';
/** How long octets may be on their way that a client has sent before it ended. */
const SETTLED = 500;

/** The rows of the table, in their order. */
export const ROWS = [IMPORT, REQUIRE, ...scenarios.map(({ name }) => name), DOCUMENTED, END, TABLE];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts what a scenario connects to; `task` is what its client is told. */
async function open(name, as = name) {
  const play = plays[as];
  const servers = await play.start();
  const { user, pass } = play.credentials ?? CREDENTIALS;
  const told = Object.entries(servers).map(([key, { port, ca, given }]) => [
    key,
    { port, ca, ...given },
  ]);
  return {
    name,
    play,
    servers,
    task: { name, as, user, pass, servers: Object.fromEntries(told) },
    close: () => Promise.all(Object.values(servers).map((server) => server.close())),
  };
}

async function judge({ play, servers }, outcome) {
  const seen = Object.fromEntries(
    Object.entries(servers).map(([key, server]) => [key, server.seen()]),
  );
  await play.judge(seen, outcome, servers);
}

/** What the client says of a scenario, and what its servers say. */
async function cellOf(opened, outcome) {
  if (!outcome) return { verdict: 'FAILED', note: 'it was not performed' };
  if (outcome.error) return { verdict: 'FAILED', note: outcome.stack ?? outcome.error };
  try {
    await judge(opened, outcome).catch(() => pause(SETTLED).then(() => judge(opened, outcome)));
  } catch (error) {
    return { verdict: 'FAILED', note: `at the server: ${error.stack}` };
  }
  if (outcome.refused) return { verdict: 'refused', note: outcome.refused };
  return { verdict: 'ok', note: outcome.note };
}

/** Whether the entries have the names that they have for the process that judges. */
function namesCell(outcome, names) {
  if (!outcome?.names) return { verdict: 'FAILED', note: outcome?.error ?? 'it was not performed' };
  try {
    for (const [entry, found] of Object.entries(outcome.names)) {
      // Node makes these two of CommonJS; one entry has a default of its own.
      const made = ['module.exports', 'default'].filter((name) => !names[entry]?.includes(name));
      const own = found.filter((name) => !made.includes(name));
      assert.deepEqual(own.sort(), names[entry], entry);
    }
    assert.deepEqual(Object.keys(outcome.names).sort(), Object.keys(names).sort());
  } catch (error) {
    return { verdict: 'FAILED', note: error.message };
  }
  return { verdict: 'ok' };
}

/** Nothing of the environment that starts this is to be seen: no option, no certificate, no home. */
const environment = (place) => ({
  PATH: process.env.PATH,
  HOME: place,
  TMPDIR: place,
  DENO_DIR: join(place, '.deno'),
  DENO_NO_UPDATE_CHECK: '1',
});

/** Runs a script; the results that it has said, by their names, and how it ended. */
async function script(runtime, place, file, config) {
  const configFile = join(place, 'config.json');
  writeFileSync(configFile, JSON.stringify(config));
  const args = [...runtime.args(place), join(place, file), configFile];
  const { code, timedOut, output } = await run(runtime.program, args, {
    cwd: place,
    env: environment(place),
    timeout: RUNTIME_LIMIT,
  });
  const outcomes = new Map();
  const noise = [];
  for (const line of output.split('\n')) {
    const [, json] = /^RESULT (.*)$/.exec(line) ?? [];
    if (json) {
      const outcome = JSON.parse(json);
      outcomes.set(outcome.name, outcome);
    } else if (line.trim()) noise.push(line);
  }
  const how = timedOut ? `stopped after ${RUNTIME_LIMIT / 1_000} s` : `exit code ${code}`;
  const problem = code === 0 && noise.length === 0 ? undefined : [how, ...noise].join('\n');
  return { outcomes, problem };
}

/** Node, Bun and Deno: a process for all the scenarios, and one for CommonJS. */
async function inProcess(runtime, { place, opened, whole, names, cells }) {
  const config = {
    able: runtime.able,
    scenarios: opened.map(({ task }) => task),
    entries: Object.keys(names),
  };
  const { outcomes, problem } = await script(runtime, place, 'client.mjs', config);
  if (whole) cells.set(IMPORT, namesCell(outcomes.get(IMPORT), names));
  if (whole && runtime.commonjs) {
    const required = await open(REQUIRE, COMMONJS);
    try {
      const given = { ...config, scenarios: [required.task] };
      const smoke = await script(runtime, place, 'client.cjs', given);
      const outcome = smoke.outcomes.get(REQUIRE);
      const alike = namesCell(outcome, names);
      cells.set(REQUIRE, alike.verdict === 'ok' ? await cellOf(required, outcome) : alike);
      if (smoke.problem) cells.set(REQUIRE, { verdict: 'FAILED', note: smoke.problem });
    } finally {
      await required.close();
    }
  }
  for (const one of opened) cells.set(one.name, await cellOf(one, outcomes.get(one.name)));
  cells.set(END, problem ? { verdict: 'FAILED', note: problem } : { verdict: 'ok' });
}

/** The example of a worker, as it stands in its document. */
function exampleWorker(place, { task: { user, pass, servers } }) {
  writeFileSync(join(place, 'documented.ts'), documentedWorker());
  return {
    name: 'documented',
    entry: 'documented.ts',
    flags: [],
    bindings: {
      SMTP_HOST: 'localhost',
      SMTP_PORT: String(servers.server.port),
      SMTP_USER: user,
      SMTP_PASS: pass,
    },
  };
}

/** workerd: a request for each scenario. */
async function inWorkers(runtime, { place, opened, whole, names, cells }) {
  const documented = whole && (await open(DOCUMENTED));
  const all = documented ? [...opened, documented] : opened;
  let workerd;
  try {
    workerd = await startWorkerd({
      program: runtime.program,
      place,
      env: environment(place),
      workers: [
        { name: 'plain', entry: 'worker.mjs', flags: [] },
        { name: 'compat', entry: 'pool-worker.mjs', flags: ['nodejs_compat'] },
        ...(documented ? [exampleWorker(place, documented)] : []),
      ],
      trusted: all.flatMap(({ servers }) => Object.values(servers).map(({ ca }) => ca)),
    });
    const ask = (where, body) =>
      workerd.ask(where, body).catch((error) => ({ error: error.message }));
    if (whole) {
      const [plain, compat] = [await ask('plain', {}), await ask('compat', {})];
      const problem = plain.error ?? compat.error;
      const found = problem ? { error: problem } : { names: { ...plain.names, ...compat.names } };
      cells.set(IMPORT, namesCell(found, names));
    }
    for (const one of opened) {
      let outcome = {};
      for (let time = 0; time < (one.play.requests ?? 1) && !outcome.error; time += 1)
        outcome = await ask(one.nodeModules ? 'compat' : 'plain', {
          scenario: one.task,
          able: runtime.able,
        });
      cells.set(one.name, await cellOf(one, outcome));
    }
    if (documented) {
      const { code, error, reply } = await ask('documented', TEXT);
      const failure = error ?? code;
      const outcome = failure ? { error: failure } : { text: JSON.stringify(TEXT), reply };
      cells.set(DOCUMENTED, await cellOf(documented, outcome));
    }
  } finally {
    await workerd?.close();
    if (documented) await documented.close();
  }
}

/**
 * @param around - `place`: the folder with the packages; `some`: the scenarios; `whole`: the modules as well; `names`: what
 * each entry exports
 * @returns for each row of the table its verdict, with a reason where there is one
 */
export async function examine(runtime, { place, some, whole, names }) {
  const cells = new Map();
  const opened = [];
  try {
    for (const { name, on, nodeModules } of some)
      if (!on || on(runtime.able)) opened.push({ ...(await open(name)), nodeModules });
    const around = { place, opened, whole, names, cells };
    await (runtime.name === 'workerd' ? inWorkers(runtime, around) : inProcess(runtime, around));
    if (whole) cells.set(TABLE, documentedCell(runtime, cells));
  } catch (error) {
    cells.set('the runtime', { verdict: 'FAILED', note: error.stack });
  } finally {
    await Promise.all(opened.map((one) => one.close()));
  }
  return cells;
}
