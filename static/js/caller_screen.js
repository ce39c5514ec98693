/** The screens as the document shows them: one at a time, each with its words. */
import { get, write } from "./dom.js";
import { sentence } from "./phase.js";

/** @typedef {import("./phase.js").Phase} Phase */

/** @param {Readonly<Phase>} phase @param {(key: string) => string} say a sentence in the caller's language */
export function draw(phase, say) {
  const { screen } = phase;
  document.body.dataset.phase = screen;
  if (screen === "live") write(get("message", HTMLElement), say(sentence(phase)));
  get("message", HTMLElement).dataset.state = sentence(phase);
  if (screen === "trouble") {
    write(get("trouble-title", HTMLElement), say(`${phase.trouble}_title`));
    write(get("trouble-text", HTMLElement), say(phase.trouble));
  }
  if (screen === "ended" && phase.trouble) {
    write(get("ended-title", HTMLElement), say(`${phase.trouble}_title`));
    write(get("ended-text", HTMLElement), say(phase.trouble));
  }
}

/** Another screen starts at its top.
 * @param {Phase["screen"]} screen */
export function reveal(screen) {
  document.querySelector(`[data-for="${screen}"]`)?.scrollIntoView?.({ block: "start" });
}
