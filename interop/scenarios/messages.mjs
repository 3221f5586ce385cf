/** Messages of @posthorn/mime from end to end, read by parsers and verifiers that nobody here has written; and the probe. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/bounded-run.cjs';
import { SIZE_LIMIT, TESTER } from '../accounts.mjs';
import { PATIENCE } from '../until.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(join(root, 'packages/mime/package.json'));

/** Octets that look like chance. */
function noise(length) {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

const FILE = noise(100_000);

const spec = (lab, more) => ({
  from: 'Отправитель <sender@example.com>',
  to: { name: 'Größe, "Reader"', address: lab.address() },
  subject: 'Test – тест – 测试',
  text: '.\r\n..\r\nПривет!\r\n\r\nFrom here\r\n.\r\n',
  html: '<p>Привет! <b>.</b></p>\r\n.\r\n',
  ...more,
});

/** Sends a message and reads what has come of it. */
async function deliver(lab, client, message) {
  const expected = Buffer.from(await message.bytes());
  const { from, to, content, size, body, smtpUtf8, messageId } = message;
  const receipt = await lab.send(client, {
    ...{ from, to, content, size, body, smtpUtf8 },
    expected,
    messageId,
  });
  if (size !== undefined) assert.equal(receipt.octets, size, 'the size that was said');
  return lab.read([to].flat()[0]);
}

async function parsed({ content }) {
  const { default: PostalMime } = require('postal-mime');
  return PostalMime.parse(content);
}

export const messages = [
  {
    name: 'compose(): texts, attachments, names outside ASCII',
    async play(lab) {
      const { attachment, compose } = lab.mime;
      const attachments = [
        attachment('größe и размер.bin', FILE),
        attachment('logo.png', FILE.subarray(0, 1_000), { cid: 'logo@example.com' }),
      ];
      const message = compose(spec(lab, { attachments }));
      const found = await parsed(await deliver(lab, await lab.connect(), message));
      assert.equal(found.subject, 'Test – тест – 测试');
      assert.equal(found.from.name, 'Отправитель');
      assert.equal(found.text.replace(/\r?\n/g, '\r\n').trim(), spec(lab).text.trim());
      const files = found.attachments.map(({ filename, content }) => [
        filename,
        new Uint8Array(content),
      ]);
      assert.deepEqual(
        files.sort(),
        [
          ['größe и размер.bin', FILE],
          ['logo.png', FILE.subarray(0, 1_000)],
        ]
          .map(([name, octets]) => [name, new Uint8Array(octets)])
          .sort(),
      );
    },
  },
  {
    name: 'compose(): a stream of unknown size',
    async play(lab) {
      const { attachment, compose } = lab.mime;
      const stream = async function* () {
        for (let at = 0; at < FILE.length; at += 7_001) yield FILE.subarray(at, at + 7_001);
      };
      const now = () => new Date(Date.UTC(2026, 0, 2));
      const random = (octets) => new Uint8Array(octets).fill(9);
      const make = (content, to) =>
        compose(
          { ...spec(lab), to, attachments: [attachment('a.bin', content)] },
          { now, random, maxSize: 10_000_000, onUnknownSize: 'guard' },
        );
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const to = lab.address();
        const message = make({ stream }, to);
        assert.equal(message.size, undefined);
        const { content } = await deliver(lab, client, message);
        const same = Buffer.from(await make(FILE, to).bytes());
        assert.ok(content.equals(same), 'it is what it would be with a size');
      }
    },
  },
  {
    name: 'compose(): 8bit as it is',
    async play(lab) {
      const { asIs, compose } = lab.mime;
      const client = await lab.connect();
      const transferEncoding = asIs(client.capabilities);
      const message = compose(spec(lab), { transferEncoding });
      assert.equal(message.body, '8BITMIME');
      const found = await parsed(await deliver(lab, client, message));
      assert.equal(found.text.replace(/\r?\n/g, '\r\n').trim(), spec(lab).text.trim());
    },
  },
  ...['rsa', 'ed25519'].map((type) => ({
    name: `compose(): DKIM, ${type}`,
    async play(lab) {
      const { attachment, compose, dkim } = lab.mime;
      const { dkimVerify } = require('mailauth/lib/dkim/verify.js');
      const { privateKey, publicKey } = generateKeyPairSync(type, { modulusLength: 2048 });
      const der = publicKey.export({ type: 'spki', format: 'der' });
      const shown = (type === 'rsa' ? der : der.subarray(-32)).toString('base64');
      const signer = dkim({
        domain: 'example.com',
        selector: 'interop',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      });
      const attachments = [attachment('a.bin', FILE)];
      const verdict = async (octets) => {
        const { results } = await dkimVerify(octets, {
          resolver: async (name) => {
            assert.equal(name, 'interop._domainkey.example.com');
            return [[`v=DKIM1; k=${type}; p=${shown}`]];
          },
        });
        return results.map(({ status }) => status.result).join();
      };
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const message = compose(spec(lab, { attachments }), { dkim: signer });
        // What the server has put in front is signed by nobody, and changes nothing.
        const { whole } = await deliver(lab, client, message);
        assert.equal(await verdict(whole), 'pass');
        whole[whole.length - 40] ^= 1;
        assert.notEqual(await verdict(whole), 'pass', 'with one bit changed');
      }
    },
  })),
  {
    name: 'smtp-conformance probe',
    async play(lab) {
      const { host, ports, ca, place } = lab.running;
      const file = join(place, 'ca.pem');
      writeFileSync(file, ca);
      const asked = Object.entries({ starttls: ports.starttls, implicit: ports.implicit });
      const answers = await Promise.all(
        asked.map(([mode, port]) =>
          run(
            process.execPath,
            [
              join(root, 'packages/conformance/dist/cli.js'),
              ...['probe', '--host', host, '--port', String(port), '--tls', mode],
              ...['--ca', file, '--user', TESTER.user, '--json'],
            ],
            { cwd: place, env: { ...process.env, SMTP_PASSWORD: TESTER.pass }, timeout: PATIENCE },
          ),
        ),
      );
      for (const [at, { code, output }] of answers.entries()) {
        assert.equal(code, 0, output);
        const report = JSON.parse(output);
        assert.equal(report.mode, asked[at][0]);
        assert.equal(report.tls.trusted, true);
        assert.equal(report.size, SIZE_LIMIT);
        assert.equal(report.login.code, 235);
        assert.deepEqual(report.problems, []);
        for (const keyword of ['PIPELINING', 'CHUNKING', '8BITMIME', 'SMTPUTF8', 'DSN'])
          assert.ok(report.secure.includes(keyword), `${keyword} is offered`);
        for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'])
          assert.ok(report.auth.includes(mechanism), `AUTH ${mechanism} is offered`);
      }
    },
  },
];
