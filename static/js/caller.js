/**
 * The caller's page: one tap, one permission, done. The screens are decided in phase.js; this wires the
 * camera, the socket and one connection for each desk that watches.
 */
import { Camera, countable, impossible } from "./camera.js";
import { boot, get, meta, write } from "./dom.js";
import { PhonePeer } from "./peer.js";
import { FIRST, advance, prompt, refused, sentence, trouble } from "./phase.js";
import { Link, address, mint } from "./socket.js";

/** @typedef {import("./socket.js").Message} Message */

const BOOT = boot();
const PAGE = mint();
/** Milliseconds before words are added to the permission screen, and before it is given up. */
const SLOW = 5_000;
const GIVE_UP = 20_000;
const TAPPED = `visio15.tapped.${String(BOOT.token).slice(0, 6)}`;

const own = get("self", HTMLVideoElement);
const doctor = get("doctor", HTMLVideoElement);

/** @type {import("./phase.js").Phase} */
let phase = { ...FIRST };
/** @type {Map<string, PhonePeer>} */
const peers = new Map();
/** @type {Map<string, MediaStream>} */
const faces = new Map();
/** Desks whose own picture is on. @type {Set<string>} */
const showing = new Set();
/** @type {Set<string>} */
const watchers = new Set();
/** @type {Message[]} */
let earlies = [];
/** @type {any} */
let ice = [];
/** @type {WakeLockSentinel | null} */
let awake = null;
let asking = 0;
/** Code of the last refusal: a close that follows has the same cause. */
let refusal = "";
let tapped = false;

const camera = new Camera({ onTrack: pictured, onMute: muted, onLost: lost });
const link = new Link({
  url: address("/ws/caller"),
  hello: () => ({ type: "hello", token: BOOT.token, page: PAGE, language: navigator.language }),
  onMessage: receive,
  onState: connection,
  fatal: [4401, 4403, 4404, 4409],
});

/** @param {import("./phase.js").PhaseEvent} event */
function step(event) {
  const before = phase.screen;
  phase = advance(phase, event);
  const { screen } = phase;
  document.body.dataset.phase = screen;
  if (screen === "live") write(get("message", HTMLElement), say(sentence(phase)));
  get("message", HTMLElement).dataset.state = sentence(phase);
  if (screen === "trouble") {
    write(get("trouble-title", HTMLElement), say(`${phase.trouble}_title`));
    write(get("trouble-text", HTMLElement), say(phase.trouble));
  }
  if (screen === "ended" && phase.trouble) {
    write(get("ended-title", HTMLElement), say(`${phase.trouble}_title`));
    write(get("ended-text", HTMLElement), say(phase.trouble));
  }
  if (screen !== before) document.querySelector(`[data-for="${screen}"]`)?.scrollIntoView?.({ block: "start" });
}

/** @param {string} key @returns {string} */
function say(key) {
  return BOOT.strings?.[key] ?? "";
}

/* ---------------------------------------------------------------- the tap and the permission */

/** The browser wants the camera asked in the gesture: the server is told of the tap meanwhile. */
function tap() {
  if (phase.screen === "asking") return;
  step({ type: "tap" });
  void askCamera();
  if (!tapped) void tellTap();
  // The connection comes up while the permission is asked: it carries nothing before the answer.
  for (const peer of watchers) connect(peer);
}

async function askCamera() {
  asking += 1;
  const mine = asking;
  const no = impossible();
  if (no) {
    stuck(no);
    return;
  }
  tell("asking");
  write(get("asking-text", HTMLElement), get("asking-text", HTMLElement).dataset.text ?? "");
  const slow = setTimeout(() => write(get("asking-text", HTMLElement), say("slow")), SLOW);
  const late = setTimeout(() => {
    if (mine !== asking || phase.screen !== "asking") return;
    // The question may still be there: an answer that comes later is taken.
    tell("timeout");
    step({ type: "trouble", why: "timeout" });
  }, GIVE_UP);
  try {
    await camera.start();
    if (phase.screen === "ended") camera.stop();
    else granted();
  } catch (error) {
    const { name = "", message = "" } = error instanceof Error ? error : {};
    if (mine === asking && name !== "AbortError") stuck(trouble(name, message));
    else if (mine === asking && phase.screen === "asking") stuck("busy");
  } finally {
    clearTimeout(slow);
    clearTimeout(late);
  }
}

async function tellTap() {
  const response = await send("tap").catch(() => null);
  if (response?.ok) {
    tapped = true;
    keep();
    if (phase.screen !== "ended") link.start();
    return;
  }
  const code = (await response?.json().catch(() => null))?.error?.code ?? "";
  const why = refused(response?.status ?? 0, code);
  asking += 1;
  camera.stop();
  if (why === "network") step({ type: "trouble", why });
  else finish(why);
}

/** @param {"open" | "tap"} what @returns {Promise<Response>} */
function send(what) {
  return fetch(`/v/${encodeURIComponent(BOOT.token)}/${what}`, {
    method: "POST",
    keepalive: true,
    credentials: "same-origin",
    headers: { "X-Xsrftoken": meta("xsrf"), Accept: "application/json" },
  });
}

function granted() {
  tell("granted");
  step({ type: "granted" });
  void stayAwake();
  void countable().then((cameras) => {
    get("switch", HTMLElement).hidden = cameras.length === 1;
  });
  for (const peer of watchers) connect(peer);
}

/** @param {string} why */
function stuck(why) {
  camera.stop();
  closeAll();
  tell(why);
  step({ type: "trouble", why });
}

/** @param {string} state */
function tell(state) {
  link.forget((message) => message.type === "camera");
  link.send({ type: "camera", state });
}

/** @param {MediaStreamTrack} track */
function pictured(track) {
  own.srcObject = camera.stream;
  own.classList.toggle("mirror", camera.facing === "user");
  void own.play().catch(() => undefined);
  for (const peer of peers.values()) void peer.show(track);
}

/** @param {boolean} now */
function muted(now) {
  step({ type: "muted", muted: now });
  link.offer({ type: "media.report", state: now ? "muted" : "unmuted" });
}

/** Another app took the camera, or the system did: ask for it again as soon as the page is in front. */
function lost() {
  muted(true);
  void recover();
}

async function recover() {
  if (phase.screen !== "live" || document.hidden || camera.switching) return;
  if (camera.works && !camera.track?.muted) return;
  await camera.start().then(() => muted(false), () => undefined);
}

const HANGS = 2_000;
let frames = "";
let moved = 0;

/** Frames must leave the camera while it is on: some lenses hang, above all around telephone calls. The preview may
 * move while nothing reaches the connection, so the connection's own count is the truth once there is one. */
async function watchFrames() {
  const sent = await Promise.all([...peers.values()].map((peer) => (peer.connected ? peer.taken() : null)));
  const total = own.getVideoPlaybackQuality().totalVideoFrames;
  const counts = sent.filter((count) => count !== null);
  const now = performance.now();
  const key = counts.length > 0 ? `sent ${counts.join()}` : `own ${total}`;
  const idle = phase.screen !== "live" || document.hidden || !camera.works || camera.switching || camera.track?.muted;
  if (idle || key !== frames) {
    frames = key;
    moved = now;
  } else if (now - moved > HANGS) {
    moved = now;
    void camera.revive();
  }
}

/* ---------------------------------------------------------------- socket and connections */

/** @param {import("./socket.js").LinkState} state @param {number} code @param {string} reason */
function connection(state, code, reason) {
  step({ type: "socket", open: state === "open" });
  if (state === "open") {
    link.offer({ type: "visibility", hidden: document.hidden });
    if (phase.camera) {
      tell("granted");
      link.offer({ type: "facing", facing: camera.facing });
      if (phase.muted) link.offer({ type: "media.report", state: "muted" });
    }
  }
  if (state === "stopped" && code >= 4400) finish(refused(code - 4000, reason || refusal));
}

/** @param {Message} message */
function receive(message) {
  const peer = peers.get(message.peer);
  switch (message.type) {
    case "welcome":
      welcome(message);
      break;
    case "watch":
      watched(message.peer);
      break;
    case "unwatch":
      unwatched(message.peer);
      break;
    case "signal.answer":
      void peer?.answer(message.sdp);
      break;
    case "signal.candidate":
      if (peer) void peer.candidate(message.candidate ?? null);
      else earlies.push(message);
      if (earlies.length > 100) earlies.shift();
      break;
    case "signal.restart":
      if (peer) peer.restart();
      else watched(message.peer);
      break;
    case "webcam":
      face(message.peer, message.on === true);
      break;
    case "ended":
      finish("");
      break;
    case "error":
      refusal = String(message.code ?? "");
      break;
    default:
      break;
  }
}

/** @param {Message} message */
function welcome(message) {
  if (message.state === "ended") {
    finish("");
    return;
  }
  ice = message.ice ?? [];
  for (const peer of peers.values()) peer.configure(ice);
  // A desk that is missing here may only have lost its socket: its picture goes on until it says otherwise.
  watchers.clear();
  for (const peer of message.watchers ?? []) watched(peer);
}

/** @param {string} peer */
function watched(peer) {
  watchers.add(peer);
  if (phase.camera || phase.screen === "asking") connect(peer);
}

/** @param {string} peer */
function unwatched(peer) {
  watchers.delete(peer);
  close(peer);
}

/** A connection for this desk, unless one is alive; an unanswered offer is said again.
 * @param {string} peer */
function connect(peer) {
  const { track } = camera;
  if (phase.screen === "ended") return;
  const former = peers.get(peer);
  if (former?.alive) {
    former.resend();
    return;
  }
  former?.close();
  const made = new PhonePeer({
    ice,
    track,
    send: (message) => link.send({ ...message, peer }),
    onState: () => changed(peer, made),
    onStream: (stream) => {
      faces.set(peer, stream);
      if (showing.has(peer)) face(peer, true);
    },
    onDead: () => {
      if (peers.get(peer) !== made) return;
      const { reached } = made;
      close(peer);
      // A desk that still answers gets a whole new connection; one that does not is gone until it says "watch".
      if (reached && watchers.has(peer)) connect(peer);
      else watchers.delete(peer);
    },
  });
  peers.set(peer, made);
  for (const early of earlies.filter((message) => message.peer === peer)) void made.candidate(early.candidate ?? null);
  earlies = earlies.filter((message) => message.peer !== peer);
}

/** @param {string} peer @param {PhonePeer} made */
function changed(peer, made) {
  if (peers.get(peer) !== made) return;
  const seen = [...peers.values()].some((one) => one.connected);
  if (seen !== phase.seen) {
    step({ type: "seen", seen });
    link.offer({ type: "media.report", state: seen ? "flowing" : "lost" });
  }
}

/** @param {string} peer */
function close(peer) {
  face(peer, false);
  faces.delete(peer);
  peers.get(peer)?.close();
  peers.delete(peer);
  step({ type: "seen", seen: [...peers.values()].some((one) => one.connected) });
}

function closeAll() {
  for (const peer of [...peers.keys()]) close(peer);
}

/** The doctor shows himself, or no longer.
 * @param {string} peer @param {boolean} on */
function face(peer, on) {
  if (on) showing.add(peer);
  else showing.delete(peer);
  const stream = faces.get(peer);
  if (on && stream) {
    doctor.srcObject = stream;
    doctor.dataset.peer = peer;
    doctor.hidden = false;
    void doctor.play().catch(() => undefined);
  } else if (!on && doctor.dataset.peer === peer) {
    doctor.hidden = true;
    doctor.srcObject = null;
    delete doctor.dataset.peer;
  }
}

/* ---------------------------------------------------------------- the end */

/** Everything off: camera, connections, wake lock, socket.
 * @param {string} why "" for a plain end */
function finish(why) {
  asking += 1;
  camera.stop();
  own.srcObject = null;
  closeAll();
  void awake?.release().catch(() => undefined);
  awake = null;
  step({ type: "ended", why });
  if (link.state !== "stopped") link.stop();
}

function leave() {
  link.send({ type: "leave" });
  const delivered = link.state === "open";
  if (delivered) {
    finish("");
    return;
  }
  // The word is kept for the next connection: the camera is off at once, the socket a little later.
  asking += 1;
  camera.stop();
  own.srcObject = null;
  closeAll();
  step({ type: "ended" });
  setTimeout(() => link.stop(), 30_000);
}

async function turn() {
  const button = get("switch", HTMLButtonElement);
  button.disabled = true;
  const facing = await camera.turn();
  own.classList.toggle("mirror", facing === "user");
  button.disabled = false;
  link.offer({ type: "facing", facing });
}

async function stayAwake() {
  if (awake && !awake.released) return;
  awake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
}

function keep() {
  try {
    sessionStorage.setItem(TAPPED, "1");
  } catch {
    // Only the words of the button depend on it.
  }
}

function wasTapped() {
  try {
    return BOOT.phase === "resume" || sessionStorage.getItem(TAPPED) === "1";
  } catch {
    return BOOT.phase === "resume";
  }
}

/** A page that somebody looks at says so, once; a preview or a scanner never does. */
let opened = false;
function open() {
  if (opened || document.visibilityState !== "visible" || /** @type {any} */ (document).prerendering) return;
  opened = true;
  void send("open").then(
    async (response) => expect(response.ok ? await response.json() : {}),
    () => {
      opened = false;
    },
  );
  link.warm();
}

/** Who waits for the picture, and by which servers: the offers are prepared while the tap is being written down.
 * @param {{ice?: any, watchers?: string[]}} early */
function expect(early) {
  if (!early.ice || link.state !== "stopped" || phase.screen === "ended") return;
  ice = early.ice;
  for (const peer of early.watchers ?? []) watched(peer);
}

setInterval(() => void watchFrames(), 500);
get("tap", HTMLElement).addEventListener("click", tap);
get("retry", HTMLElement).addEventListener("click", tap);
get("switch", HTMLElement).addEventListener("click", () => void turn());
get("leave", HTMLElement).addEventListener("click", leave);
document.addEventListener("prerenderingchange", open);
document.addEventListener("visibilitychange", () => {
  open();
  if (phase.screen === "ended" || phase.screen === "invite") return;
  link.offer({ type: "visibility", hidden: document.hidden });
  if (document.hidden) return;
  link.nudge();
  if (phase.screen === "live") void stayAwake();
  void own.play().catch(() => undefined);
  void recover();
});
addEventListener("online", () => {
  link.nudge();
  for (const peer of peers.values()) peer.restart();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
addEventListener("pagehide", () => {
  link.offer({ type: "visibility", hidden: true });
});

const asked = get("asking-text", HTMLElement);
asked.dataset.text = asked.textContent ?? "";
document.body.dataset.prompt = prompt(navigator.userAgent);
if (wasTapped()) write(get("tap-text", HTMLElement), say("resume"));
document.body.dataset.phase = "invite";
document.body.dataset.ready = "true";
open();
