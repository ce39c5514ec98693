/** "Réseau": bars, facts and cause, and the graph of the last minute; measured on this very connection, once a second. */
import { get, svg, write } from "../../lib/dom.js";
import { FULL, LEVELS, MINUTE, columns, facts, judge, measure, remember, sample, told, tooSoon } from "../../rtc/quality.js";

const EVERY = 1_000;
/** How long the level must stay before it is read out, and between two readings of the graph, in milliseconds. */
const CALM = 5_000;
const READING = 10_000;
/** The level at which the caller is asked to help. */
const WEAK = 1;

/**
 * @typedef {object} GraphHost
 * @property {() => RTCPeerConnection | null} connection
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {() => boolean} own this very browser stands in the way: what it measures says nothing of the network
 * @property {() => void} changed the network became bad, or better
 */

export class Graph {
  #host;
  #box = get("network-box", HTMLElement);
  /** @type {SVGElement[]} */
  #bars;
  /** @type {RTCPeerConnection | null} */
  #of = null;
  /** @type {string | null} */
  #session = null;
  /** @type {import("../../rtc/quality.js").Sample | null} */
  #last = null;
  /** @type {import("../../rtc/quality.js").Measure[]} */
  #minute = [];
  /** The level that is shown, since when, and whether it was read out. */
  #level = { value: -1, since: 0, read: -1 };
  #readAt = -Infinity;
  /** @type {string | null} */
  #weak = null;

  /** @param {GraphHost} host */
  constructor(host) {
    this.#host = host;
    this.#bars = Array.from({ length: MINUTE }, (_, place) => svg("rect", { x: place * 2, width: 1.6, y: FULL, height: 0 }));
    get("graph-bars", SVGElement).append(...this.#bars);
    setInterval(() => void this.#look(), EVERY);
  }

  /** @returns {string | null} why the picture has been bad for a while */
  get weak() {
    return this.#weak;
  }

  /** @returns {string} what a report says of the network; "" without a picture */
  get summary() {
    const [quality, last] = [judge(this.#minute), this.#minute.at(-1)];
    if (!quality || !last) return "";
    return [LEVELS[quality.level], quality.cause, facts(last)].filter(Boolean).join(" · ");
  }

  /** @param {Readonly<import("../../watching/session.js").View>} view */
  draw(view) {
    if (this.#host.own()) this.#box.hidden = true;
    if (view.watch === this.#session) return;
    this.#session = view.watch;
    this.#last = null;
    this.#minute = [];
    this.#weak = null;
    this.#level = { value: -1, since: 0, read: -1 };
    this.#show();
  }

  async #look() {
    const asked = this.#host.connection();
    if (asked !== this.#of) this.#last = null;
    this.#of = asked;
    const report = asked && asked.connectionState !== "closed" ? await asked.getStats().catch(() => null) : null;
    if (asked !== this.#host.connection() || this.#host.view().watch !== this.#session) return;
    const now = report ? sample(/** @type {any} */ (report), performance.now()) : null;
    if (now && this.#last && tooSoon(this.#last, now)) return;
    const one = now && this.#last ? measure(this.#last, now) : null;
    this.#last = now;
    if (this.#host.own()) this.#minute = [];
    else if (one) this.#minute = remember(this.#minute, one);
    this.#show();
  }

  #show() {
    const quality = judge(this.#minute);
    const last = this.#minute.at(-1);
    const own = this.#host.own();
    this.#box.hidden = !quality || !this.#session || own;
    if (own) this.#tell(null);
    if (!quality || !last || own) return;
    this.#box.dataset.level = String(quality.level);
    write(get("network-level", HTMLElement), LEVELS[quality.level] ?? "");
    write(get("network-facts", HTMLElement), facts(last));
    write(get("network-cause", HTMLElement), quality.cause ?? "");
    columns(this.#minute).forEach((fps, place) => this.#column(place, fps));
    this.#read(quality);
  }

  /** A gap is a full hatched column: it is told by its shape, not by its colour.
   * @param {number} place @param {number | null} fps */
  #column(place, fps) {
    const bar = this.#bars[place];
    const high = fps === null ? 0 : fps || FULL;
    bar?.setAttribute("class", fps === 0 ? "gap" : "");
    bar?.setAttribute("y", String(FULL - high));
    bar?.setAttribute("height", String(high));
  }

  /** @param {string | null} weak */
  #tell(weak) {
    const flips = (weak === null) !== (this.#weak === null);
    // The figures in the cause move every second: the sentence keeps those it began with.
    this.#weak = weak === null ? null : this.#weak ?? weak;
    if (flips) this.#host.changed();
  }

  /** Screen readers hear the first level, then one that stays, not each second of it.
   * @param {import("../../rtc/quality.js").Quality} quality */
  #read({ level, cause }) {
    const now = performance.now();
    if (level !== this.#level.value) this.#level = { ...this.#level, value: level, since: now };
    // A picture that stands still has its own overlay, and soon its own sentence.
    this.#tell(level === WEAK && now - this.#level.since >= CALM ? cause : null);
    const calm = this.#level.read === -1 || now - this.#level.since >= CALM;
    if (level !== this.#level.read && calm) {
      this.#level.read = level;
      const why = cause && level > 0 ? `, ${cause}` : "";
      write(get("network-status", HTMLElement), `Réseau ${LEVELS[level]}${why}`);
    }
    if (now - this.#readAt < READING) return;
    this.#readAt = now;
    write(get("graph-text", SVGElement), told(this.#minute));
  }
}
