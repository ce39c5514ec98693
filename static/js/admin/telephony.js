/** How line 15 fares, for the administrator: asked again every five seconds. */
import { boot, el, get, icon, write } from "../lib/dom.js";
import { local } from "../lib/times.js";

const EVERY = 5000;
/** Feeds that are told by whom: the others only listen. */
const ANSWER = ["ami", "esl", "dialog-info"];
const KINDS = /** @type {Record<string, string>} */ ({
  hep: "capture SIP (HEP)",
  ami: "Asterisk (AMI)",
  esl: "FreeSWITCH (ESL)",
  pyvoip: "poste d’écoute",
  webhook: "événements signés",
  replay: "relecture d’enregistrements",
});
const LEVELS = /** @type {Record<string, [string, string]>} */ ({
  ok: ["circle-check", "Ligne 15 : tout va bien"],
  watch: ["triangle-alert", "Ligne 15 : à surveiller"],
  bad: ["phone-off", "Ligne 15 : une source est coupée"],
});
/** What each feed said last: what has not changed is not written again.
 * @type {Map<string, string>} */
const written = new Map();

/** @param {string | null} iso @param {string} [none] */
const clock = (iso, none = "jamais") => (iso ? local(iso, Date.now() - Date.parse(iso) > 20 * 3600_000 ? "full" : "time") : none);
/** @param {number} value */
const count = (value) => value.toLocaleString("fr-FR");
/** @param {number | null} lag */
const seconds = (lag) => (lag === null ? "non mesuré" : `${lag.toLocaleString("fr-FR", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s`);

/** @param {[string, string, boolean?][]} pairs @returns {HTMLElement[]} */
const facts = (pairs) => pairs.map(([name, value, wrong]) => el("div", { class: wrong ? "wrong" : null }, el("dt", {}, name), el("dd", {}, value)));
/** @param {string[]} sentences @returns {HTMLElement[]} */
const problems = (sentences) => sentences.map((sentence) => el("p", { class: "problem" }, icon("triangle-alert"), el("span", {}, sentence)));

/** @param {any} feed @returns {HTMLElement} */
function card(feed) {
  const late = feed.lag !== null && (feed.lag > 5 || feed.lag < -2);
  const [sign] = LEVELS[feed.level] ?? ["circle"];
  const node = el("article", { class: "feed", "data-feed": feed.name, "data-level": feed.level },
    el("h3", {}, icon(sign), el("strong", {}, feed.name), el("span", { class: "muted" }, KINDS[feed.kind] ?? feed.kind), el("span", { class: "tag" }, `${feed.words} depuis ${clock(feed.since)}`)),
    el("dl", { class: "facts" }, ...facts([
      ["Commutateur", [feed.switchboard || (ANSWER.includes(feed.kind) ? "ne l’a pas dit" : "sans objet"), feed.remark].filter(Boolean).join(" : ")],
      ["Dernier message", clock(feed.last_message)],
      ["Reçus", count(feed.received)],
      ["Par minute", count(feed.per_minute)],
      ["Retard (avec horloges)", seconds(feed.lag), late],
      ["Dernière resynchronisation", clock(feed.resynced, "sans objet")],
      ["Perdus", count(feed.dropped + feed.overflow), feed.dropped + feed.overflow > 0],
      ["Relances", count(feed.restarts), feed.restarts > 0],
    ])),
    ...problems(feed.advice));
  if (feed.refused.length) {
    const rows = feed.refused.map((/** @type {any} */ one) => el("tr", {}, el("td", { class: "figure" }, count(one.count)), el("td", {}, one.words), el("td", {}, el("code", {}, one.reason))));
    node.append(el("table", { class: "list" }, el("caption", {}, "Messages écartés"),
      el("thead", {}, el("tr", {}, ...["Nombre", "Pourquoi", "Code"].map((name) => el("th", { scope: "col", class: name === "Nombre" ? "figure" : null }, name)))),
      el("tbody", {}, ...rows)));
    if (feed.sample) node.append(el("p", { class: "small muted sample" }, "Dernier écarté, sans identifiant : ", el("code", {}, feed.sample)));
  }
  return node;
}

/** Put new children only where the facts are new: what is being read or selected stays.
 * @param {string} id @param {unknown} value @param {() => Node[]} make */
function keep(id, value, make) {
  const text = JSON.stringify(value);
  if (written.get(id) === text) return;
  written.set(id, text);
  get(id, HTMLElement).replaceChildren(...make());
}

/** @param {any} health */
function show(health) {
  const [sign, words] = LEVELS[health.level] ?? ["circle", ""];
  const said = health.feeds.length ? words : "Ligne 15 : aucune source raccordée";
  write(get("at", HTMLElement), local(health.at, "time"));
  get("line", HTMLElement).dataset.level = health.level;
  keep("line", said, () => [icon(sign), el("strong", {}, said)]);
  const lost = health.overflow + health.dropped + health.failures;
  keep("calls", [health.live, health.uncertain, health.contradictions.length, health.queued, lost], () => facts([
    ["Appels en cours", count(health.live)],
    ["Non confirmés", count(health.uncertain), health.uncertain > 0],
    ["Contradictions", count(health.contradictions.length), health.contradictions.length > 0],
    ["En attente d’enregistrement", count(health.queued), health.queued > 100],
    ["Perdus avant lecture", count(health.dropped), health.dropped > 0],
    ["Perdus, file pleine", count(health.overflow), health.overflow > 0],
    ["Enregistrements recommencés", count(health.failures), health.failures > 0],
  ]));
  keep("line-advice", health.advice, () => problems(health.advice));
  keep("feeds", health.feeds, () => (health.feeds.length ? health.feeds.map(card) : [el("p", { class: "muted" }, "Aucune source.")]));
  const disputes = get("disputes", HTMLElement);
  disputes.toggleAttribute("hidden", !health.contradictions.length);
  disputes.querySelector("tbody")?.replaceChildren(...health.contradictions.map((/** @type {any} */ one) =>
    el("tr", {}, el("td", {}, clock(one.began)), el("td", {}, el("code", {}, one.call)), el("td", {}, one.why.replace(" contradict each other", "").replace(" and ", " et ")))));
}

/** @param {string} sentence what keeps the page from being true, or nothing */
function stale(sentence) {
  write(get("stale-text", HTMLElement), sentence);
  get("stale", HTMLElement).toggleAttribute("hidden", !sentence);
}

async function again() {
  try {
    const answer = await fetch("/api/v1/telephony/health", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(EVERY) });
    if (answer.status === 401 || answer.status === 403) {
      stale("Vous n’êtes plus connecté : rechargez la page.");
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    stale("");
  } catch {
    stale("Le serveur ne répond pas : ces valeurs sont anciennes.");
  }
  setTimeout(again, EVERY);
}

show(boot());
setTimeout(again, EVERY);
