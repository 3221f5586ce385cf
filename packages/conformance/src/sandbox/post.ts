/** One HTTP request, bounded in all: no redirect is followed, and nobody waits for more than was asked. */
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** What is sent, and for how long. */
export interface Post {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
  /** Of all of it, in ms. */
  readonly timeout: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Posted {
  readonly status: number | undefined;
  /** Why there is no status. */
  readonly error: string | undefined;
}

/** Of what is answered no more is read, and nothing kept. */
const READ_AT_MOST = 1_024;

/** Never rejects. */
export function post({ url, contentType, body, timeout, signal }: Post): Promise<Posted> {
  return new Promise((resolve) => {
    let status: number | undefined;
    let request: ClientRequest | undefined;
    const end = (error: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      request?.destroy();
      resolve({ status, error: status === undefined ? reasonOf(error) : undefined });
    };
    const abort = (): void => end('It was given up');
    const timer = setTimeout(() => end(`No answer came within ${timeout} ms`), timeout);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) return abort();
    try {
      const to = new URL(url);
      request = (to.protocol === 'https:' ? requestHttps : requestHttp)(to, {
        method: 'POST',
        // A connection that is kept open fails when the other side has closed it meanwhile.
        agent: false,
        headers: {
          'content-type': contentType,
          'content-length': Buffer.byteLength(body),
          'user-agent': 'posthorn-sandbox',
        },
      });
      request.on('error', end);
      request.on('close', () => end('The connection was closed'));
      request.on('response', (response) => {
        status = response.statusCode;
        let read = 0;
        response.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > READ_AT_MOST) end(undefined);
        });
        response.on('error', end);
        response.on('end', () => end(undefined));
      });
      request.end(body);
    } catch (error) {
      end(error);
    }
  });
}

/** Some of Node's errors have a code and no text. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
