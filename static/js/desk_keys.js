/** The keyboard of the desk, and the help that lists it. */
import { el, get } from "./dom.js";

/**
 * @typedef {object} Key
 * @property {string} code KeyboardEvent.code, pressed with Alt
 * @property {string} shown what stands on the key
 * @property {string} does in the help, in French
 * @property {() => void} act what its button does
 */

/** Alt and a key does what its button does; "?" opens the help, which lists them. A dialog has the keyboard to itself.
 * @param {readonly Key[]} all */
export function keys(all) {
  const acts = new Map(all.map((key) => [key.code, key.act]));
  if (acts.size !== all.length) throw new Error("two acts on one key");
  get("keys-alt", HTMLElement).append(...all.map(row));
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const act = event.altKey && !event.ctrlKey && !event.metaKey ? acts.get(event.code) : undefined;
    const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
    if (act) {
      event.preventDefault();
      act();
    } else if (event.key === "?" && !typing && get("help-key", HTMLInputElement).checked) {
      help();
    }
  });
  get("help-open", HTMLElement).addEventListener("click", help);
}

/** @param {Key} key */
function row({ shown, does }) {
  return el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, "Alt"), " ", el("kbd", {}, shown)), el("td", {}, does));
}

function help() {
  if (!document.querySelector("dialog[open]")) get("help", HTMLDialogElement).showModal();
}
