/**
 * What a scenario works with, and what holds for each of them. A message whose send() has succeeded is in the server's log
 * and in the Maildir, once for each recipient that was accepted, octet for octet; one whose send() has failed is in neither;
 * and nothing else is there. The server's word counts: its log, its queue, and its files.
 */
import assert from 'node:assert/strict';
import { domainToASCII } from 'node:url';
import { connect, isSmtpError } from '@posthorn/core';
import { createPool } from '@posthorn/core/pool';
import * as sasl from '@posthorn/core/sasl';
import * as mime from '@posthorn/mime';
import { TESTER } from './accounts.mjs';
import { assertSame } from './octets.mjs';
import { PATIENCE, until } from './until.mjs';

const PHASES = [
  ...['connect', 'tls', 'greeting', 'ehlo', 'starttls', 'auth', 'idle'],
  ...['mail', 'rcpt', 'data', 'content', 'final'],
];
const TIMEOUTS = Object.fromEntries(PHASES.map((phase) => [phase, PATIENCE]));
const DATE = 'Thu, 01 Jan 2026 12:00:00 +0000';

let numbers = 0;

/** An address as it goes to the server. */
function onTheWire(address) {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return /^[ -~]*$/.test(domain) ? address : address.slice(0, at + 1) + domainToASCII(domain);
}

/** @param running - a server of start.mjs */
export function createLab(running) {
  const mark = running.mark();
  const { server, maildir } = running;
  const clients = [];
  const sent = [];
  /** Recipients whose message was accepted and does not arrive. */
  const lost = new Set();
  /** What a scenario has read already. */
  const opened = new Map();

  const arrivesAs = (address) => server.written(onTheWire(address));

  const options = (more = {}) => ({
    host: running.host,
    port: running.ports.starttls,
    auth: TESTER,
    ...more,
    tlsOptions: { ca: running.ca, ...more.tlsOptions },
    timeouts: { ...TIMEOUTS, ...more.timeouts },
  });
  const kept = (client) => {
    clients.push(client);
    return client;
  };

  /** The log, when nothing more comes into it: all clients are closed. */
  async function seen() {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    const over = await until(() => running.isQuiet(mark));
    const log = running.log(mark.log);
    assert.ok(over, `the server comes to no end:\n${log}`);
    return {
      log,
      commands: server.commands(log),
      accepted: server.accepted(log),
      chunked: server.chunked(log),
      authenticated: server.authenticated(log),
    };
  }

  async function arrived(address) {
    const isMeant = ({ to }) => to === address;
    const came = await until(() => maildir.count(isMeant) > 0);
    assert.ok(came, `nothing has come for ${address}`);
    return maildir.take(isMeant);
  }

  const lab = {
    running,
    mime,
    sasl,
    server,
    seen,
    options,
    /** An address that no other message has. */
    address(prefix = 'reader') {
      numbers += 1;
      return `${prefix}.${numbers}@example.net`;
    },

    /** A message, with its header and an envelope of its own. */
    letter(body = 'Hello\r\n', { fields = '', to = lab.address(), ...more } = {}) {
      numbers += 1;
      const messageId = `<${numbers}@example.com>`;
      const head = `From: sender@example.com\r\nTo: reader@example.net\r\nSubject: Number ${numbers}\r\nDate: ${DATE}\r\nMessage-ID: ${messageId}\r\n${fields}\r\n`;
      const content = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
      return { from: 'sender@example.com', to, content, expected: content, messageId, ...more };
    },

    connect: async (more) => kept(await connect(options(more))),
    pool: (more) => kept(createPool(options(more))),

    /** Sends, and keeps what came of it for the end. */
    async send(client, { expected, messageId, lost: gone = [], inDoubt, ...message }, how) {
      const record = { message, expected, messageId, inDoubt };
      sent.push(record);
      for (const address of gone) lost.add(address);
      try {
        record.receipt = await client.send(message, how);
        return record.receipt;
      } catch (error) {
        record.error = error;
        throw error;
      }
    },

    /** @returns the error that the promise is rejected with */
    async fails(promise, expected) {
      const error = await promise.then(
        () => assert.fail('it has not failed'),
        (reason) => reason,
      );
      if (!isSmtpError(error)) throw error;
      const found = Object.fromEntries(Object.keys(expected).map((key) => [key, error[key]]));
      assert.deepEqual(found, expected, error.message);
      return error;
    },

    /** What came for an address beside what was sent: a report. */
    arrived,

    /** What was sent to an address, as it has come. */
    async read(address) {
      const [found, ...more] = await arrived(address);
      assert.equal(more.length, 0, 'it has come again');
      opened.set(address, found);
      return found;
    },

    /**
     * What holds for every scenario.
     *
     * @param forgiven - what the server may complain of
     */
    async judge(forgiven) {
      const { accepted, log } = await seen();
      const complaints = server.complaints(log).filter((line) => !forgiven?.test(line));
      assert.deepEqual(complaints, [], 'complaints in the log');
      const successes = sent.filter(({ receipt }) => receipt);
      for (const { error, messageId, inDoubt } of sent)
        if (error && !inDoubt)
          assert.notEqual(error.delivery, 'unknown', `${messageId}: ${error.message}`);
      const names = (list) => list.map((name = '<>') => name).sort();
      assert.deepEqual(
        names(accepted),
        names(successes.map(({ messageId }) => messageId)),
        'the messages that the server says it has accepted',
      );
      for (const { receipt, message, expected } of successes)
        for (const address of receipt.accepted.filter((one) => !lost.has(one))) {
          const isIt = ({ to }) => to === arrivesAs(address);
          const read = opened.get(address);
          if (!read) await until(() => maildir.count(isIt) > 0);
          const found = [...(read ? [read] : []), ...maildir.take(isIt)];
          assert.equal(found.length, 1, `how often ${address} has it`);
          assertSame(found[0].content, expected, `what ${address} has`);
          assert.equal(found[0].from, arrivesAs(message.from), 'the reverse-path');
        }
      const others = maildir.take(() => true);
      const told = others.map(({ to, content }) => `${to}: ${content.toString().slice(0, 500)}`);
      assert.equal(others.length, 0, `somebody has what nobody has sent:\n${told.join('\n')}`);
    },

    /** Ends what is still open, without a word; what comes of it is not for the next scenario. */
    async end() {
      for (const client of clients.splice(0)) client.destroy();
      await until(() => running.ended() !== undefined || running.isQuiet(mark));
      maildir.take(() => true);
    },
  };
  return lab;
}
