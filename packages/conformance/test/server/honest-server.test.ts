/** The smtp-server package as a play has it: each switch of its plan, and the record that its tap keeps. */
import { createTransport } from 'nodemailer';
import { describe, expect, test, vi } from 'vitest';
import { Dialogue } from '../../src/judge/dialogue.ts';
import { CREDENTIALS } from '../../src/server/credentials.ts';
import { type HonestPlan, honest } from '../../src/server/plan.ts';
import type { PlayServer } from '../../src/server/start-server.ts';
import type { Delivery } from '../../src/server/wire-log.ts';
import { marks, saidBy, useBench } from './bench.ts';
import { type PlainClient, until } from './plain-client.ts';

const { user, pass, token } = CREDENTIALS;
const DELIVERIES: readonly Delivery[] = ['whole', 'line', 'byte'];

// smtp-server greets each connection 100 ms late, so they run at once.
vi.setConfig({ maxConcurrency: 12 });
const bench = useBench('file');

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const LOGIN = `AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`;

/** A client behind the greeting. */
async function greeted(
  plan: Omit<HonestPlan, 'engine'>,
  delivery: Delivery = 'whole',
): Promise<{ readonly server: PlayServer; readonly client: PlainClient }> {
  const met = await bench.meet(honest(plan), { delivery });
  expect(await met.client.reply()).toMatch(/^220 mail\.example\.com/);
  return met;
}
/** The keywords that are offered. */
const offers = async (plan: Omit<HonestPlan, 'engine'>): Promise<string[]> => {
  const { client } = await greeted(plan);
  const reply = await client.ask(`${plan.lmtp ? 'LHLO' : 'EHLO'} client.example`);
  return reply
    .split('\n')
    .slice(1)
    .map((line) => line.slice(4))
    .sort();
};
const ask = async (client: PlainClient, ...lines: readonly string[]): Promise<string[]> => {
  const replies: string[] = [];
  for (const line of lines) replies.push(await client.ask(line));
  return replies;
};
const codes = (replies: readonly string[]): number[] =>
  replies.map((reply) => Number(reply.slice(0, 3)));

describe('what is offered', () => {
  test.concurrent.each<[string, Omit<HonestPlan, 'engine'>, string[]]>([
    ['nothing said', {}, ['8BITMIME', 'PIPELINING', 'SMTPUTF8']],
    ['no extensions', { extensions: [] }, ['8BITMIME']],
    ['no 8BITMIME', { extensions: [], no8BitMime: true }, []],
    ['DSN', { extensions: ['DSN'] }, ['8BITMIME', 'DSN']],
    ['SMTPUTF8', { extensions: ['SMTPUTF8'] }, ['8BITMIME', 'SMTPUTF8']],
    [
      'ENHANCEDSTATUSCODES',
      { extensions: ['ENHANCEDSTATUSCODES'] },
      ['8BITMIME', 'ENHANCEDSTATUSCODES'],
    ],
    ['SIZE with a number', { extensions: [], size: 1_000 }, ['8BITMIME', 'SIZE 1000']],
    ['SIZE without', { extensions: [], size: 'bare' }, ['8BITMIME', 'SIZE']],
    [
      'AUTH',
      { extensions: [], auth: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'] },
      ['8BITMIME', 'AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2'],
    ],
    ['STARTTLS', { extensions: [], tls: 'starttls' }, ['8BITMIME', 'STARTTLS']],
    ['LMTP', { extensions: [], lmtp: true }, ['8BITMIME']],
  ])('with %s', async (_what, plan, keywords) => {
    expect(await offers(plan)).toEqual(keywords);
  });

  test.concurrent('REQUIRETLS under TLS alone', async () => {
    const { client } = await greeted({ extensions: ['REQUIRETLS'], tls: 'starttls' });
    expect(await client.ask('EHLO a')).not.toContain('REQUIRETLS');
    expect(await client.ask('STARTTLS')).toMatch(/^220/);
    await client.startTls({ ca: bench.ca });
    expect(await client.ask('EHLO a')).toContain('REQUIRETLS');
  });

  test.concurrent('without AUTH and STARTTLS there are no such commands', async () => {
    const { client } = await greeted({});
    await client.ask('EHLO a');
    expect(codes(await ask(client, 'STARTTLS', LOGIN))).toEqual([500, 500]);
  });

  test.concurrent('under LMTP there is LHLO in place of EHLO', async () => {
    const { client } = await greeted({ lmtp: true });
    expect(codes(await ask(client, 'EHLO a', 'LHLO a'))).toEqual([500, 250]);
  });

  test.concurrent('a size is a limit: 552 to MAIL', async () => {
    const { client } = await greeted({ size: 1_000 });
    await client.ask('EHLO a');
    expect(
      codes(await ask(client, 'MAIL FROM:<a@b> SIZE=1001', 'MAIL FROM:<a@b> SIZE=1000')),
    ).toEqual([552, 250]);
  });

  test.concurrent('without a number there is none', async () => {
    const { client } = await greeted({ size: 'bare' });
    await client.ask('EHLO a');
    expect(await client.ask('MAIL FROM:<a@b> SIZE=900000')).toMatch(/^250/);
  });

  test.concurrent('enhanced codes stand in front of the texts, where they are offered', async () => {
    const answers = { rcpt: ['550 nobody'] };
    const plain = await greeted({ answers });
    await ask(plain.client, 'EHLO a', 'MAIL FROM:<a@b>');
    expect(await plain.client.ask('RCPT TO:<a@b>')).toBe('550 nobody');
    const enhanced = await greeted({ answers, extensions: ['ENHANCEDSTATUSCODES'] });
    await ask(enhanced.client, 'EHLO a', 'MAIL FROM:<a@b>');
    expect(await enhanced.client.ask('RCPT TO:<a@b>')).toBe('550 5.1.1 nobody');
  });
});

describe('TLS', () => {
  test.concurrent.each(DELIVERIES)('STARTTLS, delivery %s', async (delivery) => {
    const { server, client } = await greeted({ tls: 'starttls' }, delivery);
    await client.ask('EHLO a');
    expect(await client.ask('STARTTLS')).toMatch(/^220/);
    await client.startTls({ ca: bench.ca });
    expect(client.tls.authorized).toBe(true);
    expect(codes(await ask(client, 'EHLO b', 'QUIT'))).toEqual([250, 221]);
    await client.leaves();
    expect(marks(server).slice(0, 2)).toMatchObject([
      { who: 'handshake' },
      { who: 'tls', servername: 'localhost', protocol: 'TLSv1.3' },
    ]);
    const { plain, secured, offences, verbs } = new Dialogue(server.logs[0]?.events ?? []);
    expect([plain, secured]).toEqual(['EHLO a\r\nSTARTTLS\r\n', 'EHLO b\r\nQUIT\r\n']);
    expect([offences, verbs]).toEqual([[], ['EHLO', 'STARTTLS', 'EHLO', 'QUIT']]);
    client.end();
    await until(() => server.open === 0, 'it to have left');
    expect(marks(server).slice(2)).toContainEqual(expect.objectContaining({ who: 'end' }));
  });

  test.concurrent.each(DELIVERIES)('from the first octet, delivery %s', async (delivery) => {
    const { server, client } = await bench.meet(honest({ tls: 'implicit' }), { delivery });
    await client.startTls({ ca: bench.ca });
    expect(await client.reply()).toMatch(/^220/);
    expect(codes(await ask(client, 'EHLO b', 'QUIT'))).toEqual([250, 221]);
    await client.leaves();
    const events = server.logs[0]?.events ?? [];
    expect(events.slice(0, 2)).toMatchObject([{ who: 'handshake' }, { who: 'tls' }]);
    const { plain, secured, offences } = new Dialogue(events);
    expect([plain, secured, offences]).toEqual(['', 'EHLO b\r\nQUIT\r\n', []]);
  });

  test.concurrent.each([
    ['wrong-host', /ALTNAME_INVALID/],
    ['expired', /CERT_HAS_EXPIRED/],
    ['self-signed', /SELF_SIGNED/],
    ['unknown-ca', /UNABLE_TO|SIGNATURE/],
    ['old-tls', /PROTOCOL|VERSION|ECONNRESET/],
  ] as const)('a certificate that is bad in one way: %s', async (situation, code) => {
    for (const tls of ['starttls', 'implicit'] as const) {
      const { server, client } = await bench.meet(honest({ tls, situation }));
      if (tls === 'starttls') {
        await client.reply();
        await ask(client, 'EHLO a', 'STARTTLS');
      }
      const refused = await client.startTls({ ca: bench.ca }).catch((error) => error);
      expect(refused.code).toMatch(code);
      await until(() => server.open === 0, 'it to have left');
      expect(saidBy('client', server).join('')).toBe(
        tls === 'starttls' ? 'EHLO a\r\nSTARTTLS\r\n' : '',
      );
    }
  });

  test.concurrent("'no-san' and 'asks-certificate' come to a session", async () => {
    for (const situation of ['no-san', 'asks-certificate'] as const) {
      const { client } = await bench.meet(honest({ tls: 'implicit', situation }));
      await client.startTls({ ca: bench.ca, checkServerIdentity: () => undefined });
      expect(await client.reply()).toMatch(/^220/);
    }
  });
});

describe('AUTH', () => {
  const MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'] as const;
  const oauth = (name: string, secret: string): string =>
    `AUTH XOAUTH2 ${base64(`user=${name}\x01auth=Bearer ${secret}\x01\x01`)}`;

  test.concurrent('welcomes who knows the password or has the token, and nobody else', async () => {
    for (const [command, code] of [
      [LOGIN, 235],
      [`AUTH PLAIN ${base64(`\0${user}\0wrong`)}`, 535],
      [`AUTH PLAIN ${base64(`\0nobody\0${pass}`)}`, 535],
      [oauth(user, token), 235],
    ] as const) {
      const { client } = await greeted({ auth: MECHANISMS });
      await client.ask('EHLO a');
      expect(codes([await client.ask(command)])).toEqual([code]);
    }
  });

  test.concurrent('XOAUTH2 has an error challenge for another token', async () => {
    const { client } = await greeted({ auth: ['XOAUTH2'] });
    await client.ask('EHLO a');
    const challenge = await client.ask(oauth(user, 'wrong'));
    expect(JSON.parse(Buffer.from(challenge.slice(4), 'base64').toString())).toMatchObject({
      status: '401',
    });
    expect(codes([await client.ask('')])).toEqual([535]);
  });

  test.concurrent('authOptional: MAIL needs a login or not', async () => {
    for (const [authOptional, code] of [
      [undefined, 250],
      [true, 250],
      [false, 530],
    ] as const) {
      const { client } = await greeted({
        auth: ['PLAIN'],
        ...(authOptional === undefined ? {} : { authOptional }),
      });
      await client.ask('EHLO a');
      expect(codes([await client.ask('MAIL FROM:<a@b>')])).toEqual([code]);
      expect(codes(await ask(client, ...(code === 530 ? [LOGIN, 'MAIL FROM:<a@b>'] : [])))).toEqual(
        code === 530 ? [235, 250] : [],
      );
    }
  });
});

describe('answers', () => {
  test.concurrent('greeting', async () => {
    const { client } = await bench.meet(honest({ answers: { greeting: '421 too busy' } }));
    expect(await client.reply()).toMatch(/^421 .*too busy/);
    await client.leaves();
  });

  test.concurrent('auth, each time another; an empty one is its own, the last stays', async () => {
    const { client } = await greeted({
      auth: ['PLAIN'],
      answers: { auth: ['454 not now', '', '554 never'] },
    });
    await client.ask('EHLO a');
    expect(await ask(client, LOGIN, LOGIN)).toEqual([
      '454 not now',
      expect.stringMatching(/^235 /),
    ]);
    const other = await greeted({ auth: ['PLAIN'], answers: { auth: ['554 never'] } });
    await other.client.ask('EHLO a');
    expect(await ask(other.client, LOGIN, LOGIN)).toEqual(['554 never', '554 never']);
  });

  test.concurrent('mail and rcpt', async () => {
    const { client } = await greeted({
      answers: { mail: ['451 4.3.0 later', ''], rcpt: ['550 5.1.1 no', '', '452 4.5.3 many'] },
    });
    await client.ask('EHLO a');
    expect(
      await ask(
        client,
        'MAIL FROM:<a@b>',
        'MAIL FROM:<a@b>',
        'RCPT TO:<a@b>',
        'RCPT TO:<c@d>',
        'RCPT TO:<e@f>',
        'RCPT TO:<g@h>',
      ),
    ).toEqual([
      '451 4.3.0 later',
      expect.stringMatching(/^250 /),
      '550 5.1.1 no',
      expect.stringMatching(/^250 /),
      '452 4.5.3 many',
      '452 4.5.3 many',
    ]);
  });

  test.concurrent('dot, positive and negative', async () => {
    const { client } = await greeted({ answers: { dot: ['250 2.0.0 mine', '554 5.6.0 no', ''] } });
    await client.ask('EHLO a');
    const transaction = async (): Promise<string | undefined> =>
      (await ask(client, 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA', 'Hi\r\n.')).at(-1);
    expect([await transaction(), await transaction(), await transaction()]).toEqual([
      '250 2.0.0 mine',
      '554 5.6.0 no',
      expect.stringMatching(/^250 /),
    ]);
  });

  test.concurrent('dot for each recipient under LMTP', async () => {
    const { client } = await greeted({
      lmtp: true,
      answers: { dot: [['250 2.0.0 one', '452 4.2.2 two'], ['550 5.1.1 no']] },
    });
    const transaction = async (): Promise<string> => {
      await ask(
        client,
        'MAIL FROM:<a@b>',
        'RCPT TO:<c@d>',
        'RCPT TO:<e@f>',
        'RCPT TO:<g@h>',
        'DATA',
      );
      client.write('Hi\r\n.\r\n');
      return client.lines(3);
    };
    await client.ask('LHLO a');
    expect(await transaction()).toMatch(/^250 2\.0\.0 one\n452 4\.2\.2 two\n250 \S+$/);
    // What has no reply of its own is delivered.
    expect(await transaction()).toMatch(/^550 5\.1\.1 no\n250 \S+\n250 \S+$/);
  });

  test.concurrent('they count over all connections', async () => {
    const server = await bench.play(honest({ answers: { mail: ['451 once', ''] } }));
    for (const code of [451, 250]) {
      const client = await bench.call(server);
      await client.reply();
      expect(codes(await ask(client, 'EHLO a', 'MAIL FROM:<a@b>'))).toEqual([250, code]);
    }
  });
});

describe('delays', () => {
  test.concurrent('greetingDelay and dotDelay', async () => {
    const started = performance.now();
    const { server, client } = await greeted({ greetingDelay: 150, dotDelay: 120 });
    expect(performance.now() - started).toBeGreaterThan(145);
    await ask(client, 'EHLO a', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA', 'Hi\r\n.');
    const [dot, queued] = (server.logs[0]?.events ?? []).slice(-2);
    expect([dot?.who, queued?.who]).toEqual(['client', 'server']);
    expect((queued?.at ?? 0) - (dot?.at ?? 0)).toBeGreaterThan(115);
  });
});

describe('the record of a session with nodemailer', () => {
  const BODY = `.dot\r\n${'Grüße 😀 '.repeat(20)}\r\nend`;
  const RAW = `From: <a@example.com>\r\nTo: <b@example.org>\r\nSubject: Hi\r\n\r\n${BODY}\r\n`;
  interface Logged {
    readonly tnx?: string;
  }

  /** Sends a message, and gives what its client has heard by its own log. */
  const deliver = async (
    server: PlayServer,
    tls: 'off' | 'starttls' | 'implicit',
  ): Promise<string> => {
    let heard = '';
    const log = ({ tnx }: Logged, text = '', ...values: unknown[]): void => {
      if (tnx === 'server') heard += `${text.replace('%s', String(values[0] ?? ''))}\n`;
    };
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      secure: tls === 'implicit',
      ignoreTLS: tls === 'off',
      requireTLS: tls === 'starttls',
      tls: { ca: bench.ca, servername: 'localhost' },
      auth: { user, pass },
      name: 'client.example',
      debug: true,
      transactionLog: true,
      logger: {
        trace: log,
        debug: log,
        info: log,
        warn: log,
        error: log,
        fatal: log,
        level: () => {},
      },
    } as Parameters<typeof createTransport>[0]);
    await transport.sendMail({
      envelope: { from: 'a@example.com', to: ['b@example.org', 'c@example.net'] },
      raw: RAW,
    });
    transport.close();
    return heard;
  };

  test.concurrent.each(
    DELIVERIES.flatMap((delivery) =>
      (['off', 'starttls', 'implicit'] as const).map((tls) => ({ delivery, tls })),
    ),
  )('is all that was said and heard: $tls, $delivery', async ({ delivery, tls }) => {
    const server = await bench.play(honest({ tls, auth: ['PLAIN'], size: 100_000 }), { delivery });
    const heard = await deliver(server, tls);
    await until(() => server.open === 0, 'it to have left');
    expect(server.logs).toHaveLength(1);
    const events = server.logs[0]?.events ?? [];
    const dialogue = new Dialogue(events);
    expect(dialogue.offences).toEqual([]);
    expect(dialogue.verbs.join(' ').replace(/ QUIT$/, '')).toBe(
      `EHLO ${tls === 'starttls' ? 'STARTTLS EHLO ' : ''}AUTH MAIL RCPT RCPT DATA`,
    );
    for (const { verb, secure } of dialogue.commands.slice(tls === 'starttls' ? 2 : 0))
      expect([verb, secure]).toEqual([verb, tls !== 'off']);
    expect(dialogue.servername).toBe(tls === 'off' ? undefined : 'localhost');
    const [sent, ...more] = dialogue.transactions;
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ complete: true, by: ['DATA'] });
    expect(Buffer.from(sent?.text ?? '', 'latin1').toString('utf8')).toBe(RAW);
    expect(sent?.wire).toContain('\r\n..dot\r\n');
    // What the client has heard is what the record says that it was told, in its order.
    const replies = saidBy('server', server).join('');
    expect(replies.replaceAll('\r\n', '\n')).toContain(heard.split('\n')[0] as string);
    const told = replies.split('\r\n').filter(Boolean);
    const got = heard.split(/\r?\n/).filter((line) => /^\d{3}[ -]/.test(line));
    expect(got.length).toBeGreaterThan(6);
    expect(told.slice(0, got.length)).toEqual(got);
  });

  test.concurrent.each(DELIVERIES)('is cut as the delivery says: %s', async (delivery) => {
    const server = await bench.play(honest({ tls: 'starttls', auth: ['PLAIN'] }), { delivery });
    await deliver(server, 'starttls');
    const pieces = saidBy('server', server);
    // What is answered to STARTTLS comes whole: TLS takes over behind it.
    const cut = pieces.filter((piece) => piece !== '220 Ready to start TLS\r\n');
    expect(pieces.length - cut.length).toBe(1);
    if (delivery === 'whole') {
      expect(cut.every((piece) => piece.endsWith('\r\n'))).toBe(true);
      expect(cut.some((piece) => piece.split('\r\n').length > 3)).toBe(true);
    }
    if (delivery === 'line') expect(cut.filter((piece) => !/^[^\n]*\n$/.test(piece))).toEqual([]);
    if (delivery === 'byte') expect(cut.filter((piece) => piece.length !== 1)).toEqual([]);
  });

  test.concurrent.each(DELIVERIES)('replies to a group come in its order: %s', async (delivery) => {
    const { server, client } = await greeted(
      { answers: { rcpt: ['550 one', '551 two', ''] } },
      delivery,
    );
    await client.ask('EHLO a');
    client.write('MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n');
    const replies = await client.lines(5);
    expect(codes(replies.split('\n'))).toEqual([250, 550, 551, 250, 354]);
    client.write('Hi\r\n.\r\nQUIT\r\n');
    expect(codes((await client.lines(2)).split('\n'))).toEqual([250, 221]);
    await client.leaves();
    expect(saidBy('server', server).join('')).toBe(client.text);
  });
});

describe('connections', () => {
  test.concurrent('the record says who has left, and how', async () => {
    const server = await bench.play(honest());
    const [quits, ends, resets] = [
      await bench.call(server),
      await bench.call(server),
      await bench.call(server),
    ];
    for (const client of [quits, ends, resets]) await client.reply();
    await quits.ask('QUIT');
    await quits.leaves();
    quits.end();
    ends.end();
    resets.reset();
    await until(() => server.open === 0, 'all to have left');
    expect(marks(server, 0)[0]).toMatchObject({ who: 'end', by: 'server' });
    expect(marks(server, 1)[0]).toMatchObject({ who: 'end', by: 'client' });
    await until(() => marks(server, 2).length > 0, 'the reset');
    expect(marks(server, 2)[0]).toMatchObject({ who: 'end', by: 'client', reset: true });
  });

  test.concurrent('each has a record of its own, in their order', async () => {
    const server = await bench.play(honest());
    const clients = [await bench.call(server), await bench.call(server), await bench.call(server)];
    await Promise.all(
      clients.map(async (client, at) => {
        await client.reply();
        await client.ask(`EHLO client${at}.example`);
      }),
    );
    expect(clients.map((_, at) => saidBy('client', server, at))).toEqual([
      ['EHLO client0.example\r\n'],
      ['EHLO client1.example\r\n'],
      ['EHLO client2.example\r\n'],
    ]);
    expect(server.open).toBe(3);
  });

  test.concurrent.each(['off', 'starttls', 'implicit'] as const)(
    'close() frees those that say nothing, and those in the middle of a handshake or a message: %s',
    async (tls) => {
      const server = await bench.play(honest({ tls, greetingDelay: 30 }));
      const silent = await bench.call(server);
      const busy = await bench.call(server);
      if (tls === 'implicit') busy.write('\x16\x03\x01');
      else {
        await busy.reply();
        await ask(busy, 'EHLO a', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA');
        busy.write('Hi');
        const other = await bench.call(server);
        await other.reply();
        if (tls === 'starttls') {
          await ask(other, 'EHLO a', 'STARTTLS');
          other.write('\x16\x03\x01');
        }
      }
      const started = performance.now();
      await server.close();
      expect(performance.now() - started).toBeLessThan(3_000);
      await Promise.all([silent.leaves(), busy.leaves()]);
      expect([server.open, server.errors]).toEqual([0, []]);
    },
  );
});
