/** What a dry run tells: the message, its envelope, what it would ask of which server, and what the provider's rules say. */
import { isSmtpError } from '@posthorn/core';
import { type DevinoProblem, devino } from '@posthorn/core/devino';
import { envelope } from '@posthorn/core/session';
import { type EnvelopeOptions, everything, type Letter, outgoing } from '../message/letter.ts';
import type { Part } from '../message/structure.ts';
import { printable } from '../say.ts';
import type { Settings } from '../settings/settings.ts';
import type { Plan } from '../transmit.ts';

export interface Rehearsal {
  readonly letter: Letter;
  readonly plan: Plan;
  readonly parts: readonly Part[];
  readonly problems: readonly DevinoProblem[];
  readonly needs: readonly string[];
  readonly settings: Settings;
}

/** Each extension that a message may ask for. */
const EXTENSIONS = [
  '8BITMIME',
  'BINARYMIME',
  'CHUNKING',
  'SMTPUTF8',
  'REQUIRETLS',
  'DSN',
  'DELIVERBY',
  'MT-PRIORITY',
  'FUTURERELEASE',
];

/** Those without which the message would be refused before MAIL: found out by asking core, one after another. */
export function needsOf(letter: Letter, options: EnvelopeOptions, settings: Settings): string[] {
  const ignored = settings.ignoreExtension ?? [];
  return EXTENSIONS.filter((keyword) => {
    const capabilities = everything([
      ...ignored,
      keyword,
      // RFC 3030 §3: without CHUNKING there is no way to send it.
      ...(keyword === 'CHUNKING' ? ['BINARYMIME'] : []),
    ]);
    try {
      envelope({ ...outgoing(letter, options, capabilities), content: '' }, capabilities, {
        onUnsupported: settings.onUnsupported ?? 'error',
      });
      return false;
    } catch (error) {
      if (isSmtpError(error)) return true;
      throw error;
    }
  });
}

/** `integrationapi.net:587, STARTTLS, login shop`. */
function serverText(settings: Settings): string {
  const {
    profile,
    socket,
    user,
    lmtp,
    port,
    tls = port === 465 ? 'implicit' : 'starttls',
  } = settings;
  const host = settings.host ?? (profile === 'devino' ? devino.starttls.host : undefined);
  if (!host && !socket) return 'none named';
  const at = socket ?? `${host}:${port ?? (tls === 'implicit' ? 465 : lmtp ? 24 : 587)}`;
  const how = {
    implicit: 'TLS from the first octet',
    starttls: 'STARTTLS, required',
    opportunistic: 'STARTTLS where it is offered',
    off: 'without TLS',
  }[tls];
  return printable(`${at}, ${how}${user === undefined ? '' : `, login ${user}`}`);
}

export function rehearsalText({
  letter,
  plan,
  parts,
  problems,
  needs,
  settings,
}: Rehearsal): string {
  const rows: (readonly [string, string])[] = [
    ['From', letter.from || '<> (the null path)'],
    ...letter.to.map((address, at) => [at === 0 ? 'To' : '', address] as const),
    ['Size', `${plan.size} octets`],
    ...(letter.messageId ? [['Message-ID', letter.messageId] as const] : []),
    ...parts.map((part, at) => [at === 0 ? 'Parts' : '', partText(part)] as const),
    ['Server', serverText(settings)],
    ...plan.commands.map((line, at) => [at === 0 ? 'Asks' : '', line] as const),
    ['Needs', needs.join(', ') || 'no extension'],
    ...(settings.profile === 'devino'
      ? problemLines(problems).map((line, at) => [at === 0 ? 'Rules' : '', line] as const)
      : []),
    ['Sent', 'nothing: this is a dry run'],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('');
}

function problemLines(problems: readonly DevinoProblem[]): string[] {
  if (problems.length === 0) return ['devino: nothing to object to'];
  return problems.map(({ severity, rule, message }) => `devino: ${severity} ${rule}: ${message}`);
}

function partText({ depth, contentType, charset, encoding, filename, size }: Part): string {
  const type = `${'  '.repeat(depth)}${contentType}`;
  if (contentType.startsWith('multipart/')) return type;
  return [
    `${type}${charset ? `; charset=${charset}` : ''}`,
    ...(filename === undefined ? [] : [filename]),
    encoding,
    `${size} octets`,
  ].join(', ');
}

export function rehearsalJson({ letter, plan, parts, problems, needs }: Rehearsal): object {
  return {
    delivery: 'not-sent',
    dryRun: true,
    from: letter.from,
    to: letter.to,
    size: plan.size,
    ...(letter.messageId && { messageId: letter.messageId }),
    parts: parts.map(({ depth, contentType, charset, encoding, filename, isAttachment, size }) => ({
      depth,
      contentType,
      ...(charset && { charset }),
      encoding,
      ...(filename !== undefined && { filename }),
      isAttachment,
      size,
    })),
    commands: plan.commands,
    needs,
    problems,
  };
}
