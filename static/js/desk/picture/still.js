/** Stills and photos of a caller whose network is weak: shown in the place of the video, never taken for it (I6). */
import { el, get, icon, write } from "../../lib/dom.js";
import { hear, serverTime } from "../../rtc/ladder.js";
import { shown } from "../../watching/session.js";
import { seconds } from "../../watching/words.js";
import { doubled } from "../gestures.js";

/** Milliseconds the phone is given to change its rung, a try of the video included. */
const PATIENCE = 12_000;
/** Milliseconds after which a still is said to be frozen: three of a second's pace were missed. */
export const FROZEN = 4_000;
const BEAT = 100;
const AWAY = "Le téléphone n’est pas connecté";

/** @typedef {import("../../lib/socket.js").Message} Message */
/** @typedef {Readonly<import("../../watching/session.js").View>} View */
/** @typedef {{session: string, seq: number, taken: number}} Head */

/** What a binary frame of the server holds: head and picture (docs/protocol.md); null for anything else.
 * @param {ArrayBuffer} data @returns {{head: Head, picture: Uint8Array<ArrayBuffer>} | null} */
export function unpack(data) {
  try {
    const length = new DataView(data).getUint16(0);
    const { type, session, seq, taken } = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, length)));
    const at = Date.parse(taken);
    if (type !== "still" || Number.isNaN(at)) return null;
    return { head: { session, seq, taken: at }, picture: new Uint8Array(data, 2 + length) };
  } catch {
    return null;
  }
}

/** Whether stills stand in for the video. A video that flows while no still comes is shown, whatever was said last.
 * @param {{rung: string, age: number | null, flowing: boolean}} now `age` of the last still, null before the first
 * @returns {boolean} */
export function standsIn({ rung, age, flowing }) {
  return rung !== "video" && age !== null && !(flowing && age > FROZEN);
}

/** The words on a still: rounded up, so that it never looks younger than it is.
 * @param {number} age in milliseconds @param {string} clock when it was taken @param {boolean} hidden the caller's page is in the background
 * @returns {string} */
export function label(age, clock, hidden) {
  const up = age < 10_000 ? Math.ceil(age / 100) * 100 : Math.ceil(age / 1000) * 1000;
  const kind = hidden ? "IMAGE FIGÉE, page masquée" : age > FROZEN ? "IMAGE FIGÉE" : "IMAGE FIXE";
  return `${kind} · il y a ${seconds(up)} · ${clock}`;
}

/** @param {number} at milliseconds since 1970 @returns {string} "04:12:31" */
const clock = (at) => new Date(at).toLocaleTimeString("fr-FR");

/**
 * @typedef {object} StillHost
 * @property {() => View} view
 * @property {(message: Message) => void} send
 * @property {() => boolean} flowing the video flows
 */

export class DeskStill {
  #host;
  #canvas = el("canvas", { id: "still-picture", role: "img", "aria-label": "Image fixe du patient" });
  #mark = el("p", { class: "still-mark", id: "still-mark" });
  #layer = el("div", { class: "still", id: "still", hidden: true }, this.#canvas, this.#mark);
  #photo;
  /** @type {Head | null} */
  #last = null;
  /** @type {{at: number, ahead: number}[]} */
  #ticks = [];
  #session = "";
  #button = get("photo-ask", HTMLButtonElement);
  #stills = get("stills-ask", HTMLButtonElement);
  /** What the phone was asked for, and is not at yet. @type {{rung: "stills" | "auto", at: number} | null} */
  #asked = null;

  /** @param {StillHost} host */
  constructor(host) {
    this.#host = host;
    this.#photo = new PhotoView();
    get("overlay", HTMLElement).after(this.#layer, this.#photo.layer);
    this.#button.addEventListener("click", () => this.#photoAsked());
    this.#stills.addEventListener("click", (event) => {
      if (!doubled(event)) this.#toggle();
    });
    setInterval(() => this.#draw(), BEAT);
  }

  /** @type {readonly import("../keys.js").Key[]} */
  get keys() {
    return [
      { code: "KeyV", shown: "V", does: "Demander une photo", act: () => this.#photoAsked() },
      { code: "KeyA", shown: "A", does: "Images fixes, ou de nouveau la vidéo", act: () => this.#toggle() },
    ];
  }

  /** @param {View} view */
  draw(view) {
    const session = shown(view);
    if (session?.id !== this.#session) {
      this.#session = session?.id ?? "";
      this.#last = null;
      this.#asked = null;
      this.#photo.hide();
    }
    this.#button.disabled = !view.watch || view.taken !== null || !session?.caller.online;
    this.#stills.disabled = this.#button.disabled;
    const video = this.#video;
    this.#stills.setAttribute("aria-pressed", String(!video));
    const does = video ? "une image par seconde à la place de la vidéo" : "revenir à la vidéo, si le réseau la porte";
    this.#button.title = this.#button.disabled ? AWAY : "Alt+V · le correspondant prend une photo nette";
    this.#stills.title = this.#button.disabled ? AWAY : `Alt+A · ${does}`;
    this.#draw();
  }

  /** @param {Message} message */
  heard(message) {
    if (message.type === "tick" || message.type === "view") this.#ticks = hear(this.#ticks, Date.parse(message.now), performance.now());
    if (message.type === "photo" && message.session === this.#host.view().watch) this.#photo.show(message);
  }

  /** @param {ArrayBuffer} data a binary frame */
  take(data) {
    const found = unpack(data);
    if (!found || found.head.session !== this.#host.view().watch) return;
    // A picture that cannot be decoded is as if it had not come.
    void createImageBitmap(new Blob([found.picture], { type: "image/jpeg" })).then((picture) => this.#show(found.head, picture), () => undefined);
  }

  /** @param {Head} head @param {ImageBitmap} picture */
  #show(head, picture) {
    const newer = head.session === this.#host.view().watch && (!this.#last || head.taken >= this.#last.taken);
    if (newer) {
      this.#last = head;
      this.#canvas.width = picture.width;
      this.#canvas.height = picture.height;
      this.#canvas.getContext("2d")?.drawImage(picture, 0, 0);
      this.#draw();
    }
    picture.close();
  }

  get #video() {
    return (shown(this.#host.view())?.rung ?? "video") === "video";
  }

  get #age() {
    const now = serverTime(this.#ticks, performance.now());
    return this.#last && now !== null ? Math.max(0, now - this.#last.taken) : null;
  }

  #draw() {
    const view = this.#host.view();
    const session = view.watch ? shown(view) : null;
    const age = this.#age;
    const on = session !== null && standsIn({ rung: session.rung ?? "video", age, flowing: this.#host.flowing() });
    const state = !on || age === null ? "none" : age > FROZEN || view.hidden ? "frozen" : "fresh";
    this.#layer.hidden = !on;
    const stage = get("stage", HTMLElement);
    stage.dataset.still = state;
    this.#canvas.dataset.taken = String(this.#last?.taken ?? "");
    const live = stage.dataset.frozen === "true" ? "le direct : " : "";
    if (on && age !== null && this.#last) write(this.#mark, live + label(age, clock(this.#last.taken), view.hidden));
    this.#stills.setAttribute("aria-busy", String(this.#waits));
  }

  /** The phone was asked for another rung and is not there yet. */
  get #waits() {
    return this.#asked !== null && performance.now() - this.#asked.at < PATIENCE && (this.#asked.rung === "auto") !== this.#video;
  }

  /** Stills in the place of a video that this browser does not show. */
  ask() {
    if (this.#video) this.#toggle();
  }

  #toggle() {
    const { watch: session } = this.#host.view();
    if (!session || this.#stills.disabled || this.#waits) return;
    const rung = this.#video ? "stills" : "auto";
    this.#host.send({ type: "ladder", session, rung });
    this.#asked = { rung, at: performance.now() };
    this.#draw();
  }

  #photoAsked() {
    const { watch: session } = this.#host.view();
    if (!session || this.#button.disabled || this.#photo.expected) return;
    this.#host.send({ type: "ladder", session, rung: "photo" });
    this.#photo.expect();
  }
}

/** The photo: over the picture until it is put away; enlarged at a click. */
class PhotoView {
  #id = "";
  #asked = 0;
  #image = el("img", { id: "photo-picture", alt: "Photo prise par le correspondant" });
  #words = el("p", { class: "still-mark", id: "photo-mark" });
  #status = el("p", { class: "photo-status", id: "photo-status", role: "status", hidden: true });
  #large = el("button", { type: "button", class: "control", id: "photo-large", click: () => this.#size(!this.#frame.classList.contains("large")) }, icon("maximize"), el("span", {}, "Agrandir"));
  #frame = el("div", { class: "photo-frame", id: "photo", hidden: true },
    this.#image, this.#words,
    el("div", { class: "photo-tools" }, this.#large, el("button", { type: "button", class: "control", id: "photo-close", title: "Fermer la photo", click: () => this.hide() }, icon("x"), el("span", {}, "Fermer"))));
  layer = el("div", { class: "photo-layer" }, this.#status, this.#frame);

  constructor() {
    this.#image.addEventListener("error", () => write(this.#words, "PHOTO · elle n’a pas pu être chargée sur ce poste"));
    this.#image.addEventListener("click", () => this.#size(!this.#frame.classList.contains("large")));
  }

  /** A photo was asked for a moment ago, and is not here: asking again would open the phone's camera again. */
  get expected() {
    return !this.#status.hidden && performance.now() - this.#asked < PATIENCE;
  }

  expect() {
    this.#asked = performance.now();
    this.#status.hidden = false;
    write(this.#status, "Photo demandée…");
  }

  /** @param {Message} message */
  show({ id, taken, received }) {
    this.#status.hidden = true;
    if (id === this.#id) return;
    this.#id = id;
    this.#image.src = `/desk/photos/${encodeURIComponent(id)}`;
    write(this.#words, taken ? `PHOTO · prise à ${clock(Date.parse(taken))}` : `PHOTO · reçue à ${clock(Date.parse(received))}, heure de prise inconnue`);
    this.#frame.hidden = false;
    this.#size(false);
  }

  hide() {
    this.#frame.hidden = true;
    this.#status.hidden = true;
  }

  /** @param {boolean} large */
  #size(large) {
    this.#frame.classList.toggle("large", large);
    write(this.#large.querySelector("span") ?? this.#large, large ? "Réduire" : "Agrandir");
  }
}
