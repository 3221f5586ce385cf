/**
 * The commands that documents show: whether there are such programs, scripts, files and options. Knows the programs of this
 * repository by what they say to --help, npm by its commands, and of others only that they are none of ours.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { main as posthornMain } from '../packages/cli/src/main.ts';
import { main as smtpConformance } from '../packages/conformance/src/cli/main.ts';
import { root } from './temporary-tree.ts';

/** The commands of a script, as their words without quotes: what stands where a command may begin. */
export function commandsOf(code: string): string[][] {
  return code
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.match(/(?:"[^"]*"|'[^']*'|[^"'|;&])+/g) ?? [])
    .map((command) => command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [])
    .map((words) => words.map((word) => word.replace(/["']/g, '')))
    .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word))))
    .filter((words) => words.length > 0 && words[0] !== '');
}

/** What a shell has, and what stands in no repository: nothing here can be out of date. */
const FOREIGN = /^(?:cd|mkdir|read|export|cat|echo|clone=.*|deno|git|curl|\[)$/;

/**
 * What is wrong with a command: whether there is one of that name, with these options.
 *
 * @param page - what is known of where it stands: the files that the page makes; whether its commands are run, all of them
 */
export async function problemOfCommand(
  [program = '', ...words]: readonly string[],
  page: { readonly files: readonly string[]; readonly isRun: boolean },
): Promise<string | undefined> {
  if (FOREIGN.test(program)) return undefined;
  if (program === 'npx') return problemOfCommand(words, page);
  if (program === 'npm') return problemOfNpm(words);
  if (program === 'bash')
    return existsSync(join(root, words[0] ?? '')) ? undefined : `no ${words[0]}`;
  if (program === 'node') {
    const file = words.find((word) => /\.(?:mjs|js|cjs|ts)$/.test(word)) ?? '';
    const places = ['', ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)];
    const there =
      places.some((place) => existsSync(join(root, place, file))) || page.files.includes(file);
    return there ? undefined : `there is no ${file}`;
  }
  const help = HELP[program];
  if (!help) return page.isRun ? undefined : `no check knows the program ${program}`;
  const [first = ''] = words;
  const command = /^-/.test(first) ? [] : [first];
  const known = await help(command);
  if (known === '') return `${program} has no command ${first}`;
  const unknown = words.filter((word) => /^--?[a-z]/.test(word) && !offers(known, word));
  return unknown.length > 0
    ? `${[program, ...command].join(' ')} has no ${unknown.join(', ')}`
    : undefined;
}

const offers = (help: string, option: string): boolean =>
  new RegExp(`(?:^|[\\s,[])${option.replace(/=.*/, '')}(?![\\w-])`, 'm').test(help);

function problemOfNpm([command = '', ...words]: string[]): string | undefined {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (command === 'run' && !(words[0] && words[0] in scripts)) return `no script ${words[0]}`;
  const folders = command === 'pack' ? words.filter((word) => word.startsWith('./')) : [];
  const missing = folders.filter((folder) => !existsSync(join(root, folder, 'package.json')));
  if (missing.length > 0) return `there is no ${missing.join(', ')}`;
  return /^(?:run|test|t|pack|install|i|init|publish|view|audit|ci|pkg)$/.test(command)
    ? undefined
    : `no check knows npm ${command}`;
}

/** The help of our programs, of a command of theirs. */
const HELP: Readonly<Record<string, (command: readonly string[]) => Promise<string>>> = {
  'smtp-conformance': (command) =>
    helpOf('smtp-conformance', command, (words, to) =>
      smtpConformance(words, '', { ...to, signal: new AbortController().signal }),
    ),
  '@posthorn/cli': (command) => HELP['posthorn']?.(command) ?? Promise.resolve(''),
  posthorn: (command) =>
    helpOf('posthorn', command, (words, to) => posthorn(words, 'posthorn', to)),
  sendmail: () => helpOf('posthorn', [], (words, to) => posthorn(words, 'sendmail', to)),
  changeset: async () =>
    spawnSync(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), '--help'], {
      encoding: 'utf8',
    }).stdout,
};

interface Outputs {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a program says to --help; nothing where it does not know the command. */
async function helpOf(
  program: string,
  command: readonly string[],
  run: (words: readonly string[], to: Outputs) => Promise<number>,
): Promise<string> {
  let said = '';
  const write = (text: string, done?: () => void): boolean => {
    said += text;
    done?.();
    return true;
  };
  const stream = { write } as unknown as NodeJS.WriteStream;
  const code = await run([...command, '--help'], { stdout: stream, stderr: stream });
  return code === 0 && said.includes(['Usage:', program, ...command].join(' ')) ? said : '';
}

function posthorn(words: readonly string[], name: string, to: Outputs): Promise<number> {
  const nowhere = { env: {}, home: '', login: '', temporary: '', now: () => new Date() };
  const { signal } = new AbortController();
  const stdin = Readable.from([]);
  return posthornMain(words, { name, version: '' }, { ...nowhere, ...to, stdin, signal });
}
