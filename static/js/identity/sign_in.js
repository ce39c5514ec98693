/**
 * On every professional page: tells the server that somebody is there, tells its person that the sign-in will end, and
 * renews it in a sheet, without leaving the page. Page B asks and listens by events of the document (desk/sign_in.js).
 */
import { get, meta, post, write } from "../lib/dom.js";
import { AGAIN, REPORT, banner, sheetText, wait } from "./words.js";

/** @typedef {import("./words.js").Standing} Standing */

const sheet = get("sign-in", HTMLDialogElement);
const bar = get("sign-in-banner", HTMLElement);
const act = get("sign-in-act", HTMLButtonElement);
const problem = get("sign-in-error", HTMLElement);
const askForm = get("sign-in-ask", HTMLFormElement);
const codeForm = get("sign-in-verify", HTMLFormElement);
const password = get("sign-in-password", HTMLInputElement);
const code = get("sign-in-code", HTMLInputElement);
/** The sheet stands beside the picture; what it covers. */
const under = sheet.classList.contains("sheet") ? document.getElementById("left") : null;
const ME = sheet.dataset.user;
const JSON_ONLY = { Accept: "application/json" };

/** @type {Standing} */
let now = { stage: "active", why: "idle", ends_in: 0, changes_in: null };
/** A picture flows on this page. */
let flows = false;
/** When somebody was last reported to be there. */
let reported = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Questions asked: only the newest answer counts. */
let asked = 0;

/** Ask how the sign-in stands. @param {boolean} [seen] somebody is there */
async function look(seen = false) {
  clearTimeout(timer);
  timer = setTimeout(look, AGAIN);
  const turn = ++asked;
  const question = seen ? post("/login/seen", {}) : fetch("/login/standing", { headers: JSON_ONLY, credentials: "same-origin" });
  const answer = await question.catch(() => null);
  if (turn !== asked || !answer) return;
  if (answer.status === 401) take({ ...now, stage: "ended", changes_in: null });
  else if (answer.ok) {
    const standing = await answer.json().catch(() => null); // the page may be leaving
    if (standing && turn === asked) take(standing);
  }
}

/** @param {any} standing @param {boolean} [renewed] */
function take(standing, renewed = false) {
  const mine = standing.user === undefined || standing.user === ME;
  now = mine ? standing : { ...now, stage: "ended", changes_in: null };
  clearTimeout(timer);
  // A page whose sign-in has ended asks when somebody comes back to it.
  if (now.stage !== "ended") timer = setTimeout(look, wait(now));
  draw();
  document.dispatchEvent(new CustomEvent("visio15:sign-in", { detail: { stage: now.stage, renewed } }));
}

function say() {
  const said = banner(now, Date.now(), flows);
  bar.hidden = said === null;
  if (said) {
    write(get("sign-in-said", HTMLElement), said.text);
    write(act, said.verb);
    act.dataset.act = said.act;
  }
  write(get("sign-in-text", HTMLElement), sheetText(now, flows));
}

function draw() {
  say();
  const ended = now.stage === "ended";
  document.body.toggleAttribute("data-signed-out", ended);
  get("sign-in-later", HTMLElement).hidden = ended;
  get("sign-in-other", HTMLElement).hidden = !ended;
  if (ended) {
    open();
    if (!sheet.contains(document.activeElement)) (askForm.hidden ? code : password).focus(); // what had it is hidden now
  } else if (now.stage === "active") close();
}

function open() {
  if (sheet.open) return;
  if (document.fullscreenElement) void document.exitFullscreen();
  if (under) {
    if (now.stage === "ended") for (const other of document.querySelectorAll("dialog:modal")) /** @type {HTMLDialogElement} */ (other).close();
    sheet.show();
    under.inert = true;
  } else sheet.showModal();
  restart();
}

/** Ask for the password. */
function restart() {
  askForm.hidden = false;
  codeForm.hidden = true;
  write(problem, "");
  password.value = code.value = "";
  password.focus();
}

function close() {
  if (!sheet.open) return;
  sheet.close();
  password.value = code.value = "";
  if (under) under.inert = document.querySelector("dialog.sheet[open]") !== null;
}

/** Send one step. @param {HTMLFormElement} form @param {string} url @returns {Promise<any>} what came back; null when refused: the reason is shown */
async function send(form, url) {
  const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("button[type=submit]"));
  if (button?.disabled) return null;
  if (button) button.disabled = true;
  write(problem, "");
  const headers = { ...JSON_ONLY, "X-Xsrftoken": meta("xsrf") };
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  const answer = await fetch(url, { method: "POST", headers, body, credentials: "same-origin" }).catch(() => null);
  const value = await answer?.json().catch(() => null);
  if (button) button.disabled = false;
  if (answer?.ok && value) return value;
  write(problem, value?.error?.message ?? "Le serveur ne répond pas : réessayez dans un instant.");
  if (value?.error?.code === "code_expired") {
    const why = value.error.message;
    restart();
    write(problem, why);
  }
  return null;
}

askForm.addEventListener("submit", (event) => {
  event.preventDefault();
  void send(askForm, "/login").then((sent) => {
    if (!sent) return;
    askForm.hidden = true;
    codeForm.hidden = false;
    code.focus();
  });
});
codeForm.addEventListener("submit", (event) => {
  event.preventDefault();
  void send(codeForm, "/login/code").then((standing) => {
    if (!standing) {
      code.select();
      return;
    }
    if (standing.user !== ME) location.reload();
    else {
      asked += 1;
      take(standing, true);
    }
  });
});
act.addEventListener("click", () => {
  if (act.dataset.act === "stay") void look(true);
  else open();
});
get("sign-in-again", HTMLElement).addEventListener("click", restart);
get("sign-in-later", HTMLElement).addEventListener("click", close);
sheet.addEventListener("cancel", (event) => {
  if (now.stage === "ended") event.preventDefault();
});
sheet.addEventListener("close", () => {
  if (now.stage === "ended") open(); // browsers let a second Escape close what must stay
});
sheet.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && under && now.stage !== "ended") close();
});

/** @param {Event} event */
function moved(event) {
  if (!event.isTrusted || now.stage === "over" || now.stage === "ended") return;
  const at = Date.now();
  if (at - reported < (now.stage === "idle_soon" ? REPORT.near : REPORT.calm)) return;
  reported = at;
  void look(true);
}
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
  document.addEventListener(kind, moved, { passive: true, capture: true });
}
// A PC that slept, or a page that was away: timers did not run.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void look();
});
document.addEventListener("visio15:check-sign-in", () => void look());
document.addEventListener("visio15:picture", (event) => {
  const seen = /** @type {CustomEvent} */ (event).detail.flows;
  if (seen === flows) return;
  flows = seen;
  say();
});
void look();
