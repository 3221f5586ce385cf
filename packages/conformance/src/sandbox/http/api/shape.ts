/** What a body has to look like: each shape gives the value, or says what is wrong and where. Pure. */
import { Problem } from '../problem.ts';
import { pointer } from './json-fault.ts';

/** @throws Problem 400 with the path of what does not fit */
export type Shape<Value> = (value: unknown, path: string) => Value;

/** @param what - what it has to be */
export function refuse(value: unknown, path: string, what: string): never {
  throw new Problem(
    400,
    value === undefined
      ? `Cannot do without ${path}: it has to be ${what}`
      : `Cannot use ${path === '' ? 'the body' : path}: it has to be ${what}`,
    path,
  );
}

/** @param most - in characters */
export function text(most = 1_000): Shape<string> {
  return (value, path) =>
    typeof value === 'string' && value.length <= most
      ? value
      : refuse(value, path, `a text of at most ${most} characters`);
}

/** RFC 5321 §4.5.3.1: a local part of 64 octets and a domain of 255. Nothing is said of their grammar. */
const LONGEST_ADDRESS = 320;
const ADDRESS = /^[^\p{Cc}<>]+@[^\s\p{Cc}<>@]+$/u;
const DOMAIN = /^@[^\s\p{Cc}<>@]+$/u;

export const address: Shape<string> = (value, path) =>
  typeof value === 'string' && value.length <= LONGEST_ADDRESS && ADDRESS.test(value)
    ? value
    : refuse(value, path, 'an address');

/** Whether a sender can be confirmed by it: an address, or `@domain`. */
export function isSender(text: string): boolean {
  return text.length <= LONGEST_ADDRESS && (DOMAIN.test(text) || ADDRESS.test(text));
}

export const sender: Shape<string> = (value, path) =>
  typeof value === 'string' && isSender(value)
    ? value
    : refuse(value, path, 'an address, or @domain for all of a domain');

/** Characters of an address of the web. */
const LONGEST_URL = 2_000;

export const webAddress: Shape<string> = (value, path) =>
  typeof value === 'string' &&
  value.length <= LONGEST_URL &&
  URL.canParse(value) &&
  /^https?:$/.test(new URL(value).protocol)
    ? value
    : refuse(value, path, `an http or https address of at most ${LONGEST_URL} characters`);

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(value, path, 'true or false');

export function whole(from: number, to: number): Shape<number> {
  return (value, path) =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to
      ? value
      : refuse(value, path, `a whole number from ${from} to ${to}`);
}

export function oneOf<Value extends string>(all: readonly Value[]): Shape<Value> {
  return (value, path) =>
    all.find((one) => one === value) ?? refuse(value, path, `one of ${all.join(', ')}`);
}

/** Years that ISO 8601 writes with four digits, from 1970. */
const LAST_YEAR = 9_999;

/** A time of ISO 8601 with its zone, in ms since 1970. */
export const time: Shape<number> = (value, path) => {
  const known =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value)
      ? new Date(value)
      : undefined;
  const year = known?.getUTCFullYear() ?? Number.NaN;
  return known && year >= 1_970 && year <= LAST_YEAR
    ? known.getTime()
    : refuse(value, path, 'a time as 2017-10-01T12:00:00Z, from 1970 to 9999');
};

export function nullable<Value>(shape: Shape<Value>): Shape<Value | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

export function optional<Value>(shape: Shape<Value>): Shape<Value | undefined> {
  return (value, path) => (value === undefined ? undefined : shape(value, path));
}

export function listOf<Value>(shape: Shape<Value>, most = 1_000): Shape<readonly Value[]> {
  return (value, path) =>
    Array.isArray(value) && value.length <= most
      ? value.map((one, at) => shape(one, path + pointer(at)))
      : refuse(value, path, `a list of at most ${most}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any names, each with such a value. */
export function record<Value>(shape: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return (value, path) =>
    isRecord(value)
      ? Object.fromEntries(
          Object.entries(value).map(([name, one]) => [name, shape(one, path + pointer(name))]),
        )
      : refuse(value, path, 'an object');
}

/** Without the members that are not there. */
export type Given<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

export function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<Fields>;
}

/** These names and no others. */
export function object<Fields>(
  shapes: { readonly [Name in keyof Fields]: Shape<Fields[Name]> },
): Shape<Fields> {
  const names = Object.keys(shapes) as (keyof Fields & string)[];
  return (value, path) => {
    if (!isRecord(value)) return refuse(value, path, 'an object');
    const surplus = Object.keys(value).find((name) => !Object.hasOwn(shapes, name));
    if (surplus !== undefined)
      throw new Problem(
        400,
        `Cannot use ${path}${pointer(surplus)}: ${names.length === 0 ? 'nothing is asked for' : `there are ${names.join(', ')}`}`,
        path + pointer(surplus),
      );
    return Object.fromEntries(
      names.map((name) => [
        name,
        shapes[name](Object.hasOwn(value, name) ? value[name] : undefined, path + pointer(name)),
      ]),
    ) as Fields;
  };
}
