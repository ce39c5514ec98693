/** One call on one clock: a picture of it, and a table that can be sifted. */
import { soundLanes, soundTimes } from "./audit_recordings.js";
import { boot, get, svg, write } from "./dom.js";
import { local } from "./times.js";

/** @typedef {{from: number, to: number, text: string, kind: string, open?: boolean}} Bar */
/** @typedef {{name: string, bars: Bar[], marks: {at: number, text: string, kind: string}[]}} Lane */

const LEFT = 150;
/** Half a tick's label, and a little: the last one lies on the very end. */
const RIGHT = 36;
const ROW = 30;
const TOP = 26;

/** @param {string | null | undefined} iso @returns {number} NaN when there is none */
const ms = (iso) => (iso ? Date.parse(iso) : Number.NaN);

/** Everything of a record that has a place in time, in lanes from top to bottom: the call, its stations, its
 * sessions. An end nobody reported is drawn open, up to the last thing known.
 * @param {any} record @returns {{lanes: Lane[], from: number, to: number}} */
export function lay(record) {
  const known = times(record);
  const from = Math.min(...known);
  const to = Math.max(...known, from + 1000);
  /** @type {Lane[]} */
  const lanes = [];
  const { call } = record;
  if (call) lanes.push(callLane(call, record.holds ?? [], record.events ?? [], to));
  for (const [name, stays] of group(record.stations ?? [])) lanes.push({ name: `poste ${name}`, bars: stays.map((stay) => bar(stay.start, stay.end, to, "station", "présent")), marks: [] });
  for (const [index, session] of (record.sessions ?? []).entries()) lanes.push(sessionLane(session, index + 1, record.events ?? [], to));
  lanes.push(...soundLanes(record));
  return { lanes, from, to };
}

/** @param {any} record @returns {number[]} */
function times(record) {
  const { call } = record;
  const all = [call?.started, call?.answered, call?.ended];
  for (const stay of record.stations ?? []) all.push(stay.start, stay.end);
  for (const session of record.sessions ?? []) all.push(session.created, session.ended);
  for (const event of record.events ?? []) if (!/audit|lookup|search|export/.test(event.action ?? "")) all.push(event.at);
  all.push(...soundTimes(record));
  const known = all.map(ms).filter((value) => !Number.isNaN(value));
  return known.length ? known : [0];
}

/** @param {any[]} stays @returns {Map<string, any[]>} */
function group(stays) {
  const map = new Map();
  for (const stay of stays) map.set(stay.station, [...(map.get(stay.station) ?? []), stay]);
  return map;
}

/** @param {string} start @param {string | null} end @param {number} to @param {string} kind @param {string} text @returns {Bar} */
function bar(start, end, to, kind, text) {
  return { from: ms(start), to: end ? ms(end) : to, kind, text, open: !end };
}

/** @param {any} call @param {any[]} holds @param {any[]} events @param {number} to @returns {Lane} */
function callLane(call, holds, events, to) {
  const bars = [];
  const first = call.state === "asserted" ? "déclaré" : "sonne";
  if (call.started) bars.push(bar(call.started, call.answered ?? call.ended, to, "ring", first));
  if (call.answered) bars.push(bar(call.answered, call.ended, to, "talk", "en ligne"));
  for (const hold of holds) bars.push(bar(hold.start, hold.end ?? call.ended, to, "hold", "en attente"));
  const marks = events.filter((event) => /transfer|joined|moved/i.test(event.action ?? "")).map((event) => ({ at: ms(event.at), text: event.action, kind: "move" }));
  return { name: "ligne 15", bars, marks };
}

/** @param {any} session @param {number} rank @param {any[]} events @param {number} to @returns {Lane} */
function sessionLane(session, rank, events, to) {
  const mine = events.filter((event) => event.subject === session.id || event.subject === `session:${session.id}`);
  const bars = [bar(session.created, session.ended, to, "session", "session"), ...pictures(mine, session.ended, to)];
  const marks = [
    ...(session.links ?? []).map((/** @type {any} */ link) => ({ at: ms(link.at), text: `lien : ${link.certainty}`, kind: "link" })),
    ...mine.map((event) => ({ at: ms(event.at), text: event.action, kind: "event" })),
  ];
  return { name: `vidéo ${rank}`, bars, marks };
}

/** When the picture flowed, by the words of the two ends.
 * @param {any[]} events @param {string | null} ended @param {number} to @returns {Bar[]} */
function pictures(events, ended, to) {
  /** @type {Bar[]} */
  const bars = [];
  /** @type {string | null} */
  let since = null;
  for (const event of events) {
    const { action = "" } = event;
    if (/picture\.flowing/.test(action)) since ??= event.at;
    else if (since && /picture\.lost|session\.(left|timed_out|ended)/.test(action)) {
      bars.push(bar(since, event.at, to, "live", "image"));
      since = null;
    }
  }
  if (since) bars.push(bar(since, ended, to, "live", "image"));
  return bars;
}

/** A round step so that a clock has about eight ticks.
 * @param {number} span milliseconds @returns {number} milliseconds */
export function ticking(span) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400].map((s) => s * 1000);
  return steps.find((step) => span / step <= 8) ?? 86_400_000;
}

/** @param {{lanes: Lane[], from: number, to: number}} plan @param {number} width @returns {SVGElement} */
function draw(plan, width) {
  const height = TOP + plan.lanes.length * ROW + 8;
  const span = plan.to - plan.from;
  /** @param {number} at */
  const x = (at) => LEFT + ((Math.min(Math.max(at, plan.from), plan.to) - plan.from) / span) * (width - LEFT - RIGHT);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": summary(plan) });
  root.append(svg("defs", {}, svg("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 7, height: 7, class: "hatch-ground" }), svg("rect", { width: 3, height: 7, class: "hatch-line" }))));
  const step = ticking(span);
  for (let at = Math.ceil(plan.from / step) * step; at <= plan.to; at += step) {
    root.append(svg("line", { x1: x(at), x2: x(at), y1: TOP - 6, y2: height - 6, class: "grid" }),
      svg("text", { x: x(at), y: 14, class: "tick", "text-anchor": "middle" }, local(new Date(at).toISOString(), "time")));
  }
  plan.lanes.forEach((lane, index) => root.append(row(lane, TOP + index * ROW, x, width)));
  return root;
}

/** @param {Lane} lane @param {number} y @param {(at: number) => number} x @param {number} width @returns {SVGElement} */
function row(lane, y, x, width) {
  const group = svg("g", {}, svg("line", { x1: 0, x2: width, y1: y + ROW, y2: y + ROW, class: "lane" }), svg("text", { x: 0, y: y + 20, class: "name" }, lane.name));
  for (const one of lane.bars) {
    const wide = Math.max(3, x(one.to) - x(one.from));
    const thin = one.kind === "live" || one.kind === "hold";
    group.append(svg("rect", { x: x(one.from), y: y + (thin ? 9 : 5), width: wide, height: thin ? 12 : 20, rx: 3, class: `bar-${one.kind}${one.open ? " open" : ""}` },
      svg("title", {}, `${one.text} : ${stamp(one.from)} → ${one.open ? "fin non connue" : stamp(one.to)}`)));
  }
  for (const mark of lane.marks.filter((one) => !Number.isNaN(one.at))) {
    const shape = mark.kind === "link"
      ? svg("path", { d: `M${x(mark.at)} ${y + 1}l6 7-6 7-6-7z`, class: "mark-link" })
      : svg("line", { x1: x(mark.at), x2: x(mark.at), y1: y + 3, y2: y + 27, class: `mark-${mark.kind}` });
    shape.append(svg("title", {}, `${mark.text} : ${stamp(mark.at)}`));
    group.append(shape);
  }
  return group;
}

/** @param {number} at @returns {string} */
function stamp(at) {
  return local(new Date(at).toISOString(), "time");
}

/** @param {{lanes: Lane[]}} plan @returns {string} the same in words */
function summary(plan) {
  return plan.lanes.map((lane) => `${lane.name} : ${lane.bars.map((one) => `${one.text} de ${stamp(one.from)} à ${one.open ? "non connu" : stamp(one.to)}`).join(", ")}`).join(". ");
}

function filter() {
  const words = get("filter", HTMLInputElement).value.toLocaleLowerCase("fr").split(/\s+/).filter(Boolean);
  const rows = [...document.querySelectorAll("#events tbody tr")];
  let left = 0;
  for (const one of rows) {
    const text = (one.textContent ?? "").toLocaleLowerCase("fr");
    const show = words.every((word) => text.includes(word));
    one.toggleAttribute("hidden", !show);
    if (show) left += 1;
  }
  write(get("filter-count", HTMLElement), words.length ? `${left} sur ${rows.length}` : String(rows.length));
}

if (typeof document !== "undefined" && document.getElementById("timeline")) {
  const place = get("timeline", HTMLElement);
  const plan = lay(boot());
  const show = () => place.replaceChildren(draw(plan, Math.max(640, place.clientWidth - 28)));
  show();
  new ResizeObserver(show).observe(place);
  get("filter", HTMLInputElement).addEventListener("input", filter);
  get("print", HTMLElement).addEventListener("click", () => print());
}
