/** Settings as options of a command, and back. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { because } from '../cli-error.ts';
import type { Kind } from '../settings/kind.ts';
import {
  environmentName,
  isIn,
  optionName,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type Settings,
} from '../settings/settings.ts';

const LOGIN: readonly SettingName[] = [
  'user',
  'pass',
  'passFile',
  'passCommand',
  'oauthTokenFile',
  'oauthTokenCommand',
  'mechanism',
  'allowInsecureAuth',
];

/** Adds an option for each setting that has one, but for those left out. */
export function addSettings(command: Command, without: readonly SettingName[]): void {
  for (const name of SETTING_NAMES) {
    if (!isIn(name, 'option') || without.includes(name)) continue;
    const { kind, about } = SETTINGS[name];
    const flags = kind.shown ? `${optionName(name)} ${kind.shown}` : optionName(name);
    const hint = name === 'pass' || name === 'user' ? ` (${environmentName(name)})` : '';
    const option = new Option(flags, about + hint).helpGroup(
      LOGIN.includes(name) ? 'Login:' : 'Server:',
    );
    if (kind.shown) option.argParser(parser(kind as Kind<unknown>));
    command.addOption(option);
  }
}

/** A value by its kind: what commander tells of what it is not. */
export function parser<T>(kind: Kind<T>): (value: string, before: unknown) => T {
  return (value, before) => {
    try {
      return kind.fromText(value, before as T | undefined);
    } catch (error) {
      throw new InvalidArgumentError(because(error));
    }
  };
}

/** The settings that the command line gives. */
export function givenSettings(command: Command): Settings {
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES)
    if (command.getOptionValueSource(name) === 'cli') settings[name] = command.getOptionValue(name);
  return settings;
}
