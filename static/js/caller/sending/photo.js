/** One good photo: asked for when nothing else passes or a desk wants it; sent in parts, again and again until it is there. */
import { el, get, meta, write } from "../../lib/dom.js";
import { mint } from "../../lib/socket.js";
import { current, jpeg } from "./stills.js";

/** Bytes of a photo: on a fair network, and where it is the only picture that passes (a minute and a half at 10 kbit/s). */
const MOST = 250_000;
const MOST_POOR = 120_000;
/** Bytes of one part: what a bad connection loses when it breaks. */
const PART = 16_384;
/** Milliseconds given to one part, and to the camera for its best picture. */
const PART_WAIT = 60_000;
const CAMERA_WAIT = 4_000;
/** Milliseconds between two attempts, shortest and longest, and the thanks stay. */
const AGAIN = { first: 1_000, most: 10_000 };
const THANKS = 6_000;
/** Age of a picture file, in milliseconds, beyond which nobody can say that it shows now. */
const FRESH = 300_000;
/** Longer edge and quality, best first. */
const WAYS = [[2048, 0.8], [2048, 0.6], [1600, 0.6], [1280, 0.55], [1024, 0.5], [800, 0.45], [640, 0.4], [480, 0.35]];

/** @typedef {import("./lower_rungs.js").Phase} Phase */
/** @typedef {import("./lower_rungs.js").LadderHost & {time: () => number | null}} PhotoHost */
/** @typedef {"" | "taking" | "sending" | "sent" | "failed"} State */

export class Photo {
  #host;
  #canvas = document.createElement("canvas");
  #needed = false;
  #asked = false;
  /** @type {State} */
  #state = "";
  #share = 0;
  #file = picker();
  #panel;
  #instead;

  /** @param {PhotoHost} host */
  constructor(host) {
    this.#host = host;
    this.#panel = panel(() => void this.#take());
    this.#instead = button("photo-instead", "second", () => this.#file.click());
    get("retry", HTMLElement).after(this.#instead, this.#file);
    get("trouble-text", HTMLElement).after(el("p", { class: "lead", id: "instead-text", role: "status" }), bar("instead-bar"));
    this.#file.addEventListener("change", () => void this.#picked());
  }

  /** A photo is on its way: it has the uplink to itself. */
  get busy() {
    return this.#state === "sending";
  }

  /** Nothing else passes, or something does again.
   * @param {boolean} needed */
  need(needed) {
    this.#needed = needed;
  }

  /** A desk wants one, or takes that back.
   * @param {boolean} asked */
  ask(asked) {
    this.#asked = asked;
    if (asked && this.#state === "sent") this.#state = "";
  }

  /** @param {Phase} phase */
  drawn(phase) {
    const { say } = this.#host;
    const live = phase.screen === "live";
    this.#panel.hidden = !live || !(this.#needed || this.#asked || this.#state !== "");
    this.#panel.dataset.state = this.#state;
    document.body.dataset.photo = String(!this.#panel.hidden);
    const words = { "": this.#needed ? "photo_weak" : "photo_wanted", taking: "photo_sending", sending: "photo_sending", sent: "photo_sent", failed: "photo_failed" };
    write(get("photo-text", HTMLElement), say(words[this.#state]));
    get("photo-take", HTMLButtonElement).hidden = this.busy || this.#state === "taking" || (this.#state === "sent" && !this.#needed);
    write(get("photo-instead-text", HTMLElement), say("photo_instead"));
    write(get("photo-take-text", HTMLElement), say(this.#state === "sent" ? "photo_again" : "photo_take"));
    // Where the page has no camera, the phone's own may have one; without a network nothing leaves, without cookies nothing is taken.
    this.#instead.hidden = phase.screen !== "trouble" || phase.trouble === "network" || phase.trouble === "cookies" || this.busy;
    write(get("instead-text", HTMLElement), this.#state === "" ? "" : say(words[this.#state]));
    for (const one of document.querySelectorAll("progress")) {
      one.hidden = !this.busy;
      one.value = this.#share;
    }
  }

  async #take() {
    if (this.#state === "taking" || this.busy) return;
    this.#to("taking");
    const taken = this.#host.time();
    const best = await this.#best();
    const video = get("self", HTMLVideoElement);
    // A camera that gives nothing leaves its last frame in the preview: that is the past.
    const films = this.#host.phase().truth.track === "live" && current(video);
    const seen = films && !best ? await this.#shrink(video, video.videoWidth, video.videoHeight) : null;
    const picture = best ? await this.#shrink(best, best.width, best.height) : seen;
    best?.close();
    await this.#send(picture, taken);
  }

  /** The camera's own best picture, where the browser gives one.
   * @returns {Promise<ImageBitmap | null>} */
  async #best() {
    const Capture = /** @type {any} */ (globalThis).ImageCapture;
    const track = this.#host.track();
    if (!Capture || track?.readyState !== "live") return null;
    const late = new Promise((resolve) => setTimeout(() => resolve(null), CAMERA_WAIT));
    const shot = async () => decode(await new Capture(track).takePhoto());
    return /** @type {Promise<ImageBitmap | null>} */ (Promise.race([shot().catch(() => null), late]));
  }

  async #picked() {
    const file = this.#file.files?.[0];
    this.#file.value = "";
    if (!file || this.busy) return;
    this.#to("taking");
    const now = this.#host.time();
    const old = Date.now() - file.lastModified;
    const taken = now !== null && old < FRESH ? now - Math.max(0, old) : null;
    const bitmap = await decode(file).catch(() => null);
    const picture = bitmap && (await this.#shrink(bitmap, bitmap.width, bitmap.height));
    bitmap?.close();
    // Who could not film may never have touched the button: the link becomes this browser's with its first photo.
    if (picture) await this.#bind();
    await this.#send(picture, taken);
  }

  /** Drawn anew, nothing but the picture is left: no place, no device, upright.
   * @param {CanvasImageSource} source @param {number} width @param {number} height @returns {Promise<Blob | null>} */
  async #shrink(source, width, height) {
    const most = this.#needed ? MOST_POOR : MOST;
    for (const [edge, quality] of WAYS) {
      const picture = width > 0 ? await jpeg(source, width, height, this.#canvas, edge ?? 0, quality ?? 0) : null;
      if (picture && picture.size <= most) return picture;
    }
    return null;
  }

  /** @param {Blob | null} picture @param {number | null} taken */
  async #send(picture, taken) {
    if (!picture) {
      this.#to("failed");
      return;
    }
    this.#share = 0;
    this.#to("sending");
    const sent = await this.#upload(mint(), picture, taken);
    this.#asked &&= !sent;
    this.#to(sent ? "sent" : "failed");
    if (sent) setTimeout(() => this.#state === "sent" && this.#to(""), THANKS);
  }

  /** @param {string} key @param {Blob} picture @param {number | null} taken @returns {Promise<boolean>} false: refused */
  async #upload(key, picture, taken) {
    let offset = 0;
    let pause = AGAIN.first;
    while (this.#host.phase().screen !== "ended") {
      const answer = await this.#part(key, picture, offset, taken);
      if (answer?.done) return true;
      if (answer?.refused) return false;
      if (answer) {
        offset = answer.received;
        pause = AGAIN.first;
        this.#share = offset / picture.size;
        this.drawn(this.#host.phase());
      } else {
        await patience(pause);
        pause = Math.min(AGAIN.most, pause * 2);
      }
    }
    return false;
  }

  /** @param {string} key @param {Blob} picture @param {number} offset @param {number | null} taken
   * @returns {Promise<{received: number, done: boolean, refused?: boolean} | null>} null: try again */
  async #part(key, picture, offset, taken) {
    const cut = new AbortController();
    const late = setTimeout(() => cut.abort(), PART_WAIT);
    const response = await fetch(`/v/${encodeURIComponent(this.#host.token)}/photo`, {
      method: "POST",
      credentials: "same-origin",
      signal: cut.signal,
      headers: {
        "X-Xsrftoken": meta("xsrf"), "Content-Type": "application/octet-stream", Accept: "application/json",
        "X-Visio15-Photo": key, "X-Visio15-Offset": String(offset), "X-Visio15-Total": String(picture.size),
        ...(taken === null ? {} : { "X-Visio15-Taken": String(Math.floor(taken)) }),
      },
      body: picture.slice(offset, offset + PART),
    }).catch(() => null);
    clearTimeout(late);
    if (!response || response.status >= 500 || response.status === 429) return null;
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    return answer?.error?.code === "message_out_of_order" && (await this.#bind()) ? null : { received: 0, done: false, refused: true };
  }

  /** The tap, said again where it was said before.
   * @returns {Promise<boolean>} */
  async #bind() {
    const headers = { "X-Xsrftoken": meta("xsrf"), Accept: "application/json" };
    const response = await fetch(`/v/${encodeURIComponent(this.#host.token)}/tap`, { method: "POST", credentials: "same-origin", headers }).catch(() => null);
    return response === null || response.ok || response.status >= 500;
  }

  /** @param {State} state */
  #to(state) {
    this.#state = state;
    this.drawn(this.#host.phase());
  }
}

/** @param {Blob} file @returns {Promise<ImageBitmap>} upright, as the camera was held */
function decode(file) {
  return createImageBitmap(file, { imageOrientation: "from-image" });
}

/** Until then, or until the network says that it is back.
 * @param {number} ms @returns {Promise<void>} */
function patience(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", () => resolve(), { once: true });
  });
}

function picker() {
  return el("input", { type: "file", accept: "image/*", capture: "environment", hidden: true, id: "photo-file" });
}

/** @param {string} id @returns {HTMLProgressElement} */
function bar(id) {
  return el("progress", { id, max: "1", hidden: true });
}

/** @param {string} id @param {string} kind @param {() => void} click @returns {HTMLButtonElement} */
function button(id, kind, click) {
  const camera = document.querySelector("#tap .icon")?.cloneNode(true);
  return el("button", { type: "button", id, class: kind, hidden: true, click }, camera, el("span", { id: `${id}-text` }));
}

/** @param {() => void} take @returns {HTMLElement} */
function panel(take) {
  const made = el("div", { class: "photo", id: "photo", hidden: true },
    el("p", { class: "lead", id: "photo-text", role: "status" }), bar("photo-bar"), button("photo-take", "big", take));
  document.querySelector('[data-for="live"] .bottom')?.before(made);
  return made;
}
