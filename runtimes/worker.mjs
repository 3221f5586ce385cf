/** The scenarios in a worker, without Node's modules: each request performs one. */
import * as authenticate from '@posthorn/core/authenticate';
import * as devino from '@posthorn/core/devino';
import * as sasl from '@posthorn/core/sasl';
import * as session from '@posthorn/core/session';
import * as core from '@posthorn/core/workers';
import * as mime from '@posthorn/mime';
import { perform } from './perform.mjs';

const entries = {
  '@posthorn/core/authenticate': authenticate,
  '@posthorn/core/devino': devino,
  '@posthorn/core/sasl': sasl,
  '@posthorn/core/session': session,
  '@posthorn/core/workers': core,
  '@posthorn/mime': mime,
};

/** What one request leaves for the next one. */
const shelf = {};

export default {
  async fetch(request) {
    const { scenario, able } = await request.json();
    if (scenario) {
      const tools = { ...devino, ...mime, ...sasl, ...core, able, shelf };
      return Response.json(await perform(scenario, tools));
    }
    const names = Object.entries(entries).map(([name, entry]) => [name, Object.keys(entry)]);
    return Response.json({ names: Object.fromEntries(names) });
  },
};
