/** One hint at a time under the picture: the one that helps most now. */
import { DIM, Darkness } from "./darkness.js";
import { get, icon, write } from "./dom.js";

/** Milliseconds between two looks at the picture; looks in a row before it is called dark, so that a hand does not. */
const LOOK = 3_000;
const SURE = 2;
/** Share of the battery under which it may not last. */
const LOW = 0.15;

/** @typedef {"dark" | "battery" | "loud"} Hint */
const ICON = { dark: "lightbulb", battery: "battery-low", loud: "volume-2" };

/** Which hint helps most: nothing is seen in the dark, and nothing at all with an empty battery. Pure.
 * @param {{dark: number, battery: {level: number, charging: boolean} | null}} known dark: looks in a row @returns {Hint} */
export function hint({ dark, battery }) {
  if (dark >= SURE) return "dark";
  if (battery && !battery.charging && battery.level < LOW) return "battery";
  return "loud";
}

export class Hints {
  #say;
  #eye;
  /** @type {{level: number, charging: boolean} | null} */
  #battery = null;
  #dark = 0;
  #live = false;

  /** @param {HTMLVideoElement} own @param {(key: string) => string} say */
  constructor(own, say) {
    this.#say = say;
    this.#eye = new Darkness(own);
    setInterval(() => this.#look(), LOOK);
    void this.#charge();
  }

  /** @param {Readonly<import("./phase.js").Phase>} phase */
  drawn(phase) {
    this.#live = phase.screen === "live" && phase.truth.track === "live";
    if (!this.#live) this.#dark = 0;
    this.#draw();
  }

  #look() {
    if (!this.#live || document.hidden) return;
    this.#dark = this.#eye.level() < DIM ? this.#dark + 1 : 0;
    this.#draw();
  }

  #draw() {
    const found = hint({ dark: this.#dark, battery: this.#battery });
    const place = get("hint", HTMLElement);
    const text = get("hint-text", HTMLElement);
    text.dataset.say = `hint_${found}`;
    write(text, this.#say(`hint_${found}`));
    if (place.dataset.hint === found) return;
    place.dataset.hint = found;
    get("hint-icon", HTMLElement).replaceChildren(icon(ICON[found]));
  }

  /** Only some browsers tell. */
  async #charge() {
    const found = await /** @type {any} */ (navigator).getBattery?.().catch(() => null);
    if (!found) return;
    const read = () => {
      this.#battery = { level: found.level, charging: found.charging };
      this.#draw();
    };
    found.addEventListener("levelchange", read);
    found.addEventListener("chargingchange", read);
    read();
  }
}
