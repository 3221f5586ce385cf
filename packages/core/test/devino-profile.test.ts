import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { devino, explain } from '../src/devino/index.ts';

describe('devino', () => {
  test('holds the options of both ways to connect', () => {
    expect(devino.starttls).toEqual({ host: 'integrationapi.net', port: 587, tls: 'starttls' });
    expect(devino.implicit).toEqual({ host: 'integrationapi.net', port: 465, tls: 'implicit' });
  });

  test('holds the limits in octets', () => {
    expect(devino.limits).toMatchObject({
      sizeWarning: 500_000,
      maxSize: 512_000,
    });
  });

  test('holds the tags and the six texts verbatim', () => {
    expect(devino.tags).toEqual(['[Unsubscribe]', '[WebVersion]']);
    expect(devino.refusals.map(({ reason, text, retry }) => [text, reason, retry])).toEqual([
      ['Must authenticate before sending mail', 'not-authenticated', 'fix-first'],
      ['Internal server error', 'server-error', 'later'],
      ['Not allowed attachement type', 'attachment-type', 'fix-first'],
      ['Message exceeds fixed size limit', 'too-large', 'fix-first'],
      ['Invalid recipient address:', 'invalid-recipient', 'never'],
      ['Disallowed source address:', 'sender-not-confirmed', 'fix-first'],
    ]);
  });

  test('agrees with explain()', () => {
    for (const { reason, text, retry } of devino.refusals) {
      const reply = { code: devino.replyCode, lines: [text], text };
      expect(explain(reply)).toMatchObject({ reason, retry });
    }
  });

  test('holds the versions, the current one among them', () => {
    expect(devino.versions.map(({ id }) => id)).toEqual(['2016', '2017-10', 'successor']);
    const [first, current, successor] = devino.versions;
    expect(first).toMatchObject({ maxSize: 10_485_760, sender: 'address' });
    expect(first?.bannedFiles).toHaveLength(31);
    expect(current).toMatchObject({
      id: devino.version,
      host: devino.starttls.host,
      ports: [devino.starttls.port, devino.implicit.port],
      maxSize: devino.limits.maxSize,
      recipients: devino.limits.recipients,
      replyCode: devino.replyCode,
    });
    expect([current?.unsubscribeTag, current?.webVersionTag]).toEqual(devino.tags);
    expect(successor).toMatchObject({
      host: 'smtp.devino.online',
      ports: [25, 587, 465],
      sender: 'domain',
    });
    expect([successor?.unsubscribeTag, successor?.webVersionTag]).toEqual(devino.tags);
  });

  test('grades what is not documented', () => {
    for (const { grades, ...facts } of devino.versions)
      for (const [name, grade] of Object.entries(grades)) {
        expect(facts).toHaveProperty(name);
        expect(['observed', 'guess']).toContain(grade);
      }
    // The page says 500 KB, and not whether a kilobyte has 1,000 octets or 1,024.
    expect(devino.versions[1]?.grades).toEqual({
      maxSize: 'guess',
      webVersionTag: 'guess',
      missingTag: 'observed',
    });
  });

  test('is frozen, all the way down', () => {
    const thawed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    visit(devino, 'devino');
    expect(thawed).toEqual([]);
  });

  test('is not in a bundle that has no use for it', () => {
    const bundle = (contents: string): string => {
      const resolveDir = fileURLToPath(new URL('../src/devino', import.meta.url));
      const built = buildSync({
        stdin: { contents, resolveDir },
        bundle: true,
        format: 'esm',
        charset: 'utf8',
        write: false,
      });
      return built.outputFiles[0]?.text ?? '';
    };
    // From one file, as published, where every statement must be free of side effects by itself.
    const published = bundle("export * from './index.ts';");
    expect(published).toContain('integrationapi.net');
    for (const name of ['explain', 'check']) {
      const used = bundle(published.replace(/export \{[^}]*\};/, `export { ${name} };`));
      expect(used).toContain(`function ${name}(`);
      expect(used).not.toMatch(/integrationapi|successor/);
    }
  });

  test('is plain data', () => {
    expect(JSON.parse(JSON.stringify(devino))).toEqual(devino);
  });
});
