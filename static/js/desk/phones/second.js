/** Several phones of one event: another one invited, each a video of its own, shown as tabs over the picture. */
import { el, get, write } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { blind } from "../../watching/camera_words.js";
import { shown } from "../../watching/session.js";
import { sentence } from "../notice.js";
import { contact } from "../session/observers.js";
import { refusal, sessionState } from "../words.js";
import { phoneName, together } from "./phones.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Session} Session */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} SecondHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(session: string) => void} take show this session here
 * @property {(session: string) => void} invited a session was made
 */

/** What a tab says: a picture that is not looked at is not said to be live.
 * @param {Session} session @param {boolean} watched @param {string | null} here @returns {string} */
export function tabState(session, watched, here) {
  const seen = ["live", "connecting", "interrupted"].includes(session.state);
  if (watched || !seen) return sessionState(session, here);
  if (!session.caller.online) return "téléphone absent";
  if (session.caller.hidden) return "page masquée";
  return blind(session.caller.camera)?.text.toLowerCase() ?? "téléphone prêt";
}

export class SecondPhone {
  #host;
  #spoken;
  #dialog = get("second", HTMLDialogElement);
  #busy = false;
  /** The session the dialog was opened for: never another one that came up behind it. */
  #about = "";
  keys = [{ code: "Digit2", shown: "2", does: "Second téléphone sur cet appel, ou passer de l’un à l’autre", act: () => this.#key() }];

  /** @param {SecondHost} host @param {import("../invite/spoken.js").SpokenCode} spoken */
  constructor(host, spoken) {
    this.#host = host;
    this.#spoken = spoken;
    get("second-open", HTMLElement).addEventListener("click", () => this.#open());
    get("second-close", HTMLElement).addEventListener("click", () => this.#dialog.close());
    get("second-code", HTMLElement).addEventListener("click", () => this.#code());
    get("second-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    const all = together(view);
    const tabs = get("tabs", HTMLElement);
    tabs.hidden = all.length === 0;
    reconcile(tabs, all, (one) => one.id, ({ id }) => this.#tab(id), (node, one) => {
      const watched = one.id === view.watch;
      node.setAttribute("aria-pressed", String(watched));
      part(node, "name", phoneName(one));
      part(node, "state", tabState(one, watched, view.server?.station?.extension ?? null));
    });
    if (this.#dialog.open && (shown(view)?.id !== this.#about || view.taken !== null)) this.#dialog.close();
  }

  /** @param {string} session */
  #tab(session) {
    return el("button", { type: "button", class: "tab", "aria-pressed": "false", click: () => this.#host.take(session) },
      el("b", { "data-part": "name" }), el("span", { class: "sub", "data-part": "state" }));
  }

  #key() {
    const view = this.#host.view();
    const all = together(view);
    const next = all[(all.findIndex((one) => one.id === view.watch) + 1) % Math.max(1, all.length)];
    if (next) this.#host.take(next.id);
    else this.#open();
  }

  get #call() {
    return shown(this.#host.view())?.link.call ?? undefined;
  }

  #open() {
    const view = this.#host.view();
    const session = shown(view);
    if (!session || session.state === "ended" || view.taken !== null || this.#dialog.open) return;
    const call = view.server?.calls.find((one) => one.id === session.link.call);
    write(get("second-call", HTMLElement), call?.number ? `Appel du ${call.number} : les deux images y sont liées.` : "La seconde image est liée au même appel, s’il est connu.");
    get("second-to", HTMLInputElement).value = "";
    write(get("second-error", HTMLElement), "");
    this.#about = session.id;
    this.#dialog.showModal();
  }

  #code() {
    const call = this.#call;
    this.#dialog.close();
    void this.#spoken.ask(undefined, call ? { call } : {});
  }

  async #send() {
    const to = get("second-to", HTMLInputElement).value.trim();
    if (this.#busy) return;
    if (!to) {
      write(get("second-error", HTMLElement), "Saisissez un mobile ou une adresse e-mail.");
      return;
    }
    const call = this.#call;
    this.#wait(true);
    try {
      const made = await this.#host.command({ type: "invite", ...contact(to), ...(call ? { call } : {}) });
      this.#dialog.close();
      this.#host.invited(made.session);
    } catch (error) {
      const view = this.#host.view();
      write(get("second-error", HTMLElement), refusal(error, view.server) || sentence(error));
    } finally {
      this.#wait(false);
    }
  }

  /** @param {boolean} busy one gesture is one message */
  #wait(busy) {
    this.#busy = busy;
    get("second-send", HTMLButtonElement).disabled = busy;
  }
}
