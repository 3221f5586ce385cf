import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTemplate, type TemplateValues } from '../../src/drivers/template.ts';
import { UsageError } from '../../src/runner/select.ts';

const NAMES = ['host', 'port', 'from', 'to', 'file', 'tls', 'user', 'pass', 'auth'];
const fill = (text: string, values: TemplateValues = {}) => parseTemplate(text, NAMES).fill(values);
const words = (text: string, values: TemplateValues = {}): string[] => fill(text, values).words;

describe('a template', () => {
  test('is words with values in them', () => {
    expect(words('send --host={host} -p {port}', { host: 'localhost', port: '25' })).toEqual([
      'send',
      '--host=localhost',
      '-p',
      '25',
    ]);
  });

  test('keeps a value in one word, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        expect(words('a {user} b', { user })).toEqual(['a', user, 'b']);
      }),
    );
  });

  test('makes a word for each recipient of a list', () => {
    expect(words('send {to}', { to: ['a@b', 'c@d'] })).toEqual(['send', 'a@b', 'c@d']);
    expect(words('send --to={to}', { to: ['a', 'b'] })).toEqual(['send', '--to=a', '--to=b']);
    expect(words('send {*to:--rcpt {to}} end', { to: ['a', 'b'] })).toEqual([
      'send',
      '--rcpt',
      'a',
      '--rcpt',
      'b',
      'end',
    ]);
    expect(words('send --to {,to} --from={,from}', { to: ['a', 'b'], from: 'c' })).toEqual([
      'send',
      '--to',
      'a,b',
      '--from=c',
    ]);
  });

  test('has parts that depend', () => {
    const text = 'x {?auth:-u {user}:{pass}} {!auth:--anonymous} {tls=starttls|implicit:--tls}';
    expect(words(text, { auth: 'yes', user: 'u', pass: 'p', tls: 'implicit' })).toEqual([
      'x',
      '-u',
      'u:p',
      '--tls',
    ]);
    expect(words(text, { tls: 'off' })).toEqual(['x', '--anonymous']);
    expect(words('{tls=implicit:smtps}{tls=off:smtp}://x', { tls: 'off' })).toEqual(['smtp://x']);
  });

  test('has quotes and backslashes for blanks', () => {
    expect(words(`a 'b c' "d {host}" e\\ f ''`, { host: 'x y' })).toEqual([
      'a',
      'b c',
      'd x y',
      'e f',
      '',
    ]);
    expect(words('"\\{" \'{host}\'', { host: 'h' }).at(-1)).toBe('h');
  });

  test('gives a file as standard input', () => {
    expect(fill('send {host} < {file}', { host: 'h', file: '/a b' })).toEqual({
      words: ['send', 'h'],
      input: '/a b',
    });
    expect(fill('send {host}', { host: 'h' }).input).toBeUndefined();
  });

  test('knows which names and which conditions it has', () => {
    const { names, conditions } = parseTemplate('{host} {tls=off|starttls:{port}}', NAMES);
    expect([...names]).toEqual(['host', 'tls', 'port']);
    expect([...conditions]).toEqual(['tls=off', 'tls=starttls']);
  });

  test.each([
    ['send {nobody}', /there is no \{nobody\}; there are \{host\}/],
    ['send {host', /is none of \{name\}/],
    ['send {?auth:x', /a \{ is not closed/],
    ['send {?auth}', /is none of \{name\}/],
    ['send {host:x}', /is none of \{name\}/],
    ['send {}', /begins no name/],
    ['send }', /a \} closes nothing/],
    ['send "x', /the quote " is not closed/],
  ])('%j is refused', (text, why) => {
    expect(() => parseTemplate(text, NAMES)).toThrow(UsageError);
    expect(() => parseTemplate(text, NAMES)).toThrow(why);
  });

  test('of any text is read, or refused with a UsageError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}?!*=:|\'"\\ <ahost') }), (text) => {
        try {
          parseTemplate(text, NAMES).fill({ host: 'h' });
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});
