/** A phone that is ready is shown at once, whichever tab is open; where a picture is seen, one line and one key say so. */
import { get, write } from "../../lib/dom.js";
import { arrived, greeted, phoneName, readiness } from "./phones.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Session} Session */
/**
 * @typedef {object} ReadyHost
 * @property {() => Readonly<View>} view
 * @property {(session: string) => void} take show this session here
 * @property {(session: string) => void} come show it, though nobody asked
 * @property {(text: string) => void} notify
 * @property {(text: string) => void} withdraw
 * @property {() => void} changed
 * @property {() => boolean} flowing the picture of the session that is open flows
 */

export class ReadyPhones {
  #host;
  #banner = get("ready", HTMLElement);
  #stage = get("stage", HTMLElement);
  /** @type {import("../../watching/session.js").ServerView | null} */
  #before = null;
  /** Sessions whose phone arrived and was not looked at since. @type {Set<string>} */
  #news = new Set();
  /** @type {Session[]} */
  #told = [];
  /** What was said of the session that came up by itself. @type {{ session: string, text: string } | null} */
  #said = null;
  keys = [{ code: "KeyJ", shown: "J", does: "Afficher le téléphone qui vient d’être prêt", act: () => this.#go() }];

  /** @param {ReadyHost} host */
  constructor(host) {
    this.#host = host;
    get("ready-show", HTMLElement).addEventListener("click", () => this.#go());
    get("ready-close", HTMLElement).addEventListener("click", () => {
      this.known();
      this.draw();
    });
    // What waited for the end of a dialog is shown then.
    document.addEventListener("close", () => this.#greet(), true);
  }

  /** @param {import("../../lib/socket.js").Message} message */
  heard({ type }) {
    if (type !== "view") return;
    const { server } = this.#host.view();
    for (const id of arrived(this.#before, server)) this.#news.add(id);
    this.#before = server;
    this.#greet();
  }

  draw() {
    const { watch } = this.#host.view();
    if (watch) this.#news.delete(watch);
    if (this.#said && this.#said.session !== watch) {
      this.#host.withdraw(this.#said.text);
      this.#said = null;
    }
    this.#told = this.#decide().tell;
    const [first, ...others] = this.#told;
    this.#banner.hidden = !first;
    const more = others.length > 0 ? ` (et ${others.length} autre${others.length > 1 ? "s" : ""})` : "";
    write(get("ready-text", HTMLElement), first ? `Téléphone ${readiness(first)} : ${phoneName(first)}${more}.` : "");
  }

  #greet() {
    const { take } = this.#decide();
    if (!take) {
      this.draw();
      return;
    }
    const away = this.#host.view().watch !== null;
    this.#host.come(take.id);
    if (away) {
      this.#said = { session: take.id, text: `Le téléphone ${phoneName(take)} est ${readiness(take)} : il est affiché.` };
      this.#host.notify(this.#said.text);
    }
    this.#host.changed();
  }

  #decide() {
    return greeted(this.#host.view(), this.#news, this.#seen, document.querySelector("dialog:modal") !== null);
  }

  /** Something is looked at that a change of session would take away: the picture, one that was frozen, a photo. */
  get #seen() {
    const photo = document.getElementById("photo");
    return this.#host.flowing() || this.#stage.dataset.frozen === "true" || (photo !== null && !photo.hidden);
  }

  /** What is told is known: somebody chose a session by hand, or closed the banner. It takes nothing away any more. */
  known() {
    for (const { id } of this.#told) this.#news.delete(id);
  }

  #go() {
    const [first, ...others] = this.#told;
    if (!first) return;
    this.#host.take(first.id);
    for (const { id } of others) this.#news.add(id);
  }
}
