/**
 * Page B: waits, invites, shows the patient. It wires the document, the socket, the picture and the
 * webcam; what is known and what must be shown is decided in session.js.
 */
import { boot, el, get, icon, reconcile, write } from "./dom.js";
import { DeskPeer } from "./peer.js";
import { watch as watchPicture } from "./picture.js";
import { START, candidates, duration, lapse, next, proposed, shown, wanted } from "./session.js";
import { Link, Refused, address, mint } from "./socket.js";

/** @typedef {import("./session.js").View} View */
/** @typedef {import("./session.js").Call} Call */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./session.js").Invitation} Invitation */
/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./socket.js").Message} Message */

const BOOT = boot();
const PEER = mint();
const KEPT = "visio15.watch";
/** Shortest time between two requests for an ICE restart, in milliseconds. */
const RESTART_EVERY = 5_000;
/** Longest wait for the ICE servers before answering without them. */
const ICE_WAIT = 3_000;
/** Longest wait for a picture that is said to be live, in milliseconds. */
const MISSING = 5_000;
/** Age beyond which ICE credentials are asked for again, in milliseconds. */
const ICE_FRESH = 600_000;
/** Refusals of something nobody asked for that a person should read; the others are for the console. */
const TOLD = /unavailable|too_many|flood|forbidden|webcam/;

const LINE = { connected: "ligne 15 connectée", quiet: "ligne 15 silencieuse", down: "ligne 15 coupée", none: "ligne 15 non reliée" };
const CALL = { ringing: "sonne", talking: "en cours", held: "en attente", ended: "terminé", asserted: "déclaré" };
const SESSION = {
  invited: "invitation", opened: "lien ouvert", tapped: "lien touché", connecting: "connexion",
  live: "en direct", interrupted: "interrompue", ended: "terminée",
};
/** @type {Record<string, string>} */
const REASONS = {
  quit: "quittée par le poste", left: "quittée par le correspondant", expired: "expirée, lien non touché",
  revoked: "annulée par le poste", lost: "perdue, sans nouvelles du téléphone",
};
const SERVER = { connecting: "connexion au serveur…", open: "serveur connecté", waiting: "serveur injoignable", stopped: "serveur déconnecté" };

const mobile = get("mobile", HTMLInputElement);
const email = get("email", HTMLInputElement);
const patient = get("patient", HTMLVideoElement);
const own = get("own", HTMLVideoElement);
const stage = get("stage", HTMLElement);
const webcam = get("webcam", HTMLButtonElement);
const end = get("end", HTMLButtonElement);
const fullscreen = get("fullscreen", HTMLButtonElement);
const pick = get("pick", HTMLDialogElement);
const help = get("help", HTMLDialogElement);

/** @type {View} */
let view = { ...START, watch: remembered() };
let touched = false;
let lastProposed = "";
let busy = false;
/** The session whose choice of a call was put off: it is asked again only on demand. */
let later = "";
/** @type {DeskPeer | null} */
let peer = null;
let page = "";
/** @type {MediaStreamTrack | null} */
let face = null;
let restartedAt = 0;
let watchedAt = Date.now();
let beats = 0;
/** @type {{session: string, ice: any, at: number} | null} */
let ice = null;
/** @type {string | null} */
let launch = BOOT.launch ?? null;
let greeted = false;
let failures = 0;
let announced = "";
/** @type {(() => void)[]} */
let iceWaiters = [];
/** @type {{state: string, age: number | null}} */
let seen = { state: "none", age: null };

const link = new Link({
  url: address(BOOT.socket ?? "/ws/desk"),
  hello,
  onMessage: receive,
  onState: connection,
  fatal: [4401, 4403, 4409],
});

const picture = watchPicture(patient, { onState: pictureChanged, onBeat: pictureBeat });

/* ---------------------------------------------------------------- socket */

/** @returns {Message} */
function hello() {
  view = next(view, { type: "page.hello" });
  greeted = false;
  const first = { type: "hello", peer: PEER };
  return { ...first, ...(launch ? { launch } : {}), ...(view.watch ? { watch: view.watch } : {}) };
}

/** The hello itself was refused: what it named is gone. Say it again without.
 * @returns {boolean} whether there was something to leave out */
function greetAgain() {
  if (greeted || (!launch && !view.watch)) return false;
  launch = null;
  view = next(view, { type: "page.watch", session: null });
  remember(null);
  link.stop();
  link.start();
  return true;
}

/** A sign-in that ended while the server was out of reach shows as a refused handshake: look for it. */
async function stillSignedIn() {
  const response = await fetch("/kiosk", { redirect: "manual", credentials: "same-origin" }).catch(() => null);
  if (!response || (response.type !== "opaqueredirect" && response.status !== 401)) return;
  link.stop();
  expired();
}

function expired() {
  notify("Votre connexion a expiré.", "Se reconnecter", () => location.reload());
}

/** @param {import("./socket.js").LinkState} state @param {number} code */
function connection(state, code) {
  const light = get("server-state", HTMLElement);
  light.dataset.state = state;
  write(get("server-text", HTMLElement), SERVER[state]);
  if (state === "open") {
    failures = 0;
    if (view.watch && (!ice || Date.now() - ice.at > ICE_FRESH)) void join(view.watch);
    report();
  }
  if (state === "waiting") failures += 1;
  if (state === "waiting" && failures % 4 === 3) void stillSignedIn();
  if (state === "stopped" && code === 4401) expired();
  if (state === "stopped" && code === 4403) notify("Ce compte n’a pas accès à la visiorégulation.");
  // A desk that was taken over does not take the station back by itself because its network blinked.
  if (state === "waiting" && view.taken !== null) link.stop();
  render();
}

/** @param {Message} message */
function receive(message) {
  view = next(view, { ...message, at: Date.now() });
  switch (message.type) {
    case "signal.offer":
      void offered(message);
      break;
    case "signal.candidate":
      if (message.session === view.watch && message.page === page) void peer?.candidate(message.candidate ?? null);
      else if (message.session === view.watch) early(message);
      break;
    case "caller.state":
      if (message.session === view.watch && message.state === "online") tellFace();
      break;
    case "taken_over":
      notify(`Ce poste est maintenant tenu par ${view.taken}. Cette page reste en lecture seule.`, "Reprendre ce poste", takeBack);
      break;
    case "error":
      if (greetAgain()) return;
      if (TOLD.test(message.code)) notify(message.message || "Le serveur a refusé la demande.");
      else console.warn("visio15: refused", message.code);
      break;
    case "view":
      greeted = true;
      announce();
      follow();
      break;
    default:
      break;
  }
  picture.tell({ type: "hidden", hidden: view.hidden });
  picture.tell({ type: "muted", muted: view.muted });
  render();
}

function takeBack() {
  silence();
  link.stop();
  link.start();
}

/** @param {Message} message @returns {Promise<any>} undefined when refused: the reason is shown */
async function ask(message) {
  try {
    return await link.command(message);
  } catch (error) {
    notify(sentence(error));
    return undefined;
  }
}

/** @param {unknown} error @returns {string} */
function sentence(error) {
  if (!(error instanceof Refused)) return "La demande n’a pas abouti.";
  return error.message || "Le serveur a refusé la demande.";
}

/* ---------------------------------------------------------------- which session */

/** @returns {string | null} */
function remembered() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Keep up with what the server says of the session shown, and take the newest when there is none. */
function follow() {
  if (!view.watch) leave();
  const session = wanted(view);
  if (session) take(session);
}

/** @param {string} session */
function take(session) {
  if (view.watch === session) return;
  leave();
  view = next(view, { type: "page.watch", session });
  watchedAt = Date.now();
  remember(session);
  void join(session);
}

/** @param {string | null} session */
function remember(session) {
  try {
    if (session) sessionStorage.setItem(KEPT, session);
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage a reload shows the newest session: what most want anyway.
  }
}

/** Ask for the picture of a session; the answer brings the ICE servers.
 * @param {string} session */
async function join(session) {
  const result = await link.command({ type: "session.watch", session }).catch((error) => {
    if (error instanceof Refused && view.watch === session) {
      view = next(view, { type: "page.watch", session: null });
      remember(null);
      render();
    }
    return null;
  });
  if (!result || view.watch !== session) return;
  ice = { session, ice: result.ice, at: Date.now() };
  peer?.configure(result.ice);
  for (const go of iceWaiters) go();
  iceWaiters = [];
}

/** The picture is over: release everything, wait for the next. */
function leave() {
  peer?.close();
  peer = null;
  page = "";
  ice = null;
  earlies = [];
  seen = { state: "none", age: null };
  picture.use(null);
  if (patient.srcObject) patient.srcObject = null;
  dim();
  remember(view.watch);
}

/* ---------------------------------------------------------------- picture */

/** @type {Message[]} */
let earlies = [];

/** @param {Message} message a candidate of a page whose offer is not here yet */
function early(message) {
  earlies.push(message);
  if (earlies.length > 100) earlies.shift();
}

/** @param {Message} message */
async function offered(message) {
  const session = message.session;
  if (session !== view.watch) return;
  if (!ice || ice.session !== session) await iceKnown();
  if (session !== view.watch) return;
  if (!peer || page !== message.page || !peer.accepts(message.sdp)) renew(session, message.page);
  void peer?.offer(message.sdp, face);
  const mine = earlies.filter((one) => one.page === page);
  earlies = [];
  for (const one of mine) void peer?.candidate(one.candidate ?? null);
}

/** @returns {Promise<void>} */
function iceKnown() {
  return new Promise((resolve) => {
    iceWaiters.push(resolve);
    setTimeout(resolve, ICE_WAIT);
  });
}

/** A page of the caller, or a new connection of it: the former one is gone.
 * @param {string} session @param {string} from */
function renew(session, from) {
  peer?.close();
  page = from;
  const made = new DeskPeer({
    ice: ice?.ice,
    send: (message) => link.send({ ...message, session, page: from }),
    onState: (state) => {
      if (peer === made) picture.tell({ type: "connection", state });
    },
    onStream: (stream) => {
      if (peer === made) attach(stream, made);
    },
  });
  peer = made;
}

/** @param {MediaStream} stream @param {DeskPeer} made */
function attach(stream, made) {
  patient.srcObject = stream;
  picture.use(made.pc);
  void patient.play().catch(() => undefined);
}

/** @param {import("./picture.js").PictureState} state @param {number | null} age */
function pictureChanged(state, age) {
  seen = { state, age };
  report();
  render();
}

function report() {
  if (!view.watch || view.taken !== null) return;
  // A picture that was live when this page came, and does not come to it either, is lost.
  const missing = shown(view)?.state === "live" && Date.now() - watchedAt > MISSING;
  const state = seen.state === "none" && missing ? "lost" : seen.state;
  if (state === "none") return;
  const age = seen.age === null ? {} : { age_ms: Math.round(seen.age) };
  link.offer({ type: "media.report", session: view.watch, state, ...age });
}

/** @param {Readonly<import("./picture.js").Picture>} facts @param {string} state @param {number | null} age */
function pictureBeat(facts, state, age) {
  const badge = get("age", HTMLElement);
  badge.hidden = age === null;
  badge.dataset.state = state;
  if (age !== null) write(get("age-value", HTMLElement), seconds(age));
  seen.age = age;
  stage.dataset.picture = state;
  const cover = covering(facts, state, age);
  const overlay = get("overlay", HTMLElement);
  overlay.dataset.shown = cover ? cover.icon : "";
  if (cover) {
    if (overlay.dataset.icon !== cover.icon) get("overlay-icon", HTMLElement).replaceChildren(icon(cover.icon));
    overlay.dataset.icon = cover.icon;
    write(get("overlay-text", HTMLElement), cover.text);
    write(get("overlay-more", HTMLElement), cover.more);
  }
  if (age !== null && age > 2_000 && !facts.hidden && !facts.muted) restart();
  beats += 1;
  if (beats % 50 === 0 && (state === "flowing") !== (shown(view)?.state === "live")) report();
}

/** @param {number} ms @returns {string} */
function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1).replace(".", ",")} s` : duration(ms);
}

/** What must lie over the picture, so that a still is never taken for live.
 * @param {Readonly<import("./picture.js").Picture>} facts @param {string} state @param {number | null} age
 * @returns {{icon: string, text: string, more: string} | null} */
function covering(facts, state, age) {
  if (!view.watch || state === "none") return null;
  const since = age === null ? "" : `Dernière image il y a ${seconds(age)}`;
  if (state === "hidden") return { icon: "eye-off", text: "Page masquée", more: "Le correspondant a quitté la page : demandez-lui d’y revenir." };
  if (state === "lost") return { icon: "wifi-off", text: "Image interrompue", more: since };
  if (state === "frozen" && facts.muted) return { icon: "video-off", text: "Caméra coupée", more: "Le téléphone a repris sa caméra." };
  if (state === "frozen") return { icon: "snowflake", text: "Image figée", more: since };
  if (facts.dark) return { icon: "moon", text: "Image noire", more: "Caméra couverte ou lieu très sombre." };
  return null;
}

function restart() {
  const now = Date.now();
  if (!view.watch || view.taken !== null || now - restartedAt < RESTART_EVERY) return;
  restartedAt = now;
  link.offer({ type: "signal.restart", session: view.watch });
}

/* ---------------------------------------------------------------- the regulator's own picture */

async function toggleWebcam() {
  if (webcam.disabled) return;
  if (face) {
    dim();
    return;
  }
  const session = view.watch;
  webcam.disabled = true;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } },
      audio: false,
    });
    const track = stream.getVideoTracks()[0] ?? null;
    if (!session || view.watch !== session) {
      track?.stop();
      return;
    }
    face = track;
    own.srcObject = stream;
    if (track) track.onended = () => dim();
    void own.play().catch(() => undefined);
    await peer?.show(face);
    link.send({ type: "webcam", session, on: true });
  } catch {
    notify("Votre caméra ne répond pas : vérifiez qu’elle est branchée, autorisée, et libre.");
  } finally {
    render();
  }
}

/** A page of the caller that came, or came back, does not know whether the regulator shows himself. */
function tellFace() {
  if (view.server?.station?.webcam && view.taken === null) link.send({ type: "webcam", session: view.watch, on: Boolean(face) });
}

/** Camera light off. */
function dim() {
  if (!face) return;
  face.onended = null;
  face.stop();
  face = null;
  own.srcObject = null;
  void peer?.show(null);
  if (view.watch) link.send({ type: "webcam", session: view.watch, on: false });
  render();
}

/* ---------------------------------------------------------------- commands */

/** @param {SubmitEvent} event */
async function invite(event) {
  event.preventDefault();
  if (busy || view.taken !== null) return;
  clearErrors();
  const to = { mobile: mobile.value.trim(), email: email.value.trim() };
  if (!to.mobile && !to.email) {
    fieldError("mobile", "Saisissez un mobile ou une adresse e-mail.");
    return;
  }
  busy = true;
  render();
  try {
    const result = await link.command({
      type: "invite",
      ...(to.mobile ? { mobile: to.mobile } : {}),
      ...(to.email ? { email: to.email } : {}),
    });
    view = next(view, { type: "page.invited" });
    touched = false;
    email.value = "";
    // A picture that is seen is never taken away by an invitation.
    if (view.watch && seen.state === "flowing") notify("Invitation enregistrée : la nouvelle session est dans « Dernières sessions ».");
    else take(typeof result.session === "string" ? result.session : result.session.id);
  } catch (error) {
    inviteRefused(error);
  } finally {
    busy = false;
    render();
  }
}

/** @param {unknown} error */
function inviteRefused(error) {
  const code = error instanceof Refused ? error.field ?? error.code : "";
  const said = error instanceof Refused && error.say ? ` Dites : « ${error.say} »` : "";
  const text = sentence(error) + said;
  if (/^(number|mobile|phone|contact|carrier)/.test(code)) fieldError("mobile", text);
  else if (/^(e-?mail|address)/.test(code)) fieldError("email", text);
  else write(get("invite-error", HTMLElement), text);
}

/** @param {"mobile" | "email"} name @param {string} text */
function fieldError(name, text) {
  const field = name === "mobile" ? mobile : email;
  write(get(`${name}-error`, HTMLElement), text);
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

function clearErrors() {
  for (const id of ["mobile-error", "email-error", "invite-error"]) write(get(id, HTMLElement), "");
  for (const field of [mobile, email]) field.removeAttribute("aria-invalid");
}

function quit() {
  if (!view.watch || end.disabled) return;
  end.disabled = true;
  void ask({ type: "session.end", session: view.watch }).finally(render);
}

/** @param {"resend" | "revoke" | "move"} verb @param {string} invitation @param {Event} event */
function onInvitation(verb, invitation, event) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  void ask({ type: `invitation.${verb}`, invitation }).finally(() => {
    button.disabled = false;
  });
}

/* ---------------------------------------------------------------- which call */

function openPick() {
  const session = shown(view);
  if (!session || view.taken !== null || pick.open) return;
  write(get("pick-error", HTMLElement), "");
  renderPick();
  pick.showModal();
  get("pick-title", HTMLElement).focus();
}

/** @param {Message} message */
async function relink(message) {
  const session = shown(view);
  if (!session) return;
  try {
    await link.command({ ...message, session: session.id });
    get("manual", HTMLInputElement).value = "";
    later = session.id;
    pick.close();
  } catch (error) {
    write(get("pick-error", HTMLElement), sentence(error));
  }
}

/* ---------------------------------------------------------------- notices */

/** @type {(() => void) | null} */
let action = null;

/** @param {string} text @param {string} [verb] @param {() => void} [act] */
function notify(text, verb, act) {
  write(get("notice-text", HTMLElement), text);
  const button = get("notice-action", HTMLButtonElement);
  button.hidden = !verb;
  write(button, verb ?? "");
  action = act ?? null;
  get("notice-close", HTMLElement).hidden = Boolean(verb);
  get("notice", HTMLElement).hidden = false;
}

/** What the server says of the launch from the call's context, once. */
function announce() {
  const text = view.server?.launch?.notice ?? "";
  if (text && text !== announced) notify(text);
  announced = text;
}

function silence() {
  get("notice", HTMLElement).hidden = true;
}

/* ---------------------------------------------------------------- document */

function serverNow() {
  return Date.now() + view.offset;
}

function render() {
  const server = view.server;
  if (!server) return;
  const session = shown(view);
  const line = get("line15", HTMLElement);
  line.dataset.state = server.line15.state;
  write(get("line15-text", HTMLElement), LINE[server.line15.state]);
  renderCalls(session);
  renderForm();
  renderSessions(session);
  renderSession(session);
  renderStage(session);
  if (pick.open) renderPick();
  choose(session);
  tick();
}

/** @param {Session | null} session */
function renderCalls(session) {
  const calls = candidates(view);
  get("calls-empty", HTMLElement).hidden = calls.length > 0;
  reconcile(get("calls", HTMLElement), calls, (call) => call.id, makeCall, (node, call) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = call.state;
    row.dataset.linked = String(call.id === session?.link.call);
    part(row, "number", call.number ?? (call.state === "asserted" ? "numéro non connu" : "numéro masqué"));
    since(row, call);
    const bits = [CALL[call.state], call.certain ? "" : "à confirmer", call.id === session?.link.call ? "vidéo liée" : ""];
    part(row, "state", bits.filter(Boolean).join(" · "));
    const id = call.aliases[0]?.value ?? call.id;
    // What tells two calls apart: not the host name that ends a Call-ID or a NENA urn.
    part(row, "id", `ID …${id.replace(/^urn:emergency:uid:callid:([^:]+):.*$/, "$1").split("@")[0]?.slice(-4) ?? ""}`);
    row.title = call.aliases.map((alias) => `${alias.type} ${alias.value}`).join("\n");
  });
}

/** @param {Call} call */
function makeCall(call) {
  return el("li", { "data-call": call.id },
    el("span", { class: "lamp", "aria-hidden": "true" }),
    el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "age" }),
    el("span", { class: "sub", "data-part": "state" }), el("span", { class: "sub id", "data-part": "id" }));
}

/** @param {Element} row @param {string} name @param {string} text */
function part(row, name, text) {
  const node = row.querySelector(`[data-part="${name}"]`);
  if (node) write(node, text);
}

/** @param {HTMLElement} row @param {Call} call */
function since(row, call) {
  const age = /** @type {HTMLElement | null} */ (row.querySelector('[data-part="age"]'));
  if (!age) return;
  age.dataset.since = call.answered ?? call.started ?? "";
  if (call.state === "ended" && call.ended) age.dataset.until = call.ended;
  else delete age.dataset.until;
}

function renderForm() {
  const locked = view.taken !== null;
  const number = proposed(view);
  // A field emptied on purpose stays empty until the telephone proposes something else.
  if (number !== lastProposed && mobile.value === "") touched = false;
  lastProposed = number;
  if (!touched && !busy && mobile.value !== number) mobile.value = number;
  mobile.disabled = email.disabled = locked;
  const button = get("invite", HTMLButtonElement);
  button.disabled = locked;
  button.setAttribute("aria-busy", String(busy));
  write(get("invite-text", HTMLElement), busy ? (link.state === "open" ? "Envoi…" : "En attente du serveur…") : "Lancer l’invitation");
}

/** @param {Session | null} current */
function renderSessions(current) {
  const sessions = view.server?.sessions ?? [];
  get("sessions-empty", HTMLElement).hidden = sessions.length > 0;
  reconcile(get("sessions", HTMLElement), sessions, (one) => one.id, makeSession, (node, one) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = one.state;
    const button = row.querySelector("button");
    if (button) button.setAttribute("aria-pressed", String(one.id === current?.id));
    part(row, "number", one.number ?? one.invitations[0]?.to ?? "—");
    part(row, "when", clock(one.created, false));
    part(row, "state", SESSION[one.state] + (one.state === "ended" && one.end_reason ? ` · ${reason(one.end_reason)}` : ""));
  });
}

/** @param {Session} session */
function makeSession(session) {
  const open = () => {
    const now = view.server?.sessions.find((one) => one.id === session.id);
    if (now && now.state !== "ended") take(session.id);
    else if (!view.watch) view = next(view, { type: "page.look", session: session.id });
    else notify("Quittez d’abord la vidéo en cours pour revoir une session terminée.");
    render();
  };
  return el("li", { "data-session": session.id },
    el("button", { type: "button", class: "row", "aria-pressed": "false", click: open },
      el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "when" }),
      el("span", { class: "sub", "data-part": "state" })));
}

/** @param {Session | null} session */
function renderSession(session) {
  get("steps-empty", HTMLElement).hidden = Boolean(session);
  reconcile(get("steps", HTMLElement), session?.steps ?? [], (step) => step.key, makeStep, (node, step) => {
    const row = /** @type {HTMLElement} */ (node);
    if (row.dataset.state !== step.state) {
      row.querySelector(".mark")?.replaceChildren(icon({ done: "check", current: "circle-dot", failed: "x", todo: "circle" }[step.state]));
    }
    row.dataset.state = step.state;
    if (step.state === "current") row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
    part(row, "label", step.label);
    part(row, "word", { done: "fait", current: "en cours", failed: "échec", todo: "à venir" }[step.state]);
    const time = /** @type {HTMLElement | null} */ (row.querySelector('[data-part="time"]'));
    if (!time) return;
    if (step.state === "current" && session && session.state !== "ended") time.dataset.lapse = session.created;
    else delete time.dataset.lapse;
    if (!time.dataset.lapse) write(time, step.seconds === null || step.seconds === undefined ? "" : lapse(step.seconds));
  });
  write(get("say", HTMLElement), session?.say?.text ? `« ${session.say.text} »` : "");
  write(get("say-cause", HTMLElement), session?.say?.cause ?? "");
  document.querySelector(".say-box")?.toggleAttribute("hidden", !session?.say?.text);
  get("link-box", HTMLElement).hidden = !session;
  const label = get("link-label", HTMLElement);
  label.dataset.certainty = session?.link.certainty ?? "unlinked";
  write(label, session?.link.label ?? "");
  const change = get("change-call", HTMLButtonElement);
  change.disabled = view.taken !== null;
  change.classList.toggle("urgent", Boolean(session?.link.pick));
  write(get("change-text", HTMLElement), session?.link.pick ? "Choisir l’appel" : "Changer d’appel");
  renderInvitations(session);
}

/** @param {Step} step */
function makeStep(step) {
  return el("li", { "data-step": step.key },
    el("span", { class: "mark" }), el("span", { "data-part": "label" }),
    el("span", { class: "hidden-text", "data-part": "word" }), el("span", { class: "when", "data-part": "time" }));
}

/** @param {Session | null} session */
function renderInvitations(session) {
  const all = session?.invitations ?? [];
  get("invitations-box", HTMLElement).hidden = all.length === 0;
  reconcile(get("invitations", HTMLElement), all, (one) => one.id, makeInvitation, (node, one) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = one.state;
    part(row, "to", one.to ?? "effacé");
    part(row, "state", one.label);
    for (const button of row.querySelectorAll("button")) {
      button.hidden = view.taken !== null || !one.can.includes(/** @type {any} */ (button.dataset.verb));
    }
  });
}

/** @param {Invitation} invitation */
function makeInvitation(invitation) {
  /** @param {"resend" | "revoke" | "move"} verb @param {string} mark @param {string} text */
  const button = (verb, mark, text) =>
    el("button", { type: "button", class: "small", "data-verb": verb, click: (event) => onInvitation(verb, invitation.id, event) }, icon(mark), text);
  return el("li", { "data-invitation": invitation.id, "data-channel": invitation.channel },
    icon(invitation.channel === "sms" ? "smartphone" : "mail"),
    el("b", { "data-part": "to" }), el("span", { class: "sub", "data-part": "state" }),
    el("span", { class: "verbs" },
      button("resend", "refresh-cw", "Renvoyer"), button("move", "arrow-right-left", "Changer d’appareil"), button("revoke", "ban", "Révoquer")));
}

/** @param {Session | null} session */
function renderStage(session) {
  const on = Boolean(view.watch && session && session.state !== "ended");
  const readonly = view.taken !== null;
  get("waiting", HTMLElement).hidden = Boolean(peer && seen.state !== "none");
  stage.dataset.session = session?.state ?? "none";
  write(get("waiting-title", HTMLElement), waitingTitle(session));
  write(get("waiting-line", HTMLElement), waitingLine(session));
  end.disabled = !on || readonly;
  end.title = on ? "Alt+X · la ligne 15 continue" : "Aucune vidéo en cours";
  fullscreen.disabled = !on;
  fullscreen.title = "Alt+P";
  webcam.hidden = !view.server?.station?.webcam;
  webcam.disabled = !on || readonly;
  webcam.title = on ? "Alt+W · le correspondant vous voit, sans son" : "Aucune vidéo en cours";
  const pressed = String(Boolean(face));
  if (webcam.getAttribute("aria-pressed") !== pressed) {
    webcam.setAttribute("aria-pressed", pressed);
    webcam.querySelector("[data-icon]")?.replaceChildren(icon(face ? "video" : "video-off"));
  }
  write(get("webcam-text", HTMLElement), face ? "Ma caméra : allumée" : "Ma caméra : éteinte");
  own.hidden = !face;
}

/** @param {string} code @returns {string} */
function reason(code) {
  return REASONS[code] ?? code;
}

/** @param {Session | null} session @returns {string} */
function waitingTitle(session) {
  if (!session || session.state === "ended") return "En attente";
  return session.state === "connecting" || session.state === "live" ? "L’image arrive…" : "Invitation en cours";
}

/** @param {Session | null} session @returns {string} */
function waitingLine(session) {
  const server = view.server;
  if (!server) return "";
  const last = session?.state === "ended" ? `dernière vidéo ${reason(session.end_reason ?? "") || "terminée"} · ` : "";
  return `${last}${LINE[server.line15.state]} · ${SERVER[link.state]}`;
}

/** The choice of the call that cannot be missed, asked once.
 * @param {Session | null} session */
function choose(session) {
  if (!session || view.taken !== null || session.state === "ended") return;
  if (session.link.pick && later !== session.id && !document.querySelector("dialog[open]")) openPick();
}

function renderPick() {
  const session = shown(view);
  const calls = candidates(view);
  write(get("pick-text", HTMLElement), session?.number ? `Vidéo demandée au ${session.number}. L’invitation est déjà partie.` : "L’invitation est déjà partie.");
  get("pick-empty", HTMLElement).hidden = calls.length > 0;
  reconcile(get("pick-calls", HTMLElement), calls, (call) => call.id, (call) =>
    el("li", {}, el("button", { type: "button", "data-call": call.id, click: () => relink({ type: "link.choose", call: call.id }) },
      el("span", { class: "lamp", "aria-hidden": "true" }),
      el("b", { "data-part": "number" }), el("span", { class: "when", "data-part": "age" }), el("span", { class: "sub", "data-part": "state" }))),
  (node, call) => {
    const row = /** @type {HTMLElement} */ (node);
    row.dataset.state = call.state;
    part(row, "number", call.number ?? (call.state === "asserted" ? "numéro non connu" : "numéro masqué"));
    since(row, call);
    const bits = [CALL[call.state], call.certain ? "" : "à confirmer", call.id === session?.link.call ? "lié maintenant" : ""];
    part(row, "state", bits.filter(Boolean).join(" · "));
  });
}

/** @param {string} iso @param {boolean} [exact] @returns {string} */
function clock(iso, exact = true) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleTimeString("fr-FR", exact ? {} : { hour: "2-digit", minute: "2-digit" });
}

function tick() {
  const now = serverNow();
  write(get("clock", HTMLElement), new Date(now).toLocaleTimeString("fr-FR"));
  for (const node of document.querySelectorAll("[data-since]")) {
    const { since: from, until } = /** @type {HTMLElement} */ (node).dataset;
    if (from) write(node, duration((until ? Date.parse(until) : now) - Date.parse(from)));
  }
  for (const node of document.querySelectorAll("[data-lapse]")) {
    const from = /** @type {HTMLElement} */ (node).dataset.lapse ?? "";
    write(node, lapse(Math.max(0, now - Date.parse(from)) / 1000));
  }
}

function toggleFullscreen() {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void stage.requestFullscreen?.().catch(() => undefined);
}

function openHelp() {
  if (!document.querySelector("dialog[open]")) help.showModal();
}

/** @type {Record<string, () => void>} */
const KEYS = {
  KeyM: () => {
    mobile.focus();
    mobile.select();
  },
  KeyL: openPick,
  KeyW: () => void toggleWebcam(),
  KeyP: toggleFullscreen,
  KeyX: quit,
};

/** @param {KeyboardEvent} event */
function key(event) {
  if (document.querySelector("dialog[open]")) return;
  const act = event.altKey && !event.ctrlKey && !event.metaKey ? KEYS[event.code] : undefined;
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (act) {
    event.preventDefault();
    act();
  } else if (event.key === "?" && !typing && get("help-key", HTMLInputElement).checked) {
    openHelp();
  }
}

get("invite-form", HTMLFormElement).addEventListener("submit", (event) => void invite(event));
// One gesture is one SMS: the second half of a double click and the repeats of a held key may come after the answer.
get("invite", HTMLElement).addEventListener("click", (event) => {
  if (event.detail > 1) event.preventDefault();
});
get("invite-form", HTMLElement).addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.repeat) event.preventDefault();
});
mobile.addEventListener("input", () => {
  touched = true;
  clearErrors();
});
email.addEventListener("input", clearErrors);
end.addEventListener("click", quit);
webcam.addEventListener("click", () => void toggleWebcam());
fullscreen.addEventListener("click", toggleFullscreen);
get("change-call", HTMLElement).addEventListener("click", openPick);
get("help-open", HTMLElement).addEventListener("click", openHelp);
get("pick-none", HTMLElement).addEventListener("click", () => void relink({ type: "link.none" }));
get("pick-later", HTMLElement).addEventListener("click", () => pick.close());
pick.addEventListener("close", () => {
  later = shown(view)?.id ?? "";
});
get("pick-manual", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const value = get("manual", HTMLInputElement).value.trim();
  if (value) void relink({ type: "link.manual", value });
  else write(get("pick-error", HTMLElement), "Saisissez un identifiant.");
});
get("notice-close", HTMLElement).addEventListener("click", silence);
get("notice-action", HTMLElement).addEventListener("click", () => action?.());
patient.addEventListener("pause", () => {
  if (patient.srcObject) void patient.play().catch(() => undefined);
});
document.addEventListener("keydown", key);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) link.nudge();
});
addEventListener("online", () => link.nudge());
addEventListener("pagehide", () => peer?.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
setInterval(tick, 1000);

const shared = /** @type {any} */ (globalThis);
shared.__visio15 ??= {};
shared.__visio15.peer = PEER;
shared.__visio15.context = () => ({
  ...(shown(view) ? { session: shown(view)?.id, call: shown(view)?.link.call ?? "" } : {}),
  socket_state: link.state,
});

link.start();
