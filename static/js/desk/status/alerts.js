/**
 * For a regulator who looks elsewhere: a mark in the tab's title, and a short sound if he wants one. The sound goes
 * to the loudspeaker of this PC and to nobody else; nothing is ever recorded (I1).
 */
import { get, icon } from "../../lib/dom.js";
import { shown } from "../../watching/session.js";
import { keepSound, keptSound } from "../kept.js";
import { TONES, changes, title } from "./changes.js";

/** @typedef {import("../../watching/session.js").View} View */

const NOTE = 0.11;
const LOUD = 0.12;

export class Alerts {
  #view;
  #button = get("sound", HTMLButtonElement);
  /** @type {import("../../watching/session.js").ServerView | null} */
  #before = null;
  #unseen = 0;
  #on = keptSound();
  /** @type {AudioContext | null} */
  #audio = null;
  keys = [{ code: "KeyB", shown: "B", does: "Signal sonore des changements, quand la page n’est pas devant", act: () => this.toggle() }];

  #notify;

  /** @param {{view: () => Readonly<View>, notify: (text: string) => void}} page */
  constructor({ view, notify }) {
    this.#view = view;
    this.#notify = notify;
    this.#button.addEventListener("click", () => this.toggle());
    for (const event of ["focus", "visibilitychange"]) addEventListener(event, () => this.#look(), true);
    // A browser lets a page sound only once it was touched.
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => this.#ready(), { capture: true, passive: true });
    this.#draw();
  }

  /** @param {import("../../lib/socket.js").Message} message */
  heard({ type }) {
    if (type !== "view") return;
    const { server } = this.#view();
    const found = changes(this.#before, server);
    this.#before = server;
    if (this.#looking || found.length === 0) return;
    this.#unseen += found.length;
    if (this.#on) found.forEach((change, place) => this.#play(TONES[change], place * 0.5));
  }

  draw() {
    const text = title(shown(this.#view()), this.#unseen);
    if (document.title !== text) document.title = text;
    const link = document.querySelector('link[rel="icon"]');
    const plain = link?.getAttribute("data-plain") ?? link?.getAttribute("href") ?? "";
    link?.setAttribute("data-plain", plain);
    const wanted = (this.#unseen > 0 && link?.getAttribute("data-news")) || plain;
    if (link?.getAttribute("href") !== wanted) link?.setAttribute("href", wanted);
  }

  toggle() {
    this.#on = !this.#on;
    keepSound(this.#on);
    this.#ready();
    if (this.#on) this.#play(TONES.live, 0);
    if (this.#on && !this.#audio) this.#notify("Ce navigateur ne joue pas de signal sonore : regardez le titre de l’onglet.");
    this.#draw();
  }

  get #looking() {
    return !document.hidden && document.hasFocus();
  }

  #look() {
    if (!this.#looking) return;
    this.#unseen = 0;
    this.draw();
  }

  #ready() {
    if (!this.#on || !("AudioContext" in globalThis)) return;
    try {
      this.#audio ??= new AudioContext();
    } catch {
      return; // no device to sound with
    }
    if (this.#audio.state === "suspended") void this.#audio.resume().catch(() => undefined);
  }

  /** @param {readonly number[]} notes @param {number} after seconds */
  #play(notes, after) {
    const audio = this.#audio;
    if (!audio) return;
    notes.forEach((hertz, place) => {
      const start = audio.currentTime + after + place * NOTE;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(LOUD, start);
      volume.gain.linearRampToValueAtTime(0, start + NOTE);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + NOTE);
    });
  }

  #draw() {
    this.#button.setAttribute("aria-pressed", String(this.#on));
    this.#button.title = `Signal sonore : ${this.#on ? "allumé" : "éteint"} (Alt+B)`;
    this.#button.querySelector(".icon")?.replaceWith(icon(this.#on ? "bell" : "bell-off"));
  }
}
