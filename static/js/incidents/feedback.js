/** Incident or remark, from any professional page, with the technical context attached. */
import { el, get, post, write } from "../lib/dom.js";
import { local } from "../lib/times.js";

const dialog = get("feedback", HTMLDialogElement);
const form = get("feedback-form", HTMLFormElement);
const remark = get("feedback-remark", HTMLTextAreaElement);
const kind = get("feedback-kind", HTMLSelectElement);
const problem = get("feedback-error", HTMLElement);
const sent = get("feedback-sent", HTMLElement);
const mine = get("feedback-mine", HTMLDetailsElement);
/** Where the self-test keeps its last verdict, and how long it says something about this PC. */
const VERDICT = "visio15.selftest";
const DAY = 24 * 3600_000;

/** The last self-test of this PC, in a line.
 * @returns {Record<string, string>} */
function tested() {
  try {
    const { at, line } = JSON.parse(localStorage.getItem(VERDICT) ?? "{}");
    return Date.now() - Date.parse(at) < DAY ? { selftest: `${line} (${at})` } : {};
  } catch {
    return {};
  }
}

/** What helps the référent understand; never what the patient is.
 * @returns {Record<string, string>} */
function context() {
  const page = /** @type {any} */ (globalThis).__visio15?.context?.() ?? {};
  return {
    page: location.pathname,
    ua: navigator.userAgent,
    viewport: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    language: navigator.language,
    ...tested(),
    ...page,
  };
}

function open() {
  sent.hidden = true;
  form.hidden = false;
  write(problem, "");
  dialog.showModal();
  remark.focus();
}

/** What this person sent before, and where it stands: read when it is asked for. */
async function showMine() {
  if (!mine.open) return;
  const list = get("feedback-list", HTMLElement);
  const answer = await fetch("/feedback", { headers: { Accept: "application/json" } }).catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!told) {
    list.replaceChildren(el("li", {}, "Le serveur ne répond pas."));
    return;
  }
  const rows = told.mine.map((/** @type {any} */ one) =>
    el("li", { "data-state": one.state }, `${one.reference} · ${one.kind_words} du ${local(one.created)} : ${one.state_words}`));
  list.replaceChildren(...(rows.length ? rows : [el("li", {}, "Aucun.")]));
}

/** @param {SubmitEvent} event */
async function submit(event) {
  event.preventDefault();
  if (!remark.value.trim()) {
    write(problem, "Écrivez ce qui s’est passé.");
    remark.focus();
    return;
  }
  const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("button[type=submit]"));
  if (button) button.disabled = true;
  try {
    const response = await post("/feedback", { kind: kind.value, remark: remark.value.trim(), context: context() });
    if (!response.ok) throw new Error((await response.json().catch(() => null))?.error?.message ?? "");
    write(get("feedback-reference", HTMLElement), String((await response.json()).reference ?? ""));
    form.reset();
    mine.open = false;
    form.hidden = true;
    sent.hidden = false;
    get("feedback-close", HTMLElement).focus();
  } catch (error) {
    write(problem, (error instanceof Error && error.message) || "Le serveur ne répond pas : réessayez dans un instant.");
  } finally {
    if (button) button.disabled = false;
  }
}

get("feedback-open", HTMLElement).addEventListener("click", open);
document.querySelector("[data-feedback]")?.addEventListener("click", open);
get("feedback-cancel", HTMLElement).addEventListener("click", () => dialog.close());
get("feedback-close", HTMLElement).addEventListener("click", () => dialog.close());
form.addEventListener("submit", submit);
mine.addEventListener("toggle", () => void showMine());
