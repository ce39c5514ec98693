/** Other eyes: who sees the picture, somebody more invited to look, or taken away. */
import { el, get, write } from "../../lib/dom.js";
import { reconcile } from "../../lib/rows.js";
import { drawPeople } from "../../watching/people.js";
import { shown } from "../../watching/session.js";
import { sentence } from "../notice.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} ObserversHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(text: string) => void} notify
 */

/** What was typed is a number or an address.
 * @param {string} to @returns {{email: string} | {mobile: string}} */
export function contact(to) {
  return to.includes("@") ? { email: to } : { mobile: to };
}

export class Observers {
  #host;
  #dialog = get("observers", HTMLDialogElement);
  #busy = false;
  /** The session the dialog was opened for: never another one that came up behind it. */
  #about = "";
  keys = [{ code: "KeyO", shown: "O", does: "Inviter un observateur (SMUR, spécialiste)", act: () => this.#open() }];

  /** @param {ObserversHost} host */
  constructor(host) {
    this.#host = host;
    get("observers-open", HTMLElement).addEventListener("click", () => this.#open());
    get("observers-close", HTMLElement).addEventListener("click", () => this.#dialog.close());
    get("observers-listed", HTMLElement).addEventListener("change", () => this.#choose());
    get("observers-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    const session = shown(view);
    const on = session !== null && session.state !== "ended";
    get("people-box", HTMLElement).hidden = !on;
    for (const id of ["observers-open", "handover-open", "second-open"]) get(id, HTMLButtonElement).disabled = view.taken !== null;
    drawPeople(get("people", HTMLElement), on ? session.participants ?? [] : [], session?.state === "live", (id) => this.#remove(id));
    if (this.#dialog.open && (!on || session.id !== this.#about || view.taken !== null)) this.#dialog.close();
  }

  #open() {
    const view = this.#host.view();
    const session = shown(view);
    if (!session || session.state === "ended" || view.taken !== null) return;
    const names = view.server?.site.observers ?? [];
    get("observers-listed-box", HTMLElement).hidden = names.length === 0;
    const list = get("observers-listed", HTMLSelectElement);
    reconcile(list, ["", ...names], (name) => name, (name) => el("option", { value: name }, name || "Quelqu’un d’autre"), () => undefined);
    list.value = "";
    this.#choose();
    for (const id of ["observers-name", "observers-to"]) get(id, HTMLInputElement).value = "";
    write(get("observers-error", HTMLElement), "");
    this.#about = session.id;
    this.#dialog.showModal();
  }

  #choose() {
    get("observers-by-hand", HTMLElement).hidden = get("observers-listed", HTMLSelectElement).value !== "";
  }

  async #send() {
    if (this.#busy) return;
    const listed = get("observers-listed", HTMLSelectElement).value;
    const to = get("observers-to", HTMLInputElement).value.trim();
    const who = listed ? { listed } : { name: get("observers-name", HTMLInputElement).value.trim(), ...contact(to) };
    this.#wait(true);
    try {
      await this.#host.command({ type: "observer.invite", session: this.#about, ...who });
      this.#dialog.close();
    } catch (error) {
      write(get("observers-error", HTMLElement), sentence(error));
    } finally {
      this.#wait(false);
    }
  }

  /** @param {boolean} busy one gesture is one message */
  #wait(busy) {
    this.#busy = busy;
    get("observers-send", HTMLButtonElement).disabled = busy;
  }

  /** @param {string} observer */
  async #remove(observer) {
    await this.#host.command({ type: "observer.remove", observer }).catch((error) => this.#host.notify(sentence(error)));
  }
}
