/**
 * TLS that ends without close_notify (RFC 8446 §6.1), or with it, in the middle of the final reply: whoever cuts the
 * TCP connection cannot make a success of half a reply.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../conformance/src/sandbox/certificates.ts';
import { connect } from '../../src/index.ts';
import {
  failureOf,
  greet,
  greetSecurely,
  type KeyPair,
  MESSAGE,
  options,
  type Peer,
  useServers,
  verdict,
  within,
} from './scripted-server.ts';

const start = useServers();
let ca = '';
let pair: KeyPair;
beforeAll(async () => {
  const authority = await createCertificateAuthority();
  ca = authority.ca;
  pair = await authority.issue();
});

/** How the server leaves, once what it has said is on its way. */
const LEAVES = {
  'FIN without close_notify': (peer: Peer) => peer.destroy(),
  RST: (peer: Peer) => peer.destroy(true),
  close_notify: (peer: Peer) => peer.end(),
} as const;

/** Where the connection ends in the final reply, to DATA or to BDAT. */
const played = (
  tls: 'implicit' | 'starttls',
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
  keyword: 'PIPELINING' | 'CHUNKING',
  said: string,
  leave: (peer: Peer) => void,
) =>
  start(async (peer) => {
    if (tls === 'starttls') await greetSecurely(peer, { ...pair, maxVersion }, keyword);
    else {
      await peer.startTls({ ...pair, maxVersion });
      await greet(peer, keyword);
    }
    for (;;) {
      const line = await peer.hear();
      if (line.startsWith('BDAT')) {
        await peer.octets(MESSAGE.content.length);
        break;
      }
      peer.say(line === 'DATA' ? '354 go' : '250 ok');
      if (line !== 'DATA') continue;
      await peer.content();
      break;
    }
    if (said) peer.raw(said);
    // Until the client has read it.
    await new Promise((resolve) => setTimeout(resolve, 25));
    leave(peer);
  });

const worlds = (['implicit', 'starttls'] as const).flatMap((tls) =>
  (['TLSv1.2', 'TLSv1.3'] as const).map((maxVersion) => ({ tls, maxVersion })),
);

describe.each(worlds)('TLS $tls, $maxVersion', ({ tls, maxVersion }) => {
  test.each(Object.entries(LEAVES))(
    '%s in the middle of the final reply is no success',
    async (_name, leave) => {
      const cases = (['PIPELINING', 'CHUNKING'] as const).flatMap((keyword) =>
        [
          '',
          '2',
          '250',
          '250 2.0.0 que',
          '250 2.0.0 queued',
          '250 2.0.0 queued\r',
          '250-queued\r\n',
        ].map((said) => ({ keyword, said })),
      );
      await Promise.all(
        cases.map(async ({ keyword, said }) => {
          const server = await played(tls, maxVersion, keyword, said, leave);
          const client = await connect(options(server, { tls, tlsOptions: { ca } }));
          const error = await failureOf(client.send(MESSAGE));
          expect([said, verdict(error)]).toEqual([
            said,
            'ERR_SMTP_CLOSED in final, unknown, unknown',
          ]);
          await within(1_000, client.closed);
        }),
      );
    },
  );

  test.each(Object.entries(LEAVES))(
    '%s behind the whole of it changes nothing',
    async (_name, leave) => {
      const server = await played(tls, maxVersion, 'PIPELINING', '250 2.0.0 queued\r\n', leave);
      const client = await connect(options(server, { tls, tlsOptions: { ca } }));
      expect((await client.send(MESSAGE)).reply.code).toBe(250);
      await within(1_000, client.closed);
    },
  );
});
