/** What an import costs in a bundle: minified, and compressed by gzip. Ours as `npm run size` has it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BOUND = 60_000;

/** The rows of scripts/size.mjs. It says with its exit code whether they are within the budgets: that is not asked here. */
function ours() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts', 'size.mjs'), '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BOUND,
      killSignal: 'SIGKILL',
    });
    let [output, said] = ['', ''];
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      try {
        resolve(JSON.parse(output));
      } catch {
        reject(new Error(`scripts/size.mjs gave no rows. ${said.trim()}`.trim()));
      }
    });
  });
}

/** The packages of the workspace from their sources, as scripts/size.mjs has them. */
const sources = {
  name: 'workspace sources',
  setup({ onResolve }) {
    onResolve({ filter: /^@posthorn\// }, ({ path }) => {
      const [, name, ...subpath] = path.split('/');
      const file = join(ROOT, 'packages', name, 'src', ...subpath, 'index.ts');
      return { path: file, sideEffects: false };
    });
  },
};

async function bundled(contents, platform) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: 'esm',
    platform,
    target: 'es2022',
    external: ['node:*', 'cloudflare:*'],
    legalComments: 'none',
    logLevel: 'silent',
    write: false,
    plugins: [sources],
  });
  const [{ contents: code }] = outputFiles;
  return { minified: code.length, gzip: gzipSync(code, { level: 9 }).length };
}

/** All entries of core are those whose budget is that of everything. */
function everything(rows) {
  const modules = rows.find(({ name }) => name === 'core everything')?.from.split(', ');
  if (!modules) throw new Error("budgets.json has no 'core everything'");
  return [...modules, '@posthorn/mime']
    .map((module, at) => `export * as m${at} from '${module}';`)
    .join('');
}

const PEERS = [
  ['nodemailer', "export * from 'nodemailer';"],
  ['nodemailer/lib/smtp-connection', "export { default } from 'nodemailer/lib/smtp-connection';"],
  ['nodemailer/lib/mail-composer', "export { default } from 'nodemailer/lib/mail-composer';"],
  ['emailjs', "export * from 'emailjs';"],
  ['worker-mailer', "export * from 'worker-mailer';"],
  ['@upyo/smtp', "export * from '@upyo/smtp';"],
  ['mimetext', "export * from 'mimetext';"],
];

const OURS = [
  'core connect',
  'core session',
  'core devino',
  'core everything',
  'mime compose',
  'mime compose + attachment',
  'mime everything',
];

export function tables() {
  let measured;
  const rows = () => {
    measured ??= ours();
    return measured;
  };
  const budgeted = (name) => async () => {
    const row = (await rows()).find((one) => one.name === name);
    if (!row) throw new Error(`budgets.json has no '${name}'`);
    return { minified: row.minified, gzip: row.gzip };
  };
  const connectAndCompose =
    "export { connect } from '@posthorn/core'; export { compose } from '@posthorn/mime';";
  return [
    {
      title: 'Size: what an import costs in a bundle',
      base: 'nodemailer',
      key: 'gzip',
      lessIsBetter: true,
      maxRounds: 1,
      columns: [
        { key: 'minified', title: 'minified' },
        { key: 'gzip', title: 'gzip' },
      ],
      variants: [
        ...PEERS.map(([name, contents]) => ({ name, run: () => bundled(contents, 'node') })),
        ...OURS.map((name) => ({ name: `posthorn ${name}`, run: budgeted(name) })),
        {
          name: 'posthorn connect and compose in one bundle',
          run: () => bundled(connectAndCompose, 'neutral'),
        },
        {
          name: 'posthorn everything in one bundle',
          run: async () => bundled(everything(await rows()), 'neutral'),
        },
      ],
    },
  ];
}
