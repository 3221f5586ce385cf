/**
 * A remark plugin: the form of links that leave the repository. It asks no server; what can be wrong without asking is wrong
 * here: a link that is not HTTPS, one to a machine of one's own, and one to another RFC than it says.
 */

const RFC =
  /^https:\/\/www\.rfc-editor\.org\/rfc\/rfc([1-9]\d*)(?:#(?:section|appendix)-([\w.]+))?$/;
const LOCAL = /^https?:\/\/(?:localhost|127\.|0\.0\.0\.0|\[::1\])/;

/** @returns a transformer of mdast that reports to its file */
export default function linkForm() {
  return (tree, file) => {
    const definitions = new Map();
    visit(tree, (node) => {
      if (node.type === 'definition') definitions.set(node.identifier, node.url);
    });
    visit(tree, (node) => {
      for (const { url, text, line = node.position.start.line } of linksOf(node, definitions))
        for (const problem of problemsOf(url, text))
          file.message(problem, { place: { line, column: 1 }, source: 'link-form' });
    });
  };
}

/** What a node links to, each with the text that a reader sees, or with the line, where they are others than the node's. */
function linksOf(node, definitions) {
  if (node.type === 'link') return [{ url: node.url, text: textOf(node) }];
  if (node.type === 'image' || node.type === 'definition') return [{ url: node.url }];
  if (node.type === 'linkReference')
    return [{ url: definitions.get(node.identifier) ?? '', text: textOf(node) }];
  // Whoever shows a page makes links of these too.
  if (node.type === 'text' || node.type === 'html')
    return Array.from(node.value.matchAll(/https?:\/\/[^\s<>"'`)]+/g), ({ 0: url, index }) => ({
      url,
      line: node.position.start.line + node.value.slice(0, index).split('\n').length - 1,
    }));
  return [];
}

function problemsOf(url, text) {
  const problems = [];
  const scheme = /^[a-z][a-z\d+.-]*:/i.exec(url)?.[0].toLowerCase();
  if (LOCAL.test(url)) problems.push(`${url} is on the reader's own machine: write it as code`);
  else if (scheme && scheme !== 'https:') problems.push(`${url} is not https:`);
  else if (/\brfc\d/i.test(url) && scheme) {
    const [whole, number, section] = RFC.exec(url) ?? [];
    const named = /\bRFC (\d+)/.exec(text ?? '')?.[1];
    const paragraph = /§([\w.]*\w)/.exec(text ?? '')?.[1];
    if (!whole)
      problems.push(
        `${url} is not https://www.rfc-editor.org/rfc/rfcNNNN, with #section-N or without`,
      );
    else if (text !== undefined && named !== number)
      problems.push(`"${text}" links to RFC ${number}, and does not say so`);
    else if (section && paragraph && paragraph !== section)
      problems.push(`"${text}" links to section ${section}`);
  }
  return problems;
}

const textOf = (node) => node.value ?? node.children?.map(textOf).join('') ?? '';

/** Every node but what is in a link: its text is looked at with it. */
function visit(node, see) {
  see(node);
  if (!/^link/.test(node.type)) for (const child of node.children ?? []) visit(child, see);
}
