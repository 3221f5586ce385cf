import { devino } from '@posthorn/core/devino';
import { describe, expect, test } from 'vitest';
import { CAUSES, PROFILES, QUOTATIONS, REFUSALS } from '../src/index.ts';

describe.each(devino.versions)('the provider in $id', ({ id, grades, ...facts }) => {
  const words = QUOTATIONS[id];

  test.each(Object.keys(facts))('%s rests on words or is explained', (name) => {
    const { quotation, note } = words[name] ?? {};
    expect(quotation ?? note).toBeTruthy();
    // The page of 2016 is known by its values alone.
    const grade = grades[name as keyof typeof grades] ?? 'documented';
    if (grade === 'documented' && id !== '2016') expect(quotation).toBeTruthy();
  });
});

test('the causes and texts are those of the six refusals', () => {
  const reasons = devino.refusals.map(({ reason }) => reason).sort();
  expect(Object.keys(CAUSES).sort()).toEqual(reasons);
  expect(devino.refusals.map(({ reason, text }) => [reason, text])).toEqual(
    Object.entries(REFUSALS).map(([reason, { text }]) => [reason, text]),
  );
});

test('the sandbox has the limits of the profile', () => {
  for (const { id, maxSize, bannedFiles, unsubscribeTag, webVersionTag } of devino.versions) {
    if (id === 'successor') continue;
    const profile = PROFILES[id];
    expect(profile.maxSize).toBe(maxSize);
    expect(profile.attachments).toEqual(bannedFiles === 'all' ? 'none' : bannedFiles);
    if (id === '2017-10') expect(profile.tags).toEqual([unsubscribeTag, webVersionTag]);
  }
});
