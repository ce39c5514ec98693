/** What lies over a picture that is watched: its age, what hides a still, what this very browser does with it. */
import { get, icon, write } from "../lib/dom.js";
import { covering, seconds } from "./words.js";

/** Ten times a second: the age of the picture, and what hides a still, or is said of this very browser.
 * @param {boolean} watching @param {Readonly<import("./picture.js").Picture>} facts @param {string} state @param {number | null} age
 * @param {import("./patient_picture.js").Own | null} own */
export function drawBeat(watching, facts, state, age, own) {
  const badge = get("age", HTMLElement);
  badge.hidden = age === null;
  badge.dataset.state = state;
  if (age !== null) write(get("age-value", HTMLElement), seconds(age));
  get("stage", HTMLElement).dataset.picture = state;
  const cover = watching ? own ?? covering(facts, state, age) : null;
  const overlay = get("overlay", HTMLElement);
  overlay.dataset.shown = cover ? cover.icon : "";
  overlay.dataset.own = own?.trouble ?? "";
  const act = get("overlay-act", HTMLElement);
  act.hidden = !own?.act;
  if (own?.act) write(get("overlay-verb", HTMLElement), own.verb);
  if (!cover) return;
  if (overlay.dataset.icon !== cover.icon) get("overlay-icon", HTMLElement).replaceChildren(icon(cover.icon));
  overlay.dataset.icon = cover.icon;
  write(get("overlay-text", HTMLElement), cover.text);
  write(get("overlay-more", HTMLElement), own?.also ? `${own.more} ${own.also}` : cover.more);
}
