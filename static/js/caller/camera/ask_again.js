/** The camera got back: its frames watched, and asked for again on a timer and at each sign of life. Loaded after the first picture. */
import { UNSEEN, act, flowing } from "./again.js";

/** Milliseconds between two looks at the frames; of frames after which the tries before are forgotten. */
const LOOK = 200;
const STEADY = 5_000;
/** Milliseconds between two tries, however many signs of life there are; until it is looked whether the camera is free to be asked for. */
const GAP = 2_000;
const WAIT = 1_000;

/** @typedef {Readonly<import("../phase.js").Phase>} Phase */
/**
 * @typedef {object} AgainHost
 * @property {() => Phase} phase
 * @property {(event: import("../truth.js").TruthEvent) => void} learn
 * @property {import("./camera.js").CallerCamera} camera
 * @property {() => Promise<(number | null)[]>} sent frames each connection has taken
 */

export class AskAgain {
  #host;
  #own;
  /** @type {Readonly<import("./again.js").Flow>} */
  #flow = UNSEEN;
  /** Frames of the preview, counted one by one: some browsers keep no count of a camera's. */
  #shown = 0;
  /** Since when frames come. @type {number | null} */
  #since = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #planned = "";
  #tried = -GAP;

  /** @param {HTMLVideoElement} own @param {AgainHost} host */
  constructor(own, host) {
    this.#own = own;
    this.#host = host;
    const presented = () => {
      this.#shown += 1;
      own.requestVideoFrameCallback(presented);
    };
    if ("requestVideoFrameCallback" in own) own.requestVideoFrameCallback(presented);
    setInterval(() => void this.#watch(), LOOK);
    void this.#follow();
    const alive = () => this.#alive(false);
    document.addEventListener("visibilitychange", () => this.#alive(true));
    for (const type of ["focus", "pageshow", "online", "orientationchange"]) addEventListener(type, alive);
    screen.orientation?.addEventListener?.("change", alive);
    navigator.mediaDevices?.addEventListener?.("devicechange", alive);
  }

  /** @param {Phase} phase */
  drawn({ truth }) {
    const { again } = act(truth);
    const planned = `${truth.track} ${truth.tries} ${again}`;
    if (planned === this.#planned) return;
    this.#planned = planned;
    this.#plan(again);
  }

  /** @param {number | null} ms */
  #plan(ms) {
    clearTimeout(this.#timer);
    if (ms !== null) this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #ask() {
    // Behind another page no camera opens: the return is a sign of life.
    if (document.hidden) return;
    if (this.#host.camera.again()) this.#tried = performance.now();
    else this.#plan(WAIT);
  }

  /** Something happened on the phone: the camera may be free again.
   * @param {boolean} back the page is in front again: focus alone is also given back by the question itself */
  #alive(back) {
    const { screen } = this.#host.phase();
    if (document.hidden || screen === "invite" || screen === "ended") return;
    void this.#own.play().catch(() => undefined);
    this.#host.camera.look();
    const { again, back: once } = act(this.#host.phase().truth);
    if (again === null && !(back && once)) return;
    if (back) this.#host.learn({ type: again === null ? "back" : "fresh" });
    this.#plan(Math.max(0, this.#tried + GAP - performance.now()));
  }

  /** The browser says when the caller allows the camera in its settings: the page goes on by itself. */
  async #follow() {
    const name = /** @type {any} */ ("camera");
    const status = await navigator.permissions?.query({ name }).catch(() => null);
    if (!status) return;
    const tell = () => this.#host.learn({ type: "permission", state: status.state });
    tell();
    status.addEventListener("change", () => {
      tell();
      this.#alive(false);
    });
  }

  /** Frames must leave the camera while it is on: some lenses hang, above all around telephone calls. */
  async #watch() {
    const sent = await this.#host.sent();
    const { screen, truth } = this.#host.phase();
    const { track } = truth;
    const { camera } = this.#host;
    // Another lens was tried, none came, and nobody said so.
    if (track === "live" && !camera.track && !camera.turning) camera.look();
    const told = this.#shown || this.#own.getVideoPlaybackQuality().totalVideoFrames;
    // A preview that the browser holds back shows nothing, whatever the camera gives.
    const previewed = !this.#own.paused && (told > 0 || "requestVideoFrameCallback" in this.#own);
    const counted = sent.some((count) => count !== null) || previewed;
    const idle = screen !== "live" || document.hidden || !counted || camera.turning || (track !== "live" && track !== "still");
    const now = performance.now();
    this.#flow = flowing(this.#flow, { sent, shown: told, idle, now });
    const { still } = this.#flow;
    if ((track === "live" && still) || (track === "still" && !still)) this.#host.learn({ type: "frames", still });
    if (idle || still || track !== "live") this.#since = null;
    else this.#since ??= now;
    if (truth.tries > 0 && this.#since !== null && now - this.#since > STEADY) this.#host.learn({ type: "fresh" });
  }
}
