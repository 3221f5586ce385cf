/** What the figures belong to: the machine, the runtime and the versions of what is compared. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const PACKAGES = [
  'nodemailer',
  'emailjs',
  'mimetext',
  'worker-mailer',
  '@upyo/smtp',
  '@posthorn/core',
  '@posthorn/mime',
];

const versionOf = (name) => {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(manifest), 'utf8')).version;
};

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** The same in two lines. */
export function machineText({ cpu, cores, platform, node, packages }) {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return `Node ${node}, ${platform}, ${cores} cores, ${cpu}\n${versions.join(', ')}`;
}
