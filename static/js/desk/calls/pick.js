/** Which call the video is about: a sheet beside the picture, asked once by itself, then on demand. */
import { el, get, write } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { away, shown } from "../../watching/session.js";
import { clock, runCall } from "../clock.js";
import { modalOpen } from "../gestures.js";
import { sentence } from "../notice.js";
import { callNumber, callState, callTail } from "../words.js";
import { held, invited, likeliest } from "./choice.js";

/** @typedef {import("../../watching/session.js").Session} Session */
/** @typedef {import("./choice.js").Row} Row */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} PickHost
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {(message: Message) => Promise<unknown>} command
 */

/** How far an arrow goes. @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

export class Pick {
  #host;
  #sheet = get("pick", HTMLDialogElement);
  /** What the sheet covers. */
  #under = get("left", HTMLElement);
  /** The sessions about which it was asked: asked again only on demand. @type {Set<string>} */
  #asked = new Set();
  /** The session the open sheet is about. */
  #about = "";
  /** Nobody opened it: the server could not tell the call. */
  #byItself = false;
  /** A choice is on its way. */
  #busy = false;
  /** @type {Row[]} */
  #rows = [];

  /** @param {PickHost} host */
  constructor(host) {
    this.#host = host;
    get("pick-none", HTMLElement).addEventListener("click", () => void this.#relink({ type: "link.none" }));
    get("pick-later", HTMLElement).addEventListener("click", () => this.close());
    this.#sheet.addEventListener("keydown", (event) => this.#typed(event));
    get("pick-manual", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const value = get("manual", HTMLInputElement).value.trim();
      if (value) void this.#relink({ type: "link.manual", value });
      else write(get("pick-error", HTMLElement), "Saisissez un identifiant.");
    });
  }

  /** On demand; asked for again, it has the keyboard again. */
  open() {
    const session = shown(this.#host.view());
    if (!session || this.#host.view().taken !== null) return;
    if (!this.#sheet.open) this.#show(session, false);
    this.#aim(this.#buttons()[0]);
  }

  /** Keep up with the view; ask by itself when the server cannot tell the call. */
  draw() {
    const view = this.#host.view();
    const session = shown(view);
    if (this.#sheet.open) {
      // Never about another session than the one it was opened for, nor when there is nothing left to ask.
      const asks = session?.id === this.#about && view.taken === null && (session.link.pick || !this.#byItself);
      if (asks) this.#drawRows(session);
      else this.close();
    }
    if (!session || view.taken !== null || session.state === "ended" || this.#sheet.open) return;
    if (!session.link.pick || this.#asked.has(session.id) || modalOpen() || this.#typing) return;
    this.#show(session, true);
    // One key chooses only what is likely: whoever pressed Enter twice links nothing by it.
    const best = likeliest(this.#rows, this.#wanted(session));
    this.#aim(this.#buttons().find((button) => button.dataset.call === best));
  }

  /** @param {Session} session @param {boolean} byItself */
  #show(session, byItself) {
    if (document.fullscreenElement) void document.exitFullscreen();
    this.#about = session.id;
    this.#asked.add(session.id);
    this.#byItself = byItself;
    this.#rows = [];
    write(get("pick-error", HTMLElement), "");
    this.#drawRows(session);
    this.#sheet.show();
    this.#under.inert = true;
  }

  /** The choice is made, or put off. The focus goes back to where it was, never into a form that Enter would send. */
  close() {
    if (!this.#sheet.open) return;
    this.#under.inert = false;
    this.#sheet.close();
    if (this.#under.contains(document.activeElement)) get("panel", HTMLElement).focus({ preventScroll: true });
  }

  /** Somebody types below: the sheet waits, it would take the keys. */
  get #typing() {
    const field = document.activeElement;
    return field instanceof HTMLInputElement && field.value !== "" && this.#under.contains(field);
  }

  /** @param {HTMLElement | undefined} row or the title, from which an arrow leads to the first row */
  #aim(row) {
    (row ?? get("pick-title", HTMLElement)).focus();
  }

  /** @param {Session} session @returns {import("./choice.js").Wanted} */
  #wanted(session) {
    return { number: session.number, station: this.#host.view().server?.station ?? null };
  }

  /** @returns {HTMLButtonElement[]} */
  #buttons() {
    return [...this.#sheet.querySelectorAll("button")].filter((button) => button.dataset.call);
  }

  /** @param {Session} session */
  #drawRows(session) {
    const wanted = this.#wanted(session);
    this.#rows = held(this.#rows, this.#host.view().server?.calls ?? [], wanted);
    const fresh = this.#rows.filter((row) => row.fresh);
    write(get("pick-text", HTMLElement), session.number ? `Vidéo demandée au ${session.number}. L’invitation est déjà partie.` : "L’invitation est déjà partie.");
    get("pick-empty", HTMLElement).hidden = this.#rows.length > 0;
    get("pick-fresh-box", HTMLElement).hidden = fresh.length === 0;
    write(get("pick-news", HTMLElement), fresh.length === 0 ? "" : fresh.length === 1 ? "Un nouvel appel, en bas de la liste." : `${fresh.length} nouveaux appels, en bas de la liste.`);
    this.#fill(get("pick-calls", HTMLElement), this.#rows.filter((row) => !row.fresh), session, wanted);
    this.#fill(get("pick-fresh", HTMLElement), fresh, session, wanted);
  }

  /** @param {HTMLElement} list @param {readonly Row[]} rows @param {Session} session @param {import("./choice.js").Wanted} wanted */
  #fill(list, rows, session, wanted) {
    reconcile(list, rows, ({ call }) => call.id, ({ call }) => this.#makeRow(call.id), (node, { call, gone }) => {
      const row = /** @type {HTMLElement} */ (node);
      row.dataset.state = call.state;
      row.dataset.invited = String(invited(call, wanted));
      row.dataset.linked = String(call.id === session.link.call);
      part(row, "number", callNumber(call));
      runCall(row, call);
      part(row, "state", gone && call.state !== "ended" ? "n’est plus au poste" : callState(call, false, away(call, wanted.station)));
      part(row, "start", [clock(call.started ?? ""), callTail(call)].filter(Boolean).join(" · "));
    });
  }

  /** @param {string} call */
  #makeRow(call) {
    return el("li", {}, el("button", { type: "button", "data-call": call, click: () => void this.#relink({ type: "link.choose", call }) },
      el("span", { class: "lamp", "aria-hidden": "true" }),
      el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "age" }),
      el("span", { class: "sub", "data-part": "state" }), el("span", { class: "mark invited" }, el("span", { class: "hidden-text" }, "numéro "), "invité"),
      el("span", { class: "sub", "data-part": "start" }), el("span", { class: "mark linked" }, "lié")));
  }

  /** The arrows go from row to row, Escape puts the choice off.
   * @param {KeyboardEvent} event */
  #typed(event) {
    const step = STEPS[event.key];
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "Escape") {
      this.close();
    } else if (step && !typing) {
      const rows = this.#buttons();
      const place = rows.findIndex((row) => row === document.activeElement);
      rows[Math.min(Math.max(place + step, 0), rows.length - 1)]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Message} message */
  async #relink(message) {
    if (this.#busy) {
      write(get("pick-error", HTMLElement), "En attente du serveur…");
      return;
    }
    this.#busy = true;
    const session = this.#about;
    try {
      await this.#host.command({ ...message, session });
      get("manual", HTMLInputElement).value = "";
      if (this.#about === session) this.close();
    } catch (error) {
      write(get("pick-error", HTMLElement), sentence(error));
    } finally {
      this.#busy = false;
    }
  }
}
