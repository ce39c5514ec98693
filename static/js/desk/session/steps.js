/** The right column: the steps of the session shown, the call it is linked to, its invitations. */
import { el, get, icon, write } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { lapse } from "../../watching/session.js";
import { remarks } from "../calls/choice.js";
import { runStep } from "../clock.js";
import { once } from "../gestures.js";

/** @typedef {import("../../watching/session.js").Session} Session */
/** @typedef {import("../../watching/session.js").Invitation} Invitation */
/** @typedef {import("../../watching/session.js").Step} Step */
/** @typedef {Invitation["can"][number]} Verb */
/** @typedef {(verb: Verb, invitation: string) => Promise<unknown>} OnVerb the button stays busy until it is done */

const MARK = { done: "check", current: "circle-dot", failed: "x", todo: "circle" };
const WORD = { done: "fait", current: "en cours", failed: "échec", todo: "à venir" };

/** @param {Session | null} session @param {boolean} locked another desk works here now @param {OnVerb} onVerb */
export function drawSession(session, locked, onVerb) {
  drawSteps(session);
  drawLink(session, locked);
  drawInvitations(session, locked, onVerb);
}

/** @param {Session | null} session */
function drawSteps(session) {
  get("steps-empty", HTMLElement).hidden = Boolean(session);
  fillSteps(get("steps", HTMLElement), session?.steps ?? [], session !== null && session.state !== "ended");
}

/** The list of steps, live or of a session that is over.
 * @param {Element} list @param {readonly Step[]} steps @param {boolean} runs the time of the current one goes on */
export function fillSteps(list, steps, runs) {
  reconcile(list, steps, (step) => step.key, makeStep, (node, step) => {
    const row = /** @type {HTMLElement} */ (node);
    if (row.dataset.state !== step.state) row.querySelector(".mark")?.replaceChildren(icon(MARK[step.state]), icon("triangle-alert"));
    row.dataset.state = step.state;
    const now = step.state === "current" || step.state === "failed";
    if (now) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
    part(row, "label", step.label);
    part(row, "word", WORD[step.state]);
    const spent = /** @type {HTMLElement} */ (row.querySelector('[data-part="spent"]'));
    runStep(spent, now && runs ? step.since ?? null : null, step.spent);
    part(row, "total", step.seconds === null || step.seconds === 0 ? "" : lapse(step.seconds));
    row.title = step.seconds ? `${lapse(step.seconds)} après l’invitation` : "";
  });
}

/** @param {Step} step */
function makeStep(step) {
  return el("li", { "data-step": step.key },
    el("span", { class: "mark" }), el("span", { "data-part": "label" }), el("span", { class: "hidden-text", "data-part": "word" }),
    el("span", { class: "slow" }, "tarde"),
    el("span", { class: "when", "data-part": "spent" }), el("span", { class: "when total", "data-part": "total" }));
}

/** @param {Session | null} session @param {boolean} locked */
function drawLink(session, locked) {
  get("link-box", HTMLElement).hidden = !session;
  const label = get("link-label", HTMLElement);
  label.dataset.certainty = session?.link.certainty ?? "unlinked";
  write(label, session?.link.label ?? "");
  const { ended, other } = remarks(session);
  get("link-ended", HTMLElement).hidden = ended === null;
  get("link-ended-since", HTMLElement).dataset.since = ended ?? "";
  get("link-other", HTMLElement).hidden = !other;
  const change = get("change-call", HTMLButtonElement);
  change.disabled = locked;
  change.classList.toggle("urgent", Boolean(session?.link.pick));
  write(get("change-text", HTMLElement), session?.link.pick ? "Choisir l’appel" : "Changer d’appel");
}

/** @param {Session | null} session @param {boolean} locked @param {OnVerb} onVerb */
function drawInvitations(session, locked, onVerb) {
  const all = session?.invitations ?? [];
  get("invitations-box", HTMLElement).hidden = all.length === 0;
  reconcile(get("invitations", HTMLElement), all, (one) => one.id, (one) => makeInvitation(one, onVerb), (node, one) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = one.state;
    part(row, "to", one.channel === "code" ? "Code vocal" : one.to ?? "effacé");
    part(row, "state", one.label);
    for (const button of row.querySelectorAll("button")) {
      button.hidden = locked || !one.can.includes(/** @type {Verb} */ (button.dataset.verb));
    }
  });
}

/** @param {Invitation} invitation @param {OnVerb} onVerb */
function makeInvitation({ id, channel }, onVerb) {
  /** @param {Verb} verb @param {string} mark @param {string} text */
  const button = (verb, mark, text) => {
    const made = el("button", { type: "button", class: "small", "data-verb": verb }, icon(mark), text);
    once(made, () => onVerb(verb, id));
    return made;
  };
  return el("li", { "data-invitation": id, "data-channel": channel },
    icon({ sms: "smartphone", email: "mail", code: "volume-2" }[channel]),
    el("b", { "data-part": "to" }), el("span", { class: "sub", "data-part": "state" }),
    el("span", { class: "verbs" },
      button("resend", "refresh-cw", "Renvoyer"), button("move", "arrow-right-left", "Changer d’appareil"), button("revoke", "ban", "Révoquer")));
}
