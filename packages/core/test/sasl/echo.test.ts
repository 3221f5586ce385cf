/** A server that repeats what it was told in AUTH: none of it reaches an error or a transcript. */
import { expect, test } from 'vitest';
import { type ConnectOptions, connect, type TranscriptEvent } from '../../src/index.ts';
import { login, plain } from '../../src/sasl/index.ts';
import {
  everythingIn,
  failureOf,
  greet,
  options,
  PASS,
  PLAIN,
  USER,
  useServers,
} from '../e2e/scripted-server.ts';

const start = useServers();
const OWNER = { user: USER, pass: PASS };
const SPACED = 'correct horse battery';

test.each<[name: string, auth: NonNullable<ConnectOptions['auth']>, pass: string]>([
  ['user and password', OWNER, PASS],
  ['plain()', plain(OWNER), PASS],
  ['login()', login(OWNER), PASS],
  ['a password that begins with the name', login({ user: 'bob', pass: 'bobcat12' }), 'bobcat12'],
  ['a password that contains the name', plain({ user: 'bob', pass: 'a-bob-cat' }), 'a-bob-cat'],
  ['a password with blanks', plain({ user: USER, pass: SPACED }), SPACED],
])('connect() shows no secret of %s when the server repeats it', async (_name, auth, pass) => {
  const events: TranscriptEvent[] = [];
  const server = await start(async (peer) => {
    await greet(peer, 'AUTH PLAIN LOGIN');
    const [, mechanism, response = ''] = (await peer.hear(/^AUTH /)).split(' ');
    const said = [response];
    if (mechanism === 'LOGIN') {
      for (const prompt of ['VXNlcm5hbWU6', 'UGFzc3dvcmQ6']) {
        peer.say(`334 ${prompt}`);
        said.push(await peer.hear());
      }
    }
    peer.say(`535-5.7.8 you said ${said.join(' ')}`, `535 5.7.8 which is ${pass}, and wrong`);
    await peer.hear('QUIT');
    peer.say(`221 bye, ${pass}`);
  });
  const error = await failureOf(
    connect(
      options(server, {
        tls: 'off',
        allowInsecureAuth: true,
        auth,
        onTranscript: (event) => events.push(event),
      }),
    ),
  );
  expect(error).toMatchObject({ code: 'ERR_SMTP_AUTH', reply: { code: 535 } });
  expect(error.message).toContain('which is ***, and wrong');
  const shown = `${everythingIn(error)}\n${JSON.stringify(events.slice(0, -2))}`;
  for (const secret of [pass, PLAIN, Buffer.from(pass).toString('base64').slice(4)])
    expect(shown).not.toContain(secret);
});
