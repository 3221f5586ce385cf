/** What was on the wire, as reports keep it and as people read it. */
import type { WireEvent } from '../server/wire-log.ts';
import { joinedPieces, octetPieces, type Piece, pieces } from './text.ts';

/**
 * What happened on one connection. As in the record, but for names that are absent and not undefined, and for what stands
 * in place of events that were too many.
 */
export type ReportedEvent =
  | Exclude<WireEvent, { readonly who: 'tls' }>
  | {
      readonly at: number;
      readonly who: 'tls';
      readonly servername?: string;
      readonly protocol?: string;
    }
  /** So many events are not reported. */
  | { readonly at: number; readonly who: 'omitted'; readonly events: number };

type Octets = Extract<WireEvent, { readonly who: 'client' | 'server' }>;

/** Of what one side writes at a stretch no more octets than this are reported from its beginning … */
const HEAD = 800;
/** … and this from its end, where mail data and replies end. */
const TAIL = 200;
/** When a connection's record holds so many octets, stretches are cut to this at both ends. */
const PLENTY = 16_384;
const SHORT = 60;
/** Of one connection no more than so many events, of which so many are the last. */
const EVENTS = 200;
const LAST = 20;

/** A connection's record as it is reported: a flood of 64 MB is told of, not repeated. */
export function recorded(events: readonly WireEvent[]): ReportedEvent[] {
  const all = shortened(events);
  if (all.length <= EVENTS) return all;
  const [first, last] = [all.slice(0, EVENTS - LAST), all.slice(-LAST)];
  const { at } = all[first.length] as ReportedEvent;
  return [
    ...first,
    { at, who: 'omitted', events: all.length - first.length - last.length },
    ...last,
  ];
}

function shortened(events: readonly WireEvent[]): ReportedEvent[] {
  const all: ReportedEvent[] = [];
  let kept = 0;
  for (let next = 0; next < events.length; ) {
    const event = events[next] as WireEvent;
    if (event.who !== 'client' && event.who !== 'server') {
      all.push(event.who === 'tls' ? named(event) : event);
      next += 1;
      continue;
    }
    // Writes that follow each other in one direction are one stretch.
    const stretch: Octets[] = [];
    for (let one = events[next]; one && goesOn(event, one); one = events[next]) {
      stretch.push(asOctets(one));
      next += 1;
    }
    for (const part of cut(stretch, kept < PLENTY)) {
      kept += part.text.length;
      all.push(part);
    }
  }
  return all;
}

/** A server that is given text and no octets writes it as UTF-8. */
const asOctets = (event: Octets): Octets =>
  /[^\0-\xff]/.test(event.text)
    ? { ...event, text: Buffer.from(event.text, 'utf8').toString('latin1') }
    : event;

const goesOn = (first: Octets, one: WireEvent): one is Octets =>
  one.who === first.who && one.secure === first.secure;

function named(event: Extract<WireEvent, { who: 'tls' }>): ReportedEvent {
  const { servername, protocol, ...rest } = event;
  return {
    ...rest,
    ...(servername === undefined ? {} : { servername }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

/** One event, or the beginning and the end of what is too long for one. */
function cut(stretch: readonly Octets[], whole: boolean): Octets[] {
  const [first, last] = [stretch[0] as Octets, stretch.at(-1) as Octets];
  const text = stretch.map((one) => one.text).join('');
  const lost = stretch.reduce((sum, one) => sum + (one.omitted ?? 0), 0);
  const { omitted: _, ...about } = first;
  if (text.length <= HEAD + TAIL && lost === 0 && whole) return [{ ...about, text }];
  const [most, least] = whole ? [HEAD, TAIL] : [SHORT, SHORT];
  const head = text.slice(0, border(text, Math.min(text.length, most)));
  // What the record itself has not kept may have been behind all of its text.
  const from = last.omitted
    ? text.length
    : Math.max(head.length, border(text, Math.max(0, text.length - least)));
  const tail = text.slice(from);
  const omitted = text.length + lost - head.length - tail.length;
  if (omitted === 0) return [{ ...about, text }];
  return [
    { ...about, text: head, omitted },
    ...(tail ? [{ ...about, at: last.at, text: tail }] : []),
  ];
}

/** A place at or before the given one that does not divide a character of UTF-8 (RFC 3629 §3). */
function border(text: string, at: number): number {
  let place = at;
  while (place > 0 && place > at - 3 && /[\x80-\xbf]/.test(text[place] ?? '')) place -= 1;
  return /[\xc2-\xf4]/.test(text[place] ?? '') ? place : at;
}

/** One line of a transcript. */
export interface TranscriptLine {
  readonly at: number;
  readonly who: 'client' | 'server' | 'note';
  readonly secure: boolean;
  readonly pieces: readonly Piece[];
  /** What was written, without an ordinary line end: each octet a character. */
  readonly octets?: string;
  /** No line end was written behind it. */
  readonly open?: true;
}

/** A connection's record as lines that people read. */
export function linesOf(events: readonly ReportedEvent[]): TranscriptLine[] {
  const lines: TranscriptLine[] = [];
  let secure = false;
  for (const event of events) {
    const note = (text: string): void => {
      lines.push({ at: event.at, who: 'note', secure, pieces: pieces(text) });
    };
    switch (event.who) {
      case 'client':
      case 'server': {
        const { at, who, secure, text, omitted } = event;
        const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
        for (const [index, line] of all.entries()) {
          // An ordinary line end is not worth showing.
          const octets = line.replace(/\r\n$/, '');
          const open = !line.endsWith('\n') && !(omitted && index === all.length - 1);
          lines.push({
            at,
            who,
            secure,
            pieces: octetPieces(octets),
            octets,
            ...(open ? { open } : {}),
          });
        }
        if (omitted) note(`… ${omitted} more octets`);
        break;
      }
      case 'omitted':
        note(`… ${event.events} more events`);
        break;
      case 'handshake':
        note('TLS handshake');
        break;
      case 'tls':
        secure = true;
        note(`TLS: ${event.protocol ?? 'some version'}, server name ${event.servername ?? 'none'}`);
        break;
      case 'tls-failed':
        note(`the handshake failed: ${event.text}`);
        break;
      case 'end':
        note(`the ${event.by} ${event.reset ? 'resets' : 'ends'} the connection`);
    }
  }
  return lines;
}

const MARKS: Readonly<Record<TranscriptLine['who'], string>> = {
  client: 'C:',
  server: 'S:',
  note: '--',
};

/** What is said of a line without an end. */
export const OPEN = '(no line end)';

/** A transcript as text, one line for each. */
export const transcriptText = (transcript: readonly (readonly ReportedEvent[])[]): string =>
  transcript
    .map((events, index) => {
      const lines = linesOf(events).map(
        ({ at, who, secure, pieces: all, open }) =>
          `${at.toFixed(0).padStart(6)} ms ${secure ? 'tls ' : '    '}${MARKS[who]} ${joinedPieces(all)}${open ? ` ${OPEN}` : ''}`,
      );
      return [...(transcript.length > 1 ? [`connection ${index + 1}`] : []), ...lines].join('\n');
    })
    .join('\n');
