/** The test of this PC and its network: runs by itself, shows each step as it ends, and a verdict a person can act on. */
import { boot, el, get, icon, write } from "../lib/dom.js";
import { address } from "../lib/socket.js";
import { browser, camera, display, relay, stun } from "./probe.js";
import { report, text } from "./report.js";
import { RELAYS, STEPS, judge, judgeAll, offset, plan, verdict } from "./verdict.js";
import { TestSocket } from "./socket.js";

/** @typedef {import("./verdict.js").Facts} Facts */

const BOOT = boot();
const KEPT = "visio15.selftest";
/** Milliseconds of preview. */
const PREVIEW = 4_000;
const SIGNS = /** @type {Record<string, string>} */ ({ ok: "circle-check", watch: "triangle-alert", bad: "ban", none: "circle", running: "clock" });
const LEVELS = /** @type {Record<string, string>} */ ({ ok: "bien", watch: "à surveiller", bad: "à corriger", none: "non testé", running: "en cours" });

const list = get("selftest-steps", HTMLOListElement);
const title = get("verdict", HTMLElement);
const again = get("again", HTMLButtonElement);
const tryCamera = get("try-camera", HTMLButtonElement);
const downloads = [get("download-text", HTMLButtonElement), get("download-json", HTMLButtonElement)];

/** What each step measured.
 * @type {Record<string, Facts>} */
let all = {};
/** @type {Set<string>} */
const running = new Set();
let at = "";

function draw() {
  for (const [key] of STEPS) {
    const judged = judge(key, all[key], all);
    const level = running.has(key) ? "running" : judged.level;
    const row = /** @type {HTMLElement} */ (list.querySelector(`[data-step="${key}"]`));
    if (row.dataset.level === level && row.dataset.words === judged.words) continue;
    row.dataset.level = level;
    row.dataset.words = judged.words;
    const parts = [
      icon(SIGNS[level] ?? "circle"),
      el("strong", {}, judged.title),
      el("span", { class: "tag" }, LEVELS[level] ?? level),
      el("span", { class: "muted small took" }, judged.ms === null || running.has(key) ? "" : `${judged.ms.toLocaleString("fr-FR")} ms`),
      el("p", { class: "words" }, running.has(key) ? "En cours…" : judged.words),
    ];
    if (!running.has(key) && (level === "watch" || level === "bad")) {
      if (judged.advice) parts.push(el("p", { class: "advice" }, `À faire : ${judged.advice}`));
      if (judged.it) parts.push(el("p", { class: "it small" }, "Pour l’informatique : ", el("code", {}, judged.it)));
    }
    row.replaceChildren(...parts);
  }
}

/** Run one step; whatever it throws is its result.
 * @param {string} key @param {() => Promise<Facts> | Facts} work */
async function step(key, work) {
  running.add(key);
  draw();
  const begun = performance.now();
  /** @type {Facts} */
  let facts;
  try {
    facts = await work();
  } catch (error) {
    facts = { error: error instanceof Error ? error.message : "unknown" };
  }
  all[key] = { ms: performance.now() - begun, ...facts };
  running.delete(key);
  draw();
}

/** @param {TestSocket} socket @returns {Promise<any>} the ICE servers; null when the socket failed */
async function linked(socket) {
  const where = { host: location.host, secure: location.protocol === "https:" };
  /** @type {any} */
  let ice = null;
  await step("socket", async () => {
    try {
      ({ ice } = await socket.open());
      const { rtts, exchanges } = await socket.ping();
      all.clock = { offset_ms: Math.round(offset(exchanges)) };
      return { ...where, rtts };
    } catch (error) {
      return { ...where, error: error instanceof Error ? error.message : "unknown" };
    }
  });
  if (ice && !all.socket?.error) await step("bandwidth", () => socket.rates());
  return ice;
}

async function run() {
  again.disabled = tryCamera.disabled = true;
  for (const button of downloads) button.disabled = true;
  all = all.camera ? { camera: all.camera } : {};
  write(title, "Test en cours…");
  title.dataset.level = "running";
  at = new Date().toISOString();
  const socket = new TestSocket(address(BOOT.socket));
  await step("browser", browser);
  await step("screen", display);
  all.camera ??= { tested: false };
  const ice = await linked(socket);
  if (ice && !all.browser?.missing?.length) {
    const servers = plan(ice);
    await Promise.all([step("stun", () => stun(servers.stun ?? [])), ...RELAYS.map((key) => step(key, () => relay(servers[key] ?? [])))]);
  }
  socket.close();
  if (socket.reason === "selftest_running") {
    title.dataset.level = "watch";
    write(title, "Un autre test a commencé avec votre compte : celui-ci s’est arrêté.");
  } else conclude();
  again.disabled = tryCamera.disabled = false;
  for (const button of downloads) button.disabled = false;
}

function conclude() {
  const said = verdict(judgeAll(all));
  title.dataset.level = said.level;
  write(title, said.title);
  try {
    localStorage.setItem(KEPT, JSON.stringify({ at, line: said.line }));
  } catch {
    // A browser that keeps nothing: the incident will not carry the verdict of another page.
  }
}

async function filmed() {
  const video = get("preview", HTMLVideoElement);
  tryCamera.disabled = true;
  video.hidden = false;
  await step("camera", () => camera(video, new Promise((enough) => setTimeout(enough, PREVIEW))));
  video.hidden = true;
  tryCamera.disabled = false;
  conclude();
}

/** @param {"txt" | "json"} kind */
function download(kind) {
  const judged = judgeAll(all);
  const about = { version: BOOT.version, site: BOOT.site, station: BOOT.station ?? null, at };
  const made = report(about, judged, all, verdict(judged));
  const [body, type] = kind === "json" ? [JSON.stringify(made, null, 2), "application/json"] : [text(made), "text/plain;charset=utf-8"];
  const url = URL.createObjectURL(new Blob([body], { type }));
  const name = `visio15-test-${BOOT.station ?? "poste"}-${at.slice(0, 16).replace(/[^\d]/g, "")}.${kind}`;
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

list.replaceChildren(...STEPS.map(([key]) => el("li", { "data-step": key })));
draw();
again.addEventListener("click", () => void run());
tryCamera.addEventListener("click", () => void filmed());
get("download-text", HTMLElement).addEventListener("click", () => download("txt"));
get("download-json", HTMLElement).addEventListener("click", () => download("json"));

const shared = /** @type {any} */ (globalThis);
shared.__visio15 ??= {};
shared.__visio15.context = () => ({ selftest: at ? `${verdict(judgeAll(all)).line} (${at})` : "" });

void run();
