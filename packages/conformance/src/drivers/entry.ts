/** Where the modules that are started as processes stand beside this one. */

/** The URL of a module of the build, by its name in tsup.config.ts: all of them stand in one folder. */
export const entry = (name: 'host' | 'subject-core' | 'subject-nodemailer'): URL =>
  new URL(`./${name}.js`, import.meta.url);
