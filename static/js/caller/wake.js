/** What keeps a video going on a phone: the screen that stays on, and the way back in when the page was closed or killed. */

/** The screen stays on while the picture is wanted; the system takes that back whenever the page is hidden. */
export class Awake {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #wanted = false;
  #asking = false;

  constructor() {
    document.addEventListener("visibilitychange", () => void this.#hold());
  }

  keep() {
    this.#wanted = true;
    void this.#hold();
  }

  release() {
    this.#wanted = false;
    void this.#lock?.release().catch(() => undefined);
    this.#lock = null;
  }

  async #hold() {
    if (!this.#wanted || this.#asking || document.hidden || (this.#lock && !this.#lock.released)) return;
    this.#asking = true;
    const lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    this.#asking = false;
    this.#lock = lock;
    // Some systems take it back while the page is in front, for a low battery for example: once more, not for ever.
    lock?.addEventListener("release", () => void this.#hold(), { once: true });
    if (!this.#wanted) this.release();
  }
}

/** Whether the browser gives the camera without a question: then nobody need touch anything to go on.
 * @returns {Promise<boolean>} */
export async function allowed() {
  try {
    const status = await navigator.permissions.query({ name: /** @type {PermissionName} */ ("camera") });
    return status.state === "granted";
  } catch {
    return false;
  }
}
