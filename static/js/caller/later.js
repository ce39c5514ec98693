/** What is not needed for the first picture: not loaded before the tap, since the page is to be small, nor while the picture comes. */
import { sees } from "./truth.js";

/** @typedef {import("../lib/socket.js").Message} Message */
/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {{heard(message: Message): void, drawn(phase: Readonly<Phase>): void, tracked?: () => void}} Part */

/** Most messages kept for a part that is still on its way. */
const KEPT = 50;

/** Milliseconds after the tap at which the picture is not waited for any more; given to its first frames to be drawn. */
const PATIENCE = 2_000;
const DRAWN = 500;

/** The first picture takes a third of a second, and all the phone and the server can do: whatever else there is waits. */
export class FirstPicture {
  /** @type {() => void} */
  #over = () => undefined;
  #wait = Infinity;
  /** It is there, something stands in its way, or it takes long.
   * @type {Promise<void>} */
  over = new Promise((resolve) => {
    this.#over = resolve;
  });

  /** @param {Readonly<Phase>} phase */
  drawn(phase) {
    const { screen, truth } = phase;
    if (screen === "invite") return;
    const wait = screen === "trouble" || screen === "ended" ? 0 : sees(truth) ? DRAWN : PATIENCE;
    if (wait < this.#wait) setTimeout(this.#over, wait);
    this.#wait = Math.min(wait, this.#wait);
  }
}

/** Milliseconds before a module that was lost is asked for again. */
const AGAIN = 3_000;

/** Import a module that is not needed before the tap, until it comes. Firefox remembers that an
 * import failed, of what that one imports too: the next one is from a folder of another name (static_files.py). One that does not parse never will.
 * @param {string} name its path under static/js @returns {Promise<any>} */
export async function fetched(name) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await import(turn ? `../../js-${turn}/${name}` : `../${name}`);
    } catch (error) {
      if (error instanceof SyntaxError) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

export class Later {
  #load;
  #only;
  /** @type {Part | null} */
  #part = null;
  #loading = false;
  /** @type {Message[]} */
  #kept = [];
  /** @type {Readonly<Phase> | null} */
  #phase = null;

  /** @param {() => Promise<Part>} load asked again when it failed @param {string} [only] the type of messages it hears */
  constructor(load, only = "") {
    this.#load = load;
    this.#only = only;
  }

  /** @param {Message} message */
  heard(message) {
    if (this.#only && message.type !== this.#only) return;
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
    this.#part?.tracked?.();
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
    part.tracked?.();
  }
}
