/** The regulator's own picture: on only while he wants it, never with a sound. */
import { get } from "../../lib/dom.js";
import { Player } from "../../rtc/player.js";
import { doubled } from "../gestures.js";
import { cameraRefused } from "../words.js";

/** @typedef {import("../../lib/socket.js").Message} Message */
/**
 * @typedef {object} WebcamHost
 * @property {() => Readonly<import("../../watching/session.js").View>} view
 * @property {(message: Message) => void} send
 * @property {(track: MediaStreamTrack | null) => Promise<void>} show to the caller; null shows none
 * @property {() => void} changed
 * @property {(text: string) => void} notify
 */

const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } };

export class Webcam {
  #host;
  #button = get("webcam", HTMLButtonElement);
  #own = get("own", HTMLVideoElement);
  #player = new Player(this.#own);
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** The camera is being opened: the button is drawn again meanwhile, and must not open a second one. */
  #starting = false;

  /** @param {WebcamHost} host */
  constructor(host) {
    this.#host = host;
    this.#button.addEventListener("click", (event) => {
      if (!doubled(event)) void this.toggle();
    });
  }

  get on() {
    return this.#track !== null;
  }

  async toggle() {
    if (this.#button.disabled || this.#starting) return;
    if (this.#track) {
      this.dim();
      return;
    }
    this.#starting = true;
    try {
      await this.#start(this.#host.view().watch);
    } catch (error) {
      this.#host.notify(cameraRefused(error instanceof Error ? error.name : ""));
    } finally {
      this.#starting = false;
      this.#host.changed();
    }
  }

  /** @param {string | null} session the one it was turned on for: another one does not get it */
  async #start(session) {
    const stream = await navigator.mediaDevices.getUserMedia({ video: CAMERA, audio: false });
    const track = stream.getVideoTracks()[0] ?? null;
    if (!session || this.#host.view().watch !== session) {
      track?.stop();
      return;
    }
    this.#track = track;
    this.#own.srcObject = stream;
    if (track) track.onended = () => this.#taken();
    this.#player.play();
    await this.#host.show(track);
    this.#host.send({ type: "webcam", session, on: true });
  }

  /** A page of the caller that came, or came back, does not know whether the regulator shows himself. */
  tell() {
    const { server, taken, watch: session } = this.#host.view();
    if (server?.station?.webcam && taken === null) this.#host.send({ type: "webcam", session, on: this.on });
  }

  /** The camera was unplugged, or another program took it: the caller does not see the regulator any more. */
  #taken() {
    this.dim();
    this.#host.notify("Votre caméra s’est arrêtée : le correspondant ne vous voit plus.");
  }

  /** Camera light off. */
  dim() {
    if (!this.#track) return;
    this.#track.onended = null;
    this.#track.stop();
    this.#track = null;
    this.#own.srcObject = null;
    this.#player.rest();
    void this.#host.show(null);
    const session = this.#host.view().watch;
    if (session) this.#host.send({ type: "webcam", session, on: false });
    this.#host.changed();
  }
}
