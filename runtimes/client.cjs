/** The packages by require(): every entry, and one message by the CommonJS build. */
'use strict';
const { readFileSync } = require('node:fs');
const { connect, isSmtpError } = require('@posthorn/core');
const mime = require('@posthorn/mime');

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));

async function main() {
  const { perform } = await import('./perform.mjs');
  const names = Object.fromEntries(
    config.entries.map((name) => [name, Object.keys(require(name))]),
  );
  const [scenario] = config.scenarios;
  const outcome = await perform(scenario, { ...mime, connect, isSmtpError, able: config.able });
  console.log(`RESULT ${JSON.stringify({ name: scenario.name, names, ...outcome })}`);
}

void main();
