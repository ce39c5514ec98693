/**
 * Remote help on the phone: does what a desk asks of the camera, shows what the regulator says and where he points. Loaded
 * after the tap. An order heard twice is done once and answered twice.
 */
import { el, get, icon } from "../lib/dom.js";
import { countable } from "../rtc/camera.js";
import { lenses, which } from "../rtc/lenses.js";
import { pointAt } from "../rtc/pointing.js";

/** @typedef {import("../lib/socket.js").Message} Message */
/** @typedef {import("../rtc/adapt.js").Preference} Preference */
/** @typedef {{outcome: "done" | "refused", why?: string}} Outcome */
/**
 * @typedef {object} HelpHost
 * @property {(key: string) => string} say a sentence in the caller's language
 * @property {(message: Message) => void} send kept until the server is there
 * @property {() => MediaStreamTrack | null} track
 * @property {() => "environment" | "user"} facing
 * @property {() => Promise<boolean>} turn to the other camera; false when there is none that works
 * @property {(preference: Preference) => void} prefer tell the connections
 */

/** Milliseconds that a sentence, and an arrow nobody moves, stay. */
const MESSAGE = 8_000;
const FADES = 3_000;
/** Milliseconds after which a camera is looked at again: some tell of their lamp and zoom a little late. */
const LOOKS = [0, 1_000, 3_000];
const ANSWERS = 50;
const DONE = Object.freeze({ outcome: "done" });

/** @type {Readonly<Record<string, string>>} */
const ICONS = {
  message_closer: "zoom-in", message_back: "zoom-out", message_still: "hand", message_light: "lightbulb", message_face: "scan-face",
  message_breathing: "wind", message_wound: "bandage", message_turn_phone: "rotate-cw-square", message_loudspeaker: "volume-2",
  message_wait: "hourglass", message_waiting_help: "ambulance", message_thanks: "smile", photo: "camera",
};
/** @type {Readonly<Record<Preference, MediaTrackConstraints>>} */
const SIZES = {
  balanced: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
  detail: { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 15, max: 30 } },
  motion: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
};

/** What a camera can do, as the desk is told. Pure.
 * @param {any} capabilities null where the browser does not tell @param {any} settings
 * @param {{devices: readonly import("../rtc/lenses.js").Device[], facing: "environment" | "user", prefer: Preference}} more */
export function abilities(capabilities, settings, { devices, facing, prefer }) {
  const zoom = capabilities?.zoom;
  const zooms = zoom && [zoom.min, zoom.max].every(Number.isFinite) && zoom.max > zoom.min;
  const list = lenses(devices);
  return {
    cameras: list.length || devices.length,
    ...which(list, settings.deviceId),
    facing,
    prefer,
    width: whole(settings.width),
    height: whole(settings.height),
    fps: Number.isFinite(settings.frameRate) ? Math.round(settings.frameRate * 10) / 10 : null,
    torch: capabilities ? Boolean(capabilities.torch) : null,
    lit: settings.torch === true,
    zoom: zooms ? { min: zoom.min, max: zoom.max, step: zoom.step || 0, value: settings.zoom ?? zoom.min } : null,
  };
}

/** @param {unknown} value @returns {number | null} */
function whole(value) {
  return typeof value === "number" && Number.isFinite(value) ? Math.round(value) : null;
}

export class CallerHelp {
  #host;
  #own = get("self", HTMLVideoElement);
  #told = el("div", { id: "told", "aria-live": "assertive" });
  #finger = el("div", { id: "finger", hidden: true, "aria-hidden": "true" }, el("span", { class: "ring" }), icon("move-up-left"));
  /** What became of the last orders; null while one is being done. @type {Map<string, Outcome | null>} */
  #answers = new Map();
  /** @type {Preference} */
  #prefer = "balanced";
  /** @type {MediaStreamTrack | null} */
  #known = null;
  #lit = false;
  #last = "";
  /** @type {{x: number, y: number} | null} */
  #place = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hush = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #fade = undefined;

  /** @param {HelpHost} host */
  constructor(host) {
    this.#host = host;
    this.#own.after(this.#finger);
    document.body.append(this.#told);
    addEventListener("resize", () => this.#drawFinger());
    this.#own.addEventListener("resize", () => this.#drawFinger());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.#look());
  }

  /** @param {Message} message */
  heard(message) {
    if (message.type === "help") void this.#order(message);
    else if (message.type === "help.point") this.#point(message.x, message.y);
    else if (message.type === "snapshot") this.#show("photo");
    else if (message.type === "welcome") this.#forgetTold();
  }

  /** @param {Readonly<import("./phase.js").Phase>} phase */
  drawn(phase) {
    if (phase.screen === "live") return;
    this.#rest();
    if (phase.screen === "ended") this.#told.replaceChildren();
  }

  /** Another track, or the same one at another size: what it can do is told again. */
  tracked() {
    const track = this.#host.track();
    if (track && track !== this.#known) {
      this.#known = track;
      this.#lit = false;
      if (this.#prefer !== "balanced") void this.#adjust(track);
    }
    for (const after of LOOKS) setTimeout(() => void this.#look(), after);
  }

  /** The server may be another one: it knows nothing of the camera. */
  #forgetTold() {
    this.#last = "";
    this.tracked();
  }

  async #look() {
    const track = this.#host.track();
    if (!track || track.readyState !== "live") return;
    const devices = await countable();
    const told = abilities(capabilities(track), track.getSettings(), { devices, facing: this.#host.facing(), prefer: this.#prefer });
    const text = JSON.stringify(told);
    if (text === this.#last) return;
    this.#last = text;
    this.#host.send({ type: "abilities", ...told });
  }

  /* ---------------------------------------------------------------- orders */

  /** @param {Message} message */
  async #order(message) {
    const { order } = message;
    if (!this.#answers.has(order)) {
      this.#answers.set(order, null);
      const outcome = await this.#try(message.do, message.value);
      // The desk reads which lens is on together with the answer.
      if (message.do === "camera") await this.#look();
      this.#answers.set(order, outcome);
      for (const old of [...this.#answers.keys()].slice(0, -ANSWERS)) this.#answers.delete(old);
    }
    const answer = this.#answers.get(order);
    if (answer) this.#host.send({ type: "help.done", order, ...answer });
    void this.#look();
  }

  /** @param {string} what @param {any} value @returns {Promise<Outcome>} */
  async #try(what, value) {
    if (what === "message") return this.#message(value);
    const track = this.#host.track();
    if (!track || track.readyState !== "live") return { outcome: "refused", why: "off" };
    switch (what) {
      case "camera":
        // Behind another page a camera gives nothing: each lens would look dead.
        if (document.hidden) return { outcome: "refused", why: "hidden" };
        return (await this.#host.turn()) ? DONE : { outcome: "refused", why: "failed" };
      case "torch":
        return this.#torch(track, value === true);
      case "zoom":
        return this.#zoom(track, Number(value));
      case "prefer":
        this.#prefer = value;
        return (await this.#adjust(track)) ? DONE : { outcome: "refused", why: "failed" };
      default:
        return { outcome: "refused", why: "none" };
    }
  }

  /** @param {MediaStreamTrack} track @param {boolean} on @returns {Promise<Outcome>} */
  async #torch(track, on) {
    if (!capabilities(track)?.torch) return { outcome: "refused", why: "none" };
    // Alone: some browsers refuse the lamp beside a size.
    if (!(await applied(track, { advanced: [/** @type {any} */ ({ torch: on })] }))) return { outcome: "refused", why: "failed" };
    const { torch } = /** @type {any} */ (track.getSettings());
    if (torch !== undefined && torch !== on) return { outcome: "refused", why: "failed" };
    this.#lit = on;
    return DONE;
  }

  /** @param {MediaStreamTrack} track @param {number} wanted @returns {Promise<Outcome>} */
  async #zoom(track, wanted) {
    const zoom = capabilities(track)?.zoom;
    if (!zoom) return { outcome: "refused", why: "none" };
    const within = Math.min(zoom.max, Math.max(zoom.min, wanted));
    const ok = await applied(track, { advanced: [/** @type {any} */ ({ zoom: within })] });
    return ok ? DONE : { outcome: "refused", why: "failed" };
  }

  /** What is kept when the network is short; the lamp may go out over it, and is lit again.
   * @param {MediaStreamTrack} track */
  async #adjust(track) {
    track.contentHint = this.#prefer === "balanced" ? "" : this.#prefer;
    this.#host.prefer(this.#prefer);
    const ok = await applied(track, SIZES[this.#prefer]);
    if (this.#lit) await this.#torch(track, true);
    return ok;
  }

  /* ---------------------------------------------------------------- what the caller sees */

  /** @param {string} key @returns {Outcome} */
  #message(key) {
    if (document.hidden) return { outcome: "refused", why: "hidden" };
    return this.#show(key) ? DONE : { outcome: "refused", why: "none" };
  }

  /** @param {string} key @returns {boolean} whether there is such a sentence */
  #show(key) {
    const text = this.#host.say(key);
    if (!text || !ICONS[key]) return false;
    this.#told.replaceChildren(el("p", { "data-message": key }, /** @type {any} */ (icon(ICONS[key])), el("strong", {}, text)));
    clearTimeout(this.#hush);
    this.#hush = setTimeout(() => this.#told.replaceChildren(), MESSAGE);
    return true;
  }

  /** @param {unknown} x @param {unknown} y */
  #point(x, y) {
    if (![x, y].every((one) => typeof one === "number" && one >= 0 && one <= 1)) return;
    this.#place = { x: Number(x), y: Number(y) };
    this.#drawFinger();
    // On a screen too small for the page it may lie below the edge.
    this.#finger.scrollIntoView?.({ block: "nearest" });
    clearTimeout(this.#fade);
    this.#fade = setTimeout(() => this.#rest(), FADES);
  }

  #rest() {
    this.#place = null;
    this.#drawFinger();
  }

  /** The place in his own picture: it fills the screen, its edges are cut off, the front camera is mirrored. */
  #drawFinger() {
    const { clientWidth: width, clientHeight: height, videoWidth, videoHeight } = this.#own;
    const fit = getComputedStyle(this.#own).objectFit === "contain" ? "contain" : "cover";
    const mirror = this.#own.classList.contains("mirror");
    const at = this.#place && pointAt(this.#place, { width, height }, { width: videoWidth, height: videoHeight }, { fit, mirror });
    this.#finger.hidden = !at;
    if (!at) return;
    this.#finger.style.left = `${at.left}px`;
    this.#finger.style.top = `${at.top}px`;
    this.#finger.dataset.cut = String(at.cut);
  }
}

/** @param {MediaStreamTrack} track @returns {any} null where the browser does not tell */
function capabilities(track) {
  return typeof track.getCapabilities === "function" ? track.getCapabilities() : null;
}

/** @param {MediaStreamTrack} track @param {MediaTrackConstraints} wanted @returns {Promise<boolean>} */
function applied(track, wanted) {
  return track.applyConstraints(wanted).then(() => true, () => false);
}
