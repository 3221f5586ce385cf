/**
 * The conformance suite over the whole catalogue, as the gate wants it: core in all deliveries, twice, with the same
 * verdicts, no failure, no warning, each run within its time; other clients to the end, with verdicts; and the page on
 * testing one's own client, followed command by command. Runs the build.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './bounded-run.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'packages/conformance/dist/cli.js');
const PAGE = 'docs/testing-your-client.md';
const LIMIT = 3 * 60 * 1000;
const folder = mkdtempSync(join(tmpdir(), 'posthorn conformance '));
let passed = 0;
let failed = 0;

function check(name, problems) {
  console.log(`${problems.length > 0 ? 'FAILED' : 'ok    '}  ${name}`);
  for (const problem of problems) console.error(`        ${problem}`);
  if (problems.length > 0) failed += 1;
  else passed += 1;
}

/** Runs the program; `timeout` is what the run may take. */
const conformance = (words, timeout = LIMIT) =>
  run(process.execPath, [cli, ...words], { cwd: folder, timeout });

async function report(name, words) {
  const file = join(folder, `${name}.json`);
  const started = performance.now();
  const result = await conformance(['run', ...words, '--report', 'json', '--out', file]);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (result.timedOut) return { problems: [`not done within ${LIMIT / 1000} s`] };
  let json;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { problems: [`exit code ${result.code}, no report: ${error.message}`, result.output] };
  }
  return { json, code: result.code, seconds, problems: [] };
}

const verdicts = ({ cases }) =>
  cases.map(({ id, delivery, verdict }) => `${id} ${delivery} ${verdict}`);

const total = JSON.parse((await conformance(['list', '--json'])).output).length;
check(`the catalogue has 241 cases`, total === 241 ? [] : [`it has ${total}`]);

const runs = [];
for (const time of ['first', 'second']) {
  const words = ['--subject', 'core', '--delivery', 'all'];
  const { json, code, seconds, problems } = await report(`core-${time}`, words);
  if (json) {
    runs.push(verdicts(json));
    for (const { id, delivery, verdict, reasons } of json.cases)
      if (!/^(PASS|INFO)$/.test(verdict))
        problems.push(`${id} ${delivery} ${verdict}: ${reasons[0]}`);
    if (json.cases.length !== 3 * total) problems.push(`${json.cases.length} results`);
    if (code !== 0) problems.push(`exit code ${code}`);
  }
  check(`core, ${time} run, whole, line and byte, ${seconds ?? '?'} s`, problems);
}
const [first = [], second = []] = runs;
check(
  'two runs give the same verdicts',
  runs.length < 2 ? ['there are no two'] : first.filter((one, at) => one !== second[at]),
);

for (const name of ['nodemailer', 'curl', 'swaks', 'msmtp', 'smtplib']) {
  const { json, code, seconds, problems } = await report(name, ['--subject', name]);
  if (!json) {
    const absent = problems.join(' ').includes('is skipped');
    check(`${name} ${absent ? 'is not here' : ''}`, absent ? [] : problems);
    continue;
  }
  if (json.cases.length !== total) problems.push(`${json.cases.length} results of ${total}`);
  const failing = json.cases.filter(({ verdict }) => verdict === 'FAIL').length;
  const errors = json.cases.filter(({ verdict }) => verdict === 'ERROR');
  for (const { id, reasons } of errors) problems.push(`${id} ERROR: ${reasons[0]}`);
  if (code !== (failing > 0 ? 1 : 0)) problems.push(`exit code ${code} with ${failing} failures`);
  // What others get wrong is told to whoever runs this, and kept nowhere.
  check(`${name} runs to the end with verdicts, ${seconds} s`, problems);
}

/** The page, with `npx smtp-conformance` as it is installed: a folder of a client, and the suite in its node_modules. */
async function followPage() {
  const text = readFileSync(join(root, PAGE), 'utf8');
  const place = join(folder, 'client');
  mkdirSync(join(place, 'node_modules/@posthorn'), { recursive: true });
  mkdirSync(join(place, 'node_modules/.bin'));
  symlinkSync(
    join(root, 'packages/conformance'),
    join(place, 'node_modules/@posthorn/conformance'),
  );
  symlinkSync(
    '../@posthorn/conformance/dist/cli.js',
    join(place, 'node_modules/.bin/smtp-conformance'),
  );
  cpSync(join(root, 'LICENSE'), join(place, 'LICENSE'));
  for (const [, name, code] of text.matchAll(/^```(?:python|json) (\S+)\n([\s\S]*?)^```/gm))
    writeFileSync(join(place, name), code);
  const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block]) => block.split('\n'))
    .filter((line) => line.startsWith('npx smtp-conformance'));
  const problems = lines.length > 5 ? [] : [`the page has ${lines.length} commands`];
  for (const line of lines) {
    const { code, output } = await run('bash', ['-c', line], { cwd: place, timeout: LIMIT });
    // A client that breaks a MUST is no fault of the page.
    const fine = code === 0 || (code === 1 && line.includes(' run '));
    if (!fine) problems.push(`exit code ${code}: ${line}`, output.slice(-500));
    else if (line.includes(' run ') && !line.includes('--out') && !/ PASS, \d+ FAIL/.test(output))
      problems.push(`no verdicts: ${line}`, output.slice(-500));
  }
  check(`${PAGE} is followed, ${lines.length} commands`, problems);
}
await followPage();

rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
