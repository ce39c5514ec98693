/** The middle: what lies over the picture, what is said while there is none, the buttons below it. */
import { covering, seconds, waitingLine, waitingTitle } from "./desk_words.js";
import { get, icon, write } from "./dom.js";
import { shown } from "./session.js";

/** @typedef {import("./session.js").View} View */

/** @param {Readonly<View>} view
 * @param {{pictured: boolean, face: boolean, server: import("./socket.js").LinkState}} now `pictured`: there is a
 *   picture, fresh or not; `face`: the regulator shows himself; `server`: the state of the socket */
export function drawStage(view, { pictured, face, server }) {
  const session = shown(view);
  get("waiting", HTMLElement).hidden = pictured;
  get("stage", HTMLElement).dataset.session = session?.state ?? "none";
  write(get("waiting-title", HTMLElement), waitingTitle(session));
  write(get("waiting-line", HTMLElement), view.server ? waitingLine(session, view.server.line15.state, server, view.taken) : "");
  drawControls(view, Boolean(view.watch && session && session.state !== "ended"));
  drawWebcam(face);
}

/** @param {Readonly<View>} view @param {boolean} on a video is on */
function drawControls(view, on) {
  const readonly = view.taken !== null;
  const end = get("end", HTMLButtonElement);
  end.disabled = !on || readonly;
  end.title = on ? "Alt+X · la ligne 15 continue" : "Aucune vidéo en cours";
  const fullscreen = get("fullscreen", HTMLButtonElement);
  fullscreen.disabled = !on;
  fullscreen.title = "Alt+P";
  const webcam = get("webcam", HTMLButtonElement);
  webcam.hidden = !view.server?.station?.webcam;
  webcam.disabled = !on || readonly;
  webcam.title = on ? "Alt+W · ma caméra, vers le correspondant, sans le son" : "Alt+W · Aucune vidéo en cours";
}

/** @param {boolean} on */
function drawWebcam(on) {
  const webcam = get("webcam", HTMLButtonElement);
  if (webcam.getAttribute("aria-pressed") !== String(on)) {
    webcam.setAttribute("aria-pressed", String(on));
    webcam.querySelector("[data-icon]")?.replaceChildren(icon(on ? "video" : "video-off"));
  }
  write(get("webcam-text", HTMLElement), on ? "On vous voit" : "Ma caméra");
  get("own", HTMLVideoElement).hidden = !on;
}

/** Ten times a second: the age of the picture, and what hides a still.
 * @param {boolean} watching @param {Readonly<import("./picture.js").Picture>} facts @param {string} state @param {number | null} age */
export function drawBeat(watching, facts, state, age) {
  const badge = get("age", HTMLElement);
  badge.hidden = age === null;
  badge.dataset.state = state;
  if (age !== null) write(get("age-value", HTMLElement), seconds(age));
  get("stage", HTMLElement).dataset.picture = state;
  const cover = watching ? covering(facts, state, age) : null;
  const overlay = get("overlay", HTMLElement);
  overlay.dataset.shown = cover ? cover.icon : "";
  if (!cover) return;
  if (overlay.dataset.icon !== cover.icon) get("overlay-icon", HTMLElement).replaceChildren(icon(cover.icon));
  overlay.dataset.icon = cover.icon;
  write(get("overlay-text", HTMLElement), cover.text);
  write(get("overlay-more", HTMLElement), cover.more);
}

export function toggleFullscreen() {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void get("stage", HTMLElement).requestFullscreen?.().catch(() => undefined);
}
