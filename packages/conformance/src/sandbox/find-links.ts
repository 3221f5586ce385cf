/**
 * Where the links of an HTML text stand, and where its body ends: read by parse5, with no tree built. What parse5
 * builds is thrown away at once, so that neither deep nor hostile HTML costs memory or a stack. Pure.
 */
import {
  html as names,
  parse,
  type Token,
  type TreeAdapter,
  type TreeAdapterTypeMap,
} from 'parse5';

/** A link's address, in place. */
export interface FoundLink {
  /** Where the value of its attribute is: without quotes. */
  readonly start: number;
  readonly end: number;
  /** The value, its character references decoded. */
  readonly value: string;
}

/** What `findLinks` finds. */
export interface FoundLinks {
  /** Of `<a href>` and `<area href>`, in order. */
  readonly links: readonly FoundLink[];
  /** Where the last `</body>` begins. */
  readonly bodyEnd: number | undefined;
}

/**
 * Elements that were never closed are opened again in each paragraph that follows: a short text can ask for millions.
 * Text that people and programs write stays far below this, whatever its length.
 */
const SPARE_ELEMENTS = 20_000;

class TooManyElements extends Error {}

interface Node {
  readonly tagName: string;
  readonly namespace: names.NS;
  readonly attributes: Token.Attribute[];
  /** Whether a tag of the text opened it. */
  written: boolean;
}

/** Of what the tree is made that is not built: where a text should be there is nothing. */
type Nodes = TreeAdapterTypeMap<
  Node | undefined,
  Node,
  Node,
  Node,
  Node,
  Node,
  Node,
  Node,
  Node,
  Node
>;

/** parse5 asks whether elements have a place, and only then says where they end. */
const SOMEWHERE: Token.ElementLocation = {
  startLine: 1,
  startCol: 1,
  startOffset: 0,
  endLine: 1,
  endCol: 1,
  endOffset: 0,
};

/** @returns undefined for HTML that opens more elements than its length could tell of */
export function findLinks(html: string): FoundLinks | undefined {
  // In order. The tree constructor puts copies of one tag in more than one place: each counts once.
  const links = new Map<number, FoundLink>();
  let bodyEnd: number | undefined;
  let left = html.length + SPARE_ELEMENTS;
  const element = (
    tagName: string,
    namespace: names.NS,
    attributes: Token.Attribute[] = [],
  ): Node => {
    left -= 1;
    if (left < 0) throw new TooManyElements();
    return { tagName, namespace, attributes, written: false };
  };
  const nothing: Node = { tagName: '', namespace: names.NS.HTML, attributes: [], written: false };
  const adapter: TreeAdapter<Nodes> = {
    createElement: element,
    createDocument: () => nothing,
    createDocumentFragment: () => nothing,
    createCommentNode: () => nothing,
    createTextNode: () => nothing,
    getTagName: ({ tagName }) => tagName,
    getNamespaceURI: ({ namespace }) => namespace,
    getAttrList: ({ attributes }) => attributes,
    getTemplateContent: () => nothing,
    getChildNodes: () => [],
    getFirstChild: () => null,
    getParentNode: () => null,
    getDocumentMode: () => names.DOCUMENT_MODE.NO_QUIRKS,
    setDocumentMode: () => {},
    getCommentNodeContent: () => '',
    getTextNodeContent: () => '',
    getDocumentTypeNodeName: () => '',
    getDocumentTypeNodePublicId: () => '',
    getDocumentTypeNodeSystemId: () => '',
    isElementNode: (node): node is Node => node !== undefined && node !== nothing,
    isTextNode: (_node): _node is Node => false,
    isCommentNode: (_node): _node is Node => false,
    isDocumentTypeNode: (_node): _node is Node => false,
    adoptAttributes: () => {},
    appendChild: () => {},
    insertBefore: () => {},
    insertText: () => {},
    insertTextBefore: () => {},
    detachNode: () => {},
    setDocumentType: () => {},
    setTemplateContent: () => {},
    // A body that no tag opened can have a tag that closes it.
    getNodeSourceCodeLocation: (node) => (node?.written || isBody(node) ? SOMEWHERE : null),
    setNodeSourceCodeLocation: (node, location) => {
      if (!node) return;
      node.written = location !== null;
      const link = location && linkOf(html, node, location);
      if (link) links.set(link.start, link);
    },
    updateNodeSourceCodeLocation: (node, { endTag }) => {
      if (endTag && isBody(node)) bodyEnd = endTag.startOffset;
    },
  };
  try {
    // Readers of mail run no script: what <noscript> holds is shown.
    parse(html, { treeAdapter: adapter, sourceCodeLocationInfo: true, scriptingEnabled: false });
  } catch (error) {
    if (error instanceof TooManyElements) return undefined;
    throw error;
  }
  return { links: [...links.values()], bodyEnd };
}

function isBody(node: Node | undefined): boolean {
  return node?.tagName === 'body' && node.namespace === names.NS.HTML;
}

const NO_BLANK = /[^\t\n\f\r ]/g;

function linkOf(
  html: string,
  { tagName, namespace, attributes }: Node,
  { attrs }: Token.ElementLocation,
): FoundLink | undefined {
  const place = attrs?.['href'];
  if (!place || (tagName !== 'a' && tagName !== 'area') || namespace === names.NS.MATHML)
    return undefined;
  const value = attributes.find(({ name, prefix }) => name === 'href' && !prefix)?.value;
  // Behind this there is a value in the place: no search goes further.
  if (!value) return undefined;
  const equals = html.indexOf('=', place.startOffset);
  NO_BLANK.lastIndex = equals + 1;
  const begin = NO_BLANK.exec(html)?.index ?? place.endOffset;
  const quote = html[begin];
  if (quote !== '"' && quote !== "'") return { start: begin, end: place.endOffset, value };
  const close = html.indexOf(quote, begin + 1);
  return { start: begin + 1, end: close < 0 ? place.endOffset : close, value };
}
