/** `smtp-conformance probe`: what a live server offers. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ProbeReport, type ProbeTls, probe } from '../probe/probe.ts';
import { printable } from '../report/report.ts';
import { UsageError } from '../runner/select.ts';
import { type Terminal, write } from './run.ts';

interface ProbeCommandOptions {
  readonly host: string;
  readonly port: string;
  readonly tls: string;
  readonly ca?: string;
  readonly user?: string;
  readonly pass?: string;
  readonly from?: string;
  readonly to?: string;
  readonly send?: boolean;
  readonly insecure?: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

/** Where a password may come from that no list of processes shows. */
const PASSWORD = 'SMTP_PASSWORD';

/** Adds the command. */
export function addProbe(program: Command, terminal: Terminal): void {
  program
    .command('probe')
    .description(
      'what a live server offers, and with credentials which of the documented 554s it gives; sends nothing',
    )
    .requiredOption('--host <host>', 'its name or address')
    .option('--port <port>', '465 is TLS from the first octet', '587')
    .option('--tls <mode>', 'auto, implicit, starttls, off', 'auto')
    .option('--ca <file>', 'certificates to trust, in PEM')
    .option('--user <user>', 'the login')
    .option('--pass <password>', `the password; better in the environment, as ${PASSWORD}`)
    .option('--from <address>', 'a confirmed sender')
    .option('--to <address>', 'a recipient of your own')
    .option('--insecure', 'give the credentials to a server whose certificate is not trusted')
    .option(
      '--send',
      'send a message with a forbidden file, from --from to --to: it may be delivered',
    )
    .option('--timeout <ms>', 'for each wait', '10000')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ smtp-conformance probe --host smtp.example.com
  $ ${PASSWORD}=… smtp-conformance probe --host smtp.example.com --port 465 --user me --from shop@example.com`,
    )
    .action(async (options: ProbeCommandOptions) => {
      const report = await probe({ ...(await understood(options)), signal: terminal.signal });
      await write(
        options.json ? `${JSON.stringify(report, null, 2)}\n` : text(report),
        undefined,
        terminal,
      );
    });
}

async function understood(
  options: ProbeCommandOptions,
): Promise<Omit<Parameters<typeof probe>[0], 'signal'>> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`--port ${options.port}: a number from 1 to 65535 is meant`);
  if (!/^(auto|implicit|starttls|off)$/.test(options.tls))
    throw new UsageError(`--tls ${options.tls}: auto, implicit, starttls or off is meant`);
  const timeout = Number(options.timeout);
  if (!(timeout > 0)) throw new UsageError(`--timeout ${options.timeout}: a number of ms is meant`);
  for (const name of ['from', 'to'] as const)
    if (/[\s<>]/.test(options[name] ?? '')) throw new UsageError(`--${name} is no address`);
  const pass = options.pass ?? process.env[PASSWORD];
  if (options.user !== undefined && pass === undefined)
    throw new UsageError(`--user needs --pass, or ${PASSWORD} in the environment`);
  if (options.send && !(options.user && options.from && options.to))
    throw new UsageError('--send needs --user, --from and --to');
  let ca: string | undefined;
  if (options.ca !== undefined)
    try {
      ca = await readFile(options.ca, 'utf8');
    } catch (error) {
      throw new UsageError(`--ca ${options.ca}: ${(error as Error).message}`);
    }
  const { host, user, from, to, send, insecure } = options;
  return {
    host,
    port,
    tls: options.tls as ProbeTls,
    timeout,
    ca,
    user,
    pass,
    from,
    to,
    send,
    insecure,
  };
}

/** What people read. */
function text(report: ProbeReport): string {
  const lines = [
    `${report.host}:${report.port}`,
    `Greeting     ${printable(report.greeting)}`,
    `TLS          ${report.mode === 'none' ? 'none' : report.mode}`,
  ];
  if (report.tls) {
    const { protocol, cipher, subject, issuer, names, validFrom, validTo, trusted, why } =
      report.tls;
    lines.push(
      `             ${protocol}, ${cipher}`,
      `Certificate  ${trusted ? 'trusted' : `NOT trusted: ${why}`}`,
      `             subject ${printable(subject)}`,
      `             issuer  ${printable(issuer)}`,
      `             names   ${printable(names) || 'none'}`,
      `             valid   ${validFrom} to ${validTo}`,
    );
  }
  const offered = (title: string, keywords: readonly string[]): void => {
    lines.push(`${title}${keywords.map(printable).join(', ') || 'nothing'}`);
  };
  if (report.mode !== 'implicit') offered('Offers       ', report.plain);
  if (report.tls) offered('Under TLS    ', report.secure);
  lines.push(
    `AUTH         ${report.auth.map(printable).join(' ') || 'not offered'}`,
    `SIZE         ${report.size === undefined ? 'not offered' : report.size === 0 ? 'without a limit' : `${report.size} octets`}`,
    `LIMITS       ${report.limits === undefined ? 'not offered' : printable(report.limits)}`,
  );
  if (report.login)
    lines.push(
      `Login        ${report.login.mechanism}: ${report.login.code} ${printable(report.login.text)}`,
    );
  if (report.refusals.length > 0) {
    lines.push('', 'Documented refusals');
    for (const { reason, by, code, text: said, documented, why } of report.refusals)
      lines.push(
        `  ${reason.padEnd(21)} ${by}: ${code === undefined ? `not tried, ${why}` : `${code} ${printable(said ?? '')}${documented ? ' (as documented)' : ''}`}`,
      );
  }
  for (const problem of report.problems) lines.push(`Problem      ${printable(problem)}`);
  return `${lines.join('\n')}\n`;
}
