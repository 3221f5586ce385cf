/**
 * The scenarios on Node, Bun and Deno, with the packages that are installed beside this file. Says the result of each in
 * a line, and then ends by itself: nothing that a scenario leaves behind may keep the process alive.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import * as core from '@posthorn/core';
import * as devino from '@posthorn/core/devino';
import * as diagnostics from '@posthorn/core/diagnostics';
import * as pool from '@posthorn/core/pool';
import * as sasl from '@posthorn/core/sasl';
import * as workers from '@posthorn/core/workers';
import * as mime from '@posthorn/mime';
import { perform } from './perform.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const say = (name, outcome) => console.log(`RESULT ${JSON.stringify({ name, ...outcome })}`);

for (const scenario of config.scenarios)
  say(
    scenario.name,
    await perform(scenario, {
      ...core,
      ...devino,
      ...mime,
      ...pool,
      ...sasl,
      subscribe,
      diagnosedConnect: diagnostics.connect,
      workersConnect: workers.connect,
      able: config.able,
    }),
  );

const names = {};
for (const name of config.entries) names[name] = Object.keys(await import(name));
say('import of every entry', { names });
