import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type SandboxOptions, startSandbox } from '../src/index.ts';
import { useBench } from './support.ts';

const { start, knock } = useBench();

/** What startSandbox() says of options; it is closed again where it takes them. */
async function refusal(options: unknown): Promise<string> {
  const error = await startSandbox(options as SandboxOptions).then(
    (sandbox) => sandbox.close(),
    (caught: unknown) => caught,
  );
  if (!(error instanceof TypeError)) throw new Error(`It was not refused: ${error}`);
  return error.message;
}

describe.concurrent('options that cannot be used', () => {
  const port = 'it has to be a whole number from 0 to 65535';
  const positive = 'it has to be a whole number from 1 to 9007199254740991';
  const loopback = 'it is not loopback; set unsafeBind to let others in';

  test.each([
    [null, 'Cannot use null as options'],
    [[], 'Cannot use [] as options'],
    ['devino', "Cannot use 'devino' as options"],
    [{ smtp: -1 }, `Cannot use -1 as smtp: ${port}`],
    [{ smtp: '25' }, `Cannot use '25' as smtp: ${port}`],
    [{ smtps: 65_536 }, `Cannot use 65536 as smtps: ${port}`],
    [{ smtps: 0.5 }, `Cannot use 0.5 as smtps: ${port}`],
    [
      { smtp: 2525, smtps: 2525 },
      'Cannot use 2525 as smtps: it is the port of the STARTTLS server',
    ],
    [{ bind: '0.0.0.0' }, `Cannot bind to '0.0.0.0': ${loopback}`],
    [{ bind: '::' }, `Cannot bind to '::': ${loopback}`],
    [{ bind: '' }, `Cannot bind to '': ${loopback}`],
    [{ bind: '127.evil.example' }, `Cannot bind to '127.evil.example': ${loopback}`],
    [{ bind: 'localhost.example' }, `Cannot bind to 'localhost.example': ${loopback}`],
    [{ bind: '0.0.0.0', unsafeBind: false }, `Cannot bind to '0.0.0.0': ${loopback}`],
    [{ bind: 127 }, 'Cannot use 127 as bind: it has to be an address'],
    [{ unsafeBind: 'no' }, "Cannot use 'no' as unsafeBind: it has to be true or false"],
    [{ profile: '2018' }, "Cannot use '2018' as profile: there are '2016', '2017-10', 'successor'"],
    [
      { profile: 'toString' },
      "Cannot use 'toString' as profile: there are '2016', '2017-10', 'successor'",
    ],
    [
      { confirmedSenders: 'a@b.org' },
      "Cannot use 'a@b.org' as confirmedSenders: it has to be a list of addresses",
    ],
    [
      { confirmedSenders: [1] },
      'Cannot use [ 1 ] as confirmedSenders: it has to be a list of addresses',
    ],
    [
      { allowedAddresses: ['localhost'] },
      "Cannot use [ 'localhost' ] as allowedAddresses: it has to be a list of IP addresses",
    ],
    [
      { invalidRecipient: 'a@b.org' },
      "Cannot use 'a@b.org' as invalidRecipient: it has to be a function of an address",
    ],
    [{ maxSize: 0 }, `Cannot use 0 as maxSize: ${positive}`],
    [{ maxSize: Number.NaN }, `Cannot use NaN as maxSize: ${positive}`],
    [{ retention: Infinity }, `Cannot use Infinity as retention: ${positive}`],
    [{ tags: 'strict' }, "Cannot use 'strict' as tags: there are 'off', 'warn', 'reject'"],
    [{ stages: null }, 'Cannot use null as stages: it has to be refusals with their stages'],
    [
      { stages: { spam: 'data' } },
      "Cannot use { spam: 'data' } as stages: there is no refusal 'spam'",
    ],
    [
      { stages: { 'attachment-type': 'rcpt' } },
      "Cannot use { 'attachment-type': 'rcpt' } as stages: 'attachment-type' can be given at 'data'",
    ],
    [
      { stages: { 'too-large': 'rcpt' } },
      "Cannot use { 'too-large': 'rcpt' } as stages: 'too-large' can be given at 'mail', 'data'",
    ],
    [
      { prefix: 'a\r\n250 b' },
      "Cannot use 'a\\r\\n250 b' as prefix: a reply here is one line of text",
    ],
    [{ prefix: 'a\u0085b' }, "Cannot use 'a\\x85b' as prefix: a reply here is one line of text"],
    [
      { acceptedText: 'x'.repeat(201) },
      `Cannot use '${'x'.repeat(201)}' as acceptedText: it has 200 characters at the most`,
    ],
    [{ prefix: 554 }, 'Cannot use 554 as prefix: a reply here is one line of text'],
    [{ enhancedStatusCodes: 1 }, 'Cannot use 1 as enhancedStatusCodes: it has to be true or false'],
    [{ announceSize: 2_000 }, 'Cannot use 2000 as announceSize: it has to be true or false'],
    [
      { faults: { at: 'mail' } },
      "Cannot use { at: 'mail' } as faults: it has to be a list of faults",
    ],
    [{ http: true }, `Cannot use true as http: ${port}`],
    [{ http: 2525, smtp: 2525 }, 'Cannot use 2525 as http: it is the port of an SMTP server'],
    [
      { publicUrl: 'ftp://example.com' },
      'Cannot use this as publicUrl: it has to be an http or https address, without a login in it',
    ],
    [
      { authMethods: ['GSSAPI'] },
      "Cannot use [ 'GSSAPI' ] as authMethods: it has to be a list of PLAIN, LOGIN, XOAUTH2, CRAM-MD5",
    ],
    [
      { hide: ['AUTH'] },
      "Cannot use [ 'AUTH' ] as hide: it has to be a list of PIPELINING, 8BITMIME, SMTPUTF8, STARTTLS",
    ],
    [
      { confirmedSenders: ['example.com'] },
      "Cannot use [ 'example.com' ] as confirmedSenders: it has to be a list of addresses",
    ],
    [{ seed: '' }, "Cannot use '' as seed: it has to be a text"],
    [{ seed: 'a', data: 'b' }, 'Cannot use seed with data: names would come twice'],
    [{ deliver: 'later' }, "Cannot use 'later' as deliver: there are 'auto', 'manual'"],
    [{ retentionOctets: 0 }, `Cannot use 0 as retentionOctets: ${positive}`],
    [
      { callback: { url: 'http://u:secret@localhost/' } },
      'Cannot use this as callback: it has to be an http or https address, without a login in it',
    ],
    [
      { callback: { url: 'http://localhost/', format: 'yaml' } },
      "Cannot use this as callback: there are 'json', 'xml'",
    ],
    [
      { callback: { url: 'http://localhost/', secret: 'x' } },
      "Cannot use this as callback: there is no 'secret' in it",
    ],
    [{ faults: [null] }, 'Cannot use [ null ] as faults: it has to be a list of faults'],
    [
      { faults: [{ at: 'rset', action: 'close' }] },
      "Cannot plan the fault { at: 'rset', action: 'close' }: at is 'connect', 'banner', 'ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'final-dot', 'after-accept', 'quit'",
    ],
    [
      { size: 2_000 },
      "There is no option 'size': there are smtp, smtps, http, publicUrl, bind, unsafeBind, profile, credentials, requireAuth, authMethods, confirmedSenders, allowedAddresses, invalidRecipient, maxSize, attachments, furtherRecipients, charset, filtered, tags, stages, prefix, enhancedStatusCodes, announceSize, hide, acceptedText, legacyTls, faults, magic, deliver, countRefused, callback, seed, data, retention, retentionOctets",
    ],
  ])('%o', async (options, message) => {
    expect(await refusal(options)).toBe(message);
  });

  test.each([{ '': 'secret' }, { user: '' }, { user: 0, secret: 'secret' }, ['secret'], 'secret'])(
    'credentials %o, and no message says them',
    async (credentials) => {
      expect(await refusal({ credentials })).toBe(
        'Cannot use this as credentials: they have to be logins with their passwords',
      );
    },
  );

  test('an option that is undefined is left alone', async () => {
    const names = ['smtp', 'bind', 'profile', 'credentials', 'stages', 'prefix', 'faults'];
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    const sandbox = await start(options);
    const dialogue = await knock(sandbox, 'implicit');
    expect(await dialogue.reply()).toBe('220 sandbox.localhost ESMTP');
  });
});

describe.concurrent('where it listens', () => {
  test.each(['127.0.0.1', 'localhost', '127.0.0.2'])('%s is loopback', async (bind) => {
    const sandbox = await start({ bind });
    expect(sandbox.smtp).toBeGreaterThan(0);
    expect(sandbox.smtps).not.toBe(sandbox.smtp);
  });

  test('another address only by unsafeBind', async () => {
    const sandbox = await start({ bind: '0.0.0.0', unsafeBind: true });
    expect(await (await knock(sandbox, 'plain')).reply()).toBe('220 sandbox.localhost ESMTP');
  });

  test('by default nobody hears it but at 127.0.0.1', async () => {
    const { smtp, smtps } = await start();
    // Its ports are free at every other address.
    for (const port of [smtp, smtps]) {
      const other = createServer();
      await new Promise<void>((resolve, reject) => {
        other.once('error', reject);
        other.listen(port, '127.0.0.3', resolve);
      });
      await new Promise((resolve) => other.close(resolve));
    }
    await expect(startSandbox({ smtp })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('where one port is taken the other one is given back', async () => {
    const { smtp } = await start();
    const spare = createServer();
    const port = await new Promise<number>((resolve) =>
      spare.listen(0, '127.0.0.1', () => resolve((spare.address() as { port: number }).port)),
    );
    await new Promise((resolve) => spare.close(resolve));
    await expect(startSandbox({ smtp: port, smtps: smtp })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    expect((await start({ smtp: port })).smtp).toBe(port);
  });
});
