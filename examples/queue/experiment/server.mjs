/**
 * The server, in a process of its own. It writes down what it has accepted, durably, before it says so; that record is the
 * judge's only witness. A message counts as accepted when the server has decided so, whoever learns of it.
 */
import { fdatasync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SMTPServer } from 'smtp-server';
import { treatment } from './plan.mjs';

/**
 * @import { AddressInfo } from 'node:net'
 * @import { SMTPServerSession } from 'smtp-server'
 */

/**
 * A line of the record.
 *
 * - `accepted`: with its Message-ID
 * - `replied`: the 250 to it was written
 * - `refused`: by a reply
 * - `cut`: a connection ended by the client with a message under way: in its envelope, in its content, or behind its last octet
 *
 * @typedef {{ what: 'accepted' | 'replied' | 'refused' | 'cut', at: number, id: string, worker: string, messageId?: string,
 *   code?: number, phase?: 'envelope' | 'content' | 'reply' }} Line
 */

const [, , seedText = '0', file = ''] = process.argv;
const seed = Number(seedText);
const record = openSync(file, 'a');
const flush = promisify(fdatasync);
let accepted = 0;
/** How often each message was tried so far. @type {Map<string, number>} */
const tries = new Map();
/** What each connection is at. @type {Map<string, { id: string, phase: 'envelope' | 'content' | 'reply' }>} */
const under = new Map();
/** Connections that this side has ended. @type {Set<string>} */
const dropped = new Set();

/** @param {Omit<Line, 'at' | 'worker'>} line @param {SMTPServerSession} session */
async function write(line, session) {
  const whole = { ...line, at: Date.now(), worker: session.hostNameAppearsAs };
  writeSync(record, `${JSON.stringify(whole)}\n`);
  await flush(record);
}

/** @param {SMTPServerSession} session */
const idOf = ({ envelope }) => (envelope.rcptTo[0]?.address ?? '').replace(/@.*/, '');

/** @param {SMTPServerSession} session @param {string} id @param {number} code @param {string} text */
async function refuse(session, id, code, text) {
  if (code === 421) dropped.add(session.id);
  under.delete(session.id);
  await write({ what: 'refused', id, code }, session);
  return Object.assign(new Error(text), { responseCode: code });
}

/** @param {SMTPServerSession} session */
function drop(session) {
  dropped.add(session.id);
  under.delete(session.id);
  for (const connection of server.connections)
    if (connection.id === session.id) connection._socket.destroy();
}

/** @param {AsyncIterable<Uint8Array>} stream @param {SMTPServerSession} session */
async function receive(stream, session) {
  const id = idOf(session);
  under.set(session.id, { id, phase: 'content' });
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  under.set(session.id, { id, phase: 'reply' });
  const [, messageId = ''] = /^Message-ID: *(<.*>)/im.exec(Buffer.concat(pieces).toString()) ?? [];
  const { fault, times, reply } = treatment(seed, id);
  const strikes = (tries.get(id) ?? 0) <= times ? fault : undefined;
  if (strikes === 'lost-refused') return drop(session);
  if (strikes === 'later') throw await refuse(session, id, 451, '4.3.0 Try again in 1 second');
  await write({ what: 'accepted', id, messageId }, session);
  accepted += 1;
  process.send?.({ accepted });
  await sleep(reply);
  if (strikes === 'lost-accepted') return drop(session);
  under.delete(session.id);
  await write({ what: 'replied', id }, session);
  return undefined;
}

/** @param {SMTPServerSession} session @param {string} id */
async function recipient(session, id) {
  process.send?.({ busy: session.hostNameAppearsAs });
  under.set(session.id, { id, phase: 'envelope' });
  const { fault, times, envelope } = treatment(seed, id);
  await sleep(envelope);
  const count = (tries.get(id) ?? 0) + 1;
  tries.set(id, count);
  if (count > times) return;
  if (fault === 'refuse') throw await refuse(session, id, 550, '5.1.1 No such mailbox');
  if (fault === 'greylist')
    throw await refuse(session, id, 451, '4.7.1 Greylisted, try again in 1 second');
  if (fault === 'busy') throw await refuse(session, id, 421, '4.3.2 Too much mail, wait 1 second');
}

const server = new SMTPServer({
  disabledCommands: ['STARTTLS', 'AUTH'],
  hideENHANCEDSTATUSCODES: true,
  onRcptTo({ address }, session, callback) {
    recipient(session, address.replace(/@.*/, '')).then(() => callback(), callback);
  },
  onData(stream, session, callback) {
    receive(stream, session).then(() => callback(), callback);
  },
  onClose(session) {
    const at = under.get(session.id);
    under.delete(session.id);
    if (at && !dropped.has(session.id)) void write({ what: 'cut', ...at }, session);
  },
});
// What a killed client does to its connection.
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {AddressInfo} */ (server.server.address());
  process.send?.({ port });
});
process.once('disconnect', () => process.exit());
