/** Of the scripts given on standard input as [name, source, served], prints the names of those that are two programs. */
import { readFileSync } from "node:fs";
import ts from "typescript";

/** @param {string} text @returns {string[]} the tree of a program: kinds of its nodes, words of its leaves; no comment, no blank */
function tree(text) {
  const source = ts.createSourceFile("script.js", text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  /** @type {string[]} */
  const found = [];
  /** @param {ts.Node} node */
  const walk = (node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    found.push(children.length ? String(node.kind) : `${node.kind} ${node.getText(source)}`);
    children.forEach(walk);
  };
  walk(source);
  return found;
}

/** @type {[string, string, string][]} */
const scripts = JSON.parse(readFileSync(0, "utf8"));
for (const [name, source, served] of scripts) {
  if (tree(source).join("\n") !== tree(served).join("\n")) console.log(name);
}
