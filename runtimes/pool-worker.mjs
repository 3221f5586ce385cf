/** What needs Node's modules, in a worker that has `nodejs_compat`: the pool, with the connections of core/workers. */
import * as core from '@posthorn/core';
import * as diagnostics from '@posthorn/core/diagnostics';
import * as nodemailer from '@posthorn/core/nodemailer';
import * as pool from '@posthorn/core/pool';
import * as workers from '@posthorn/core/workers';
import * as mime from '@posthorn/mime';
import { perform } from './perform.mjs';

const entries = {
  '@posthorn/core': core,
  '@posthorn/core/diagnostics': diagnostics,
  '@posthorn/core/nodemailer': nodemailer,
  '@posthorn/core/pool': pool,
};

export default {
  async fetch(request) {
    const { scenario, able } = await request.json();
    if (scenario) {
      const { connect } = workers;
      const createPool = (options) => pool.createPool({ connect, ...options });
      const tools = { ...mime, ...workers, createPool, coreConnect: core.connect, able };
      return Response.json(await perform(scenario, tools));
    }
    const names = Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry)]);
    return Response.json({ names: Object.fromEntries(names) });
  },
};
