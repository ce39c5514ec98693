/** The screen for when the camera does not come: what happened, the way out of it on this phone, and the buttons for it. */
import { el, get, icon, write } from "../../lib/dom.js";
import { where } from "../phase.js";
import { guide, named, outside } from "./guide.js";

/** @typedef {import("../phase.js").Phase} Phase */
/**
 * @typedef {object} TroubleHost
 * @property {(key: string, names?: Record<string, string>) => string} say a sentence in the caller's language
 * @property {() => void} again ask for the camera again
 * @property {() => void} release this browser gives the link back: another one may take it
 */

export class Trouble {
  #host;
  #place = where(navigator.userAgent, navigator.maxTouchPoints);
  /** @type {Readonly<Phase> | null} */
  #phase = null;
  #shown = "";

  /** @param {TroubleHost} host */
  constructor(host) {
    this.#host = host;
    get("anyway", HTMLElement).addEventListener("click", () => host.again());
    get("copy", HTMLElement).addEventListener("click", () => void this.#copy());
    get("outside", HTMLAnchorElement).addEventListener("click", () => host.release());
    get("outside", HTMLAnchorElement).href = outside(this.#place, location.href) || location.pathname;
  }

  /** @param {Readonly<Phase>} phase */
  drawn(phase) {
    this.#phase = phase;
    if (phase.screen !== "trouble") {
      this.#shown = "";
      return;
    }
    const { say } = this.#host;
    const names = { browser: named(this.#place) };
    const instant = barred(phase);
    const found = guide(phase.trouble, this.#place, instant);
    const text = say(phase.trouble, names);
    write(get("trouble-title", HTMLElement), say(`${phase.trouble}_title`, names));
    write(get("trouble-text", HTMLElement), text);
    get("trouble-text", HTMLElement).hidden = !text;
    const now = JSON.stringify([phase.trouble, instant, document.documentElement.lang]);
    if (now === this.#shown) return;
    this.#shown = now;
    get("guide", HTMLElement).replaceChildren(
      ...(found?.steps ?? []).map((step) => el("li", { "data-step": step.key }, icon(step.icon), el("span", {}, say(step.key, names)))),
    );
    get("guide", HTMLElement).hidden = !found;
    get("retry", HTMLElement).hidden = found?.again === "anyway";
    get("anyway", HTMLElement).hidden = found?.again !== "anyway";
    get("outside", HTMLElement).hidden = !found?.outside;
    get("copy", HTMLElement).hidden = !found?.copy;
    write(get("outside-text", HTMLElement), say("open_in", names));
    write(get("copy-text", HTMLElement), say("copy"));
  }

  /** Another try: some browsers ask once a page, so that it must be loaded again. */
  again() {
    const phase = this.#phase;
    if (phase && guide(phase.trouble, this.#place, barred(phase))?.again === "reload") location.reload();
    else this.#host.again();
  }

  /** In an application that opens nothing else, the link itself is the way out. */
  async #copy() {
    this.#host.release();
    const link = `${location.origin}${location.pathname}`;
    const done = await navigator.clipboard?.writeText(link).then(() => true, () => false) || copied(link);
    if (done) write(get("copy-text", HTMLElement), this.#host.say("copied", { browser: named(this.#place) }));
  }
}

/** The browser asked nobody: the camera was refused on an earlier day.
 * @param {Readonly<Phase>} phase @returns {boolean} */
const barred = ({ instant, truth }) => instant || truth.permission === "denied";

/** The way of old browsers, and of pages inside applications.
 * @param {string} text @returns {boolean} */
function copied(text) {
  const field = el("textarea", { readonly: true, "aria-hidden": "true", class: "hidden-text" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
