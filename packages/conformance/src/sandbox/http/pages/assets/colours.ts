/** The colours, in light and in dark. Text has a contrast of 4.5 to 1 and more: a test measures it. */

const LIGHT: Readonly<Record<string, string>> = {
  bg: '#f6f7f9',
  card: '#ffffff',
  fg: '#191c20',
  soft: '#565e69',
  line: '#e1e5ea',
  edge: '#868e99',
  well: '#f1f3f6',
  accent: '#3a4fc4',
  'accent-soft': '#eceffc',
  'on-accent': '#ffffff',
  danger: '#b3261e',
  client: '#2f45b5',
  server: '#191c20',
};

const DARK: Readonly<Record<string, string>> = {
  bg: '#111418',
  card: '#191d23',
  fg: '#e7eaee',
  soft: '#a3acb8',
  line: '#2b313a',
  edge: '#6b7480',
  well: '#13171c',
  accent: '#a9b6ff',
  'accent-soft': '#242b4a',
  'on-accent': '#10142b',
  danger: '#ff9c94',
  client: '#a9b6ff',
  server: '#e7eaee',
};

/** For each badge: text and back, in light and in dark. */
const BADGES: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  NotSent: ['#454c56;#e9ecf0', '#c3cad3;#2a3038'],
  Sent: ['#0b4f86;#e1f0fc', '#9ad0ff;#142c42'],
  Delivered: ['#115c34;#e2f5ea', '#83dca9;#12301f'],
  Read: ['#08595c;#dff4f4', '#7adadc;#0f2f31'],
  Clicked: ['#5a2f9e;#f0e9fc', '#cdb2ff;#2c2047'],
  Bounced: ['#8f1d16;#fdeae8', '#ffaaa2;#401a18'],
  Rejected: ['#7a4100;#fdeedb', '#ffc078;#3b2609'],
  pass: ['#115c34;#e2f5ea', '#83dca9;#12301f'],
  warn: ['#6b4a00;#fdf1cf', '#f5d47a;#382c08'],
  refuse: ['#8f1d16;#fdeae8', '#ffaaa2;#401a18'],
};

/** Of bars: told from their ground, and from each other by their names. */
const CHART: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  NotSent: ['#8b94a1', '#8b94a1'],
  Sent: ['#2f86cf', '#56a6ea'],
  Delivered: ['#2a9a5c', '#4cc285'],
  Read: ['#15919a', '#3fbcc4'],
  Clicked: ['#7d4fd0', '#a582ee'],
  Bounced: ['#cf4037', '#ee7068'],
  Rejected: ['#c9761a', '#e69b45'],
};

const variables = (plain: Readonly<Record<string, string>>, of: 0 | 1): string =>
  [
    ...Object.entries(plain).map(([name, value]) => `--${name}:${value}`),
    ...Object.entries(BADGES).map(([name, pair]) => {
      const [text, back] = pair[of].split(';');
      return `--on-${name}:${text};--${name}:${back}`;
    }),
    ...Object.entries(CHART).map(([name, pair]) => `--chart-${name}:${pair[of]}`),
  ].join(';');

const badges = Object.keys(BADGES)
  .map((name) => {
    const selector = /^[A-Z]/.test(name) ? `.state-${name}` : `.outcome-${name}`;
    return `${selector}{color:var(--on-${name});background:var(--${name})}`;
  })
  .join('\n');

export const COLOURS: string = `:root{color-scheme:light dark;${variables(LIGHT, 0)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK, 1)}}}
@media print{:root{color-scheme:light;${variables(LIGHT, 0)}}}
${badges}`;
