/** The rules' settings as they are now: those of the options, until they are changed. */
import { BlockList, isIPv6 } from 'node:net';
import { checkOptions, type SandboxOptions } from './options.ts';
import type { ConfirmedSender } from './platform/platform.ts';
import type { AddressList } from './platform/suppressions.ts';
import { PROFILES, REFUSALS, type RefusalReason, type Stage } from './profile.ts';
import { confirms, type RuleSettings } from './rules.ts';

/** The options that can be changed while the sandbox runs; undefined is as at the start. */
export type ChangeableOptions = {
  readonly [Name in ChangeableName]?: SandboxOptions[Name] | undefined;
};

/** The name of an option that can be changed while the sandbox runs. */
export type ChangeableName =
  | 'profile'
  | 'credentials'
  | 'allowedAddresses'
  | 'requireAuth'
  | 'maxSize'
  | 'attachments'
  | 'furtherRecipients'
  | 'charset'
  | 'filtered'
  | 'tags'
  | 'stages'
  | 'prefix'
  | 'acceptedText';

/** Their names. */
export const CHANGEABLE: readonly (keyof ChangeableOptions)[] = [
  'profile',
  'credentials',
  'allowedAddresses',
  'requireAuth',
  'maxSize',
  'attachments',
  'furtherRecipients',
  'charset',
  'filtered',
  'tags',
  'stages',
  'prefix',
  'acceptedText',
];

export class Settings {
  readonly #given: SandboxOptions;
  readonly #senders: AddressList<ConfirmedSender>;
  #now: SandboxOptions;
  #allowed: BlockList | undefined;
  #rules: RuleSettings;

  constructor(options: SandboxOptions, senders: AddressList<ConfirmedSender>) {
    this.#given = options;
    this.#senders = senders;
    this.#now = options;
    this.#rules = this.#derive();
  }

  /** What the rules look at. */
  get rules(): RuleSettings {
    return this.#rules;
  }

  /** What is set, passwords left out: with its default where it was not. */
  get shown(): Readonly<Record<string, unknown>> {
    const { profile, requireAuth, furtherRecipients, charset, tags } = this.#rules;
    return {
      profile: profile.version,
      logins: Object.keys(this.credentials),
      allowedAddresses: this.#now.allowedAddresses ?? null,
      requireAuth,
      anySender: this.#now.confirmedSenders === 'any',
      maxSize: profile.maxSize,
      attachments: profile.attachments,
      furtherRecipients,
      charset,
      filtered: this.filtered,
      tags,
      stages: Object.fromEntries(
        Object.keys(REFUSALS).map((reason) => [reason, this.stageOf(reason as RefusalReason)]),
      ),
      prefix: this.prefix,
      acceptedText: this.acceptedText,
    };
  }

  get credentials(): Readonly<Record<string, string>> {
    return this.#now.credentials ?? { '1website': 'test' };
  }

  get filtered(): 'accept' | 'refuse' {
    return this.#now.filtered ?? 'accept';
  }

  get prefix(): string {
    return this.#now.prefix ?? '';
  }

  get acceptedText(): string {
    return this.#now.acceptedText ?? 'Ok: queued as {id}';
  }

  stageOf(reason: RefusalReason): Stage {
    return this.#now.stages?.[reason] ?? REFUSALS[reason].stage;
  }

  /** Whether a client at this address may connect. Compares addresses as such: IPv6 has more than one way to write them. */
  admits(address: string): boolean {
    return this.#allowed?.check(address, family(address)) ?? true;
  }

  /** Changes what is given; undefined is as it was at the start. @throws TypeError where that makes no sense; nothing changes then */
  change(changes: ChangeableOptions): void {
    const given = Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [
        name,
        value ?? this.#given[name as keyof SandboxOptions],
      ]),
    );
    const next: SandboxOptions = { ...this.#now, ...given };
    checkOptions(next);
    this.#now = next;
    this.#rules = this.#derive();
  }

  /** As at the start. */
  reset(): void {
    this.#now = this.#given;
    this.#rules = this.#derive();
  }

  #derive(): RuleSettings {
    const options = this.#now;
    const { allowedAddresses } = options;
    this.#allowed = allowedAddresses && new BlockList();
    for (const address of allowedAddresses ?? [])
      this.#allowed?.addAddress(address, family(address));
    const base = PROFILES[options.profile ?? '2017-10'];
    const any = options.confirmedSenders === 'any';
    const wholeDomain = base.senders === 'domain';
    return {
      profile: {
        ...base,
        maxSize: options.maxSize ?? base.maxSize,
        attachments: extensions(options.attachments) ?? base.attachments,
      },
      requireAuth: options.requireAuth ?? true,
      isConfirmed: (address) =>
        any || this.#senders.all.some((entry) => confirms(entry.address, address, wholeDomain)),
      invalidRecipient: options.invalidRecipient ?? (() => false),
      furtherRecipients: options.furtherRecipients ?? 'ignore',
      charset: options.charset ?? 'warn',
      tags: options.tags ?? base.missingTag ?? 'warn',
      magic: options.magic ?? true,
      overridden: [
        ...(options.maxSize === undefined ? [] : (['size'] as const)),
        ...(options.attachments === undefined ? [] : (['attachments'] as const)),
        ...(options.furtherRecipients === 'refuse' ? (['first-recipient'] as const) : []),
      ],
    };
  }
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** As they are compared: 'exe' for '.EXE' too. */
function extensions(attachments: SandboxOptions['attachments']): SandboxOptions['attachments'] {
  return typeof attachments === 'string'
    ? attachments
    : attachments?.map((one) => one.replace(/^\./, '').toLowerCase());
}
