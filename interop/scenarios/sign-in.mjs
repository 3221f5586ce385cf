/** AUTH: each mechanism that the servers have, with the right password and with a wrong one. */
import assert from 'node:assert/strict';
import { CYRILLIC, ODD, TESTER } from '../accounts.mjs';

/** What makes each of them, by its name in @posthorn/core/sasl. */
const MECHANISMS = {
  PLAIN: 'plain',
  LOGIN: 'login',
  'CRAM-MD5': 'cramMd5',
  'SCRAM-SHA-1': 'scramSha1',
  'SCRAM-SHA-256': 'scramSha256',
  'SCRAM-SHA-512': 'scramSha512',
};

const refusal = { code: 'ERR_SMTP_AUTH', phase: 'auth', delivery: 'not-sent', retry: 'fix-first' };

/** Who has sent what was accepted, by what. */
async function assertBy(lab, expected) {
  const { authenticated } = await lab.seen();
  assert.deepEqual(authenticated, expected);
}

const eachOf = Object.entries(MECHANISMS).map(([name, mechanism]) => ({
  name: `AUTH ${name}`,
  async play(lab) {
    const client = await lab.connect({ auth: lab.sasl[mechanism](TESTER) });
    await lab.send(client, lab.letter());
    await assertBy(lab, [`${name} ${TESTER.user}`]);
  },
}));

const wrong = Object.entries(MECHANISMS).map(([name, mechanism]) => ({
  name: `AUTH ${name}, wrong password`,
  forgiven: { postfix: / SASL .*fail/, exim: / authenticator failed / },
  async play(lab) {
    const auth = lab.sasl[mechanism]({ ...TESTER, pass: 'wrong horse' });
    const { reply } = await lab.fails(lab.connect({ auth }), refusal);
    assert.equal(reply.code, 535);
    const { commands } = await lab.seen();
    assert.ok(
      commands.some((command) => command.startsWith(`AUTH ${name}`)),
      'there was an AUTH',
    );
    assert.ok(!commands.some((command) => command.startsWith('MAIL')), 'there was a MAIL');
  },
}));

export const signIn = [
  ...eachOf,
  ...wrong,
  {
    name: 'AUTH: the strongest that is offered',
    async play(lab) {
      const auth = Object.values(MECHANISMS).map((mechanism) => lab.sasl[mechanism](TESTER));
      await lab.send(await lab.connect({ auth }), lab.letter());
      await assertBy(lab, [`SCRAM-SHA-512 ${TESTER.user}`]);
    },
  },
  {
    name: 'AUTH: a password outside ASCII',
    async play(lab) {
      const by = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'];
      for (const name of by) {
        const auth = lab.sasl[MECHANISMS[name]](CYRILLIC);
        await lab.send(await lab.connect({ auth }), lab.letter());
      }
      await assertBy(
        lab,
        by.map((name) => `${name} ${CYRILLIC.user}`),
      );
    },
  },
  {
    name: 'AUTH: a user name with , and =',
    async play(lab) {
      const { plain, scramSha256 } = lab.sasl;
      for (const mechanism of [plain, scramSha256])
        await lab.send(await lab.connect({ auth: mechanism(ODD) }), lab.letter());
      await assertBy(lab, [`PLAIN ${ODD.user}`, `SCRAM-SHA-256 ${ODD.user}`]);
    },
  },
  {
    name: 'AUTH EXTERNAL',
    except: { postfix: 'its Cyrus SASL has no EXTERNAL' },
    async play(lab) {
      const { certified: port } = lab.running.ports;
      const tlsOptions = lab.running.client;
      await lab.send(
        await lab.connect({ port, tlsOptions, auth: lab.sasl.external() }),
        lab.letter(),
      );
      await assertBy(lab, ['EXTERNAL client']);
    },
  },
  {
    name: 'AUTH: no secret outside TLS',
    async play(lab) {
      const plainly = { port: lab.running.ports.plain, tls: 'off' };
      await lab.fails(lab.connect({ ...plainly, auth: TESTER }), refusal);
      const { commands } = await lab.seen();
      assert.deepEqual(
        commands.filter((command) => !/^(EHLO|QUIT)/.test(command)),
        [],
      );
      // What shows no secret is another thing.
      await lab.send(
        await lab.connect({ ...plainly, auth: lab.sasl.cramMd5(TESTER) }),
        lab.letter(),
      );
    },
  },
  {
    name: 'no AUTH, no relay',
    async play(lab) {
      const client = await lab.connect({ auth: [] });
      await lab.fails(lab.send(client, lab.letter()), {
        code: 'ERR_SMTP_REPLY',
        phase: 'rcpt',
        delivery: 'rejected',
        retry: 'never',
      });
    },
  },
];
