/**
 * Sandboxes and connections for a file of tests. They are closed at its end and not after each test, since its
 * tests run at once: smtp-server greets each connection 100 ms late.
 */
import { afterAll, vi } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/index.ts';
import * as dialogue from './dialogue.ts';

export * from './dialogue.ts';

export interface Bench {
  start(options?: SandboxOptions): Promise<Sandbox>;
  knock: typeof dialogue.knock;
  talk: typeof dialogue.talk;
}

export function useBench(): Bench {
  vi.setConfig({ maxConcurrency: 20 });
  const sandboxes: Sandbox[] = [];
  const dialogues: dialogue.Dialogue[] = [];
  afterAll(async () => {
    for (const one of dialogues) one.destroy();
    await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  });
  const kept = (one: dialogue.Dialogue): dialogue.Dialogue => {
    dialogues.push(one);
    return one;
  };
  return {
    async start(options) {
      const sandbox = await startSandbox(options);
      sandboxes.push(sandbox);
      return sandbox;
    },
    knock: async (...how) => kept(await dialogue.knock(...how)),
    talk: async (...how) => kept(await dialogue.talk(...how)),
  };
}
