/** The screens as the document shows them: one at a time, each with its words. */
import { get, write } from "../lib/dom.js";
import { sentence } from "./truth.js";

/** @typedef {import("./phase.js").Phase} Phase */

/** @param {Readonly<Phase>} phase @param {(key: string) => string} say a sentence in the caller's language */
export function draw(phase, say) {
  const { screen } = phase;
  document.body.dataset.phase = screen;
  const state = sentence(phase.truth);
  if (screen === "live") write(get("message", HTMLElement), say(state));
  get("message", HTMLElement).dataset.state = state;
  // The way out is loaded with the first trouble (camera/trouble.js); the network may let nothing be loaded.
  if (screen === "trouble") {
    write(get("trouble-title", HTMLElement), say(`${phase.trouble}_title`).replace("{browser}", "Chrome, Safari"));
    write(get("trouble-text", HTMLElement), say(phase.trouble));
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
