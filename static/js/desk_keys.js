/** The keyboard of the desk, and the help that lists it. */
import { get } from "./dom.js";

/** Alt and a key does what its button does; "?" opens the help. A dialog has the keyboard to itself.
 * @param {Record<string, () => void>} acts by KeyboardEvent.code, with Alt */
export function keys(acts) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const act = event.altKey && !event.ctrlKey && !event.metaKey ? acts[event.code] : undefined;
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

function help() {
  if (!document.querySelector("dialog[open]")) get("help", HTMLDialogElement).showModal();
}
