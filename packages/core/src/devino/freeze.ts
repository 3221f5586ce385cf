/** A copy of plain data, frozen all the way down. */
export function freeze<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_, inner) => Object.freeze(inner));
}
