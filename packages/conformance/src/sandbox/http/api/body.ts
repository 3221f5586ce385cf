/** The body of a request, as JSON of a shape. */
import type { Context } from 'hono';
import { Problem } from '../problem.ts';
import { jsonFault } from './json-fault.ts';
import { object, type Shape } from './shape.ts';

/** @throws Problem 400 for what is no JSON and what has another shape, 415 for what does not say that it is JSON */
export async function bodyOf<Value>(context: Context, shape: Shape<Value>): Promise<Value> {
  const octets = await context.req.arrayBuffer();
  if (octets.byteLength === 0)
    throw new Problem(400, 'Cannot do without a body: it has to be JSON', '');
  return read(context, octets, shape);
}

/** For routes that ask for nothing: no body, or an empty object. */
export async function noBody(context: Context): Promise<void> {
  const octets = await context.req.arrayBuffer();
  if (octets.byteLength > 0) read(context, octets, object({}));
}

function read<Value>(context: Context, octets: ArrayBuffer, shape: Shape<Value>): Value {
  const [type = ''] = (context.req.header('content-type') ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== 'application/json')
    throw new Problem(415, 'Cannot read the body: its Content-Type has to be application/json');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    throw new Problem(400, 'Cannot read the body: it is not UTF-8', '');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column, path } = jsonFault(text);
    throw new Problem(400, `Cannot read the body as JSON: line ${line}, column ${column}`, path);
  }
  return shape(value, '');
}
