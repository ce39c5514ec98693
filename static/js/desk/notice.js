/** The banner: what a person must read, with at most one thing to do about it. */
import { get, write } from "../lib/dom.js";
import { Refused } from "../lib/socket.js";

/** The sentence of a command that did not go through.
 * @param {unknown} error @returns {string} */
export function sentence(error) {
  if (!(error instanceof Refused)) return "La demande n’a pas abouti.";
  return error.message || "Le serveur a refusé la demande.";
}

export class Notice {
  /** @type {(() => void) | null} */
  #action = null;
  #announced = "";

  constructor() {
    get("notice-close", HTMLElement).addEventListener("click", () => this.hide());
    get("notice-action", HTMLElement).addEventListener("click", () => this.#action?.());
  }

  /** @param {string} text @param {string} [verb] @param {() => void} [act] */
  show(text, verb, act) {
    write(get("notice-text", HTMLElement), text);
    const button = get("notice-action", HTMLButtonElement);
    button.hidden = !verb;
    write(button, verb ?? "");
    this.#action = act ?? null;
    get("notice-close", HTMLElement).hidden = Boolean(verb);
    get("notice", HTMLElement).hidden = false;
  }

  /** Show once what the server repeats in every view.
   * @param {string} text */
  announce(text) {
    if (text && text !== this.#announced) this.show(text);
    this.#announced = text;
  }

  /** What was said is no longer true; another notice stays.
   * @param {string} text */
  withdraw(text) {
    if (get("notice-text", HTMLElement).textContent === text) this.hide();
  }

  hide() {
    get("notice", HTMLElement).hidden = true;
  }
}
