/** "Dites maintenant": the sentence of this second, its cause, and the same in the caller's language. */
import { get, write } from "../../lib/dom.js";
import { shown } from "../../watching/session.js";
import { direction, sayChange, sayNow } from "./say.js";

/** @typedef {import("../../watching/session.js").View} View */

export class SayBox {
  #box = get("say-box", HTMLElement);
  #said = get("say", HTMLElement);
  #cause = get("say-cause", HTMLElement);
  #translated = get("say-translation", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #weak;
  #own;

  /** @param {() => string | null} weak what holds the picture back, as this desk measures it
   * @param {() => string | null} own what only this desk knows of the picture: its browser's trouble with it, or that it is black */
  constructor(weak, own) {
    this.#weak = weak;
    this.#own = own;
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    clearTimeout(this.#timer);
    const session = shown(view);
    const now = Date.now() + view.offset;
    const own = session ? this.#own() : null;
    const say = session && own === null ? sayNow(session, now, this.#weak()) : null;
    this.#box.hidden = !say?.text && own === null;
    write(get("say-title", HTMLElement), own === null ? "Dites maintenant" : "Sur ce poste");
    this.#box.toggleAttribute("data-stalled", Boolean(say?.stalled));
    get("steps", HTMLElement).toggleAttribute("data-stalled", Boolean(say?.stalled));
    write(this.#said, own ?? (say?.text ? `« ${say.text} »` : ""));
    write(this.#cause, say?.cause ?? "");
    this.#translate(say?.translation ?? null);
    const wait = session ? sayChange(session, now) : null;
    // A timer that comes a little early would find the same sentence and set itself again.
    if (wait !== null) this.#timer = setTimeout(() => this.draw(view), wait + 5);
  }

  /** @param {import("../../watching/session.js").Translation} translation */
  #translate(translation) {
    this.#translated.hidden = !translation;
    if (!translation) return;
    this.#translated.lang = translation.language;
    this.#translated.dir = direction(translation.language);
    write(this.#translated, translation.text);
  }
}
