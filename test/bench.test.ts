/** The parts of `npm run bench` that its figures rest on, and what the command refuses. Nothing here needs built packages. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { open as openRaw } from '../bench/clients/raw.mjs';
import { compare, sentence } from '../bench/compare.mjs';
import { inBareProcess, inFreshProcess } from '../bench/fresh.mjs';
import { startProxy } from '../bench/proxy.mjs';
import { startService } from '../bench/service.mjs';
import { type Sink, startSink } from '../bench/sink.mjs';
import { median, pairedRatio } from '../bench/statistics.mjs';
import { figure, markdownTable, terminalTable } from '../bench/table.mjs';
import { createCertificateAuthority } from '../packages/conformance/src/sandbox/certificates.ts';
import { root, type TemporaryTree, temporaryTree } from './temporary-tree.ts';

/** Run in the order in which they were made, last first. */
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A client that says what it is told, and collects what it hears. */
class Talker {
  readonly socket: Socket;
  heard = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.heard += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    endings.push(() => socket.destroy());
  }

  static at(port: number): Talker {
    return new Talker(connect({ host: '127.0.0.1', port, noDelay: true }));
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      if (this.socket.destroyed) throw new Error(`closed before ${text}, after ${this.heard}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    this.heard = this.heard.slice(this.heard.indexOf(text) + text.length);
  }

  async asks(text: string, reply: string): Promise<void> {
    this.socket.write(text);
    await this.hears(reply);
  }
}

describe('median() and pairedRatio()', () => {
  it('are those of odd and even counts', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('pair the rounds: a slow round of both changes nothing', () => {
    expect(pairedRatio([20, 2, 22], [10, 1, 11])).toBe(2);
  });

  it('leave out a round that lacks one of them', () => {
    const values: number[] = [10, 30];
    values[3] = 50;
    expect(pairedRatio(values, [10, 10, 10, 10])).toBe(3);
  });
});

describe('the sink', () => {
  let sink: Sink;

  const start = async (options: Parameters<typeof startSink>[0] = {}): Promise<Talker> => {
    sink = await startSink(options);
    endings.push(() => sink.close());
    const talker = Talker.at(sink.port);
    await talker.hears('220 sink ESMTP\r\n');
    return talker;
  };

  const ENVELOPE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';

  it('offers what it is told to', async () => {
    const plain = await start();
    await plain.asks('EHLO x\r\n', '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n');
    const chunking = await start({ chunking: true, auth: true });
    await chunking.asks('ehlo x\r\n', '250-CHUNKING\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 0\r\n');
  });

  it.each([
    ['a line', 'hello\r\n'],
    ['nothing', ''],
    ['dots that are no end', '..\r\n.a\r\n\r\r\n.\n\r\n. \r\n'],
  ])('counts %s of DATA in every cut', async (_, content) => {
    const talker = await start();
    const exchange = Buffer.from(`${content}.\r\n${ENVELOPE}`);
    for (let cut = 1; cut < exchange.length; cut += 1) {
      sink.reset();
      await talker.asks(`${ENVELOPE}DATA\r\n`, '354 Go ahead\r\n');
      talker.socket.write(exchange.subarray(0, cut));
      await new Promise(setImmediate);
      talker.socket.write(exchange.subarray(cut));
      await talker.hears('queued\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n');
      expect(sink.counts()).toMatchObject({ messages: 1, octets: content.length });
    }
  });

  it('counts DATA that comes octet by octet', async () => {
    const talker = await start();
    await talker.asks(`${ENVELOPE}DATA\r\n`, '354 Go ahead\r\n');
    for (const octet of 'a\r\n.b\r\n.\r\n') {
      talker.socket.write(octet);
      await new Promise(setImmediate);
    }
    await talker.hears('queued\r\n');
    expect(sink.counts()).toMatchObject({ messages: 1, octets: 7 });
  });

  it('takes many messages by BDAT in one write, whatever their content looks like', async () => {
    const talker = await start({ chunking: true });
    const one = `${ENVELOPE}BDAT 7\r\nQUIT\r\n.BDAT 3 LAST\r\n.\r\n${ENVELOPE}BDAT 0 LAST\r\n`;
    talker.socket.write(one.repeat(50));
    for (let at = 0; at < 100; at += 1) await talker.hears('queued\r\n');
    expect(sink.counts()).toMatchObject({ messages: 100, octets: 500 });
  });

  it('takes AUTH PLAIN and LOGIN', async () => {
    const talker = await start({ auth: true });
    await talker.asks('AUTH PLAIN AGEAYg==\r\n', '235 2.7.0 Ok\r\n');
    await talker.asks('AUTH PLAIN\r\n', '334 \r\n');
    await talker.asks('AGEAYg==\r\n', '235 2.7.0 Ok\r\n');
    await talker.asks('AUTH LOGIN\r\n', '334 VXNlcm5hbWU6\r\n');
    await talker.asks('QUIT\r\n', '334 UGFzc3dvcmQ6\r\n');
    await talker.asks('DATA\r\n', '235 2.7.0 Ok\r\n');
    await talker.asks('QUIT\r\n', '221 2.0.0 Bye\r\n');
  });

  it('speaks TLS from the start and after STARTTLS', async () => {
    const authority = await createCertificateAuthority();
    const certificate = await authority.issue();
    const trusting = { ca: authority.ca, servername: 'localhost' };
    const before = await start({ tls: 'starttls', certificate, auth: true });
    await before.asks('EHLO x\r\n', '250-STARTTLS\r\n250 SIZE 0\r\n');
    await before.asks('STARTTLS\r\n', '220 2.0.0 Go ahead\r\n');
    before.socket.removeAllListeners('data');
    const upgraded = new Talker(tls.connect({ ...trusting, socket: before.socket }));
    await upgraded.asks('EHLO x\r\n', '250-AUTH PLAIN LOGIN\r\n250 SIZE 0\r\n');

    const implicit = await startSink({ tls: 'implicit', certificate });
    endings.push(() => implicit.close());
    const port = implicit.port;
    const secure = new Talker(tls.connect({ ...trusting, host: '127.0.0.1', port }));
    await secure.hears('220 sink ESMTP\r\n');
    await secure.asks('EHLO x\r\n', '250-8BITMIME\r\n250 SIZE 0\r\n');
  });

  it('reads no faster than its rate', async () => {
    const talker = await start({ chunking: true, rate: 5_000_000 });
    const begun = performance.now();
    talker.socket.write(`BDAT 1000000 LAST\r\n${'x'.repeat(1_000_000)}`);
    await talker.hears('queued\r\n');
    expect(performance.now() - begun).toBeGreaterThan(150);
  });

  it('is a service in a process of its own', async () => {
    const url = pathToFileURL(join(root, 'bench/sink.mjs'));
    const service = await startService(url, { chunking: true });
    endings.push(() => service.stop());
    const talker = Talker.at(service.port);
    await talker.asks('BDAT 2 LAST\r\nab', 'queued\r\n');
    expect(await service.ask('counts')).toEqual({ connections: 1, messages: 1, octets: 2 });
    await expect(service.ask('missing')).rejects.toThrow('is not a function');
    service.stop();
    await expect(service.ask('counts')).rejects.toThrow('sink.mjs');
  });
});

describe('the proxy', () => {
  /** A server that is told what to do with each connection. */
  const behind = async (onConnection: (socket: Socket) => void, latency?: number) => {
    const server: Server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {});
      endings.push(() => socket.destroy());
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    endings.push(() => server.close());
    const { port: target } = server.address() as { port: number };
    const proxy = await startProxy({ target, ...(latency !== undefined && { latency }) });
    endings.push(() => proxy.close());
    return { proxy, talker: Talker.at(proxy.port) };
  };

  it.each([0, 15])(
    'with a latency of %d ms each way it adds that and keeps the order',
    async (latency) => {
      const { talker } = await behind((socket) => socket.pipe(socket), latency);
      await talker.asks('ready?', 'ready?');
      const begun = performance.now();
      let sent = '';
      for (let at = 0; at < 200; at += 1) {
        sent += `${at} `;
        talker.socket.write(`${at} `);
        if (at % 20 === 0) await new Promise((resolve) => setTimeout(resolve, at % 3));
        if (at === 0) await talker.hears('0 ');
        if (at === 0) expect(performance.now() - begun).toBeGreaterThanOrEqual(2 * latency - 1);
      }
      await talker.hears(sent.slice(2));
    },
  );

  it('does not limit bandwidth by latency', async () => {
    const { talker } = await behind((socket) => socket.pipe(socket), 20);
    let got = 0;
    talker.socket.removeAllListeners('data');
    const all = new Promise<void>((resolve) => {
      talker.socket.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got === 20_000_000) resolve();
      });
    });
    talker.socket.write(Buffer.alloc(20_000_000));
    await all;
    expect(got).toBe(20_000_000);
  });

  it('counts a wait for each round that is answered, and none for a greeting', async () => {
    // Answers a line when it is there; `both` at once with two writes that arrive apart.
    const { proxy, talker } = await behind((socket) => {
      socket.write('greeting\n');
      socket.on('data', (chunk) => {
        socket.write(`got ${chunk}\n`);
        if (chunk.includes('both')) setTimeout(() => socket.write('and more\n'), 8);
      });
    }, 30);
    await talker.hears('greeting\n');
    expect(proxy.waits()).toBe(0);
    await talker.asks('one', 'got one\n');
    expect(proxy.waits()).toBe(1);
    await talker.asks('both', 'and more\n');
    expect(proxy.waits()).toBe(2);
    // Written apart before anything is answered: one round.
    talker.socket.write('three');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await talker.asks('four', 'got four\n');
    expect(proxy.waits()).toBe(3);
    const other = Talker.at(proxy.port);
    await other.hears('greeting\n');
    await other.asks('five', 'got five\n');
    expect(proxy.perConnection()).toEqual([3, 1]);
    expect(proxy.waits()).toBe(4);
  });

  it('passes the end of the stream on, behind what was written before', async () => {
    const { talker } = await behind((socket) => {
      socket.on('data', () => socket.end('last words\n'));
    }, 10);
    const closed = once(talker.socket, 'close');
    await talker.asks('go', 'last words\n');
    await closed;
  });

  it.each([
    ['BDAT, 4 in flight', true, 4, 20, 5],
    ['DATA, overlapped', false, 1, 6, 7],
  ])('sees the limit wait: %s', async (_, chunking, window, count, waits) => {
    const sink = await startSink({ chunking });
    endings.push(() => sink.close());
    const proxy = await startProxy({ target: sink.port, latency: 8 });
    endings.push(() => proxy.close());
    const client = await openRaw({ host: '127.0.0.1', port: proxy.port, chunking, window });
    endings.push(() => client.close());
    expect(proxy.waits()).toBe(1);
    const content = Buffer.from('hello\r\n');
    const message = { from: 'a@b.example', to: ['c@d.example', 'e@d.example'], content };
    await client.batches(message, 'queued')(count);
    expect(proxy.waits()).toBe(1 + waits);
    expect(sink.counts()).toMatchObject({ messages: count, octets: 7 * count });
  });
});

describe('compare()', () => {
  const table = (run: (name: string) => Promise<Record<string, number>>) => ({
    title: 'A table',
    base: 'a',
    key: 'rate',
    columns: [{ key: 'rate', title: 'messages/s' }],
    variants: ['a', 'b'].map((name) => ({
      name,
      run: () => run(name),
      gates: ({ waits = 0 }) => [{ what: 'waits', value: waits, most: 1 }],
    })),
  });
  const context = () => ({ close: async () => {} });

  it('interleaves the variants, and pairs their rounds', async () => {
    const order: string[] = [];
    const rates: Record<string, number[]> = { a: [10, 1, 12], b: [30, 3, 30] };
    const result = await compare(
      table(async (name) => {
        order.push(name);
        return { rate: rates[name]?.shift() ?? 0, waits: 1 };
      }),
      { rounds: 3, context },
    );
    expect(order.join('')).toBe('ababab');
    expect(result.rows.map(({ medians, ratio }) => [medians['rate'], ratio])).toEqual([
      [10, 1],
      [30, 3],
    ]);
    expect(result.gates.filter(({ holds }) => holds)).toHaveLength(2);
    expect(terminalTable(result)).toBe(`A table
     messages/s  ratio
  a          10     1×
  b          30     3×`);
    expect(markdownTable(result)).toBe(`### A table

|  | messages/s | ratio |
|---|---:|---:|
| a | 10 | 1× |
| b | 30 | 3× |`);
  });

  it('says which variant failed, does not try it again, and closes what was shared', async () => {
    let [tried, closed] = [0, 0];
    const result = await compare(
      table(async (name) => {
        if (name === 'a') return { rate: 10 };
        tried += 1;
        throw new Error('killed: it did not end within 1 s');
      }),
      {
        rounds: 3,
        context: () => ({
          close: async () => {
            closed += 1;
          },
        }),
      },
    );
    expect([tried, closed]).toEqual([1, 1]);
    expect(result.rows[1]).toMatchObject({ ratio: undefined, samples: [] });
    expect(terminalTable(result)).toContain('error: killed: it did not end within 1 s');
  });

  it('judges what is counted', async () => {
    const { gates } = await compare(
      table(async (name) => ({ rate: 1, waits: name === 'a' ? 1 : 1.5 })),
      { rounds: 1, context },
    );
    expect(gates.map(({ holds }) => holds)).toEqual([true, false]);
    expect(gates.map(sentence)[1]).toBe(
      'A table, b, round 1: waits: 1.5, where 1 at most were to be.',
    );
  });

  it('judges the lowest of what has a bound, and each round of what has to be exact', async () => {
    const waits = [2, 1, 2];
    const gates = ({ waits: value = 0 }) => [
      { what: 'waits', value, most: 1 },
      { what: 'messages', value, exactly: 2 },
    ];
    const [variant] = table(async () => ({ rate: 1, waits: waits.shift() ?? 0 })).variants;
    const one = { ...table(async () => ({})), variants: [{ ...variant, gates }] };
    const result = await compare(one as Parameters<typeof compare>[0], { rounds: 3, context });
    expect(result.gates.map(({ what, round, holds }) => [what, round, holds])).toEqual([
      ['messages', 0, true],
      ['messages', 1, false],
      ['messages', 2, true],
      ['waits', 1, true],
    ]);
  });

  it('counts what is off its bound once more', async () => {
    const [variant] = table(async () => ({ rate: 1, waits: 3 })).variants;
    const with3 = (again: number) => ({
      ...table(async () => ({})),
      variants: [{ ...variant, recount: async () => ({ rate: 1, waits: again }) }],
    });
    const judge = async (again: number) => {
      const one = with3(again) as Parameters<typeof compare>[0];
      const { gates, rows } = await compare(one, { rounds: 2, context });
      expect(rows[0]?.samples).toHaveLength(2);
      return gates.map((gate) => (gate.holds ? gate.value : sentence(gate)));
    };
    expect(await judge(1)).toEqual([1]);
    expect(await judge(2)).toEqual([
      'A table, a, counted again: waits: 2, where 1 at most were to be.',
    ]);
  });

  it('keeps to the bounds of a table, but for a quick run', async () => {
    const bounded = { ...table(async () => ({ rate: 1 })), minRounds: 4 };
    expect((await compare(bounded, { rounds: 2, context })).rounds).toBe(4);
    expect((await compare(bounded, { rounds: 1, quick: true, context })).rounds).toBe(1);
  });
});

it('figure() has three digits, or all that stand before the point', () => {
  expect([0.00390625, 1, 2.34567, 65.25, 1234567.8, undefined].map(figure)).toEqual([
    '0.00391',
    '1',
    '2.35',
    '65.3',
    '1,234,568',
    '',
  ]);
});

describe('a fresh process', () => {
  let tree: TemporaryTree;
  beforeEach(() => {
    tree = temporaryTree();
  });
  afterEach(() => tree.remove());

  const program = (text: string): URL => pathToFileURL(tree.write('program.mjs', text));

  it('gives its sample back', async () => {
    const url = program('console.log(JSON.stringify({ args: process.argv.slice(2) }))');
    expect(await inBareProcess(url, ['a'])).toEqual({ args: ['a'] });
  });

  it('is killed when it hangs', async () => {
    const url = program('setInterval(() => {}, 1_000)');
    await expect(inBareProcess(url, [], { bound: 300 })).rejects.toThrow(
      'killed: it did not end within 0.3 s',
    );
  });

  it('says why it failed', async () => {
    const url = program("throw new Error('no luck')");
    await expect(inBareProcess(url, [])).rejects.toThrow(/ended with 1\. [\s\S]*no luck/);
    const job = { module: 'mime', name: 'memory', options: { library: 'none' } };
    await expect(inFreshProcess(job)).rejects.toThrow(/is not a function/);
  });
});

describe('npm run bench', () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'bench/run.mjs'), ...args], {
      encoding: 'utf8',
      timeout: 15_000,
    });

  it.each([
    [['sent'], 'Unknown: sent. Choose of send, mime, size, start, memory.'],
    [['--rounds', '0'], "--rounds wants a whole number from 1 on, and not '0'."],
    [['--fast'], "Unknown option '--fast'"],
    [['send', '--only', 'no such text'], "Nothing has 'no such text' in its title."],
    [['size', '--json', '/no/such/folder/file.json'], '--json: ENOENT'],
  ])('refuses %j with exit code 2', (args, text) => {
    const { status, stdout, stderr } = bench(...args);
    expect(stderr).toContain(text);
    expect(stderr).not.toContain('    at ');
    expect([status, stdout]).toEqual([2, '']);
  });

  it('names the tables that there are', () => {
    expect(bench('mime', '--only', '?').stderr).toContain('\n  Compose: minimal text\n');
  });
});
