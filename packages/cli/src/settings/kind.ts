/** Kinds of values: each is read from text, as options and the environment have it, and from JSON. */

/** What a value may be. */
export interface Kind<T> {
  /** How the help calls it: `<name>`. Without one it is a flag. */
  readonly shown?: string;
  /** Whether it names a file: in a settings file, relative to that. */
  readonly isPath?: boolean;
  /**
   * @param before - what was given for it already, in the same place
   * @throws Error which says what it has to be
   */
  fromText(text: string, before?: T): T;
  fromJson(value: unknown): T;
}

/** @throws Error */
function refuse(why: string): never {
  throw new Error(why);
}

export const text = (shown: string): Kind<string> => ({
  shown,
  fromText: (value) => (value === '' ? refuse('it has to be a text') : value),
  fromJson: (value) =>
    typeof value === 'string' && value !== '' ? value : refuse('it has to be a text'),
});

export const path: Kind<string> = { ...text('<file>'), isPath: true };

export function whole(shown: string, from: number, to: number): Kind<number> {
  const check = (value: number): number =>
    Number.isInteger(value) && value >= from && value <= to
      ? value
      : refuse(`it has to be a whole number from ${from} to ${to}`);
  return {
    shown,
    fromText: (value) => check(/^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN),
    fromJson: (value) => check(value as number),
  };
}

export const flag: Kind<boolean> = {
  fromText: (value) =>
    /^(true|1)$/i.test(value)
      ? true
      : /^(false|0)$/i.test(value)
        ? false
        : refuse('it has to be true or false'),
  fromJson: (value) =>
    typeof value === 'boolean' ? value : refuse('it has to be true or false, without quotes'),
};

export function choice<T extends string>(...all: readonly T[]): Kind<T> {
  const check = (value: unknown): T =>
    all.find((one) => one.toLowerCase() === String(value).toLowerCase()) ??
    refuse(`there are ${all.join(', ')}`);
  return {
    shown: `<${all.join('|')}>`,
    fromText: check,
    fromJson: (value) => (typeof value === 'string' ? check(value) : refuse('it has to be a text')),
  };
}

/** Several: in text with commas between, or given more than once; in JSON as a list, or one alone. */
export function list<T>(of: Kind<T>, shown: string | undefined = of.shown): Kind<readonly T[]> {
  return {
    ...(shown && { shown }),
    fromText: (value, before = []) => [
      ...before,
      ...value.split(',').map((one) => of.fromText(one.trim())),
    ],
    fromJson: (value) => [value].flat().map((one) => of.fromJson(one)),
  };
}

/** By name: in text `name=value`, with commas between or given more than once; in JSON an object. */
export function record<T>(
  shown: string,
  of: Kind<T>,
  names?: readonly string[],
): Kind<Readonly<Record<string, T>>> {
  const known = (name: string): string =>
    !names || names.includes(name) ? name : refuse(`there are ${names.join(', ')}`);
  return {
    shown,
    fromText: (value, before = {}) => ({
      ...before,
      ...Object.fromEntries(
        value.split(',').map((pair) => {
          const at = pair.indexOf('=');
          if (at < 1) refuse('it has to be name=value');
          return [known(pair.slice(0, at).trim()), of.fromText(pair.slice(at + 1).trim())];
        }),
      ),
    }),
    fromJson(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        refuse('it has to be an object');
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [known(name), of.fromJson(one)]),
      );
    },
  };
}
