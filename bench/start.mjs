/** What a start costs: the import of each package, and the way from nothing to a message that is sent. */
import { arrived } from './send.mjs';

const IMPORTS = [
  ['node:tls alone', 'node:tls'],
  ['nodemailer', 'nodemailer'],
  ['nodemailer/lib/smtp-connection', 'nodemailer/lib/smtp-connection'],
  ['emailjs', 'emailjs'],
  ['posthorn core', '@posthorn/core'],
  ['posthorn core and mime', '@posthorn/core', '@posthorn/mime'],
];

const CLIENTS = [
  ['nodemailer', 'nodemailer-pool'],
  ['nodemailer connection', 'nodemailer-connection'],
  ['emailjs', 'emailjs'],
  ['posthorn', 'posthorn'],
];

export const tables = () => [
  {
    title: 'Start: import, in a fresh process',
    base: 'nodemailer',
    key: 'elapsed',
    lessIsBetter: true,
    minRounds: 15,
    columns: [
      { key: 'elapsed', title: 'ms' },
      { key: 'heap', title: 'heap KiB' },
    ],
    variants: IMPORTS.map(([name, ...specifiers]) => ({
      name,
      run: (context) => context.bare('start', specifiers, ['--expose-gc']),
    })),
  },
  ...['off', 'implicit'].map((tls) => ({
    title: `Start: import, connect and first message, ${tls === 'off' ? 'plain' : 'TLS'}`,
    base: 'nodemailer',
    key: 'elapsed',
    lessIsBetter: true,
    minRounds: 15,
    columns: [{ key: 'elapsed', title: 'ms' }],
    variants: CLIENTS.map(([name, client]) => ({
      name,
      gates: arrived,
      run: (context) => context.first({ chunking: true, tls }, client),
    })),
  })),
];
