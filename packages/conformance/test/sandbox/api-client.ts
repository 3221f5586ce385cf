/** Asks the sandbox over HTTP as no browser would: any path, any field, any body. Every wait is bounded. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Sandbox } from '../../src/index.ts';
import { within } from '../dialogue.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly octets: Buffer;
  readonly text: string;
  /** The body as JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** A text or octets go as they are, anything else as JSON. */
  readonly body?: unknown;
  /** In pieces, without a length. */
  readonly chunked?: boolean;
  readonly signal?: AbortSignal;
}

const agent = new Agent({ keepAlive: true });

/** `'GET /api/status'`, for instance. */
export type Line = `${string} ${string}`;

/** The response as soon as its head is there. */
export function open(
  { http }: Sandbox,
  line: Line,
  { headers = {}, body, chunked = false, signal }: Asked = {},
): Promise<IncomingMessage> {
  const [method = '', ...rest] = line.split(' ');
  const content =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array
      ? body
      : JSON.stringify(body);
  const coming = new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request(
      {
        agent,
        host: '127.0.0.1',
        port: http,
        method,
        path: rest.join(' '),
        ...(signal && { signal }),
        headers: {
          host: `localhost:${http}`,
          ...(content !== undefined && { 'content-type': 'application/json' }),
          ...(content !== undefined &&
            !chunked && { 'content-length': String(Buffer.byteLength(content)) }),
          ...(content !== undefined && chunked && { 'transfer-encoding': 'chunked' }),
          ...headers,
        },
      },
      resolve,
    );
    asking.on('error', reject);
    if (content !== undefined) asking.write(content);
    asking.end();
  });
  return within(coming, line);
}

export async function ask(sandbox: Sandbox, line: Line, asked: Asked = {}): Promise<Answer> {
  const response = await open(sandbox, line, asked);
  const chunks: Buffer[] = [];
  await within(
    (async () => {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    })(),
    `The body of ${line}`,
  );
  const octets = Buffer.concat(chunks);
  const text = octets.toString();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    octets,
    text,
    get json() {
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    },
  };
}

/** Closes what is kept open for the next request. */
export function hangUp(): void {
  agent.destroy();
}
