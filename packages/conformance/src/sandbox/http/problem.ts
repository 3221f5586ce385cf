/** Why a request cannot be answered, as a value that is thrown and as what is sent. */

/** No text of it is longer: values from outside stand in some. */
const LONGEST = 500;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A request that cannot be answered. Its text is shown, so it holds nothing secret. */
export class Problem extends Error {
  /** Of HTTP. */
  readonly status: number;
  /** Where the fault is: a JSON pointer (RFC 6901) into the body, or `/` and the name of a query parameter. */
  readonly path: string | undefined;
  /** Sent beside it. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    error: string,
    path?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(cut(error));
    this.name = 'Problem';
    this.status = status;
    this.path = path === undefined ? undefined : cut(path);
    this.headers = headers;
  }
}

/** What of an error is shown: of one that nobody foresaw, nothing. */
export function problemOf(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem(500, 'Cannot answer: the sandbox has a fault of its own here');
}

/** As JSON, in the media type of RFC 9457. */
export function problemJson(problem: Problem): Response {
  const { message: error, path, status, headers } = problem;
  return new Response(JSON.stringify({ error, ...(path !== undefined && { path }) }), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}

/** As plain text. */
export function problemText({ message, status, headers }: Problem): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
  });
}
