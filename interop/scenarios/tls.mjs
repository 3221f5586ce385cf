/** TLS: the two ways into it, and whom not to trust. Node and Postfix have OpenSSL, Debian's Exim has GnuTLS. */
import assert from 'node:assert/strict';

const untrusted = { code: 'ERR_SMTP_TLS', delivery: 'not-sent', retry: 'fix-first' };

/** How a server sees it that its certificate is not liked. */
const forgiven = { exim: / TLS error on connection / };

/** Nothing of what was not to be said has reached the server. */
async function assertNothingBut(lab, allowed) {
  const { commands } = await lab.seen();
  assert.deepEqual(
    commands.filter((command) => !allowed.test(command)),
    [],
  );
}

const version = (name) => ({
  name: `TLS ${name}`,
  async play(lab) {
    const tlsOptions = { minVersion: `TLSv${name}`, maxVersion: `TLSv${name}` };
    await lab.send(await lab.connect({ tlsOptions }), lab.letter());
    const { log } = await lab.seen();
    assert.match(log, new RegExp(`TLSv?${name.replace('.', '\\.')}\\b`));
  },
});

export const tls = [
  {
    name: 'STARTTLS',
    async play(lab) {
      const client = await lab.connect();
      assert.equal(client.secure, true);
      await lab.send(client, lab.letter());
      const { commands } = await lab.seen();
      assert.match(commands.join('|'), /^EHLO \S+\|STARTTLS\|EHLO \S+\|AUTH PLAIN\b[^|]*\|MAIL /);
    },
  },
  {
    name: 'implicit TLS',
    async play(lab) {
      const client = await lab.connect({ port: lab.running.ports.implicit, tls: 'implicit' });
      assert.equal(client.secure, true);
      await lab.send(client, lab.letter());
      const { commands } = await lab.seen();
      assert.match(commands.join('|'), /^EHLO \S+\|AUTH PLAIN\b[^|]*\|MAIL /);
    },
  },
  version('1.2'),
  version('1.3'),
  {
    name: 'TLS sessions are resumed',
    async play(lab) {
      const resumption = {};
      for (const time of ['first', 'second']) {
        await lab.send(await lab.connect({ resumption }), lab.letter(`The ${time}\r\n`));
        const { log } = await lab.seen();
        assert.equal(lab.server.resumed(log), time === 'second' ? 1 : 0, time);
      }
    },
  },
  {
    name: 'no STARTTLS, no downgrade',
    async play(lab) {
      const port = lab.running.ports.plain;
      await lab.fails(lab.connect({ port }), { ...untrusted, phase: 'starttls' });
      await assertNothingBut(lab, /^(EHLO|QUIT)/);
    },
  },
  {
    name: 'unknown CA',
    forgiven,
    async play(lab) {
      const { starttls, implicit } = lab.running.ports;
      const tlsOptions = { ca: lab.running.otherCa };
      await lab.fails(lab.connect({ port: starttls, tlsOptions }), untrusted);
      await lab.fails(lab.connect({ port: implicit, tls: 'implicit', tlsOptions }), untrusted);
      await assertNothingBut(lab, /^(EHLO|STARTTLS)/);
    },
  },
  {
    name: 'certificate of another name',
    forgiven,
    async play(lab) {
      await lab.fails(lab.connect({ port: lab.running.ports.elsewhere }), untrusted);
      await assertNothingBut(lab, /^(EHLO|STARTTLS)/);
    },
  },
  {
    name: 'certificate that has expired',
    forgiven,
    async play(lab) {
      await lab.fails(lab.connect({ port: lab.running.ports.expired }), untrusted);
      await assertNothingBut(lab, /^(EHLO|STARTTLS)/);
    },
  },
  {
    name: 'client certificate in place of AUTH',
    async play(lab) {
      const { certified: port } = lab.running.ports;
      const tlsOptions = lab.running.client;
      await lab.send(await lab.connect({ port, tlsOptions, auth: [] }), lab.letter());
      const stranger = await lab.connect({ port, auth: [] });
      await lab.fails(lab.send(stranger, lab.letter()), { code: 'ERR_SMTP_REPLY', phase: 'rcpt' });
    },
  },
];
