/** A part of the page that is not needed before the tap, and is not loaded before it: the page stays small. */

/** @typedef {import("./socket.js").Message} Message */
/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {{heard(message: Message): void, drawn(phase: Readonly<Phase>): void, tracked(): void}} Part */

/** Most messages kept for a part that is still on its way. */
const KEPT = 50;

export class Later {
  #load;
  /** @type {Part | null} */
  #part = null;
  #loading = false;
  /** @type {Message[]} */
  #kept = [];
  /** @type {Readonly<Phase> | null} */
  #phase = null;

  /** @param {() => Promise<Part>} load asked again when it failed */
  constructor(load) {
    this.#load = load;
  }

  /** @param {Message} message */
  heard(message) {
    if (this.#part) {
      this.#part.heard(message);
      return;
    }
    this.#kept.push(message);
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#wake();
  }

  /** @param {Readonly<Phase>} phase */
  drawn(phase) {
    this.#phase = phase;
    if (this.#part) this.#part.drawn(phase);
    else this.#wake();
  }

  /** The camera gives another track, or another picture. */
  tracked() {
    this.#part?.tracked();
  }

  #wake() {
    if (this.#loading || !this.#phase || ["invite", "ended"].includes(this.#phase.screen)) return;
    this.#loading = true;
    this.#load().then((part) => this.#arrived(part), () => {
      this.#loading = false;
    });
  }

  /** @param {Part} part */
  #arrived(part) {
    this.#part = part;
    for (const message of this.#kept) part.heard(message);
    this.#kept = [];
    if (this.#phase) part.drawn(this.#phase);
    part.tracked();
  }
}
