/** The toolbar under the picture: each control says its key and what it does, or why it cannot; what became of it is told. */
import { get, write } from "../../lib/dom.js";
import { lens, reason } from "./words.js";

/** @typedef {import("./words.js").Control} Control */
/** @typedef {import("./words.js").Facts} Facts */

/** Milliseconds that a word on what became of a control stays. */
const SAID = 6_000;

/** @type {Readonly<Record<Control, {id: string, key: string, does: string}>>} */
export const CONTROLS = Object.freeze({
  camera: { id: "help-camera", key: "K", does: "Changer de caméra sur le téléphone" },
  torch: { id: "help-torch", key: "T", does: "Lampe du téléphone, allumée ou éteinte" },
  zoom: { id: "help-zoom", key: "Z", does: "Zoom du téléphone" },
  prefer: { id: "help-prefer", key: "U", does: "Le détail d’abord, ou le mouvement d’abord" },
  turn: { id: "turn", key: "R", does: "Tourner l’image, ici seulement" },
  freeze: { id: "freeze", key: "F", does: "Figer l’image, ici seulement" },
  snapshot: { id: "snapshot", key: "I", does: "Conserver une photo de ce qui est vu ici" },
  point: { id: "point", key: "G", does: "Montrer un endroit de l’image : flèches, ou la souris sur l’image" },
  say: { id: "messages-open", key: "S", does: "Afficher une phrase sur le téléphone" },
});
/** @type {readonly Control[]} */
export const ALL = Object.freeze(/** @type {Control[]} */ (Object.keys(CONTROLS)));

export class Toolbar {
  /** @type {Map<Control, HTMLElement>} */
  #nodes = new Map(ALL.map((control) => [control, get(CONTROLS[control].id, HTMLElement)]));
  /** @type {Map<Control, string>} */
  #whys = new Map();
  #said = get("help-said", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #quiet = undefined;

  constructor() {
    for (const [control, node] of this.#nodes) node.setAttribute("aria-keyshortcuts", `Alt+${CONTROLS[control].key}`);
  }

  /** @param {Control} control @returns {HTMLElement} */
  node(control) {
    return /** @type {HTMLElement} */ (this.#nodes.get(control));
  }

  /** @param {Readonly<Facts>} facts */
  draw(facts) {
    for (const [control, node] of this.#nodes) {
      const why = reason(control, facts);
      this.#whys.set(control, why);
      node.setAttribute("aria-disabled", String(Boolean(why)));
      const now = control === "camera" && lens(facts.abilities);
      const title = [`Alt+${CONTROLS[control].key}`, why || CONTROLS[control].does, now].filter(Boolean).join(" · ");
      if (node.title !== title) node.title = title;
    }
    const { place = null, cameras = 0 } = facts.abilities ?? {};
    this.node("camera").dataset.lens = place && cameras > 1 ? `${place}/${cameras}` : "";
  }

  /** @param {Control} control @param {boolean} on */
  press(control, on) {
    this.node(control).setAttribute("aria-pressed", String(on));
  }

  /** @param {Control} control @param {boolean} at an answer of the phone is waited for */
  busy(control, at) {
    this.node(control).setAttribute("aria-busy", String(at));
  }

  /** Whether a control works now; where it does not, the reason is told.
   * @param {Control} control @returns {boolean} */
  can(control) {
    const why = this.why(control);
    if (why) this.say(why, true);
    return !why;
  }

  /** @param {Control} control @returns {string} */
  why(control) {
    return this.#whys.get(control) ?? " ";
  }

  /** Tell what became of a control, over the picture.
   * @param {string} text @param {boolean} [refused] */
  say(text, refused = false) {
    if (!text) return;
    clearTimeout(this.#quiet);
    write(this.#said, text);
    this.#said.dataset.refused = String(refused);
    this.#quiet = setTimeout(() => this.hush(), SAID);
  }

  hush() {
    write(this.#said, "");
  }
}
