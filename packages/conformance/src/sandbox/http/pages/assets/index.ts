/** Style and scripts: served by the sandbox itself, since its pages load nothing from elsewhere. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Hono } from 'hono';
import { COPY } from './copy.ts';
import { ICON } from './icon.ts';
import { LIVE } from './live.ts';
import { PAGE } from './page.ts';
import { CHART } from './statistics.ts';
import { STYLE } from './style.ts';

const SCRIPT = 'text/javascript; charset=utf-8';

interface Asset {
  readonly type: string;
  readonly content: () => string;
}

const ASSETS: Readonly<Record<string, Asset>> = {
  'style.css': { type: 'text/css; charset=utf-8', content: () => STYLE },
  'icon.svg': { type: 'image/svg+xml', content: () => ICON },
  'page.js': { type: SCRIPT, content: () => PAGE },
  'live.js': { type: SCRIPT, content: () => LIVE },
  'copy.js': { type: SCRIPT, content: () => COPY },
  'statistics.js': { type: SCRIPT, content: () => CHART },
  'chart.js': { type: SCRIPT, content: library },
};

/** Chart.js for a page without modules. Its package exports no such file, so it is found beside the one that it does. */
function library(): string {
  const main = createRequire(import.meta.url).resolve('chart.js');
  return readFileSync(join(dirname(main), 'chart.umd.min.js'), 'utf8');
}

interface Made {
  readonly content: string;
  readonly hash: string;
}

const made = new Map<string, Made | undefined>();

/** Made once, when first asked for. Nothing where it cannot be read: pages do without. */
function make(name: string): Made | undefined {
  if (!made.has(name)) {
    let one: Made | undefined;
    try {
      const content = ASSETS[name]?.content();
      one =
        content === undefined
          ? undefined
          : { content, hash: createHash('sha256').update(content).digest('hex').slice(0, 12) };
    } catch {
      one = undefined;
    }
    made.set(name, one);
  }
  return made.get(name);
}

/** Where an asset is. Its address changes with its content, so that it can be kept for ever. */
export function assetUrl(name: string): string {
  return `/assets/${name}?v=${make(name)?.hash ?? '0'}`;
}

export function assets(app: Hono): void {
  app.get('/assets/:name', (context) => {
    const name = context.req.param('name');
    const asset = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    const found = asset && make(name);
    if (!asset || !found) return context.notFound();
    const current = context.req.query('v') === found.hash;
    return context.body(found.content, 200, {
      'Content-Type': asset.type,
      'Cache-Control': current ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  });
}
