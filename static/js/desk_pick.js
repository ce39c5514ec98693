/** Which call the video is about: the dialog that cannot be missed, asked once by itself, then on demand. */
import { runCall } from "./desk_clock.js";
import { sentence } from "./desk_notice.js";
import { callNumber, choiceState } from "./desk_words.js";
import { el, get, part, reconcile, write } from "./dom.js";
import { candidates, shown } from "./session.js";

/** @typedef {import("./socket.js").Message} Message */
/**
 * @typedef {object} PickHost
 * @property {() => Readonly<import("./session.js").View>} view
 * @property {(message: Message) => Promise<unknown>} command
 */

export class Pick {
  #host;
  #dialog = get("pick", HTMLDialogElement);
  /** The session whose choice of a call was put off: it is asked again only on demand. */
  #later = "";

  /** @param {PickHost} host */
  constructor(host) {
    this.#host = host;
    get("pick-none", HTMLElement).addEventListener("click", () => void this.#relink({ type: "link.none" }));
    get("pick-later", HTMLElement).addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      this.#later = shown(host.view())?.id ?? "";
    });
    get("pick-manual", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const value = get("manual", HTMLInputElement).value.trim();
      if (value) void this.#relink({ type: "link.manual", value });
      else write(get("pick-error", HTMLElement), "Saisissez un identifiant.");
    });
  }

  open() {
    const view = this.#host.view();
    if (!shown(view) || view.taken !== null || this.#dialog.open) return;
    write(get("pick-error", HTMLElement), "");
    this.#drawCalls();
    this.#dialog.showModal();
    get("pick-title", HTMLElement).focus();
  }

  /** Keep up with the view; ask by itself when the server cannot tell the call. */
  draw() {
    if (this.#dialog.open) this.#drawCalls();
    const view = this.#host.view();
    const session = shown(view);
    if (!session || view.taken !== null || session.state === "ended") return;
    if (session.link.pick && this.#later !== session.id && !document.querySelector("dialog[open]")) this.open();
  }

  #drawCalls() {
    const view = this.#host.view();
    const session = shown(view);
    const calls = candidates(view);
    write(get("pick-text", HTMLElement), session?.number ? `Vidéo demandée au ${session.number}. L’invitation est déjà partie.` : "L’invitation est déjà partie.");
    get("pick-empty", HTMLElement).hidden = calls.length > 0;
    reconcile(get("pick-calls", HTMLElement), calls, (call) => call.id, ({ id }) => this.#makeCall(id), (node, call) => {
      const row = /** @type {HTMLElement} */ (node);
      row.dataset.state = call.state;
      part(row, "number", callNumber(call));
      runCall(row, call);
      part(row, "state", choiceState(call, call.id === session?.link.call));
    });
  }

  /** @param {string} call */
  #makeCall(call) {
    return el("li", {}, el("button", { type: "button", "data-call": call, click: () => void this.#relink({ type: "link.choose", call }) },
      el("span", { class: "lamp", "aria-hidden": "true" }),
      el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "age" }), el("span", { class: "sub", "data-part": "state" })));
  }

  /** @param {Message} message */
  async #relink(message) {
    const session = shown(this.#host.view());
    if (!session) return;
    try {
      await this.#host.command({ ...message, session: session.id });
      get("manual", HTMLInputElement).value = "";
      this.#later = session.id;
      this.#dialog.close();
    } catch (error) {
      write(get("pick-error", HTMLElement), sentence(error));
    }
  }
}
