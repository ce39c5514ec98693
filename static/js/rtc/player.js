/** Plays a muted video, though the browser may hold it back until somebody touches the page. */

/** What a browser may take for a gesture, not every one each of them; and a page that comes back to the front. */
const GESTURES = ["pointerdown", "pointerup", "keydown", "click", "visibilitychange"];

export class Player {
  #video;
  #tell;
  #held = false;

  /** @param {HTMLVideoElement} video @param {(held: boolean) => void} [tell] the browser holds it, or no longer */
  constructor(video, tell = () => undefined) {
    this.#video = video;
    this.#tell = tell;
    video.addEventListener("pause", () => this.play());
    video.addEventListener("playing", () => this.#now(false));
    for (const gesture of GESTURES) {
      addEventListener(gesture, () => this.#held && this.play(), { capture: true, passive: true });
    }
  }

  /** Whether the browser refuses to play it without a gesture. */
  get held() {
    return this.#held;
  }

  /** There is nothing to play any more. */
  rest() {
    this.#now(false);
  }

  play() {
    const video = this.#video;
    if (!video.srcObject) return;
    video.play().catch((error) => {
      // Any other refusal means that the picture itself was changed, or taken away.
      if (error?.name === "NotAllowedError" && video.paused && video.srcObject) this.#now(true);
    });
  }

  /** @param {boolean} held */
  #now(held) {
    if (held === this.#held) return;
    this.#held = held;
    this.#tell(held);
  }
}
