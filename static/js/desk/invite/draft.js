/** An invitation half typed outlives a reload of the tab, for the same person only; it goes when it is sent or one signs out. */
import { get } from "../../lib/dom.js";
import { proposed } from "../../watching/session.js";
import { forget, keepDraft, keptDraft } from "../kept.js";

export class DraftKeeper {
  #mobile = get("mobile", HTMLInputElement);
  #email = get("email", HTMLInputElement);
  #who = "";

  constructor() {
    document.querySelector('form[action="/logout"]')?.addEventListener("submit", forget);
  }

  /** @param {Readonly<import("../../watching/session.js").View>} view */
  draw(view) {
    if (!view.server) return;
    if (!this.#who) this.#restore(view.server, proposed(view));
    this.#view = view;
    this.#keep();
  }

  /** @type {Readonly<import("../../watching/session.js").View> | null} */
  #view = null;

  /** @param {import("../../watching/session.js").ServerView} server @param {string} offered what the field shows by itself */
  #restore({ me, site }, offered) {
    this.#who = `${site.name} ${me.name}`;
    const draft = keptDraft();
    if (draft?.who === this.#who) {
      for (const [field, text] of /** @type {const} */ ([[this.#mobile, draft.mobile], [this.#email, draft.email]])) {
        // What was typed since the page came is newer.
        if (!text || (field.value && field.value !== offered)) continue;
        field.value = text;
        field.dispatchEvent(new Event("input"));
      }
    }
    for (const field of [this.#mobile, this.#email]) field.addEventListener("input", () => this.#keep());
  }

  #keep() {
    const mobile = this.#view && this.#mobile.value === proposed(this.#view) ? "" : this.#mobile.value;
    const email = this.#email.value;
    keepDraft(mobile || email ? { who: this.#who, mobile, email } : null);
  }
}
