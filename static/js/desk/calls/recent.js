/** The sessions of the shift: those of this station and one's own, for twelve hours, to look at, not to act on. */
import { el, get, write } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { duration } from "../../watching/session.js";
import { clock } from "../clock.js";
import { modalOpen } from "../gestures.js";
import { sentence } from "../notice.js";
import { fillSteps } from "../session/steps.js";
import { sessionState } from "../words.js";

/** @typedef {import("../../watching/session.js").Step} Step */
/**
 * @typedef {object} Past
 * @property {string} id
 * @property {import("../../watching/session.js").Session["state"]} state
 * @property {string} created
 * @property {string | null} ended
 * @property {string | null} end_reason
 * @property {string | null} number
 * @property {string | null} station
 * @property {boolean} mine
 * @property {number | null} seconds from the first picture to the end
 * @property {string} link
 * @property {Step[]} steps
 */
/**
 * @typedef {object} RecentHost
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {(message: import("../../lib/socket.js").Message) => Promise<any>} command
 * @property {(session: string) => void} open
 */

export class Recent {
  #host;
  #dialog = get("recent", HTMLDialogElement);
  #mine = get("recent-mine", HTMLInputElement);
  #list = get("recent-list", HTMLElement);
  /** @type {Past[]} */
  #all = [];
  keys = [{ code: "KeyN", shown: "N", does: "Sessions des 12 dernières heures", act: () => void this.open() }];

  /** @param {RecentHost} host */
  constructor(host) {
    this.#host = host;
    get("recent-open", HTMLElement).addEventListener("click", () => void this.open());
    this.#mine.addEventListener("change", () => this.#draw());
  }

  async open() {
    if (modalOpen()) return;
    write(get("recent-text", HTMLElement), "Recherche…");
    this.#all = [];
    this.#draw();
    this.#dialog.showModal();
    get("recent-title", HTMLElement).focus();
    try {
      const { sessions } = await this.#host.command({ type: "sessions.recent" });
      this.#all = sessions;
      this.#draw();
      this.#tell();
    } catch (error) {
      write(get("recent-text", HTMLElement), sentence(error));
    }
  }

  get #chosen() {
    return this.#mine.checked ? this.#all.filter(({ mine }) => mine) : this.#all;
  }

  #tell() {
    const count = this.#chosen.length;
    write(get("recent-text", HTMLElement), count === 0 ? "Aucune session depuis 12 heures." : `${count} session${count > 1 ? "s" : ""} depuis 12 heures.`);
  }

  #draw() {
    const here = this.#host.view().server?.station?.extension ?? null;
    reconcile(this.#list, this.#chosen, ({ id }) => id, (past) => this.#make(past), (node, past) => {
      /** @type {HTMLElement} */ (node).dataset.state = past.state;
      part(node, "when", clock(past.created));
      part(node, "number", past.number ?? "—");
      part(node, "state", sessionState({ ...past, moved: [] }, here));
      part(node, "length", past.seconds === null ? "sans image" : duration(past.seconds * 1000));
      part(node, "link", past.link || "Non lié à un appel.");
      const steps = node.querySelector("ol");
      if (steps) fillSteps(steps, past.steps, false);
    });
    if (this.#all.length > 0) this.#tell();
  }

  /** @param {Past} past */
  #make({ id, state }) {
    const show = () => {
      this.#dialog.close();
      this.#host.open(id);
    };
    return el("li", { "data-past": id },
      el("details", {},
        el("summary", {},
          el("span", { class: "when", "data-part": "when" }), el("b", { "data-part": "number" }),
          el("span", { class: "sub", "data-part": "state" }), el("span", { class: "when", "data-part": "length" })),
        el("p", { class: "sub", "data-part": "link" }),
        el("ol", { class: "past-steps" }),
        state !== "ended" && el("button", { type: "button", class: "small", click: show }, "Afficher cette vidéo")));
  }
}
