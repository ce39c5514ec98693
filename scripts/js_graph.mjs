/** Which scripts a script of static/js names, and how: what scripts/browsers and scripts/js_imports go by. */
import { posix } from "node:path";

/** @typedef {"now" | "later" | "type"} Kind `now`: with the script itself; `later`: when it is asked for; `type`: only in a comment, for the checker */

/** Each way one script names another. A name that is given to `fetched` (caller/later.js) starts at static/js.
 * @type {[Kind, RegExp, string?][]} */
const WAYS = [
  ["now", /^(?:import|\} from|import [^"`]+ from|export [^"`]+ from) "(\.[^"]+)";/gm],
  ["later", /\bimport\((?:[^()"`]+\? `[^`]*` : )?["`](\.[\w./]+\.js)/g],
  ["later", /\bfetched\("([\w/]+\.js)"\)/g, "."],
];
const COMMENT = /\/\*\*[^]*?\*\//g;
const TYPE = /\bimport\("(\.[^"]+)"\)/g;

/** @param {string} text @param {string} path of the script under static/js
 * @returns {{path: string, kind: Kind}[]} paths under static/js */
export function imported(text, path) {
  const here = posix.dirname(path);
  const code = text.replace(COMMENT, "");
  const comments = (text.match(COMMENT) ?? []).join("\n");
  /** @type {{path: string, kind: Kind}[]} */
  const found = [];
  /** @param {Kind} kind @param {string} source @param {RegExp} way @param {string} from */
  const look = (kind, source, way, from) => {
    for (const [, name = ""] of source.matchAll(way)) found.push({ path: posix.join(from, name), kind });
  };
  for (const [kind, way, from = here] of WAYS) look(kind, code, way, from);
  look("type", comments, TYPE, here);
  return found;
}
