/**
 * What the regulator does with the picture on his own screen: turn it, freeze it, store it. A frozen picture is marked with
 * its time and never taken for live: the age of the live one goes on being told.
 */
import { get, meta, write } from "../../lib/dom.js";
import { quarter } from "../../rtc/pointing.js";

/** @typedef {import("../../rtc/pointing.js").Turn} Turn */
/**
 * @typedef {object} FrozenHost
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {import("./toolbar.js").Toolbar} bar
 * @property {() => void} changed
 */

const KEPT = "visio15.turn";
const KEPT_AT_MOST = 20;
/** Longest side of a stored picture, and bytes the server takes. */
const LONGEST = 1_920;
const LARGEST = 1_000_000;
const QUALITIES = [0.9, 0.75, 0.5];

export class Frozen {
  #host;
  #stage = get("stage", HTMLElement);
  #video = get("patient", HTMLVideoElement);
  #canvas = get("frozen", HTMLCanvasElement);
  /** When the frozen picture was live, by the server's clock; null: nothing is frozen. @type {number | null} */
  #at = null;
  /** @type {string | null} */
  #session = null;
  /** @type {Turn} */
  turn = 0;

  /** @param {FrozenHost} host */
  constructor(host) {
    this.#host = host;
  }

  get frozen() {
    return this.#at !== null;
  }

  /** Another session: its own turn, nothing frozen.
   * @param {string | null} session */
  follow(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#thaw();
    this.#show(/** @type {Turn} */ (kept()[session ?? ""] ?? 0));
  }

  rotate() {
    this.#show(quarter(this.turn));
    keep(this.#session ?? "", this.turn);
    this.#host.bar.say(this.turn ? `Image tournée de ${this.turn}°, ici seulement` : "Image droite");
  }

  toggle() {
    if (this.frozen) this.#thaw();
    else this.#freeze();
    this.#host.changed();
  }

  /** Store what is seen now: the frozen picture, or the live one. */
  async store() {
    const { bar } = this.#host;
    const session = this.#session;
    const { picture: seen, at } = this.#seen;
    const age = Math.max(0, this.#now - (this.#at ?? at));
    bar.busy("snapshot", true);
    try {
      const picture = await jpeg(this.frozen ? this.#canvas : seen, this.turn);
      if (!picture || !session) {
        bar.say("La photo n’a pas été conservée : ce navigateur n’a pas pu la lire.", true);
        return;
      }
      const response = await fetch(`/desk/snapshots?session=${encodeURIComponent(session)}&age=${Math.round(age)}`, {
        method: "POST",
        headers: { "X-Xsrftoken": meta("xsrf"), "Content-Type": "image/jpeg", Accept: "application/json" },
        credentials: "same-origin",
        body: picture,
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) bar.say(`Photo conservée · ${clock(Date.parse(answer.at))} · le correspondant est prévenu`);
      else bar.say(answer.error?.message || "La photo n’a pas été conservée.", true);
    } catch {
      bar.say("La photo n’a pas été conservée : le serveur ne répond pas.", true);
    } finally {
      bar.busy("snapshot", false);
    }
  }

  get #now() {
    return Date.now() + this.#host.view().offset;
  }

  /** @param {Turn} turn */
  #show(turn) {
    this.turn = turn;
    this.#stage.dataset.turn = String(turn);
    this.#host.bar.press("turn", turn !== 0);
  }

  /** What is shown: the video, or the still in its place; and when it was that. */
  get #seen() {
    const still = this.#stage.dataset.still === "fresh" ? get("still-picture", HTMLCanvasElement) : null;
    return still ? { picture: still, at: Number(still.dataset.taken) } : { picture: this.#video, at: this.#now };
  }

  #freeze() {
    const { picture, at } = this.#seen;
    const [width, height] = sides(picture);
    const context = this.#canvas.getContext("2d");
    if (!context || !width || !height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    context.drawImage(picture, 0, 0);
    this.#at = at;
    write(get("frozen-mark", HTMLElement), `FIGÉE PAR VOUS · ${clock(this.#at)}`);
    this.#mark(true);
  }

  #thaw() {
    if (!this.frozen) return;
    this.#at = null;
    this.#canvas.width = this.#canvas.height = 0;
    write(get("frozen-mark", HTMLElement), "");
    this.#mark(false);
  }

  /** @param {boolean} frozen */
  #mark(frozen) {
    this.#canvas.hidden = !frozen;
    get("frozen-mark", HTMLElement).hidden = !frozen;
    this.#stage.dataset.frozen = String(frozen);
    write(get("age-what", HTMLElement), frozen ? "le direct :" : "image");
    this.#host.bar.press("freeze", frozen);
  }
}

/** The picture as it is seen, small enough to be stored.
 * @param {HTMLVideoElement | HTMLCanvasElement} source @param {Turn} turn @returns {Promise<Blob | null>} */
async function jpeg(source, turn) {
  const [width, height] = sides(source);
  if (!width || !height) return null;
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = turn % 180 ? [high, wide] : [wide, high];
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turn * Math.PI) / 180);
  context.drawImage(source, -wide / 2, -high / 2, wide, high);
  for (const quality of QUALITIES) {
    const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= LARGEST) return blob;
  }
  return null;
}

/** @param {HTMLVideoElement | HTMLCanvasElement} picture @returns {[number, number]} width and height in pixels */
function sides(picture) {
  return picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
}

/** @param {number} at milliseconds @returns {string} "04:12:31" */
function clock(at) {
  return new Date(at).toLocaleTimeString("fr-FR", { hour12: false });
}

/** Turns by session. @returns {Record<string, number>} */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} session @param {Turn} turn */
function keep(session, turn) {
  const { [session]: _, ...others } = kept();
  const newest = Object.entries(others).slice(-KEPT_AT_MOST + 1);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries([...newest, [session, turn]])));
  } catch {
    // Without storage a reload shows the picture upright.
  }
}
