/** Extensions beside those of content and addresses, and what neither server has; the reports of DSN. */
import assert from 'node:assert/strict';
import { GONE } from '../accounts.mjs';

const REPORTED = 'reported.to@example.com';

/** The fields of the machine-readable part of a report (RFC 3464 §2.1), and what it gives back of the message. */
function reportIn({ from, content }) {
  const text = content.toString('utf8');
  assert.equal(from, '', 'a report has the null reverse-path');
  assert.match(text, /^Content-Type: multipart\/report;\s+report-type="?delivery-status"?;/m);
  const [, status] =
    /^Content-type: message\/delivery-status\r\n(?:.+\r\n)*\r\n([\s\S]*?)\r\n--/im.exec(text) ?? [];
  assert.ok(status, text);
  const fields = new Map(
    [...status.matchAll(/^([\w-]+): *(.*)$/gm)].map(([, name, value]) => [
      name.toLowerCase(),
      value.trim(),
    ]),
  );
  const [, kind] =
    /^Content-type: (message\/rfc822|text\/rfc822-headers|message\/rfc822-headers)/im.exec(text) ??
    [];
  return {
    text,
    field: (name) => fields.get(name.toLowerCase()),
    whole: kind === 'message/rfc822',
  };
}

/** Whether it is the second of two. */
function oneOf(found, ...values) {
  assert.ok(values.includes(found), `${found} is neither of ${values.join(', ')}`);
  return found !== values[0];
}

const reported = async (lab) => {
  const reports = await lab.arrived(REPORTED);
  assert.equal(reports.length, 1, 'reports');
  return reportIn(reports[0]);
};

const unsupported = { code: 'ERR_SMTP_UNSUPPORTED', phase: 'mail', delivery: 'not-sent' };

/** What a message asks for that the server does not offer, outside DSN. */
const ABSENT = {
  BINARYMIME: { body: 'BINARYMIME' },
  REQUIRETLS: { requireTls: true },
  DELIVERBY: { deliverBy: { seconds: 600, mode: 'R' } },
  'MT-PRIORITY': { priority: 3 },
  FUTURERELEASE: { holdFor: 60 },
};

export const extensions = [
  ...Object.entries(ABSENT).map(([keyword, asked]) => ({
    name: `no ${keyword}, no MAIL`,
    async play(lab) {
      const client = await lab.connect();
      assert.equal(client.capabilities.has(keyword), false, `${keyword} is offered`);
      await lab.fails(lab.send(client, { ...lab.letter(), ...asked }), unsupported);
      const { commands } = await lab.seen();
      assert.ok(!commands.some((command) => command.startsWith('MAIL')), 'there was a MAIL');
    },
  })),
  {
    name: "onUnsupported: 'drop'",
    async play(lab) {
      const client = await lab.connect({ ignoreExtensions: ['DSN', '8BITMIME'] });
      const { DELIVERBY, 'MT-PRIORITY': priority } = ABSENT;
      const to = { address: lab.address(), notify: ['SUCCESS'], orcpt: 'a@example.org' };
      const asked = { ...DELIVERBY, ...priority, ret: 'HDRS', envid: 'a', to };
      await lab.send(client, { ...lab.letter('ä\r\n'), ...asked }, { onUnsupported: 'drop' });
      const { commands } = await lab.seen();
      const envelope = commands.filter((command) => /^(MAIL|RCPT)/.test(command));
      assert.match(envelope.join('|'), /^MAIL FROM:<[^>]*> SIZE=\d+\|RCPT TO:<[^>]*>$/);
    },
  },
  {
    name: 'DSN: NOTIFY=SUCCESS, ORCPT, ENVID, RET=HDRS',
    async play(lab) {
      const client = await lab.connect();
      const address = lab.address();
      const to = { address, notify: ['SUCCESS', 'FAILURE'], orcpt: 'first+written=so@example.org' };
      const letter = lab.letter('The body\r\n', { from: REPORTED, to });
      await lab.send(client, { ...letter, envid: 'number=1 +', ret: 'HDRS' });
      const { commands } = await lab.seen();
      assert.match(commands.join('|'), / RET=HDRS ENVID=number\+3D1\+20\+2B\b/);
      assert.match(
        commands.join('|'),
        / NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first\+2Bwritten\+3Dso@example\.org/,
      );
      const { text, field, whole } = await reported(lab);
      assert.match(field('Action'), /^(delivered|relayed)\b/);
      const encoded = [
        oneOf(field('Original-Envelope-Id'), 'number=1 +', 'number+3D1+20+2B'),
        oneOf(
          field('Original-Recipient'),
          'rfc822;first+written=so@example.org',
          'rfc822;first+2Bwritten+3Dso@example.org',
        ),
      ];
      assert.match(field('Final-Recipient'), new RegExp(`^rfc822; ?${address}$`));
      assert.equal(whole, false, 'the report has the whole message');
      assert.ok(text.includes(letter.messageId), 'the report has the header');
      assert.ok(!text.includes('The body'), 'the report has the body');
      // RFC 3461 §6.3: "the MTA must decode the xtext encoding".
      return encoded.includes(true) ? 'it reports ENVID, or ORCPT, in xtext' : undefined;
    },
  },
  {
    name: 'DSN: NOTIFY=FAILURE, RET=FULL',
    async play(lab) {
      const client = await lab.connect();
      const address = lab.address(GONE);
      const to = { address, notify: ['FAILURE'] };
      const letter = lab.letter('The body\r\n', { from: REPORTED, to, lost: [address] });
      await lab.send(client, { ...letter, ret: 'FULL', envid: 'number-2' });
      const { text, field, whole } = await reported(lab);
      assert.equal(field('Action'), 'failed');
      assert.equal(field('Original-Envelope-Id'), 'number-2');
      assert.equal(whole, true, 'the report has the whole message');
      assert.ok(text.includes('The body'), 'the report has the body');
    },
  },
  {
    name: 'DSN: NOTIFY=NEVER',
    async play(lab) {
      const client = await lab.connect();
      for (const notify of ['NEVER', ['SUCCESS']]) {
        const address = lab.address(GONE);
        const to = { address, notify };
        await lab.send(client, lab.letter('a\r\n', { from: REPORTED, to, lost: [address] }));
      }
      const { log } = await lab.seen();
      assert.equal(lab.server.failed(log), 2, 'messages that could not be delivered');
      // A report would be something that nobody has sent.
    },
  },
  {
    name: 'no DSN parameters: failure is reported',
    async play(lab) {
      const client = await lab.connect();
      const address = lab.address(GONE);
      await lab.send(client, lab.letter('a\r\n', { from: REPORTED, to: address, lost: [address] }));
      const { field } = await reported(lab);
      assert.equal(field('Action'), 'failed');
    },
  },
  {
    name: 'PRDR: a reply for each recipient',
    except: { postfix: 'it has no PRDR' },
    async play(lab) {
      for (const ignoreExtensions of [[], ['CHUNKING']]) {
        const client = await lab.connect({ ignoreExtensions });
        const to = [lab.address(), lab.address('hesitant'), lab.address()];
        const receipt = await lab.send(client, lab.letter('a\r\n', { to }));
        assert.deepEqual(receipt.accepted, [to[0], to[2]]);
        assert.deepEqual(
          receipt.rejected.map(({ address, reply }) => `${reply.code} ${address}`),
          [`550 ${to[1]}`],
        );
        const nobody = lab.address('hesitant');
        await lab.fails(
          lab.send(client, lab.letter('a\r\n', { to: [nobody, lab.address('hesitant')] })),
          {
            code: 'ERR_SMTP_REPLY',
            delivery: 'rejected',
          },
        );
      }
      const { commands } = await lab.seen();
      assert.match(commands.join('|'), / PRDR\b/);
    },
  },
  {
    name: 'VRFY, NOOP, RSET',
    async play(lab) {
      const client = await lab.connect();
      assert.equal((await client.verify(lab.address())).code, lab.server.verified);
      assert.equal((await client.noop()).code, 250);
      assert.equal((await client.reset()).code, 250);
      await lab.send(client, lab.letter());
    },
  },
];
