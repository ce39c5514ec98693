/** The left column: the calls of the station, its latest sessions. */
import { el, get } from "../../lib/dom.js";
import { part, reconcile } from "../../lib/rows.js";
import { away, candidates, shown } from "../../watching/session.js";
import { clock, runCall } from "../clock.js";
import { callNumber, callState, callTail, sessionState } from "../words.js";

/** @typedef {import("../../watching/session.js").View} View */
/** @typedef {import("../../watching/session.js").Call} Call */
/** @typedef {import("../../watching/session.js").Session} Session */

/** @param {Readonly<View>} view */
export function drawCalls(view) {
  const calls = candidates(view);
  const linked = shown(view)?.link.call;
  get("calls-empty", HTMLElement).hidden = calls.length > 0;
  reconcile(get("calls", HTMLElement), calls, (call) => call.id, makeCall, (node, call) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = call.state;
    row.dataset.linked = String(call.id === linked);
    row.title = call.aliases.map((alias) => `${alias.type} ${alias.value}`).join("\n");
    part(row, "number", callNumber(call));
    runCall(row, call);
    part(row, "state", callState(call, call.id === linked, away(call, view.server?.station ?? null)));
    part(row, "id", callTail(call));
  });
}

/** @param {Call} call */
function makeCall(call) {
  return el("li", { "data-call": call.id },
    el("span", { class: "lamp", "aria-hidden": "true" }),
    el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "age" }),
    el("span", { class: "sub", "data-part": "state" }), el("span", { class: "sub id", "data-part": "id" }));
}

/** @param {Readonly<View>} view @param {(session: string) => void} onOpen a row was chosen */
export function drawSessions(view, onOpen) {
  const sessions = view.server?.sessions ?? [];
  const current = shown(view)?.id;
  get("sessions-empty", HTMLElement).hidden = sessions.length > 0;
  reconcile(get("sessions", HTMLElement), sessions, (one) => one.id, (one) => makeSession(one, onOpen), (node, one) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = one.state;
    row.querySelector("button")?.setAttribute("aria-pressed", String(one.id === current));
    part(row, "number", one.number ?? one.invitations[0]?.to ?? (one.invitations[0]?.channel === "code" ? "code vocal" : "—"));
    part(row, "when", clock(one.created));
    part(row, "state", sessionState(one, view.server?.station?.extension ?? null));
  });
}

/** @param {Session} session @param {(session: string) => void} onOpen */
function makeSession({ id }, onOpen) {
  return el("li", { "data-session": id },
    el("button", { type: "button", class: "row", "aria-pressed": "false", click: () => onOpen(id) },
      el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "when" }),
      el("span", { class: "sub", "data-part": "state" })));
}
