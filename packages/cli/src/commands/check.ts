/** `posthorn check`: connects, logs in, tells what the server offers, and sends nothing. */
import type { SmtpClient } from '@posthorn/core';
import type { Command } from 'commander';
import { connectionOf } from '../connection.ts';
import { EXIT } from '../exit-code.ts';
import { replyText } from '../report/outcome.ts';
import { transcriptTo } from '../report/transcript.ts';
import { printable, write } from '../say.ts';
import { login } from '../transmit.ts';
import type { CommandContext } from './context.ts';
import { addSettings, givenSettings } from './setting-options.ts';

/** Settings that are about a message. */
const OF_MESSAGES = [
  'from',
  'partial',
  'onUnsupported',
  'maxSize',
  'confirmedSender',
  'tags',
] as const;

export function addCheck(program: Command, context: CommandContext): void {
  const command = program
    .command('check')
    .description('connect and log in, tell what the server offers, and send nothing')
    .option('--json', 'the result as JSON')
    .option('-v, --verbose', 'the dialogue with the server, on standard error');
  addSettings(command, OF_MESSAGES);
  command.addHelpText(
    'after',
    `
Examples:
  $ POSTHORN_PASS=… posthorn check --host mail.example.com --user me
  $ posthorn check --verbose`,
  );
  command.action(async ({ json, verbose }: { json?: boolean; verbose?: boolean }) => {
    const { stdout, stderr, signal } = context.surroundings;
    const settings = await context.settings(givenSettings(command));
    const connection = await connectionOf(settings, context.surroundings);
    const client = await login(connection, {
      signal,
      ...(verbose && { onTranscript: transcriptTo(stderr) }),
    });
    const found = { ...connection, isLoggedIn: connection.auth !== undefined };
    await write(
      stdout,
      json ? `${JSON.stringify(asJson(client, found))}\n` : asText(client, found),
    );
    await client.close();
    context.exit(EXIT.OK);
  });
}

interface Found {
  readonly host: string;
  readonly isLoggedIn: boolean;
}

function asJson({ capabilities, greeting, secure, roundTrips }: SmtpClient, found: Found): object {
  return {
    exit: EXIT.OK,
    host: found.host,
    greeting: { code: greeting.code, lines: greeting.lines },
    secure,
    isLoggedIn: found.isLoggedIn,
    extensions: Object.fromEntries(capabilities.keywords),
    auth: [...capabilities.auth],
    ...(capabilities.size !== undefined && { size: capabilities.size }),
    limits: capabilities.limits,
    roundTrips,
  };
}

function asText({ capabilities, greeting, secure, roundTrips }: SmtpClient, found: Found): string {
  const offered = [...capabilities.keywords].map(([keyword, values]) =>
    [keyword, ...values].join(' '),
  );
  const rows: (readonly [string, string])[] = [
    ['Server', found.host],
    ['Greeting', replyText(greeting)],
    ['TLS', secure ? 'yes' : 'no'],
    ['Login', found.isLoggedIn ? 'accepted' : 'none was tried'],
    ...offered.map((line, at) => [at === 0 ? 'Offers' : '', line] as const),
    ...(offered.length === 0 ? [['Offers', 'no extensions'] as const] : []),
    ['Largest', capabilities.size === undefined ? 'not said' : `${capabilities.size} octets`],
    ['Waits', String(roundTrips)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('');
}
