/**
 * The API reference: what the `exports` of the packages name, by its doc comments. Knows where the source of an entry
 * is, and which types are referenced though nobody can name them; typedoc.json has the rules.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Comment, Logger, LogLevel, TypeDocReader } from 'typedoc';
import workspace from '../workspace.cjs';

const { packageFolders, readJson } = workspace;

/** By package, `file:name` of each type that is referenced and that no program needs to name. One that is not referenced is a problem. */
const UNNAMED = new Map(
  Object.entries({
    // Classes that are exported as types alone, by an alias of the same name.
    '@posthorn/core': [
      'src/nodemailer/mail-message.ts:MailMessage',
      'src/nodemailer/transport.ts:PosthornTransport',
      'src/nodemailer/transporter.ts:Transporter',
    ],
  }),
);

/**
 * Every entry of the packages that is imported: `exports` is all that there is to add to.
 *
 * @returns {{ name: string, package: string, file: string, summary: string }[]}
 * @throws Error for an entry whose source is not where the others have theirs
 */
export function entriesOf(root) {
  return packageFolders(root).flatMap((folder) => {
    const manifest = readJson(join(folder, 'package.json'));
    return Object.entries(manifest.exports ?? {})
      .filter(([key]) => !key.endsWith('.json'))
      .map(([key, target]) => {
        const name = manifest.name + key.slice(1);
        const types = (target.import ?? target).types ?? '';
        const [, stem] = /^\.\/dist\/(.+)\.d\.ts$/.exec(types) ?? [];
        const file = [`${stem}.ts`, `${stem}/index.ts`]
          .map((source) => join(folder, 'src', source))
          .find((source) => existsSync(source));
        if (!file) throw new Error(`Cannot document ${name}: there is no source of "${types}".`);
        const summary = key === '.' ? manifest.description : headerOf(file);
        return { name, package: manifest.name, file, summary };
      });
  });
}

/** What the comment at the top of a file says; empty where there is none. */
function headerOf(file) {
  const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8')) ?? [];
  return comment.replaceAll(/^ *\*? ?/gm, '').trim();
}

/**
 * Makes the reference as HTML, each entry a module on its first page, and tells what is wrong with it.
 *
 * @param root - the work tree
 * @param out - the folder of the HTML, which is emptied; not written where something is wrong
 * @param unnamed - for each package, the types that are meant not to be exported though something refers to them
 * @returns {Promise<{ entries: { name: string, names: number }[], problems: string[] }>}
 */
export async function makeReference(root, out, unnamed = UNNAMED) {
  const entries = entriesOf(root);
  const app = await Application.bootstrap(
    {
      options: join(root, 'typedoc.json'),
      entryPoints: entries.map(({ file }) => file),
      basePath: root,
      readme: 'none',
      cleanOutputDir: true,
      packagesRequiringDocumentation: [...new Set(entries.map((entry) => entry.package))],
    },
    [new TypeDocReader()],
  );
  const kept = new KeptLog(root);
  app.logger = kept;
  // typedoc names a module by the path of its file: here it has the name that is imported.
  const found = app.getEntryPoints.bind(app);
  app.getEntryPoints = () =>
    found()?.map((point, at) => ({ ...point, displayName: entries[at].name }));

  const project = await app.convert();
  if (!project) return { entries: [], problems: kept.problems };
  const modules = entries.map((entry) => {
    const module = project.getChildByName([entry.name]);
    module.comment ??= new Comment([{ kind: 'text', text: entry.summary }]);
    return { name: entry.name, names: module.children?.length ?? 0 };
  });
  // What a project refers to and does not export is looked for in the package that it has the name of.
  const { packageName } = project;
  const rules = app.options.getValue('validation');
  for (const [at, name] of [...new Set(entries.map((entry) => entry.package))].entries()) {
    project.packageName = name;
    app.options.setValue('intentionallyNotExported', unnamed.get(name) ?? []);
    if (at === 1) app.options.setValue('validation', { ...rules, ...ONCE });
    app.validate(project);
  }
  project.packageName = packageName;
  if (kept.problems.length === 0) await app.generateDocs(project, out);
  return { entries: modules, problems: kept.problems };
}

/** The rules that know no package, and so need not be asked for each. */
const ONCE = {
  invalidLink: false,
  invalidPath: false,
  notDocumented: false,
  unusedMergeModuleWith: false,
};

/** Keeps what typedoc warns of, each with its file and line where there are any. */
class KeptLog extends Logger {
  problems = [];

  constructor(root) {
    super();
    this.root = root;
  }

  log(message, level) {
    super.log(message, level);
    if (level >= LogLevel.Warn) this.problems.push(message.replaceAll(`${this.root}/`, ''));
  }

  /** @param where - a node, or a position and its file, or nothing */
  addContext(message, _level, ...where) {
    const [start, file] =
      typeof where[0] === 'object' ? [where[0].getStart(), where[0].getSourceFile()] : where;
    if (!file) return message;
    const { line } = file.getLineAndCharacterOfPosition(start);
    return `${file.fileName}:${line + 1}: ${message}`;
  }
}
