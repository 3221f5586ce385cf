/** A raw SMTP dialogue with the sandbox, line by line. Every wait is bounded. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Sandbox } from '../src/index.ts';

export const FROM = 'noreplay@devinotele.com';
export const TO = 'test@devinotele.com';
export const USER = '1website';
export const PASS = 'test';
export const TAGS = '[Unsubscribe] [WebVersion]';

/** Far above what anything here takes, in ms: it only has to end what hangs. */
const LIMIT = 10_000;

/** A promise that fails after a while. */
export function within<T>(promise: Promise<T>, what: string, ms: number = LIMIT): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until it is so. (Tests that run at once cannot use expect.poll().) */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + LIMIT;
  while (!isSo()) {
    if (performance.now() > limit) throw new Error(`${what}: not within ${LIMIT} ms`);
    await sleep(5);
  }
}

/** Waits until nobody is connected. */
export function left(sandbox: Sandbox): Promise<void> {
  return until(() => sandbox.connections === 0, 'All clients have left');
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A message as it goes out, with both tags in it. */
export function mail(
  body: string = `Hello ${TAGS}`,
  fields: string = 'Content-Type: text/plain; charset=utf-8',
): string {
  return `From: <${FROM}>\r\nTo: <${TO}>\r\nSubject: Test from smtp\r\nMIME-Version: 1.0\r\n${fields}\r\n\r\n${body}\r\n`;
}

/** A message with one file. */
export function mailWithFile(filename: string, contentType = 'application/octet-stream'): string {
  return mail(
    [
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      `Hello ${TAGS}`,
      '--b',
      `Content-Type: ${contentType}`,
      `Content-Disposition: attachment; filename="${filename}"`,
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '--b--',
    ].join('\r\n'),
    'Content-Type: multipart/mixed; boundary=b',
  );
}

/** One connection, seen from the client. */
export class Dialogue {
  #socket: Socket;
  #buffer = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  #listen(): void {
    const socket = this.#socket;
    const end = (): void => {
      if (socket !== this.#socket) return;
      this.#ended = true;
      this.#wake();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#buffer += chunk.toString('utf8');
      this.#wake();
    });
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  /** The next reply, its lines joined by LF; undefined where the connection ended without one. */
  async reply(ms: number = LIMIT): Promise<string | undefined> {
    const complete = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/;
    const read = async (): Promise<string | undefined> => {
      for (;;) {
        const [found] = complete.exec(this.#buffer) ?? [];
        if (found !== undefined) {
          this.#buffer = this.#buffer.slice(found.length);
          return found.slice(0, -2).replaceAll('\r\n', '\n');
        }
        if (this.#ended) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return within(read(), 'A reply', ms);
  }

  /** Sends a line and gives its reply. */
  async ask(line: string, ms?: number): Promise<string | undefined> {
    this.write(`${line}\r\n`);
    return this.reply(ms);
  }

  write(octets: string | Uint8Array): void {
    this.#socket.write(octets);
  }

  /** What has come and was not read as a reply. */
  get unread(): string {
    return this.#buffer;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** STARTTLS, and TLS by the sandbox's own authority. */
  async startTls(ca: string): Promise<void> {
    const reply = await this.ask('STARTTLS');
    if (reply !== '220 Ready to start TLS') throw new Error(`STARTTLS: ${reply}`);
    const plain = this.#socket;
    plain.removeAllListeners('data');
    this.#socket = connectTls({ socket: plain, ca, host: 'localhost', servername: 'localhost' });
    this.#listen();
    const secure = new Promise<void>((resolve, reject) => {
      this.#socket.once('secureConnect', resolve);
      this.#socket.once('error', reject);
    });
    await within(secure, 'The TLS handshake');
  }

  /** MAIL, RCPT for each recipient, and DATA with the content: the replies in their order. */
  async send(
    content: string | Uint8Array = mail(),
    { from = FROM, to = [TO] }: { from?: string; to?: readonly string[] } = {},
  ): Promise<(string | undefined)[]> {
    const replies = [await this.ask(`MAIL FROM:<${from}>`)];
    if (!replies[0]?.startsWith('250')) return replies;
    for (const one of to) replies.push(await this.ask(`RCPT TO:<${one}>`));
    if (!replies.slice(1).some((reply) => reply?.startsWith('250'))) return replies;
    replies.push(await this.ask('DATA'));
    this.write(content);
    replies.push(await this.ask('.'));
    return replies;
  }

  /** Sends what was written, and closes this side. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export type Route = 'plain' | 'starttls' | 'implicit';

export interface DialogueOptions {
  /** Default 'implicit'. */
  readonly route?: Route;
  /** Whether to log in; default true. */
  readonly login?: boolean;
}

/** A connection whose greeting has not been read. */
export async function knock(sandbox: Sandbox, route: 'plain' | 'implicit'): Promise<Dialogue> {
  const socket =
    route === 'plain'
      ? connectTcp({ host: '127.0.0.1', port: sandbox.smtp })
      : connectTls({
          host: '127.0.0.1',
          port: sandbox.smtps,
          ca: sandbox.ca,
          servername: 'localhost',
        });
  const dialogue = new Dialogue(socket);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once(route === 'plain' ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  await within(connected, 'The connection');
  return dialogue;
}

/** A connection behind EHLO, and AUTH unless told otherwise. */
export async function talk(
  sandbox: Sandbox,
  { route = 'implicit', login = true }: DialogueOptions = {},
): Promise<Dialogue> {
  const dialogue = await knock(sandbox, route === 'implicit' ? 'implicit' : 'plain');
  const greeting = await dialogue.reply();
  if (!greeting?.startsWith('220 ')) throw new Error(`greeting: ${greeting}`);
  await dialogue.ask('EHLO client.example');
  if (route === 'starttls') {
    await dialogue.startTls(sandbox.ca);
    await dialogue.ask('EHLO client.example');
  }
  if (login) {
    const reply = await dialogue.ask(`AUTH PLAIN ${base64(`\0${USER}\0${PASS}`)}`);
    if (!reply?.startsWith('235 ')) throw new Error(`AUTH: ${reply}`);
  }
  return dialogue;
}
