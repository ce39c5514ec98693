/** The screens as the document shows them: one at a time, each with its words. */
import { get, write } from "./dom.js";
import { sentence } from "./truth.js";

/** @typedef {import("./phase.js").Phase} Phase */

/** @param {Readonly<Phase>} phase @param {(key: string) => string} say a sentence in the caller's language */
export function draw(phase, say) {
  const { screen } = phase;
  document.body.dataset.phase = screen;
  const state = sentence(phase.truth);
  if (screen === "live") write(get("message", HTMLElement), say(state));
  get("message", HTMLElement).dataset.state = state;
  // The way out of the others is loaded with the first of them (caller_trouble.js); this one may load nothing.
  if (screen === "trouble" && phase.trouble === "network") {
    write(get("trouble-title", HTMLElement), say("network_title"));
    write(get("trouble-text", HTMLElement), say("network"));
  }
  if (screen === "ended") {
    const how = phase.trouble || "over";
    write(get("ended-title", HTMLElement), say(`${how}_title`));
    write(get("ended-text", HTMLElement), say(how));
    get("ended", HTMLElement).dataset.how = how;
  }
}

/** Another screen starts at its top.
 * @param {Phase["screen"]} screen */
export function reveal(screen) {
  document.querySelector(screen === "live" ? ".top" : `[data-for="${screen}"]`)?.scrollIntoView?.({ block: "start" });
}
