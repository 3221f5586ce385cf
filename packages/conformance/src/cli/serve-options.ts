/** What the words of `smtp-conformance serve` mean: the options of a sandbox. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../runner/select.ts';
import { type Fault, FaultPlan } from '../sandbox/faults.ts';
import { isSender } from '../sandbox/http/api/shape.ts';
import { checkOptions, isLoopback, type SandboxOptions } from '../sandbox/options.ts';
import type { ProfileVersion, RefusalReason, Stage } from '../sandbox/profile.ts';

/** As commander gives them. */
export interface ServeWords {
  readonly profile: string;
  readonly smtp: string;
  readonly smtps: string;
  readonly http: string;
  readonly json?: boolean;
  readonly legacyTls?: boolean;
  readonly data?: string;
  readonly caFile?: string;
  readonly bind?: string;
  readonly unsafeBind?: boolean;
  readonly publicUrl?: string;
  readonly login?: readonly string[];
  readonly authRequired: boolean;
  readonly sender?: readonly string[];
  readonly anySender?: boolean;
  readonly allow?: readonly string[];
  readonly tags?: string;
  readonly charset?: string;
  readonly files?: string;
  readonly maxSize?: string;
  readonly furtherRecipients?: string;
  readonly filtered?: string;
  readonly stage?: readonly string[];
  readonly prefix?: string;
  readonly enhancedStatusCodes?: boolean;
  readonly announceSize?: boolean;
  readonly hide?: readonly string[];
  readonly faults?: string;
  readonly deliver?: string;
  readonly seed?: string;
  readonly retention?: string;
  readonly callback?: string;
  readonly callbackFormat?: string;
}

/** Where a password may come from that no list of processes shows. */
export const PASSWORD = 'SMTP_PASSWORD';

/** The name of the seed's provider stands for the page that the seed is. */
const PROFILE_NAMES: Readonly<Record<string, ProfileVersion>> = { devino: '2017-10' };

/** What an option of a sandbox is called here, where that is not its own name with two hyphens in front. */
const FLAGS: Partial<Record<keyof SandboxOptions, string>> = {
  confirmedSenders: '--sender',
  allowedAddresses: '--allow',
  attachments: '--files',
  stages: '--stage',
  credentials: '--login',
};

/**
 * The options of a sandbox.
 *
 * @param environment - holds the password that `--login` does not
 * @throws UsageError for words that make no sense
 */
export async function sandboxOptions(
  words: ServeWords,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SandboxOptions> {
  const { bind, sender, anySender, callback, callbackFormat } = words;
  if (bind !== undefined && !isLoopback(bind) && !words.unsafeBind)
    throw new UsageError(
      `--bind ${bind}: it is not loopback, so that others could use the sandbox; --unsafe-bind allows it`,
    );
  if (anySender && sender) throw new UsageError('--sender and --any-sender contradict each other');
  for (const one of sender ?? []) checkSender(one);
  if (callbackFormat !== undefined && callbackFormat !== 'json' && callbackFormat !== 'xml')
    throw new UsageError(
      `Cannot use '${callbackFormat}' as --callback-format: there are 'json', 'xml'`,
    );
  if (callbackFormat !== undefined && callback === undefined)
    throw new UsageError('--callback-format needs --callback');
  if (words.seed !== undefined && words.data !== undefined)
    throw new UsageError('--seed with --data: names would come twice');
  const given = {
    profile: PROFILE_NAMES[words.profile] ?? words.profile,
    smtp: number('--smtp', words.smtp),
    smtps: number('--smtps', words.smtps),
    http: number('--http', words.http),
    legacyTls: words.legacyTls,
    data: words.data,
    bind,
    unsafeBind: words.unsafeBind,
    publicUrl: words.publicUrl?.replace(/\/$/, ''),
    credentials: words.login && credentials(words.login, environment),
    requireAuth: words.authRequired,
    confirmedSenders: anySender ? 'any' : sender,
    allowedAddresses: words.allow,
    tags: words.tags,
    charset: words.charset,
    attachments: words.files === undefined ? undefined : files(words.files),
    maxSize: words.maxSize === undefined ? undefined : number('--max-size', words.maxSize),
    furtherRecipients: words.furtherRecipients,
    filtered: words.filtered,
    stages: words.stage && stages(words.stage),
    prefix: words.prefix,
    enhancedStatusCodes: words.enhancedStatusCodes,
    announceSize: words.announceSize,
    hide: words.hide?.map((keyword) => keyword.toUpperCase()),
    faults: words.faults === undefined ? undefined : await faults(words.faults),
    deliver: words.deliver,
    seed: words.seed,
    retention: words.retention === undefined ? undefined : number('--retention', words.retention),
    callback:
      callback === undefined ? undefined : { url: callback, format: callbackFormat ?? 'json' },
  };
  const options = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as SandboxOptions;
  try {
    checkOptions(options);
  } catch (error) {
    throw new UsageError(inFlags((error as Error).message));
  }
  return options;
}

/** The same sentence, with the option's name as it is here: "Cannot use 'x' as tags: …". */
function inFlags(message: string): string {
  return message.replace(/ as (\w+): /, (_, name: string) => {
    const hyphens = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return ` as ${FLAGS[name as keyof SandboxOptions] ?? `--${hyphens}`}: `;
  });
}

function checkSender(text: string): void {
  if (isSender(text)) return;
  const why =
    text.includes('.') && isSender(`@${text}`)
      ? `an address is meant; use @${text} for a whole domain`
      : 'an address is meant, or @example.com for a whole domain';
  throw new UsageError(`--sender ${text}: ${why}`);
}

function number(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${flag} ${text}: a whole number is meant`);
  return Number(text);
}

function credentials(
  logins: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    logins.map((login) => {
      const colon = login.indexOf(':');
      const user = colon < 0 ? login : login.slice(0, colon);
      const password = colon < 0 ? environment[PASSWORD] : login.slice(colon + 1);
      if (user === '' || password === undefined || password === '')
        throw new UsageError(
          `--login ${user}: USER:PASSWORD is meant, or USER with ${PASSWORD} in the environment`,
        );
      return [user, password];
    }),
  );
}

function files(text: string): 'none' | 'any' | string[] {
  if (text === 'none' || text === 'any') return text;
  const extensions = text.split(',').map((one) => one.trim().replace(/^\./, '').toLowerCase());
  if (!extensions.every((one) => /^[^\s.]+$/.test(one)))
    throw new UsageError(
      `--files ${text}: none, any, or extensions to refuse are meant, as exe,com`,
    );
  return extensions;
}

function stages(pairs: readonly string[]): Partial<Record<RefusalReason, Stage>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, reason, stage] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
      if (reason === undefined)
        throw new UsageError(
          `--stage ${pair}: reason=stage is meant, as sender-not-confirmed=data`,
        );
      return [reason, stage];
    }),
  ) as Partial<Record<RefusalReason, Stage>>;
}

async function faults(file: string): Promise<Fault[]> {
  const refuse = (error: unknown): never => {
    throw new UsageError(`--faults ${file}: ${(error as Error).message}`);
  };
  let found: unknown;
  try {
    found = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return refuse(error);
  }
  if (!Array.isArray(found))
    throw new UsageError(
      `--faults ${file}: a list is meant, as [{"at": "rcpt", "action": {"code": 451, "text": "Later"}}]`,
    );
  try {
    new FaultPlan(found);
  } catch (error) {
    return refuse(error);
  }
  return found;
}
