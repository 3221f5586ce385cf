/** How the rules are set, and what goes wrong next. */
import { FAULT_POINTS, type Fault, type FaultAction } from '../../faults.ts';
import { checkOptions } from '../../options.ts';
import { PROFILES, type ProfileVersion } from '../../profile.ts';
import { CHANGEABLE, type ChangeableOptions } from '../../settings.ts';
import { Problem } from '../problem.ts';
import type { Site } from '../site.ts';
import { bodyOf } from './body.ts';
import { pointer } from './json-fault.ts';
import { done, type Route } from './route.ts';
import {
  given,
  listOf,
  object,
  oneOf,
  optional,
  record,
  refuse,
  type Shape,
  text,
  whole,
} from './shape.ts';

export function ruleRoutes({ platform, settings, plan }: Site): readonly Route[] {
  const { journal } = platform;
  const change = async (changes: ChangeableOptions): Promise<void> => {
    settings.change(changes);
    await journal.flush();
  };
  return [
    {
      method: 'GET',
      path: '/api/settings',
      about: 'how the rules are set',
      answer: (context) => context.json(settings.shown),
    },
    {
      method: 'PATCH',
      path: '/api/settings',
      about: `sets some of ${CHANGEABLE.join(', ')}; null: as at the start`,
      async answer(context) {
        await change(await bodyOf(context, changeable));
        return context.json(settings.shown);
      },
    },
    {
      method: 'GET',
      path: '/api/credentials',
      about: 'the logins',
      answer: (context) => context.json({ logins: Object.keys(settings.credentials) }),
    },
    {
      method: 'PUT',
      path: '/api/credentials',
      about: 'puts others in their place: {login: password}',
      async answer(context) {
        const credentials = await bodyOf(context, record(text()));
        checkChange('credentials', credentials, '');
        await change({ credentials });
        return context.json({ logins: Object.keys(settings.credentials) });
      },
    },
    {
      method: 'GET',
      path: '/api/profile',
      about: 'the version of the provider’s rules, and which there are',
      answer: (context) => context.json(profile()),
    },
    {
      method: 'PUT',
      path: '/api/profile',
      about: 'another version: {version}',
      async answer(context) {
        const { version } = await bodyOf(context, object({ version: oneOf(VERSIONS) }));
        await change({ profile: version });
        return context.json(profile());
      },
    },
    {
      method: 'GET',
      path: '/api/plans',
      about: 'faults that are still due, in order',
      answer: (context) => context.json({ plans: plan.due }),
    },
    {
      method: 'POST',
      path: '/api/plans',
      about: 'plans a fault, or a list of them, behind those: {at, action, times?}',
      async answer(context) {
        const faults = await bodyOf(context, someFaults);
        try {
          plan.add(...faults);
        } catch (error) {
          if (error instanceof TypeError) throw new Problem(400, error.message, '');
          throw error;
        }
        return context.json({ plans: plan.due }, 201);
      },
    },
    {
      method: 'DELETE',
      path: '/api/plans',
      about: 'forgets all faults',
      answer() {
        plan.clear();
        return done();
      },
    },
  ];

  function profile(): Readonly<Record<string, unknown>> {
    return { ...settings.rules.profile, versions: VERSIONS };
  }
}

const VERSIONS = Object.keys(PROFILES) as readonly ProfileVersion[];

/** Asks of one option what the sandbox asks of all at its start. */
function checkChange(name: string, value: unknown, path: string): void {
  try {
    checkOptions({ [name]: value });
  } catch (error) {
    if (error instanceof TypeError) throw new Problem(400, error.message, path);
    throw error;
  }
}

const changeable: Shape<ChangeableOptions> = (value, path) => {
  const changes = record((one) => one)(value, path);
  for (const [name, one] of Object.entries(changes)) {
    if (!CHANGEABLE.some((known) => known === name))
      throw new Problem(
        400,
        `Cannot change ${name}: there are ${CHANGEABLE.join(', ')}`,
        path + pointer(name),
      );
    if (one !== null) checkChange(name, one, path + pointer(name));
  }
  return changes as ChangeableOptions;
};

const code = whole(400, 599);
const ms = whole(0, 2_147_483_647);
const WORDS = ['close', 'accept-then-close-before-reply'] as const;
const ACTIONS =
  'a reply {code, text}, "close", "accept-then-close-before-reply", {stall} or {slow} in ms, or a rate bucket {limit, per, code, text}';

const action: Shape<FaultAction> = (value, path) => {
  const word = WORDS.find((one) => one === value);
  if (word !== undefined) return word;
  if (typeof value !== 'object' || value === null) return refuse(value, path, ACTIONS);
  if ('stall' in value) return object({ stall: ms })(value, path);
  if ('slow' in value) return object({ slow: whole(0, 60_000) })(value, path);
  if ('limit' in value)
    return object({
      limit: whole(0, 1_000_000),
      per: whole(1, 2_147_483_647),
      code,
      text: text(500),
    })(value, path);
  if (!('code' in value || 'text' in value)) return refuse(value, path, ACTIONS);
  return object({ code, text: text(500) })(value, path);
};

const asked = object({ at: oneOf(FAULT_POINTS), action, times: optional(whole(1, 1_000_000)) });
const fault: Shape<Fault> = (value, path) => {
  const { at, action: does, ...rest } = asked(value, path);
  return { at, action: does, ...given(rest) };
};

const someFaults: Shape<readonly Fault[]> = (value, path) =>
  Array.isArray(value) ? listOf(fault, 100)(value, path) : [fault(value, path)];
