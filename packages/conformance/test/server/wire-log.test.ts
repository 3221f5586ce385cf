/** What is kept of a connection, and how much. */
import { describe, expect, test } from 'vitest';
import { WireLog } from '../../src/server/wire-log.ts';

const MOST = 64 * 1_048_576;
const octets = (text: string): Buffer => Buffer.from(text, 'latin1');
const log = (): WireLog => new WireLog(performance.now());

describe('WireLog', () => {
  test('keeps what both said in its order, each octet a character, with ms since the start', () => {
    const record = new WireLog(performance.now() - 1_000);
    record.server('220 \xff\r\n', false);
    record.client(octets('EHLO \xfe\r\n'), false);
    record.handshake();
    record.secured('localhost', 'TLSv1.3');
    record.client(octets('QUIT\r\n'), true);
    record.failed('no cipher');
    expect(record.events).toMatchObject([
      { who: 'server', secure: false, text: '220 \xff\r\n' },
      { who: 'client', secure: false, text: 'EHLO \xfe\r\n' },
      { who: 'handshake' },
      { who: 'tls', servername: 'localhost', protocol: 'TLSv1.3' },
      { who: 'client', secure: true, text: 'QUIT\r\n' },
      { who: 'tls-failed', text: 'no cipher' },
    ]);
    for (const { at } of record.events) {
      expect(at).toBeGreaterThanOrEqual(999.9);
      expect(at * 10).toBeCloseTo(Math.round(at * 10), 6);
    }
  });

  test('keeps a part of an array, and not the whole of its buffer', () => {
    const record = log();
    record.client(new Uint8Array(octets('one two three').buffer.slice(0)).subarray(0, 0), false);
    record.client(octets('one two three').subarray(4, 7), false);
    expect(record.events).toMatchObject([{ text: '' }, { text: 'two' }]);
  });

  test('keeps the beginning of what a server says, and counts the rest', () => {
    const record = log();
    record.server('x'.repeat(16_384), false);
    record.server('y'.repeat(16_390), false);
    expect(record.events).toMatchObject([{ text: 'x'.repeat(16_384) }, { omitted: 6 }]);
    expect(record.events[0]).not.toHaveProperty('omitted');
  });

  test('counts what is said again, even where the client has spoken since', () => {
    const record = log();
    record.more(1);
    record.server('250-x\r\n', false);
    record.more(7);
    record.client(octets('QUIT\r\n'), false);
    record.more(7);
    expect(record.events).toMatchObject([{ who: 'server', omitted: 14 }, { who: 'client' }]);
  });

  test('keeps so much of a client, says when it is more, and counts that', () => {
    const record = log();
    expect(record.client(Buffer.alloc(MOST - 2, 'x'), false)).toBe(true);
    expect(record.client(octets('ab'), false)).toBe(true);
    expect(record.client(octets('cde'), false)).toBe(false);
    expect(record.events.slice(1)).toMatchObject([{ text: 'ab' }, { text: '', omitted: 3 }]);
    expect(record.events[1]).not.toHaveProperty('omitted');
  });

  test('each side ends once, and the first way counts', () => {
    const record = log();
    record.end('client', true);
    record.end('server');
    record.end('client');
    record.end('server', true);
    expect(record.events.map(({ at, ...event }) => event)).toEqual([
      { who: 'end', by: 'client', reset: true },
      { who: 'end', by: 'server' },
    ]);
  });
});
