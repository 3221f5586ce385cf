/**
 * Where settings come from, and which of them hold: options before the environment before the file before defaults. Knows that
 * a login belongs to a server, and that there is one secret.
 */
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { because, CliError } from '../cli-error.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Kind } from './kind.ts';
import { readBounded } from './read-bounded.ts';
import {
  environmentName,
  isIn,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type Settings,
} from './settings.ts';

/** A settings file is text that people write. */
const LARGEST_FILE = 1_048_576;

/** What belongs to one server: where another is named in a place that goes first, none of it holds. */
const OF_SERVER: readonly SettingName[] = [
  'port',
  'tls',
  'ca',
  'verify',
  'servername',
  'clientCert',
  'clientKey',
  'clientKeyPassFile',
  'user',
  'lmtp',
  'mechanism',
  'allowInsecureAuth',
];

const SECRETS: readonly SettingName[] = [
  'pass',
  'passFile',
  'passCommand',
  'oauthToken',
  'oauthTokenFile',
  'oauthTokenCommand',
];

/** How the settings file is chosen: by its name, by the places where it may be, or not at all. */
export type ConfigChoice = string | undefined | false;

/**
 * @param options - what the command line says
 * @param config - the settings file: its path; undefined for the usual places; false for none
 * @throws CliError EX_CONFIG
 */
export async function readSettings(
  options: Settings,
  config: ConfigChoice,
  surroundings: Pick<Surroundings, 'env' | 'home'>,
): Promise<Settings> {
  const levels = [await fromFile(config, surroundings), fromEnvironment(surroundings.env), options];
  for (const level of levels) {
    const [one, two] = SECRETS.filter((name) => level[name] !== undefined);
    if (two) throw new CliError('CONFIG', `There are ${one} and ${two} in one place: give one`);
  }
  return levels.reduce(over);
}

/** One place over another that it goes before. */
function over(lower: Settings, higher: Settings): Settings {
  const kept: Record<string, unknown> = { ...lower };
  const drop = (names: readonly SettingName[]): void => {
    for (const name of names) delete kept[name];
  };
  const server = ({ host, socket }: Settings): string | undefined => socket ?? host;
  if (server(higher) && server(lower) && server(higher) !== server(lower))
    drop([...OF_SERVER, ...SECRETS]);
  if (server(higher)) drop(['host', 'socket']);
  if (SECRETS.some((name) => higher[name] !== undefined)) drop(SECRETS);
  const timeout = { ...lower.timeout, ...higher.timeout };
  return { ...kept, ...higher, ...(Object.keys(timeout).length > 0 && { timeout }) };
}

function fromEnvironment(env: Surroundings['env']): Settings {
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const variable = environmentName(name);
    const given = env[variable];
    // An empty variable is how many tools write one that is not set.
    if (!given || !isIn(name, 'environment')) continue;
    try {
      settings[name] = SETTINGS[name].kind.fromText(given);
    } catch (error) {
      throw new CliError('CONFIG', `Cannot use ${variable}: ${because(error)}`);
    }
  }
  return settings;
}

async function fromFile(
  config: ConfigChoice,
  { env, home }: Pick<Surroundings, 'env' | 'home'>,
): Promise<Settings> {
  if (config === false) return {};
  const named = config ?? (env['POSTHORN_CONFIG'] || undefined);
  if (named !== undefined) return (await readFile(resolve(named))) ?? absent(named);
  const xdg = env['XDG_CONFIG_HOME'];
  // The XDG Base Directory Specification: a relative path is invalid and is ignored.
  const folder = xdg && isAbsolute(xdg) ? xdg : home && join(home, '.config');
  for (const path of [folder && join(folder, 'posthorn.json'), '/etc/posthorn.json']) {
    const settings = path ? await readFile(path) : undefined;
    if (settings) return settings;
  }
  return {};
}

function absent(path: string): never {
  throw new CliError('CONFIG', `Cannot read the settings ${path}: there is no such file`);
}

/** @returns nothing where there is no such file */
async function readFile(path: string): Promise<Settings | undefined> {
  const refuse = (why: string): never => {
    throw new CliError('CONFIG', `Cannot use the settings ${path}: ${why}`);
  };
  let mode = 0;
  let json = '';
  try {
    const handle = await open(path, 'r');
    try {
      mode = (await handle.stat()).mode;
      json = await readBounded(handle, LARGEST_FILE);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (/^(ENOENT|ENOTDIR)$/.test((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new CliError('CONFIG', `Cannot read the settings ${path}: ${because(error)}`, error);
  }
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    // The message of JSON.parse() quotes what it read, which may be a password.
    refuse('it is no JSON');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    refuse('it has to be an object');
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(SETTINGS, name) || !isIn(name as SettingName, 'file'))
      refuse(
        `there is no setting ${JSON.stringify(name)}: there are ${SETTING_NAMES.filter((one) => isIn(one, 'file')).join(', ')}`,
      );
    const kind = SETTINGS[name as SettingName].kind as Kind<unknown>;
    try {
      const read = kind.fromJson(value);
      settings[name] = kind.isPath ? resolve(dirname(path), read as string) : read;
    } catch (error) {
      refuse(`${name}: ${because(error)}`);
    }
  }
  // Windows has no such bits.
  if (process.platform !== 'win32') {
    if (mode & 0o002) refuse('everybody may write it, and so say where passwords go: chmod o-w');
    if (mode & 0o004 && (settings['pass'] !== undefined || settings['oauthToken'] !== undefined))
      refuse(
        'it holds a password, and everybody may read it: chmod o-r, or put the password into a file of its own, passFile',
      );
  }
  return settings;
}
