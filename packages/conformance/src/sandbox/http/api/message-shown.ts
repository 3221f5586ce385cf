/** A message as JSON has it. */
import type { CapturedMessage } from '../../inbox.ts';
import type { MessageState } from '../../platform/events.ts';
import { rewrite } from '../../rewrite.ts';
import type { Site } from '../site.ts';
import { headerFields } from './header-fields.ts';
import { dated } from './route.ts';

export interface Summary {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | undefined;
  readonly size: number;
  readonly state: MessageState;
  readonly receivedAt: Date;
  readonly warnings: readonly { readonly rule: string; readonly detail: string }[];
}

/** Of a list. */
export function summary(message: CapturedMessage): Summary {
  const { id, from, to, subject, size, state, receivedAt, verdicts } = message;
  const warnings = verdicts
    .filter(({ outcome }) => outcome === 'warn')
    .map(({ rule, detail }) => ({ rule, detail }));
  return { id, from, to, subject, size, state, receivedAt, warnings };
}

/** All that is known of one. */
export function whole(message: CapturedMessage, { url }: Site): Readonly<Record<string, unknown>> {
  const { raw: _raw, events, ...shown } = message;
  return {
    ...shown,
    parsed: headerFields(message),
    events: events.map(dated),
    rewritten: rewrite(message, url),
  };
}
