/** Many messages: overlapped, in flight, by a pool; each is delivered once, and what is refused among them harms no other. */
import assert from 'node:assert/strict';
import { MESSAGE_LIMIT, NOBODY } from '../accounts.mjs';
import { pieces } from '../octets.mjs';
import { until } from '../until.mjs';

const letters = (lab, count) =>
  Array.from({ length: count }, (_, at) => lab.letter(`.Number ${at}\r\n..\r\n`.repeat(at + 1)));

/** A pool that is closed gives up the connections that it is making. */
const forgiven = { exim: / TLS error on connection / };

const namesOf = (list) => list.map(({ messageId }) => messageId);

/** All at once on one connection; the server has accepted them in their order. */
const atOnce = (name, count, options, least) => ({
  name,
  async play(lab) {
    const client = await lab.connect(options);
    const all = letters(lab, count);
    const before = client.roundTrips;
    await Promise.all(all.map((letter) => lab.send(client, letter)));
    const waits = client.roundTrips - before;
    assert.ok(waits <= least, `${waits} waits for ${count} messages`);
    const { accepted } = await lab.seen();
    assert.deepEqual(accepted, namesOf(all));
  },
});

/** Among them some that are refused: by their recipients, and by what cannot be sent. */
const amongOthers = (name, options) => ({
  name,
  async play(lab) {
    const client = await lab.connect(options);
    const all = letters(lab, 20);
    const refused = [3, 4, 11, 19];
    for (const at of refused) all[at].to = lab.address(NOBODY);
    all[7].content = Buffer.from('NUL: \0\r\n');
    const outcomes = await Promise.allSettled(all.map((letter) => lab.send(client, letter)));
    const failed = outcomes.flatMap(({ reason }, at) =>
      reason ? [`${at} ${reason.code} ${reason.delivery}`] : [],
    );
    assert.deepEqual(failed, [
      ...['3 ERR_SMTP_REPLY rejected', '4 ERR_SMTP_REPLY rejected', '7 ERR_SMTP_CONTENT not-sent'],
      ...['11 ERR_SMTP_REPLY rejected', '19 ERR_SMTP_REPLY rejected'],
    ]);
    const { accepted } = await lab.seen();
    const good = all.filter((_, at) => at !== 7 && !refused.includes(at));
    assert.deepEqual(accepted, namesOf(good));
  },
});

/** One message; as many waits as there have to be. */
const waits = (pipelining, ignored, expected) => async (lab) => {
  const client = await lab.connect({ pipelining, ignoreExtensions: ignored });
  const { roundTrips } = await lab.send(client, lab.letter());
  assert.equal(roundTrips, expected, `${pipelining} without ${ignored}`);
};

/**
 * A server that answers 421 to one MAIL too many. With DATA nothing of the message has left then, and the pool sends it again.
 */
const fewOfConnection = (command, ignoreExtensions) => ({
  name: `pool: few messages for a connection, ${command}`,
  except: { postfix: 'it counts messages for a client, not for a connection' },
  forgiven,
  async play(lab) {
    const port = lab.running.ports.frugal;
    const pool = lab.pool({ port, ignoreExtensions, maxConnections: 1 });
    const all = letters(lab, 3 * MESSAGE_LIMIT);
    for (const letter of all) letter.inDoubt = command === 'BDAT';
    const outcomes = await Promise.allSettled(all.map((letter) => lab.send(pool, letter)));
    const reasons = outcomes.flatMap(({ reason }) => (reason ? [reason] : []));
    for (const { code, delivery } of reasons)
      assert.deepEqual({ code, delivery }, { code: 'ERR_SMTP_CLOSED', delivery: 'unknown' });
    const { commands } = await lab.seen();
    const connections = commands.filter((one) => one.startsWith('AUTH')).length;
    assert.ok(connections >= 3, `${connections} connections`);
    return reasons.length > 0 ? 'whose MAIL is answered 421 is in doubt' : undefined;
  },
});

export const flow = [
  {
    name: 'a connection is used again and again',
    async play(lab) {
      const client = await lab.connect();
      for (const letter of letters(lab, 10)) await lab.send(client, letter);
      await client.reset();
      await lab.send(client, lab.letter());
      const { commands } = await lab.seen();
      assert.equal(commands.filter((command) => command.startsWith('AUTH')).length, 1);
    },
  },
  {
    name: "pipelining: 'off', 'envelope', 'overlap'",
    async play(lab) {
      await waits('off', ['CHUNKING'], 4)(lab);
      await waits('off', [], 3)(lab);
      await waits('envelope', ['CHUNKING'], 2)(lab);
      await waits('envelope', [], 1)(lab);
      await waits('overlap', ['CHUNKING'], 2)(lab);
      await waits('overlap', [], 1)(lab);
    },
  },
  atOnce('20 at once, overlap, DATA', 20, { ignoreExtensions: ['CHUNKING'] }, 21),
  atOnce('20 at once, overlap, BDAT', 20, {}, 20),
  atOnce(
    "20 at once, 'envelope'",
    20,
    { pipelining: 'envelope', ignoreExtensions: ['CHUNKING'] },
    40,
  ),
  atOnce("20 at once, 'off'", 20, { pipelining: 'off', ignoreExtensions: ['CHUNKING'] }, 80),
  atOnce("60 at once, 'flight'", 60, { pipelining: 'flight' }, 30),
  {
    name: 'streams at once, overlap',
    async play(lab) {
      const client = await lab.connect({ ignoreExtensions: ['CHUNKING'] });
      const all = letters(lab, 20);
      await Promise.all(
        all.map((letter) => lab.send(client, { ...letter, content: pieces(letter.content, 3) })),
      );
      const { accepted } = await lab.seen();
      assert.deepEqual(accepted, namesOf(all));
    },
  },
  amongOthers('refused ones among 20, overlap, DATA', { ignoreExtensions: ['CHUNKING'] }),
  amongOthers('refused ones among 20, overlap, BDAT', {}),
  amongOthers("refused ones among 20, 'flight'", { pipelining: 'flight' }),
  {
    name: 'pool: 60 messages, 3 connections',
    forgiven,
    async play(lab) {
      const pool = lab.pool({ maxConnections: 3, maxMessages: 8 });
      await Promise.all(letters(lab, 60).map((letter) => lab.send(pool, letter)));
      const { commands } = await lab.seen();
      const connections = commands.filter((command) => command.startsWith('AUTH')).length;
      assert.ok(connections >= 8, `${connections} connections of 8 messages at the most`);
    },
  },
  {
    name: "pool: 60 messages, 'flight'",
    forgiven,
    async play(lab) {
      const pool = lab.pool({ maxConnections: 3, pipelining: 'flight' });
      await Promise.all(letters(lab, 60).map((letter) => lab.send(pool, letter)));
    },
  },
  {
    name: 'the server closes what is idle',
    forgiven,
    async play(lab) {
      const port = lab.running.ports.hasty;
      const [client, pool] = [await lab.connect({ port }), lab.pool({ port })];
      await lab.send(client, lab.letter());
      await lab.send(pool, lab.letter());
      let isClosed = false;
      const closing = client.closed.then(() => {
        isClosed = true;
      });
      const over = await until(() => isClosed && pool.stats.connections === 0);
      assert.ok(over, 'the server does not close');
      await closing;
      await lab.fails(lab.send(client, lab.letter()), {
        code: 'ERR_SMTP_CLOSED',
        delivery: 'not-sent',
      });
      // The pool connects again.
      await lab.send(pool, lab.letter());
    },
  },
  fewOfConnection('DATA', ['CHUNKING']),
  fewOfConnection('BDAT', []),
  {
    name: 'the server takes few messages of a client',
    except: { exim: 'it counts messages for a connection, not for a client' },
    forgiven: { postfix: / rate limit exceeded: / },
    async play(lab) {
      const client = await lab.connect({ port: lab.running.ports.frugal });
      for (const letter of letters(lab, MESSAGE_LIMIT)) await lab.send(client, letter);
      const { reply } = await lab.fails(lab.send(client, lab.letter()), {
        code: 'ERR_SMTP_REPLY',
        phase: 'mail',
        delivery: 'rejected',
        retry: 'later',
      });
      assert.equal(reply.code, 450);
    },
  },
];
