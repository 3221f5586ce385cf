/** Clients that write without end: the server cuts them off, and that is what they are judged by. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Case } from '../../src/case.ts';
import { runCase } from '../../src/runner/run-case.ts';
import { good, honest, type ServerPlan } from '../../src/server/plan.ts';
import type { Subject } from '../../src/task.ts';

const playedOn = (server: ServerPlan): Case => ({
  id: 'XXX-01',
  level: 'INFO',
  title: 'any',
  requirement: 'any',
  clause: 'none',
  tags: [],
  plays: [{ server, deadline: 20_000, expect: { client: { outcome: 'settle' } } }],
});

/** Writes a megabyte over and over, behind what it has to say first, until it is cut off. */
const endless = (...first: readonly string[]): Subject => ({
  name: 'endless',
  version: '1',
  features: [],
  reports: [],
  run: ({ port }) =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const lines = [...first];
      const more = Buffer.alloc(1_048_576, 'x');
      const pour = (): void => {
        while (!socket.destroyed && socket.write(more));
      };
      socket.on('data', () => {
        const line = lines.shift();
        if (line) socket.write(`${line}\r\n`);
        else {
          socket.removeAllListeners('data').on('drain', pour).resume();
          pour();
        }
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve({ outcome: 'done', messages: [{ outcome: 'reject' }] }));
    }),
});

const TO_DATA = ['EHLO a.example', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.org>', 'DATA'];

test.each<[string, ServerPlan, readonly string[]]>([
  ['a line', good(), []],
  ['content', good(), TO_DATA],
  ['content to smtp-server', honest({ extensions: [] }), TO_DATA],
])(
  '%s without end is cut off',
  async (_what, server, first) => {
    const { verdict, reasons, plays } = await runCase(playedOn(server), endless(...first));
    expect(verdict).toBe('FAIL');
    expect(reasons.join('\n')).toMatch(
      /no more than 64 MiB are written on one connection, got \d+ /,
    );
    const [events = []] = plays[0]?.transcript ?? [];
    const octets = events.reduce(
      (sum, event) => sum + (event.who === 'client' ? event.text.length : 0),
      0,
    );
    expect(octets).toBe(64 * 1_048_576);
  },
  60_000,
);
