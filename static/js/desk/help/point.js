/** Point at the picture, with the mouse or the arrow keys: the caller sees an arrow at that very place of his own picture. */
import { get } from "../../lib/dom.js";
import { moved, placeAt, pointAt } from "../../rtc/pointing.js";
import { modalOpen } from "../gestures.js";

/** @typedef {import("../../rtc/pointing.js").Place} Place */
/**
 * @typedef {object} PointerHost
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {(message: import("../../lib/socket.js").Message) => void} offer
 * @property {import("./toolbar.js").Toolbar} bar
 * @property {() => import("../../rtc/pointing.js").Turn} turn
 */

/** Milliseconds between two places that are sent; between two when it stays where it is; before it fades. */
const EVERY = 50;
const AGAIN = 1_000;
const FADES = 3_000;
/** How far an arrow key moves it, of the picture; with Shift. */
const STEP = 0.03;
const SMALL = 0.005;
/** @type {Record<string, Place>} */
const ARROWS = { ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 }, ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 } };
const MIDDLE = Object.freeze({ x: 0.5, y: 0.5 });

export class Pointer {
  #host;
  #stage = get("stage", HTMLElement);
  #video = get("patient", HTMLVideoElement);
  #mark = get("pointer", HTMLElement);
  /** @type {Place} */
  #place = MIDDLE;
  #seen = false;
  #byKeys = false;
  #held = false;
  #sentAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #fade = undefined;

  /** @param {PointerHost} host */
  constructor(host) {
    this.#host = host;
    this.#stage.addEventListener("pointerdown", (event) => this.#down(event));
    this.#stage.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.#stage.addEventListener(end, () => this.#release());
    document.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(this.#stage);
    setInterval(() => {
      if (this.#held || this.#byKeys) this.#point(this.#place);
    }, AGAIN);
  }

  /** By the keyboard: on or off. */
  toggle() {
    this.#keys(!this.#byKeys);
    if (!this.#byKeys) return;
    this.#host.bar.say("Flèches pour déplacer, Maj pour aller doucement, Échap pour finir.");
    this.#point(this.#seen ? this.#place : MIDDLE);
  }

  /** The mark where it belongs, whatever became of the window, the turn or the control. */
  draw() {
    if (this.#host.bar.why("point")) this.#end();
    const at = this.#seen ? pointAt(this.#place, this.#box, this.#size, this.#shown) : null;
    this.#mark.hidden = !at;
    if (!at) return;
    this.#mark.style.left = `${at.left}px`;
    this.#mark.style.top = `${at.top}px`;
  }

  get #box() {
    return { width: this.#stage.clientWidth, height: this.#stage.clientHeight };
  }

  get #size() {
    return { width: this.#video.videoWidth, height: this.#video.videoHeight };
  }

  /** @returns {import("../../rtc/pointing.js").Shown} */
  get #shown() {
    return { fit: "contain", turn: this.#host.turn() };
  }

  /** @param {PointerEvent} event @returns {Place | null} */
  #under(event) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return placeAt({ left: event.clientX - left, top: event.clientY - top }, this.#box, this.#size, this.#shown);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button, a, input"))) return;
    const place = this.#under(event);
    if (!place || !this.#host.bar.can("point")) return;
    event.preventDefault();
    this.#held = true;
    this.#stage.setPointerCapture(event.pointerId);
    this.#point(place);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const place = this.#held ? this.#under(event) : null;
    if (place) this.#point(place);
  }

  #release() {
    this.#held = false;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#byKeys || event.altKey || event.ctrlKey || event.metaKey || modalOpen()) return;
    if (event.target instanceof Element && event.target.matches("input, textarea, select")) return;
    const way = ARROWS[event.key];
    if (way) {
      const far = event.shiftKey ? SMALL : STEP;
      this.#point(moved(this.#place, { x: way.x * far, y: way.y * far }, this.#host.turn()));
    } else if (event.key === "Escape") {
      this.#end();
      this.draw();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {boolean} on */
  #keys(on) {
    this.#byKeys = on;
    this.#host.bar.press("point", on);
  }

  #end() {
    this.#held = false;
    if (this.#byKeys) this.#keys(false);
    this.#seen = false;
  }

  /** @param {Place} place */
  #point(place) {
    if (this.#host.bar.why("point")) return;
    this.#place = place;
    this.#seen = true;
    this.draw();
    clearTimeout(this.#fade);
    this.#fade = setTimeout(() => {
      this.#seen = false;
      this.draw();
    }, FADES);
    clearTimeout(this.#soon);
    const wait = this.#sentAt + EVERY - performance.now();
    if (wait > 0) this.#soon = setTimeout(() => this.#send(), wait);
    else this.#send();
  }

  #send() {
    this.#sentAt = performance.now();
    const { x, y } = this.#place;
    this.#host.offer({ type: "help.point", session: this.#host.view().watch, x, y });
  }
}
