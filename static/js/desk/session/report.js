/** What an incident says of the video that is shown: its steps with their times, the cause told, the camera's last word. */
import { shown } from "../../watching/session.js";

/** @typedef {import("../../watching/session.js").View} View */

export class Report {
  constructor() {
    /** @type {any} */
    this.session = null;
    /** The phone's last word, by session: only of the one that is shown.
     * @type {{session: string, word: string}} */
    this.camera = { session: "", word: "" };
  }

  /** @param {Readonly<View>} view */
  draw(view) {
    this.session = shown(view) ?? null;
  }

  /** @param {import("../../lib/socket.js").Message} message */
  heard(message) {
    if (message.type === "caller.state") this.camera = { session: message.session, word: String(message.state) };
  }

  /** Words and times only: no number, no name, no picture.
   * @returns {Record<string, string>} */
  context() {
    if (!this.session) return {};
    const { session } = this;
    const page = /** @type {any} */ (globalThis);
    const quality = page.__visio15?.quality?.();
    return {
      steps: `${session.state} : ${steps(session.steps ?? [])}`,
      cause: own() || (session.say?.cause ?? ""),
      image: document.getElementById("stage")?.dataset.picture ?? "",
      ...(this.camera.session === session.id ? { camera: this.camera.word } : {}),
      ...(quality ? { quality: String(quality) } : {}),
    };
  }
}

/** This browser's own trouble with the picture, which the server cannot know. @returns {string} "" without one */
function own() {
  const overlay = document.getElementById("overlay");
  return overlay?.dataset.own ? document.getElementById("overlay-text")?.textContent ?? "" : "";
}

/** @param {readonly {key: string, state: string, seconds?: number | null}[]} list @returns {string} */
export function steps(list) {
  return list
    .filter((step) => step.state !== "todo")
    .map(({ key, state, seconds }) => `${key} ${state}` + (typeof seconds === "number" ? ` ${Math.round(seconds)} s` : ""))
    .join(", ");
}
