/** The way to the lower rungs: loaded after the first picture, or when it does not come; what is heard before is kept. */

import { fetched } from "../later.js";

/** @typedef {import("../../lib/socket.js").Message} Message */
/** @typedef {Readonly<import("../phase.js").Phase>} Phase */
/**
 * @typedef {object} LadderHost
 * @property {() => Phase} phase
 * @property {(key: string) => string} say a sentence in the caller's language
 * @property {import("../../lib/socket.js").Socket} socket
 * @property {import("./peers.js").Peers} peers
 * @property {() => MediaStreamTrack | null} track
 * @property {string} token of the link
 * @property {Promise<void>} free the first picture is out of the way
 */

/** Messages kept while the rest is loaded. */
const KEPT = 100;

export class LowerRungs {
  #host;
  /** @type {import("./rung.js").CallerRung | null} */
  #rung = null;
  /** @type {Message[] | null} kept for it */
  #kept = [];
  #asked = false;

  /** @param {LadderHost} host */
  constructor(host) {
    this.#host = host;
  }

  /** Whether the encoder is off on purpose: no frame of the camera is counted then. */
  get quiet() {
    return this.#rung?.quiet ?? false;
  }

  /** @param {Message} message */
  heard(message) {
    if (this.#rung) this.#rung.heard(message);
    else if (this.#kept && this.#kept.length < KEPT) this.#kept.push({ ...message, heardAt: performance.now() });
  }

  /** @param {Phase} phase */
  drawn(phase) {
    if (phase.screen !== "invite" && phase.screen !== "ended" && !this.#asked) this.#load();
    this.#rung?.drawn(phase);
  }

  #load() {
    this.#asked = true;
    void this.#host.free.then(() => fetched("caller/sending/rung.js")).then(
      ({ CallerRung }) => {
        /** @type {import("./rung.js").CallerRung} */
        const made = new CallerRung(this.#host);
        this.#rung = made;
        for (const message of this.#kept ?? []) made.heard(message);
        this.#kept = null;
        made.drawn(this.#host.phase());
      },
      // It does not parse: the film goes on without lower rungs.
      () => {
        this.#kept = null;
      },
    );
  }
}
