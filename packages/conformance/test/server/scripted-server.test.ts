/** Every step of a script does what it says, on plain sockets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { good, implicit, script, scripts } from '../../src/server/plan.ts';
import type { PlayServer } from '../../src/server/start-server.ts';
import {
  auth,
  close,
  converse,
  delay,
  discard,
  drain,
  expectAny,
  expectBdat,
  expectClose,
  expectData,
  expectNothing,
  fail,
  flood,
  ifSilent,
  expect as line,
  match,
  nth,
  pauseReading,
  raw,
  readOctets,
  readSlowly,
  resumeReading,
  type Step,
  send,
  silence,
  slowly,
  starttls,
  type TlsSituation,
} from '../../src/server/steps.ts';
import { cut, type Delivery } from '../../src/server/wire-log.ts';
import { marks, saidBy, useBench } from './bench.ts';
import { PlainClient, sleep, until } from './plain-client.ts';

const DELIVERIES: readonly Delivery[] = ['whole', 'line', 'byte'];
/** Every octet that there is. */
const OCTETS = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
const bench = useBench();

/** ms that something takes. */
async function taking(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

describe('cut()', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '\r', '\n', '\xff', ' '),
    maxLength: 40,
  });
  const long = fc.integer({ min: 2_000, max: 2_100 }).map((length) => 'x\n'.repeat(length / 2));

  test('property: pieces join to the text, none of them is empty, and whole is one', () => {
    fc.assert(
      fc.property(fc.oneof(text, long), fc.constantFrom(...DELIVERIES), (said, delivery) => {
        const pieces = cut(said, delivery);
        expect(pieces.join('')).toBe(said);
        if (said) expect(pieces).not.toContain('');
        if (delivery === 'whole') expect(pieces).toHaveLength(1);
        if (delivery === 'line')
          expect(pieces.filter((piece) => piece.slice(0, -1).includes('\n'))).toEqual([]);
        if (delivery === 'byte')
          expect(pieces.slice(0, 2_048).filter((piece) => piece.length > 1)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('what is long comes octet by octet at its beginning alone', () => {
    const pieces = cut('x'.repeat(10_000), 'byte');
    expect(pieces).toHaveLength(2_049);
    expect(pieces.at(-1)).toHaveLength(7_952);
  });
});

describe('what is written', () => {
  test('send() writes lines, each with its CR LF, in one write', async () => {
    const { server, client } = await bench.meet([send('220-a', '220 b'), send('250 c'), drain()]);
    expect(await client.lines(3)).toBe('220-a\n220 b\n250 c');
    expect(client.text).toBe('220-a\r\n220 b\r\n250 c\r\n');
    expect(saidBy('server', server)).toEqual(['220-a\r\n220 b\r\n', '250 c\r\n']);
  });

  test('raw() writes octets as they are', async () => {
    const { client } = await bench.meet([raw(OCTETS), drain()]);
    await client.octets(256);
    expect(client.text).toBe(OCTETS);
  });

  test.each(DELIVERIES)(
    'delivery %s cuts so, and the octets are the same in sum',
    async (delivery) => {
      const text = '220-a\r\n220 b\r\n250 \xff';
      const { server, client } = await bench.meet([raw(text), raw(text, true), drain()], {
        delivery,
      });
      await client.octets(text.length * 2);
      expect(client.text).toBe(text + text);
      expect(saidBy('server', server)).toEqual([
        ...{ whole: [text], line: ['220-a\r\n', '220 b\r\n', '250 \xff'], byte: [...text] }[
          delivery
        ],
        text,
      ]);
      // How many pieces arrive is for the kernel to say, but not all in one where they are cut.
      if (delivery === 'byte') expect(client.pieces.length).toBeGreaterThan(2);
    },
  );

  test('slowly() writes octet by octet, so many ms apart, whatever the delivery is', async () => {
    const steps = [slowly('220 ok\r\n', 10), slowly('ab'), drain()];
    const started = performance.now();
    const { server, client } = await bench.meet(steps);
    await client.octets(10);
    const took = performance.now() - started;
    expect(client.text).toBe('220 ok\r\nab');
    expect(saidBy('server', server)).toEqual([...'220 ok\r\nab']);
    expect(client.pieces.length).toBeGreaterThan(4);
    expect(took).toBeGreaterThan(50);
  });

  test('delay() waits, so many times as long as the run is slow', async () => {
    const started = performance.now();
    const { client } = await bench.meet([delay(40), send('250 b'), drain()], { slow: 3 });
    await client.lines();
    expect(performance.now() - started).toBeGreaterThan(100);
  });

  test('flood() writes the same octets over and over, and its record counts them all', async () => {
    const { server, client } = await bench.meet([
      flood('250-flood\r\n', 20_000),
      send('.'),
      drain(),
    ]);
    client.write('QUIT\r\n');
    await client.octets(220_003);
    expect(client.text).toBe(`${'250-flood\r\n'.repeat(20_000)}.\r\n`);
    const events = server.logs[0]?.events ?? [];
    const octets = events.flatMap((event) =>
      event.who === 'server' ? [event.text.length + (event.omitted ?? 0)] : [],
    );
    expect(octets.reduce((sum, count) => sum + count, 0)).toBe(220_003);
    expect(events.length).toBeLessThan(20);
  });

  test('flood() holds no more than sockets do, and ends when the client is gone', async () => {
    const piece = 'x'.repeat(65_536);
    const { server, client } = await bench.meet([flood(piece, 2_000), fail('it was read')]);
    client.pause();
    const written = (): number => {
      const [event] = server.logs[0]?.events ?? [];
      return event?.who === 'server' ? (event.omitted ?? 0) + event.text.length : 0;
    };
    let before = -1;
    while (before !== written()) {
      before = written();
      await sleep(60);
    }
    expect(before).toBeGreaterThan(65_536);
    expect(before).toBeLessThan(48 * 1_048_576);
    client.destroy();
    await until(() => server.open === 0, 'the flood to end');
    expect([server.errors, server.findings]).toEqual([[], []]);
  });

  test('what is long is kept in part, and counted whole', async () => {
    const { server, client } = await bench.meet([raw('x'.repeat(20_000)), drain()]);
    await client.octets(20_000);
    expect(server.logs[0]?.events[0]).toMatchObject({
      text: 'x'.repeat(16_384),
      omitted: 3_616,
    });
  });

  test('nothing written is nothing in the record', async () => {
    const { server, client } = await bench.meet([raw(''), slowly(''), send(), send('.'), drain()]);
    await client.lines();
    expect(saidBy('server', server)).toEqual(['.\r\n']);
  });
});

describe('what is expected', () => {
  test('expect() goes on behind a line like it, octet by octet, ended by LF too', async () => {
    const { server, client } = await bench.meet([
      line(/^EHLO \S+$/),
      send('250 ok'),
      line(/^QUIT$/),
      send('221 bye'),
      drain(),
    ]);
    for (const octet of 'EHLO a\r\n') {
      client.write(octet);
      await sleep(1);
    }
    expect(await client.lines()).toBe('250 ok');
    client.write('QUIT\n');
    expect(await client.lines()).toBe('221 bye');
    expect(server.findings).toEqual([]);
  });

  test('expect() takes one of many lines that come at once', async () => {
    const { client } = await bench.meet([
      line(/^A$/),
      line(/^B$/),
      send('both'),
      line(/^C$/),
      drain(),
    ]);
    client.write('A\r\nB\r\nC\r\n');
    expect(await client.lines()).toBe('both');
  });

  test('expect() finds any other line, and ends the connection', async () => {
    const { server, client } = await bench.meet([line(/^EHLO/), send('250 ok')]);
    client.write('HELO a\r\n');
    await client.leaves();
    expect(client.text).toBe('');
    expect(server.findings).toEqual([{ expected: 'a line like /^EHLO/', actual: 'HELO a' }]);
    expect(server.errors).toEqual([]);
  });

  test('expectAny() takes the turn of the first that fits: a reply, a step, several', async () => {
    const { client } = await bench.meet([
      ...Array.from({ length: 4 }, () =>
        expectAny(
          [
            [/^A/, '250-one\n250 two'],
            [/^B/, send('250 three')],
            [/^[AC]/, [send('250 four'), send('250 five')]],
          ],
          '500 what',
        ),
      ),
      drain(),
    ]);
    client.write('A\r\nB\r\nC\r\nD\r\n');
    expect(await client.lines(6)).toBe('250-one\n250 two\n250 three\n250 four\n250 five\n500 what');
  });

  test('expectAny() finds what fits none, where there is no otherwise', async () => {
    const { server, client } = await bench.meet([
      expectAny([
        [/^A/, ''],
        [/^B/, ''],
      ]),
      send('250 ok'),
    ]);
    client.write('C\r\n');
    await client.leaves();
    expect(server.findings).toEqual([{ expected: 'one of /^A/ /^B/', actual: 'C' }]);
  });

  test('expectNothing() lets silence pass', async () => {
    const started = performance.now();
    const steps = [expectNothing(30), send('250 ok'), drain()];
    const { server, client } = await bench.meet(steps, { slow: 2 });
    await client.lines();
    expect(performance.now() - started).toBeGreaterThan(50);
    expect(server.findings).toEqual([]);
  });

  test('expectNothing() finds what is said, and leaves it to be read', async () => {
    const { server, client } = await bench.meet([
      expectNothing(60),
      line(/^QUIT$/),
      send('221 bye'),
      drain(),
    ]);
    client.write('QUIT\r\n');
    expect(await client.lines()).toBe('221 bye');
    expect(server.findings).toEqual([{ expected: 'silence for 60 ms', actual: '6 octets' }]);
  });

  test('expectNothing() does not count what was there before', async () => {
    const { server, client } = await bench.meet([
      line(/^A$/),
      expectNothing(30),
      line(/^B$/),
      send('250 ok'),
      drain(),
    ]);
    client.write('A\r\nB\r\n');
    await client.lines();
    expect(server.findings).toEqual([]);
  });

  test('expectNothing() finds what is said by one who leaves, and nothing where one only leaves', async () => {
    const server = await bench.play([expectNothing(2_000), fail('come here')]);
    const [noisy, quiet] = [await bench.call(server), await bench.call(server)];
    noisy.write('QUIT\r\n');
    noisy.end();
    quiet.end();
    await until(() => server.open === 0, 'both to have left');
    expect(server.findings).toEqual([{ expected: 'silence for 2000 ms', actual: '6 octets' }]);
  });

  test('ifSilent() takes its turn where nothing is said', async () => {
    const { client } = await bench.meet([ifSilent(30, '421 bye'), send('250 ok'), drain()]);
    expect(await client.lines(2)).toBe('421 bye\n250 ok');
  });

  test('ifSilent() goes on at the first octet, and leaves it to be read', async () => {
    const { client } = await bench.meet([
      ifSilent(4_000, '421 bye'),
      line(/^A$/),
      send('250 ok'),
      drain(),
    ]);
    client.write('A\r\n');
    expect(await taking(async () => expect(await client.lines()).toBe('250 ok'))).toBeLessThan(
      3_000,
    );
  });

  test.each(['.\r\n', 'Hi\r\n.\r\n', 'Hi\r\n..\r\n.x\r\n\r\n.\r\n', 'a\n.\nb\r.\r\n.\r\n'])(
    'expectData() reads %j to its final dot, in one piece and octet by octet',
    async (content) => {
      const { server, client } = await bench.meet([
        expectData(),
        send('250 one'),
        expectData(),
        send('250 two'),
        line(/^QUIT$/),
        send('221 bye'),
        drain(),
      ]);
      client.write(content);
      expect(await client.lines()).toBe('250 one');
      for (const octet of content) {
        client.write(octet);
        await sleep(0);
      }
      expect(await client.lines()).toBe('250 two');
      client.write('QUIT\r\n');
      expect(await client.lines()).toBe('221 bye');
      expect(saidBy('client', server).join('')).toBe(`${content}${content}QUIT\r\n`);
    },
  );

  test('expectData() leaves what is behind the final dot', async () => {
    const { client } = await bench.meet([expectData(), line(/^QUIT$/), send('221 bye'), drain()]);
    client.write('Hi\r\n.\r\nQUIT\r\n');
    expect(await client.lines()).toBe('221 bye');
  });

  test('expectBdat() takes every chunk to the last, whatever its octets are', async () => {
    const { server, client } = await bench.meet([
      expectBdat(),
      send('250 done'),
      line(/^QUIT$/),
      send('221 bye'),
      drain(),
    ]);
    client.write(`BDAT 256\r\n${OCTETS}bdat 0\r\nBDAT 12 LAST\r\nBDAT 1 LAST\nQUIT\r\n`);
    expect(await client.lines(4)).toBe('250 2.0.0 taken\n250 2.0.0 taken\n250 done\n221 bye');
    expect(server.findings).toEqual([]);
  });

  test('expectBdat() finds another line', async () => {
    const { server, client } = await bench.meet([expectBdat(), send('250 done')]);
    client.write('BDAT 1\r\nxDATA\r\n');
    await client.leaves();
    expect(server.findings).toEqual([{ expected: 'BDAT', actual: 'DATA' }]);
  });

  test('expectClose() lets pass one who leaves, and finds one who does not', async () => {
    const leaving = await bench.meet([send('421 bye'), expectClose(4_000), fail('come here')]);
    await leaving.client.lines();
    leaving.client.end();
    await until(() => leaving.server.open === 0, 'it to have left');
    expect(leaving.server.findings.map(({ expected }) => expected)).not.toContain(
      'the client closes its side within 4000 ms',
    );
    const started = performance.now();
    const staying = await bench.meet([expectClose(40), send('250 ok'), drain()], { slow: 2 });
    await staying.client.lines();
    expect(performance.now() - started).toBeGreaterThan(70);
    expect(staying.server.findings).toEqual([
      { expected: 'the client closes its side within 40 ms', actual: 'it did not' },
    ]);
  });

  test('fail() finds that one comes to it', async () => {
    const { server, client } = await bench.meet([line(/^A/), fail('it said A')]);
    client.write('A\r\n');
    await client.leaves();
    expect(server.findings).toEqual([{ expected: 'not to come here', actual: 'it said A' }]);
  });

  test('readOctets() reads so many, whatever they are; discard() what was read by now', async () => {
    const { client } = await bench.meet([
      readOctets(256),
      send('one'),
      delay(60),
      discard(),
      send('two'),
      line(/^QUIT$/),
      send('three'),
      drain(),
    ]);
    client.write(`${OCTETS}rubbish\r\n`);
    expect(await client.lines()).toBe('one');
    expect(await client.lines()).toBe('two');
    client.write('QUIT\r\n');
    expect(await client.lines()).toBe('three');
  });

  test('drain() reads and does not answer, until the client leaves', async () => {
    const { server, client } = await bench.meet([drain(), fail('come here')]);
    client.write('EHLO a\r\n'.repeat(10_000));
    await until(() => saidBy('client', server).join('').length === 80_000, 'all to be read');
    client.end();
    await until(() => server.open === 0, 'it to have left');
    expect([client.text, server.findings, server.errors]).toEqual(['', [], []]);
  });
});

describe('how it is read', () => {
  /** ms between what a server said and what it read next. */
  const between = (server: PlayServer, said: string): number => {
    const events = server.logs[0]?.events ?? [];
    const at = events.findIndex((event) => event.who === 'server' && event.text === said);
    const next = events.slice(at).find(({ who }) => who === 'client');
    return (next?.at ?? 0) - (events[at]?.at ?? 0);
  };

  test('pauseReading() lets the window fill, and resumeReading() reads it all', async () => {
    const content = `${'x'.repeat(1_022)}\r\n`.repeat(16 * 1_024);
    const { server, client } = await bench.meet([
      pauseReading(),
      send('220 paused'),
      delay(150),
      resumeReading(),
      expectData(),
      send('250 ok'),
      drain(),
    ]);
    await client.lines();
    client.write(`${content}.\r\n`);
    expect(await client.lines()).toBe('250 ok');
    expect(between(server, '220 paused\r\n')).toBeGreaterThan(148);
    expect(saidBy('client', server).join('')).toHaveLength(content.length + 3);
  });

  test('readSlowly() reads at most so many octets every so many ms', async () => {
    const { server, client } = await bench.meet([
      readSlowly(50_000, 10),
      expectData(),
      send('250 ok'),
      drain(),
    ]);
    client.write(`${'x'.repeat(1_048_576)}\r\n.\r\n`);
    await client.lines();
    const read = (server.logs[0]?.events ?? []).flatMap((event) =>
      event.who === 'client' ? [{ at: event.at, octets: event.text.length }] : [],
    );
    for (const [place, { at, octets }] of read.entries()) {
      const next = read[place + 1];
      // Timers may be a ms early, and times are rounded.
      if (next) expect(next.at - at).toBeGreaterThan((octets / 50_000) * 10 - 2);
    }
    expect(read.reduce((sum, { octets }) => sum + octets, 0)).toBe(1_048_576 + 5);
  });

  test('pauseReading() holds where it was read slowly before', async () => {
    const { server, client } = await bench.meet([
      readSlowly(1_000, 10),
      line(/^A$/),
      pauseReading(),
      send('220 paused'),
      delay(150),
      resumeReading(),
      line(/^B$/),
      send('250 ok'),
      drain(),
    ]);
    client.write('A\r\n');
    await client.lines();
    client.write('B\r\n');
    expect(await client.lines()).toBe('250 ok');
    expect(between(server, '220 paused\r\n')).toBeGreaterThan(148);
  });
});

describe('TLS', () => {
  const upgrade = (situation: TlsSituation): readonly Step[] => [
    line(/^STARTTLS$/),
    send('220 go'),
    starttls(situation),
    send('250 under TLS'),
    line(/^QUIT$/),
    send('221 bye'),
    close(),
  ];

  test.each(DELIVERIES)('starttls() speaks TLS from there on, delivery %s', async (delivery) => {
    const { server, client } = await bench.meet(upgrade('good'), { delivery });
    client.write('STARTTLS\r\n');
    await client.lines();
    await client.startTls({ ca: bench.ca });
    expect(await client.lines()).toBe('250 under TLS');
    expect(client.tls.authorized).toBe(true);
    client.write('QUIT\r\n');
    expect(await client.lines()).toBe('221 bye');
    await client.leaves();
    const events = server.logs[0]?.events ?? [];
    expect(
      ['STARTTLS\r\n', 'QUIT\r\n'].map((said) =>
        events.find((event) => event.who === 'client' && event.text === said),
      ),
    ).toMatchObject([{ secure: false }, { secure: true }]);
    expect(events.map(({ who }) => who).filter((who, at, all) => who !== all[at - 1])).toEqual([
      'client',
      'server',
      'handshake',
      'tls',
      'server',
      'client',
      'server',
      'end',
    ]);
    expect(marks(server)[1]).toMatchObject({ servername: 'localhost', protocol: 'TLSv1.3' });
    expect(server.errors).toEqual([]);
  });

  test('the record says where no server name was given', async () => {
    const { server, client } = await bench.meet(upgrade('good'));
    client.write('STARTTLS\r\n');
    await client.lines();
    await client.startTls({ ca: bench.ca, servername: '' });
    await client.lines();
    expect(marks(server)[1]).toMatchObject({ who: 'tls', servername: undefined });
  });

  test('implicit() speaks TLS from the first octet', async () => {
    const { server, client } = await bench.meet(
      implicit(script(send('220 hello'), line(/^QUIT$/), send('221 bye'), close())),
    );
    await client.startTls({ ca: bench.ca });
    expect(await client.lines()).toBe('220 hello');
    expect(await client.ask('QUIT')).toBe('221 bye');
    expect(server.logs[0]?.events[0]).toMatchObject({ who: 'handshake' });
  });

  test.each<[TlsSituation, RegExp]>([
    ['wrong-host', /ALTNAME_INVALID/],
    ['expired', /CERT_HAS_EXPIRED/],
    ['self-signed', /SELF_SIGNED/],
    ['unknown-ca', /UNABLE_TO|SIGNATURE/],
  ])('starttls(%j) has a certificate that is refused as such', async (situation, code) => {
    const { server, client } = await bench.meet(upgrade(situation));
    client.write('STARTTLS\r\n');
    await client.lines();
    const refused = await client.startTls({ ca: bench.ca }).catch((error) => error);
    expect(refused.code).toMatch(code);
    await until(() => server.open === 0, 'it to have left');
    expect([server.errors, server.findings, saidBy('client', server)]).toEqual([
      [],
      [],
      ['STARTTLS\r\n'],
    ]);
  });

  test("starttls('no-san') names its host in its common name alone", async () => {
    const { client } = await bench.meet(upgrade('no-san'));
    client.write('STARTTLS\r\n');
    await client.lines();
    await client.startTls({ ca: bench.ca, checkServerIdentity: () => undefined });
    const { subject, subjectaltname } = client.tls.getPeerCertificate();
    expect([subject.CN, subjectaltname]).toEqual(['localhost', undefined]);
    expect(client.tls.authorized).toBe(true);
  });

  test("starttls('old-tls') speaks no version that is allowed, and tells of it", async () => {
    const { server, client } = await bench.meet(upgrade('old-tls'));
    client.write('STARTTLS\r\n');
    await client.lines();
    await expect(client.startTls({ ca: bench.ca })).rejects.toThrow(
      /protocol|version|reset|closed/i,
    );
    await until(() => server.open === 0, 'it to have left');
    expect(marks(server)).toMatchObject([
      { who: 'handshake' },
      { who: 'tls-failed', text: expect.stringMatching(/\S/) },
      { who: 'end' },
    ]);
    const old = await bench.call(server);
    old.write('STARTTLS\r\n');
    await old.lines();
    await old.startTls({ ca: bench.ca, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(old.tls.getProtocol()).toBe('TLSv1.1');
  });

  test("starttls('asks-certificate') asks for one, and does without", async () => {
    /** Types of the handshake messages that a server of TLS 1.2 writes in the open. */
    const asked = async (situation: TlsSituation): Promise<number[]> => {
      const { client } = await bench.meet(upgrade(situation));
      client.write('STARTTLS\r\n');
      await client.lines();
      const octets: Buffer[] = [];
      await client.startTls({ ca: bench.ca, maxVersion: 'TLSv1.2' }, (some) => octets.push(some));
      expect(await client.lines()).toBe('250 under TLS');
      return handshakes(Buffer.concat(octets));
    };
    expect(await asked('asks-certificate')).toContain(CERTIFICATE_REQUEST);
    expect(await asked('good')).not.toContain(CERTIFICATE_REQUEST);
  });

  test("starttls('garbage') answers with octets that are no TLS", async () => {
    const { server, client } = await bench.meet([send('220 go'), starttls('garbage'), drain()], {
      delivery: 'byte',
    });
    await client.lines();
    await expect(client.startTls({ ca: bench.ca })).rejects.toThrow(/wrong version|packet length/i);
    expect(saidBy('server', server).at(-1)).toMatch(/^This is no TLS\.\r\n/);
    expect(marks(server)[0]).toMatchObject({ who: 'handshake' });
  });

  test("starttls('stall') answers with nothing, and reads on", async () => {
    const { server, client } = await bench.meet([send('220 go'), starttls('stall'), drain()]);
    await client.lines();
    const before = client.text;
    const handshake = client.startTls({ ca: bench.ca }).catch((error) => error);
    await until(() => saidBy('client', server).join('').startsWith('\x16\x03'), 'a ClientHello');
    await sleep(40);
    expect(client.text).toBe(before);
    client.destroy();
    await handshake;
    await until(() => server.open === 0, 'it to have left');
  });

  test('a client that breaks off the handshake, and one that speaks no TLS, hold nothing up', async () => {
    const server = await bench.play([starttls(), fail('come here')]);
    const [gone, plain, reset] = [
      await bench.call(server),
      await bench.call(server),
      await bench.call(server),
    ];
    gone.end();
    plain.write('EHLO a\r\n');
    reset.reset();
    await until(() => server.logs.length === 3 && server.open === 0, 'all to have left');
    expect([server.errors, server.findings]).toEqual([[], []]);
    expect(marks(server, 1)).toMatchObject([{ who: 'handshake' }, { who: 'tls-failed' }, {}]);
  });

  test('a client that is reset under TLS is gone at once', async () => {
    const { server, client } = await bench.meet([
      starttls(),
      send('220 hello'),
      line(/^A/),
      fail(''),
    ]);
    await client.startTls({ ca: bench.ca });
    await client.lines();
    client.reset();
    await until(() => server.open === 0, 'it to have left');
    expect([server.errors, server.findings]).toEqual([[], []]);
    expect(marks(server).at(-1)).toMatchObject({ who: 'end', by: 'client', reset: true });
  });
});

const CERTIFICATE_REQUEST = 13;
const ALERT = 21;

/** The content types of TLS records (RFC 5246 §6.2.1). */
function records(octets: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const found: { type: number; body: Buffer }[] = [];
  for (let at = 0; at + 5 <= octets.length; ) {
    const length = octets.readUInt16BE(at + 3);
    found.push({ type: octets[at] as number, body: octets.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return found;
}

/** The types of handshake messages that are in the open, up to the first that is not. */
function handshakes(octets: Buffer): number[] {
  const HANDSHAKE = 22;
  const all = records(octets);
  const open = all.slice(
    0,
    all.findIndex(({ type }) => type !== HANDSHAKE),
  );
  const messages = Buffer.concat(open.map(({ body }) => body));
  const found: number[] = [];
  for (let at = 0; at + 4 <= messages.length; at += 4 + messages.readUIntBE(at + 1, 3))
    found.push(messages[at] as number);
  return found;
}

describe('how it ends', () => {
  test("close('end') ends behind what was written", async () => {
    const { server, client } = await bench.meet([send('221 bye'), close(), send('never')]);
    await client.leaves();
    expect(client.text).toBe('221 bye\r\n');
    client.end();
    await until(() => server.open === 0, 'it to have left');
    expect(marks(server)[0]).toMatchObject({ who: 'end', by: 'server' });
    expect(client.error).toBeUndefined();
  });

  test("close('reset') breaks the connection", async () => {
    const { server, client } = await bench.meet([send('220 hello'), line(/^A/), close('reset')]);
    await client.lines();
    client.write('A\r\n');
    await client.leaves();
    await until(() => client.closed, 'it to be closed');
    expect(client.error?.code).toBe('ECONNRESET');
    expect(marks(server)).toMatchObject([{ who: 'end', by: 'server', reset: true }]);
  });

  test("close('half') ends the server's side, and reads on", async () => {
    const { server, client } = await bench.meet([
      send('220 hello'),
      close('half'),
      line(/^A$/),
      line(/^B$/),
      drain(),
    ]);
    await client.leaves();
    client.write('A\r\n');
    await sleep(20);
    client.write('C\r\n');
    await until(() => server.findings.length > 0, 'what is wrong');
    expect(server.findings).toEqual([{ expected: 'a line like /^B$/', actual: 'C' }]);
    expect(client.text).toBe('220 hello\r\n');
  });

  test.each([
    ['end', true],
    ['no-close-notify', false],
  ] as const)('close(%j) under TLS: that close_notify is written is %s', async (how, written) => {
    const { client } = await bench.meet([starttls(), send('220 hello'), line(/^A/), close(how)]);
    const octets: Buffer[] = [];
    await client.startTls({ ca: bench.ca, maxVersion: 'TLSv1.2' }, (some) => octets.push(some));
    await client.lines();
    client.write('A\r\n');
    await client.leaves();
    // The record of an alert is enciphered in TLS 1.2, but its type is not.
    expect(records(Buffer.concat(octets)).some(({ type }) => type === ALERT)).toBe(written);
  });

  test("close('half') under TLS ends the server's side, and reads on", async () => {
    const { server, client } = await bench.meet([
      starttls(),
      send('220 hello'),
      close('half'),
      line(/^A$/),
      fail('A was read'),
    ]);
    await client.startTls({ ca: bench.ca });
    await client.leaves();
    client.write('A\r\n');
    await until(() => server.findings.length > 0, 'A to be read');
    expect(server.findings[0]?.actual).toBe('A was read');
  });

  test('the record says who has left, and how', async () => {
    const server = await bench.play([drain()]);
    const [ends, resets] = [await bench.call(server), await bench.call(server)];
    ends.end();
    resets.reset();
    await until(() => server.open === 0, 'both to have left');
    expect([marks(server, 0), marks(server, 1)]).toMatchObject([
      [{ who: 'end', by: 'client' }],
      [{ who: 'end', by: 'client', reset: true }],
    ]);
    expect(marks(server, 0)[0]).not.toHaveProperty('reset');
  });
});

describe('auth()', () => {
  test('plays the exchange that the last line began, and says its end', async () => {
    const { client } = await bench.meet([
      line(/^AUTH/),
      auth(),
      line(/^AUTH/),
      auth({ answer: '454-4.7.0 not\n454 4.7.0 now' }),
      drain(),
    ]);
    client.write('AUTH LOGIN\r\n');
    expect(await client.lines()).toBe('334 VXNlcm5hbWU6');
    client.write('*\r\n');
    expect(await client.reply()).toBe('501 5.7.0 cancelled');
    expect(await client.ask('AUTH EXTERNAL =')).toBe('454-4.7.0 not\n454 4.7.0 now');
  });
});

describe('converse()', () => {
  /** Replies to lines, each when the one before was answered. */
  const ask = async (client: PlainClient, ...lines: readonly string[]): Promise<string[]> => {
    const replies: string[] = [];
    for (const one of lines) replies.push(await client.ask(one));
    return replies;
  };

  test('answers every command well', async () => {
    const { server, client } = await bench.meet(good({ offers: ['SIZE 5', 'DSN'] }));
    expect(await client.reply()).toBe('220 mail.example.com ESMTP');
    expect(
      await ask(
        client,
        'EHLO a',
        'HELO a',
        'NOOP',
        'VRFY a',
        'RSET',
        'MAIL FROM:<>',
        'rcpt to:<a@b>',
        'DATA',
      ),
    ).toEqual([
      '250-mail.example.com\n250-SIZE 5\n250 DSN',
      '250 mail.example.com',
      '250 2.0.0 ok',
      '252 2.5.0 perhaps',
      '250 2.0.0 ok',
      '250 2.1.0 ok',
      '250 2.1.5 ok',
      '354 go ahead',
    ]);
    expect(await ask(client, 'Hi\r\n.', 'ETRN a', 'BDAT 5 LAST\r\nHello NOOP', 'QUIT')).toEqual([
      '250 2.0.0 queued',
      '500 5.5.1 there is no such command',
      '250 2.0.0 taken',
      '500 5.5.1 there is no such command',
    ]);
    expect(await client.reply()).toBe('221 2.0.0 bye');
    await client.leaves();
    expect([server.errors, server.findings]).toEqual([[], []]);
  });

  test('offers STARTTLS where there is TLS to offer, and other keywords under it', async () => {
    const { client } = await bench.meet(good({ offers: ['A'], secure: ['B'] }));
    await client.reply();
    expect(await ask(client, 'EHLO a', 'STARTTLS')).toEqual([
      '250-mail.example.com\n250-STARTTLS\n250 A',
      '220 2.0.0 go ahead',
    ]);
    await client.startTls({ ca: bench.ca });
    expect(await client.ask('EHLO a')).toBe('250-mail.example.com\n250 B');
  });

  test('has its own answers: replies, steps, several, none', async () => {
    const { client } = await bench.meet(
      good({
        answers: {
          MAIL: '451-4.3.0 not\n451 4.3.0 now',
          RCPT: [delay(10), send('550 5.1.1 no')],
          NOOP: raw('200\r\n'),
          RSET: silence(),
          other: '502 5.5.1 no',
          EHLO: '554 no',
        },
      }),
    );
    await client.reply();
    expect(await ask(client, 'EHLO a', 'MAIL FROM:<>', 'RCPT TO:<a@b>', 'NOOP', 'WHAT')).toEqual([
      '554 no',
      '451-4.3.0 not\n451 4.3.0 now',
      '550 5.1.1 no',
      '200',
      '502 5.5.1 no',
    ]);
    client.write('RSET\r\n');
    expect(await client.ask('WHAT')).toBe('502 5.5.1 no');
  });

  test('nth() counts for each connection, and its last turn stays', async () => {
    const server = await bench.play(
      good({ answers: { NOOP: nth('250 one', send('250 two'), '250 three') } }),
    );
    for (const client of [await bench.call(server), await bench.call(server)]) {
      await client.reply();
      expect(await ask(client, 'NOOP', 'NOOP', 'NOOP', 'NOOP')).toEqual([
        '250 one',
        '250 two',
        '250 three',
        '250 three',
      ]);
    }
  });

  test('match() looks at the command line, and leaves others to the usual answer or to its own', async () => {
    const { client } = await bench.meet(
      good({
        answers: {
          RCPT: match([
            [/<no@/i, '550 5.1.1 no'],
            [/<later@/i, nth('450 4.2.0 later', '250 2.1.5 now')],
          ]),
          MAIL: match([[/SIZE=/, '552 5.3.4 large']], '250 2.1.0 mine'),
        },
      }),
    );
    await client.reply();
    expect(
      await ask(
        client,
        'MAIL FROM:<> SIZE=5',
        'MAIL FROM:<>',
        'RCPT TO:<no@b>',
        'RCPT TO:<later@b>',
        'RCPT TO:<later@b>',
        'RCPT TO:<a@b>',
      ),
    ).toEqual([
      '552 5.3.4 large',
      '250 2.1.0 mine',
      '550 5.1.1 no',
      '450 4.2.0 later',
      '250 2.1.5 now',
      '250 2.1.5 ok',
    ]);
  });

  test('reads no content behind a DATA that was refused', async () => {
    const { client } = await bench.meet(good({ answers: { DATA: nth('554 5.0.0 no', '354 go') } }));
    await client.reply();
    expect(await ask(client, 'DATA', 'NOOP', 'DATA', 'NOOP\r\n.', 'NOOP')).toEqual([
      '554 5.0.0 no',
      '250 2.0.0 ok',
      '354 go',
      '250 2.0.0 queued',
      '250 2.0.0 ok',
    ]);
  });

  test('dot is what is said behind the content', async () => {
    const { client } = await bench.meet(good({ answers: { dot: nth('451 4.3.0 no', '250 ok') } }));
    await client.reply();
    expect(await ask(client, 'DATA', '.', 'DATA', '.')).toEqual([
      '354 go ahead',
      '451 4.3.0 no',
      '354 go ahead',
      '250 ok',
    ]);
  });

  test('refuses every chunk behind one that was refused, until the next transaction', async () => {
    const { client } = await bench.meet(
      good({ answers: { BDAT: nth('250 one', '451 4.3.0 no', '250 2.0.0 yes') } }),
    );
    await client.reply();
    expect(
      await ask(client, 'MAIL FROM:<>', 'BDAT 4\r\nHi', 'BDAT 4\r\nHi').then((all) => all.slice(1)),
    ).toEqual(['250 one', '451 4.3.0 no']);
    const usual = await bench.meet(good({ answers: { BDAT: nth('451 4.3.0 no', match([])) } }));
    await usual.client.reply();
    expect(
      await ask(
        usual.client,
        'MAIL FROM:<>',
        'BDAT 4\r\nHi',
        'BDAT 4 LAST\r\nHi',
        'MAIL FROM:<>',
        'BDAT 4 LAST\r\nHi',
      ),
    ).toEqual([
      '250 2.1.0 ok',
      '451 4.3.0 no',
      '503 5.5.1 a chunk was refused',
      '250 2.1.0 ok',
      '250 2.0.0 taken',
    ]);
  });

  test.each([
    ['DATA', ['354 go ahead']],
    ['BDAT', []],
  ])('says under LMTP one reply for each recipient that was accepted, by %s', async (by, [go]) => {
    const { client } = await bench.meet(
      good({
        answers: { RCPT: match([[/<no@/, '550 no']]) },
        finals: ['250 one', '451 two'],
      }),
    );
    await client.reply();
    await ask(client, 'LHLO a', 'MAIL FROM:<>');
    for (const to of ['a@b', 'no@b', 'c@d', 'e@f']) await client.ask(`RCPT TO:<${to}>`);
    if (go) expect(await client.ask('DATA')).toBe(go);
    client.write(by === 'DATA' ? 'Hi\r\n.\r\n' : 'BDAT 4 LAST\r\nHi\r\n');
    expect(await client.lines(3)).toBe('250 one\n451 two\n451 two');
    expect(await client.ask('NOOP')).toBe('250 2.0.0 ok');
  });

  test('says under LMTP that all is delivered, where it is told nothing else', async () => {
    const { client } = await bench.meet(good());
    await client.reply();
    await ask(client, 'LHLO a', 'MAIL FROM:<>', 'RCPT TO:<a@b>', 'RCPT TO:<c@d>', 'DATA');
    client.write('.\r\n');
    expect(await client.lines(2)).toBe('250 2.0.0 delivered\n250 2.0.0 delivered');
  });

  test('held: replies go out in one segment, when there is nothing left to read', async () => {
    const { server, client } = await bench.meet(good({ held: [] }), { delivery: 'byte' });
    await client.reply();
    client.write('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n');
    expect(await client.lines(3)).toBe('250 2.1.0 ok\n250 2.1.5 ok\n354 go ahead');
    expect(saidBy('server', server).at(-1)).toBe(
      '250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n',
    );
    client.write('.\r\nQUIT\r\n');
    expect(await client.lines(2)).toBe('250 2.0.0 queued\n221 2.0.0 bye');
    expect(saidBy('server', server).at(-1)).toBe('250 2.0.0 queued\r\n221 2.0.0 bye\r\n');
    await client.leaves();
  });

  test('held: or in several, parted where it is told', async () => {
    const { server, client } = await bench.meet(good({ held: [2, 15, 400] }));
    await client.reply();
    client.write('MAIL FROM:<>\r\nRCPT TO:<a@b>\r\n');
    await client.lines(2);
    expect(saidBy('server', server).slice(1)).toEqual(['25', '0 2.1.0 ok\r\n2', '50 2.1.5 ok\r\n']);
  });

  test('a QUIT that is not answered keeps the connection', async () => {
    const { server, client } = await bench.meet(good({ answers: { QUIT: silence() } }));
    await client.reply();
    client.write('QUIT\r\n');
    await sleep(50);
    expect([client.ended, server.open]).toEqual([false, 1]);
    client.end();
    await until(() => server.open === 0, 'it to have left');
  });

  test('an answer may end the connection', async () => {
    const { server, client } = await bench.meet(
      good({ answers: { MAIL: [send('421 bye'), close()] } }),
    );
    await client.reply();
    expect(await client.ask('MAIL FROM:<>')).toBe('421 bye');
    await client.leaves();
    expect([server.errors, server.findings]).toEqual([[], []]);
  });
});

describe('the server', () => {
  test('has a script for each connection, of which the last stays', async () => {
    const server = await bench.play(scripts([send('one'), drain()], [send('two'), drain()]));
    const said: string[] = [];
    for (let time = 0; time < 3; time += 1) said.push(await (await bench.call(server)).lines());
    expect(said).toEqual(['one', 'two', 'two']);
    expect(server.logs.map(({ events }) => events.length)).toEqual([1, 1, 1]);
    expect(server.open).toBe(3);
  });

  test('plays many connections at once', async () => {
    const server = await bench.play(good());
    const clients = await Promise.all(Array.from({ length: 30 }, () => bench.call(server)));
    const replies = await Promise.all(
      clients.map(async (client, at) => {
        await client.reply();
        return client.ask(`MAIL FROM:<${at}@example.com>`);
      }),
    );
    expect(new Set(replies)).toEqual(new Set(['250 2.1.0 ok']));
    expect(saidBy('client', server, 7)).toEqual(['MAIL FROM:<7@example.com>\r\n']);
  });

  test('a script that has come to its end leaves the connection open, and reads on', async () => {
    const { server, client } = await bench.meet([send('220 hello')]);
    await client.lines();
    client.write('EHLO a\r\n');
    await until(() => saidBy('client', server).length > 0, 'it to be read');
    expect(server.open).toBe(1);
  });

  test.each<[string, Step[]]>([
    ['a turn that there is not', [nth()]],
    ['a pattern that is none', [line('EHLO' as unknown as RegExp)]],
    ['a certificate that there is not', [starttls()]],
  ])(
    'what a script throws is an error of the harness, and ends the connection: %s',
    async (_what, steps) => {
      const tls = (): never => {
        throw new TypeError('there is no such certificate');
      };
      const { server, client } = await bench.meet(steps, { tls });
      client.write('EHLO a\r\n');
      await client.leaves();
      await until(() => server.errors.length > 0, 'the error');
      expect(server.errors).toEqual([expect.any(TypeError)]);
      expect(server.findings).toEqual([]);
    },
  );

  test('close() frees every connection, whatever its script is at', async () => {
    const waiting: Step[][] = [
      [line(/^A/)],
      [delay(60_000)],
      [expectNothing(60_000)],
      [expectClose(60_000)],
      [ifSilent(60_000, 'x')],
      [slowly('x'.repeat(600), 1_000)],
      [flood('x'.repeat(65_536), 100_000)],
      [pauseReading(), delay(60_000)],
      [starttls()],
      [starttls('stall'), drain()],
      [expectData()],
      [expectBdat()],
      [readOctets(9)],
      [drain()],
      [converse()],
      [close('half'), drain()],
      [line(/^B/), auth()],
      [],
    ];
    const server = await bench.play(scripts(...waiting));
    const clients: PlainClient[] = [];
    // One after the other, for each has to get its own script.
    for (const _ of waiting) {
      const client = await bench.call(server);
      client.pause();
      clients.push(client);
      await until(() => server.logs.length === clients.length, 'the connection');
    }
    clients.at(-2)?.write('B AUTH LOGIN\r\n');
    await sleep(30);
    expect(await taking(() => server.close())).toBeLessThan(2_000);
    expect(server.open).toBe(0);
    await expect(
      PlainClient.open(server.port).then((late) => until(() => late.closed, 'refusal')),
    ).resolves.toBeUndefined();
    expect([server.errors, server.findings]).toEqual([[], []]);
    expect(
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    ).toBeLessThan(5);
  });

  test('a client that connects and says nothing holds nothing up', async () => {
    const server = await bench.play(good());
    const silent = await bench.call(server);
    const client = await bench.call(server);
    await client.reply();
    expect(await client.ask('QUIT')).toBe('221 2.0.0 bye');
    expect(await taking(() => server.close())).toBeLessThan(2_000);
    await silent.leaves();
  });

  test('a port on which nobody listens refuses', async () => {
    const server = await bench.play({ engine: 'none' });
    const client = await bench.call(server);
    await until(() => client.closed, 'it to be refused');
    expect(client.error?.code).toBe('ECONNREFUSED');
    expect([server.logs, server.open]).toEqual([[], 0]);
  });
});
