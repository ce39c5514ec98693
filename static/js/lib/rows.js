/** Lists that are drawn again and again: one row an item. */
import { write } from "./dom.js";

/** Write the part of a row that has this name.
 * @param {Element} row @param {string} name @param {string} text */
export function part(row, name, text) {
  const node = row.querySelector(`[data-part="${name}"]`);
  if (node) write(node, text);
}

/** Keep one child for each item, in order, without rebuilding those that stay: focus survives.
 * @template T
 * @param {Element} list @param {readonly T[]} items @param {(item: T) => string} key
 * @param {(item: T) => Element} make @param {(node: Element, item: T) => void} update */
export function reconcile(list, items, key, make, update) {
  const old = new Map([...list.children].map((node) => [node.getAttribute("data-key"), node]));
  /** @type {Element | null} */
  let previous = null;
  for (const item of items) {
    const name = key(item);
    const node = old.get(name) ?? make(item);
    old.delete(name);
    node.setAttribute("data-key", name);
    update(node, item);
    const place = /** @type {Element | null} */ (previous ? previous.nextElementSibling : list.firstElementChild);
    if (place !== node) list.insertBefore(node, place);
    previous = node;
  }
  for (const node of old.values()) node.remove();
}
