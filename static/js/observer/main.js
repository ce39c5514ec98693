/** An observer's page: one tap, then the muted picture with its age, who invited and who else sees; nothing else. */
import { boot, get, post, write } from "../lib/dom.js";
import { Socket, address, mint } from "../lib/socket.js";
import { connects } from "../rtc/peer.js";
import { drawBeat } from "../watching/beat.js";
import { SERVER } from "../watching/line.js";
import { PatientPicture } from "../watching/patient_picture.js";
import { drawPeople } from "../watching/people.js";
import { START, next, shown } from "../watching/session.js";
import { absence } from "../watching/words.js";

/** @typedef {import("../lib/socket.js").Message} Message */

const BOOT = boot();
const PAGE = mint();
/** @type {Record<string, string>} */
const OVER = {
  session_ended: "La vidéo est terminée.",
  link_unknown: "Ce lien n’est pas connu : demandez-en un autre au régulateur.",
  observer_removed: "Le régulateur a mis fin à votre accès à cette image.",
  open_elsewhere: "L’image est ouverte dans un autre onglet ou sur un autre appareil.",
  viewers_full: "Trois personnes voient déjà cette image. Prévenez le régulateur, puis réessayez.",
  link_expired: "Ce lien a expiré : demandez-en un autre au régulateur.",
};

const NO_COOKIES = "Ce navigateur bloque les cookies : autorisez-les pour ce site et rechargez la page, ou ouvrez le lien dans un autre navigateur.";

/** @type {import("../watching/session.js").View} */
let view = { ...START };

const socket = new Socket({
  url: address("/ws/observer"),
  hello: () => ({ type: "hello", token: BOOT.token, page: PAGE }),
  onMessage: receive,
  onState: connection,
  onLate: unreached,
  fatal: [4401, 4403, 4404, 4409],
});
const picture = new PatientPicture(get("patient", HTMLVideoElement), {
  view: () => view,
  send: (message) => socket.send(message),
  // An observer says nothing of what he sees: he only asks for the picture again.
  offer: (message) => {
    if (message.type === "signal.restart") socket.offer(message);
  },
  changed: draw,
  onBeat: (facts, state, age, own) => drawBeat(view.watch !== null, facts, state, age, mine(own)),
});

/** An observer has the picture and nothing instead of it.
 * @param {import("../watching/patient_picture.js").Own | null} own @returns {import("../watching/patient_picture.js").Own | null} */
function mine(own) {
  return own && { ...own, also: "", act: own.act === "stills" ? null : own.act };
}

/** @param {Message} message */
function receive(message) {
  view = next(view, message);
  switch (message.type) {
    case "welcome":
      view = { ...view, watch: message.session };
      picture.serve(message.session, message.ice);
      break;
    case "participants":
      seen(message);
      break;
    case "signal.offer":
      void picture.offered(message);
      break;
    case "signal.candidate":
      picture.candidate(message);
      break;
    default:
      break;
  }
  picture.heed();
  draw();
}

/** @param {Message} message */
function seen({ state, hidden, camera, people }) {
  const session = /** @type {any} */ ({ id: view.watch, state, moved: [], invitations: [], steps: [], caller: { online: true, hidden, camera } });
  view = { ...view, hidden, camera, server: /** @type {any} */ ({ sessions: [session] }) };
  drawPeople(get("people", HTMLElement), people ?? [], state === "live", null);
}

/** @param {import("../lib/socket.js").SocketState} state @param {number} code @param {string} reason */
function connection(state, code, reason) {
  const light = get("server-state", HTMLElement);
  light.dataset.state = state;
  // Over: no line is tried for any more, so none is missing.
  light.hidden = state === "stopped";
  write(get("server-text", HTMLElement), SERVER[state === "waiting" ? "lost" : state]);
  if (state === "stopped" && code >= 4400) over(reason);
}

/** Nothing answers: nobody waits for the picture without a word. A picture that flows needs none. */
function unreached() {
  if (picture.shows) return;
  write(get("waiting-title", HTMLElement), "Pas de liaison avec le serveur");
  write(get("waiting-line", HTMLElement), "Ce réseau bloque la liaison, ou le serveur ne répond pas : essayez sans le Wi-Fi, ou prévenez le régulateur.");
}

/** @param {string} reason a stable code */
function over(reason) {
  picture.leave();
  view = { ...START };
  drawPeople(get("people", HTMLElement), [], false, null);
  document.body.dataset.over = reason;
  write(get("waiting-title", HTMLElement), "Pas d’image");
  write(get("waiting-line", HTMLElement), OVER[reason] ?? "Ce lien ne donne plus accès à l’image.");
  get("join", HTMLElement).hidden = reason !== "viewers_full" && reason !== "open_elsewhere";
  draw();
}

function draw() {
  get("waiting", HTMLElement).hidden = picture.shows || picture.own !== null;
  if (view.watch === null) return;
  const session = shown(view);
  const why = absence(session);
  const opens = session === null || ["invited", "opened", "tapped"].includes(session.state);
  write(get("waiting-title", HTMLElement), why?.text ?? (opens ? "En attente de l’image" : "L’image arrive…"));
  write(get("waiting-line", HTMLElement), why?.more ?? (opens ? "Le correspondant n’a pas encore ouvert sa caméra." : ""));
  get("join", HTMLElement).hidden = true;
}

async function join() {
  const button = get("join", HTMLButtonElement);
  button.disabled = true;
  const response = await post(`/o/${encodeURIComponent(BOOT.token)}/join`).catch(() => null);
  button.disabled = false;
  if (response?.ok) {
    delete document.body.dataset.over;
    socket.start();
    return;
  }
  const code = (await response?.json().catch(() => null))?.error?.code ?? "";
  // Only the link's own refusals close it: a server in trouble is asked again.
  if (code in OVER) over(code);
  else write(get("waiting-line", HTMLElement), response?.status === 403 && code ? NO_COOKIES : "Le serveur ne répond pas : réessayez.");
}

if (!connects()) write(get("waiting-line", HTMLElement), "Ce navigateur ne peut pas montrer la vidéo : ouvrez le lien dans Chrome, Firefox ou Safari.");
get("join", HTMLElement).addEventListener("click", () => void join());
get("overlay-act", HTMLElement).addEventListener("click", () => {
  if (picture.own?.act === "play") picture.play();
  else location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) socket.nudge();
});
addEventListener("online", () => socket.nudge());
addEventListener("pagehide", () => picture.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
document.body.dataset.ready = "true";
delete document.body.dataset.phase;
get("cannot", HTMLElement).hidden = true;
if (BOOT.bound) socket.start();
else if (document.documentElement.dataset.kept) void join(); // touched before it was ready (guard.js)
