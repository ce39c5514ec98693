/**
 * Page B: waits, invites, shows the patient. It holds what is known, which watching/session.js works out, and wires the
 * socket to the parts of the page (the folders beside it), each of which is given what it needs.
 */
import { boot, get, write } from "../lib/dom.js";
import { Refused, Socket, address, mint } from "../lib/socket.js";
import { connects } from "../rtc/peer.js";
import { drawBeat } from "../watching/beat.js";
import { PatientPicture } from "../watching/patient_picture.js";
import { START, gone, leftOut, next, reach, shown, wanted } from "../watching/session.js";
import { Proposal } from "./calls/launch.js";
import { drawCalls, drawSessions } from "./calls/lists.js";
import { Pick } from "./calls/pick.js";
import { Recent } from "./calls/recent.js";
import { tick } from "./clock.js";
import { doubled } from "./gestures.js";
import { DeskHelp } from "./help/help.js";
import { DraftKeeper } from "./invite/draft.js";
import { InviteForm } from "./invite/form.js";
import { Resend } from "./invite/resend.js";
import { SpokenCode } from "./invite/spoken.js";
import { chosenAfter, keepStation, keptStation, remember, remembered } from "./kept.js";
import { keys } from "./keys.js";
import { Notice, sentence } from "./notice.js";
import { ReadyPhones } from "./phones/ready.js";
import { SecondPhone } from "./phones/second.js";
import { Graph } from "./picture/graph.js";
import { drawStage, toggleFullscreen } from "./picture/stage.js";
import { DeskStill } from "./picture/still.js";
import { Webcam } from "./picture/webcam.js";
import { HandOver } from "./session/handover.js";
import { CallerLanguage } from "./session/language.js";
import { Observers } from "./session/observers.js";
import { Report } from "./session/report.js";
import { SayBox } from "./session/say_box.js";
import { drawSession } from "./session/steps.js";
import { checkSignIn, followSignIn, tellPicture } from "./sign_in.js";
import { StationMenu } from "./station/menu.js";
import { SeatBox, pushedText } from "./station/seat.js";
import { Alerts } from "./status/alerts.js";
import { ServerLine } from "./status/server.js";
import { themeKeys } from "./theme.js";
import { LINE } from "./words.js";

/** @typedef {import("../watching/session.js").View} View */
/** @typedef {import("../lib/socket.js").Message} Message */

const BOOT = boot();
const PEER = mint();
/** Refusals of something nobody asked for that a person should read; the others are for the console. */
const TOLD = /unavailable|too_many|flood|forbidden|webcam/;
const BLIND = "Ce navigateur ne peut pas montrer la vidéo : ouvrez cette page dans Chrome, Firefox ou Safari. Les invitations, les images fixes et les photos restent possibles.";
/** In the place of « Je vous vois ». */
const BLACK = "L’image reçue est noire : faites découvrir la caméra, ou éclairer le lieu.";
/** Milliseconds before something is asked for again that was refused for a moment. */
const AGAIN = 2_000;

/** @type {View} */
let view = { ...START, watch: remembered() };
/** @type {string | null} */
let launch = BOOT.launch ?? null;
/** Said with the next hello: another person's seat is taken on purpose. */
let seizing = false;
/** Said with the next hello: what the launch proposes is wanted. */
let accept = false;
/** Whether the server took this connection's hello. */
let greeted = false;
/** When a session came up by itself in the place of another: what was meant for that one must not hit it. */
let cameUp = -Infinity;
/** The server closed this desk's socket because its sign-in is over, or was renewed by another window. */
let signedOut = false;
/** The order to end the video is under way. */
let quitting = false;
/** Milliseconds during which the end of a gesture may still be meant for the session shown before. */
const SAME_GESTURE = 1_000;

const end = get("end", HTMLButtonElement);

const socket = new Socket({
  url: address(BOOT.socket ?? "/ws/desk"),
  hello,
  onMessage: receive,
  onBytes: (data) => still.take(data),
  onState: connection,
  fatal: [4401, 4403, 4409],
});
/** What the parts of the page may know and ask. */
const page = {
  view: () => view,
  /** @param {Message} message */
  command: (message) => socket.command(message),
  /** @param {Message} message */
  send: (message) => socket.send(message),
  /** @param {Message} message */
  offer: (message) => socket.offer(message),
  changed: render,
  invited,
  take: open,
  /** @param {string} text @param {string} [verb] @param {() => void} [act] */
  notify: (text, verb, act) => notice.show(text, verb, act),
  /** @param {string} text */
  withdraw: (text) => notice.withdraw(text),
};
const notice = new Notice();
const server = new ServerLine({ retry: () => socket.nudge(), refused: checkSignIn, changed: render });
// Read before the first call of the shift, not when the patient is there.
if (!connects()) server.lacks(BLIND);
const picture = new PatientPicture(get("patient", HTMLVideoElement), {
  ...page,
  onBeat: (facts, state, age, own) => drawBeat(Boolean(view.watch), facts, state, age, own),
});
const webcam = new Webcam({ ...page, show: (track) => picture.show(track), notify: (text) => notice.show(text) });
const form = new InviteForm({ ...page, onSent: invited, running });
const pick = new Pick(page);
const seat = new SeatBox({ take: takeSeat, back });
const report = new Report();
/**
 * @typedef {object} Part a part of the page that looks after itself
 * @property {(view: Readonly<View>) => void} [draw] show what is known now
 * @property {(message: Message) => void} [heard] a message of the server, after the view took it in
 * @property {readonly import("./keys.js").Key[]} [keys]
 */
const still = new DeskStill({ ...page, flowing: () => picture.flows });
const graph = new Graph({ ...page, connection: () => picture.connection, own: () => picture.own !== null });
const spoken = new SpokenCode(page);
const ready = new ReadyPhones({ ...page, come, flowing: () => picture.flows });
/** @type {Part[]} */
const parts = [
  report,
  new DeskHelp(page),
  still,
  graph,
  new SayBox(() => graph.weak, () => picture.own?.say ?? (picture.black ? BLACK : null)),
  new StationMenu(page),
  new Proposal({ accept: acceptLaunch, leave: leaveLaunch }),
  new DraftKeeper(),
  new Recent({ ...page, open }),
  new CallerLanguage({ ...page, ask }),
  spoken,
  new Observers(page),
  new HandOver(page),
  new SecondPhone(page, spoken),
  new Resend(page),
  ready,
  themeKeys,
  new Alerts(page),
];

/* ---------------------------------------------------------------- socket */

/** @returns {Message} */
function hello() {
  view = next(view, { type: "page.hello" });
  greeted = false;
  const station = keptStation();
  const chosen = station && chosenAfter(launch) ? { chosen: true } : {};
  const first = { type: "hello", peer: PEER, ...(station ? { station } : {}), ...chosen };
  const meant = { ...(seizing ? { take: true } : {}), ...(accept ? { accept: true } : {}) };
  return { ...first, ...meant, ...(launch ? { launch } : {}), ...(view.watch ? { watch: view.watch } : {}) };
}

/** The hello itself was refused: say it again without what is gone, or a little later as it was. During its own trouble
 * the server goes on trying by itself.
 * @param {string} code @returns {boolean} whether there was something to leave out */
function greetAgain(code) {
  if (greeted) return false;
  const without = leftOut(code, { station: keptStation() !== null, watch: view.watch !== null, launch: launch !== null });
  if (without === "station") keepStation(null);
  if (without === "watch" || without === "all") unwatch();
  if (without === "all") launch = null;
  if (without === null) {
    if (!/unavailable|conflict/.test(code)) setTimeout(() => greeted || socket.renew(), AGAIN);
    return false;
  }
  socket.stop();
  socket.start();
  return true;
}

/** The session watched is not there any more. */
function unwatch() {
  view = next(view, { type: "page.watch", session: null });
  remember(null);
}


/** @param {import("../lib/socket.js").SocketState} state @param {number} code */
function connection(state, code) {
  server.socket(state, view.taken === null ? "" : `poste tenu par ${view.taken}`);
  if (state === "open") {
    if (view.watch && picture.stale) void join(view.watch);
    picture.report();
  }
  signedOut = state === "stopped" && code === 4401;
  if (signedOut) checkSignIn();
  if (state === "stopped" && code === 4409 && view.taken === null) pushedOut({ type: "taken_over" });
  if (state === "stopped" && code === 4403) notice.show("Ce compte n’a pas accès à la visiorégulation.");
  // A desk that was taken over does not take the station back by itself because its network blinked.
  if (state === "waiting" && view.taken !== null) socket.stop();
  render();
}

/** @param {Message} message */
function receive(message) {
  // Ticks come to whoever is there: only an answer to the hello proves that what this page says arrives.
  if (message.type !== "tick") server.heard();
  view = next(view, { ...message, at: Date.now() });
  switch (message.type) {
    case "signal.offer":
      void picture.offered(message);
      break;
    case "signal.candidate":
      picture.candidate(message);
      break;
    case "caller.state":
      if (message.session === view.watch && message.state === "online") webcam.tell();
      break;
    case "taken_over":
      tellPushed(message.at);
      break;
    case "error":
      if (message.code === "station_taken") {
        held(message);
        return;
      }
      if (greetAgain(message.code)) return;
      if (TOLD.test(message.code)) notice.show(message.message || "Le serveur a refusé la demande.");
      else console.warn("visio15: refused", message.code);
      break;
    case "view":
      greeted = true;
      seizing = accept = false;
      seat.close();
      notice.announce(view.server?.launch?.notice ?? "");
      follow();
      break;
    default:
      break;
  }
  picture.heed();
  for (const part of parts) part.heard?.(message);
  render();
}

/** Somebody sits at the station that was asked for. This page's own seat is not fought for, another is asked about.
 * @param {Message} refusal */
function held(refusal) {
  // Nothing is asked for again until somebody has answered: a seat that falls free meanwhile is not taken unseen.
  socket.stop();
  if (view.server?.station?.extension !== refusal.station) {
    seat.ask(refusal);
    return;
  }
  pushedOut({ ...refusal, type: "taken_over", at: refusal.since });
}

/** @param {Message} message who sits here now */
function pushedOut(message) {
  view = next(view, message);
  tellPushed(message.at);
  connection("stopped", 0);
}

/** @param {string | undefined} at */
function tellPushed(at) {
  notice.show(pushedText(view.taken ?? "", at), "Reprendre ce poste", takeSeat);
}

function takeSeat() {
  notice.hide();
  seizing = true;
  greet();
}

/** Stay where this page sat before another station was asked for. */
function back() {
  const here = view.server?.station?.extension;
  if (!here) return false;
  keepStation(here);
  greet();
  return true;
}

/** Say hello again, with what is known now. */
function greet() {
  socket.stop();
  socket.start();
}

/** @param {import("../watching/session.js").Proposed} proposed */
function acceptLaunch({ station }) {
  accept = true;
  if (station) keepStation(station);
  greet();
}

/** Nothing of it is wanted: forget it, also for a reload. */
function leaveLaunch() {
  launch = null;
  history.replaceState(null, "", "/desk");
  view = next(view, { type: "page.proposal" });
  greet();
}

/** @param {Message} message @returns {Promise<any>} undefined when refused: the reason is shown */
async function ask(message) {
  try {
    return await socket.command(message);
  } catch (error) {
    notice.show(sentence(error));
    return undefined;
  }
}

/* ---------------------------------------------------------------- which session */

/** Keep up with what the server says of the session shown, and take the newest when there is none. */
function follow() {
  if (!view.watch) leave();
  const session = wanted(view);
  if (session) come(session);
}

/** Show a session that nobody asked for.
 * @param {string} session */
function come(session) {
  if (shown(view)) cameUp = performance.now();
  take(session);
}

/** @param {string} session */
function take(session) {
  if (view.watch === session) return;
  leave();
  view = next(view, { type: "page.watch", session });
  remember(session);
  void join(session);
}

/** The picture is over: release everything, wait for the next. */
function leave() {
  picture.leave();
  webcam.dim();
  remember(view.watch);
}

/** Ask for the picture of a session; the answer brings the ICE servers. Asked again unless the session is gone.
 * @param {string} session */
async function join(session) {
  const result = await socket.command({ type: "session.watch", session }).catch((error) => {
    if (!(error instanceof Refused) || view.watch !== session) return null;
    if (gone(error.code)) {
      unwatch();
      render();
    } else setTimeout(() => view.watch === session && void join(session), AGAIN);
    return null;
  });
  if (result && view.watch === session) picture.serve(session, result.ice);
}

/** @param {string} session that was just made */
function invited(session) {
  view = next(view, { type: "page.invited" });
  // A picture that is seen, or a phone that is there, is never taken away by an invitation.
  if (occupied()) notice.show("Invitation enregistrée : la nouvelle session est dans « Dernières sessions ».");
  else take(session);
}

/** The session shown has a picture, or a phone that is about to bring one. */
function occupied() {
  const open = view.watch ? shown(view) : null;
  return Boolean(open && (picture.flows || reach(open) > 0));
}

/** An invitation was refused because this session runs: it is shown where nothing else is to be seen.
 * @param {string} session */
function running(session) {
  if (!occupied() && view.server?.sessions.some((one) => one.id === session)) take(session);
}

/** A session of the list was chosen: watched while it lives, looked at once it is over.
 * @param {string} session */
function open(session) {
  if (view.taken !== null) return; // read only: nothing more is asked for, and the way back stays in sight
  ready.known();
  const now = view.server?.sessions.find((one) => one.id === session);
  if (now && now.state !== "ended") take(session);
  else if (!view.watch) view = next(view, { type: "page.look", session });
  else notice.show("Quittez d’abord la session affichée pour revoir une session terminée.");
  render();
}

function quit() {
  if (!view.watch || end.disabled || quitting || performance.now() - cameUp < SAME_GESTURE) return;
  quitting = true;
  void ask({ type: "session.end", session: view.watch }).then((result) => {
    quitting = false;
    if (result?.ended === false) {
      notice.show("Vous avez quitté la vidéo. Elle reste ouverte au poste qui a l’appel.");
      view = next(view, { type: "page.watch", session: null });
      leave();
    }
    render();
  });
}

/** The one thing that helps against this browser's own trouble with the picture. */
function help() {
  switch (picture.own?.act) {
    case "play":
      picture.play();
      break;
    case "stills":
      still.ask();
      break;
    case "reload":
      location.reload();
      break;
    default:
      break;
  }
}

function fullscreen() {
  if (!get("fullscreen", HTMLButtonElement).disabled || document.fullscreenElement) toggleFullscreen((text) => notice.show(text));
}

/* ---------------------------------------------------------------- document */

function render() {
  tellPicture(picture.flows);
  // Before the first view too: an invitation that waits for the server says so.
  form.draw(view, socket.state === "open");
  if (!view.server) return;
  const { state } = view.server.line15;
  get("line15", HTMLElement).dataset.state = state;
  write(get("line15-text", HTMLElement), LINE[state]);
  drawCalls(view);
  drawSessions(view, open);
  drawSession(shown(view), view.taken !== null, (verb, invitation) => ask({ type: `invitation.${verb}`, invitation }));
  drawStage(view, { pictured: picture.shows || picture.own !== null, face: webcam.on, server: server.words });
  pick.draw();
  for (const part of parts) part.draw?.(view);
  beat();
}

/** The form may be under the sheet: whoever goes there has done with the choice. */
function toForm() {
  pick.close();
  form.focus();
}

/** The server's clock is the one that counts. */
function beat() {
  tick(Date.now() + view.offset);
}

end.addEventListener("click", (event) => {
  if (!doubled(event)) quit();
});
get("fullscreen", HTMLElement).addEventListener("click", fullscreen);
get("overlay-act", HTMLElement).addEventListener("click", help);
get("change-call", HTMLElement).addEventListener("click", () => pick.open());
keys([
  { code: "KeyM", shown: "M", does: "Aller au champ Mobile", act: () => toForm() },
  { code: "KeyL", shown: "L", does: "Changer d’appel", act: () => pick.open() },
  { code: "KeyW", shown: "W", does: "Ma caméra, allumée ou éteinte", act: () => void webcam.toggle() },
  { code: "KeyP", shown: "P", does: "Plein écran", act: fullscreen },
  { code: "KeyQ", shown: "Q", does: "Ce que propose l’image quand ce navigateur la retient", act: help },
  { code: "KeyX", shown: "X", does: "Quitter la vidéo", act: quit },
  ...parts.flatMap((part) => part.keys ?? []),
]);
followSignIn({
  ended: () => {
    if (view.taken === null) socket.stop();
    signedOut = true;
  },
  // The socket was signed in by the former cookie: another one says hello, and the picture does not notice.
  holds: (renewed) => {
    if (view.taken === null && (renewed || signedOut)) greet();
  },
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) socket.nudge();
});
addEventListener("online", () => socket.nudge());
addEventListener("pagehide", () => picture.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
setInterval(beat, 1000);

const shared = /** @type {any} */ (globalThis);
shared.__visio15 ??= {};
shared.__visio15.peer = PEER;
shared.__visio15.quality = () => graph.summary;
shared.__visio15.context = () => ({
  ...(shown(view) ? { session: shown(view)?.id, call: shown(view)?.link.call ?? "" } : {}),
  station: view.server?.station?.extension ?? "",
  socket_state: socket.state,
  ...report.context(),
});

socket.start();
