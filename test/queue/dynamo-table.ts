/**
 * A table of DynamoDB as far as the recipe uses it: update and get of the document client, with the expressions that stand in
 * docs/queues.md, and with the refusals that the service has for what is wrong with them.
 */

type Item = Record<string, unknown>;

export interface UpdateInput {
  readonly TableName: string;
  readonly Key: { readonly id: string };
  readonly UpdateExpression: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Readonly<Record<string, unknown>>;
  readonly ReturnValues: 'ALL_NEW';
}

const refuse = (name: string, message: string): never => {
  throw Object.assign(new Error(message), { name });
};

export function dynamoTable() {
  const items = new Map<string, Item>();

  function expressions(input: UpdateInput, item: Item) {
    const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = input;
    const text = `${input.UpdateExpression} ${input.ConditionExpression}`;
    for (const name of [...Object.keys(names), ...Object.keys(values)])
      if (!new RegExp(`${name}\\b`).test(text))
        refuse('ValidationException', `Value provided but unused in expressions: ${name}`);
    const nameFor = (word: string): string =>
      word.startsWith('#')
        ? (names[word] ?? refuse('ValidationException', `undefined: ${word}`))
        : word;
    const valueFor = (word: string): unknown => {
      if (!word.startsWith(':')) return item[nameFor(word)];
      return word in values ? values[word] : refuse('ValidationException', `undefined: ${word}`);
    };
    return { nameFor, valueFor };
  }

  /** OR of AND of comparisons; what is missing is equal to nothing. */
  function holds(input: UpdateInput, item: Item): boolean {
    const { nameFor, valueFor } = expressions(input, item);
    const comparison = (text: string): boolean => {
      const [, not] = /^attribute_not_exists\((.+)\)$/.exec(text) ?? [];
      if (not) return item[nameFor(not)] === undefined;
      const [, left = '', list = ''] = /^(\S+) IN \((.+)\)$/.exec(text) ?? [];
      const [, one = left, other] = /^(\S+) = (\S+)$/.exec(text) ?? [];
      if (!one) refuse('ValidationException', `Invalid ConditionExpression: ${text}`);
      const found = valueFor(one);
      const wanted = other ? [valueFor(other)] : list.split(', ').map(valueFor);
      return found !== undefined && wanted.includes(found);
    };
    return input.ConditionExpression.split(' OR ').some((all) =>
      all.split(' AND ').every(comparison),
    );
  }

  function update(input: UpdateInput, before: Item): Item {
    const { nameFor, valueFor } = expressions(input, before);
    const item = { ...before };
    const clauses = input.UpdateExpression.split(/(?:^| )(SET|REMOVE|ADD) /).slice(1);
    if (!clauses[0]) refuse('ValidationException', 'Invalid UpdateExpression');
    for (let at = 0; at < clauses.length; at += 2)
      for (const part of clauses[at + 1]?.split(', ') ?? []) {
        const [left = '', sign = '', right = ''] = part.split(' ');
        if (clauses[at] === 'SET' && sign === '=') item[nameFor(left)] = valueFor(right);
        else if (clauses[at] === 'REMOVE') delete item[nameFor(left)];
        else if (clauses[at] === 'ADD')
          item[nameFor(left)] = Number(item[nameFor(left)] ?? 0) + Number(valueFor(sign));
        else refuse('ValidationException', `Invalid UpdateExpression: ${part}`);
      }
    return item;
  }

  return {
    async update(input: UpdateInput): Promise<{ Attributes?: Item }> {
      const before = items.get(input.Key.id) ?? { id: input.Key.id };
      if (!holds(input, before))
        refuse('ConditionalCheckFailedException', 'The conditional request failed');
      const after = update(input, before);
      items.set(input.Key.id, after);
      return { Attributes: { ...after } };
    },
    async get(input: {
      readonly Key: { readonly id: string };
      readonly ConsistentRead: boolean;
    }): Promise<{ Item?: Item }> {
      if (!input.ConsistentRead) refuse('ValidationException', 'an old answer would be no answer');
      const item = items.get(input.Key.id);
      return item ? { Item: { ...item } } : {};
    },
  };
}
