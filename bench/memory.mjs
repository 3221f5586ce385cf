/** Memory: the highest resident set of a process that composes or sends one large message. */
import { attached, slowReceiver } from './send.mjs';

const COLUMNS = [
  { key: 'rss', title: 'peak RSS MiB' },
  { key: 'more', title: 'more than before, MiB' },
  { key: 'megabytes', title: 'MB/s' },
];

/** A file that is composed and thrown away. What is in memory already is not counted as `more`. */
function composed(title, kind, megabytes) {
  return {
    title,
    base: 'nodemailer',
    key: 'rss',
    lessIsBetter: true,
    maxRounds: 3,
    columns: COLUMNS,
    variants: ['nodemailer', 'emailjs', 'posthorn'].map((library) => ({
      name: library,
      run: (context) =>
        context.alone(
          { module: 'mime', name: 'memory', options: { library, kind, megabytes } },
          120_000,
        ),
    })),
  };
}

export const tables = ({ quick }) => [
  composed(`${quick ? '30 MB' : '1 GB'} composed from a stream`, 'stream', quick ? 30 : 1_000),
  composed(`${quick ? '10 MB' : '200 MB'} in memory, composed`, 'memory', quick ? 10 : 200),
  attached(quick),
  slowReceiver(quick),
];
