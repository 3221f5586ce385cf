/** .github: what the workflows may do, what they run, and the forms of issues. No runner has to start for that. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './temporary-tree.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const yaml = createRequire(join(root, 'packages/conformance/package.json'))('yaml') as {
  parse(text: string): unknown;
};
const manifest = JSON.parse(read('package.json'));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly 'continue-on-error'?: boolean;
  readonly container?: string;
  readonly environment?: unknown;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly steps?: readonly Step[];
  readonly uses?: string;
}
interface Workflow {
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder)).map((file) => ({
  file,
  text: read(`${folder}/${file}`),
  workflow: yaml.parse(read(`${folder}/${file}`)) as Workflow,
}));
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ title: `${file} ${name}`, job })),
);
const jobOf = (title: string): Job | undefined => jobs.find((one) => one.title === title)?.job;

/** All that a job may do beyond reading the repository. */
const PERMISSIONS: Readonly<Record<string, object>> = {
  'release.yml publish': { contents: 'read', 'id-token': 'write' },
  'reference.yml publish': { pages: 'write', 'id-token': 'write' },
};

describe.each(workflows)('$file', ({ text, workflow }) => {
  it('may read the repository, and has no secrets', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(text).not.toMatch(/secrets\b|pull_request_target/);
  });

  it('says what becomes of two runs at once', () => {
    expect(workflow.concurrency).toMatchObject({
      group: expect.any(String),
      'cancel-in-progress': expect.anything(),
    });
  });

  it('uses actions by their commits, each with its version behind it', () => {
    const uses = [...text.matchAll(/^ *(?:- )?uses: (.*)$/gm)].map(([, what = '']) => what);
    expect(uses.length).toBeGreaterThan(0);
    for (const what of uses)
      if (what.startsWith('./')) expect(existsSync(join(root, what))).toBe(true);
      else expect(what).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});

it('an action is one commit everywhere', () => {
  const pins = new Map<string, Set<string>>();
  for (const { text } of workflows)
    for (const [, name = '', pin = ''] of text.matchAll(/uses: ([\w-]+\/[\w-]+)@(.*)$/gm))
      pins.set(name, new Set(pins.get(name)).add(pin));
  expect([...pins].filter(([, versions]) => versions.size > 1)).toEqual([]);
});

describe.each(jobs)('$title', ({ title, job }) => {
  it('may do no more than it needs', () => {
    expect(job.permissions).toEqual(PERMISSIONS[title]);
    expect(job.environment === undefined).toBe(PERMISSIONS[title] === undefined);
  });

  it('is bounded, on a system that has a version', () => {
    if (job.uses) return;
    expect(job['timeout-minutes']).toBeLessThanOrEqual(180);
    const systems = job.strategy?.matrix['os'] ?? [job['runs-on']];
    for (const system of systems) expect(system).toMatch(/^\w+-\d+(?:\.\d+)?$/);
  });

  it('leaves no token behind, and puts nothing of an event into a shell', () => {
    for (const step of job.steps ?? []) {
      if (step.uses?.startsWith('actions/checkout'))
        expect(step.with).toMatchObject({ 'persist-credentials': false });
      expect(step.run ?? '').not.toContain('${{');
    }
  });

  it('runs scripts that there are', () => {
    for (const { run = '' } of job.steps ?? []) {
      for (const [, name = ''] of run.matchAll(/npm run ([\w:-]+)/g))
        expect(Object.keys(manifest.scripts)).toContain(name);
      for (const [, file = ''] of run.matchAll(/node ([\w./-]+)/g))
        expect(existsSync(join(root, file)), file).toBe(true);
    }
  });
});

describe('ci.yml', () => {
  const runtimes = Object.entries<string>(
    JSON.parse(read('runtimes/package.json')).dependencies,
  ).flatMap(([name, from]) => (name.startsWith('node-') ? from.replace(/^.*@/, '') : []));

  it('tests each line of Node that is supported, the eldest from its first version', () => {
    const [first = '', ...rest] = runtimes;
    const short = first.split('.').slice(0, 2).join('.');
    const lines = rest.map((version) => version.split('.')[0]);
    expect(jobOf('ci.yml test')?.strategy?.matrix['node']).toEqual([short, ...lines]);
    expect(manifest.engines.node).toBe(`>=${short}`);
    expect(jobOf('ci.yml gate')?.container).toBe(`node:${short}-bookworm`);
  });

  it('runs the whole gate', () => {
    expect(manifest.scripts.check).toBe('bash .ci/run');
    expect(jobOf('ci.yml gate')?.steps?.at(-1)?.run).toBe('npm run check');
  });

  it('lets nothing fail but where nobody has looked', () => {
    const allowed = jobs.filter(({ job }) => job['continue-on-error']).map(({ title }) => title);
    expect(allowed).toEqual(['ci.yml elsewhere']);
  });
});

describe('release.yml', () => {
  const steps = jobOf('release.yml publish')?.steps ?? [];
  const publishing = steps.at(-1)?.run ?? '';

  it('publishes each package, those first that others need', () => {
    const [, list = ''] = /for name in ([\w ]+);/.exec(publishing) ?? [];
    const names = list.split(' ');
    expect([...names].sort()).toEqual(readdirSync(join(root, 'packages')).sort());
    for (const [at, name] of names.entries()) {
      const { dependencies = {} } = JSON.parse(read(`packages/${name}/package.json`));
      const needed = Object.keys(dependencies).filter((one) => one.startsWith('@posthorn/'));
      for (const one of needed)
        expect(names.indexOf(one.replace('@posthorn/', ''))).toBeLessThan(at);
    }
    expect(publishing).toMatch(/npm publish "\.\/packages\/\$name" --provenance --access public/);
  });

  it('publishes nothing before it was looked at, and the gate has passed', () => {
    expect(jobOf('release.yml publish')).toMatchObject({ needs: 'gate', environment: 'npm' });
    expect(jobOf('release.yml gate')).toEqual({
      needs: 'check',
      uses: './.github/workflows/ci.yml',
    });
    expect(jobOf('release.yml check')?.steps?.at(-1)?.run).toBe(
      'node scripts/release-check.mjs --tag "$GITHUB_REF_NAME"',
    );
  });
});

it('reference.yml publishes the folder that `npm run docs` writes', () => {
  const upload = jobOf('reference.yml make')?.steps?.at(-1);
  expect(upload?.with).toEqual({ path: 'dist/reference' });
  expect(read('scripts/docs.mjs')).toContain("join(root, 'dist', 'reference')");
});

describe('forms of issues', () => {
  interface Field {
    readonly type: string;
    readonly id?: string;
    readonly attributes: {
      readonly label?: string;
      readonly value?: string;
      readonly options?: object[];
    };
  }
  interface Form {
    readonly name: string;
    readonly description: string;
    readonly body: readonly Field[];
  }
  const place = '.github/ISSUE_TEMPLATE';
  const files = readdirSync(join(root, place)).filter((name) => name !== 'config.yml');

  it.each(files)('%s is one that GitHub takes', (file) => {
    const form = yaml.parse(read(`${place}/${file}`)) as Form;
    expect(Object.keys(form).sort()).toEqual(['body', 'description', 'labels', 'name']);
    const ids = form.body.flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, id, attributes } of form.body) {
      expect(type).toMatch(/^(?:markdown|textarea|input|dropdown|checkboxes)$/);
      if (type === 'markdown') expect(attributes.value).toBeTruthy();
      else expect([id, attributes.label]).toEqual([expect.any(String), expect.any(String)]);
      if (type === 'checkboxes') expect(attributes.options?.length).toBeGreaterThan(0);
    }
  });

  it.each(['bug.yml', 'server.yml'])('%s asks for a transcript, and for no secret', (file) => {
    const text = read(`${place}/${file}`);
    for (const part of [
      'onTranscript',
      'posthorn send -v',
      'There is no password, token or private key',
    ])
      expect(text).toContain(part);
  });

  it('there is no empty issue, and no address of anybody', () => {
    expect(yaml.parse(read(`${place}/config.yml`))).toEqual({ blank_issues_enabled: false });
    for (const file of [
      'SECURITY.md',
      'CONTRIBUTING.md',
      ...files.map((name) => `${place}/${name}`),
    ])
      expect(read(file)).not.toMatch(/[\w.]@(?!posthorn|b\b|example\.)[\w-]+\.\w+|mailto:/);
  });
});
