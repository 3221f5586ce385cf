/**
 * Address fields as programs write them (RFC 5322 §3.4 and §4.4): comments, groups, routes, blanks around dots, names without a
 * domain. Lenient about how an address is written, never about which it is: what can be read in two ways is refused.
 */

/** One mailbox of a list, and where its addr-spec stands. */
export interface ListedMailbox {
  /** The local part, quoted where it was. */
  readonly local: string;
  /** None where it was written without. */
  readonly domain?: string;
  /** The words in front of `<`, as they were written. */
  readonly phrase: string;
  /** The last comment, without its parentheses. */
  readonly comment: string;
  readonly from: number;
  readonly to: number;
}

type Token = { readonly kind: 'word' | 'special'; readonly text: string; from: number; to: number };

/** What cannot be read, and where. */
export class AddressError extends Error {}

const refuse = (why: string, at: number): never => {
  throw new AddressError(`${why} at ${at}`);
};

/**
 * Reads a list of addresses. Empty items are none (RFC 5322 §4.4), and an empty list is allowed.
 *
 * @throws AddressError
 */
export function parseAddressList(text: string): ListedMailbox[] {
  const list: ListedMailbox[] = [];
  let tokens: Token[] = [];
  let angle: { readonly before: Token[]; inside: Token[]; closed: boolean } | undefined;
  let comment = '';
  let isGroup = false;
  const end = (at: number): void => {
    const { before = [], inside = tokens } = angle ?? {};
    if (angle && !angle.closed) refuse('a < without its >', at);
    if (angle && tokens.length > 0) refuse('something behind the >', at);
    if (inside.length > 0) {
      const first = before[0];
      const last = before.at(-1);
      const phrase = first && last ? text.slice(first.from, last.to) : '';
      list.push({ ...addressSpec(inside), phrase, comment });
    } else if (angle) refuse('nothing between < and >', at);
    tokens = [];
    angle = undefined;
    comment = '';
  };
  for (const token of tokensOf(text, (found) => {
    comment = found;
  })) {
    const { kind, text: sign, from } = token;
    if (kind === 'word' || /^[.@]$/.test(sign)) tokens.push(token);
    else if (sign === '<') {
      if (angle) refuse('a second <', from);
      angle = { before: tokens, inside: [], closed: false };
      tokens = [];
    } else if (sign === '>') {
      if (!angle || angle.closed) refuse('a > without its <', from);
      else angle = { before: angle.before, inside: tokens, closed: true };
      tokens = [];
    } else if (angle && !angle.closed) {
      // RFC 5322 §4.4: a route, `@a,@b:`, leads nowhere any more.
      if (tokens[0]?.text !== '@' || !/^[,:]$/.test(sign))
        refuse(`a ${sign} between < and >`, from);
      if (sign === ':') tokens = [];
    } else if (sign === ':') {
      if (isGroup || angle || tokens.length === 0) refuse('a : without a group', from);
      isGroup = true;
      tokens = [];
      comment = '';
    } else {
      end(from);
      if (sign === ';') {
        if (!isGroup) refuse('a ; without a group', from);
        isGroup = false;
      }
    }
  }
  end(text.length);
  if (isGroup) refuse('a group without its ;', text.length);
  return list;
}

/** Words, and the signs that mean something between them. Blanks and comments are no tokens. */
function* tokensOf(text: string, onComment: (text: string) => void): Generator<Token> {
  const pattern =
    /\s+|"(?:[^"\\]|\\.)*"|\[(?:[^[\]\\]|\\.)*\]|[<>,;:@.]|[^\s"()<>[\],;:@.\\]+|./gsu;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [found] = match;
    const from = match.index;
    if (/^\s/.test(found)) continue;
    if (found === '(') {
      pattern.lastIndex = commentEnd(text, from);
      onComment(text.slice(from + 1, pattern.lastIndex - 1));
    } else if (/^[<>,;:@.]$/.test(found))
      yield { kind: 'special', text: found, from, to: from + 1 };
    else if (/^["[]./u.test(found) || !/^["()[\]\\]/.test(found))
      yield { kind: 'word', text: found, from, to: from + found.length };
    else refuse(`a ${found} that is out of place`, from);
  }
}

/** RFC 5322 §3.2.2: comments nest, and a backslash takes the meaning of what follows. */
function commentEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return refuse('a comment without its end', from);
}

/** `local@domain`, or a local part alone: words with dots between. Two words beside each other are two addresses, or none. */
function addressSpec(
  tokens: readonly Token[],
): Pick<ListedMailbox, 'local' | 'domain' | 'from' | 'to'> {
  const first = tokens[0] as Token;
  const last = tokens.at(-1) as Token;
  const at = tokens.findIndex(({ text }) => text === '@');
  const parts = at === -1 ? [tokens] : [tokens.slice(0, at), tokens.slice(at + 1)];
  const [local = '', domain] = parts.map((part) => {
    if (part.length === 0) refuse('half of an address', first.from);
    part.forEach((token, index) => {
      const before = part[index - 1];
      if (token.text === '@') refuse('a second @', token.from);
      if (token.kind === 'word' && before?.kind === 'word')
        refuse('two words where one address was expected', token.from);
    });
    return part.map(({ text }) => text).join('');
  });
  if (local.startsWith('[') || domain?.includes('"')) refuse('no address', first.from);
  return { local, ...(domain !== undefined && { domain }), from: first.from, to: last.to };
}
