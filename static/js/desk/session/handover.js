/** A session given to another station by hand: offered from a list, taken with one key. */
import { el, get, icon, write } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { offered, shown } from "../../watching/session.js";
import { once } from "../gestures.js";
import { sentence } from "../notice.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Session} Session */
/** @typedef {import("../../lib/socket.js").Message} Message */
/** @typedef {{extension: string, name: string, who: string | null}} Station */
/**
 * @typedef {object} HandOverHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(session: string) => void} take show this session here
 * @property {(text: string) => void} notify
 */

/** What the banner says: an offer to this station, or ours to another.
 * @param {Readonly<View>} view @returns {{session: Session, mine: boolean, text: string} | null} */
export function pending(view) {
  const here = view.server?.station?.extension;
  const sessions = view.server?.sessions ?? [];
  const session = sessions.find((one) => offered(view, one));
  if (session?.offer) {
    const from = session.offer.from ? ` (poste ${session.offer.from})` : "";
    return { session, mine: false, text: `Session proposée par ${session.offer.by}${from}.` };
  }
  const ours = sessions.find((one) => one.state !== "ended" && one.offer && one.station === here);
  return ours?.offer ? { session: ours, mine: true, text: `Session proposée au poste ${ours.offer.to} : en attente.` } : null;
}

export class HandOver {
  #host;
  #dialog = get("handover", HTMLDialogElement);
  #busy = false;
  /** The session the dialog was opened for: never another one that came up behind it. */
  #about = "";
  keys = [{ code: "KeyH", shown: "H", does: "Passer la main à un poste, ou prendre la session proposée", act: () => this.#key() }];

  /** @param {HandOverHost} host */
  constructor(host) {
    this.#host = host;
    get("handover-open", HTMLElement).addEventListener("click", () => void this.#open());
    get("handover-close", HTMLElement).addEventListener("click", () => this.#dialog.close());
    once(get("offer-take", HTMLElement), () => this.#take());
    once(get("offer-back", HTMLElement), () => this.#back());
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    const now = pending(view);
    const banner = get("offer", HTMLElement);
    banner.hidden = now === null || view.taken !== null;
    get("offer-take", HTMLElement).hidden = now?.mine ?? true;
    write(get("offer-text", HTMLElement), now?.text ?? "");
    write(get("offer-back", HTMLElement), now?.mine ? "Retirer l’offre" : "Refuser");
    const session = shown(view);
    if (this.#dialog.open && (session?.id !== this.#about || session.state === "ended" || view.taken !== null)) this.#dialog.close();
  }

  #key() {
    const view = this.#host.view();
    if (view.taken !== null) return;
    const now = pending(view);
    if (now && !now.mine) void this.#take();
    else void this.#open();
  }

  async #open() {
    const session = shown(this.#host.view());
    if (!session || session.state === "ended" || this.#dialog.open) return;
    write(get("handover-error", HTMLElement), "");
    this.#about = session.id;
    this.#dialog.showModal();
    get("handover-title", HTMLElement).focus();
    try {
      const { stations } = await this.#host.command({ type: "station.list" });
      this.#list(stations);
    } catch (error) {
      write(get("handover-error", HTMLElement), sentence(error));
    }
  }

  /** @param {Station[]} stations those with a desk open first */
  #list(stations) {
    get("handover-empty", HTMLElement).hidden = stations.length > 0;
    const list = get("handover-stations", HTMLElement);
    reconcile(list, stations, (one) => one.extension, (one) => this.#row(one.extension), (row, one) => {
      part(row, "name", `${one.extension} · ${one.name}`);
      part(row, "who", one.who ? `ouvert : ${one.who}` : "aucune page ouverte");
    });
    list.querySelector("button")?.focus();
  }

  /** @param {string} station */
  #row(station) {
    return el("li", {}, el("button", { type: "button", "data-station": station, click: () => void this.#offer(station) },
      icon("monitor"), el("b", { "data-part": "name" }), el("span", { class: "sub", "data-part": "who" })));
  }

  /** @param {string} station */
  async #offer(station) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#host.command({ type: "session.offer_to", session: this.#about, station });
      this.#dialog.close();
    } catch (error) {
      write(get("handover-error", HTMLElement), sentence(error));
    } finally {
      this.#busy = false;
    }
  }

  async #take() {
    const now = pending(this.#host.view());
    if (!now || now.mine || this.#busy) return;
    this.#busy = true;
    try {
      await this.#host.command({ type: "session.accept", session: now.session.id });
      this.#host.take(now.session.id);
    } catch (error) {
      this.#host.notify(sentence(error));
    } finally {
      this.#busy = false;
    }
  }

  async #back() {
    const now = pending(this.#host.view());
    if (!now) return;
    await this.#host.command({ type: "session.offer_to", session: now.session.id, station: null }).catch((error) => this.#host.notify(sentence(error)));
  }
}
