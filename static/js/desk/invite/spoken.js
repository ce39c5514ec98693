/** No SMS possible: an address and six digits to be read aloud, large, for as long as they work. */
import { get, write } from "../../lib/dom.js";
import { duration, shown } from "../../watching/session.js";
import { once } from "../gestures.js";
import { sentence } from "../notice.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} SpokenHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(session: string) => void} invited a session was made
 */

/** @param {string} code @returns {string} "482 915": two groups are heard better than six digits */
export function groups(code) {
  return code.replace(/^(\d{3})(\d{3})$/, "$1 $2");
}

/** @param {string} address @returns {string} "samu37 point fr, barre oblique, c" */
export function letters(address) {
  return address.replaceAll(".", " point ").replaceAll("-", " tiret ").replaceAll(":", " deux-points ").replaceAll("/", ", barre oblique, ");
}

/** @param {Readonly<View>} view @returns {boolean} whether the session shown may have a code: nobody tapped yet */
export function codable(view) {
  const state = shown(view)?.state;
  return view.taken === null && (state === "invited" || state === "opened");
}

export class SpokenCode {
  #host;
  #dialog = get("spoken", HTMLDialogElement);
  #session = "";
  #expires = 0;
  #busy = false;
  keys = [{ code: "KeyC", shown: "C", does: "Code vocal : une adresse et six chiffres à dicter", act: () => this.#start() }];

  /** @param {SpokenHost} host */
  constructor(host) {
    this.#host = host;
    get("spoken-open", HTMLElement).addEventListener("click", () => this.#start());
    once(get("spoken-again", HTMLElement), () => this.#ask(shown(host.view())?.id));
    once(get("spoken-new", HTMLElement), () => this.#ask(this.#session || undefined));
    get("spoken-close", HTMLElement).addEventListener("click", () => this.#dialog.close());
    // What was on the screen is nobody's business afterwards.
    this.#dialog.addEventListener("close", () => this.#forget());
    setInterval(() => this.#left(), 1000);
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    get("spoken-open", HTMLButtonElement).disabled = view.taken !== null;
    get("spoken-again", HTMLElement).hidden = !codable(view);
    const session = view.server?.sessions.find((one) => one.id === this.#session);
    const typed = session?.invitations.some((one) => one.channel === "code" && one.state === "read");
    if (this.#dialog.open && !this.#busy && (typed || session?.state === "ended")) this.#dialog.close();
  }

  /** Ask for a code of another session than the one shown, if any: a new call is a new video. */
  #start() {
    if (this.#host.view().taken === null) void this.#ask(undefined);
  }

  /** @param {string | undefined} session
   * @param {{call?: string}} [more] */
  async ask(session, more = {}) {
    await this.#ask(session, more);
  }

  /** @param {string | undefined} session @param {{call?: string}} [more] */
  async #ask(session, more = {}) {
    if (this.#busy) return;
    this.#busy = true;
    this.#forget();
    this.#session = session ?? "";
    write(get("spoken-error", HTMLElement), "");
    if (!this.#dialog.open) this.#dialog.showModal();
    get("spoken-title", HTMLElement).focus();
    const fresh = get("spoken-new", HTMLButtonElement);
    fresh.disabled = true;
    try {
      const made = await this.#host.command({ type: "code.make", ...(session ? { session } : {}), ...more });
      if (!session) this.#host.invited(made.session);
      if (!this.#dialog.open) return;
      this.#session = made.session;
      this.#expires = Date.parse(made.expires);
      write(get("spoken-address", HTMLElement), made.address);
      write(get("spoken-letters", HTMLElement), letters(made.address));
      write(get("spoken-digits", HTMLElement), groups(made.code));
    } catch (error) {
      write(get("spoken-error", HTMLElement), sentence(error));
    } finally {
      this.#busy = false;
      fresh.disabled = false;
      this.#left();
    }
  }

  #left() {
    const node = get("spoken-left", HTMLElement);
    if (!this.#dialog.open || !this.#expires) {
      node.dataset.state = "none";
      write(node, "");
      return;
    }
    const left = this.#expires - (Date.now() + this.#host.view().offset);
    node.dataset.state = left > 0 ? "runs" : "over";
    write(node, left > 0 ? `Valable encore ${duration(left)}` : "Code expiré : faites-en un nouveau.");
  }

  #forget() {
    this.#expires = 0;
    for (const id of ["spoken-digits", "spoken-address", "spoken-letters"]) write(get(id, HTMLElement), "");
  }
}
