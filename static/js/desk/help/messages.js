/** The short list of sentences that a caller can be shown: a digit chooses, Escape leaves. */
import { el, get } from "../../lib/dom.js";
import { modalOpen } from "../gestures.js";
import { MESSAGES, digit } from "./words.js";

export class MessageList {
  #dialog = get("messages", HTMLDialogElement);
  #choose;

  /** @param {(key: string) => void} choose */
  constructor(choose) {
    this.#choose = choose;
    get("messages-list", HTMLElement).append(...MESSAGES.map(([key, label], index) => this.#row(key, label, digit(index))));
    this.#dialog.addEventListener("keydown", (event) => this.#typed(event));
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.close();
    });
  }

  open() {
    if (!modalOpen()) this.#dialog.showModal();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  /** @param {string} key @param {string} label @param {string} shown */
  #row(key, label, shown) {
    const button = el("button", { type: "button", class: "quiet", "data-message": key, "aria-keyshortcuts": shown }, el("kbd", { "aria-hidden": "true" }, shown), label);
    button.addEventListener("click", () => this.#chosen(key));
    return el("li", {}, button);
  }

  /** Digits by their place on the keyboard: on a French one they want Shift.
   * @param {KeyboardEvent} event */
  #typed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typed = event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1] ?? event.key.toUpperCase();
    const index = MESSAGES.findIndex((_, at) => digit(at) === typed);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (index >= 0) this.#chosen(MESSAGES[index]?.[0] ?? "");
    else if (step) this.#step(step);
    else return;
    event.preventDefault();
  }

  /** @param {number} step */
  #step(step) {
    const buttons = [...this.#dialog.querySelectorAll("button")];
    const at = buttons.findIndex((one) => one === document.activeElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  }

  /** @param {string} key */
  #chosen(key) {
    this.close();
    if (key) this.#choose(key);
  }
}
