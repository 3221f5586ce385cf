/** Whether what a session tells of a message agrees with what was on the wire, as the pairing has read it. */
import {
  isSmtpError,
  type OutgoingMessage,
  type TransactionResult,
} from '../packages/core/src/session/index.ts';
import { claim, same } from './claim.ts';
import { explore } from './explore.ts';
import type { Attempt } from './pairing.ts';
import type { Settled, World } from './session-world.ts';

/** A message, and what its server has when all of it has come. */
export interface Plan {
  readonly key: string;
  readonly message: OutgoingMessage;
  readonly content: string;
  readonly partial: 'send' | 'abort';
}

const isYes = (code: number): boolean => code < 300;
const isNo = (code: number): boolean => code >= 400;

/** Judges one task at the moment when it has settled, before anything more is written. */
export function judge(world: World, settled: Settled, plans: readonly Plan[]): void {
  const { key, error, value } = settled;
  const plan = plans.find((one) => one.key === key);
  const attempt = attemptOf(world, plan);
  if (error !== undefined) {
    claim(isSmtpError(error), 'every failure is an SmtpError', String(error));
    claim(/^Cannot [a-z]/.test(error.message), 'a sentence', error.message);
    explore(1, error.code.length * 16 + error.phase.length * 2 + error.delivery.length);
  }
  if (!plan) return;
  if (error === undefined) judgeReceipt(attempt, plan, value as TransactionResult);
  else if (isSmtpError(error)) {
    const { delivery, accepted = [], rejected = [] } = error;
    if (delivery === 'rejected') judgeRefusal(world, attempt, key);
    else if (delivery === 'unknown') claim(attempt?.ended, 'unknown: its last octet has left', key);
    else judgeUnsent(attempt, key);
    for (const address of accepted)
      claim(verdictOf(attempt, address)?.some(isYes), 'who is said to have it', address);
    for (const { address, reply } of rejected) {
      const codes = [recipientOf(attempt, address)?.reply, ...(attempt?.verdicts ?? [])];
      claim(codes.includes(reply.code) && isNo(reply.code), 'who is said to be refused', address);
    }
  }
}

/** Behind the end of all: what was not sent when it was told so has not left later either. */
export function judgeAgain(world: World, plans: readonly Plan[]): void {
  for (const plan of plans) {
    const { error } = world.settled.get(plan.key) ?? {};
    if (isSmtpError(error) && error.delivery === 'not-sent')
      judgeUnsent(attemptOf(world, plan), plan.key);
  }
}

/** The last try. */
const attemptOf = (world: World, plan: Plan | undefined): Attempt | undefined =>
  world.pairing.attempts.findLast(({ sender }) => sender === plan?.message.from);

function judgeReceipt(
  attempt: Attempt | undefined,
  plan: Plan,
  { accepted, rejected, octets, reply, replies }: TransactionResult,
): void {
  claim(attempt?.ended, 'a receipt: the message was written to its end', plan.key);
  same(attempt.content, plan.content, 'a receipt: what the server has');
  same(octets, plan.content.length, 'a receipt: the octets');
  claim(isYes(reply.code) && attempt.verdicts.includes(reply.code), 'a receipt: its reply', reply);
  const taken = attempt.recipients.filter((one) => isYes(one.reply ?? 999));
  const refused = attempt.recipients.filter((one) => isNo(one.reply ?? 0));
  if (!replies)
    same(
      [accepted, rejected.map(({ address }) => address)],
      [taken, refused].map((list) => list.map(({ address }) => address)),
      'a receipt: its recipients',
    );
  else
    for (const address of accepted)
      claim(verdictOf(attempt, address)?.some(isYes), 'a receipt: who has it', address);
  const all = [...accepted, ...rejected.map(({ address }) => address)];
  same(all.toSorted(), [plan.message.to].flat().toSorted(), 'a receipt: each recipient once');
  if (plan.partial === 'abort' && !replies) same(refused, [], 'to all or to none');
}

function judgeRefusal(world: World, attempt: Attempt | undefined, key: string): void {
  // Some things are refused before MAIL is written, by what stands in front of it.
  const said = [
    ...(attempt?.replies ?? []),
    ...(attempt?.recipients ?? []).map(({ reply = 0 }) => reply),
    ...(attempt?.verdicts ?? []),
    attempt?.early ?? 0,
  ];
  claim(said.some(isNo), 'rejected: the server has said so', [key, attempt]);
  // With LMTP and PRDR each recipient has a verdict of its own.
  const [first = 0] = attempt?.verdicts ?? [];
  if (attempt?.verdicts.length === 1 && isYes(first))
    claim(
      !attempt.recipients.some(({ reply = 999 }) => isYes(reply)) || world.pairing.broken,
      'rejected: and yet the server has accepted it',
      [key, attempt],
    );
}

function judgeUnsent(attempt: Attempt | undefined, key: string): void {
  // In flight a message that was refused whole, because of what was in front of it, is said again.
  if (attempt?.ended)
    claim(attempt.verdicts.some(isNo), 'not-sent: and yet it has left', [key, attempt]);
}

const recipientOf = (
  attempt: Attempt | undefined,
  address: string,
): Attempt['recipients'][number] | undefined =>
  attempt?.recipients.find((one) => one.address === address);

/** The final replies that may be for this recipient: in the order of those that were accepted, behind 353 one later. */
function verdictOf(attempt: Attempt | undefined, address: string): number[] | undefined {
  if (!attempt) return undefined;
  const { recipients, verdicts } = attempt;
  const taken = recipients.filter(({ reply = 999 }) => isYes(reply));
  const at = taken.findIndex((one) => one.address === address);
  const shift = verdicts[0] === 353 ? 1 : 0;
  return at < 0 ? undefined : verdicts.slice(at + shift, at + shift + 1);
}
