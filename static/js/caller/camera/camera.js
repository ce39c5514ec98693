/** The caller's own picture on the page: asked for in the gesture, got back when it was taken, never left hanging. */
import { get, write } from "../../lib/dom.js";
import { Camera, countable, impossible } from "../../rtc/camera.js";
import { INSTANT, refusal } from "../phase.js";

/** Milliseconds before words are added to the permission screen, and before it is given up. */
const SLOW = 5_000;
const GIVE_UP = 20_000;
/** Milliseconds after which it is the caller who is being asked, and no camera that opens slowly. */
const ASKS = 2_500;

/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} CameraHost
 * @property {() => Readonly<import("../phase.js").Phase>} phase
 * @property {(key: string) => string} say a sentence in the caller's language
 * @property {(message: Message) => void} offer to the server, if it is there
 * @property {(track: MediaStreamTrack) => void} onTrack
 * @property {() => void} onAsking
 * @property {(track: "live" | "muted" | "ended") => void} onGranted
 * @property {(why: string, instant: boolean) => void} onStuck the camera was not given, and why; instant: nobody was asked
 * @property {() => void} onLate no answer for a while: one that comes later is taken
 * @property {(event: import("../truth.js").TruthEvent) => void} learn
 * @property {() => Promise<unknown>} free resolved once the first picture is there
 * @property {string} kept where the lens is kept while the session lasts
 */

export class CallerCamera {
  #host;
  #own;
  #camera;
  /** Which question is the current one: an answer to a former one is none. */
  #asking = 0;
  /** Whether it is open. */
  #open = false;
  #words = get("asking-text", HTMLElement);

  /** @param {HTMLVideoElement} own @param {CameraHost} host */
  constructor(own, host) {
    this.#own = own;
    this.#host = host;
    this.#camera = new Camera({
      onTrack: (track) => this.#pictured(track),
      onState: (track) => host.learn({ type: "track", track }),
      free: host.free,
      kept: host.kept,
    });
    get("switch", HTMLElement).addEventListener("click", () => void this.turn());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#count());
  }

  get track() {
    return this.#camera.track;
  }

  get facing() {
    return this.#camera.facing;
  }

  /** Another camera is being opened. */
  get turning() {
    return this.#camera.switching;
  }

  /** Ask for the camera: in the gesture itself, the browser wants it there. */
  async ask() {
    const no = impossible();
    if (no) {
      this.#asking += 1;
      this.#host.onStuck(no, true);
      return;
    }
    this.#host.onAsking();
    await this.#question(this.#try());
  }

  /** The screen of the question, until it is answered.
   * @param {Promise<void>} answered */
  async #question(answered) {
    const mine = this.#asking;
    this.#ask("asking");
    const slow = setTimeout(() => this.#ask("slow"), SLOW);
    const late = setTimeout(() => {
      if (mine === this.#asking && this.#host.phase().screen === "asking") this.#host.onLate();
    }, GIVE_UP);
    await answered;
    clearTimeout(slow);
    clearTimeout(late);
  }

  /** Ask for it again, without a gesture.
   * @returns {boolean} false while an earlier question, or another camera, is still waited for */
  again() {
    const { track, permission } = this.#host.phase().truth;
    const waits = this.#open || this.#camera.switching;
    if (waits && ((this.#open && permission === "prompt") || performance.now() - this.#camera.since < GIVE_UP)) return false;
    this.#host.learn({ type: "tried" });
    if (track === "still" && this.#camera.works && this.#camera.device && !waits) {
      void this.#camera.revive().then(() => this.look());
      return true;
    }
    const answered = this.#try();
    const mine = this.#asking;
    setTimeout(() => {
      if (permission !== "prompt" || track === "muted" || !this.#open || mine !== this.#asking) return;
      this.#host.learn({ type: "tap", again: true });
      void this.#question(answered);
    }, ASKS);
    return true;
  }

  /** Read what the track says of itself: no event may have told. */
  look() {
    this.#host.learn({ type: "track", track: this.#camera.state });
  }

  async #try() {
    this.#asking += 1;
    const mine = this.#asking;
    this.#open = true;
    const begun = performance.now();
    try {
      await this.#camera.start();
      this.#granted();
    } catch (error) {
      if (mine === this.#asking) this.#refused(error, performance.now() - begun < INSTANT);
    } finally {
      if (mine === this.#asking) this.#open = false;
    }
  }

  /** @param {"asking" | "slow"} key the sentence beside the question */
  #ask(key) {
    this.#words.dataset.say = key;
    write(this.#words, this.#host.say(key));
  }

  /** Camera light off; an answer that is still to come is none. */
  stop() {
    this.#asking += 1;
    this.#open = false;
    this.#camera.stop();
  }

  /** The same, for good. */
  release() {
    this.stop();
    this.#own.srcObject = null;
  }

  #granted() {
    if (this.#host.phase().screen === "ended") {
      this.#camera.stop();
      return;
    }
    this.#host.onGranted(this.#camera.state);
    this.#count();
  }

  /** With one camera there is no other. */
  #count() {
    void countable().then((cameras) => {
      get("switch", HTMLElement).hidden = cameras.length === 1;
    });
  }

  /** @param {unknown} error @param {boolean} instant */
  #refused(error, instant) {
    const { name = "", message = "" } = error instanceof Error ? error : {};
    // What is left of the former picture may have come back meanwhile.
    if (this.#camera.state === "live") this.look();
    else this.#host.onStuck(refusal(name, message), instant);
  }

  /** @param {MediaStreamTrack} track */
  #pictured(track) {
    this.#own.srcObject = this.#camera.stream;
    this.#own.classList.toggle("mirror", this.#camera.facing === "user");
    void this.#own.play().catch(() => undefined);
    this.#host.onTrack(track);
    this.#host.offer({ type: "facing", facing: this.facing });
  }

  /** To the other camera, by the caller or by a desk.
   * @returns {Promise<boolean>} whether another one is on */
  async turn() {
    const button = get("switch", HTMLButtonElement);
    if (button.disabled) return false;
    button.disabled = true;
    const former = this.#camera.lens;
    const facing = await this.#camera.turn();
    button.disabled = false;
    // Some phones open one camera at a time, and then give neither.
    this.look();
    return this.#camera.lens.id !== former.id || facing !== former.facing;
  }
}
