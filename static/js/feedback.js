/** Incident or remark, from any professional page, with the technical context attached. */
import { get, post, write } from "./dom.js";

const dialog = get("feedback", HTMLDialogElement);
const form = get("feedback-form", HTMLFormElement);
const remark = get("feedback-remark", HTMLTextAreaElement);
const kind = get("feedback-kind", HTMLSelectElement);
const problem = get("feedback-error", HTMLElement);
const sent = get("feedback-sent", HTMLElement);

/** What helps the référent understand; never what the patient is.
 * @returns {Record<string, string>} */
function context() {
  const page = /** @type {any} */ (globalThis).__visio15?.context?.() ?? {};
  return {
    page: location.pathname,
    ua: navigator.userAgent,
    viewport: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
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
    form.reset();
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
