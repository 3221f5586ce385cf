/**
 * What stands before every route: who may ask (against DNS rebinding and cross-site requests), how much, and which
 * headers go with what is answered. Knows no routes but the one that mail providers post to from anywhere.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from './problem.ts';
import type { Site } from './site.ts';

/** Octets of a body. */
const LARGEST_BODY = 1_048_576;
/** Characters of a request target. */
const LONGEST_TARGET = 8_192;

const DEFAULTS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Not 'no-referrer': browsers send `Origin: null` with the forms of such a page, as one of another site does.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Puts the headers on everything. A route that sets one itself keeps it; one with a policy says who frames it. */
export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    context.res = protectedResponse(context.res);
  };
}

/** The same response with the headers. */
export function protectedResponse(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(DEFAULTS))
    if (!headers.has(name)) headers.set(name, value);
  if (!headers.has('content-security-policy')) {
    headers.set('content-security-policy', POLICY);
    headers.set('x-frame-options', 'DENY');
  }
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Lets through what may be answered. @throws Problem 400, 403, 413, 414 */
export function gate(site: Site): MiddlewareHandler {
  return async (context, next) => {
    checkTarget(context);
    checkHost(context, site);
    const { method } = context.req;
    if (!/^(GET|HEAD|OPTIONS)$/.test(method)) {
      const foreign = isForeign(context, site);
      // RFC 8058 §3.2: it is the mailbox provider that posts, on behalf of the reader.
      const mayBeOneClick = method === 'POST' && /^\/u\/[^/]+$/.test(context.req.path);
      if (foreign && !mayBeOneClick) throw crossSite();
      await readBody(context);
      if (foreign && !(await isOneClick(context))) throw crossSite();
    }
    await next();
  };
}

function crossSite(): Problem {
  return new Problem(403, 'Cannot take this: another site asks for it');
}

/** As it came; a URL has its `..` resolved. Without a server there is but the URL. */
function targetOf(context: Context): string {
  return incomingOf(context)?.url ?? context.req.url.replace(/^[a-z]+:\/\/[^/]*/, '');
}

function incomingOf(context: Context): IncomingMessage | undefined {
  const { env }: { readonly env: { readonly incoming?: IncomingMessage } | undefined } = context;
  return env?.incoming;
}

function checkTarget(context: Context): void {
  const target = targetOf(context);
  if (target.length > LONGEST_TARGET)
    throw new Problem(414, `Cannot read the address: it is longer than ${LONGEST_TARGET} octets`);
  const [path = '', ...query] = target.split('?');
  const decoded = decode(path);
  decode(query.join('?'));
  if (/\p{Cc}/u.test(decoded))
    throw new Problem(400, 'Cannot read the address: there is a control character in its path');
  if (decoded.split(/[/\\]/).some((segment) => segment === '.' || segment === '..'))
    throw new Problem(400, 'Cannot read the address: its path leads upwards');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem(400, 'Cannot read the address: it is not percent-encoded UTF-8');
  }
}

/**
 * A name that somebody else owns may lead here too; a page from there would be of the same origin as the sandbox.
 * localhost and IP addresses belong to nobody.
 */
function checkHost(context: Context, site: Site): void {
  // RFC 9112 §3.2.2: of a target in absolute form the host counts, and not the field.
  const hosts = [context.req.header('host'), new URL(context.req.url).host];
  if (hosts[0] === undefined)
    throw new Problem(400, 'Cannot answer: there is no Host field in the request');
  if (!hosts.every((host) => host !== undefined && isOwn(host, context, site)))
    throw new Problem(
      403,
      `Cannot answer for this host: ask for ${site.url}, or start the sandbox with --public-url (publicUrl of startSandbox()) set to where it is reached`,
    );
}

function isOwn(host: string, context: Context, site: Site): boolean {
  const lower = host.toLowerCase();
  const own = new URL(site.url);
  if (lower === own.host) return true;
  const [, name = '', port = '80'] =
    /^(\[[\da-f:.]+\]|[a-z\d.-]+)(?::(\d{1,5}))?$/.exec(lower) ?? [];
  const literal = name.replace(/^\[(.*)\]$/, '$1');
  if (site.exposed && isIP(literal) !== 0) return true;
  const socket = incomingOf(context)?.socket;
  const ownPort = socket?.localPort ?? Number(own.port || 80);
  const ownAddress = socket?.localAddress?.replace(/^::ffff:/, '');
  return (
    Number(port) === ownPort &&
    (name === 'localhost' || name === '127.0.0.1' || name === '[::1]' || literal === ownAddress)
  );
}

/** Whether a page of another origin asks. Programs say neither; browsers say at least one of them. */
function isForeign(context: Context, site: Site): boolean {
  const fetchSite = context.req.header('sec-fetch-site');
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return true;
  const origin = context.req.header('origin');
  if (origin === undefined) return false;
  // Behind a proxy the sandbox is known by its public address alone.
  return origin !== new URL(context.req.url).origin && origin !== new URL(site.url).origin;
}

/** Reads it as far as it may be long; the routes find it where hono keeps it. What is left, the server reads off. */
async function readBody(context: Context): Promise<void> {
  const large = new Problem(413, `Cannot take the body: it is longer than ${LARGEST_BODY} octets`);
  if (Number(context.req.header('content-length') ?? 0) > LARGEST_BODY) throw large;
  const incoming = incomingOf(context);
  if (!incoming) {
    if ((await context.req.arrayBuffer()).byteLength > LARGEST_BODY) throw large;
    return;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Its web stream would hold back what is left, and with it the connection.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Uint8Array);
      size += (chunk as Uint8Array).length;
      if (size > LARGEST_BODY) break;
    }
  } catch {
    throw new Problem(400, 'Cannot read the body: it ends too soon');
  }
  if (size > LARGEST_BODY) throw large;
  const octets = new Uint8Array(Buffer.concat(chunks));
  // hono types what it will be, and keeps the promise of it.
  Object.assign(context.req.bodyCache, { arrayBuffer: Promise.resolve(octets.buffer) });
}

/** RFC 8058 §3.1: one pair, as a form of either kind. */
async function isOneClick(context: Context): Promise<boolean> {
  const type = context.req.header('content-type') ?? '';
  if (/^application\/x-www-form-urlencoded\b/i.test(type))
    return (await context.req.text()) === 'List-Unsubscribe=One-Click';
  if (!/^multipart\/form-data\b/i.test(type)) return false;
  const form = await context.req.formData().catch(() => new FormData());
  const pairs = [...form];
  return pairs.length === 1 && pairs[0]?.join('=') === 'List-Unsubscribe=One-Click';
}
