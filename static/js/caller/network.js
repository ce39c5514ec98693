/** The phone's network: what it lets through, told before it matters; and when it becomes another one. */
import { connects } from "../rtc/peer.js";
import { preflight, prepared } from "../rtc/preflight.js";

/** Milliseconds of quiet after which a change of network is over: browsers tell of one in several words. */
const SETTLED = 150;

/** @typedef {import("../rtc/preflight.js").Preflight} Preflight */
/**
 * @typedef {object} NetworkHost
 * @property {(found: Readonly<Preflight>) => void} onFound
 * @property {() => void} onChanged the phone is on another network, or has one again
 * @property {() => void} onOffline
 * @property {() => import("../rtc/preflight.js").Reached} socket how long the socket took
 */

export class CallerNetwork {
  #host;
  /** @type {Readonly<Preflight> | null} */
  #found = null;
  /** Which network it is, counted: what was found on a former one says nothing. */
  #network = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling = undefined;

  /** @param {NetworkHost} host */
  constructor(host) {
    this.#host = host;
    const changed = () => this.#changed();
    addEventListener("online", changed);
    addEventListener("offline", () => {
      this.#changed();
      host.onOffline();
    });
    // The word also comes when nothing but an estimate of the speed has changed.
    const { connection } = /** @type {any} */ (navigator);
    let kind = connection?.type;
    connection?.addEventListener?.("change", () => {
      if (connection.type === kind) return;
      kind = connection.type;
      changed();
    });
  }

  get found() {
    return this.#found;
  }

  /** Find out what passes, beside everything else.
   * @param {any} ice */
  async explore(ice) {
    if (!connects() || !ice || Array.isArray(ice)) return;
    const network = this.#network;
    const found = await preflight(ice, this.#host.socket());
    if (network !== this.#network) return;
    // The socket may have come up meanwhile.
    this.#found = { ...found, socket: this.#host.socket() };
    this.#host.onFound(this.#found);
  }

  /** @param {any} ice @returns {any} */
  prepared(ice) {
    return prepared(ice, this.#found);
  }

  #changed() {
    this.#network += 1;
    this.#found = null;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (navigator.onLine) this.#host.onChanged();
    }, SETTLED);
  }
}
