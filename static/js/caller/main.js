/**
 * The caller's page: one tap, one permission, done. The screens are decided in phase.js; this draws them and wires
 * the socket to the camera (camera/camera.js) and to the connections (sending/peers.js).
 */
import { boot, get, inFront, meta, write } from "../lib/dom.js";
import { Socket, address, mint } from "../lib/socket.js";
import { impossible } from "../rtc/camera.js";
import { CallerCamera } from "./camera/camera.js";
import { FirstPicture, Later, fetched } from "./later.js";
import { CallerNetwork } from "./network.js";
import { FIRST, advance, ending, prompt, refused, where } from "./phase.js";
import { draw, reveal } from "./screen.js";
import { LowerRungs } from "./sending/lower_rungs.js";
import { Doctor, Peers } from "./sending/peers.js";
import { word } from "./truth.js";
import { Awake, allowed } from "./wake.js";
import { Words } from "./words.js";

/** @typedef {import("../lib/socket.js").Message} Message */

const BOOT = boot();
const PAGE = mint();
const SESSION = String(BOOT.token).slice(0, 6);
const TAPPED = `visio15.tapped.${SESSION}`;
/** Milliseconds the socket is given to carry the caller's last word. */
const LAST_WORD = 30_000;
/** Milliseconds without the server after which the caller reads what to say. */
const UNREACHED = 4_000;

/** @type {import("./phase.js").Phase} */
let phase = { ...FIRST };
const awake = new Awake();
/** Code of the last refusal: a close that follows has the same cause. */
let refusal = "";
let tapped = false;
/** The tap that the server is being told of. */
let telling = Promise.resolve();
/** The servers as the server told them last. @type {any} */
let ice = [];
/** Whether the server was told that somebody looks at this page. */
let opened = false;
/** @type {any} */
let waits = 0;

const words = new Words({
  ...BOOT,
  onChanged: () => step({ type: "none" }),
  onChosen: (language) => {
    if (socket.state === "stopped") void send("open", { language, chosen: true, camera: barred }).catch(() => null);
    socket.forget((message) => message.type === "language");
    if (socket.state !== "stopped") socket.send({ type: "language", language });
  },
});
const socket = new Socket({
  url: address("/ws/caller"),
  hello: () => ({ type: "hello", token: BOOT.token, page: PAGE, language: words.language }),
  onMessage: receive,
  onState: connection,
  // Under another name each time: some browsers remember that an import failed.
  onLate: () => void import(`../lib/polling.js?${Date.now()}`).then(({ goAround }) => goAround(socket, `/v/${BOOT.token}/wire`), () => null),
  fatal: [4401, 4403, 4404, 4409],
});
const doctor = new Doctor(get("doctor", HTMLVideoElement));
/** @type {Peers} */
const peers = new Peers(doctor, {
  send: (message) => socket.send(message),
  track: () => camera.track,
  ready: () => phase.truth.granted || phase.screen === "asking",
  over: () => phase.screen === "ended",
  onChanged: (each) => step({ type: "peers", peers: each }),
  onDeaf: () => socket.renew(),
});
const network = new CallerNetwork({
  onFound: () => {
    peers.configure(network.prepared(ice));
    tellNetwork();
  },
  onChanged: () => {
    step({ type: "online", online: true });
    socket.detour?.reset();
    socket.renew();
    peers.configure(ice);
    peers.restartAll();
  },
  onOffline: () => {
    step({ type: "online", online: false });
    peers.offline();
  },
  socket: () => socket.took,
});
/** @type {CallerCamera} */
const camera = new CallerCamera(get("self", HTMLVideoElement), {
  phase: () => phase,
  say,
  offer: (message) => socket.offer(message),
  onTrack: (track) => {
    peers.show(track);
    help.tracked();
  },
  onAsking: () => {
    if (!phase.truth.granted) tell("asking");
  },
  onGranted: granted,
  onStuck: stuck,
  onLate: () => {
    if (!phase.truth.granted) tell("timeout");
    step({ type: "trouble", why: "timeout" });
  },
  learn: step,
  free: () => first.over,
  kept: `visio15.lens.${SESSION}`,
});
/**
 * @typedef {object} Part a part of the page that looks after itself
 * @property {(message: Message) => void} [heard] a message of the server
 * @property {(phase: Readonly<import("./phase.js").Phase>) => void} [drawn] the screen is up to date
 */
const first = new FirstPicture();
const ladder = new LowerRungs({ phase: () => phase, say, socket, peers, track: () => camera.track, token: String(BOOT.token), free: first.over });
/** What a desk asks of this phone. */
const help = new Later(async () => {
  await first.over;
  const { CallerHelp } = /** @type {typeof import("./help.js")} */ (await fetched("caller/help.js"));
  return new CallerHelp({
    say,
    send: (message) => socket.send(message),
    track: () => camera.track,
    facing: () => camera.facing,
    turn: () => camera.turn(),
    prefer: (preference) => peers.prefer(preference),
  });
});
const viewers = new Later(async () => {
  await first.over;
  const { Viewers } = /** @type {typeof import("./viewers.js")} */ (await fetched("caller/viewers.js"));
  return new Viewers((key, names) => words.say(key, names));
}, "viewers");
/** @type {Part[]} */
const parts = [first, words, ladder, help, viewers];
/** The way out of a trouble, once it is loaded. @type {import("./camera/trouble.js").Trouble | null} */
let trouble = null;
/** Parts that are not needed before the tap, and by most callers never. @type {Record<string, () => Promise<Part>>} */
const LATER = {
  trouble: async () => {
    const { Trouble } = /** @type {typeof import("./camera/trouble.js")} */ (await fetched("caller/camera/trouble.js"));
    trouble = new Trouble({ say: (key, names) => words.say(key, names), again: tap, release });
    return trouble;
  },
  again: async () => {
    const { AskAgain } = /** @type {typeof import("./camera/ask_again.js")} */ (await fetched("caller/camera/ask_again.js"));
    const sent = async () => (ladder.quiet ? [] : peers.taken());
    return new AskAgain(get("self", HTMLVideoElement), { phase: () => phase, learn: step, camera, sent });
  },
  live: async () => new (await fetched("caller/hints.js")).Hints(get("self", HTMLVideoElement), say),
};
/** @type {Set<string>} */
const loaded = new Set();
/** Why the camera will hardly come here, known before anything is touched: then nothing is bound yet. */
const barred = impossible() || (where(navigator.userAgent, navigator.maxTouchPoints).inApp ? "in_app" : "");

/* ---------------------------------------------------------------- the screens */

/** @param {import("./phase.js").PhaseEvent} event */
function step(event) {
  const before = phase;
  phase = advance(phase, event);
  draw(phase, say);
  if (phase.screen !== before.screen) reveal(phase.screen);
  if (word(phase.truth) !== word(before.truth)) report();
  void load(phase.screen === "asking" ? "trouble" : phase.screen);
  if (phase.screen !== "invite" && phase.screen !== "ended") void load("again");
  for (const part of parts) part.drawn?.(phase);
}

/** @param {string} screen whose part is to be there */
async function load(screen) {
  const make = LATER[screen];
  if (!make || loaded.has(screen)) return;
  loaded.add(screen);
  try {
    await first.over;
    const part = await make();
    parts.push(part);
    part.drawn?.(phase);
  } catch {
    // It does not parse: the screen does without.
  }
}

/** @param {string} key @returns {string} */
function say(key) {
  return words.say(key);
}

/* ---------------------------------------------------------------- the tap and the permission */

/** The browser wants the camera asked in the gesture: the server is told of the tap meanwhile. */
function tap() {
  if (phase.screen === "asking") return;
  step({ type: "tap" });
  waits = clearTimeout(waits);
  wait();
  void camera.ask();
  if (!tapped) telling = tellTap();
  // The connection comes up while the permission is asked: it carries nothing before the answer.
  peers.connectAll();
}

async function tellTap() {
  const response = await send("tap").catch(() => null);
  if (response?.ok) {
    tapped = true;
    keep();
    if (phase.screen !== "ended") socket.start();
    return;
  }
  // The caller tapped again, and that one came through.
  if (tapped) return;
  const code = (await response?.json().catch(() => null))?.error?.code ?? "";
  const why = refused(response?.status ?? 0, code);
  camera.stop();
  step({ type: "stopped" });
  if (why === "cookies") barredByCookies();
  else if (why === "network") step({ type: "trouble", why });
  else finish(why);
}

function wait() {
  waits ||= setTimeout(step, UNREACHED, { type: "socket", path: "none" });
}

/** Without cookies the server cannot know this browser again: said before the tap where it is known, and to the desk. */
function barredByCookies() {
  step({ type: "trouble", why: barred || "cookies" });
  void send("cannot", { why: barred || "cookies" }).catch(() => null);
}

/** @param {"open" | "tap" | "release" | "cannot"} what @param {object} [said] @returns {Promise<Response>} */
function send(what, said = {}) {
  return fetch(`/v/${encodeURIComponent(BOOT.token)}/${what}`, {
    method: "POST",
    keepalive: true,
    credentials: "same-origin",
    headers: { "X-Xsrftoken": meta("xsrf"), Accept: "application/json" },
    body: JSON.stringify(said),
  });
}

/** @param {import("./truth.js").Track} track */
function granted(track) {
  if (!phase.truth.granted) tell("granted");
  step({ type: "granted", track });
  awake.keep();
  peers.connectAll();
}

/** The connections of a camera that was on wait for it.
 * @param {string} why @param {boolean} instant */
function stuck(why, instant) {
  if (!phase.truth.granted) {
    peers.closeAll();
    if (phase.screen !== "trouble" || phase.trouble !== why) tell(why);
  }
  step({ type: "trouble", why, instant });
}

/** What the desks are told of the camera. */
function report() {
  const camera = word(phase.truth);
  if (camera) socket.offer({ type: "media.report", camera });
}

/** Another browser is to go on with this link: it must find neither the link nor the camera taken by this one. */
async function release() {
  await telling;
  if (phase.screen !== "trouble" || (!tapped && !wasTapped())) return;
  tapped = false;
  forget();
  camera.stop();
  peers.closeAll();
  step({ type: "stopped" });
  void send("release").catch(() => null);
  socket.stop();
}

/** @param {string} state */
function tell(state) {
  socket.forget((message) => message.type === "camera");
  socket.send({ type: "camera", state });
}

/* ---------------------------------------------------------------- socket and connections */

/** @param {import("../lib/socket.js").SocketState} state @param {number} code @param {string} reason */
function connection(state, code, reason) {
  if (state !== "open") {
    step({ type: "socket" });
    wait();
  }
  if (state === "open") {
    socket.offer({ type: "visibility", hidden: document.hidden });
    void first.over.then(tellNetwork);
    if (phase.truth.granted) {
      tell("granted");
      socket.offer({ type: "facing", facing: camera.facing });
      report();
    }
  }
  if (state === "stopped" && code >= 4400) finish(refused(code - 4000, reason || refusal));
}

/** @param {Message} message */
function receive(message) {
  switch (message.type) {
    case "welcome":
      welcome(message);
      break;
    case "watch":
      peers.watched(message.peer);
      break;
    case "unwatch":
      peers.unwatched(message.peer);
      step({ type: "shown", peer: message.peer, on: false });
      break;
    case "shown":
      step({ type: "shown", peer: message.peer, on: message.on === true });
      break;
    case "signal.answer":
      peers.answer(message);
      break;
    case "signal.candidate":
      peers.candidate(message);
      break;
    case "signal.restart":
      peers.restart(message.peer);
      break;
    case "webcam":
      doctor.show(message.peer, message.on === true);
      break;
    case "ice":
      served(message.ice);
      break;
    case "ended":
      finish(ending(message.by, message.reason));
      break;
    case "error":
      refusal = String(message.code ?? "");
      break;
    default:
      break;
  }
  for (const part of parts) part.heard?.(message);
}

/** @param {Message} message */
function welcome(message) {
  if (message.state === "ended") {
    finish("");
    return;
  }
  const known = message.watchers ?? [];
  waits = clearTimeout(waits);
  step({ type: "socket", open: true, path: socket.wire?.polled ? "requests" : "" });
  served(message.ice);
  step({ type: "showing", peers: message.shown ?? null, known });
  peers.welcome(network.prepared(ice), known);
}

/** @param {any} servers */
function served(servers) {
  ice = servers ?? [];
  peers.configure(network.prepared(ice));
}

function tellNetwork() {
  if (network.found) socket.offer({ type: "network", ...network.found, socket: socket.took });
}

/* ---------------------------------------------------------------- the end */

/** Everything off: camera, connections, wake lock, socket.
 * @param {string} why "" for a plain end @param {number} [wait] milliseconds that the socket is kept for a last word */
function finish(why, wait = 0) {
  camera.release();
  peers.closeAll();
  awake.release();
  step({ type: "ended", why });
  forget();
  if (wait) setTimeout(() => socket.stop(), wait);
  else socket.stop();
}

function leave() {
  socket.send({ type: "leave" });
  // Else the word is kept for the next connection.
  finish("over_you", socket.state === "open" ? 0 : LAST_WORD);
}

function keep() {
  try {
    sessionStorage.setItem(TAPPED, "1");
  } catch {
    // Only the words of the button depend on it.
  }
}

/** Nothing stays on the phone. */
function forget() {
  try {
    sessionStorage.clear();
  } catch {
    // Then nothing was kept either.
  }
}

function wasTapped() {
  try {
    return BOOT.bound === true || sessionStorage.getItem(TAPPED) === "1";
  } catch {
    return BOOT.bound === true;
  }
}

/** The page was closed, killed or loaded again in mid-video: it goes on by itself where the browser asks nothing. */
async function resume() {
  if (!wasTapped()) return;
  write(get("tap-text", HTMLElement), say("resume"));
  if (!(await allowed())) return;
  await inFront();
  if (phase.screen === "invite") tap();
}

/** A page that somebody looks at says so, once; a preview or a scanner never does. */
function open() {
  if (opened || document.visibilityState !== "visible" || /** @type {any} */ (document).prerendering) return;
  opened = true;
  void send("open", { language: words.language, chosen: words.chosen, camera: barred }).then(
    async (response) => {
      if (response.status >= 500) opened = false;
      const said = await response.json().catch(() => ({}));
      if (response.ok) expect(said);
      else if (["invite", "trouble"].includes(phase.screen) && refused(response.status, said.error?.code ?? "") === "cookies") barredByCookies();
    },
    () => {
      opened = false;
    },
  );
  socket.warm();
}

/** Who waits for the picture, and by which servers: the offers are prepared while the tap is being written down.
 * @param {{ice?: any, watchers?: string[]}} early */
function expect(early) {
  if (!early.ice || phase.screen === "ended") return;
  if (socket.state === "stopped") {
    ice = early.ice;
    peers.expect(ice, early.watchers ?? []);
  }
  void network.explore(early.ice);
}

get("tap", HTMLElement).addEventListener("click", (event) => {
  event.preventDefault(); // without a script it is the button of a form
  tap();
});
get("retry", HTMLElement).addEventListener("click", () => (trouble ? trouble.again() : tap()));
get("leave", HTMLElement).addEventListener("click", leave);
document.addEventListener("prerenderingchange", open);
document.addEventListener("visibilitychange", () => {
  open();
  if (phase.screen === "ended" || phase.screen === "invite") return;
  socket.offer({ type: "visibility", hidden: document.hidden });
  if (document.hidden) return;
  socket.nudge();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
addEventListener("pagehide", () => {
  socket.offer({ type: "visibility", hidden: true });
});

document.body.dataset.prompt = prompt(navigator.userAgent);
if (barred && !wasTapped()) step({ type: "trouble", why: barred });
else document.body.dataset.phase = "invite";
document.body.dataset.ready = "true";
open();
void resume();
// Touched before it was ready (guard.js).
if (document.documentElement.dataset.kept && phase.screen === "invite") void inFront().then(tap);
