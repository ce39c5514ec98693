/** One call on its own clock: swim lanes laid out from a record (pure), and drawn (thin). */
import { svg } from "../lib/dom.js";
import { local } from "../lib/times.js";
import { soundEnd } from "./recordings.js";

/** How a bar ends: as told, as deduced, still going on, or nobody knows.
 * @typedef {"told" | "deduced" | "running" | "unknown"} End */
/** @typedef {{from: number, to: number, kind: string, text: string, end: End, label?: string, earlier?: number[]}} Bar */
/** @typedef {{at: number, kind: string, text: string, href?: string, side?: "before" | "after"}} Mark */
/** @typedef {{name: string, kind: string, bars: Bar[], marks: Mark[]}} Lane */
/** @typedef {{lane: number, target: number, at: number, text: string}} Arrow */
/** @typedef {{lanes: Lane[], arrows: Arrow[], from: number, to: number, zero: number}} Plan */

const LEFT = 148;
/** Half a tick's label, and a little: the last one lies on the very end. */
const RIGHT = 40;
const ROW = 36;
const BAR = 20;
const TOP = 40;
/** Width of a letter of a bar's label, generously. */
const LETTER = 7;

const PHASES = /** @type {Record<string, [string, string]>} */ ({
  invited: ["wait", "invitation"],
  opened: ["wait", "lien ouvert"],
  tapped: ["wait", "lien touché"],
  connecting: ["wait", "connexion"],
  live: ["live", "image"],
  interrupted: ["lost", "image interrompue"],
});

/** @type {Record<string, string>} */
const WHY = {
  "in conference": "en conférence",
  "call-back to the same number": "rappel du même numéro",
  "same number again": "même numéro à nouveau",
};

/** @param {string | null | undefined} iso @returns {number} NaN when there is none */
const ms = (iso) => (iso ? Date.parse(iso) : Number.NaN);

/** Everything of a record that has a place in time: who was on the line, its recordings, its videos, its kin.
 * @param {any} record @param {number} [now] how far what still lasts is drawn @returns {Plan} */
export function lay(record, now = Number.NaN) {
  const { call } = record;
  const known = times(record, now);
  const from = Math.min(...known);
  const to = Math.max(...known, from + 1000);
  const over = !call || Boolean(call.ended);
  const seen = { to, over };
  /** @type {Lane[]} */
  const lanes = [];
  if (call) lanes.push(callerLane(call, record.holds ?? [], seen));
  const stations = group(record.stations ?? [], "station");
  for (const [name, stays] of stations) {
    const bars = stays.map((stay) => (stay.state === "ringing" ? bar(stay, "ring", `poste ${name}, sonne`, seen) : bar(stay, "station", `poste ${name}`, seen)));
    lanes.push({ name: `Poste ${name}`, kind: "station", bars, marks: [] });
  }
  for (const [index, sound] of (record.recordings ?? []).entries()) {
    const label = `son${sound.status === "missing" ? ", fichier absent" : ""}${sound.begin_known === false ? ", début inconnu" : ""}`;
    const span = { start: sound.begins, end: soundEnd(sound) };
    lanes.push({ name: `Enregistrement ${index + 1}`, kind: "recording", bars: [{ ...bar(span, "recording", label, seen), label }], marks: [] });
  }
  for (const [index, session] of (record.sessions ?? []).entries()) lanes.push(videoLane(session, index + 1, to));
  for (const kin of record.related ?? []) lanes.push(kinLane(kin, from, to));
  return { lanes, arrows: arrows(record.moves ?? [], lanes), from, to, zero: call ? ms(call.started) : from };
}

/** @param {any} record @param {number} now @returns {number[]} */
function times(record, now) {
  const { call } = record;
  const all = [call?.started, call?.answered, call?.ended];
  for (const span of [...(record.stations ?? []), ...(record.holds ?? [])]) all.push(span.start, span.end);
  for (const sound of record.recordings ?? []) all.push(sound.begins, soundEnd(sound));
  for (const session of record.sessions ?? []) {
    all.push(session.created, session.ended);
    for (const phase of session.phases ?? []) all.push(phase.start, phase.end);
    for (const link of session.links ?? []) all.push(link.at);
  }
  for (const kin of record.related ?? []) all.push(kin.start, kin.end);
  const running = (call && !call.ended) || (record.sessions ?? []).some((/** @type {any} */ one) => !one.ended);
  const known = [...all.map(ms), running ? now : Number.NaN].filter((value) => !Number.isNaN(value));
  return known.length ? known : [0];
}

/** @param {any[]} spans @param {string} key @returns {Map<string, any[]>} */
function group(spans, key) {
  const map = new Map();
  for (const span of spans) map.set(span[key], [...(map.get(span[key]) ?? []), span]);
  return map;
}

/** @param {any} span @param {string} kind @param {string} text @param {{to: number, over: boolean}} seen @returns {Bar} */
function bar(span, kind, text, seen) {
  const end = span.end ? "told" : seen.over ? "unknown" : "running";
  return { from: ms(span.start), to: span.end ? ms(span.end) : seen.to, kind, text, end, earlier: (span.earlier ?? []).map(ms) };
}

/** @param {any} call @param {any[]} holds @param {{to: number, over: boolean}} seen @returns {Lane} */
function callerLane(call, holds, seen) {
  const end = call.ended && !call.end_certain ? "deduced" : "told";
  const [first, label] = call.state === "asserted" ? ["déclaré", "déclaré"] : ["sonne", "sonne"];
  /** @type {Bar[]} */
  const bars = [];
  const rang = bar({ start: call.started, end: call.answered ?? call.ended }, "ring", first, seen);
  bars.push({ ...rang, label, end: call.answered || rang.end !== "told" ? rang.end : end });
  if (call.answered) {
    const talk = bar({ start: call.answered, end: call.ended }, "talk", "en ligne", seen);
    bars.push({ ...talk, label: "en ligne", end: talk.end === "told" ? end : talk.end });
  }
  for (const hold of holds) bars.push({ ...bar({ ...hold, end: hold.end ?? call.ended }, "hold", "en attente", seen) });
  return { name: "Correspondant", kind: "caller", bars, marks: [] };
}

/** @param {any} session @param {number} rank @param {number} to @returns {Lane} */
function videoLane(session, rank, to) {
  /** @type {Bar[]} */
  const bars = (session.phases ?? []).map((/** @type {any} */ phase) => {
    const [kind, text] = PHASES[phase.state] ?? ["wait", phase.state];
    const end = phase.end ?? session.ended;
    return { from: ms(phase.start), to: end ? ms(end) : to, kind, text, label: kind === "lost" ? "" : text, end: end ? "told" : "running" };
  });
  /** @type {Record<string, string>} */
  const sure = { certain: "certain", inferred: "déduit", unlinked: "sans appel" };
  /** @type {Mark[]} */
  const marks = (session.links ?? []).map((/** @type {any} */ link) => ({ at: ms(link.at), kind: "link", text: `lien ${sure[link.certainty] ?? link.certainty}` }));
  if (session.ended) marks.push({ at: ms(session.ended), kind: "stop", text: "vidéo terminée" });
  return { name: `Vidéo ${rank}`, kind: "video", bars, marks };
}

/** A related call: the time both were connected, or where on (or beyond) the clock the other began.
 * @param {any} kin @param {number} from @param {number} to @returns {Lane} */
function kinLane(kin, from, to) {
  const text = WHY[kin.why] ?? kin.why;
  const began = ms(kin.began);
  const at = kin.start ? ms(kin.start) : Math.min(Math.max(began, from), to);
  /** @type {Mark} */
  const mark = { at, kind: "kin", text, href: `/audit/calls/${kin.call}` };
  if (!kin.start && began < from) mark.side = "before";
  if (!kin.start && began > to) mark.side = "after";
  /** @type {Bar[]} */
  const bars = kin.start ? [{ from: at, to: kin.end ? ms(kin.end) : to, kind: "kin", text, end: kin.end ? "told" : "unknown" }] : [];
  return { name: "Appel lié", kind: "kin", bars, marks: [mark] };
}

/** @param {any[]} moves @param {Lane[]} lanes @returns {Arrow[]} */
function arrows(moves, lanes) {
  const place = (/** @type {string} */ station) => lanes.findIndex((lane) => lane.kind === "station" && lane.name === `Poste ${station}`);
  return moves
    .map((move) => ({ at: ms(move.at), lane: place(move.origin), target: place(move.target), text: `transfert vers ${move.target}` }))
    .filter((arrow) => arrow.lane >= 0 && arrow.target >= 0);
}

/** A round step so that a clock has at most this many ticks.
 * @param {number} span milliseconds @param {number} [most] @returns {number} milliseconds */
export function ticking(span, most = 8) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400].map((s) => s * 1000);
  return steps.find((step) => span / step <= most) ?? Math.ceil(span / most / 86_400_000) * 86_400_000;
}

/** Since the call began, as a clock.
 * @param {number} span milliseconds @returns {string} */
export function elapsed(span) {
  const seconds = Math.round(Math.abs(span) / 1000);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const most = hours ? `${hours}:${two(minutes)}` : minutes;
  return `${span < 0 ? "−" : "+"}${most}:${two(seconds % 60)}`;
}

/** @param {number} at @returns {string} */
const stamp = (at) => local(new Date(at).toISOString(), "time");

/** @type {Record<End, string>} */
const ENDS = { told: "", deduced: " (fin déduite)", running: " (en cours)", unknown: " (fin non connue)" };

/** @param {Plan} plan @param {number} width @returns {SVGElement} */
export function draw(plan, width) {
  const height = TOP + plan.lanes.length * ROW + 6;
  const span = plan.to - plan.from;
  /** @param {number} at */
  const x = (at) => LEFT + ((Math.min(Math.max(at, plan.from), plan.to) - plan.from) / span) * (width - LEFT - RIGHT);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-labelledby": "timeline-title", "aria-describedby": "timeline-alt" });
  const hatch = (/** @type {string} */ id) => svg("pattern", { id, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 7, height: 7, class: `${id}-ground` }), svg("rect", { width: 2.5, height: 7, class: `${id}-line` }));
  root.append(svg("defs", {}, hatch("hatch"), hatch("hatch-lost")));
  root.append(clock(plan, x, height, width));
  plan.lanes.forEach((lane, index) => root.append(row(lane, TOP + index * ROW, x, width)));
  for (const arrow of plan.arrows) root.append(arrowed(arrow, plan, x, width));
  return root;
}

/** @param {Plan} plan @param {(at: number) => number} x @param {number} height @param {number} width @returns {SVGElement} */
function clock(plan, x, height, width) {
  const step = ticking(plan.to - plan.from, Math.max(2, Math.floor((width - LEFT) / 110)));
  const all = svg("g", { "aria-hidden": "true" });
  for (let at = plan.zero + Math.ceil((plan.from - plan.zero) / step) * step; at <= plan.to; at += step) {
    const first = at === plan.zero ? " zero" : "";
    all.append(svg("line", { x1: x(at), x2: x(at), y1: TOP - 6, y2: height - 6, class: `grid${first}` }),
      svg("text", { x: x(at), y: 14, class: "tick", "text-anchor": "middle" }, stamp(at)),
      svg("text", { x: x(at), y: 29, class: "since", "text-anchor": "middle" }, elapsed(at - plan.zero)));
  }
  return all;
}

/** @param {Lane} lane @param {number} y @param {(at: number) => number} x @param {number} width @returns {SVGElement} */
function row(lane, y, x, width) {
  const middle = y + ROW / 2;
  const all = svg("g", { class: `lane-${lane.kind}` }, svg("line", { x1: 0, x2: width, y1: y + ROW, y2: y + ROW, class: "lane" }), svg("text", { x: 0, y: middle + 5, class: "name" }, lane.name));
  for (const one of lane.bars) all.append(...barred(one, middle, x));
  for (const mark of lane.marks.filter((one) => !Number.isNaN(one.at))) all.append(marked(mark, middle, x(mark.at)));
  return all;
}

/** @param {Bar} one @param {number} middle @param {(at: number) => number} x @returns {SVGElement[]} */
function barred(one, middle, x) {
  const [left, wide] = [x(one.from), Math.max(3, x(one.to) - x(one.from))];
  const top = middle - BAR / 2;
  const box = svg("rect", { x: left, y: top, width: wide, height: BAR, rx: 3, class: `bar bar-${one.kind}` },
    svg("title", {}, `${one.text} : ${stamp(one.from)} → ${stamp(one.to)}${ENDS[one.end]}`));
  /** @type {SVGElement[]} */
  const all = [box];
  const most = Math.floor((wide - 12) / LETTER);
  const shown = !one.label || one.label.length <= most ? one.label : one.kind === "recording" && most > 8 ? `${one.label.slice(0, most - 1)}…` : "";
  if (shown) all.push(svg("text", { x: left + 7, y: middle + 4, class: `label label-${one.kind}`, "aria-hidden": "true" }, shown));
  if (one.end !== "told") {
    const torn = Array.from({ length: 5 }, (_, i) => `l${i % 2 ? 5 : -5} ${BAR / 5}`).join("");
    const shape = one.end === "deduced" ? `M${left + wide + 5} ${top - 3}v${BAR + 6}` : `M${left + wide + 5} ${top}${torn}`;
    all.push(svg("path", { d: shape, class: `end end-${one.end}` }));
  }
  for (const at of one.earlier ?? []) all.push(svg("path", { d: `M${x(at)} ${top - 4}v${BAR + 8}`, class: "earlier" }, svg("title", {}, `d’abord lu à ${stamp(at)}`)));
  return all;
}

/** @param {Mark} mark @param {number} middle @param {number} at @returns {SVGElement} */
function marked(mark, middle, at) {
  const title = svg("title", {}, `${mark.text} : ${stamp(mark.at)}`);
  if (mark.kind === "link") return svg("path", { d: `M${at} ${middle - 16}l5 6-5 6-5-6z`, class: "mark-link" }, title);
  if (mark.kind === "stop") return svg("path", { d: `M${at} ${middle - BAR / 2 - 2}v${BAR + 4}`, class: "mark-stop" }, title);
  const after = mark.side === "after";
  const words = `${mark.side === "before" ? "← " : ""}${mark.text}${after ? " →" : ""}`;
  const text = svg("text", { x: at + (after ? 0 : 7), y: middle + 4, class: "kin", "text-anchor": after ? "end" : "start" }, words);
  return svg("a", { href: mark.href ?? "#", "aria-label": `${mark.text} : ouvrir cet appel` }, text);
}

/** @param {Arrow} arrow @param {Plan} plan @param {(at: number) => number} x @param {number} width @returns {SVGElement} */
function arrowed(arrow, plan, x, width) {
  const down = arrow.target > arrow.lane ? 1 : -1;
  const middle = (/** @type {number} */ lane) => TOP + lane * ROW + ROW / 2;
  const [at, start, tip] = [x(arrow.at), middle(arrow.lane), middle(arrow.target) - (down * BAR) / 2];
  const all = svg("g", { class: "arrow" },
    svg("circle", { cx: at, cy: start, r: 4 }),
    svg("path", { d: `M${at} ${start}V${tip - down * 3}`, class: "shaft" }),
    svg("path", { d: `M${at} ${tip}l-5 ${-8 * down}h10z`, class: "head" }),
    svg("title", {}, `${arrow.text} : ${stamp(arrow.at)}`));
  const end = at + 14 + arrow.text.length * LETTER;
  const busy = (plan.lanes[arrow.lane]?.bars ?? []).some((one) => x(one.to) > at + 1 && x(one.from) < end);
  if (end < width && !busy) all.append(svg("text", { x: at + 10, y: start + 4, class: "moved", "aria-hidden": "true" }, arrow.text));
  return all;
}
