/**
 * What callers were told of each message, held against what the server has of it, recipient by recipient. Knows nothing of
 * how either came about.
 */

/** Where nobody may have it. */
const NONE = /^(not-sent|rejected|never-begun)$/;

/**
 * @param told - Map of the number of a message to `{ to, accepted, rejected, delivery, octets, doomed }`: what was told of it;
 *   `delivery` is 'accepted' where there is a receipt, and else that of the error; `octets` is of the receipt
 * @param accepted - `{ id, recipients, octets, digest }` of each message that the server has accepted
 * @returns sentences, one for each thing that does not agree
 */
export function lies(told, accepted) {
  const found = [];
  const counts = new Map();
  const sums = new Map();
  for (const { id, recipients, octets } of accepted) {
    const one = told.get(id);
    if (!one) {
      found.push(`${id}: the server has a message that nobody has sent`);
      continue;
    }
    if (one.doomed) found.push(`${id}: the server has a message that cannot be sent`);
    // RFC 9422: where fewer recipients are taken at a time, it is sent in several transactions, and so are its octets.
    sums.set(id, (sums.get(id) ?? 0) + octets);
    for (const address of recipients) {
      if (!one.to.includes(address)) found.push(`${id}: ${address} is none of its recipients`);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
  }
  for (const [id, { octets }] of told)
    if (octets !== undefined && octets !== sums.get(id))
      found.push(`${id}: the receipt says ${octets} octets, and the server has ${sums.get(id)}`);
  for (const [id, one] of told)
    for (const address of one.to) {
      const count = counts.get(address) ?? 0;
      const most = one.accepted.includes(address)
        ? [1, 1]
        : one.rejected.includes(address) || NONE.test(one.delivery)
          ? [0, 0]
          : one.delivery === 'unknown'
            ? [0, 1]
            : undefined;
      if (!most) found.push(`${id}: nothing is told of ${address}: ${one.delivery}`);
      else if (count < most[0] || count > most[1])
        found.push(
          `${id}: ${address} is told ${wordFor(one, address)}, and is served ${count} times`,
        );
    }
  return found;
}

const wordFor = ({ accepted, rejected, delivery }, address) =>
  accepted.includes(address) ? 'accepted' : rejected.includes(address) ? 'rejected' : delivery;
