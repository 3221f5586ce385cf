import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cramMd5 } from '../../src/sasl/index.ts';
import { begin, step } from './exchange.ts';

const CREDENTIALS = { user: 'tim', pass: 'tanstaaftanstaaf' };
const CHALLENGE = '<1896.697170952@postoffice.reston.mci.net>';

describe('cramMd5()', () => {
  test('cramMd5() gives the example of RFC 2195 §2 when it is given its challenge', async () => {
    const { exchange, first } = await begin(cramMd5(CREDENTIALS));
    expect(first).toEqual({ done: false, said: undefined });
    expect(await step(exchange, CHALLENGE)).toEqual({
      done: false,
      said: 'tim b913a602c7eda7a495b4e6e7334d3890',
    });
  });

  test('cramMd5() just ends when the server is satisfied', async () => {
    const { exchange } = await begin(cramMd5(CREDENTIALS));
    await step(exchange, CHALLENGE);
    expect(await step(exchange)).toEqual({ done: true, said: undefined });
  });

  test('cramMd5() says nothing of the password when the server is satisfied before its challenge', async () => {
    const { exchange } = await begin(cramMd5(CREDENTIALS));
    expect(await step(exchange)).toEqual({ done: true, said: undefined });
  });

  test('cramMd5() has nothing to say when there is a second challenge', async () => {
    const { exchange } = await begin(cramMd5(CREDENTIALS));
    await step(exchange, CHALLENGE);
    expect((await step(exchange, CHALLENGE)).done).toBe(true);
  });

  test('cramMd5() answers another challenge when it is started again', async () => {
    const mechanism = cramMd5(CREDENTIALS);
    const answers = [];
    for (const challenge of ['<1@a>', '<2@a>']) {
      const { exchange } = await begin(mechanism);
      answers.push((await step(exchange, challenge)).said);
    }
    const digest = (challenge: string): string =>
      createHmac('md5', CREDENTIALS.pass).update(challenge).digest('hex');
    expect(answers).toEqual([`tim ${digest('<1@a>')}`, `tim ${digest('<2@a>')}`]);
  });

  test('cramMd5() gives two hexadecimal digits for each octet when the digest has small ones', async () => {
    for (let number = 0; number < 40; number++) {
      const { exchange } = await begin(cramMd5(CREDENTIALS));
      expect((await step(exchange, `<${number}@a>`)).said).toMatch(/^tim [\da-f]{32}$/);
    }
  });

  test('cramMd5() takes user and password as UTF-8 when they are not ASCII', async () => {
    const { exchange } = await begin(cramMd5({ user: 'жук', pass: 'п👋' }));
    const digest = createHmac('md5', Buffer.from('п👋')).update(CHALLENGE).digest('hex');
    expect((await step(exchange, CHALLENGE)).said).toBe(`жук ${digest}`);
  });

  test('cramMd5() is stronger than PLAIN and shows no secret when it is chosen among others', () => {
    expect(cramMd5(CREDENTIALS)).toMatchObject({
      name: 'CRAM-MD5',
      strength: 3,
      exposesSecret: false,
    });
  });

  test.each([
    ['a user with NUL', { user: 'a\0b', pass: 'c' }],
    ['a password with NUL', { user: 'a', pass: 'tanstaaf\0' }],
    ['half a surrogate pair', { user: 'a', pass: 'tanstaaf\udfff' }],
    ['no user', { user: undefined as unknown as string, pass: 'tanstaaf' }],
    ['no password', { user: 'a', pass: undefined as unknown as string }],
  ])('cramMd5() throws TypeError, and names no credential, when it is given %s', (_name, given) => {
    expect(() => cramMd5(given)).toThrow(TypeError);
    expect(() => cramMd5(given)).toThrow(/^(?!.*tanstaaf)/);
  });
});
