/** `smtp-conformance list`, `explain` and `report`: what needs no client. */
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import type { Command } from 'commander';
import type { Case, OutcomeExpectation, Play } from '../case.ts';
import { cases, groups } from '../cases/index.ts';
import { VERDICTS } from '../judge/judge.ts';
import { FORMAT, type Report } from '../report/report.ts';
import { DEADLINE } from '../runner/run-case.ts';
import { select, UsageError } from '../runner/select.ts';
import { REPORTS, render, type Terminal, write } from './run.ts';

/** Adds the commands. */
export function addList(program: Command, terminal: Terminal): void {
  program
    .command('list')
    .description('the cases of the catalogue')
    .option('--case <selection>', "ids, with *: 'TLS-*'; also tag:, level:, group:, clause:", '')
    .option('--json', 'as JSON')
    .addHelpText('after', "\nExample:\n  $ smtp-conformance list --case 'tag:security,level:MUST'")
    .action(async (options: { case: string; json?: boolean }) => {
      const selected = select(cases, options.case);
      await write(
        options.json ? `${JSON.stringify(selected.map(described), null, 2)}\n` : table(selected),
        undefined,
        terminal,
      );
    });
  program
    .command('explain')
    .description('what a case does, and what it expects')
    .argument('<id>', "a case: 'TLS-01'")
    .action(async (id: string) => {
      const one = cases.find((each) => each.id === id.toUpperCase());
      if (!one) throw new UsageError(`there is no case ${JSON.stringify(id)}`);
      await write(explanation(one), undefined, terminal);
    });
  program
    .command('report')
    .description(
      'another report of runs that were kept as JSON; html takes several, one column for each',
    )
    .argument('<files...>', 'what `run --report json --out FILE` wrote')
    .option('--report <kind>', REPORTS.join(', '), 'html')
    .option('--out <file>', 'where it goes; default: standard output')
    .option('--verbose', 'passed cases too')
    .addHelpText(
      'after',
      '\nExample:\n  $ smtp-conformance report core.json curl.json --out matrix.html',
    )
    .action(
      async (files: string[], options: { report: string; out?: string; verbose?: boolean }) => {
        if (!(REPORTS as readonly string[]).includes(options.report))
          throw new UsageError(`there is no report ${JSON.stringify(options.report)}`);
        const reports = await Promise.all(files.map(readReport));
        await write(
          render(options.report, reports, { color: false, verbose: options.verbose ?? false }),
          options.out,
          terminal,
        );
      },
    );
}

async function readReport(file: string): Promise<Report> {
  let report: Report;
  try {
    report = JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  if (report?.format !== FORMAT || !isWhole(report))
    throw new UsageError(`${file} is no report of the format ${FORMAT}, or a damaged one`);
  return report;
}

/** As much as the other reports rely on; the schema says the rest. */
function isWhole({ client, counts, cases: played, deliveries }: Report): boolean {
  const lists = (...values: readonly unknown[]): boolean => values.every(Array.isArray);
  return (
    typeof client?.name === 'string' &&
    typeof counts === 'object' &&
    counts !== null &&
    lists(played, deliveries) &&
    played.every(
      (one) =>
        typeof one?.id === 'string' &&
        VERDICTS.includes(one.verdict) &&
        lists(one.reasons, one.tags, one.plays) &&
        one.plays.every(
          (play) =>
            lists(play?.faults, play?.outcome, play?.transcript) && lists(...play.transcript),
        ),
    )
  );
}

/** A case as `list --json` shows it. */
export const described = (one: Case): Record<string, unknown> => ({
  id: one.id,
  group: groups.find(({ cases: own }) => own.includes(one))?.title,
  level: one.level,
  title: one.title,
  requirement: one.requirement,
  clause: one.clause,
  tags: one.tags,
  requires: one.requires ?? [],
  server: [...new Set(one.plays.map(({ server }) => server.engine))],
  plays: one.plays.length,
});

function table(selected: readonly Case[]): string {
  return groups
    .map((group) => ({ group, own: selected.filter((one) => group.cases.includes(one)) }))
    .filter(({ own }) => own.length > 0)
    .map(
      ({ group, own }) =>
        `${group.title} (${own.length})\n${own.map(({ id, level, title, clause }) => `  ${id}  ${level.padEnd(6)}  ${title} — ${clause}`).join('\n')}\n`,
    )
    .join('\n')
    .concat(`\n${selected.length} cases\n`);
}

/** A case for people: what the server does, what the client is asked, and what has to come of it. */
function explanation(one: Case): string {
  const lines = [
    `${one.id}  ${one.title}`,
    `${one.level}, ${one.clause}`,
    `${one.requirement}.`,
    ...(one.requires?.length ? [`Needs a client with ${one.requires.join(', ')}.`] : []),
    ...(one.note ? [one.note] : []),
  ];
  for (const play of one.plays)
    lines.push('', play.title ?? 'Play', ...explained(play, one).map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

function explained({ task, server, expect, deadline = DEADLINE }: Play, { level }: Case): string[] {
  const shown = (value: unknown): string =>
    inspect(value, { depth: 8, maxStringLength: 200, breakLength: 110, compact: 8 }).replaceAll(
      '\n',
      '\n  ',
    );
  const outcome = (wanted: OutcomeExpectation): string =>
    Object.entries(wanted)
      .map(
        ([name, value]) =>
          `${name} ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`,
      )
      .join(', ');
  return [
    `Task: ${task ? shown(task) : 'one message, without TLS, without credentials'}`,
    `Server: ${shown(server)}`,
    ...[expect.client].flat().map((wanted) => `Client: ${outcome(wanted as OutcomeExpectation)}`),
    ...(expect.wire ?? []).map((claim) => `Wire (${claim.level ?? level}): ${claim.says}`),
    `Deadline: ${deadline} ms`,
    ...(expect.within === undefined ? [] : [`Within: ${expect.within} ms`]),
    ...(expect.memory === undefined ? [] : [`Memory: at most ${expect.memory} octets more`]),
    ...(expect.logNot ? [`Log: nothing like ${expect.logNot}`] : []),
  ];
}
