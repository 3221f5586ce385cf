/**
 * Command templates: words with `{variables}` and `{conditions:…}`, made into an argument list without any shell.
 *
 * `{host}` is a value; `{to}` as a word of its own becomes one word for each recipient. `{?auth:-u {user}}` stands
 * there only where there is such a value, `{!auth:…}` where there is none, `{*to:--rcpt {to}}` once for each value of
 * a list, whose values `{,to}` joins by commas; `{tls=starttls|implicit:--ssl}` only where the variable is one of these.
 * Words are parted by blanks; quotes keep blanks together; a backslash takes the next character as it is. `< {file}`
 * at the end gives a file as standard input.
 */
import { UsageError } from '../runner/select.ts';

type Node =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'blank' }
  | { readonly is: 'variable'; readonly name: string; readonly joined: boolean }
  | {
      readonly is: 'condition';
      readonly how: '?' | '!' | '*' | '=';
      readonly name: string;
      readonly values: readonly string[] | undefined;
      readonly then: readonly Node[];
    };

/** A template that can be filled in. */
export interface Template {
  /** Every variable that is named. */
  readonly names: ReadonlySet<string>;
  /** Every value that a condition asks for: 'tls=starttls'. */
  readonly conditions: ReadonlySet<string>;
  /** The program with its arguments, and the file that is its standard input. */
  fill(values: TemplateValues): { readonly words: string[]; readonly input: string | undefined };
}

/** A value is there, or not; a list becomes several words. */
export type TemplateValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads a template.
 *
 * @param known - the names that there are
 * @throws UsageError for a name that there is not, and for a brace or a quote that is not closed
 */
export function parseTemplate(text: string, known: readonly string[]): Template {
  const names = new Set<string>();
  const conditions = new Set<string>();
  let at = 0;
  const wrong = (why: string): never => {
    throw new UsageError(`the command ${JSON.stringify(text)}: ${why}`);
  };
  const named = (name: string): string => {
    if (!known.includes(name))
      wrong(`there is no {${name}}; there are ${known.map((one) => `{${one}}`).join(' ')}`);
    names.add(name);
    return name;
  };
  const read = (inside: boolean): Node[] => {
    const nodes: Node[] = [];
    let plain = '';
    /** There was a quote: what is between two may be empty, and is a word all the same. */
    let quoted = false;
    const flush = (): void => {
      if (plain || quoted) nodes.push({ is: 'text', text: plain });
      plain = '';
      quoted = false;
    };
    let quote = '';
    for (; at < text.length; at += 1) {
      const character = text[at] as string;
      if (quote) {
        if (character === quote) quote = '';
        else if (character === '\\' && quote === '"' && at + 1 < text.length) {
          at += 1;
          plain += text[at];
        } else if (character === '{') {
          flush();
          nodes.push(brace());
        } else plain += character;
      } else if (character === '"' || character === "'") {
        quote = character;
        quoted = true;
      } else if (character === '\\' && at + 1 < text.length) {
        at += 1;
        plain += text[at];
      } else if (/\s/.test(character)) {
        flush();
        nodes.push({ is: 'blank' });
      } else if (character === '{') {
        flush();
        nodes.push(brace());
      } else if (character === '}') {
        if (!inside) wrong('a } closes nothing');
        break;
      } else plain += character;
    }
    if (quote) wrong(`the quote ${quote} is not closed`);
    flush();
    return nodes;
  };
  /** From the `{` at which the text is, to its `}`. */
  const brace = (): Node => {
    const [all, condition, name, , values] =
      /^\{([?!*,])?([a-z0-9]+)((?:=)([^:{}]*))?/.exec(text.slice(at)) ??
      wrong('a { begins no name');
    at += (all as string).length;
    const end = text[at];
    const joined = condition === ',';
    if (end === '}' && (!condition || joined) && values === undefined)
      return { is: 'variable', name: named(name as string), joined };
    if (end !== ':' || joined || (!condition && values === undefined))
      wrong(
        `${JSON.stringify(all)} is none of {name} {,name} {?name:…} {!name:…} {*name:…} {name=value:…}`,
      );
    named(name as string);
    at += 1;
    const allowed = values?.split('|');
    for (const value of allowed ?? []) conditions.add(`${name}=${value}`);
    const then = read(true);
    if (text[at] !== '}') wrong('a { is not closed');
    const how = (condition ?? '=') as '?' | '!' | '*' | '=';
    return { is: 'condition', how, name: name as string, values: allowed, then };
  };
  const nodes = read(false);
  return {
    names,
    conditions,
    fill: (values) => {
      const words = wordsOf(nodes, values);
      const input = words.at(-2) === '<' ? words.at(-1) : undefined;
      return { words: input === undefined ? words : words.slice(0, -2), input };
    },
  };
}

function wordsOf(nodes: readonly Node[], values: TemplateValues): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const end = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const walk = (list: readonly Node[], bound: TemplateValues): void => {
    for (const node of list) {
      if (node.is === 'text') word = (word ?? '') + node.text;
      else if (node.is === 'blank') end();
      else if (node.is === 'condition') {
        const value = bound[node.name];
        const there = value !== undefined && value.length > 0;
        if (node.how === '*')
          for (const one of [value ?? []].flat()) {
            end();
            walk(node.then, { ...bound, [node.name]: one });
          }
        else if (
          node.values ? node.values.includes(String(value ?? '')) : there === (node.how === '?')
        )
          walk(node.then, bound);
      } else {
        const value = bound[node.name] ?? '';
        if (typeof value === 'string') word = (word ?? '') + value;
        else if (node.joined) word = (word ?? '') + value.join(',');
        else {
          // Several words, of which the first goes on what stands in front.
          const front: string = word ?? '';
          word = undefined;
          words.push(...value.map((one) => front + one));
        }
      }
    }
  };
  walk(nodes, values);
  end();
  return words;
}
