/** One hint at a time under the picture: the one that helps most now. */
import { get, icon, write } from "../lib/dom.js";
import { DIM, Darkness } from "../rtc/darkness.js";
import { Player } from "../rtc/player.js";

/** Milliseconds between two looks at the picture; looks in a row before it is called dark, so that a hand does not. */
const LOOK = 3_000;
const SURE = 2;
/** Share of the battery under which it may not last. */
const LOW = 0.15;

/** @typedef {"held" | "dark" | "battery" | "loud"} Hint */
const ICON = { held: "pointer", dark: "lightbulb", battery: "battery-low", loud: "volume-2" };

/** Which hint helps most: a picture that the browser holds back is black and says nothing, nothing is seen in the dark, and
 * nothing at all with an empty battery. Pure.
 * @param {{held?: boolean, dark: number, battery: {level: number, charging: boolean} | null}} known dark: looks in a row @returns {Hint} */
export function hint({ held = false, dark, battery }) {
  if (held) return "held";
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
  /** @type {Player[]} */
  #players;

  /** @param {HTMLVideoElement} own @param {(key: string) => string} say */
  constructor(own, say) {
    this.#say = say;
    this.#eye = new Darkness(own);
    this.#players = [own, get("doctor", HTMLVideoElement)].map((video) => this.#player(video));
    setInterval(() => this.#look(), LOOK);
    void this.#charge();
  }

  /** The browser may have refused to play it before this part was here, and may refuse each picture that comes after.
   * @param {HTMLVideoElement} video */
  #player(video) {
    const player = new Player(video, () => this.#draw());
    const start = () => {
      if (video.paused) player.play();
    };
    video.addEventListener("emptied", () => player.rest());
    video.addEventListener("loadedmetadata", start);
    start();
    return player;
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
    const held = this.#players?.some((player) => player.held);
    const found = hint({ held, dark: this.#dark, battery: this.#battery });
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
