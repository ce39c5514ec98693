/** The keyboard of the desk, and the help that lists it. */
import { el, get } from "../lib/dom.js";
import { modalOpen } from "./gestures.js";

/**
 * @typedef {object} Key
 * @property {string} code pressed with Alt: "KeyM" for the letter, wherever it stands; "Digit2" for the place
 * @property {string} shown what stands on the key
 * @property {string} does in the help, in French
 * @property {() => void} act what its button does
 */

/** The key that was pressed, by what stands on it: on an AZERTY keyboard M is not where a QWERTY one has it. With Option a
 * Mac makes another sign of a letter, and a Cyrillic keyboard has none of ours: then by the layout, or else by the place.
 * @param {Pick<KeyboardEvent, "key" | "code">} event @param {ReadonlyMap<string, string> | null} layout KeyboardEvent.code → sign
 * @returns {string} as KeyboardEvent.code names it on a QWERTY keyboard */
export function pressed({ key, code }, layout) {
  for (const sign of [key, layout?.get(code) ?? ""]) if (/^[a-z]$/i.test(sign)) return `Key${sign.toUpperCase()}`;
  return code;
}

/** Alt and a key does what its button does; "?" opens the help, which lists them. A modal dialog has the keyboard to itself.
 * @param {readonly Key[]} all */
export function keys(all) {
  const acts = new Map(all.map((key) => [key.code, key.act]));
  if (acts.size !== all.length) throw new Error("two acts on one key");
  get("keys", HTMLElement).append(...all.map(row));
  /** @type {ReadonlyMap<string, string> | null} */
  let layout = null;
  void /** @type {any} */ (navigator).keyboard?.getLayoutMap?.().then(
    (/** @type {ReadonlyMap<string, string>} */ map) => {
      layout = map;
    },
    () => undefined,
  );
  document.addEventListener("keydown", (event) => {
    if (modalOpen()) return;
    const act = event.altKey && !event.ctrlKey && !event.metaKey ? acts.get(pressed(event, layout)) : undefined;
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
  return el("li", {}, el("span", {}, el("kbd", {}, "Alt"), " ", el("kbd", {}, shown)), does);
}

function help() {
  if (!modalOpen()) get("help", HTMLDialogElement).showModal();
}
