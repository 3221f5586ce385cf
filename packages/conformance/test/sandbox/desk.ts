/** The platform and its pages without any server: messages are put in as they come from SMTP. */
import type { Hono } from 'hono';
import { parse } from 'parse5';
import { Callbacks } from '../../src/sandbox/callbacks.ts';
import { createCertificateAuthority } from '../../src/sandbox/certificates.ts';
import { judgeContent } from '../../src/sandbox/content-rules.ts';
import { FaultPlan } from '../../src/sandbox/faults.ts';
import { createApp } from '../../src/sandbox/http/app.ts';
import type { Site } from '../../src/sandbox/http/site.ts';
import type { CapturedMessage } from '../../src/sandbox/inbox.ts';
import type { SandboxOptions } from '../../src/sandbox/options.ts';
import { FORGETFUL, type Journal } from '../../src/sandbox/platform/journal.ts';
import { Platform } from '../../src/sandbox/platform/platform.ts';
import { judgeSender, judgeSize, judgeTls } from '../../src/sandbox/rules.ts';
import { Settings } from '../../src/sandbox/settings.ts';
import { parseMessage } from '../../src/sandbox/structure.ts';
import { FROM, TO } from '../dialogue.ts';
import { letter } from './letters.ts';

/** What is asked, beside its path. */
export interface Asking {
  readonly method?: string;
  /** A form. */
  readonly form?: Readonly<Record<string, string>> | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of no server; the set-up page takes its fingerprint. */
const { ca: CA } = await createCertificateAuthority();

export class Desk {
  readonly site: Site;
  readonly app: Hono;
  /** How often the journal was flushed. */
  flushed = 0;

  constructor(options: SandboxOptions = {}) {
    const journal: Journal = {
      ...FORGETFUL,
      flush: async () => {
        this.flushed += 1;
      },
    };
    const platform = new Platform(
      {
        retention: options.retention ?? 20_000,
        retentionOctets: 268_435_456,
        seed: options.seed,
        magic: true,
        deliver: options.deliver ?? 'auto',
        countRefused: true,
        confirmedSenders: [FROM],
      },
      journal,
    );
    const plan = new FaultPlan();
    this.site = {
      platform,
      settings: new Settings(options, platform.senders),
      plan,
      callbacks: new Callbacks(platform, options.callback),
      host: 'localhost',
      smtp: 2525,
      smtps: 4650,
      ca: CA,
      url: 'http://localhost',
      connections: 0,
      legacyTls: options.legacyTls ?? false,
      lasting: options.data !== undefined,
      exposed: options.unsafeBind ?? false,
      reset: async () => {},
    };
    this.app = createApp(this.site);
  }

  /** Takes a message, as the hooks of the SMTP server do. */
  async accept(
    content: string | Uint8Array = letter(),
    { from = FROM, to = [TO] }: { from?: string; to?: readonly string[] } = {},
  ): Promise<CapturedMessage> {
    const { platform, settings } = this.site;
    const raw = Buffer.from(content);
    const parsed = await parseMessage(raw);
    const { named: _named, ...rest } = parsed;
    const { rules } = settings;
    return platform.accept({
      id: platform.ids.next(),
      from,
      to,
      notSentTo: to.slice(1),
      raw,
      size: raw.length,
      ...rest,
      verdicts: [
        judgeTls(true, rules),
        judgeSender(from, rules),
        judgeSize(raw.length, rules),
        ...judgeContent(parsed, to, rules),
      ],
      secure: true,
      user: '1website',
      remoteAddress: '127.0.0.1',
      transcript: [
        { direction: 'client', text: `MAIL FROM:<${from}>`, secure: true },
        { direction: 'server', text: '250 Accepted', secure: true },
      ],
    });
  }

  async ask(path: string, { method, form, headers = {} }: Asking = {}): Promise<Response> {
    return this.app.request(`http://localhost${path}`, {
      method: method ?? (form === undefined ? 'GET' : 'POST'),
      headers: { host: 'localhost', ...headers },
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    });
  }

  /** The text of a page. */
  async page(path: string, asking?: Asking): Promise<string> {
    return (await this.ask(path, asking)).text();
  }
}

/** An element of a page, as parse5 has it. */
export interface Element {
  readonly tagName: string;
  readonly attrs: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes: readonly Node[];
}

type Node = Element | { readonly nodeName: string; readonly value?: string };

/** All elements of a page, in order. */
export function elementsOf(html: string): Element[] {
  const found: Element[] = [];
  const walk = (node: Node): void => {
    if ('tagName' in node) found.push(node);
    if ('childNodes' in node) for (const child of node.childNodes) walk(child);
  };
  walk(parse(html) as unknown as Element);
  return found;
}

/** All elements in one, in order. */
export function elementsIn({ childNodes }: Element): Element[] {
  return childNodes.flatMap((one) => ('tagName' in one ? [one, ...elementsIn(one)] : []));
}

export function attribute({ attrs }: Element, name: string): string | undefined {
  return attrs.find((one) => one.name === name)?.value;
}

/** The text in an element, blanks as one. Parts that `without` finds are left out. */
export function textOf(
  element: Element,
  without: (one: Element) => boolean = () => false,
  /** What stands between texts of different elements. */
  apart = '',
): string {
  const walk = (node: Node): string => {
    if ('tagName' in node)
      return without(node) || node.tagName === 'script' || node.tagName === 'style'
        ? ' '
        : node.childNodes.map(walk).join(apart);
    return 'value' in node && node.nodeName === '#text' ? (node.value ?? '') : '';
  };
  return walk(element).replace(/\s+/g, ' ').trim();
}
