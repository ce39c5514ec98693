/** Remote help from the desk: what is asked of the phone, and what it answered. */
import { get, write } from "../../lib/dom.js";
import { mint } from "../../lib/socket.js";
import { shown } from "../../watching/session.js";
import { doubled } from "../gestures.js";
import { sentence } from "../notice.js";
import { Frozen } from "./frozen.js";
import { MessageList } from "./messages.js";
import { Pointer } from "./point.js";
import { ALL, CONTROLS, Toolbar } from "./toolbar.js";
import { done, refused } from "./words.js";

/** @typedef {import("./words.js").Control} Control */
/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Abilities} Abilities */
/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} HelpHost
 * @property {() => Readonly<View>} view
 * @property {(message: Message) => Promise<any>} command
 * @property {(message: Message) => void} offer lost when the server is not there
 */

/** Milliseconds that a phone is given to answer. */
const PATIENCE = 10_000;

export class DeskHelp {
  #host;
  #bar = new Toolbar();
  #stage = get("stage", HTMLElement);
  #server = get("server-state", HTMLElement);
  #zoom = get("help-zoom", HTMLInputElement);
  #frozen;
  #pointer;
  #list;
  /** The session whose phone told what it can do. */
  #of = "";
  /** @type {Readonly<Abilities> | null} */
  #abilities = null;
  /** Orders without an answer. @type {Map<string, {control: Control, name: string, value: unknown, late: ReturnType<typeof setTimeout>}>} */
  #waiting = new Map();
  /** The zoom that is asked for, when it is not the one that was sent. @type {number | null} */
  #wanted = null;

  /** @param {HelpHost} host */
  constructor(host) {
    this.#host = host;
    this.#frozen = new Frozen({ ...host, bar: this.#bar, changed: () => this.#draw() });
    this.#pointer = new Pointer({ ...host, bar: this.#bar, turn: () => this.#frozen.turn });
    this.#list = new MessageList((key) => void this.#order("say", "message", { type: "help.message", message: key }, key));
    for (const control of ALL) {
      if (control === "zoom") continue;
      // Two quick clicks turn the picture by a half; anything else they would do and undo.
      this.#bar.node(control).addEventListener("click", (event) => {
        if (control === "turn" || !doubled(event)) this.#act(control);
      });
    }
    this.#zoom.addEventListener("input", () => this.#zoomed());
    const redraw = new MutationObserver(() => this.#draw());
    redraw.observe(this.#stage, { attributeFilter: ["data-picture", "data-still"] });
    redraw.observe(this.#server, { attributeFilter: ["data-state"] });
    this.#draw();
  }

  /** @returns {import("../keys.js").Key[]} */
  get keys() {
    return ALL.map((control) => {
      const { key, does } = CONTROLS[control];
      return { code: `Key${key}`, shown: key, does, act: () => this.#act(control) };
    });
  }

  /** @param {Message} message */
  heard(message) {
    const { watch } = this.#host.view();
    if (message.type === "help.done") this.#answered(message);
    else if (message.type === "caller.abilities" && message.session === watch) this.#learn(message.session, message.abilities);
    else if (message.type === "view" && watch) this.#learn(watch, message.sessions.find((/** @type {any} */ one) => one.id === watch)?.caller.abilities);
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    if (this.#of && this.#of !== view.watch) this.#learn(view.watch ?? "", null);
    this.#frozen.follow(view.watch);
    if (!this.#on) this.#list.close();
    this.#draw();
  }

  get #on() {
    const view = this.#host.view();
    const session = shown(view);
    return Boolean(view.watch && session && session.state !== "ended");
  }

  /** @param {string} session @param {Readonly<Abilities> | null | undefined} abilities */
  #learn(session, abilities) {
    this.#of = session;
    this.#abilities = abilities ?? null;
  }

  #draw() {
    const view = this.#host.view();
    const session = shown(view);
    const abilities = this.#abilities;
    this.#bar.draw({
      on: this.#on,
      readonly: view.taken !== null,
      connected: this.#server.dataset.state === "open",
      online: Boolean(session?.caller.online) && view.online,
      hidden: view.hidden,
      picture: this.#stage.dataset.still === "fresh" ? "flowing" : (this.#stage.dataset.picture ?? "none"),
      frozen: this.#frozen.frozen,
      abilities,
      policy: view.server?.site.snapshots ?? "none",
    });
    this.#bar.press("torch", Boolean(abilities?.lit));
    this.#bar.press("prefer", abilities?.prefer === "detail");
    this.#drawZoom(abilities?.zoom ?? null);
    this.#pointer.draw();
  }

  /** @param {Abilities["zoom"]} zoom */
  #drawZoom(zoom) {
    const { min, max, step, value } = zoom ?? { min: 1, max: 2, step: 0.1, value: 1 };
    this.#zoom.min = String(min);
    this.#zoom.max = String(max);
    this.#zoom.step = String(step || (max - min) / 20 || 0.1);
    if (this.#wanted === null && !this.#zooming) this.#zoom.value = String(value);
    const now = `${Number(this.#zoom.value).toFixed(1).replace(".", ",")}×`;
    write(get("help-zoom-text", HTMLElement), zoom ? now : "Zoom");
    this.#zoom.setAttribute("aria-valuetext", zoom ? now : "non disponible");
  }

  /** @param {Control} control */
  #act(control) {
    const node = this.#bar.node(control);
    if (control === "zoom") node.focus();
    if (!this.#bar.can(control) || node.getAttribute("aria-busy") === "true") return;
    const lit = this.#abilities?.lit === true;
    const prefer = this.#abilities?.prefer === "detail" ? "motion" : "detail";
    switch (control) {
      case "camera":
        return void this.#order(control, "camera", { type: "help.camera" }, null);
      case "torch":
        return void this.#order(control, "torch", { type: "help.torch", on: !lit }, !lit);
      case "prefer":
        return void this.#order(control, "prefer", { type: "help.prefer", prefer }, prefer);
      case "turn":
        return this.#frozen.rotate();
      case "freeze":
        return this.#frozen.toggle();
      case "snapshot":
        return void this.#frozen.store();
      case "point":
        return this.#pointer.toggle();
      case "say":
        return this.#list.open();
      default:
        return undefined;
    }
  }

  get #zooming() {
    return [...this.#waiting.values()].some(({ control }) => control === "zoom");
  }

  /** The slider moves faster than a phone answers: one order at a time, the newest wish after it. */
  #zoomed() {
    if (!this.#bar.can("zoom")) {
      this.#wanted = null;
      this.#draw();
      return;
    }
    this.#wanted = Number(this.#zoom.value);
    this.#sendZoom();
    this.#draw();
  }

  #sendZoom() {
    if (this.#wanted === null || this.#zooming) return;
    const zoom = this.#wanted;
    this.#wanted = null;
    void this.#order("zoom", "zoom", { type: "help.zoom", zoom }, zoom);
  }

  /** @param {Control} control @param {string} name what the phone calls it @param {Message} message @param {unknown} value */
  async #order(control, name, message, value) {
    const id = mint();
    const late = setTimeout(() => this.#over(id, "Le téléphone ne répond pas : demandez de vive voix."), PATIENCE);
    this.#waiting.set(id, { control, name, value, late });
    this.#bar.busy(control, control !== "zoom" && control !== "say");
    try {
      await this.#host.command({ ...message, id, session: this.#host.view().watch });
    } catch (error) {
      this.#over(id, sentence(error));
    }
  }

  /** @param {Message} message */
  #answered(message) {
    const order = this.#waiting.get(message.order);
    if (!order) return;
    if (message.outcome === "done") {
      this.#over(message.order);
      this.#bar.say(done(order.name, order.value, this.#abilities));
    } else {
      this.#over(message.order, refused(order.name, message.why));
    }
    if (order.control === "zoom") this.#sendZoom();
  }

  /** @param {string} id @param {string} [trouble] */
  #over(id, trouble = "") {
    const order = this.#waiting.get(id);
    if (!order) return;
    clearTimeout(order.late);
    this.#waiting.delete(id);
    this.#bar.busy(order.control, false);
    this.#bar.say(trouble, true);
    this.#draw();
  }
}
