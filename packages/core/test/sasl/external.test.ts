import { describe, expect, test } from 'vitest';
import { external } from '../../src/sasl/index.ts';
import { begin, step } from './exchange.ts';

describe('external()', () => {
  test.each([
    [undefined, ''],
    [{}, ''],
    [{ authorizationId: '' }, ''],
    [{ authorizationId: 'fred@example.com' }, 'fred@example.com'],
    [{ authorizationId: 'жук' }, 'жук'],
  ])(
    'external() gives the authorization identity at once when it is given %j',
    async (given, said) => {
      const { exchange, first } = await begin(external(given));
      expect(first).toEqual({ done: false, said });
      expect(await step(exchange)).toEqual({ done: true, said: undefined });
    },
  );

  test('external() has nothing to say when the server asks again', async () => {
    const { exchange } = await begin(external());
    expect((await step(exchange, '')).done).toBe(true);
  });

  test('external() is the strongest and shows no secret when it is chosen among others', () => {
    expect(external()).toMatchObject({ name: 'EXTERNAL', strength: 10, exposesSecret: false });
  });

  test.each(['a\0b', 'a\udfff', 42 as unknown as string])(
    'external() throws TypeError when the authorization identity is %j',
    (authorizationId) => {
      expect(() => external({ authorizationId })).toThrow(TypeError);
    },
  );
});
