/** The light of the server, and the banner of what this very PC stands in the way of: its network, its browser. */
import { get, write } from "../../lib/dom.js";
import { EVERY, SERVER, UNTRIED, advice, answered, asks, learn, standing } from "../../watching/line.js";

const BEAT = 250;

/**
 * @typedef {object} ServerHost
 * @property {() => void} retry pages come: the socket may as well
 * @property {() => void} refused the sign-in is over
 * @property {() => void} changed
 */

export class ServerLine {
  #host;
  #line = UNTRIED;
  /** @type {import("../../watching/line.js").Standing} */
  #standing = "connecting";
  #browser = "";
  #taken = "";

  /** @param {ServerHost} host */
  constructor(host) {
    this.#host = host;
    setInterval(() => this.#look(), BEAT);
  }

  /** @returns {string} how the light names it */
  get words() {
    return this.#taken || SERVER[this.#standing];
  }

  /** @param {import("../../lib/socket.js").SocketState} state @param {string} taken what is said of a station that somebody else holds; "" else */
  socket(state, taken) {
    get("server-state", HTMLElement).dataset.state = state;
    this.#taken = taken;
    this.#line = learn(this.#line, { type: "socket", at: performance.now(), state });
    this.#look();
    this.#draw();
  }

  /** The server answered. */
  heard() {
    this.#line = learn(this.#line, { type: "heard" });
    this.#look();
  }

  /** What this browser cannot do, as long as the page is open.
   * @param {string} text */
  lacks(text) {
    this.#browser = text;
    this.#draw();
  }

  #look() {
    const now = performance.now();
    if (asks(this.#line, now)) void this.#ask(now);
    const found = standing(this.#line, now);
    if (found === this.#standing) return;
    this.#standing = found;
    this.#draw();
    this.#host.changed();
  }

  /** Ask for a page beside the socket: what comes tells a network that stops sockets from a server that is away, and both from a
   * sign-in that ended meanwhile, which shows as a refused handshake.
   * @param {number} at */
  async #ask(at) {
    this.#line = learn(this.#line, { type: "asked", at });
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), EVERY);
    const wish = { headers: { Accept: "application/json" }, credentials: /** @type {const} */ ("same-origin"), cache: /** @type {const} */ ("no-store"), signal: stop.signal };
    const status = await fetch("/login/standing", wish).then((response) => response.status, () => 0);
    clearTimeout(timer);
    const answer = answered(status, navigator.onLine);
    this.#line = learn(this.#line, { type: "answer", at: performance.now(), answer });
    if (answer === "refused") this.#host.refused();
    if (answer === "passed" && this.#line.socket === "waiting") this.#host.retry();
    this.#look();
  }

  #draw() {
    write(get("server-text", HTMLElement), this.words);
    get("server-state", HTMLElement).dataset.standing = this.#standing;
    const text = [advice(this.#standing), this.#browser].filter(Boolean).join(" ");
    write(get("desk-trouble-text", HTMLElement), text);
    get("desk-trouble", HTMLElement).hidden = text === "";
  }
}
