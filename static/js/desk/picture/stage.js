/** The middle: what lies over the picture, what is said while there is none, the buttons below it. */
import { get, icon, write } from "../../lib/dom.js";
import { shown } from "../../watching/session.js";
import { waitingLine, waitingTitle } from "../words.js";

/** @typedef {import("../../watching/session.js").View} View */

/** @param {Readonly<View>} view
 * @param {{pictured: boolean, face: boolean, server: string}} now `pictured`: there is a picture, fresh or not, or words on
 *   what this browser does with it; `face`: the regulator shows himself; `server`: what is said of the line to it */
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

/** @param {(text: string) => void} notify a person pressed a key: what this browser refuses is told */
export function toggleFullscreen(notify) {
  if (document.fullscreenElement) {
    void document.exitFullscreen();
    return;
  }
  const refused = () => notify("Ce navigateur refuse le plein écran de l’image : F11 agrandit toute la page.");
  const asked = get("stage", HTMLElement).requestFullscreen?.();
  if (asked) asked.catch(refused);
  else refused();
}
