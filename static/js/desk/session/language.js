/** The language the caller reads: shown, and changed on the phone itself while the picture goes on. */
import { get } from "../../lib/dom.js";
import { shown } from "../../watching/session.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../lib/socket.js").Message} Message */

export class CallerLanguage {
  #list = get("caller-language", HTMLSelectElement);
  /** The command is under way: what the last view says is old. */
  #busy = false;

  keys = [{ code: "KeyE", shown: "E", does: "Langue de l’appelant", act: () => this.#list.focus() }];

  /** @param {{view: () => Readonly<View>, ask: (message: Message) => Promise<any>}} page */
  constructor(page) {
    this.#list.addEventListener("change", () => void this.#choose(page));
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    const session = shown(view);
    get("language-box", HTMLElement).hidden = !session || session.state === "ended";
    this.#list.disabled = view.taken !== null;
    if (!this.#busy) this.#list.value = session?.caller.language?.code ?? "";
  }

  /** @param {{view: () => Readonly<View>, ask: (message: Message) => Promise<any>}} page */
  async #choose({ view, ask }) {
    const session = shown(view());
    if (!session) return;
    this.#busy = true;
    await ask({ type: "caller.language", session: session.id, language: this.#list.value });
    this.#busy = false;
  }
}
