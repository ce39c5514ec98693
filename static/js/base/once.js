/** On every page of ours: a form that is on its way is not sent again by a double click or a second Enter, and a held key acts once. */
import { oneActAPress } from "./held_keys.js";

/** Milliseconds after which a server that did not answer may be asked again. */
const PATIENCE = 15_000;

/** When each form was sent. @type {WeakMap<EventTarget, number>} */
const sent = new WeakMap();

oneActAPress();
document.addEventListener("submit", (event) => {
  const form = event.target;
  // What a script of the page answers is its own business.
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post") return;
  const now = performance.now();
  if (now - (sent.get(form) ?? -PATIENCE) < PATIENCE) event.preventDefault();
  else sent.set(form, now);
});
// Back from the page it led to, out of the browser's cache: the form may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sent.delete(form);
});
