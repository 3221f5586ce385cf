/** One route of the REST interface, as data: the index lists it, and other methods are told of it. */
import type { Context } from 'hono';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:name` stands for one segment. */
  readonly path: string;
  /** What it does, in a few words, with its query parameters. */
  readonly about: string;
  readonly answer: (context: Context) => Response | Promise<Response>;
}

/** The segment that stands for `:name` in the route's path. */
export function segment(context: Context, name: string): string {
  return context.req.param(name) ?? '';
}

/** Done, and there is nothing to show. */
export function done(): Response {
  return new Response(null, { status: 204 });
}

/** A time as JSON has it. @param at - in ms since 1970 */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

/** A value with its time, in ms since 1970, as JSON has it. */
export function dated<Value extends { readonly at: number }>(
  value: Value,
): Omit<Value, 'at'> & { readonly at: string } {
  return { ...value, at: iso(value.at) };
}
