/** Records of connections as a server would have written them, in short. */
import type { WireEvent } from '../../src/server/wire-log.ts';

/** What happened; a handshake may name its server, or fail. */
export type Said =
  | { readonly server: string; readonly at?: number }
  | { readonly client: string; readonly at?: number }
  | { readonly tls: string | false; readonly at?: number }
  | { readonly end: 'client' | 'server' | 'reset'; readonly at?: number };

export const server = (text: string, at?: number): Said => ({ server: text, ...timed(at) });
export const client = (text: string, at?: number): Said => ({ client: text, ...timed(at) });
/** A handshake that comes to TLS. */
export const tls = (servername = 'localhost'): Said => ({ tls: servername });
/** A handshake that begins, and comes to nothing. */
export const stalled: Said = { tls: false };
export const ends = (by: 'client' | 'server' | 'reset', at?: number): Said => ({
  end: by,
  ...timed(at),
});

const timed = (at: number | undefined): { at?: number } => (at === undefined ? {} : { at });

/** A server that greets and offers keywords. */
export const open = (...keywords: readonly string[]): Said[] => [
  server('220 hello\r\n'),
  client('EHLO a\r\n'),
  server(
    ['hello', ...keywords, 'OK']
      .map((line, at, all) => `250${at === all.length - 1 ? ' ' : '-'}${line}\r\n`)
      .join(''),
  ),
];

/** A session in which this is said behind 354. */
export const data = (content: string, ...keywords: readonly string[]): Said[] => [
  ...open(...keywords),
  client('MAIL FROM:<a@example.com>\r\n'),
  server('250 ok\r\n'),
  client('RCPT TO:<b@example.org>\r\n'),
  server('250 ok\r\n'),
  client('DATA\r\n'),
  server('354 go\r\n'),
  client(content),
];

/** The same as events, 10 ms apart where no time is said. */
export function record(said: readonly Said[]): WireEvent[] {
  let secure = false;
  return said.flatMap((one, place): WireEvent[] => {
    const at = one.at ?? place * 10;
    if ('server' in one) return [{ at, who: 'server', secure, text: one.server }];
    if ('client' in one) return [{ at, who: 'client', secure, text: one.client }];
    if ('end' in one)
      return [
        one.end === 'reset'
          ? { at, who: 'end', by: 'client', reset: true }
          : { at, who: 'end', by: one.end },
      ];
    const begun: WireEvent = { at, who: 'handshake' };
    if (one.tls === false) return [begun];
    secure = true;
    return [begun, { at, who: 'tls', servername: one.tls || undefined, protocol: 'TLSv1.3' }];
  });
}

/** Each octet in an event of its own. */
export const drip = (said: Said): Said[] =>
  'server' in said
    ? [...said.server].map((octet) => server(octet))
    : 'client' in said
      ? [...said.client].map((octet) => client(octet))
      : [said];
